/* Verdicts on derivations, while they are typed: marks beside the lines, and a list with repairs. */

import type { App } from "../app";
import { debounce, h } from "../dom";
import type { Agreement } from "../look";
import type { Verdict } from "../protocol";
import { message } from "../runs";
import { figure } from "../tiles";

const PROVE_AFTER = 300; // milliseconds after a check
const REPAIR_AFTER = 700; // and then, while nobody types
const SAMPLES = 50; // that gradients are compared on

/** The verdicts on one line, one per time step. */
interface Line {
    line: number;
    names: string[];
    worst: Verdict;
}

const signs = { right: "\u2713", wrong: "\u2717", undecided: "?" };
const rank = { right: 0, undecided: 1, wrong: 2 };

/** Enough digits to tell a cosine from 1. */
export function cosine(value: number | null, usual = 4): string {
    if (value === null) return "none";
    const digits = Math.abs(value) > 0.999 && Math.abs(value) < 1 - 1e-9 ? 7 : usual;
    return (value < 0 ? "\u2212" : "") + Math.abs(value).toFixed(digits);
}

function figures(v: Verdict): string {
    if (v.verdict === "right") return v.reason;
    const parts = [];
    if (v.cosine !== null) parts.push(`cosine ${cosine(v.cosine)}`);
    if (v.ratio !== null) parts.push(`ratio ${figure(v.ratio)}`);
    if (v.error !== null) parts.push(`error ${figure(v.error)}`);
    return [parts.join(", "), v.reason].filter(Boolean).join(": ");
}

function group(verdicts: Verdict[]): Line[] {
    const lines = new Map<number, Line>();
    for (const verdict of verdicts) {
        const known = lines.get(verdict.line);
        if (!known) {
            lines.set(verdict.line, { line: verdict.line, names: [verdict.name], worst: verdict });
            continue;
        }
        known.names.push(verdict.name);
        const { repair } = known.worst.repair ? known.worst : verdict;
        if (rank[verdict.verdict] > rank[known.worst.verdict]) known.worst = verdict;
        known.worst = { ...known.worst, repair };
    }
    return [...lines.values()].sort((a, b) => a.line - b.line);
}

/** The cosines of the gradients that a derivation states with the recorded ones. */
export function agreementTable(agreement: Agreement): HTMLElement {
    const all = [...agreement.rows, { ...agreement, name: "all" }];
    return h(
        "table",
        { class: "numbers agreement" },
        h(
            "thead",
            {},
            h(
                "tr",
                {},
                ...["of", "cosine", "", "length"].map((text) => h(text ? "th" : "td", { scope: text ? "col" : null }, text)),
            ),
        ),
        h(
            "tbody",
            {},
            ...all.map((row) => {
                const bar = h("i", { class: "agreement-bar" });
                bar.style.width = `${50 * Math.abs(row.cosine ?? 0)}%`;
                bar.style.marginLeft = `${(row.cosine ?? 0) < 0 ? 50 - 50 * Math.abs(row.cosine ?? 0) : 50}%`;
                bar.style.background = `var(${(row.cosine ?? 0) < 0 ? "--below" : "--above"})`;
                return h(
                    "tr",
                    { class: row.name === "all" ? "agreement-all" : null },
                    h("th", { scope: "row" }, row.name === "all" ? "whole gradient" : h("code", {}, row.name)),
                    h("td", {}, cosine(row.cosine)),
                    h("td", { class: "agreement-scale" }, bar),
                    h("td", {}, row.ratio === null ? "" : `\u00d7 ${figure(row.ratio)}`),
                );
            }),
        ),
    );
}

export function mount(root: HTMLElement, app: App): void {
    let verdicts: Verdict[] = [];
    let proved = ""; // the text of the verdicts
    let hasRepairs = false;
    let said = "";
    let waiting: AbortController | undefined;

    const summary = h("p", { class: "derivation-summary" });
    const list = h("div", { class: "derivation-list" });
    root.append(summary, list);

    const hasDerivation = (text: string) => /^derive\b/m.test(text);

    async function prove(repair: boolean): Promise<void> {
        const { text } = app.checked;
        waiting?.abort();
        if (!hasDerivation(text)) {
            verdicts = [];
            app.editor.setMarks([]);
            drawNone();
            return;
        }
        if (app.checked.problems.length > 0) {
            summary.textContent = "The text has mistakes. Verdicts follow when they are fixed.";
            return;
        }
        const control = (waiting = new AbortController());
        if (proved !== text) summary.textContent = "Proving \u2026";
        try {
            const { seed } = app.store.value;
            const { result } = await app.client.call("prove", { text, repair, seed }, { signal: control.signal, seconds: 30 });
            if (control.signal.aborted || text !== app.store.value.text) return;
            verdicts = result.verdicts;
            proved = text;
            draw();
            hasRepairs = repair;
            repairLater();
        } catch (error) {
            if (!control.signal.aborted) summary.textContent = message(error);
        }
    }

    const proveLater = debounce(PROVE_AFTER, () => void prove(false));
    /** Repairs take seconds, so they are looked for only where they are shown. */
    const repairLater = debounce(REPAIR_AFTER, () => {
        const { panel, text } = app.store.value;
        const isWrong = verdicts.some((v) => !v.gradient && v.verdict === "wrong");
        if (panel === "derivation" && isWrong && !hasRepairs && proved === text) void prove(true);
    });

    /* ---- drawing ---- */

    function drawNone(): void {
        summary.textContent = "";
        list.replaceChildren(
            h(
                "div",
                { class: "empty" },
                h("p", {}, "The text has no derivation. Below a model, a block such as"),
                h("pre", {}, "derive loss\n  doutput = output - y\n  dW2 = a' @ doutput"),
                h("p", {}, "states gradients, and each line gets its verdict as you type."),
                h("button", { onclick: () => void loadArticle() }, "Open the article\u2019s derivation"),
            ),
        );
    }

    async function loadArticle(): Promise<void> {
        const { cells } = await app.catalogue;
        const article = cells.find(({ name }) => name === "curnn-blog" || name === "curnn_blog");
        if (article) app.editor.setText(article.text);
    }

    function draw(): void {
        const lines = verdicts.filter((v) => !v.gradient);
        const titles = [...new Set(lines.map((v) => `${v.model}\n${v.derivation}`))];
        const wrong = group(lines).filter((line) => line.worst.verdict === "wrong");
        app.editor.setMarks(
            group(lines).map(({ line, worst }) => ({
                line,
                kind: worst.verdict,
                title: [figures(worst), worst.repair && `right: ${worst.repair}`].filter(Boolean).join("\n"),
            })),
        );
        const count = group(lines).length;
        const text = `${count} ${count === 1 ? "line" : "lines"} judged, ${wrong.length} wrong.`;
        summary.textContent = text;
        if (text !== said) app.announce(text);
        said = text;
        const focused = (document.activeElement as HTMLElement | null)?.dataset?.["focus"];
        list.replaceChildren(...titles.map(derivation), gradients());
        if (focused) list.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
    }

    function derivation(key: string): HTMLElement {
        const [model, title] = key.split("\n") as [string, string];
        const own = verdicts.filter((v) => !v.gradient && v.model === model && v.derivation === title);
        const rows = group(own);
        const broken = rows.filter(({ worst }) => worst.repair && worst.verdict !== "right");
        const isTraining = app.store.value.second && app.store.value.runs[1]["gradients"] === (title || "loss") && !app.runs.run[1].error;
        const compared = h("div", { class: "derivation-compared" });
        if (isTraining) void compare(compared);
        return h(
            "section",
            { class: "card derivation", "aria-label": title || model },
            h(
                "div",
                { class: "toolbar" },
                h("h2", { class: "grow" }, title ? `\u201c${title}\u201d` : "derivation", h("small", {}, ` of ${model}`)),
                broken.length > 1 && h("button", { onclick: () => broken.forEach(repair) }, `Apply all ${broken.length} repairs`),
                h(
                    "button",
                    { "data-focus": `train ${key}`, onclick: () => void train(model, title) },
                    isTraining ? "Run B trains with it" : "Train with this derivation",
                ),
            ),
            h("ol", { class: "judgements" }, ...rows.map(row)),
            compared,
        );
    }

    function row(line: Line): HTMLElement {
        const { worst, names } = line;
        const text = figures(worst);
        return h(
            "li",
            { class: `judged judged-${worst.verdict}` },
            h(
                "span",
                { class: worst.verdict === "undecided" ? "warn" : worst.verdict, role: "img", "aria-label": worst.verdict },
                signs[worst.verdict],
            ),
            h(
                "button",
                { class: "quiet judged-name", title: `Line ${line.line}`, onclick: () => app.editor.showLine(line.line, true) },
                h("code", {}, worst.name),
            ),
            h(
                "div",
                {},
                h(
                    "span",
                    { class: worst.verdict === "right" ? "muted" : "" },
                    h("b", {}, worst.verdict),
                    names.length > 1 && ` at ${names.length} time steps`,
                    text && `: ${text}`,
                ),
                worst.repair &&
                    worst.verdict !== "right" &&
                    h(
                        "div",
                        { class: "judged-repair" },
                        h("code", {}, worst.repair),
                        h("button", { "data-focus": `repair ${line.line}`, onclick: () => repair(line) }, "Apply"),
                    ),
            ),
        );
    }

    function repair({ line, worst }: Line): void {
        app.editor.replaceLine(line, worst.repair);
        app.announce(`Line ${line} is now ${worst.repair}`);
    }

    /** The recorded gradients against differences: what verdicts rest on. */
    function gradients(): HTMLElement {
        const own = verdicts.filter((v) => v.gradient);
        const wrong = own.filter((v) => v.verdict !== "right");
        const text = wrong.length === 0 ? "all right" : `${wrong.length} not right`;
        return h(
            "details",
            { open: wrong.length > 0 },
            h(
                "summary",
                {},
                `What the verdicts rest on: the recorded gradients of ${own.length} parameters against differences, ${text}`,
            ),
            h("ol", { class: "judgements" }, ...own.map((v) => row({ line: v.line, names: [v.name], worst: v }))),
        );
    }

    /* ---- training with it ---- */

    async function train(model: string, title: string): Promise<void> {
        const { runs } = app.store.value;
        // A derivation of one sample has its shapes.
        const shared = { ...runs[0], model: `:${model}`, "batch-size": "1" };
        app.store.set({ second: true, runs: [shared, { ...runs[1], gradients: title || "loss" }] });
        await app.runs.reset();
        const { error } = app.runs.run[1];
        if (error) app.notify(error);
        else app.notify("Run B trains with this derivation, run A with recorded gradients, from the same seed.");
        draw();
    }

    async function compare(into: HTMLElement): Promise<void> {
        if (app.runs.isStale(1) || app.runs.run[1].error) {
            into.replaceChildren(
                h("p", { class: "muted small" }, app.runs.run[1].error || "Run B has an older text: train again to compare."),
            );
            return;
        }
        try {
            const { result } = await app.client.call("agreement", { run: 1, samples: SAMPLES });
            into.replaceChildren(
                h("p", { class: "label" }, `Its gradients against the recorded ones, summed over ${result.samples} samples`),
                agreementTable(result),
            );
        } catch (error) {
            into.replaceChildren(h("p", { class: "muted small" }, message(error)));
        }
    }

    app.onChecked(() => proveLater());
    app.store.on(["panel"], () => repairLater());
    app.runs.on((event) => {
        if (event.kind === "opened" && event.run === 1 && verdicts.length > 0) draw();
    });
    drawNone();
}
