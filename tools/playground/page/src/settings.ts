/* The options of training as the page offers them. */
import type { Catalogue, Checked, Settings } from "./protocol";

export interface Choice {
    value: string;
    label: string;
    group?: string;
}

export interface Control {
    key: string;
    label: string;
    /** Run B has one of its own. Otherwise both runs have the same. */
    both: boolean;
    /** It is one of a net around a cell, which a model of the text does without. */
    net?: true;
    /** How an arrow key changes a number. None: the control is a list. */
    step?: (value: number, up: boolean) => number;
}

const whole = (value: number, up: boolean): number => Math.max(1, Math.round(value) + (up ? 1 : -1));
const half = (value: number, up: boolean): number => Math.max(0, value + (up ? 0.5 : -0.5));

/** 1, 2, 5, 10, 20, .. */
export function oneTwoFive(value: number, up: boolean): number {
    const steps = Array.from({ length: 40 }, (_, i) => Number(`${[1, 2, 5][i % 3]}e${Math.floor(i / 3) - 8}`));
    const next = up ? steps.find((s) => s > value * 1.001) : steps.reverse().find((s) => s < value * 0.999);
    return next ?? value;
}

/** 0.8, 0.9, 0.95, 0.98, 0.99, ..: 1 - momentum in steps as above. */
const nearOne = (value: number, up: boolean): number =>
    Number(Math.max(0, 1 - oneTwoFive(Math.max(1e-6, 1 - value), !up)).toPrecision(6));

export const CONTROLS: Control[] = [
    { key: "model", label: "cell", both: true },
    { key: "units", net: true, label: "units", both: true, step: whole },
    { key: "layers", net: true, label: "layers", both: true, step: whole },
    { key: "steps", net: true, label: "time steps", both: true, step: whole },
    { key: "length", label: "length", both: false, step: whole },
    { key: "kernel", net: true, label: "kernel", both: true, step: (value, up) => Math.max(1, value + (up ? 2 : -2)) },
    { key: "forget", net: true, label: "forget bias", both: true, step: half },
    { key: "optimizer", label: "optimizer", both: true },
    { key: "learning-rate", label: "learning rate", both: true, step: oneTwoFive },
    { key: "momentum", label: "momentum", both: true, step: nearOne },
    { key: "gradients", label: "gradients", both: true },
    { key: "batch-size", label: "batch size", both: false, step: whole },
    { key: "epochs", label: "epochs", both: false, step: oneTwoFive },
    { key: "seed", label: "seed", both: false, step: (value, up) => Math.max(0, value + (up ? 1 : -1)) },
    { key: "dtype", label: "precision", both: true },
];

/** Options that keep the data and the shapes of the parameters, so that a run continues with them. */
export const LIVE: ReadonlySet<string> = new Set(
    (
        "optimizer learning-rate momentum weight-decay clip-norm clip-value gradients schedule learning-rates freeze " +
        "warm-up accumulate average epochs batch-size patience anomaly dropout recurrent-dropout same-dropout recompute " +
        "loss smoothing shift noise"
    ).split(" "),
);

/** Options of files and machines that the page has no use for. */
const UNUSED = new Set(["output", "overwrite", "threads", "include-path", "cache"]);

/** The options without a control, as in `recurve train --help`. */
export const moreOptions = (catalogue: Catalogue): Catalogue["options"] =>
    catalogue.options.filter(({ key }) => !UNUSED.has(key) && !CONTROLS.some((control) => control.key === key));

/* ---- data ---- */

export const FOUR_PATH = "/four.csv";

/** Without samples for validation, the four are validated on. */
const FOUR: Settings = {
    data: FOUR_PATH,
    shape: "1,8,8",
    divide: "16",
    validation: "0",
    units: "1",
    "head-units": "34",
    optimizer: "momentum",
    "learning-rate": "0.05",
    "batch-size": "1",
    epochs: "20",
};

/** The names of data in the list, and their options. */
export function dataSets(catalogue: Catalogue): (Choice & { settings: Settings })[] {
    return [
        { value: "digits", label: "digits 0 and 1", settings: {} },
        { value: "all", label: "all ten digits", settings: { classes: "0-9" } },
        { value: "four", label: "four digits: 0, 1, 0, 1", settings: FOUR },
        ...catalogue.tasks.map(({ name }) => ({
            value: name,
            label: name,
            group: "synthetic tasks",
            settings: { task: name },
        })),
    ];
}

/** Which of them the options choose; "" for others. */
export function dataSet(settings: Settings): string {
    if (settings["data"]) return settings["data"] === FOUR_PATH ? "four" : "";
    if (settings["task"] && settings["task"] !== "digits") return settings["task"];
    return { "0,1": "digits", "0-1": "digits", "0-9": "all" }[settings["classes"] ?? "0,1"] ?? "";
}

/** Whether the options choose a synthetic task. Its samples are sequences. */
export const isSynthetic = ({ task }: Settings): boolean => task !== undefined && task !== "digits";

/** What must be set and unset for other data: options that describe data, or that other data had brought along. */
export function withData(catalogue: Catalogue, settings: Settings, value: string): Record<string, string | undefined> {
    const chosen = dataSets(catalogue).find((set) => set.value === value)?.settings ?? {};
    const change: Record<string, string | undefined> = {};
    let isData = false; // an option without a group belongs to the one before it
    for (const { key, group } of catalogue.options) {
        if (group) isData = group === "The data";
        if (isData && key in settings) change[key] = undefined;
    }
    if (settings["data"] === FOUR_PATH)
        for (const key of Object.keys(FOUR)) if (settings[key] === FOUR[key]) change[key] = undefined;
    if (isSynthetic(chosen)) change["steps"] = undefined; // a sequence has its own
    return { ...change, ...chosen };
}

/* ---- lists ---- */

/** The titles of a text's derivations, or the names of their losses. */
const derivations = (text: string): string[] =>
    [...text.matchAll(/^derive[ \t]+(\w+)(?:[ \t]+of[ \t]+\w+)?[ \t]*(?:"([^"]*)")?/gm)].map((match) => match[2] ?? match[1]!);

export function choices(key: string, catalogue: Catalogue, checked: Checked, text: string, settings: Settings): Choice[] {
    switch (key) {
        case "model": {
            const last = checked.entries.at(-1);
            const group = "in your text";
            return [
                { value: "", label: last ? `${last.name} (your text)` : "your text", group },
                ...checked.entries.slice(0, -1).map(({ name }) => ({ value: `:${name}`, label: name, group })),
                ...catalogue.cells.map(({ name }) => ({ value: name, label: name, group: "built in" })),
            ];
        }
        case "optimizer":
            return [
                { value: "", label: "default" },
                ...catalogue.optimizers.map(({ name }) => ({ value: name, label: name })),
            ];
        case "gradients": {
            const cell = catalogue.cells.find(({ name }) => name === settings["model"]);
            return [
                { value: "", label: "autodiff" },
                ...derivations(cell?.text ?? text).map((title) => ({ value: title, label: title, group: "derived by hand" })),
            ];
        }
        default:
            return [
                { value: "", label: "f32" },
                { value: "f64", label: "f64" },
            ];
    }
}
