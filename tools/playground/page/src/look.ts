/* What the module tells about the values inside a run's net (module/inspect.c). */

import type { Numbers, RunIndex } from "./protocol";
import type { Palette } from "./tiles";

/** A value of the net at each time step, with the gradient of the loss with respect to it. */
export interface Signal {
    name: string;
    kind: "input" | "gate" | "state" | "value" | "prediction" | "target";
    fraction: boolean; // from 0 to 1
    order: number; // ascends in the order of the equations
    steps: number; // 1: the same at all time steps
    shape: number[]; // of one sample at one time step
    values: Numbers; // [steps, ...shape]
    gradient?: Numbers; // not of integers
}
export interface Parameter {
    name: string;
    shape: number[];
    values: Numbers;
    gradient: Numbers;
}
export interface Inside {
    steps: number;
    label: number; // -1: the target is numbers
    loss: number | null;
    output: { shape: number[]; values: Numbers; gradient: Numbers }; // logits, or numbers
    signals: Signal[];
    parameters: Parameter[];
}
/** What one use of a value adds to its gradient. */
export interface Term {
    name: string; // of the value whose equation uses it
    step: number; // its time step, from 1; 0: none
    operation: string; // "conv2d(x, Wxg)"
    norm: number | null;
    gradient: Numbers;
}
export interface Value {
    shape: number[]; // with the axis of samples
    values: Numbers;
    gradient?: Numbers;
    terms: Term[];
}
/** Norms of the gradient: of a parameter the whole one, then what its use at each time step contributes; of a state NaN, then
 *  that at each step. NaN: there is none. */
export interface Norms {
    steps: number; // 0: the net has steps of its own
    samples: number;
    rows: { name: string; state: boolean; norms: Numbers }[];
}

/** A gradient that a derivation states beside the recorded one, summed over samples. */
export interface Comparison {
    cosine: number | null; // null: one of them is 0
    ratio: number | null; // of their norms
    stated: number | null; // norm
    recorded: number | null;
}
export interface Agreement extends Comparison {
    samples: number;
    rows: (Comparison & { name: string })[]; // by parameter
}

/** A sample of the run, or one of one's own. Without y its target is 0. */
export type SampleArguments = { run: RunIndex } & ({ index: number; validation: boolean } | { x: number[]; y?: number[] });

/* ---- reading results ---- */

/** A result with a function that reads its numbers. */
export interface Read<T> {
    is: T;
    of(numbers: Numbers | undefined): Float32Array;
}

export const read = <T>({ result, numbers }: { result: T; numbers: Float32Array }): Read<T> => ({
    is: result,
    of: (range) => (range ? numbers.subarray(range[0], range[0] + range[1]) : new Float32Array()),
});

/** The numbers of a time step, from 0. */
export function part(all: Float32Array, step: number, steps: number): Float32Array {
    const size = all.length / steps;
    return steps === 1 ? all : all.subarray(step * size, (step + 1) * size);
}

export const paletteOf = (signal: Signal): Palette =>
    signal.fraction ? "fraction" : signal.kind === "input" || signal.kind === "target" ? "ink" : "signed";

declare module "./protocol" {
    interface Methods {
        /** All values of the net for one sample. */
        inspect: { arguments: SampleArguments; result: Inside };
        /** One value or parameter, and the terms of its gradient. Steps count from 1. */
        value: { arguments: SampleArguments & { name: string; step: number }; result: Value };
        norms: { arguments: { run: RunIndex }; result: Norms };
        /** Of a run that trains with the gradients of a derivation. */
        agreement: { arguments: { run: RunIndex; samples: number }; result: Agreement };
    }
}
