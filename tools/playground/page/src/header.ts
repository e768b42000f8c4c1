/* The header: examples, share, download, help, colours. */

import type { App } from "./app";
import { h, icon, icons, saveFile } from "./dom";
import { message } from "./runs";
import { link } from "./state";
import { type Entry, saveZip } from "./zip";

/** A menu of a button: arrow keys move, Escape closes. */
function menu(button: HTMLButtonElement, items: { label: string; note: string; action(): void }[]): HTMLElement {
    const list = h("div", { class: "menu", role: "menu", hidden: true });
    const close = (focus: boolean) => {
        list.hidden = true;
        button.setAttribute("aria-expanded", "false");
        if (focus) button.focus();
    };
    const entries = items.map(({ label, note, action }) =>
        h(
            "button",
            {
                role: "menuitem",
                tabindex: -1,
                onclick: () => {
                    close(true);
                    action();
                },
            },
            h("span", {}, label),
            h("small", {}, note),
        ),
    );
    list.append(...entries);
    button.setAttribute("aria-haspopup", "menu");
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => {
        if (!list.hidden) return close(true);
        list.hidden = false;
        button.setAttribute("aria-expanded", "true");
        entries[0]?.focus();
    });
    const box = h("div", { class: "menu-box" }, button, list);
    box.addEventListener("focusout", (event) => {
        if (!box.contains(event.relatedTarget as Node | null)) close(false);
    });
    list.addEventListener("keydown", (event) => {
        const at = entries.indexOf(document.activeElement as HTMLButtonElement);
        const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 }[event.key];
        if (event.key === "Escape") close(true);
        if (to === undefined) return;
        event.preventDefault();
        entries[(to + entries.length) % entries.length]?.focus();
    });
    return box;
}

/** The name of the text's last cell or model: for files. */
const nameOf = (app: App) => app.checked.entries.at(-1)?.name ?? "recurve";

async function share(app: App): Promise<void> {
    const address = await link(app.store.value);
    history.replaceState(null, "", address.slice(address.indexOf("#")));
    try {
        await navigator.clipboard.writeText(address);
        app.notify("Copied a link to this text, its options and its seed.");
    } catch {
        app.notify("The address bar holds a link to this text, its options and its seed.");
    }
}

async function downloadWeights(app: App): Promise<void> {
    try {
        const { result } = await app.client.call("save", { run: 0 });
        const entries: Entry[] = [];
        for (const file of result.files)
            entries.push({ name: file, bytes: await app.client.readFile(`${result.folder}/${file}`) });
        const name = nameOf(app);
        saveZip(name, entries);
        app.notify(`Saved ${name}.zip. Unpack it, then: recurve evaluate --output ${name}`);
    } catch (error) {
        app.notify(message(error));
    }
}

async function downloadC(app: App): Promise<void> {
    try {
        const name = nameOf(app).replaceAll("-", "_");
        const { result } = await app.client.call("exportC", { run: 0, name });
        saveZip(
            `${nameOf(app)}-c`,
            result.files.map((file) => ({ name: file.name, bytes: new TextEncoder().encode(file.text) })),
        );
    } catch (error) {
        app.notify(message(error));
    }
}

async function downloadOnnx(app: App): Promise<void> {
    try {
        const { result } = await app.client.call("exportOnnx", { run: 0 });
        saveFile(`${nameOf(app)}.onnx`, await app.client.readFile(result.path));
    } catch (error) {
        app.notify(message(error));
    }
}

/** Every picture that is shown: charts and images. */
async function downloadPictures(app: App): Promise<void> {
    const pictures = [...document.querySelectorAll<HTMLCanvasElement>("#right canvas")].filter(
        (canvas) => canvas.offsetParent && canvas.width > 0,
    );
    if (pictures.length === 0) return app.notify("The open panel shows no picture.");
    const names = new Set<string>();
    const entries: Entry[] = [];
    for (const canvas of pictures) {
        const base = (canvas.dataset["name"] ?? "picture").replace(/[^\w.-]+/g, "_");
        let name = base;
        for (let i = 2; names.has(name); i++) name = `${base}-${i}`;
        names.add(name);
        const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
        if (blob) entries.push({ name: `${name}.png`, bytes: new Uint8Array(await blob.arrayBuffer()) });
    }
    saveZip(`${nameOf(app)}-pictures`, entries);
}

export function mountHeader(root: HTMLElement, app: App, actions: { examples(): void; tour(): void }): void {
    const themes = ["auto", "light", "dark"] as const;
    const themeButton = h("button", { class: "quiet icon-only", onclick: nextTheme }, icon(icons.theme));
    function nextTheme(): void {
        const next = themes[(themes.indexOf(app.store.value.theme) + 1) % themes.length] ?? "auto";
        app.store.set({ theme: next });
        app.announce(`Colours: ${next}`);
    }
    const showTheme = () => {
        const { theme } = app.store.value;
        if (theme === "auto") delete document.documentElement.dataset["theme"];
        else document.documentElement.dataset["theme"] = theme;
        themeButton.title = `Colours: ${theme}`;
        themeButton.setAttribute("aria-label", themeButton.title);
    };
    app.store.on(["theme"], showTheme);
    showTheme();

    const download = h("button", { class: "quiet", title: "Download" }, icon(icons.download), h("span", {}, "Download"));
    root.append(
        h("h1", { class: "brand" }, "Recurve"),
        h("span", { class: "brand-note" }, "playground"),
        h(
            "nav",
            { "aria-label": "Page" },
            h("button", { class: "quiet", title: "Examples (cells and derivations)", onclick: actions.examples }, icon(icons.book), h("span", {}, "Examples")),
            h("button", { class: "quiet", title: "Guided tour", onclick: actions.tour }, icon(icons.tour), h("span", {}, "Tour")),
            h("button", { class: "quiet", title: "Copy a link", onclick: () => void share(app) }, icon(icons.share), h("span", {}, "Share")),
            menu(download, [
                {
                    label: "Equations",
                    note: ".rv",
                    action: () => saveFile(`${nameOf(app)}.rv`, app.store.value.text, "text/plain"),
                },
                { label: "Weights", note: ".zip of .safetensors, config.json", action: () => void downloadWeights(app) },
                { label: "The net as C", note: ".zip of .c, .h", action: () => void downloadC(app) },
                { label: "The net as ONNX", note: ".onnx", action: () => void downloadOnnx(app) },
                { label: "Pictures", note: ".zip of .png", action: () => void downloadPictures(app) },
            ]),
            themeButton,
        ),
    );
}
