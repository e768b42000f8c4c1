/* The equation language for CodeMirror: colours and indentation. Recurve itself judges the text. */

import { HighlightStyle, indentService, StreamLanguage, syntaxHighlighting, type StringStream } from "@codemirror/language";
import { tags } from "@lezer/highlight";

/** Words that begin a line, with what they do. */
export const statements: Record<string, string> = {
    cell: "a recurrent cell: cell NAME",
    model: "a net with inputs and a loss: model NAME(n=2)",
    derive: "a derivation by hand, judged line by line: derive loss",
    function: "function NAME(ARGUMENT, ..) = expression",
    include: 'include "FILE"',
    state: "the states of a cell: state h, c",
    map: "weights that map to the size of the state: map W, U",
    bias: "a vector to be added: bias b = forget",
    gain: "a vector to be multiplied: gain p",
    fit: "a map that is skipped where sizes are equal",
    activation: "activation s = tanh",
    parameter: "any other parameter: parameter W[3, units]",
    constant: "drawn once, not learned: constant a[3] ~ normal(0, 1)",
    input: "input x[n, 8] ~ uniform(0, 16)",
    for: "for t from 1 to 3",
    let: "a helper, which is not judged: let G = dg.g.(1 - g)",
    return: "the result of a function",
};

const declarations = new Set(["state", "map", "bias", "gain", "fit", "parameter", "constant", "input"]);
const inside = new Set(["unroll", "steps", "all", "layers", "of", "from", "to", "down", "for"]);
const starts = new Set([
    ..."normal uniform truncated_normal xavier_uniform xavier_normal kaiming_uniform kaiming_normal".split(" "),
    ..."orthogonal chrono identity forget units".split(" "),
]);

interface State {
    first: boolean; // of its line
    statement: string; // the word that begins the line
    declared: ReadonlySet<string>; // weights above
    expect: "name" | ""; // after "cell", "model", "function"
    depth: number; // of brackets
}

function word(stream: StringStream, state: State): string {
    const name = stream.current();
    const isFirst = state.first;
    state.first = false;
    if (state.expect === "name") {
        state.expect = "";
        return "heading";
    }
    if (isFirst && name in statements) {
        state.statement = name;
        if (name === "cell" || name === "model" || name === "function") state.expect = "name";
        return "keyword";
    }
    if (isFirst) state.statement = "";
    if (inside.has(name)) return "keyword";
    if (declarations.has(state.statement) && state.depth === 0 && !stream.match(/^\s*\(/, false)) {
        if (starts.has(name)) return "atom";
        if (state.statement !== "state" && state.statement !== "input") {
            state.declared = new Set(state.declared).add(name);
            return "special";
        }
        return "definition";
    }
    if (isFirst && stream.match(/^'*\s*(\[[^\]]*\])?\s*(,|=)/, false)) return "definition";
    if (stream.match(/^\(/, false)) return "function";
    if (starts.has(name)) return "atom";
    if (state.declared.has(name) || /^[A-Z]/.test(name)) return "special";
    return "variableName";
}

export const language = StreamLanguage.define<State>({
    name: "recurve",
    startState: () => ({ first: true, statement: "", declared: new Set(), expect: "", depth: 0 }),
    copyState: (state) => ({ ...state }),
    token(stream, state) {
        if (stream.sol() && state.depth === 0) {
            state.first = true;
            state.statement = "";
            state.expect = "";
        }
        if (stream.eatSpace()) return null;
        if (stream.match(/^#.*/)) return "comment";
        if (stream.match(/^"[^"]*"?/)) return "string";
        if (stream.match(/^\d+(\.\d+)?([eE][+-]?\d+)?/)) return "number";
        if (stream.match(/^[A-Za-z_]\w*/)) return word(stream, state);
        const c = stream.next() ?? "";
        if (c === "(" || c === "[") state.depth++;
        if ((c === ")" || c === "]") && state.depth > 0) state.depth--;
        state.first = false;
        return "()[],".includes(c) ? "punctuation" : "operator";
    },
    tokenTable: {
        heading: tags.heading,
        special: tags.special(tags.variableName),
        definition: tags.definition(tags.variableName),
        function: tags.function(tags.variableName),
    },
    languageData: {
        commentTokens: { line: "#" },
        closeBrackets: { brackets: ["(", "[", '"'] },
        wordChars: "_",
    },
});

/** A body is indented below its first line. */
export const indentation = indentService.of((context, position) => {
    const line = context.state.doc.lineAt(position);
    const isBroken = context.simulatedBreak === position; // Enter was pressed here
    if (!isBroken && line.number === 1) return 0;
    const before = isBroken ? context.lineAt(position, -1).text : context.state.doc.line(line.number - 1).text;
    const depth = /^\s*/.exec(before)?.[0].length ?? 0;
    return /^\s*(cell|model|derive|for)\b/.test(before) ? depth + 2 : depth;
});

export const highlighting = syntaxHighlighting(
    HighlightStyle.define([
        { tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600" },
        { tag: tags.heading, color: "var(--text)", fontWeight: "700" },
        { tag: tags.special(tags.variableName), color: "var(--code-weight)" },
        { tag: tags.definition(tags.variableName), color: "var(--text)", fontWeight: "600" },
        { tag: tags.function(tags.variableName), color: "var(--code-function)" },
        { tag: tags.atom, color: "var(--code-function)" },
        { tag: tags.number, color: "var(--code-number)" },
        { tag: tags.string, color: "var(--code-number)" },
        { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
        { tag: [tags.operator, tags.punctuation], color: "var(--code-operator)" },
    ]),
);
