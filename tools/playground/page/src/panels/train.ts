/* Train, pause, step, reset; the options that matter; curves of one run, or of two side by side. */
import type { App } from "../app";
import { Chart, type Curve, percent, plain, Table, thin } from "../chart";
import { type Curves, follow } from "../curves";
import { count, debounce, h, icon, icons } from "../dom";
import { four } from "../four";
import type { Catalogue, Result, RunIndex, Settings } from "../protocol";
import { message } from "../runs";
import { choices, CONTROLS, type Choice, type Control, dataSet, dataSets, FOUR_PATH, isSynthetic, LIVE, moreOptions, withData } from "../settings";

const NAMES = ["A", "B"] as const;
const PACES = [1, 10, 100, 1000, Infinity];
const MEASURE = 400; // milliseconds between two measurements while training
const DRAW = 100; // and between two drawings of the curves

const short = (value: number): string => (value >= 1e4 ? `${Math.round(value / 1e3)},000` : String(Math.round(value)));

/** The entries of a list, in groups. */
function fill(select: HTMLSelectElement, list: Choice[], value: string): void {
    if (!list.some((choice) => choice.value === value)) list = [...list, { value, label: value }];
    const groups = new Map<string, HTMLElement>();
    const parts: HTMLElement[] = [];
    for (const { value, label, group } of list) {
        const option = h("option", { value }, label);
        if (!group) {
            parts.push(option);
            continue;
        }
        if (!groups.has(group)) {
            groups.set(group, h("optgroup", { label: group }));
            parts.push(groups.get(group)!);
        }
        groups.get(group)!.append(option);
    }
    select.replaceChildren(...parts);
    select.value = value;
}

class TrainPanel {
    private readonly curves: [Curves, Curves];
    private readonly loss = new Chart("Loss", plain);
    private readonly score = new Chart("Accuracy", percent, [0, 1]);
    private readonly table: Table;
    private readonly train = h("button", { type: "button", class: "primary", "aria-keyshortcuts": "Control+Enter" });
    private readonly stepButton = h("button", { type: "button", "aria-keyshortcuts": "Control+Shift+Enter" }, icon(icons.step), "Step");
    private readonly resetButton = h("button", { type: "button" }, icon(icons.reset), "Reset");
    private readonly status = h("p", { class: "status number" });
    private readonly words = h("p", { class: "words" });
    private readonly problem = h("p", { class: "problem", hidden: true });
    private readonly fields = h("div", { class: "controls" });
    private readonly more = h("details", { class: "more" }, h("summary", {}, "More options"));
    private readonly data = h("select", { "aria-label": "data" });
    private readonly second = h("input", { type: "checkbox" });
    private readonly inputs: { control: Control; run: RunIndex; field: HTMLInputElement | HTMLSelectElement }[] = [];
    private measured: [Result<"measure"> | null, Result<"measure"> | null] = [null, null];
    private measuredAt = 0;

    constructor(
        root: HTMLElement,
        private readonly app: App,
        private readonly catalogue: Catalogue,
    ) {
        this.curves = follow(app);
        this.table = new Table("The epochs as a table", () => this.heads(), () => this.rows());
        root.append(
            h("div", { class: "toolbar" }, this.train, this.stepButton, this.resetButton, this.pace(), this.compare()),
            this.status,
            this.problem,
            h("div", { class: "charts" }, this.loss.root, this.score.root),
            this.words,
            this.fields,
            this.table.root,
            this.more,
        );
        this.makeControls();
        this.makeMore();
        this.train.addEventListener("click", () => void this.toggle());
        this.stepButton.addEventListener("click", () => void this.step());
        this.resetButton.addEventListener("click", () => void this.reset());
        document.addEventListener("keydown", (event) => this.shortcut(event), true);
        this.listen();
        this.update();
    }

    /* ---- acting ---- */

    private async toggle(): Promise<void> {
        const { runs } = this.app;
        if (runs.isTraining) {
            runs.pause();
            return;
        }
        if (this.isWrong()) return;
        // Of a run that is done, more epochs; of one that failed, or whose text has changed, a new one.
        if (runs.active().some((run) => runs.run[run].error || !runs.run[run].opened)) await runs.reset();
        else if (runs.active().every((run) => runs.run[run].finished))
            for (const run of runs.active()) await runs.change(run, {});
        await runs.start();
    }

    /** Says so if the text has changed since the runs were opened, and has mistakes now: an older one would be trained. */
    private isWrong(): boolean {
        const { runs, checked, store } = this.app;
        const reads = (run: RunIndex): boolean => /^(:|$)/.test(runs.settings(run)["model"] ?? "");
        const wrong = checked.problems.length > 0 && checked.text === store.value.text;
        if (!wrong || !runs.active().some((run) => runs.isStale(run) && reads(run))) return false;
        this.app.notify("The text has mistakes; fix them, then Reset.");
        return true;
    }

    private async step(): Promise<void> {
        if (this.isWrong()) return;
        await this.app.runs.step();
        void this.measure(true);
    }

    private async reset(): Promise<void> {
        this.app.runs.pause();
        await this.app.runs.reset();
        const { error } = this.app.runs.run[0];
        this.app.announce(error || "Reset: the parameters are those of the seed.");
    }

    private shortcut(event: KeyboardEvent): void {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        event.stopPropagation();
        void (event.shiftKey ? this.step() : this.toggle());
    }

    private async set(run: RunIndex, key: string, value: string): Promise<void> {
        const { runs, store } = this.app;
        const change = { [key]: value || undefined };
        if (key === "seed") {
            const seed = Number(value || 1);
            if (Number.isSafeInteger(seed) && seed >= 0) {
                store.set({ seed });
                await this.reopen();
            } else {
                this.app.notify(`seed: got "${value}", expected a whole number, at least 0`);
                this.showSettings(true);
            }
        } else if (LIVE.has(key) && !runs.run[run].error && this.curves[run].updates > 0) {
            try {
                await runs.change(run, change);
                if (run === 0 && store.value.second && !(key in store.value.runs[1])) await runs.change(1, {});
            } catch (error) {
                this.app.notify(message(error));
                this.showSettings(true);
            }
        } else {
            await this.reopen(() => runs.reopenWith(run, change));
        }
    }

    /** The net or its data are others: the runs begin anew, and train if they did. */
    private async reopen(open = () => this.app.runs.reset()): Promise<void> {
        const { runs } = this.app;
        const wasTraining = runs.isTraining || runs.isStarting;
        runs.pause();
        try {
            await open();
        } catch (error) {
            this.app.notify(message(error));
            this.showSettings(true);
        }
        if (wasTraining) await runs.start();
    }

    /* ---- controls ---- */

    private pace(): HTMLElement {
        const { runs } = this.app;
        const select = h(
            "select",
            { "aria-label": "pace", title: "How many updates a second to make" },
            ...PACES.map((pace) => h("option", { value: pace }, pace < Infinity ? `${count(pace, "update")}/s` : "full speed")),
        );
        select.value = String(runs.pace);
        select.addEventListener("change", () => runs.setPace(Number(select.value)));
        return select;
    }

    private compare(): HTMLElement {
        const { store } = this.app;
        this.second.addEventListener("change", () => {
            store.set({ second: this.second.checked });
            void this.reopen();
        });
        return h("label", { class: "field check", title: "A second run from the same seed, with another cell, optimizer or gradient" }, this.second, "compare two runs");
    }

    private makeControls(): void {
        const { store } = this.app;
        this.data.addEventListener("change", () => {
            store.setRun(0, withData(this.catalogue, store.value.runs[0], this.data.value));
            if (isSynthetic(store.value.runs[0])) store.setRun(1, { steps: undefined });
            void this.reopen();
        });
        this.fields.append(h("div", { class: "control" }, h("span", { "aria-hidden": "true" }, "data"), this.data));
        for (const control of CONTROLS) {
            const fields = ([0, 1] as const).slice(0, control.both ? 2 : 1).map((run) => this.field(control, run));
            this.fields.append(h("div", { class: "control", "data-key": control.key }, h("span", { "aria-hidden": "true" }, control.label), ...fields));
        }
    }

    private field(control: Control, run: RunIndex): HTMLElement {
        const label = run || control.both ? `${control.label} of run ${NAMES[run]}` : control.label;
        const field = control.step
            ? h("input", { type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": label })
            : h("select", { "aria-label": label });
        if (control.both) field.classList.add(`run-${NAMES[run].toLowerCase()}`);
        field.addEventListener("change", () => void this.set(run, control.key, field.value.trim()));
        if (control.step && field instanceof HTMLInputElement)
            field.addEventListener("keydown", (event) => {
                const value = Number(field.value || field.placeholder);
                if ((event.key !== "ArrowUp" && event.key !== "ArrowDown") || !Number.isFinite(value)) return;
                event.preventDefault();
                field.value = String(Number(control.step!(value, event.key === "ArrowUp").toPrecision(6)));
                field.dispatchEvent(new Event("change"));
            });
        this.inputs.push({ control, run, field });
        return field;
    }

    private makeMore(): void {
        const list = h("div", { class: "options" });
        let parent: HTMLElement = list;
        let shown = "";
        for (const { key, argument, doc, group } of moreOptions(this.catalogue)) {
            if (group && group !== shown) list.append((parent = h("fieldset", {}, h("legend", {}, (shown = group)))));
            const field = argument
                ? h("input", { type: "text", autocomplete: "off", placeholder: argument })
                : h("input", { type: "checkbox" });
            field.dataset["key"] = key;
            field.addEventListener("change", () => void this.set(0, key, argument ? field.value.trim() : field.checked ? "true" : ""));
            parent.append(h("label", { class: "option" }, h("span", {}, key), field, h("small", {}, doc.replaceAll("\n", " "))));
        }
        this.more.append(list);
    }

    /** Shows the options in the controls: what is set as text, defaults as placeholders. */
    private showSettings(withFocused = false): void {
        const { store, runs, checked } = this.app;
        const { value } = store;
        this.second.checked = value.second;
        this.fields.classList.toggle("two", value.second);
        if (document.activeElement !== this.data)
            this.showData(value.runs[0]);
        for (const { control, run, field } of this.inputs) {
            const { key } = control;
            const settings = runs.settings(run);
            const own = key === "seed" ? String(value.seed) : (settings[key] ?? "");
            const opened = runs.run[run].opened?.settings ?? {};
            field.hidden = run === 1 && !value.second;
            // The data set the time steps of a sequence; `length` sets those of a synthetic task.
            const isSequence = runs.run[run].opened?.sequence ?? isSynthetic(settings);
            if (key === "steps") field.parentElement!.hidden = isSequence;
            if (key === "length") field.parentElement!.hidden = !isSynthetic(settings);
            field.disabled = control.net === true && this.isModel(settings);
            field.title = field.disabled ? "The model in the text says this" : "";
            if (document.activeElement === field && field instanceof HTMLInputElement && !withFocused) continue;
            if (field instanceof HTMLInputElement) {
                field.value = own;
                field.placeholder = opened[key] ?? "";
            } else {
                const list = choices(key, this.catalogue, checked, value.text, settings);
                if (key === "optimizer" && opened[key]) list[0]!.label = `${opened[key]} (default)`;
                fill(field, list, own);
            }
        }
        for (const field of this.more.querySelectorAll("input")) {
            const own = value.runs[0][field.dataset["key"]!] ?? "";
            if (field.type === "checkbox") field.checked = own === "true";
            else if (document.activeElement !== field) field.value = own;
        }
    }

    private showData(settings: Settings): void {
        const chosen = dataSet(settings);
        const own = { value: "", label: settings["data"]?.replace(/.*\//, "") ?? `digits ${settings["classes"]}` };
        fill(this.data, [...dataSets(this.catalogue), ...(chosen ? [] : [own])], chosen);
    }

    /** Whether the options choose a whole model of the text: options of a net around a cell do not apply to it. */
    private isModel({ model = "" }: Settings): boolean {
        const { entries } = this.app.checked;
        const entry = model === "" ? entries.at(-1) : entries.find(({ name }) => model === `:${name}`);
        return entry?.kind === "model";
    }

    /* ---- showing ---- */

    private listen(): void {
        const { runs, store } = this.app;
        const showSettings = debounce(30, () => this.showSettings());
        let drawnAt = 0;
        store.on(["runs", "second", "seed", "text"], showSettings);
        this.app.onChecked(() => {
            showSettings();
            this.update();
        });
        runs.on((event) => {
            if (event.kind === "progress") {
                if (event.progress.epochs.length) void this.measure(false);
                // Two runs are drawn once both have trained: then they have made as many updates.
                if (event.run !== runs.active().at(-1) || (performance.now() < drawnAt + DRAW && runs.isTraining)) return;
                drawnAt = performance.now();
            } else showSettings();
            // The sentence is about the run as it was.
            if (event.kind === "opened" || event.kind === "changed" || (event.kind === "failed" && !runs.run[event.run].opened)) {
                this.measured[event.run] = null;
                this.words.textContent = "";
            }
            if (event.kind === "failed") this.app.announce(runs.run[event.run].error);
            if (event.kind === "training" && !runs.isTraining) void this.measure(true);
            this.update();
        });
    }

    /** Measures the runs on their data, for the curve of training accuracy and, at the end, the words. */
    private async measure(always: boolean): Promise<void> {
        const { runs } = this.app;
        if (!always && performance.now() < this.measuredAt + MEASURE) return;
        this.measuredAt = performance.now();
        for (const run of runs.active()) {
            const { opened, error } = runs.run[run];
            if (!opened || error) continue;
            const epoch = this.curves[run].epochs.at(-1);
            try {
                const { result } = await this.app.client.call("measure", { run });
                if (runs.run[run].opened !== opened) return void this.measure(always); // it is another run by now
                this.measured[run] = result;
                if (epoch) epoch.trainingAccuracy = result.training.accuracy;
            } catch {
                this.measured[run] = null; // not finite: the run's own message says more
            }
        }
        if (!always || runs.isTraining) return;
        this.words.textContent = runs.active().map((run) => this.sentence(run)).join("\n").trim();
        if (this.words.textContent) this.app.announce(this.words.textContent);
        this.update();
    }

    private sentence(run: RunIndex): string {
        const result = this.measured[run];
        const { updates } = this.curves[run];
        if (!result || !updates) return "";
        const { validation, training, baseline } = result;
        const name = this.app.store.value.second ? `Run ${NAMES[run]}: after` : "After";
        const score = (of: typeof validation): string =>
            of.accuracy === null ? `error ${plain(of.error ?? of.loss)}` : `${percent(of.accuracy)} right`;
        const base = !baseline
            ? ""
            : baseline.accuracy === null
              ? ` Baseline (always ${baseline.text}): error ${plain(baseline.loss)}.`
              : ` Baseline (always ${baseline.text}): ${percent(baseline.accuracy)}.`;
        return `${name} ${count(updates, "update")}: ${score(validation)} on ${count(validation.samples, "validation sample")}, ${score(training)} on the training samples; loss ${plain(validation.loss)}.${base}`;
    }

    private update(): void {
        const { runs, store } = this.app;
        const active = runs.active();
        const finished = active.every((run) => runs.run[run].finished);
        this.train.replaceChildren(
            icon(runs.isTraining ? icons.pause : icons.play),
            runs.isTraining ? "Pause" : finished ? "Continue" : "Train",
        );
        const isOpen = active.every((run) => runs.run[run].opened || runs.run[run].error);
        this.train.disabled = this.stepButton.disabled = !isOpen;
        this.train.title = `${runs.isTraining ? "Pause" : "Train"} (Ctrl+Enter)`;
        this.stepButton.title = "One update (Ctrl+Shift+Enter)";
        const stale = active.some((run) => runs.isStale(run)) && active.some((run) => this.curves[run].updates > 0);
        this.resetButton.title = stale ? "Start again with the text as it is now" : "Start again from the seed";
        this.resetButton.classList.toggle("stale", stale);
        const problems = active.map((run) => runs.run[run].error).filter((error) => error);
        this.problem.hidden = problems.length === 0;
        const text = [...new Set(problems)].join(" ");
        if (this.problem.dataset["text"] !== text) this.showProblem(text);
        this.status.textContent = active.map((run) => this.state(run)).join("   ") + (stale ? "   The text has changed; reset to train it." : "");
        this.loss.draw(active.flatMap((run) => this.lossCurves(run)));
        this.score.root.hidden = active.every((run) => runs.run[run].opened?.classes === 0);
        this.score.draw(active.flatMap((run) => this.scoreCurves(run)));
        this.words.classList.toggle("two", store.value.second);
        this.table.update();
    }

    /** An error, with a button for what it says to do. */
    private showProblem(text: string): void {
        const { runs, store } = this.app;
        this.problem.dataset["text"] = text;
        this.problem.replaceChildren(text);
        const button = (label: string, onclick: () => void): void => this.problem.append(" ", h("button", { type: "button", onclick }, label));
        const cell = /; try (\w+)$/.exec(text)?.[1];
        if (cell && this.catalogue.cells.some(({ name }) => name === cell))
            button(`Use ${cell}`, () => {
                for (const run of runs.active()) if (runs.run[run].error) store.setRun(run, { model: cell });
                void this.reopen();
            });
        const field = this.more.querySelector<HTMLInputElement>(`[data-key="${/`([\w-]+)`/.exec(text)?.[1]}"]`);
        if (field)
            button(`Set ${field.dataset["key"]}`, () => {
                this.more.open = true;
                field.focus();
            });
    }

    private state(run: RunIndex): string {
        const { opened } = this.app.runs.run[run];
        const { epoch, updates, rate } = this.curves[run];
        if (!opened) return "";
        const name = this.app.store.value.second ? `${NAMES[run]}: ` : "";
        if (!updates) return `${name}${opened.model}, ${opened.parameterCount} parameters, ${opened.trainingSamples} samples`;
        const speed = rate ? `; ${count(short(rate), "update")}/s` : "";
        const at = this.app.runs.run[run].finished ? count(epoch - 1, "epoch") : `epoch ${epoch}`;
        return `${name}${at}, ${count(updates, "update")}${speed}`;
    }

    private label(run: RunIndex, what: string): string {
        return this.app.store.value.second ? `${NAMES[run]} ${what}` : what;
    }

    private lossCurves(run: RunIndex): Curve[] {
        const { losses, epochs } = this.curves[run];
        const rows = thin(epochs, 400);
        return [
            { label: this.label(run, "training"), run, validation: false, x: losses.x, y: losses.y },
            {
                label: this.label(run, "validation"),
                run,
                validation: true,
                x: rows.map((row) => row.updates),
                y: rows.map((row) => row.validationLoss),
            },
        ];
    }

    private scoreCurves(run: RunIndex): Curve[] {
        const { epochs } = this.curves[run];
        const training = thin(epochs.filter((row) => row.trainingAccuracy !== null), 400);
        const validation = thin(epochs.filter((row) => row.validationAccuracy !== null), 400);
        return [
            {
                label: this.label(run, "training"),
                run,
                validation: false,
                x: training.map((row) => row.updates),
                y: training.map((row) => row.trainingAccuracy!),
            },
            {
                label: this.label(run, "validation"),
                run,
                validation: true,
                x: validation.map((row) => row.updates),
                y: validation.map((row) => row.validationAccuracy!),
            },
        ];
    }

    /* ---- the table ---- */

    private heads(): string[] {
        const of = (name: string): string[] =>
            this.app.runs.active().map((run) => this.label(run, name));
        return ["epoch", "updates", ...of("loss"), ...of("validation loss"), ...of("accuracy")];
    }

    private rows(): (string | number)[][] {
        const active = this.app.runs.active();
        const epochs = active.map((run) => this.curves[run].epochs);
        const longest = epochs.reduce((a, b) => (b.length > a.length ? b : a));
        return thin(longest, 200).map(({ epoch, updates }) => {
            const rows = epochs.map((of) => of[epoch - 1]);
            return [
                epoch,
                updates,
                ...rows.map((row) => (row ? plain(row.loss) : "")),
                ...rows.map((row) => (row ? plain(row.validationLoss) : "")),
                ...rows.map((row) => (row && row.validationAccuracy !== null ? percent(row.validationAccuracy) : "")),
            ];
        });
    }
}

export function mount(root: HTMLElement, app: App): void {
    void app.client.writeFile(FOUR_PATH, new TextEncoder().encode(four));
    void app.catalogue.then((catalogue) => new TrainPanel(root, app, catalogue));
}
