/* Looking inside a net: its values for one sample over time, and the gradient of the loss with respect to each. */

import type { App } from "../app";
import { type Child, details, h, onTheme } from "../dom";
import { equationOf } from "../equations";
import {
    type Inside,
    type Norms,
    type Parameter,
    paletteOf,
    part,
    type Read,
    read,
    type SampleArguments,
    type Signal,
} from "../look";
import { showNorms } from "../norms";
import type { Numbers, Opened, RunIndex } from "../protocol";
import { message } from "../runs";
import {
    drawTiles,
    figure,
    gradientOf,
    layoutOf,
    norm,
    type Palette,
    range,
    scaleOf,
    tileAt,
    tileCanvas,
    type Tiles,
} from "../tiles";
import { showValue } from "../value";

const REFRESH = 250; // milliseconds between two looks while training, unless they take long
const MOST_PREDICTED = 4; // numbers beside the loss
const HEIGHT = 64; // of a strip, in pixels

/** A strip of tiles, a tile per time step. */
interface Strip {
    canvas: HTMLCanvasElement;
    button: HTMLButtonElement;
    tiles: Tiles;
    moves: boolean;
}

/** Whether a sample could be one of the run's data. */
const fits = ({ x, y }: { x: number[]; y: number[] }, { x: shape, classes }: Opened): boolean =>
    x.length === shape.reduce((product, n) => product * n, 1) && (classes ? y.every((label) => label < classes) : true);

export function mount(root: HTMLElement, app: App): void {
    let run: RunIndex = 0;
    let index = 0;
    let own: { x: number[]; y: number[] } | null = null;
    let inside: Read<Inside> | null = null;
    let isOwn = false; // what it is of
    let norms: Read<Norms> | null = null;
    let step = 1; // the selected time step
    let name = ""; // of the selected value
    let strips: Strip[] = [];

    const sampleOf = (): SampleArguments => ({ run, ...(own ?? { index, validation: true }) });
    const isShown = () => app.store.value.panel === "look";
    const total = () => app.runs.run[run].opened?.validationSamples ?? 1;

    /* ---- elements ---- */

    const number = h("input", {
        type: "number",
        min: 1,
        value: 1,
        class: "look-index",
        "aria-label": "Validation sample",
        onchange: () => choose(Number(number.value) - 1),
    });
    const runs = (["A", "B"] as const).map((label, i) =>
        h("button", { role: "radio", onclick: () => chooseRun(i as RunIndex) }, `Run ${label}`),
    );
    const runButtons = h("div", { class: "segmented", role: "radiogroup", "aria-label": "Run" }, ...runs);
    const every = h("input", { type: "checkbox", onchange: () => draw() });
    const verdict = h("span", { class: "grow look-verdict" });
    const slider = h("input", {
        type: "range",
        min: 1,
        max: 1,
        value: 1,
        class: "grow",
        "aria-label": "Time step",
        oninput: () => select(name, Number(slider.value)),
    });
    const stepText = h("output", { class: "look-step" });
    const scrub = h("div", { class: "toolbar look-scrub" }, h("span", { class: "label" }, "Time step"), slider, stepText);
    const pictures = h("div", { class: "look-pictures" });
    const detail = h("section", { class: "card look-detail", "aria-label": "Selected value" });
    const kernels = h("div", { class: "look-kernels" });
    const bars = h("div", { class: "look-norms" });
    const empty = h("p", { class: "empty" }, "Opening the run \u2026");
    const content = h(
        "div",
        { class: "look", hidden: true },
        h(
            "div",
            { class: "toolbar" },
            runButtons,
            h(
                "div",
                { class: "look-sample" },
                h("span", { class: "label" }, "Sample"),
                h("button", { class: "icon-only", "aria-label": "Previous sample", onclick: () => choose(index - 1) }, "\u2039"),
                number,
                h("button", { class: "icon-only", "aria-label": "Next sample", onclick: () => choose(index + 1) }, "\u203a"),
            ),
            verdict,
            h("label", { class: "toolbar small" }, every, "All values"),
        ),
        scrub,
        h("div", { class: "look-main" }, pictures, detail),
        h("section", { "aria-label": "Parameters" }, h("h2", {}, "Parameters"), kernels),
        h("section", { "aria-label": "Norms of the gradient" }, h("h2", {}, "Norms of the gradient over time"), bars),
    );
    root.append(empty, content);

    /* ---- what is shown ---- */

    /** Looks at a sample that is not one of the data. */
    app.look = (of, x, y) => {
        run = of;
        own = { x, y };
        app.showPanel("look");
        void look();
    };

    app.lookAt = (to) => {
        run = 0;
        choose(to);
    };

    function choose(to: number): void {
        own = null;
        index = Math.min(Math.max(Number.isFinite(to) ? Math.round(to) : 0, 0), total() - 1);
        number.value = String(index + 1);
        void look();
    }

    function chooseRun(to: RunIndex): void {
        run = to;
        void look();
    }

    function select(to: string, at: number): void {
        if (!inside) return;
        name = to;
        step = Math.min(Math.max(at, 1), inside.is.steps);
        mark();
        void show(true);
    }

    /* ---- asking ---- */

    let isAsking = false;
    let isStale = false;
    let wait = REFRESH;
    let normsDue = 0; // while training

    async function look(): Promise<void> {
        if (!isShown()) return;
        isStale = isAsking;
        if (isAsking) return;
        isAsking = true;
        if (!app.store.value.second) run = 0;
        const { opened } = app.runs.run[run];
        if (own && opened && !fits(own, opened)) own = null;
        const start = performance.now();
        const asked = own !== null;
        try {
            const one = await app.client.call("inspect", sampleOf());
            const areDue = !app.runs.isTraining || start >= normsDue;
            const all = areDue ? await app.client.call("norms", { run }).catch(() => null) : undefined;
            if (areDue) normsDue = performance.now() + 8 * (performance.now() - start);
            inside = read(one);
            isOwn = asked;
            if (all !== undefined) norms = all && read(all);
            empty.hidden = true;
            content.hidden = false;
            draw();
        } catch (error) {
            inside = null;
            empty.textContent = app.runs.run[run].opened
                ? message(error)
                : app.runs.run[run].error || "There is no run to look into: the text has mistakes.";
            empty.hidden = false;
            content.hidden = true;
        }
        isAsking = false;
        wait = Math.max(REFRESH, 3 * (performance.now() - start));
        if (isStale) void look();
    }

    let waiting: AbortController | undefined;

    /** Shows the selected value, and says what it is if it was chosen. */
    async function show(isChosen: boolean): Promise<void> {
        waiting?.abort();
        const control = (waiting = new AbortController());
        const [of, at] = [name, step];
        try {
            const [answer, equation] = await Promise.all([
                app.client.call("value", { ...sampleOf(), name: of, step: at }, { signal: control.signal }),
                equationOf(app, run, of),
            ]);
            if (control.signal.aborted || !inside) return;
            const words = showValue(detail, {
                name: of,
                step: at,
                value: read(answer),
                signals: inside.is.signals,
                equation,
                showLine: (line) => app.editor.showLine(line, true),
                select,
            });
            if (isChosen) {
                app.announce(words);
                markLine(equation?.line ?? 0);
            }
        } catch (error) {
            if (!control.signal.aborted) detail.replaceChildren(h("p", { class: "muted" }, message(error)));
        }
    }

    let isLineMarked = false;

    /** Tints the line in the editor; 0: none. On a narrow page it would scroll the picture away. */
    function markLine(line: number): void {
        if ((line === 0 && !isLineMarked) || innerWidth <= 820) return;
        isLineMarked = line > 0;
        app.editor.highlight(line);
    }

    /* ---- drawing ---- */

    /** The signals in the order of the equations, data around them. */
    function ordered(all: Signal[]): Signal[] {
        const place = { input: 0, gate: 1, state: 1, value: 1, prediction: 2, target: 3 };
        const visible = all.filter(({ kind, steps }) => kind !== "value" || every.checked || steps === 1);
        return visible.sort((a, b) => place[a.kind] - place[b.kind] || a.order - b.order);
    }

    function draw(): void {
        if (!inside) return;
        const { is } = inside;
        runButtons.hidden = !app.store.value.second;
        runs.forEach((button, i) => button.setAttribute("aria-checked", String(i === run)));
        number.max = String(total());
        slider.max = String(is.steps);
        scrub.hidden = is.steps === 1;
        step = Math.min(step, is.steps);
        if (!is.signals.some((s) => s.name === name) && !is.parameters.some((p) => p.name === name))
            name = is.signals.find(({ kind }) => kind === "state")?.name ?? "";
        verdict.replaceChildren(...judge(inside));
        drawStrips(inside);
        drawKernels(inside);
        mark();
        void show(false);
    }

    /** What is predicted, and the loss. */
    function judge({ is, of }: Read<Inside>): Child[] & (string | Node)[] {
        const loss = `loss ${figure(is.loss)}${isOwn ? "; your own sample" : ""}`;
        const output = of(is.output.values);
        if (!output.every(Number.isFinite)) return [`no prediction: the numbers are not finite, ${loss}`];
        if (is.label < 0) {
            const target = of(is.signals.find(({ kind }) => kind === "target")?.values);
            if (output.length > MOST_PREDICTED || target.length !== output.length) return [loss];
            const words = (numbers: Float32Array) => [...numbers].map(figure).join(" ");
            return [`${isOwn ? "" : `target ${words(target)}, `}predicted ${words(output)}, ${loss}`];
        }
        const logits = output.length === 1 ? [0, output[0]!] : [...output];
        const most = Math.max(...logits);
        const shares = logits.map((logit) => Math.exp(logit - most));
        const sum = shares.reduce((a, b) => a + b, 0);
        const at = logits.indexOf(most);
        const isRight = at === is.label;
        if (output.length > 1 && output.length !== (app.runs.run[run].opened?.classes ?? 0)) return [loss];
        return [
            `class ${is.label}, predicted ${at} (${((100 * shares[at]!) / sum).toFixed(0)} %) `,
            h("span", { class: isRight ? "right" : "wrong" }, isRight ? "\u2713" : "\u2717"),
            `, ${loss}`,
        ];
    }

    function strip(
        of: string,
        values: Float32Array,
        shape: number[],
        steps: number,
        palette: Palette,
        label: string,
        height = HEIGHT,
    ): { element: HTMLElement; strip: Strip } {
        const canvas = tileCanvas(`${of}-${label}`);
        const scale = scaleOf(values, palette);
        const tiles: Tiles = {
            numbers: values,
            tiles: steps,
            layout: layoutOf(shape),
            scale,
            width: Math.max(120, Math.min(pictures.clientWidth || 480, 700) - 116),
            height,
            selected: -1,
        };
        const button = h("button", { class: "look-strip", "data-name": of, "aria-label": `${label} of ${of}` }, canvas);
        button.onclick = (event) => {
            const isPointer = event.detail > 0;
            select(of, steps > 1 ? (isPointer ? tileAt(tiles, event.offsetX) + 1 : step) : step);
            if (innerWidth <= 820 && isPointer) detail.scrollIntoView({ block: "nearest" });
        };
        const most = figure(scale.most);
        const ends = palette === "signed" ? `\u00b1${most}` : `0 to ${most}`;
        const key = h("span", { class: "look-key", title: `The colours of ${label}: ${ends}` }, h("i", {}), ends);
        key.querySelector("i")!.style.backgroundImage = gradientOf(scale);
        const one = { canvas, button, tiles, moves: steps > 1 };
        strips.push(one);
        return {
            element: h("div", { class: "look-line" }, h("div", {}, h("span", { class: "look-direction" }, label), key), button),
            strip: one,
        };
    }

    function drawStrips({ is, of }: Read<Inside>): void {
        const focused = document.activeElement instanceof HTMLElement ? document.activeElement.getAttribute("aria-label") : null;
        strips = [];
        pictures.replaceChildren(
            ...ordered([...is.signals]).map((signal) => {
                const title = h(
                    "button",
                    { class: "quiet look-name", onclick: () => select(signal.name, step) },
                    h("code", {}, signal.name),
                );
                const equation = h("code", { class: "look-equation muted" });
                void equationOf(app, run, signal.name).then(
                    (found) => (equation.textContent = found && signal.kind !== "input" ? found.text : ""),
                );
                const height = signal.steps === 1 && layoutOf(signal.shape).columns === 1 ? 14 : HEIGHT;
                const shape = signal.steps === 1 && layoutOf(signal.shape).columns === 1 ? [1, ...signal.shape] : signal.shape;
                return h(
                    "div",
                    { class: "look-signal" },
                    h("div", { class: "look-head" }, title, equation),
                    strip(signal.name, of(signal.values), shape, signal.steps, paletteOf(signal), "forward", height).element,
                    signal.gradient &&
                        strip(signal.name, of(signal.gradient), shape, signal.steps, "signed", "backward", height).element,
                );
            }),
            details("Numbers of these pictures", pictures.querySelector("details")?.open ?? false, () => table(is, of)),
        );
        if (focused) pictures.querySelector<HTMLElement>(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
    }

    function table(is: Inside, of: (n: Numbers | undefined) => Float32Array): HTMLElement {
        const rows = ordered([...is.signals]).flatMap((signal) =>
            Array.from({ length: signal.steps }, (_, t) => {
                const values = part(of(signal.values), t, signal.steps);
                const gradient = part(of(signal.gradient), t, signal.steps);
                return h(
                    "tr",
                    {},
                    h("th", { scope: "row" }, signal.steps > 1 ? `${signal.name}[${t + 1}]` : signal.name),
                    h("td", {}, range(values)),
                    h("td", {}, figure(norm(values))),
                    h("td", {}, gradient.length ? figure(norm(gradient)) : ""),
                );
            }),
        );
        const head = ["value", "range", "norm", "norm of the gradient"].map((text) => h("th", { scope: "col" }, text));
        return h(
            "div",
            { class: "look-scroll", tabindex: 0, role: "region", "aria-label": "Numbers of these pictures" },
            h("table", { class: "numbers" }, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)),
        );
    }

    function drawKernels({ is, of }: Read<Inside>): void {
        kernels.replaceChildren(
            ...is.parameters.map((parameter: Parameter) => {
                const { rows, columns, count, across } = layoutOf(parameter.shape);
                const height = Math.min(96, Math.max(8 * rows * (count / (across || count)), 12));
                const width = Math.min(170, Math.max(8 * columns * (across || count), 24));
                const shape = parameter.shape.length === 1 ? [1, ...parameter.shape] : parameter.shape;
                const picture = (label: string, numbers: Float32Array) => {
                    const { element, strip: one } = strip(
                        parameter.name,
                        numbers,
                        shape,
                        1,
                        "signed",
                        label,
                        shape !== parameter.shape ? 12 : height,
                    );
                    one.tiles.width = shape !== parameter.shape ? Math.min(170, 12 * parameter.shape[0]!) : width;
                    return element;
                };
                return h(
                    "div",
                    { class: "look-kernel" },
                    h(
                        "button",
                        { class: "quiet look-name", onclick: () => select(parameter.name, step) },
                        h("code", {}, parameter.name),
                        h("small", {}, `[${parameter.shape.join(",")}]`),
                    ),
                    picture("forward", of(parameter.values)),
                    picture("backward", of(parameter.gradient)),
                );
            }),
        );
    }

    /** Frames the selected step, and draws all strips. */
    function mark(): void {
        slider.value = String(step);
        slider.setAttribute("aria-valuetext", `step ${step} of ${inside?.is.steps ?? 1}`);
        stepText.textContent = `${step} of ${inside?.is.steps ?? 1}`;
        for (const one of strips) {
            const isChosen = one.button.dataset["name"] === name;
            one.tiles.selected = one.moves ? step - 1 : -1;
            one.button.setAttribute("aria-pressed", String(isChosen));
            drawTiles(one.canvas, one.tiles);
        }
        if (inside) showNorms(bars, inside, norms, step, (to) => select(name, to));
    }

    /* ---- keys and events ---- */

    content.addEventListener("keydown", (event) => {
        const target = event.target as HTMLElement;
        if (!target.closest(".look-strip, .look-name")) return;
        const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (by) {
            event.preventDefault();
            select(name, step + by);
            return;
        }
        const down = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (!down) return;
        event.preventDefault();
        const all = [...content.querySelectorAll<HTMLElement>(target.closest(".look-strip") ? ".look-strip" : ".look-name")];
        const next = all[all.indexOf(target.closest<HTMLElement>(".look-strip, .look-name")!) + down];
        next?.focus();
        if (next?.dataset["name"]) select(next.dataset["name"], step);
    });

    let timer: ReturnType<typeof setTimeout> | undefined;
    app.runs.on((event) => {
        if (event.kind === "training") return;
        if (event.kind !== "progress") {
            if (event.kind === "opened" && event.run === run) index = Math.min(index, total() - 1);
            void look();
            return;
        }
        timer ??= setTimeout(() => {
            timer = undefined;
            void look();
        }, wait);
    });
    app.store.on(["panel", "second"], () => void look());
    app.store.on(["panel"], () => markLine(0));
    onTheme(() => draw());
    let width = 0;
    new ResizeObserver(() => {
        if (Math.abs(pictures.clientWidth - width) < 8) return;
        width = pictures.clientWidth;
        draw();
    }).observe(pictures);
    void look();
}
