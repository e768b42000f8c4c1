/* What the editor knows of the language from Recurve: mistakes with their fixes, shapes, formulas, completion. */

import { autocompletion, type Completion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { type Diagnostic, setDiagnostics } from "@codemirror/lint";
import { type Extension, RangeSetBuilder, StateEffect, StateField, type Text } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, hoverTooltip, WidgetType } from "@codemirror/view";
import { h } from "../dom";
import type { Catalogue, Checked, Fix, Problem, ShapeHint } from "../protocol";
import { statements } from "./language";

/* ---- mistakes ---- */

/** The characters of a span, which an edit since the check may have moved. */
function range(doc: Text, { line, column, length }: Fix | Problem): { from: number; to: number } {
    const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
    const from = Math.min(at.from + column - 1, at.to);
    return { from, to: Math.min(from + length, at.to) };
}

export const fixTitle = (fix: Fix): string => (fix.text === "" ? "remove" : `write ${fix.text}`);

function diagnostic(doc: Text, problem: Problem): Diagnostic {
    return {
        ...range(doc, problem),
        severity: "error",
        message: problem.hint ? `${problem.message}\n${problem.hint}` : problem.message,
        actions: problem.fixes.map((fix) => ({
            name: fixTitle(fix),
            apply(view: EditorView) {
                view.dispatch({ changes: { ...range(view.state.doc, fix), insert: fix.text }, userEvent: "input.fix" });
            },
        })),
    };
}

/* ---- shapes ---- */

class Shape extends WidgetType {
    constructor(readonly text: string) {
        super();
    }
    override eq(other: Shape): boolean {
        return other.text === this.text;
    }
    override toDOM(): HTMLElement {
        return h("span", { class: "cm-shape", "aria-hidden": "true" }, this.text);
    }
}

const setShapes = StateEffect.define<ShapeHint[]>();
const shapeText = (shape: number[]): string => (shape.length ? shape.join(" × ") : "scalar");

/** One hint a line: the shape alone, or with names if there are several values. */
function decorate(doc: Text, hints: ShapeHint[]): DecorationSet {
    const lines = new Map<number, ShapeHint[]>();
    for (const hint of hints)
        if (hint.line >= 1 && hint.line <= doc.lines) lines.set(hint.line, [...(lines.get(hint.line) ?? []), hint]);
    const builder = new RangeSetBuilder<Decoration>();
    for (const [line, values] of [...lines].sort(([a], [b]) => a - b)) {
        const text =
            values.length === 1
                ? shapeText(values[0]?.shape ?? [])
                : values.map(({ name, shape }) => `${name} ${shapeText(shape)}`).join(", ");
        const { to } = doc.line(line);
        builder.add(to, to, Decoration.widget({ widget: new Shape(text), side: 1 }));
    }
    return builder.finish();
}

const shapes = StateField.define<DecorationSet>({
    create: () => Decoration.none,
    update(set, transaction) {
        let result = set.map(transaction.changes);
        for (const effect of transaction.effects)
            if (effect.is(setShapes)) result = decorate(transaction.state.doc, effect.value);
        return result;
    },
    provide: (field) => EditorView.decorations.from(field),
});

/** Shows the result of a check of the present text. */
export function showChecked(view: EditorView, checked: Checked): void {
    const { doc } = view.state;
    view.dispatch(setDiagnostics(view.state, checked.problems.map((problem) => diagnostic(doc, problem))));
    if (checked.problems.length === 0 || checked.shapes.length > 0)
        view.dispatch({ effects: setShapes.of(checked.shapes) });
}

/* ---- formulas ---- */

function describe(name: string, title: string, ...lines: string[]): HTMLElement {
    return h("div", { class: "cm-op" }, h("code", {}, title || name), ...lines.filter(Boolean).map((line) => h("p", {}, line)));
}

/** What a name means on a line: an op, a word of the language, a cell, or a value of the text with its shape. */
function explain(name: string, line: number, catalogue: Catalogue, hints: ShapeHint[]): HTMLElement | null {
    const op = catalogue.ops.find((one) => one.name === (name === "conv" ? "conv2d" : name));
    if (op) return describe(name, op.formula, op.doc, op.options.length ? `options: ${op.options.join(", ")}` : "");
    const values = hints.filter((hint) => hint.name === name);
    const value = values.findLast((hint) => hint.line <= line) ?? values[0]; // the nearest one above
    if (value) return describe(name, `${name}  ${shapeText(value.shape)}`);
    const cell = catalogue.cells.find((one) => one.name.replaceAll("-", "_") === name);
    if (cell) return describe(name, `cell ${name}`, cell.doc);
    const statement = statements[name];
    return statement ? describe(name, name, statement) : null;
}

/* ---- completion ---- */

const identifiers = /[A-Za-z_]\w*/g;
const DECLARES = /^\s*(cell|model|function|state|input|map|bias|gain|fit|parameter|constant)\b[^=~]*$/;

function complete(context: CompletionContext, catalogue: Catalogue): CompletionResult | null {
    const word = context.matchBefore(/\w+/);
    if (!word && !context.explicit) return null;
    const from = word?.from ?? context.pos;
    const line = context.state.doc.lineAt(from);
    const before = line.text.slice(0, from - line.from);
    if (before.includes("#")) return null;
    // Where a name is made up, and while it has one letter, Enter ends the line.
    if (!context.explicit && ((word && word.text.length < 2) || DECLARES.test(before))) return null;

    const cells = catalogue.cells.map(
        ({ name, doc }): Completion => ({ label: name.replaceAll("-", "_"), type: "class", detail: "cell", info: doc }),
    );
    const ownCells = [...context.state.doc.toString().matchAll(/^cell\s+(\w+)/gm)].map(
        ([, name = ""]): Completion => ({ label: name, type: "class", detail: "your cell", boost: 2 }),
    );
    if (/\bunroll\s+$/.test(before)) return { from, options: [...ownCells, ...cells], validFor: /^\w*$/ };

    const options: Completion[] = catalogue.ops.map(({ name, formula, doc }) => ({
        label: name,
        apply: `${name}(`,
        type: "function",
        detail: formula,
        info: doc,
    }));
    if (/^\s*$/.test(before))
        for (const [label, info] of Object.entries(statements)) options.push({ label, type: "keyword", info, boost: 1 });
    const names = new Set<string>();
    const text = context.state.doc.toString().replace(/#.*/g, (comment) => " ".repeat(comment.length));
    for (const match of text.matchAll(identifiers)) if (match.index !== from) names.add(match[0]);
    const known = new Set([...options.map(({ label }) => label), ...Object.keys(statements)]);
    for (const name of names) if (!known.has(name)) options.push({ label: name, type: "variable", boost: 3 });
    if (/=\s*$/.test(before)) options.push(...cells);
    if (!context.explicit && word && names.has(word.text)) return null; // it is complete
    return { from, options, validFor: (text) => /^\w*$/.test(text) && !names.has(text) };
}

/** Completion, formulas on hover, shapes. `hints` returns those of the latest check. */
export function assist(catalogue: () => Promise<Catalogue>, hints: () => ShapeHint[]): Extension {
    return [
        shapes,
        autocompletion({
            icons: false,
            override: [async (context) => complete(context, await catalogue())],
        }),
        hoverTooltip(async (view, position) => {
            const line = view.state.doc.lineAt(position);
            for (const match of line.text.matchAll(identifiers)) {
                const start = line.from + match.index;
                const end = start + match[0].length;
                if (position < start || position > end) continue;
                const dom = explain(match[0], line.number, await catalogue(), hints());
                return dom && { pos: start, end, above: true, create: () => ({ dom }) };
            }
            return null;
        }),
    ];
}
