/* The data with what the net predicts for them, and a pad to draw a digit of one's own. */
import type { App } from "../app";
import { percent, plain, Table } from "../chart";
import { digit } from "../digit";
import { debounce, h, onTheme } from "../dom";
import { Pad } from "../pad";
import { image, lines, paint, tokens } from "../pictures";
import type { Opened, RunIndex, Sample } from "../protocol";
import { message } from "../runs";

const PAGE = 24;
const MOST = 2000; // samples that are searched for wrong ones
const MOST_CLASSES = 32; // that the module counts
const REFRESH = 500; // milliseconds between two predictions of all samples while the net trains

const argmax = (numbers: ArrayLike<number>): number => {
    let best = 0;
    for (let i = 1; i < numbers.length; i++) if (numbers[i]! > numbers[best]!) best = i;
    return best;
};

/** "a 7", "an 8". */
const article = (n: number): string => (/^(8|11$|18$)/.test(String(n)) ? "an" : "a");

/** A sample with its numbers. */
interface Shown {
    index: number;
    x: Float32Array;
    y: Float32Array;
    output: Float32Array;
    label: number;
}

/** Whether a sample is an image of one channel. */
const isImage = ({ x, sequence }: Opened): boolean => !sequence && x.length === 3 && x[0] === 1;

/** The answer at each step, or the only one. */
function answers(sample: Shown, { classes }: Opened): number[] {
    if (!classes) return [...sample.output];
    return Array.from({ length: sample.output.length / classes }, (_, i) =>
        argmax(sample.output.subarray(i * classes, (i + 1) * classes)),
    );
}

/** The fraction of right answers; null for numbers. Negative labels are not judged. */
function rightness(sample: Shown, opened: Opened): number | null {
    if (!opened.classes) return null;
    const judged = answers(sample, opened)
        .map((answer, i) => [answer, sample.y[i]!] as const)
        .filter(([, y]) => y >= 0);
    return judged.filter(([answer, y]) => answer === y).length / Math.max(1, judged.length);
}

class DataPanel {
    private readonly list = h("ul", { class: "samples" });
    private readonly caption = h("span", { class: "grow muted number range" });
    private readonly part = h(
        "select",
        { "aria-label": "Which samples" },
        h("option", { value: "" }, "training samples"),
        h("option", { value: "validation" }, "validation samples"),
    );
    private readonly wrongOnly = h("input", { type: "checkbox" });
    private readonly previous = h("button", { type: "button" }, "Previous");
    private readonly next = h("button", { type: "button" }, "Next");
    private readonly which = h(
        "select",
        { "aria-label": "Which run predicts" },
        h("option", { value: "0" }, "run A predicts"),
        h("option", { value: "1" }, "run B predicts"),
    );
    private readonly table = new Table("The samples as a table", () => ["sample", "label", "prediction", "right"], () => this.rows());

    private readonly drawing = h("section", { class: "card drawing", "aria-labelledby": "draw-title" });
    private readonly seen = h("canvas", { class: "pixels seen", width: 8, height: 8, role: "img", "aria-label": "The drawing as the net sees it", "data-name": "seen" });
    private readonly bars = h("div", { class: "bars" });
    private readonly verdict = h("p", { class: "verdict" });
    private readonly label = h("select", { "aria-label": "Label of the drawing" });
    private readonly addButton = h("button", { type: "button" }, "Add to training data");
    private readonly lookButton = h("button", { type: "button" }, "Look inside");
    private readonly pad = new Pad(() => void this.predict(true));

    /** Of all samples that are looked at: rows are labels, columns predictions. */
    private readonly confusion = new Table(
        "Labels against predictions",
        () => ["label", ...this.counts.map((_, answer) => `predicted ${answer}`)],
        () => this.counts.map((row, label) => [label, ...row]),
    );
    private counts: number[][] = [];

    private from = 0;
    private total = 0;
    private shown: Shown[] = [];
    private isStale = true;
    private isBusy = false;
    private isLabelled = false; // by the user, who knows better than the net

    constructor(
        root: HTMLElement,
        private readonly app: App,
    ) {
        this.makeDrawing();
        root.append(
            this.drawing,
            h(
                "section",
                { class: "data", "aria-label": "Samples" },
                h(
                    "div",
                    { class: "toolbar" },
                    this.part,
                    this.which,
                    h("label", { class: "field check" }, this.wrongOnly, "only wrong ones"),
                    h("span", { class: "toolbar pages" }, this.caption, this.previous, this.next),
                ),
                this.list,
                this.table.root,
                this.confusion.root,
            ),
        );
        this.confusion.root.addEventListener("toggle", () => this.refresh());
        for (const field of [this.part, this.which, this.wrongOnly])
            field.addEventListener("change", () => {
                this.from = 0;
                this.refresh();
                void this.predict(false);
            });
        this.previous.addEventListener("click", () => this.turn(-PAGE));
        this.next.addEventListener("click", () => this.turn(PAGE));
        onTheme(() => this.refresh());
        app.store.on(["panel", "second"], () => void this.update());
        let due: ReturnType<typeof setTimeout> | undefined;
        const soon = debounce(50, () => this.refresh());
        app.runs.on((event) => {
            if (event.kind === "opened") this.from = 0;
            if (event.kind !== "progress" || !app.runs.isTraining) return soon();
            due ??= setTimeout(() => {
                due = undefined;
                this.refresh();
            }, REFRESH);
        });
    }

    private get run(): RunIndex {
        return this.app.store.value.second && this.which.value === "1" ? 1 : 0;
    }

    private get opened(): Opened | null {
        return this.app.runs.run[this.run].opened;
    }

    private turn(by: number): void {
        this.from = Math.max(0, this.from + by);
        this.refresh();
    }

    private refresh(): void {
        this.isStale = true;
        void this.update();
    }

    /** Predicts and draws anew, if something has changed and the panel is seen. */
    private async update(): Promise<void> {
        this.which.hidden = !this.app.store.value.second;
        if (!this.isStale || this.isBusy || this.app.store.value.panel !== "data" || !this.opened) return;
        this.isStale = false;
        this.isBusy = true;
        try {
            this.showDrawing();
            await this.load(this.opened);
            await this.predict(false);
        } catch (error) {
            this.caption.textContent = message(error);
        } finally {
            this.isBusy = false;
        }
        if (this.isStale) void this.update();
    }

    private async load(opened: Opened): Promise<void> {
        const { run } = this;
        this.wrongOnly.disabled = opened.classes === 0;
        if (this.wrongOnly.disabled) this.wrongOnly.checked = false;
        const wrong = this.wrongOnly.checked;
        const validation = this.part.value === "validation";
        const { result, numbers } = await this.app.client.call("samples", {
            run,
            from: wrong ? 0 : this.from,
            count: wrong ? MOST : PAGE,
            validation,
        });
        const part = ([start, count]: [number, number]): Float32Array => numbers.subarray(start, start + count);
        let samples: Shown[] = result.samples.map((sample: Sample) => ({
            index: sample.index,
            x: part(sample.x),
            y: part(sample.y),
            output: part(sample.output),
            label: sample.label,
        }));
        this.total = result.total;
        if (wrong) {
            samples = samples.filter((sample) => rightness(sample, opened)! < 1);
            this.total = samples.length;
            samples = samples.slice(this.from, this.from + PAGE);
        }
        if (this.opened !== opened) return;
        this.shown = samples;
        const end = this.from + samples.length;
        this.caption.textContent = samples.length
            ? `${this.from + 1} to ${end} of ${this.total}`
            : wrong
              ? "none is wrong"
              : "no samples";
        this.previous.disabled = this.from === 0;
        this.next.disabled = end >= this.total;
        this.list.replaceChildren(...samples.map((sample) => this.thumbnail(sample, opened)));
        this.table.update();
        this.confusion.root.hidden = opened.classes === 0 || opened.classes > MOST_CLASSES;
        if (!this.confusion.root.open) return;
        const measured = (await this.app.client.call("measure", { run })).result;
        this.counts = measured[validation ? "validation" : "training"].confusion;
        this.confusion.update();
    }

    /* ---- samples ---- */

    private alphabet(opened: Opened): string {
        return opened.settings["alphabet"] ?? "";
    }

    /** x as a picture, or as text. */
    private picture({ x }: Shown, opened: Opened): Node {
        const shape = opened.x;
        if (opened.tokens) return h("code", { class: "tokens" }, tokens(x, this.alphabet(opened)));
        if (shape.length >= 2 && !(opened.sequence && shape.length === 2)) {
            const columns = shape.at(-1)!;
            const rows = shape.at(-2)!;
            const pixels = rows * columns;
            // Of a film, at most four frames.
            const frames = opened.sequence ? Math.min(4, shape[0]!) : 1;
            const each = x.length / (opened.sequence ? shape[0]! : 1);
            return h(
                "span",
                { class: "frames" },
                ...Array.from({ length: frames }, (_, i) => image(x.subarray(i * each, i * each + pixels), rows, columns)),
            );
        }
        const features = opened.sequence ? (shape[1] ?? 1) : 1;
        return lines(x, x.length / features, features);
    }

    private target(sample: Shown, opened: Opened): string {
        if (sample.label >= 0) return String(sample.label);
        if (opened.classes) return tokens(sample.y, this.alphabet(opened));
        return sample.y.length <= 3 ? [...sample.y].map(plain).join(", ") : `${sample.y.length} numbers`;
    }

    private prediction(sample: Shown, opened: Opened): string {
        if (opened.classes) {
            const answer = answers(sample, opened);
            return sample.label >= 0 ? String(answer[0]) : tokens(answer, this.alphabet(opened));
        }
        return sample.output.length <= 3 ? [...sample.output].map(plain).join(", ") : `error ${plain(this.error(sample))}`;
    }

    /** The mean squared error. */
    private error({ y, output }: Shown): number {
        return y.reduce((sum, value, i) => sum + (value - output[i]!) ** 2, 0) / y.length;
    }

    private thumbnail(sample: Shown, opened: Opened): HTMLElement {
        const right = rightness(sample, opened);
        const isWrong = right !== null && right < 1;
        const target = this.target(sample, opened);
        const prediction = this.prediction(sample, opened);
        const words = isWrong
            ? [h("span", {}, target), h("strong", { class: "wrong" }, h("span", { "aria-hidden": "true" }, "✗ "), prediction, h("span", { class: "visually-hidden" }, ", wrong"))]
            : [h("span", {}, target), h("span", { class: "muted" }, h("span", { "aria-hidden": "true" }, "→ "), prediction)];
        return h(
            "li",
            { class: `sample${isWrong ? " is-wrong" : ""}`, title: `sample ${sample.index + 1}: ${target}, predicted ${prediction}` },
            this.picture(sample, opened),
            h("span", { class: "answer" }, ...words),
        );
    }

    private rows(): (string | number)[][] {
        const { opened } = this;
        if (!opened) return [];
        return this.shown.map((sample) => {
            const right = rightness(sample, opened);
            return [
                sample.index + 1,
                this.target(sample, opened),
                this.prediction(sample, opened),
                right === null ? "" : right === 1 ? "yes" : right === 0 ? "no" : percent(right),
            ];
        });
    }

    /* ---- drawing ---- */

    private makeDrawing(): void {
        const { runs } = this.app;
        this.drawing.append(
            h("h3", { id: "draw-title" }, "Draw a digit"),
            h(
                "div",
                { class: "draw" },
                h(
                    "div",
                    { class: "draw-pad" },
                    this.pad.root,
                    h(
                        "div",
                        { class: "toolbar" },
                        h("button", { type: "button", onclick: () => this.pad.clear() }, "Clear"),
                        h("button", { type: "button", onclick: () => this.pad.undo() }, "Undo"),
                    ),
                ),
                h(
                    "div",
                    { class: "draw-result" },
                    this.verdict,
                    h("div", { class: "draw-row" }, this.seen, this.bars),
                    h("div", { class: "toolbar" }, h("label", { class: "field" }, "label", this.label), this.addButton, this.lookButton),
                ),
            ),
            h(
                "small",
                { id: "pad-help" },
                "By mouse, finger or pen. By keyboard: arrows move the pen, Space puts it down or lifts it, Backspace takes a stroke back, Delete clears. ",
                "The drawing is centred and scaled, and its strokes are made as bold, as those of the data.",
            ),
        );
        this.addButton.addEventListener("click", () => void this.add());
        this.label.addEventListener("change", () => (this.isLabelled = true));
        this.lookButton.addEventListener("click", () => {
            if (this.opened) this.app.look(this.run, this.image(this.opened), [Number(this.label.value)]);
        });
        runs.on((event) => {
            if (event.kind === "opened" || event.kind === "changed") this.showDrawing();
        });
    }

    private showDrawing(): void {
        const { opened } = this;
        this.drawing.hidden = !opened || !isImage(opened) || !opened.classes;
        if (!opened || this.drawing.hidden) return;
        if (this.label.length !== opened.classes) {
            this.label.replaceChildren(...Array.from({ length: opened.classes }, (_, i) => h("option", { value: i }, i)));
            this.bars.replaceChildren();
        }
        this.seen.width = opened.x[2]!;
        this.seen.height = opened.x[1]!;
        paint(this.seen, this.image(opened));
    }

    private image(opened: Opened): number[] {
        return digit(this.pad.strokes, opened.x[1], opened.x[2]);
    }

    private async predict(announce: boolean): Promise<void> {
        const { opened, run } = this;
        if (!opened || this.drawing.hidden) return;
        const isEmpty = this.pad.strokes.length === 0;
        const x = this.image(opened);
        paint(this.seen, x);
        this.addButton.disabled = this.lookButton.disabled = isEmpty;
        if (isEmpty) {
            this.isLabelled = false;
            this.verdict.textContent = "Nothing is drawn yet.";
            this.bars.replaceChildren();
            return;
        }
        try {
            const { result, numbers } = await this.app.client.call("predict", { run, x });
            if (this.pad.strokes.length === 0 || this.opened !== opened) return; // cleared, or another run, in the meantime
            const output = numbers.subarray(result.output[0], result.output[0] + result.output[1]);
            const best = argmax(output);
            if (!this.isLabelled) this.label.value = String(best);
            const text = `This is ${article(best)} ${best}: ${percent(output[best]!)}`;
            this.verdict.textContent = this.app.runs.run[run].updates ? text : `${text} (the net has not been trained yet)`;
            this.bars.replaceChildren(...[...output].map((value, i) => this.bar(i, value, i === best)));
            if (announce) this.app.announce(text);
        } catch (error) {
            this.verdict.textContent = message(error);
        }
    }

    private bar(label: number, value: number, isBest: boolean): HTMLElement {
        return h(
            "label",
            { class: `bar${isBest ? " best" : ""}` },
            h("span", {}, label),
            h("meter", { min: 0, max: 1, value }),
            h("span", { class: "number" }, percent(value)),
        );
    }

    private async add(): Promise<void> {
        const { opened } = this;
        if (!opened) return;
        const { client, runs } = this.app;
        const label = Number(this.label.value);
        try {
            for (const run of runs.active())
                runs.changed(run, (await client.call("add", { run, x: this.image(opened), y: [label] })).result);
            const samples = this.opened?.trainingSamples ?? 0;
            this.app.notify(`Added ${article(label)} ${label}. ${runs.active().length > 1 ? "The runs continue" : "The run continues"} with ${samples} training samples.`);
        } catch (error) {
            this.app.notify(message(error));
        }
    }
}

export function mount(root: HTMLElement, app: App): void {
    new DataPanel(root, app);
}
