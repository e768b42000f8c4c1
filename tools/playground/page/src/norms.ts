/* Norms of the gradient over time, as bars: whether it vanishes or explodes. */

import { details, h } from "./dom";
import { type Inside, type Norms, part, type Read } from "./look";
import { drawBars, figure, norm, range, tileCanvas } from "./tiles";

interface Row {
    name: string;
    state: boolean;
    whole: number;
    at: Float32Array; // per time step
}

/** Of a batch, if the net is made of a cell; else of the sample. */
function rowsOf(seen: Read<Inside>, all: Read<Norms> | null): Row[] {
    if (all && all.is.steps > 0)
        return all.is.rows
            .map((row) => ({ name: row.name, state: row.state, whole: all.of(row.norms)[0]!, at: all.of(row.norms).subarray(1) }))
            .filter((row) => row.at.some((value) => value > 0));
    return seen.is.signals
        .filter((signal) => signal.steps > 1 && signal.gradient && signal.kind !== "input")
        .map((signal) => ({
            name: signal.name,
            state: signal.kind === "state",
            whole: NaN,
            at: Float32Array.from({ length: signal.steps }, (_, t) => norm(part(seen.of(signal.gradient), t, signal.steps))),
        }));
}

/** The mean factor by which the norm of a state changes per step back in time, in words. */
function change({ at, state }: Row): string {
    if (!state) return "";
    let first = 0;
    let last = at.length - 1;
    while (last > 0 && !(at[last]! > 0)) last--;
    while (first < last && !(at[first]! > 0)) first++;
    if (last < 1) return "";
    const factor = first < last ? (at[first]! / at[last]!) ** (1 / (last - first)) : 0;
    const extreme = at[0]! < 1e-3 * at[last]! ? ": vanishes" : at[0]! > 1e3 * at[last]! ? ": explodes" : "";
    return `\u00d7 ${figure(factor)} per step back${extreme}`;
}

/** Shows the norms in the element; the bar of a step is marked, and a click selects one. */
export function showNorms(
    root: HTMLElement,
    seen: Read<Inside>,
    all: Read<Norms> | null,
    step: number,
    select: (step: number) => void,
): void {
    const rows = rowsOf(seen, all).sort((a, b) => Number(b.state) - Number(a.state));
    const values = rows.flatMap((row) => [...row.at]).filter((value) => value > 0 && Number.isFinite(value));
    const high = Math.ceil(Math.log10(Math.max(...values, 1e-12)));
    const low = Math.min(Math.floor(Math.log10(Math.min(...values, 1))), high - 2);
    const isOpen = root.querySelector("details")?.open ?? false;
    const of = all && all.is.steps > 0 ? `${all.is.samples} training samples` : "this sample";
    root.replaceChildren(
        h(
            "p",
            { class: "muted small" },
            rows.length
                ? `By state, and what each use of a parameter contributes; for ${of}, from 1e${low} to 1e${high}.`
                : "The net has one time step.",
        ),
        ...rows.map((row) => {
            const word = change(row);
            const chart = h("div", {
                class: "look-chart",
                role: "img",
                "aria-label": `${row.name}, ${range(row.at)}${word && `: ${word}`}`,
            });
            const canvas = tileCanvas(`norms-${row.name}`);
            const width = Math.max(80, Math.min(root.clientWidth || 480, 900) - 250);
            drawBars(canvas, row.at, low, high, step - 1, width, 34);
            chart.append(canvas);
            chart.onclick = (event) => {
                const pitch = Math.min(width / row.at.length, 42);
                select(1 + Math.floor((event.clientX - canvas.getBoundingClientRect().left) / pitch));
            };
            return h(
                "div",
                { class: "look-norm" },
                h("code", {}, row.name),
                chart,
                h("span", { class: /vanishes|explodes/.test(word) ? "warn" : "muted" }, word),
            );
        }),
    );
    if (rows.length) root.append(details("Numbers of these bars", isOpen, () => normTable(rows)));
}

function normTable(rows: Row[]): HTMLElement {
    const steps = rows[0]!.at.length;
    const head = ["of", "whole", ...Array.from({ length: steps }, (_, t) => `step ${t + 1}`)];
    return h(
        "div",
        { class: "look-scroll", tabindex: 0, role: "region", "aria-label": "Norms of the gradient" },
        h(
            "table",
            { class: "numbers" },
            h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
            h(
                "tbody",
                {},
                ...rows.map((row) =>
                    h(
                        "tr",
                        {},
                        h("th", { scope: "row" }, row.name),
                        h("td", {}, Number.isNaN(row.whole) ? "" : figure(row.whole)),
                        ...[...row.at].map((value) => h("td", {}, figure(value))),
                    ),
                ),
            ),
        ),
    );
}
