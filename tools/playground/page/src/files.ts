/* Files that the user opens or drops: texts, data, weights. */

import type { App } from "./app";
import { h, icon, icons } from "./dom";
import { message } from "./runs";
import { withData } from "./settings";

const FOLDER = "/files";
const LARGEST = 256 * 2 ** 20; // bytes

export class Files {
    #app: App;

    constructor(app: App) {
        this.#app = app;
        const page = document.documentElement;
        addEventListener("dragover", (event) => {
            if (!event.dataTransfer?.types.includes("Files")) return;
            event.preventDefault();
            page.classList.add("dropping");
        });
        addEventListener("dragleave", (event) => {
            if (!event.relatedTarget) page.classList.remove("dropping");
        });
        addEventListener("drop", (event) => {
            page.classList.remove("dropping");
            if (!event.dataTransfer?.files.length) return;
            event.preventDefault();
            void this.open(event.dataTransfer.files);
        });
    }

    /** A button that does what dropping does. */
    button(): HTMLElement {
        const input = h("input", { type: "file", hidden: true, accept: ".rv,.npz,.npy,.csv,.tsv,.txt,.gz,.safetensors" });
        input.addEventListener("change", () => {
            if (input.files) void this.open(input.files);
            input.value = "";
        });
        return h(
            "button",
            {
                class: "quiet",
                title: "Open equations (.rv), data (.npz, .csv, text) or weights (.safetensors); or drop them here",
                onclick: () => input.click(),
            },
            icon(icons.open),
            h("span", {}, "Open"),
            input,
        );
    }

    async open(files: Iterable<File>): Promise<void> {
        for (const file of files) {
            try {
                await this.#openOne(file);
            } catch (error) {
                this.#app.notify(`${file.name}: ${message(error)}`);
            }
        }
    }

    async #openOne(file: File): Promise<void> {
        const { catalogue, editor, client, runs, store, notify } = this.#app;
        if (file.size > LARGEST) throw new Error(`${Math.round(file.size / 2 ** 20)} MB, expected at most 256`);
        if (file.name.endsWith(".rv")) {
            editor.setText(await file.text());
            notify(`Opened ${file.name}. Undo brings the other text back.`);
            return;
        }
        const path = `${FOLDER}/${file.name.replace(/[^\w.-]/g, "_")}`;
        await client.writeFile(path, new Uint8Array(await file.arrayBuffer()));
        if (file.name.endsWith(".safetensors")) {
            runs.changed(0, (await client.call("load", { run: 0, path })).result);
            notify(`The run has the parameters of ${file.name}.`);
            return;
        }
        await runs.reopenWith(0, { ...withData(await catalogue, store.value.runs[0], ""), data: path });
        const { opened, error } = runs.run[0];
        if (opened) this.#app.showPanel("train");
        notify(opened ? `${file.name}: ${opened.trainingSamples} samples to train on.` : error);
    }
}
