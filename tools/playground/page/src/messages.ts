/* What the page and the worker say to each other, beside the requests and responses of protocol.ts. */

import type { Progress, Request, Response, RunIndex } from "./protocol";

/** The first message to a worker: the compiled module. */
export interface Start {
    module: WebAssembly.Module;
}

/** The runs that are trained from now on, until the next such message, at a pace in updates per second. None: a pause. */
export interface Train {
    train: RunIndex[];
    pace: number;
}

export type ToWorker = Start | Train | Request;

/** A slice of training. */
export interface Trained {
    run: RunIndex;
    progress?: Progress;
    error?: { code: string; text: string };
}

export type FromWorker = Response | Trained | { ready: true };
