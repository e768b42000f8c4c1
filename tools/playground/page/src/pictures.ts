/* Samples as small pictures. */
import { color, h } from "./dom";

/** Red, green and blue of a colour of style.css. */
const channels = (name: string): number[] => (color(name).match(/[\d.]+/g) ?? []).map(Number);

/** A picture with as many pixels as it has numbers; style.css scales it. */
export function image(numbers: Float32Array | number[], rows: number, columns: number): HTMLCanvasElement {
    const canvas = h("canvas", { width: columns, height: rows, class: "pixels", "aria-hidden": "true" });
    paint(canvas, numbers);
    return canvas;
}

/** Ink on paper: 0 is the paper's colour and the largest number, at least 1, the ink's. */
export function paint(canvas: HTMLCanvasElement, numbers: Float32Array | number[]): void {
    const context = canvas.getContext("2d")!;
    const pixels = context.createImageData(canvas.width, canvas.height);
    const paper = channels("--surface");
    const ink = channels("--text");
    let most = 1;
    for (const value of numbers) most = Math.max(most, value);
    for (let i = 0; i < canvas.width * canvas.height; i++) {
        const value = Math.max(0, (numbers[i] ?? 0) / most);
        for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = paper[c]! + value * (ink[c]! - paper[c]!);
        pixels.data[4 * i + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
}

const SPACE = "http://www.w3.org/2000/svg";

/** Features of a sequence over time, as lines in a common scale: numbers[step * features + feature]. */
export function lines(numbers: Float32Array, steps: number, features: number): SVGSVGElement {
    const svg = document.createElementNS(SPACE, "svg");
    svg.setAttribute("viewBox", "0 0 100 40");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("class", "lines");
    svg.setAttribute("aria-hidden", "true");
    let low = 0;
    let high = 0;
    for (const value of numbers) {
        low = Math.min(low, value);
        high = Math.max(high, value);
    }
    const scale = 36 / (high - low || 1);
    for (let f = 0; f < Math.min(features, 6); f++) {
        const path = document.createElementNS(SPACE, "path");
        const points = Array.from({ length: steps }, (_, t) => {
            const x = steps > 1 ? (100 * t) / (steps - 1) : 50;
            const y = 38 - (numbers[t * features + f]! - low) * scale;
            return `${x.toFixed(1)} ${y.toFixed(1)}`;
        });
        path.setAttribute("d", `M${points.join("L")}`);
        path.setAttribute("class", `feature-${f}`);
        svg.append(path);
    }
    return svg;
}

/** Tokens as characters of an alphabet (two hexadecimal digits each), or as numbers. */
export function tokens(numbers: Iterable<number>, alphabet: string): string {
    const characters = alphabet.match(/../g);
    return Array.from(numbers, (token) => {
        if (!characters) return String(token);
        const code = parseInt(characters[token] ?? "3f", 16);
        return code === 10 ? "\u21b5" : code < 32 ? "\u00b7" : String.fromCharCode(code);
    }).join(characters ? "" : " ");
}
