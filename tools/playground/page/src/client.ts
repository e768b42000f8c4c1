/* Calls of the module in the worker. A worker that does not answer is replaced. */

import type { FromWorker, ToWorker, Trained } from "./messages";
import { plain } from "./plain";
import type { Answer, Arguments, Method, Result, RunIndex } from "./protocol";

/** An error of the module, with Recurve's message. Codes of the page's own: "crash", "time", "cancelled". */
export class CallError extends Error {
    constructor(
        readonly code: string,
        text: string,
    ) {
        super(text);
    }
}

export interface CallOptions {
    /** The longest time that the worker may take, not counting the calls before it. */
    seconds?: number;
    /** A call that has not begun when this is aborted is not made. */
    signal?: AbortSignal;
}

interface Call {
    id: number;
    method: string;
    values: unknown;
    seconds: number;
    signal: AbortSignal | undefined;
    resolve(answer: { result: unknown; numbers: Float32Array }): void;
    reject(error: CallError): void;
}

const PATIENCE = 20; // seconds

export class Client {
    /** A slice of training is done. */
    onTrained: (trained: Trained) => void = () => {};
    /** The worker was replaced, because of this method: its runs are lost. */
    onRestart: (text: string, method: string) => void = () => {};

    #start: () => Promise<{ worker: Worker; module: WebAssembly.Module }>;
    #worker: Worker | undefined;
    #isReady = false;
    #queue: Call[] = [];
    #current: Call | undefined;
    #training: RunIndex[] = [];
    #pace = Infinity;
    #files = new Map<string, Uint8Array>();
    #timer: ReturnType<typeof setTimeout> | undefined;
    #next = 1;

    /** `start` makes a worker, and the module for it. */
    constructor(start: () => Promise<{ worker: Worker; module: WebAssembly.Module }>) {
        this.#start = start;
        void this.#launch();
    }

    async call<M extends Method>(method: M, values: Arguments<M>, options: CallOptions = {}): Promise<Answer<M>> {
        const { result, numbers } = await this.#ask(method, values, options);
        return { result: result as Result<M>, numbers };
    }

    /** Files in the worker's memory, which settings such as data=/drop/my.npz name. A worker that replaces another one gets
     *  them, too. */
    async writeFile(path: string, bytes: Uint8Array): Promise<void> {
        this.#files.set(path, bytes);
        await this.#ask("writeFile", { path, bytes });
    }

    async readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
        return (await this.#ask("readFile", { path })).result as Uint8Array<ArrayBuffer>;
    }

    /** Trains these runs until the next call, at a pace in updates per second; none: pauses. Calls are answered in between. */
    train(runs: RunIndex[], pace = Infinity): void {
        this.#training = runs;
        this.#pace = pace;
        if (this.#isReady) this.#send({ train: runs, pace });
        this.#watch();
    }

    #ask(method: string, values: unknown, options: CallOptions = {}): Promise<{ result: unknown; numbers: Float32Array }> {
        return new Promise((resolve, reject) => {
            this.#queue.push({
                id: this.#next++,
                method,
                values,
                seconds: options.seconds ?? PATIENCE,
                signal: options.signal,
                resolve,
                reject,
            });
            this.#advance();
        });
    }

    #send(message: ToWorker): void {
        this.#worker?.postMessage(message);
    }

    /** One call at a time, so that one that waits can still be cancelled, and time is measured for each. */
    #advance(): void {
        while (this.#isReady && !this.#current) {
            const call = this.#queue.shift();
            if (!call) break;
            if (call.signal?.aborted) {
                call.reject(new CallError("cancelled", "cancelled"));
                continue;
            }
            this.#current = call;
            this.#send({ id: call.id, method: call.method, arguments: call.values });
        }
        this.#watch();
    }

    #watch(): void {
        clearTimeout(this.#timer);
        const seconds = this.#current?.seconds ?? (this.#training.length ? PATIENCE : 0);
        if (seconds && this.#isReady)
            this.#timer = setTimeout(() => this.#restart("time", `no answer for ${seconds} seconds`), 1000 * seconds);
    }

    #restart(code: string, reason: string): void {
        this.#worker?.terminate();
        this.#worker = undefined;
        this.#isReady = false;
        const lost = this.#current;
        this.#current = undefined;
        this.#training = [];
        clearTimeout(this.#timer);
        void this.#launch();
        const text = `Recurve was restarted: ${reason}. Your text is kept; the runs begin again from their seed.`;
        lost?.reject(new CallError(code, text));
        this.onRestart(text, lost?.method ?? "train");
    }

    async #launch(): Promise<void> {
        try {
            const { worker, module } = await this.#start();
            this.#worker = worker;
            worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
            worker.onerror = (event) => this.#restart("crash", event.message || "the worker did not start");
            this.#send({ module });
        } catch (error) {
            for (const call of this.#queue.splice(0)) call.reject(new CallError("crash", String(error)));
        }
    }

    #receive(message: FromWorker): void {
        if ("ready" in message) {
            this.#isReady = true;
            for (const [path, bytes] of this.#files) this.#send({ id: 0, method: "writeFile", arguments: { path, bytes } });
            if (this.#training.length) this.#send({ train: this.#training, pace: this.#pace });
            this.#advance();
            return;
        }
        if (message.error?.code === "crash") {
            this.#restart("crash", message.error.text);
            return;
        }
        if ("run" in message) {
            if (message.error) message.error.text = plain(message.error.text);
            if (message.progress?.error) message.progress.error = plain(message.progress.error);
            if (message.error || message.progress?.finished || message.progress?.error)
                this.#training = this.#training.filter((run) => run !== message.run);
            this.#watch();
            this.onTrained(message);
            return;
        }
        const call = this.#current;
        if (!call || call.id !== message.id) return;
        this.#current = undefined;
        if (message.error) call.reject(new CallError(message.error.code, plain(message.error.text, call.method)));
        else call.resolve({ result: message.result, numbers: message.numbers ?? new Float32Array() });
        this.#advance();
    }
}

/* ---- starting ---- */

/** A part that standalone.html has inside: gzip and base64. */
async function embedded(id: string): Promise<ArrayBuffer | null> {
    const element = document.getElementById(id);
    if (!element?.textContent) return null;
    const bytes = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

async function compile(): Promise<WebAssembly.Module> {
    const bytes = await embedded("module.wasm");
    if (bytes) return WebAssembly.compile(bytes);
    const response = await fetch("module.wasm");
    if (!response.ok) throw new Error(`module.wasm: ${response.status} ${response.statusText}`);
    if (response.headers.get("Content-Type") === "application/wasm") return WebAssembly.compileStreaming(response);
    return WebAssembly.compile(await response.arrayBuffer());
}

async function workerAddress(): Promise<string> {
    const bytes = await embedded("worker.js");
    return bytes ? URL.createObjectURL(new Blob([bytes], { type: "text/javascript" })) : "worker.js";
}

/** The module is compiled once, also for workers that replace others. */
export function startClient(): Client {
    const module = compile();
    const address = workerAddress();
    module.catch(() => {}); // is reported where it is awaited
    return new Client(async () => {
        const worker = new Worker(await address);
        return { worker, module: await module };
    });
}
