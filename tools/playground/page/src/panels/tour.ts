/* A guided tour in six steps through the article that invented CURNN. Each step does on the page what a reader can do, and
 * shows what comes of it. */

import type { App } from "../app";
import { type Child, h, icon, icons } from "../dom";
import type { Settings, Verdict } from "../protocol";
import { message } from "../runs";
import type { PageState } from "../state";
import { figure, range } from "../tiles";
import { cosine } from "./derivation";

/** Opens the tour in the element, which is hidden until then. */
export interface Tour {
    start(): void;
}

/** What a step works with. */
interface Scene {
    app: App;
    article: string;
    /** Where a step shows what it has measured. */
    figures: HTMLElement;
    /** Sets the page; false when the step is no longer shown. */
    set(change: Partial<PageState>): Promise<boolean>;
    /** Whether the step is still shown. */
    isShown(): boolean;
    /** Calls while the step is shown, whenever something has changed in the runs. */
    onRuns(listener: () => void): void;
    /** A button of the step. */
    action(label: string, run: () => void): HTMLButtonElement;
}

interface Step {
    title: string;
    text: Child[];
    /** What a narrow page scrolls to. */
    look: "text" | "panel";
    enter(scene: Scene): Promise<void>;
}

const KEY = "recurve.tour";
const SEED = 1;
const TITLE = "as published";
const EPOCHS = 8;
/** The article trains on 350 images of 0 and 1, one at a time. */
const ARTICLE: Settings = { model: ":curnn_blog", classes: "0,1", "batch-size": "1", validation: "10", epochs: String(EPOCHS) };

const code = (text: string) => h("code", {}, text);

/* ---- the steps ---- */

async function showForward({ app, article, figures, set, isShown }: Scene): Promise<void> {
    if (!(await set({ text: article, runs: [ARTICLE, {}], second: false, panel: "look", seed: SEED }))) return;
    app.lookAt(0);
    const { result, numbers } = await app.client.call("inspect", { run: 0, index: 0, validation: true });
    if (!isShown()) return;
    const values = (name: string, step: number) => {
        const signal = result.signals.find((s) => s.name === name);
        if (!signal) return "";
        const [start, count] = signal.values;
        const size = count / signal.steps;
        return range(numbers.subarray(start + step * size, start + (step + 1) * size));
    };
    const o = result.signals.find(({ name }) => name === "o");
    const output = o ? numbers[o.values[0]]! : NaN;
    figures.append(
        h(
            "table",
            { class: "numbers" },
            h("thead", {}, h("tr", {}, ...["value", "step 1", "step 2"].map((text) => h("th", { scope: "col" }, text)))),
            h(
                "tbody",
                {},
                ...["C", "c", "G", "g", "h"].map((name) =>
                    h(
                        "tr",
                        {},
                        h("th", { scope: "row" }, code(name)),
                        h("td", {}, values(name, 0)),
                        h("td", {}, values(name, 1)),
                    ),
                ),
            ),
        ),
        h(
            "p",
            {},
            "At the end ",
            code("o"),
            ` = ${figure(output)} for sample 1, the digit ${result.label}, so the cost (o \u2212 y)\u00b2/2 is ${figure(result.loss)}.`,
        ),
    );
}

/** The mistakes in the order of the article, by the cotangent in whose line they are. */
const mistakes: { name: string; what: string }[] = [
    { name: "dC2", what: "the slope of arctan, but c is a tanh" },
    { name: "dh1", what: "the carry path adds g2 instead of g2.dh2" },
    { name: "dC1", what: "the gate of the other step, and the slope again" },
    { name: "dG1", what: "the product h0.c1 for the difference h0 \u2212 c1" },
    { name: "dhp2", what: "the convolutions are not turned back" },
];

async function fixMistakes(scene: Scene): Promise<void> {
    const { app, article, figures, set, isShown, action } = scene;
    const runs: [Settings, Settings] = [ARTICLE, { gradients: TITLE }];
    if (!(await set({ text: article, runs, second: true, panel: "derivation", seed: SEED }))) return;
    const status = h("p", {}, "Comparing the gradients \u2026");
    const items = mistakes.map(({ name, what }) => {
        const sign = h("span", { class: "wrong" }, "\u2717");
        const after = h("span", { class: "tour-cosine" });
        return { name, sign, after, element: h("li", {}, sign, h("span", {}, code(name), ` ${what}`), after) };
    });
    figures.append(status, h("ol", { class: "tour-mistakes" }, ...items.map(({ element }) => element)));
    const measure = async () => (await app.client.call("agreement", { run: 1, samples: 350 })).result;
    const before = await measure();
    if (!isShown()) return;
    status.textContent = `The published gradient has the cosine ${cosine(before.cosine, 6)} with the true one, and is ${figure(before.ratio)} times as long.`;

    let verdicts: Verdict[] = [];
    let next = 0;
    const button = action("Find the mistakes", () => void fix());
    async function fix(): Promise<void> {
        button.disabled = true;
        if (verdicts.length === 0) {
            button.textContent = "Proving each line \u2026";
            const { result } = await app.client.call("prove", { text: article, repair: true, seed: 1 }, { seconds: 60 });
            verdicts = result.verdicts.filter(({ derivation, verdict }) => derivation === TITLE && verdict === "wrong");
        } else {
            const item = items[next++]!;
            const wrong = verdicts.find(({ name }) => name === item.name);
            if (!isShown() || !wrong) return;
            app.editor.replaceLine(wrong.line, wrong.repair);
            app.editor.highlight(wrong.line);
            await app.runs.open(1);
            const { cosine: now, ratio } = await measure();
            if (!isShown()) return;
            item.sign.className = "right";
            item.sign.textContent = "\u2713";
            item.after.textContent = cosine(now, 6);
            status.textContent = `Now the cosine is ${cosine(now, 6)}, and the length ${figure(ratio)} times that of the true gradient.`;
            app.announce(status.textContent);
        }
        if (!isShown()) return;
        if (next < items.length) {
            button.textContent = `Fix ${items[next]!.name}`;
            button.disabled = false;
        } else {
            button.textContent = "All five are fixed";
            app.editor.highlight(0);
        }
    }
}

/** Trains both runs, and shows their costs: the losses of an epoch's samples added up. */
function showCosts({ app, figures, onRuns, action }: Scene, names: [string, string]): void {
    const body = h("tbody");
    const head = ["epoch", ...names].map((text) => h("th", { scope: "col" }, text));
    figures.append(h("table", { class: "numbers tour-costs" }, h("thead", {}, h("tr", {}, ...head)), body));
    const [a, b] = app.runs.run;
    const samples = a.opened?.trainingSamples ?? 350;
    const draw = () => {
        const epochs = Math.max(a.epochs.length, b.epochs.length);
        body.replaceChildren(
            ...Array.from({ length: epochs }, (_, i) =>
                h(
                    "tr",
                    {},
                    h("th", { scope: "row" }, i + 1),
                    ...[a, b].map((run) => h("td", {}, run.epochs[i] ? figure(samples * run.epochs[i].loss) : "")),
                ),
            ),
        );
        button.textContent = app.runs.isTraining ? "Pause" : a.finished && b.finished ? "Done" : "Train";
        button.disabled = a.finished && b.finished;
    };
    const button = action("Train", () => (app.runs.isTraining ? app.runs.pause() : void app.runs.start()));
    onRuns(draw);
    app.runs.setPace(Infinity);
    void app.runs.start();
    draw();
}

async function trainBoth(scene: Scene): Promise<void> {
    const runs: [Settings, Settings] = [ARTICLE, { gradients: TITLE }];
    if (await scene.set({ text: scene.article, runs, second: true, panel: "train", seed: SEED }))
        showCosts(scene, ["A, true gradient", "B, as published"]);
}

async function explainPlateau({ app, article, figures, set, isShown }: Scene): Promise<void> {
    const text = article.replace(/W2\[34, 1\] ~ normal\([^)]*\)/, "W2[34, 1] = 0");
    const runs: [Settings, Settings] = [ARTICLE, { gradients: TITLE }];
    if (!(await set({ text, runs, second: true, panel: "look", seed: SEED }))) return;
    app.editor.highlight(1 + text.split("\n").findIndex((line) => line.includes("W2[34, 1] = 0")));
    const seen = new Map<number, number>();
    for (let index = 0; index < 10 && seen.size < 2; index++) {
        const { result } = await app.client.call("inspect", { run: 0, index, validation: true });
        seen.set(result.label, result.loss ?? NaN);
    }
    const { result } = await app.client.call("agreement", { run: 1, samples: 350 });
    if (!isShown()) return;
    const samples = app.runs.run[0].opened?.trainingSamples ?? 0;
    const loss = seen.get(0) ?? NaN;
    const kernels = result.rows.filter(({ name }) => name.startsWith("Wx") || name.startsWith("Wrec"));
    figures.append(
        h(
            "p",
            {},
            `The net answers one half: the cost is ${seen.get(0)} for a 0 and ${seen.get(1)} for a 1. ${samples} \u00d7 ${loss} = `,
            h("b", {}, figure2(samples * loss)),
            ".",
        ),
        h(
            "table",
            { class: "numbers" },
            h(
                "thead",
                {},
                h("tr", {}, ...["gradient of", "true", "as published"].map((label) => h("th", { scope: "col" }, label))),
            ),
            h(
                "tbody",
                {},
                ...kernels.map(({ name, stated, recorded }) =>
                    h(
                        "tr",
                        {},
                        h("th", { scope: "row" }, code(name)),
                        h("td", {}, figure(recorded)),
                        h("td", {}, figure(stated)),
                    ),
                ),
            ),
        ),
        h(
            "p",
            {},
            "No error reaches the kernels, so their true gradient is 0. The published one still moves them, because it adds g2 without dh2.",
        ),
    );
}

const figure2 = (value: number) => String(Number(value.toFixed(2)));

async function changeOptimizer(scene: Scene): Promise<void> {
    const runs: [Settings, Settings] = [ARTICLE, { optimizer: "adam" }];
    if (await scene.set({ text: scene.article, runs, second: true, panel: "train", seed: SEED }))
        showCosts(scene, ["A, momentum", "B, Adam"]);
}

const OWN = `# Your cell: change an equation.
cell mine
  state h
  map Wg, Ug, Wc, Uc
  bias bg = forget, bc
  g = sigmoid(Wg h + Ug x + bg)
  c = tanh(Wc h + Uc x + bc)
  h' = g.h + (1 - g).c
`;

async function writeCell({ app, figures, set, onRuns, action }: Scene): Promise<void> {
    const own: Settings = { classes: "0-9", units: "16" };
    if (!(await set({ text: OWN, runs: [own, {}], second: false, panel: "train", seed: SEED }))) return;
    app.editor.highlight(7);
    const status = h("p", {});
    figures.append(status);
    const button = action("Train", () => (app.runs.isTraining ? app.runs.pause() : void retrain()));
    async function retrain(): Promise<void> {
        if (app.runs.isStale(0) || app.runs.isDone(0)) await app.runs.reset();
        app.runs.setPace(Infinity);
        await app.runs.start();
    }
    const words = () => {
        const { opened, epochs, error } = app.runs.run[0];
        const last = epochs.at(-1);
        if (app.checked.problems.length > 0) return "The text has mistakes, which are listed below it.";
        if (error) return error;
        if (typeof last?.validationAccuracy === "number")
            return `After ${last.epoch} epochs ${(100 * last.validationAccuracy).toFixed(1)} % of the digits it has not seen are right.`;
        return `${opened?.parameterCount ?? 0} parameters. Replace tanh by relu, or give h' another equation, and train.`;
    };
    const draw = () => {
        status.textContent = words();
        button.textContent = app.runs.isTraining ? "Pause" : "Train";
    };
    onRuns(draw);
    draw();
}

const steps: Step[] = [
    {
        title: "A gate made of convolutions",
        text: [
            "The article \u201cOnly Numpy: Convolutional Update Gate RNN\u201d (Seo 2018) invented this cell. The image x is read twice. At each step the gate g decides, pixel by pixel, what the state h keeps and what the candidate c replaces. \u201cLook inside\u201d shows the forward pass of one image, and below each picture its gradient.",
        ],
        look: "panel",
        enter: showForward,
    },
    {
        title: "Five mistakes",
        text: [
            "The article derives the gradients by hand, below the model. Recurve proves each line, given the true values of the lines before it, and often finds the right one.",
        ],
        look: "panel",
        enter: fixMistakes,
    },
    {
        title: "What wrong gradients cost",
        text: [
            "The same weights and images in the same order: run A follows the true gradient, run B the published one. The cost of an epoch is the sum over its 350 images.",
        ],
        look: "panel",
        enter: trainBoth,
    },
    {
        title: "The plateau at 43.75",
        text: [
            "The article reports that training stalls at a cost of about 44. That is the cost of answering one half every time. Here the last weights ",
            code("W2"),
            " are 0, so that the net does just that.",
        ],
        look: "text",
        enter: explainPlateau,
    },
    {
        title: "A better optimizer",
        text: [
            "With the true gradient one can try what else slows the net down. Run A uses momentum, run B Adam; nothing else differs.",
        ],
        look: "panel",
        enter: changeOptimizer,
    },
    {
        title: "Your own cell",
        text: [
            "A cell is its equations, here for all ten digits. The run starts anew as you type; shapes, gradients and updates follow from the text.",
        ],
        look: "text",
        enter: writeCell,
    },
];

/* ---- the card ---- */

interface Kept {
    step: number;
    before: Pick<PageState, "text" | "runs" | "second" | "seed" | "panel">;
}

function kept(): Kept | null {
    try {
        const value = JSON.parse(localStorage.getItem(KEY) ?? "null") as Kept | null;
        return value && steps[value.step] && typeof value.before?.text === "string" ? value : null;
    } catch {
        return null;
    }
}

function keep(value: Kept | null): void {
    try {
        if (value) localStorage.setItem(KEY, JSON.stringify(value));
        else localStorage.removeItem(KEY);
    } catch {
        // Storage is full or not allowed: the tour begins at its first step next time.
    }
}

export function mount(root: HTMLElement, app: App): Tour {
    let shown = 0; // counts steps that were entered, so that an earlier one notices that it is over
    let stop: (() => void) | undefined;
    let isOpen = false;
    root.setAttribute("aria-label", "Guided tour");

    function before(): Kept["before"] {
        const { text, runs, second, seed, panel } = app.store.value;
        return { text, runs, second, seed, panel };
    }

    function leave(): void {
        shown++;
        stop?.();
        stop = undefined;
        app.runs.pause();
        app.editor.highlight(0);
    }

    async function restore(state: Partial<PageState>): Promise<void> {
        const { text, ...rest } = state;
        app.runs.pause();
        if (text !== undefined) app.editor.setText(text);
        app.store.set({ ...rest, ...(text === undefined ? {} : { text }) });
        await app.runs.reset();
    }

    /** Ends the tour: closed, the page is as before; finished, as the tour leaves it. */
    function end(isFinished: boolean): void {
        const value = kept();
        leave();
        isOpen = false;
        root.hidden = true;
        app.store.set({ toured: true });
        if (isFinished) keep(null);
        else if (value) void restore(value.before);
        app.announce(isFinished ? "The tour is finished." : "The tour is closed. The Tour button brings it back.");
        document.querySelector<HTMLElement>("#header nav button[title*='tour']")?.focus();
    }

    async function enter(at: number): Promise<void> {
        leave();
        isOpen = true;
        const mine = shown;
        const step = steps[at]!;
        keep({ step: at, before: kept()?.before ?? before() });
        const figures = h("div", { class: "tour-figures" });
        const actions = h("div", { class: "toolbar tour-actions" });
        const isShown = () => mine === shown;
        const heading = h("h2", { tabindex: -1 }, step.title);
        root.replaceChildren(
            h(
                "header",
                {},
                h("span", { class: "label grow" }, `Tour, step ${at + 1} of ${steps.length}`),
                h(
                    "button",
                    {
                        class: "quiet icon-only",
                        "aria-label": "Close the tour and put my text back",
                        title: "Close the tour and put my text back",
                        onclick: () => end(false),
                    },
                    icon(icons.close),
                ),
            ),
            h("progress", { max: steps.length, value: at + 1, "aria-label": "Progress of the tour" }),
            heading,
            h("p", {}, ...step.text),
            figures,
            h(
                "footer",
                { class: "toolbar" },
                actions,
                h("span", { class: "grow" }),
                at > 0 && h("button", { onclick: () => void enter(at - 1) }, "Back"),
                at + 1 < steps.length
                    ? h("button", { class: "primary", onclick: () => void enter(at + 1) }, "Next")
                    : h("button", { onclick: () => end(false) }, "Put my text back"),
                at + 1 === steps.length && h("button", { class: "primary", onclick: () => end(true) }, "Keep this cell"),
            ),
        );
        root.hidden = false;
        heading.focus();
        app.announce(`Step ${at + 1} of ${steps.length}: ${step.title}`);
        try {
            await step.enter({
                app,
                article: (await app.catalogue).cells.find(({ name }) => /^curnn.blog$/.test(name))?.text ?? "",
                figures,
                set: async (change) => {
                    if (isShown()) await restore(change);
                    if (isShown() && matchMedia("(max-width: 820px)").matches)
                        document.getElementById(step.look === "text" ? "left" : "right")?.scrollIntoView();
                    return isShown();
                },
                isShown,
                onRuns: (listener) => {
                    stop = app.runs.on(listener);
                },
                action: (label, run) => {
                    const button = h("button", { onclick: run }, label);
                    actions.append(button);
                    return button;
                },
            });
        } catch (error) {
            if (isShown()) figures.replaceChildren(h("p", { class: "wrong" }, message(error)));
        }
    }

    function invite(): void {
        const at = kept()?.step ?? 0;
        root.replaceChildren(
            h("h2", {}, at > 0 ? "Continue the tour?" : "New here?"),
            h(
                "p",
                {},
                at > 0
                    ? `You were at step ${at + 1}: ${steps[at]!.title}.`
                    : "Six short steps through the article that invented CURNN: its forward pass, the five mistakes in its derivation, and what they cost.",
            ),
            h(
                "footer",
                { class: "toolbar" },
                h("button", { class: "primary", onclick: () => void enter(at) }, at > 0 ? "Continue" : "Start the tour"),
                h("button", { class: "quiet", onclick: () => end(false) }, "No, thanks"),
            ),
        );
        root.hidden = false;
    }

    root.addEventListener("keydown", (event) => {
        if (event.key === "Escape") end(false);
    });
    new ResizeObserver(() => {
        document.documentElement.style.setProperty("--tour", root.hidden ? "0" : `${root.offsetHeight + 16}px`);
    }).observe(root);
    if (!app.store.value.toured) invite();
    return {
        start() {
            if (isOpen) return;
            const at = kept()?.step ?? 0; // where it was closed
            keep({ step: at, before: before() });
            void enter(at);
        },
    };
}
