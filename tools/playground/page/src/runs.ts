/* The two runs in the module: opened from the text and the options, trained in the worker, seen by all panels. */

import { CallError, type Client } from "./client";
import type { Epoch, Opened, Progress, RunIndex, Settings } from "./protocol";
import type { Store } from "./state";

export type RunEvent =
    | { kind: "opened"; run: RunIndex } // anew, from its seed
    | { kind: "changed"; run: RunIndex } // options or data, with the parameters kept
    | { kind: "progress"; run: RunIndex; progress: Progress }
    | { kind: "failed"; run: RunIndex } // see `error`
    | { kind: "training" }; // `isTraining` has changed

export class Run {
    opened: Opened | null = null;
    /** The text that it was opened with. */
    text = "";
    updates = 0;
    epochs: Epoch[] = [];
    finished = false;
    error = "";
}

export class Runs {
    readonly run: readonly [Run, Run] = [new Run(), new Run()];
    isTraining = false;
    isStarting = false; // will train when the runs are open
    pace = 100;

    #client: Client;
    #store: Store;
    #listeners = new Set<(event: RunEvent) => void>();
    #opening: [AbortController?, AbortController?] = [];
    #opens = new Set<Promise<void>>(); // those that are not done

    constructor(client: Client, store: Store) {
        this.#client = client;
        this.#store = store;
        client.onTrained = ({ run, progress, error }) => {
            if (progress) this.#progress(run, progress);
            if (error) this.#fail(run, error.text);
            if (this.isTraining && this.active().every((index) => this.isDone(index))) this.#setTraining(false);
        };
    }

    on(listener: (event: RunEvent) => void): () => void {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
    }

    /** The runs that are shown and trained. */
    active(): RunIndex[] {
        return this.#store.value.second ? [0, 1] : [0];
    }

    /** Whether the run cannot be trained further. */
    isDone(run: RunIndex): boolean {
        const { opened, finished, error } = this.run[run];
        return !opened || finished || error !== "";
    }

    /** Whether the text has changed since the run was opened. */
    isStale(run: RunIndex): boolean {
        const { opened, text } = this.run[run];
        return opened !== null && text !== this.#store.value.text;
    }

    /** The options that the run is opened with. Run B has those of run A, except for its own. */
    settings(run: RunIndex): Settings {
        const { runs, seed } = this.#store.value;
        return { ...runs[0], ...(run === 1 ? runs[1] : {}), seed: String(seed) };
    }

    /** Opens the active runs with other options, that of the change first. On failure the runs and the options stay as they
     *  were. */
    async reopenWith(run: RunIndex, change: Record<string, string | undefined>): Promise<void> {
        const { runs } = this.#store.value;
        this.#store.setRun(run, change);
        try {
            for (const one of this.active().sort((a) => (a === run ? -1 : 1))) await this.open(one, true);
        } catch (error) {
            this.#store.set({ runs });
            throw error;
        }
    }

    /** Opens the active runs from their seed. Errors go to the runs. */
    async reset(): Promise<void> {
        await Promise.all(this.active().map((run) => this.open(run)));
    }

    /** With `keep`, a run that is open stays so on failure, and the error is thrown. */
    async open(run: RunIndex, keep = false): Promise<void> {
        const done = this.#open(run, keep);
        this.#opens.add(done);
        try {
            await done;
        } finally {
            this.#opens.delete(done);
        }
    }

    /** Waits until no run is being opened. */
    async settled(): Promise<void> {
        while (this.#opens.size) await Promise.allSettled(this.#opens);
    }

    async #open(run: RunIndex, keep: boolean): Promise<void> {
        const { text } = this.#store.value;
        const settings = this.settings(run);
        if (!keep) Object.assign(this.run[run], new Run());
        this.#opening[run]?.abort(); // if it still waits, nobody wants it any more
        const { signal } = (this.#opening[run] = new AbortController());
        try {
            const { result } = await this.#client.call("open", { run, text, settings }, { signal });
            Object.assign(this.run[run], new Run(), { opened: result, text });
            this.#tell({ kind: "opened", run });
        } catch (error) {
            if (signal.aborted) return;
            if (keep && this.run[run].opened) throw error;
            this.#fail(run, message(error));
        }
    }

    /** Sets options of a run while it trains, or undefined ones back to their defaults. Those of the net need `open` instead.
     *  On failure the run goes on as it was. */
    async change(run: RunIndex, change: Record<string, string | undefined>): Promise<void> {
        const before = this.#store.value.runs[run];
        const removed = Object.fromEntries(Object.keys(change).map((key) => [key, ""]));
        this.#store.setRun(run, change);
        try {
            const settings = { ...removed, ...this.settings(run) };
            this.changed(run, (await this.#client.call("change", { run, settings })).result);
        } catch (error) {
            this.#store.setRun(run, Object.fromEntries(Object.keys(change).map((key) => [key, before[key]])));
            throw error;
        }
    }

    /** Updates per second to train at; Infinity: as fast as it can. */
    setPace(pace: number): void {
        this.pace = pace;
        if (this.isTraining) void this.start();
    }

    /** To be called with the result of calls that keep the parameters: change, add, load. */
    changed(run: RunIndex, opened: Opened): void {
        Object.assign(this.run[run], { opened, error: "", finished: false });
        this.#tell({ kind: "changed", run });
    }

    /** Trains the runs as the options are now. */
    async start(): Promise<void> {
        this.isStarting = true;
        await this.settled();
        if (!this.isStarting) return; // paused in the meantime
        this.isStarting = false;
        const runs = this.active().filter((run) => !this.isDone(run));
        this.#client.train(runs, this.pace);
        this.#setTraining(runs.length > 0);
    }

    pause(): void {
        this.isStarting = false;
        this.#client.train([]);
        this.#setTraining(false);
    }

    /** So many updates of each active run. */
    async step(updates = 1): Promise<void> {
        this.pause();
        await this.settled();
        for (const run of this.active()) {
            if (this.isDone(run)) continue;
            try {
                const { result } = await this.#client.call("train", { run, updates, milliseconds: 10000 });
                this.#progress(run, result);
            } catch (error) {
                this.#fail(run, message(error));
            }
        }
    }

    /** The worker was replaced: the runs are gone, and are opened again from their seed. */
    async reopen(): Promise<void> {
        this.#setTraining(false);
        await this.reset();
    }

    /** The worker was replaced: the runs are gone, what waits to be opened is not opened, nor does a run follow this text. */
    lose(reason: string): void {
        this.#setTraining(false);
        for (const run of this.active()) {
            this.#opening[run]?.abort();
            Object.assign(this.run[run], new Run(), { text: this.#store.value.text });
            this.#fail(run, reason);
        }
    }

    #progress(run: RunIndex, progress: Progress): void {
        const it = this.run[run];
        it.updates = progress.updates;
        it.epochs.push(...progress.epochs);
        it.finished = progress.finished;
        it.error = progress.error;
        this.#tell({ kind: "progress", run, progress });
        if (progress.error) this.#tell({ kind: "failed", run });
    }

    #fail(run: RunIndex, text: string): void {
        this.run[run].error = text;
        this.#tell({ kind: "failed", run });
    }

    #setTraining(on: boolean): void {
        if (this.isTraining === on) return;
        this.isTraining = on;
        this.#tell({ kind: "training" });
    }

    #tell(event: RunEvent): void {
        for (const listener of this.#listeners) listener(event);
    }
}

export const message = (error: unknown): string => (error instanceof CallError ? error.message : String(error));
