/* What the page asks of the module, Recurve compiled to WebAssembly, which runs in a worker. Each method is a function
 * of tools/playground/module: arguments and results are JSON. Numbers are returned beside the JSON, as one
 * Float32Array; a Numbers field gives where its part lies. */

/** [start, count] in the array of numbers that comes with a result. */
export type Numbers = [number, number];

/** Keys of recurve train's options and their values as text: {"optimizer": "adam", "learning-rate": "0.01"}. */
export type Settings = Record<string, string>;

export type RunIndex = 0 | 1;

/* ---- texts ---- */

/** Columns and lines count from 1; columns count characters (UTF-16 units). */
export interface Problem {
    line: number;
    column: number;
    length: number;
    message: string;
    hint: string; // "" without one
    fixes: Fix[]; // what a hint suggests to write
}
export interface Fix {
    line: number;
    column: number;
    length: number; // what it replaces
    text: string;
}
/** A named value of a text, with the shape that it has in the text's models, or in a default net around the cell. */
export interface ShapeHint {
    line: number;
    name: string;
    shape: number[];
}
export interface Entry {
    name: string;
    kind: "cell" | "model";
    line: number;
}
export interface Checked {
    problems: Problem[];
    entries: Entry[];
    shapes: ShapeHint[];
}
export interface Verdict {
    line: number;
    name: string;
    derivation: string; // its title
    model: string;
    verdict: "right" | "wrong" | "undecided";
    cosine: number | null; // null: not finite
    ratio: number | null;
    error: number | null;
    reason: string;
    repair: string; // a right line, or ""
    gradient: boolean; // the recorded gradient of a parameter against differences; false: a line of a derivation
}
export interface Catalogue {
    version: string;
    ops: { name: string; formula: string; doc: string; options: string[] }[];
    cells: { name: string; doc: string; text: string }[];
    gallery: { name: string; doc: string; text: string }[];
    optimizers: { name: string; doc: string; text: string }[];
    tasks: { name: string; doc: string }[];
    options: { key: string; argument: string; doc: string; group: string }[];
}

/* ---- runs ---- */

export interface Opened {
    settings: Settings; // with defaults filled in
    model: string;
    parameters: { name: string; shape: number[] }[];
    parameterCount: number;
    trainingSamples: number;
    validationSamples: number;
    batchSize: number;
    classes: number; // 0: the targets are numbers
    tokens: number; // 0: x is numbers; otherwise x is 0 .. tokens-1
    x: number[]; // the shape of a sample
    y: number[];
    steps: number;
    sequence: boolean;
}
export interface Epoch {
    epoch: number;
    loss: number;
    validationLoss: number;
    validationAccuracy: number | null;
    validationError: number | null;
    seconds: number;
}
/** After some updates. Losses and epochs are those since the previous result. */
export interface Progress {
    epoch: number; // of the next update, from 1
    batch: number;
    updates: number; // in all
    losses: number[]; // per update; at most 1000, evenly thinned
    epochs: Epoch[];
    updatesPerSecond: number;
    finished: boolean; // the configured number of epochs is done, or it stopped early
    error: string; // the run diverged, or another message; "" if all is well
}
export interface Measured {
    samples: number;
    loss: number;
    accuracy: number | null;
    error: number | null; // mean squared error of numbers
    confusion: number[][]; // [label][answer]: counts; [] unless there are at most 32 classes
}
export interface Baseline {
    text: string; // "the most frequent label"
    loss: number;
    accuracy: number | null;
}
export interface Sample {
    index: number;
    x: Numbers;
    y: Numbers;
    label: number; // -1: the target is numbers
    output: Numbers; // probabilities of the classes, or what is predicted
    validation: boolean;
}

export interface Methods {
    catalogue: { arguments: Record<string, never>; result: Catalogue };
    check: { arguments: { text: string; settings: Settings }; result: Checked };
    format: { arguments: { text: string }; result: { text: string } };
    prove: { arguments: { text: string; repair: boolean; seed: number }; result: { verdicts: Verdict[] } };

    /** Starts a run from its seed; on failure the one before stays. settings.model: a built-in cell, or "" for the text's last model or cell. */
    open: { arguments: { run: RunIndex; text: string; settings: Settings }; result: Opened };
    /** Changes optimizer, learning rate, data, ... of a run, and keeps its parameters. */
    change: { arguments: { run: RunIndex; settings: Settings }; result: Opened };
    /** Trains for at most so many updates or milliseconds. */
    train: { arguments: { run: RunIndex; updates: number; milliseconds: number }; result: Progress };
    closeRun: { arguments: { run: RunIndex }; result: Record<string, never> };
    /** Samples of the run's data with what the net predicts for them. */
    samples: { arguments: { run: RunIndex; from: number; count: number; validation: boolean }; result: { samples: Sample[]; total: number } };
    /** What the net predicts for an x of one's own, such as a drawn digit. */
    predict: { arguments: { run: RunIndex; x: number[] }; result: { output: Numbers } };
    /** Adds samples to the training data of a run and keeps its parameters. y: a label, or numbers. */
    add: { arguments: { run: RunIndex; x: number[]; y: number[] }; result: Opened };
    /** The net on its data, and the best answer without a net. null: of numbers, or not to be compared. */
    measure: { arguments: { run: RunIndex }; result: { training: Measured; validation: Measured; baseline: Baseline | null } };
    digest: { arguments: { run: RunIndex }; result: { digest: string } };

    /** The files of a run: checkpoint.safetensors and config.json, as `recurve evaluate` reads them, are in the folder
     *  that is returned (read them with Files). */
    save: { arguments: { run: RunIndex }; result: { folder: string; files: string[] } };
    /** Starts from the parameters in a file. */
    load: { arguments: { run: RunIndex; path: string }; result: Opened };
    /** The net as C (recurve export --c): file names and their texts. */
    exportC: { arguments: { run: RunIndex; name: string }; result: { files: { name: string; text: string }[] } };
    /** The net on a whole sample as an ONNX model (recurve export --onnx --form unrolled), in a file that is returned. */
    exportOnnx: { arguments: { run: RunIndex }; result: { path: string } };

    /* inspect, norms and value: see look.ts */
}

export type Method = keyof Methods;
export type Arguments<M extends Method> = Methods[M]["arguments"];
export type Result<M extends Method> = Methods[M]["result"];

/** A result with the numbers that it refers to. */
export interface Answer<M extends Method> {
    result: Result<M>;
    numbers: Float32Array;
}

/* ---- messages ---- */

export interface Request {
    id: number;
    method: string; // of Methods, or writeFile, readFile
    arguments: unknown;
}
export interface Response {
    id: number;
    result?: unknown;
    numbers?: Float32Array;
    error?: { code: string; text: string };
}
