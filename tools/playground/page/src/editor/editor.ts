/* The editor of the text: CodeMirror with the equation language. It lies in a shadow root, where CodeMirror's style sheets
 * need no exception from the page's Content-Security-Policy. */

import { closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab, toggleComment } from "@codemirror/commands";
import { bracketMatching, indentUnit } from "@codemirror/language";
import { lintGutter, lintKeymap } from "@codemirror/lint";
import { EditorState, type Extension, RangeSet, StateEffect, StateField } from "@codemirror/state";
import {
    Decoration,
    type DecorationSet,
    drawSelection,
    EditorView,
    gutter,
    GutterMarker,
    highlightActiveLine,
    keymap,
    lineNumbers,
} from "@codemirror/view";
import type { Editor, Mark } from "../app";
import { highlighting, indentation, language } from "./language";
import { theme } from "./theme";

/* ---- marks beside lines ---- */

const signs = { right: "✓", wrong: "✗", undecided: "?" };

class VerdictMarker extends GutterMarker {
    constructor(readonly mark: Mark) {
        super();
    }
    override eq(other: VerdictMarker): boolean {
        return other.mark.kind === this.mark.kind && other.mark.title === this.mark.title;
    }
    override toDOM(): HTMLElement {
        const element = document.createElement("span");
        element.className = `verdict-${this.mark.kind}`;
        element.textContent = signs[this.mark.kind];
        element.title = this.mark.title;
        element.setAttribute("role", "img");
        element.setAttribute("aria-label", `${this.mark.kind}: ${this.mark.title}`);
        return element;
    }
}

const setMarks = StateEffect.define<Mark[]>();

const marks = StateField.define<RangeSet<GutterMarker>>({
    create: () => RangeSet.empty,
    update(set, transaction) {
        let result = set.map(transaction.changes);
        for (const effect of transaction.effects) {
            if (!effect.is(setMarks)) continue;
            const { doc } = transaction.state;
            const known = effect.value.filter((mark) => mark.line >= 1 && mark.line <= doc.lines);
            known.sort((a, b) => a.line - b.line);
            result = RangeSet.of(known.map((mark) => new VerdictMarker(mark).range(doc.line(mark.line).from)));
        }
        return result;
    },
});

const verdictGutter: Extension = [
    marks,
    gutter({ class: "cm-verdicts", markers: (view) => view.state.field(marks) }),
];

/* ---- tinted lines ---- */

const setHighlight = StateEffect.define<{ from: number; to: number }>();
const tint = Decoration.line({ class: "cm-tinted" });

const highlights = StateField.define<DecorationSet>({
    create: () => Decoration.none,
    update(set, transaction) {
        let result = set.map(transaction.changes);
        for (const effect of transaction.effects) {
            if (!effect.is(setHighlight)) continue;
            const { doc } = transaction.state;
            const ranges = [];
            for (let line = effect.value.from; line >= 1 && line <= effect.value.to && line <= doc.lines; line++)
                ranges.push(tint.range(doc.line(line).from));
            result = Decoration.set(ranges);
        }
        return result;
    },
    provide: (field) => EditorView.decorations.from(field),
});

/* ---- the editor ---- */

export interface Options {
    text: string;
    onChange(text: string): void;
    /** Checks, completion, hints. */
    extensions: Extension;
}

export function createEditor(root: HTMLElement, options: Options): Editor & { view: EditorView } {
    const shadow = root.attachShadow({ mode: "open", delegatesFocus: true });
    const view = new EditorView({
        parent: shadow,
        root: shadow,
        state: EditorState.create({
            doc: options.text,
            extensions: [
                lineNumbers(),
                verdictGutter,
                lintGutter(),
                history(),
                drawSelection(),
                indentUnit.of("  "),
                bracketMatching(),
                closeBrackets(),
                highlightActiveLine(),
                EditorView.lineWrapping,
                highlights,
                language,
                indentation,
                highlighting,
                theme,
                EditorState.tabSize.of(2),
                EditorView.contentAttributes.of({ "aria-label": "Equations", "aria-description": "Tab indents. Escape, then Tab leaves the editor.", tabindex: "0", spellcheck: "false", autocapitalize: "off" }),
                EditorView.updateListener.of((update) => {
                    if (update.docChanged) options.onChange(update.state.doc.toString());
                }),
                options.extensions,
                // Escape, then Tab leaves the editor.
                keymap.of([
                    ...completionKeymap,
                    ...closeBracketsKeymap,
                    ...defaultKeymap,
                    ...historyKeymap,
                    ...lintKeymap,
                    { key: "Mod-/", run: toggleComment },
                    indentWithTab,
                ]),
            ],
        }),
    });

    const lineAt = (line: number) => view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
    return {
        view,
        text: () => view.state.doc.toString(),
        setText(text) {
            if (text === view.state.doc.toString()) return;
            view.dispatch({
                changes: { from: 0, to: view.state.doc.length, insert: text },
                selection: { anchor: 0 },
                userEvent: "input.replace", // a step of its own for undo
            });
        },
        replace(line, column, length, text) {
            const from = Math.min(lineAt(line).from + column - 1, view.state.doc.length);
            const to = Math.min(from + length, view.state.doc.length);
            view.dispatch({ changes: { from, to, insert: text }, userEvent: "input.fix" });
        },
        replaceLine(line, text) {
            const { from, text: old } = lineAt(line);
            const [, indentation = "", , comment = ""] = /^(\s*)([^#]*?)(\s*#.*)?$/.exec(old) ?? [];
            view.dispatch({
                changes: { from, to: from + old.length, insert: indentation + text.trim() + comment },
                userEvent: "input.fix",
            });
        },
        showLine(line, focus = false) {
            const { from } = lineAt(line);
            view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
            if (focus) view.focus();
        },
        highlight(from, to = from) {
            const effects: StateEffect<unknown>[] = [setHighlight.of({ from, to })];
            if (from >= 1) effects.push(EditorView.scrollIntoView(lineAt(from).from, { y: "center" }));
            view.dispatch({ effects });
        },
        setMarks: (list) => view.dispatch({ effects: setMarks.of(list) }),
        line: () => view.state.doc.lineAt(view.state.selection.main.head).number,
        focus: () => view.focus(),
    };
}
