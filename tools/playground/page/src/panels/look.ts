/* Looking inside a net: its values for one sample over time, and the gradient of the loss with respect to each. */

import type { App } from "../app";
import { type Child, details, h, onTheme } from "../dom";
import { equationOf } from "../equations";
import type { Inside, Norms, Parameter, SampleArguments, Signal, Term, Value } from "../look";
import type { Numbers, RunIndex } from "../protocol";
import { message } from "../runs";
import { drawBars, drawTiles, figure, gradientOf, layoutOf, norm, type Palette, range, scaleOf, tileAt, tileCanvas, type Tiles } from "../tiles";

const REFRESH = 250; // milliseconds between two looks while training, unless they take long
const HEIGHT = 64; // of a strip, in pixels
const MOST_CELLS = 4096; // of a table of numbers

/** A result with a function that reads its numbers. */
interface Read<T> {
    is: T;
    of(numbers: Numbers | undefined): Float32Array;
}

const part = (all: Float32Array, step: number, steps: number): Float32Array => {
    const size = all.length / steps;
    return steps === 1 ? all : all.subarray(step * size, (step + 1) * size);
};

const paletteOf = (signal: Signal): Palette =>
    signal.fraction ? "fraction" : signal.kind === "input" || signal.kind === "target" ? "ink" : "signed";

/** A strip of tiles, a tile per time step. */
interface Strip {
    canvas: HTMLCanvasElement;
    button: HTMLButtonElement;
    tiles: Tiles;
    moves: boolean;
}

export function mount(root: HTMLElement, app: App): void {
    let run: RunIndex = 0;
    let index = 0;
    let own: { x: number[]; y?: number[] } | null = null;
    let inside: Read<Inside> | null = null;
    let norms: Read<Norms> | null = null;
    let step = 1; // the selected time step
    let name = ""; // of the selected value
    let strips: Strip[] = [];

    const sampleOf = (): SampleArguments => ({ run, ...(own ?? { index, validation: true }) });
    const isShown = () => app.store.value.panel === "look";
    const total = () => app.runs.run[run].opened?.validationSamples ?? 1;

    /* ---- elements ---- */

    const number = h("input", { type: "number", min: 1, value: 1, class: "look-index", "aria-label": "Validation sample", onchange: () => choose(Number(number.value) - 1) });
    const runs = (["A", "B"] as const).map((label, i) =>
        h("button", { role: "radio", onclick: () => chooseRun(i as RunIndex) }, `Run ${label}`),
    );
    const runButtons = h("div", { class: "segmented", role: "radiogroup", "aria-label": "Run" }, ...runs);
    const every = h("input", { type: "checkbox", onchange: () => draw() });
    const verdict = h("span", { class: "grow look-verdict" });
    const slider = h("input", { type: "range", min: 1, max: 1, value: 1, class: "grow", "aria-label": "Time step", oninput: () => select(name, Number(slider.value)) });
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
            h("span", { class: "label" }, "Sample"),
            h("button", { class: "icon-only", "aria-label": "Previous sample", onclick: () => choose(index - 1) }, "\u2039"),
            number,
            h("button", { class: "icon-only", "aria-label": "Next sample", onclick: () => choose(index + 1) }, "\u203a"),
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
        void show();
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
        const start = performance.now();
        try {
            const one = await app.client.call("inspect", sampleOf());
            const areDue = !app.runs.isTraining || start >= normsDue;
            const all = areDue ? await app.client.call("norms", { run }).catch(() => null) : undefined;
            if (areDue) normsDue = performance.now() + 8 * (performance.now() - start);
            inside = { is: one.result, of: (n) => (n ? one.numbers.subarray(n[0], n[0] + n[1]) : new Float32Array()) };
            if (all !== undefined) norms = all && { is: all.result, of: (n) => (n ? all.numbers.subarray(n[0], n[0] + n[1]) : new Float32Array()) };
            empty.hidden = true;
            content.hidden = false;
            draw();
        } catch (error) {
            inside = null;
            empty.textContent = app.runs.run[run].opened ? message(error) : app.runs.run[run].error || "There is no run to look into: the text has mistakes.";
            empty.hidden = false;
            content.hidden = true;
        }
        isAsking = false;
        wait = Math.max(REFRESH, 3 * (performance.now() - start));
        if (isStale) void look();
    }

    let waiting: AbortController | undefined;

    /** Shows the selected value. */
    async function show(): Promise<void> {
        waiting?.abort();
        const control = (waiting = new AbortController());
        const [of, at] = [name, step];
        try {
            const { result, numbers } = await app.client.call("value", { ...sampleOf(), name: of, step: at }, { signal: control.signal });
            const equation = await equationOf(app, run, of);
            if (control.signal.aborted) return;
            drawDetail({ is: result, of: (n) => (n ? numbers.subarray(n[0], n[0] + n[1]) : new Float32Array()) }, equation);
        } catch (error) {
            if (!control.signal.aborted) detail.replaceChildren(h("p", { class: "muted" }, message(error)));
        }
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
        void show();
    }

    /** What is predicted, and the loss. */
    function judge({ is, of }: Read<Inside>): Child[] & (string | Node)[] {
        const loss = `loss ${figure(is.loss)}`;
        const output = of(is.output.values);
        if (is.label < 0) return [loss];
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

    function strip(of: string, values: Float32Array, shape: number[], steps: number, palette: Palette, label: string, height = HEIGHT): { element: HTMLElement; strip: Strip } {
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
        return { element: h("div", { class: "look-line" }, h("div", {}, h("span", { class: "look-direction" }, label), key), button), strip: one };
    }

    function drawStrips({ is, of }: Read<Inside>): void {
        const focused = document.activeElement instanceof HTMLElement ? document.activeElement.getAttribute("aria-label") : null;
        strips = [];
        pictures.replaceChildren(
            ...ordered([...is.signals]).map((signal) => {
                const title = h("button", { class: "quiet look-name", onclick: () => select(signal.name, step) }, h("code", {}, signal.name));
                const equation = h("code", { class: "look-equation muted" });
                void equationOf(app, run, signal.name).then((found) => (equation.textContent = found && signal.kind !== "input" ? found.text : ""));
                const height = signal.steps === 1 && layoutOf(signal.shape).columns === 1 ? 14 : HEIGHT;
                const shape = signal.steps === 1 && layoutOf(signal.shape).columns === 1 ? [1, ...signal.shape] : signal.shape;
                return h(
                    "div",
                    { class: "look-signal" },
                    h("div", { class: "look-head" }, title, equation),
                    strip(signal.name, of(signal.values), shape, signal.steps, paletteOf(signal), "forward", height).element,
                    signal.gradient && strip(signal.name, of(signal.gradient), shape, signal.steps, "signed", "backward", height).element,
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
        return h("div", { class: "look-scroll", tabindex: 0, role: "region", "aria-label": "Numbers of these pictures" }, h("table", { class: "numbers" }, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)));
    }

    function drawKernels({ is, of }: Read<Inside>): void {
        kernels.replaceChildren(
            ...is.parameters.map((parameter: Parameter) => {
                const { rows, columns, count, across } = layoutOf(parameter.shape);
                const height = Math.min(96, Math.max(8 * rows * (count / (across || count)), 12));
                const width = Math.min(170, Math.max(8 * columns * (across || count), 24));
                const shape = parameter.shape.length === 1 ? [1, ...parameter.shape] : parameter.shape;
                const picture = (label: string, numbers: Float32Array) => {
                    const { element, strip: one } = strip(parameter.name, numbers, shape, 1, "signed", label, shape !== parameter.shape ? 12 : height);
                    one.tiles.width = shape !== parameter.shape ? Math.min(170, 12 * parameter.shape[0]!) : width;
                    return element;
                };
                return h(
                    "div",
                    { class: "look-kernel" },
                    h("button", { class: "quiet look-name", onclick: () => select(parameter.name, step) }, h("code", {}, parameter.name), h("small", {}, `[${parameter.shape.join(",")}]`)),
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
        if (inside) drawNorms(inside, norms);
    }

    /* ---- one value ---- */

    function matrix(shape: number[], numbers: Float32Array, label: string): HTMLElement {
        const { rows, columns } = layoutOf(shape.length === 1 ? [1, ...shape] : shape);
        const shown = Math.min(numbers.length, MOST_CELLS);
        const body = Array.from({ length: Math.ceil(shown / columns) }, (_, r) =>
            h(
                "tr",
                { class: r > 0 && r % rows === 0 ? "look-next" : null },
                ...Array.from(numbers.subarray(r * columns, Math.min((r + 1) * columns, shown)), (value) => h("td", {}, figure(value))),
            ),
        );
        return h(
            "div",
            { class: "look-scroll", tabindex: 0, role: "region", "aria-label": label },
            h("table", { class: "numbers" }, h("caption", { class: "visually-hidden" }, label), h("tbody", {}, ...body)),
            shown < numbers.length && h("small", {}, `the first ${shown} of ${numbers.length} numbers`),
        );
    }

    function drawDetail(value: Read<Value>, equation: { line: number; text: string } | null): void {
        const { is, of } = value;
        const signal = inside?.is.signals.find((s) => s.name === name);
        const shape = is.shape.length > 1 && is.shape[0] === 1 ? is.shape.slice(1) : is.shape;
        const steps = signal && signal.steps > 1 && signal.kind === "input" ? signal.steps : 1;
        const values = part(of(is.values), step - 1, steps);
        const gradient = is.gradient ? part(of(is.gradient), step - 1, steps) : null;
        const size = steps > 1 ? shape.slice(1) : shape;
        const title = signal && signal.steps > 1 ? `${name}[${step}]` : name;
        const isOpen = [...detail.querySelectorAll("details")].map((one) => one.open);
        const picture = (label: string, numbers: Float32Array, palette: Palette) => {
            const canvas = tileCanvas(`${title}-${label}`);
            const layout = layoutOf(size.length === 1 ? [1, ...size] : size);
            drawTiles(canvas, { numbers, tiles: 1, layout, scale: scaleOf(numbers, palette), width: 136, height: layout.rows * layout.count === 1 ? 18 : 136, selected: -1 });
            return h("figure", {}, canvas, h("figcaption", {}, h("b", {}, label), ` ${range(numbers)}, norm ${figure(norm(numbers))}`));
        };
        const numbers = [
            details("Numbers forward", isOpen[0] ?? false, () => matrix(size, values, `${title}, forward`)),
            gradient && details("Numbers backward", isOpen[1] ?? false, () => matrix(size, gradient, `${title}, backward`)),
        ];
        detail.replaceChildren(
            ...([
                h("h2", {}, h("code", {}, title), h("small", {}, ` [${size.join(",")}]`)),
                equation &&
                    (equation.line > 0
                        ? h("button", { class: "quiet look-source", title: `Line ${equation.line}`, onclick: () => app.editor.showLine(equation.line, true) }, h("code", {}, equation.text))
                        : h("code", { class: "look-source" }, equation.text)),
                h("div", { class: "look-figures" }, picture("forward", values, signal ? paletteOf(signal) : "signed"), gradient && picture("backward", gradient, "signed")),
                ...numbers,
                gradient && terms(is.terms, of, steps),
            ].filter(Boolean) as Node[]),
        );
        app.announce(`${title}: ${range(values)}` + (gradient ? `, gradient of norm ${figure(norm(gradient))}` : ""));
    }

    function terms(all: Term[], of: (n: Numbers | undefined) => Float32Array, steps: number): HTMLElement {
        const most = Math.max(...all.map((term) => term.norm ?? 0), 1e-300);
        const rows = all.map((term) => {
            const bar = h("i", { class: "look-bar" });
            bar.style.width = `${(100 * (term.norm ?? 0)) / most}%`;
            const through = term.name.replace(/^pre-/, ""); // the argument of a gate is a part of its equation
            const isSignal = inside?.is.signals.some((s) => s.name === through);
            const label = term.step > 0 ? `${through}[${term.step}]` : through;
            return h(
                "tr",
                { title: steps === 1 ? range(of(term.gradient)) : "" },
                h("th", { scope: "row" }, isSignal ? h("button", { class: "quiet", onclick: () => select(through, term.step || step) }, h("code", {}, label)) : h("code", {}, label)),
                h("td", {}, h("code", {}, term.operation)),
                h("td", { class: "look-size" }, bar),
                h("td", {}, figure(term.norm)),
            );
        });
        const head = ["through", "operation", "", "norm"].map((text) => h(text ? "th" : "td", { scope: text ? "col" : null }, text));
        return h(
            "div",
            { class: "look-terms" },
            h("p", { class: "label" }, all.length === 0 ? "The loss does not depend on it." : `Its gradient is the sum of ${all.length} ${all.length === 1 ? "term" : "terms"}:`),
            all.length > 0 && h("div", { class: "look-scroll" }, h("table", { class: "numbers" }, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows))),
        );
    }

    /* ---- norms over time ---- */

    interface Row {
        name: string;
        state: boolean;
        whole: number;
        at: Float32Array; // per time step
    }

    /** Of a batch, if the net is made of a cell; else of the sample. */
    function rowsOf(seen: Read<Inside>, all: Read<Norms> | null): Row[] {
        if (all && all.is.steps > 0)
            return all.is.rows
                .map((row) => ({ name: row.name, state: row.state, whole: all.of(row.norms)[0]!, at: all.of(row.norms).subarray(1) }))
                .filter((row) => row.at.some((value) => value > 0));
        return seen.is.signals
            .filter((signal) => signal.steps > 1 && signal.gradient && signal.kind !== "input")
            .map((signal) => ({
                name: signal.name,
                state: signal.kind === "state",
                whole: NaN,
                at: Float32Array.from({ length: signal.steps }, (_, t) => norm(part(seen.of(signal.gradient), t, signal.steps))),
            }));
    }

    /** The mean factor by which the norm of a state changes per step back in time, in words. */
    function change({ at, state }: Row): string {
        if (!state) return "";
        let first = 0;
        let last = at.length - 1;
        while (last > 0 && !(at[last]! > 0)) last--;
        while (first < last && !(at[first]! > 0)) first++;
        if (last < 1) return "";
        const factor = first < last ? (at[first]! / at[last]!) ** (1 / (last - first)) : 0;
        const extreme = at[0]! < 1e-3 * at[last]! ? ", vanishes" : at[0]! > 1e3 * at[last]! ? ", explodes" : "";
        return `\u00d7 ${figure(factor)} a step back${extreme}`;
    }

    function drawNorms(seen: Read<Inside>, all: Read<Norms> | null): void {
        const rows = rowsOf(seen, all).sort((a, b) => Number(b.state) - Number(a.state));
        const values = rows.flatMap((row) => [...row.at]).filter((value) => value > 0 && Number.isFinite(value));
        const high = Math.ceil(Math.log10(Math.max(...values, 1e-12)));
        const low = Math.min(Math.floor(Math.log10(Math.min(...values, 1))), high - 2);
        const isOpen = bars.querySelector("details")?.open ?? false;
        const of = all && all.is.steps > 0 ? `${all.is.samples} training samples` : "this sample";
        bars.replaceChildren(
            h("p", { class: "muted small" }, rows.length ? `By state, and what each use of a parameter contributes; for ${of}, from 1e${low} to 1e${high}.` : "The net has one time step."),
            ...rows.map((row) => {
                const word = change(row);
                const chart = h("div", { class: "look-chart", role: "img", "aria-label": `${row.name}, ${range(row.at)}${word && `: ${word}`}` });
                const canvas = tileCanvas(`norms-${row.name}`);
                const width = Math.max(80, Math.min(bars.clientWidth || 480, 900) - 250);
                drawBars(canvas, row.at, low, high, step - 1, width, 34);
                chart.append(canvas);
                chart.onclick = (event) => {
                    const pitch = Math.min(width / row.at.length, 42);
                    select(name, 1 + Math.floor((event.clientX - canvas.getBoundingClientRect().left) / pitch));
                };
                return h("div", { class: "look-norm" }, h("code", {}, row.name), chart, h("span", { class: /vanishes|explodes/.test(word) ? "warn" : "muted" }, word));
            }),
        );
        if (rows.length) bars.append(details("Numbers of these bars", isOpen, () => normTable(rows)));
    }

    function normTable(rows: Row[]): HTMLElement {
        const steps = rows[0]!.at.length;
        const head = ["of", "whole", ...Array.from({ length: steps }, (_, t) => `step ${t + 1}`)];
        return h(
            "div",
            { class: "look-scroll", tabindex: 0, role: "region", "aria-label": "Norms of the gradient" },
            h(
                "table",
                { class: "numbers" },
                h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
                h(
                    "tbody",
                    {},
                    ...rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.name), h("td", {}, Number.isNaN(row.whole) ? "" : figure(row.whole)), ...[...row.at].map((value) => h("td", {}, figure(value))))),
                ),
            ),
        );
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
    onTheme(() => draw());
    let width = 0;
    new ResizeObserver(() => {
        if (Math.abs(pictures.clientWidth - width) < 8) return;
        width = pictures.clientWidth;
        draw();
    }).observe(pictures);
    void look();
}
