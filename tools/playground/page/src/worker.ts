/* The worker: Recurve as WebAssembly. It answers one request at a time, and trains in between. */

import create, { type Module } from "module";
import type { FromWorker, ToWorker } from "./messages";
import type { Progress, Request, RunIndex } from "./protocol";

const SLICE = 15; // milliseconds of training between two looks at the messages, roughly
const MOST = 5000; // milliseconds that a run may take for the updates that another one made in a slice

declare const self: { onmessage: unknown; postMessage(message: FromWorker, transfer: Transferable[]): void };

let module: Module;
let training: RunIndex[] = [];
let pace = Infinity; // updates per second
let began = 0; // when the pace was set, in milliseconds
let made = 0; // updates since then
const done: [number, number] = [0, 0]; // updates of each run

const send = (message: FromWorker, transfer: Transferable[] = []) => self.postMessage(message, transfer);

class CallError extends Error {
    constructor(
        readonly code: string,
        text: string,
    ) {
        super(text);
    }
}

/** A C string in the module's memory, to be freed. */
function toC(text: string): number {
    const bytes = new TextEncoder().encode(text);
    const address = module._malloc(bytes.length + 1);
    if (address === 0) throw new CallError("out of memory", "out of memory");
    module.HEAPU8.set(bytes, address);
    module.HEAPU8[address + bytes.length] = 0;
    return address;
}

function fromC(address: number): string {
    return new TextDecoder().decode(module.HEAPU8.subarray(address, module.HEAPU8.indexOf(0, address)));
}

/** Calls a function of the module. */
function call(method: string, values: unknown): { result: unknown; numbers: Float32Array } {
    const name = toC(method);
    const json = toC(JSON.stringify(values ?? {}));
    const answer = JSON.parse(fromC(module._page_call(name, json)));
    module._free(json);
    module._free(name);
    if (answer.error) throw new CallError(answer.error.code, answer.error.text);
    if (method === "open") done[(values as { run: RunIndex }).run] = 0;
    if (method === "train") done[(values as { run: RunIndex }).run] = answer.result.updates;
    const start = module._page_numbers() / Float32Array.BYTES_PER_ELEMENT;
    return { result: answer.result, numbers: module.HEAPF32.slice(start, start + module._page_number_count()) };
}

/** Files are those of the module's memory. */
const files: Record<string, (values: any) => { result: unknown; numbers: Float32Array }> = {
    writeFile({ path, bytes }: { path: string; bytes: Uint8Array }) {
        module.FS.mkdirTree(path.slice(0, path.lastIndexOf("/")) || "/");
        module.FS.writeFile(path, bytes);
        return { result: {}, numbers: new Float32Array() };
    },
    readFile({ path }: { path: string }) {
        return { result: module.FS.readFile(path), numbers: new Float32Array() };
    },
};

function asError(error: unknown): { code: string; text: string } {
    if (error instanceof CallError) return { code: error.code, text: error.message };
    // Emscripten throws what the module cannot survive, such as a stack that is too small. The page restarts the worker.
    return { code: "crash", text: String(error) };
}

function answer(request: Request): void {
    try {
        const file = files[request.method];
        const { result, numbers } = file ? file(request.arguments) : call(request.method, request.arguments);
        send({ id: request.id, result, numbers }, [numbers.buffer]);
    } catch (error) {
        send({ id: request.id, error: asError(error) });
    }
}

/* A message to itself: unlike a timer it is not delayed, and other messages are read before it. */
const turn = new MessageChannel();
let isQueued = false;

function queueSlice(): void {
    if (isQueued || training.length === 0) return;
    isQueued = true;
    // With a pace, wait until an update is due.
    const wait = began + (1000 * (made + 1)) / pace - performance.now();
    if (wait > 1) setTimeout(() => turn.port2.postMessage(null), wait);
    else turn.port2.postMessage(null);
}

/** Trains a run and tells the page. Returns the number of updates. */
function train(run: RunIndex, updates: number, milliseconds: number): number {
    const before = done[run];
    try {
        const progress = call("train", { run, updates, milliseconds }).result as Progress;
        if (progress.finished || progress.error) training = training.filter((other) => other !== run);
        send({ run, progress });
    } catch (error) {
        training = training.filter((other) => other !== run);
        send({ run, error: asError(error) });
    }
    return done[run] - before;
}

/** The first run trains for a slice, and the other one makes as many updates, so that they stay side by side. */
turn.port1.onmessage = () => {
    isQueued = false;
    const [first, ...others] = training;
    if (first === undefined) return;
    const due = pace < Infinity ? ((performance.now() - began) / 1000) * pace - made : 1e9;
    const updates = train(first, Math.max(1, Math.floor(due)), SLICE);
    for (const other of others) train(other, updates, MOST);
    made += updates;
    queueSlice();
};

self.onmessage = async ({ data }: MessageEvent<ToWorker>) => {
    if ("module" in data) {
        const compiled = data.module;
        module = await create({
            instantiateWasm(imports, ready) {
                void WebAssembly.instantiate(compiled, imports).then((instance) => ready(instance, compiled));
                return {};
            },
            print: () => {},
            printErr: () => {},
        });
        send({ ready: true });
    } else if ("train" in data) {
        training = data.train;
        pace = data.pace;
        began = performance.now();
        made = 0;
        queueSlice();
    } else {
        answer(data);
    }
};
