/* The zoo and the gallery: a dialog to search. */

import type { App } from "./app";
import { h } from "./dom";

interface Example {
    name: string;
    doc: string;
    text: string;
    kind: "cell" | "derivation";
}

/** What a text is about: its first comment, up to an empty line. */
function about(text: string): string {
    const lines = text.split("\n");
    const end = lines.findIndex((line) => !/^#\s*\S/.test(line));
    return lines
        .slice(0, Math.max(end, 0))
        .map((line) => line.replace(/^#\s*/, "").trim())
        .join(" ");
}

/** Returns what opens the dialog. */
export function mountExamples(app: App): () => void {
    const search = h("input", {
        type: "search",
        placeholder: "Search cells and derivations",
        "aria-label": "Search cells and derivations",
        autocomplete: "off",
    });
    const list = h("div", { class: "examples-list", role: "listbox", "aria-label": "Examples", id: "examples-list" });
    const preview = h("pre", { class: "examples-preview", tabindex: 0, "aria-label": "The text" });
    const close = h("button", { class: "quiet", onclick: () => dialog.close() }, "Close");
    const dialog = document.body.appendChild(
        h(
            "dialog",
            { class: "examples", "aria-label": "Examples" },
            h("div", { class: "toolbar" }, search, close),
            h("div", { class: "examples-body" }, list, preview),
        ),
    );
    search.setAttribute("role", "combobox");
    search.setAttribute("aria-expanded", "true");
    search.setAttribute("aria-controls", list.id);

    let all: Example[] = [];
    let shown: Example[] = [];
    let at = 0;

    function choose(example: Example | undefined): void {
        if (!example) return;
        dialog.close();
        app.editor.setText(example.text);
        app.editor.focus();
        if (example.kind === "derivation") app.showPanel("derivation");
        else app.store.setRun(0, { model: undefined });
        app.announce(`Opened ${example.name}. Undo brings your text back.`);
    }

    function select(index: number): void {
        at = Math.max(0, Math.min(index, shown.length - 1));
        const options = list.querySelectorAll('[role="option"]');
        options.forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
        options[at]?.scrollIntoView({ block: "nearest" });
        search.setAttribute("aria-activedescendant", options[at]?.id ?? "");
        preview.textContent = shown[at]?.text ?? "";
        preview.scrollTop = 0;
    }

    function filter(): void {
        const words = search.value.toLowerCase().split(/\s+/);
        shown = all.filter(({ name, doc }) => words.every((word) => `${name} ${doc}`.toLowerCase().includes(word)));
        const rank = ({ kind, name }: Example) => (kind === "cell" ? 0 : 2) + Number(name !== words[0]);
        shown.sort((a, b) => rank(a) - rank(b));
        list.replaceChildren();
        for (const kind of ["cell", "derivation"] as const) {
            const some = shown.filter((example) => example.kind === kind);
            if (some.length === 0) continue;
            const title = kind === "cell" ? "Cells" : "Derivations, right and wrong";
            const group = h("div", { role: "group", "aria-label": title }, h("h3", { "aria-hidden": "true" }, title));
            for (const example of some)
                group.append(
                    h(
                        "div",
                        {
                            role: "option",
                            id: `example-${example.kind}-${example.name}`,
                            onclick: () => choose(example),
                            onpointermove: () => shown[at] !== example && select(shown.indexOf(example)),
                        },
                        h("b", {}, example.name),
                        h("small", {}, example.doc),
                    ),
                );
            list.append(group);
        }
        if (shown.length === 0) list.append(h("p", { class: "empty" }, "Nothing has these words."));
        select(0);
    }

    search.addEventListener("input", filter);
    search.addEventListener("keydown", (event) => {
        const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8 }[event.key];
        if (event.key === "Enter") {
            event.preventDefault();
            choose(shown[at]);
        }
        if (to === undefined) return;
        event.preventDefault();
        select(to);
    });
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

    void app.catalogue
        .then(({ cells, gallery }) => {
            all = [
                ...cells.map((one): Example => ({ ...one, doc: about(one.text), kind: /^derive\b/m.test(one.text) ? "derivation" : "cell" })),
                ...gallery.map((one): Example => ({ ...one, doc: about(one.text), kind: "derivation" })),
            ];
            filter();
        })
        .catch(() => {}); // the notice of the restart says it

    return () => {
        search.value = "";
        filter();
        dialog.showModal();
        search.focus();
    };
}
