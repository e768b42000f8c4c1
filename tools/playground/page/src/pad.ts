/* A pad to draw on: by mouse, finger, pen or keyboard. */
import type { Point, Stroke } from "./digit";
import { color, h, onTheme } from "./dom";

const SIZE = 224; // in units of the drawing, and of CSS at most
const WIDTH = 14;
const STEP = 8; // of the arrow keys

export class Pad {
    strokes: Stroke[] = [];
    readonly root: HTMLCanvasElement;
    /** The pen of the keyboard. */
    private pen: Point = { x: SIZE / 2, y: SIZE / 5 };
    private penIsDown = false;
    private penIsShown = false;

    /** `changed` is called after each stroke, and with each move of the keyboard's pen while it draws. */
    constructor(private readonly changed: () => void) {
        const scale = Math.ceil(devicePixelRatio || 1);
        this.root = h("canvas", {
            class: "pad",
            width: SIZE * scale,
            height: SIZE * scale,
            tabindex: 0,
            role: "application",
            "aria-label": "Drawing pad",
            "aria-describedby": "pad-help",
            "data-name": "drawing",
        });
        this.root.getContext("2d")!.scale(scale, scale);
        this.root.addEventListener("pointerdown", (event) => this.down(event));
        this.root.addEventListener("pointermove", (event) => this.move(event));
        this.root.addEventListener("pointerup", () => this.changed());
        this.root.addEventListener("keydown", (event) => this.key(event));
        for (const name of ["focus", "blur"] as const)
            this.root.addEventListener(name, () => {
                this.penIsShown = name === "focus" && this.root.matches(":focus-visible");
                this.penIsDown = false;
                this.draw();
            });
        onTheme(() => this.draw());
        this.draw();
    }

    clear(): void {
        this.strokes = [];
        this.penIsDown = false;
        this.draw();
        this.changed();
    }

    undo(): void {
        this.strokes.pop();
        this.penIsDown = false;
        this.draw();
        this.changed();
    }

    private at(event: PointerEvent): Point {
        const box = this.root.getBoundingClientRect();
        return {
            x: ((event.clientX - box.left) / box.width) * SIZE,
            y: ((event.clientY - box.top) / box.height) * SIZE,
        };
    }

    private down(event: PointerEvent): void {
        if (event.button !== 0) return;
        this.root.setPointerCapture(event.pointerId);
        this.penIsShown = false;
        this.strokes.push([this.at(event)]);
        this.draw();
    }

    private move(event: PointerEvent): void {
        if (!this.root.hasPointerCapture(event.pointerId)) return;
        const events = event.getCoalescedEvents?.() ?? [];
        this.strokes.at(-1)?.push(...(events.length ? events : [event]).map((e) => this.at(e)));
        this.draw();
    }

    private key(event: KeyboardEvent): void {
        const moves: Record<string, [number, number]> = {
            ArrowLeft: [-STEP, 0],
            ArrowRight: [STEP, 0],
            ArrowUp: [0, -STEP],
            ArrowDown: [0, STEP],
        };
        const move = moves[event.key];
        if (move) {
            const within = (value: number): number => Math.min(SIZE - WIDTH / 2, Math.max(WIDTH / 2, value));
            this.pen = { x: within(this.pen.x + move[0]), y: within(this.pen.y + move[1]) };
            if (this.penIsDown) this.strokes.at(-1)?.push(this.pen);
        } else if (event.key === " ") {
            this.penIsDown = !this.penIsDown;
            if (this.penIsDown) this.strokes.push([this.pen]);
        } else if (event.key === "Delete" || event.key === "Escape") {
            this.clear();
        } else if (event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey))) {
            this.undo();
        } else {
            return;
        }
        event.preventDefault();
        this.penIsShown = true;
        this.draw();
        if (!move) this.changed();
    }

    private draw(): void {
        const context = this.root.getContext("2d")!;
        context.fillStyle = color("--surface");
        context.fillRect(0, 0, SIZE, SIZE);
        context.lineWidth = WIDTH;
        context.lineCap = context.lineJoin = "round";
        context.strokeStyle = color("--text");
        for (const stroke of this.strokes) {
            context.beginPath();
            stroke.forEach((point, i) => (i ? context.lineTo(point.x, point.y) : context.moveTo(point.x, point.y)));
            if (stroke.length === 1) context.lineTo(stroke[0]!.x, stroke[0]!.y);
            context.stroke();
        }
        if (!this.penIsShown) return;
        context.beginPath();
        context.arc(this.pen.x, this.pen.y, WIDTH / 2 + 2, 0, 2 * Math.PI);
        context.lineWidth = this.penIsDown ? 4 : 2;
        context.strokeStyle = color("--accent");
        context.stroke();
    }
}
