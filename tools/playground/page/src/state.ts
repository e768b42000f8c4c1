/* What the page remembers: the text and all options. It is kept from visit to visit, and a link can hold it. */

import first from "recurve/models/curnn.rv";
import type { Settings } from "./protocol";

export const panels = ["train", "data", "look", "derivation"] as const;
export type PanelName = (typeof panels)[number];

export interface PageState {
    text: string;
    seed: number;
    /** Options of the two runs. The second is trained only if `second`. "model": "" is the last cell or model of the text. */
    runs: [Settings, Settings];
    second: boolean;
    panel: PanelName;
    theme: "auto" | "light" | "dark";
    toured: boolean; // the tour has been seen or closed
}

const defaults: PageState = {
    text: first.split("\n\n")[0] + "\n", // the cell; the options make the net around it
    seed: 1,
    runs: [{}, {}],
    second: false,
    panel: "train",
    theme: "auto",
    toured: false,
};

const KEY = "recurve";
const WAIT = 300; // milliseconds from a change until it is kept

type Key = keyof PageState;

export class Store {
    #value: PageState;
    #listeners = new Set<(changed: ReadonlySet<Key>) => void>();
    #timer: ReturnType<typeof setTimeout> | undefined;

    constructor(value: PageState) {
        this.#value = value;
        addEventListener("pagehide", () => this.#keep());
    }

    get value(): Readonly<PageState> {
        return this.#value;
    }

    set(change: Partial<PageState>): void {
        const changed = new Set((Object.keys(change) as Key[]).filter((key) => change[key] !== this.#value[key]));
        if (changed.size === 0) return;
        this.#value = { ...this.#value, ...change };
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#keep(), WAIT);
        for (const listener of this.#listeners) listener(changed);
    }

    /** Sets options of a run; undefined removes one. */
    setRun(run: 0 | 1, change: Record<string, string | undefined>): void {
        const settings: Settings = {};
        for (const [key, value] of Object.entries({ ...this.#value.runs[run], ...change }))
            if (value !== undefined) settings[key] = value;
        const [a, b] = this.#value.runs;
        this.set({ runs: run === 0 ? [settings, b] : [a, settings] });
    }

    /** Calls after a change of any of these keys. */
    on(keys: readonly Key[], listener: (value: Readonly<PageState>) => void): () => void {
        const both = (changed: ReadonlySet<Key>) => {
            if (keys.some((key) => changed.has(key))) listener(this.#value);
        };
        this.#listeners.add(both);
        return () => this.#listeners.delete(both);
    }

    #keep(): void {
        clearTimeout(this.#timer);
        try {
            localStorage.setItem(KEY, JSON.stringify(this.#value));
        } catch {
            // Storage is full or not allowed: the page works without.
        }
    }
}

/* ---- from outside ---- */

const isSettings = (value: unknown): value is Settings =>
    typeof value === "object" && value !== null && Object.values(value).every((text) => typeof text === "string");

/** Takes what has the right type, whoever wrote it. */
function accept(from: unknown): PageState {
    const value = { ...defaults };
    if (typeof from !== "object" || from === null) return value;
    const { text, seed, runs, second, panel, theme, toured } = from as Record<string, unknown>;
    if (typeof text === "string") value.text = text;
    if (typeof seed === "number" && Number.isSafeInteger(seed) && seed >= 0) value.seed = seed;
    if (Array.isArray(runs) && isSettings(runs[0]) && isSettings(runs[1])) value.runs = [runs[0], runs[1]];
    if (typeof second === "boolean") value.second = second;
    if (panels.includes(panel as PanelName)) value.panel = panel as PanelName;
    if (theme === "light" || theme === "dark") value.theme = theme;
    if (typeof toured === "boolean") value.toured = toured;
    return value;
}

async function through(bytes: BufferSource, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> {
    return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

/** The address of this page with what a reader needs to see the same. */
export async function link(value: Readonly<PageState>): Promise<string> {
    const { text, seed, runs, second, panel } = value;
    const bytes = new TextEncoder().encode(JSON.stringify({ text, seed, runs, second, panel }));
    const packed = await through(bytes, new CompressionStream("deflate-raw"));
    const code = btoa(String.fromCharCode(...packed)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
    return `${location.href.replace(/#.*/, "")}#${code}`;
}

async function unpack(code: string): Promise<unknown> {
    const bytes = Uint8Array.from(atob(code.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(await through(bytes, new DecompressionStream("deflate-raw"))));
}

/** The state of the link, or else of the last visit. `problem` says if the link could not be read. */
export async function openStore(): Promise<{ store: Store; problem: string }> {
    let kept: unknown;
    let problem = "";
    try {
        kept = JSON.parse(localStorage.getItem(KEY) ?? "null");
    } catch {
        kept = null;
    }
    let value = accept(kept);
    if (location.hash.length > 1) {
        try {
            const { theme } = value;
            value = { ...accept(await unpack(location.hash.slice(1))), theme, toured: true };
        } catch {
            problem = `This link is damaged.${kept ? " Here is what you wrote last." : ""}`;
        }
        history.replaceState(null, "", location.pathname + location.search);
    }
    return { store: new Store(value), problem };
}
