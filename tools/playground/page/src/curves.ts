/* What the runs have done so far, as curves over updates. */
import type { App } from "./app";
import type { Epoch, Opened, Progress, RunIndex } from "./protocol";
import { Series } from "./series";

/** An epoch, counted from the run's start, and the updates at its end. */
export interface EpochPoint extends Epoch {
    updates: number;
    trainingAccuracy: number | null;
}

export class Curves {
    losses = new Series();
    epochs: EpochPoint[] = [];
    updates = 0;
    epoch = 1; // of the next update
    batch = 0;
    /** Updates per second, at the chosen pace. */
    rate = 0;
    private since = { time: 0, updates: 0 };
    /** A change of options starts the module's count of epochs anew: those before it. */
    private before = 0;

    advance(progress: Progress, opened: Opened): void {
        const n = progress.losses.length;
        progress.losses.forEach((loss, i) =>
            this.losses.add(this.updates + ((i + 1) * (progress.updates - this.updates)) / n, loss),
        );
        // The last epoch that is done ended `batch` updates ago, and the ones before it a whole epoch earlier each.
        const batches = Math.ceil(opened.trainingSamples / opened.batchSize);
        for (const epoch of progress.epochs)
            this.epochs.push({
                ...epoch,
                epoch: this.before + epoch.epoch,
                updates: progress.updates - progress.batch - (progress.epoch - 1 - epoch.epoch) * batches,
                trainingAccuracy: null,
            });
        this.updates = progress.updates;
        this.epoch = this.before + progress.epoch;
        this.batch = progress.batch;
    }

    /** Starts to measure the rate. */
    begin(): void {
        this.since = { time: performance.now(), updates: this.updates };
    }

    measureRate(): void {
        const seconds = (performance.now() - this.since.time) / 1000;
        if (seconds < 0.5) return;
        this.rate = (this.updates - this.since.updates) / seconds;
        this.begin();
    }

    changed(): void {
        this.before = this.epochs.length;
    }
}

/** The curves of both runs, always up to date. */
export function follow(app: App): [Curves, Curves] {
    const curves: [Curves, Curves] = [new Curves(), new Curves()];
    app.runs.on((event) => {
        if (event.kind === "training") {
            for (const curve of curves) curve.begin();
            return;
        }
        const run: RunIndex = event.run;
        const { opened } = app.runs.run[run];
        if (event.kind === "opened") curves[run] = new Curves();
        if (event.kind === "changed") curves[run].changed();
        if (event.kind === "progress" && opened) {
            curves[run].advance(event.progress, opened);
            if (app.runs.isTraining) curves[run].measureRate();
        }
    });
    return curves;
}
