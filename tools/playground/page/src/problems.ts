/* The list below the editor: what is wrong, where, and what to write instead. */

import type { App } from "./app";
import { h } from "./dom";
import { fixTitle } from "./editor/assist";
import type { Problem } from "./protocol";

function row(app: App, problem: Problem): HTMLElement {
    return h(
        "li",
        {},
        h(
            "button",
            { class: "where", onclick: () => app.editor.showLine(problem.line, true) },
            `line ${problem.line}`,
        ),
        h("span", { class: "grow" }, problem.message, problem.hint && h("small", {}, ` ${problem.hint}`)),
        ...problem.fixes.map((fix) =>
            h(
                "button",
                {
                    class: "fix",
                    onclick() {
                        app.editor.replace(fix.line, fix.column, fix.length, fix.text);
                        app.editor.focus();
                    },
                },
                fixTitle(fix),
            ),
        ),
    );
}

export function mountProblems(root: HTMLElement, app: App): void {
    let said = "";
    app.onChecked(({ problems, entries }) => {
        const names = entries.map(({ kind, name }) => `${kind} ${name}`).join(", ");
        root.classList.toggle("has-problems", problems.length > 0);
        if (problems.length > 0) root.replaceChildren(h("ul", {}, ...problems.map((problem) => row(app, problem))));
        else root.replaceChildren(h("p", {}, h("span", { class: "right" }, "✓ "), names || "no cell or model yet"));
        const [first] = problems;
        const say = first ? `Line ${first.line}: ${first.message}` : said ? "No mistakes" : "";
        if (say && say !== said) app.announce(say);
        said = first ? say : "";
    });
}
