/* The page: editor, panels, and what connects them. */

import type { App } from "./app";
import { startClient } from "./client";
import { debounce, h, icon, icons } from "./dom";
import { assist, showChecked } from "./editor/assist";
import { createEditor } from "./editor/editor";
import { mountExamples } from "./examples";
import { Files } from "./files";
import { mountHeader } from "./header";
import { mount as mountTour } from "./panels/tour";
import { mountProblems } from "./problems";
import { plain } from "./plain";
import type { Checked } from "./protocol";
import { Runs } from "./runs";
import { openStore } from "./state";
import { mountTabs } from "./tabs";

const OF_TEXTS = ["catalogue", "check", "format", "prove"]; // methods that need no run
const CHECK_AFTER = 250; // milliseconds without a keystroke

const element = (id: string): HTMLElement => {
    const found = document.getElementById(id);
    if (!found) throw new Error(`index.html has no #${id}`);
    return found;
};

/** Dragging, and the arrow keys, share the width between the equations and the panels. */
function mountDivider(divider: HTMLElement, main: HTMLElement): void {
    let percent = 44;
    const set = (value: number) => {
        percent = Math.min(Math.max(value, 20), 75);
        main.style.setProperty("--left-width", `${percent}%`);
        divider.setAttribute("aria-valuenow", String(Math.round(percent)));
    };
    divider.addEventListener("pointerdown", (event) => divider.setPointerCapture(event.pointerId));
    divider.addEventListener("pointermove", (event) => {
        if (divider.hasPointerCapture(event.pointerId)) set((100 * event.clientX) / main.clientWidth);
    });
    divider.addEventListener("keydown", (event) => {
        const by = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
        if (by) set(percent + by);
    });
    set(percent);
}

async function start(): Promise<void> {
    const client = startClient();
    const { store, problem } = await openStore();
    const runs = new Runs(client, store);
    void runs.reset(); // the first call: a step of training can follow at once

    let toast: ReturnType<typeof setTimeout> | undefined;
    const notice = document.body.appendChild(h("div", { class: "notice", hidden: true }));
    const announce = (text: string) => {
        element("announcer").textContent = text;
    };
    const notify = (text: string) => {
        clearTimeout(toast);
        notice.textContent = text;
        notice.hidden = false;
        announce(text);
        toast = setTimeout(() => (notice.hidden = true), 6000);
    };

    const check = debounce(CHECK_AFTER, () => void checkNow());
    const editor = createEditor(element("editor"), {
        text: store.value.text,
        onChange(text) {
            store.set({ text });
            check();
        },
        extensions: assist(() => app.catalogue, () => app.checked.shapes),
    });

    const listeners = new Set<(checked: App["checked"]) => void>();
    const app: App = {
        store,
        client,
        runs,
        editor,
        catalogue: client.call("catalogue", {}).then(({ result }) => result),
        checked: { problems: [], entries: [], shapes: [], text: "" },
        onChecked: (listener) => void listeners.add(listener),
        announce,
        notify,
        showPanel: (panel) => store.set({ panel }),
        look: () => {}, // the panel sets these two
        lookAt: () => {},
    };

    let waiting: AbortController | undefined;
    async function checkNow(): Promise<void> {
        const { text } = store.value;
        waiting?.abort();
        waiting = new AbortController();
        let checked: Checked;
        try {
            const settings = store.value.runs[0];
            checked = (await client.call("check", { text, settings }, { signal: waiting.signal, seconds: 8 })).result;
        } catch {
            return; // another check follows, or the restart is reported
        }
        if (text !== store.value.text) return;
        for (const problem of checked.problems) problem.message = plain(problem.message);
        app.checked = { ...checked, text };
        showChecked(editor.view, checked);
        for (const listener of listeners) listener(app.checked);
        // A run that nobody has trained follows the text.
        if (checked.problems.length === 0 && !runs.isTraining)
            for (const run of runs.active())
                if (runs.run[run].updates === 0 && runs.run[run].text !== text) await runs.open(run);
    }

    // The shapes beside the equations are those of the net's units.
    let units = store.value.runs[0]["units"];
    store.on(["runs"], ({ runs: [{ units: now }] }) => {
        if (now !== units) check();
        units = now;
    });

    client.onRestart = (text, method) => {
        notify(text);
        // What a run asks for may be what took too long: it is not repeated unasked.
        if (OF_TEXTS.includes(method)) void runs.reopen();
        else runs.lose(text);
    };

    const tour = mountTour(element("tour"), app);
    const files = new Files(app);
    mountProblems(element("problems"), app);
    mountHeader(element("header"), app, { examples: mountExamples(app), tour: () => tour.start() });
    mountTabs(element("right"), app);
    const leaving = h("small", { class: "muted", hidden: true }, "Escape, then Tab leaves the editor");
    element("editor").addEventListener("keyup", (event) => {
        if (event.key === "Tab") leaving.hidden = false;
    });
    element("editor").addEventListener("focusout", () => (leaving.hidden = true));
    element("editor-bar").append(
        h("span", { class: "label" }, "Equations"),
        h("span", { class: "grow" }, leaving),
        files.button(),
        h("button", { class: "quiet", title: "Format (Alt+Shift+F)", onclick: () => void format() }, icon(icons.format), h("span", {}, "Format")),
    );

    document.querySelector(".skip")?.addEventListener("click", (event) => {
        event.preventDefault();
        editor.focus();
    });
    mountDivider(element("divider"), element("main"));

    async function format(): Promise<void> {
        try {
            editor.setText((await client.call("format", { text: editor.text() })).result.text);
        } catch (error) {
            notify(error instanceof Error ? error.message : String(error));
        }
    }
    addEventListener("keydown", (event) => {
        if (event.altKey && event.shiftKey && event.code === "KeyF") {
            event.preventDefault();
            void format();
        }
    });

    if (problem) notify(problem);
    void checkNow();
}

void start();
