/* One value of a net: its equation, its numbers, and where its gradient comes from. */

import { details, h } from "./dom";
import type { Equation } from "./equations";
import { paletteOf, part, type Read, type Signal, type Term, type Value } from "./look";
import { drawTiles, figure, layoutOf, norm, type Palette, range, scaleOf, tileCanvas } from "./tiles";

const MOST_CELLS = 4096; // of a table of numbers

export interface ValueView {
    name: string;
    step: number;
    value: Read<Value>;
    signals: Signal[];
    equation: Equation | null;
    showLine(line: number): void;
    select(name: string, step: number): void;
}

function matrix(shape: number[], numbers: Float32Array, label: string): HTMLElement {
    const { rows, columns } = layoutOf(shape.length === 1 ? [1, ...shape] : shape);
    const shown = Math.min(numbers.length, MOST_CELLS);
    const body = Array.from({ length: Math.ceil(shown / columns) }, (_, r) =>
        h(
            "tr",
            { class: r > 0 && r % rows === 0 ? "look-next" : null },
            ...Array.from(numbers.subarray(r * columns, Math.min((r + 1) * columns, shown)), (value) =>
                h("td", {}, figure(value)),
            ),
        ),
    );
    return h(
        "div",
        { class: "look-scroll", tabindex: 0, role: "region", "aria-label": label },
        h("table", { class: "numbers" }, h("caption", { class: "visually-hidden" }, label), h("tbody", {}, ...body)),
        shown < numbers.length && h("small", {}, `the first ${shown} of ${numbers.length} numbers`),
    );
}

/** Shows a value in the element. Returns what it is in words. */
export function showValue(root: HTMLElement, { name, step, value, signals, equation, showLine, select }: ValueView): string {
    const { is, of } = value;
    const signal = signals.find((s) => s.name === name);
    const shape = is.shape.length > 1 && is.shape[0] === 1 ? is.shape.slice(1) : is.shape;
    const isData = signal !== undefined && ["input", "prediction", "target"].includes(signal.kind);
    const steps = isData ? signal.steps : 1; // of data, the value is of all time steps
    const values = part(of(is.values), step - 1, steps);
    const gradient = is.gradient ? part(of(is.gradient), step - 1, steps) : null;
    const size = steps > 1 ? shape.slice(1) : shape;
    const title = signal && signal.steps > 1 ? `${name}[${step}]` : name;
    const isOpen = [...root.querySelectorAll("details")].map((one) => one.open);
    const picture = (label: string, numbers: Float32Array, palette: Palette) => {
        const canvas = tileCanvas(`${title}-${label}`);
        const layout = layoutOf(size.length === 1 ? [1, ...size] : size);
        drawTiles(canvas, {
            numbers,
            tiles: 1,
            layout,
            scale: scaleOf(numbers, palette),
            width: 136,
            height: layout.rows * layout.count === 1 ? 18 : 136,
            selected: -1,
        });
        return h(
            "figure",
            {},
            canvas,
            h("figcaption", {}, h("b", {}, label), ` ${range(numbers)}, norm ${figure(norm(numbers))}`),
        );
    };
    const numbers = [
        details("Numbers forward", isOpen[0] ?? false, () => matrix(size, values, `${title}, forward`)),
        gradient && details("Numbers backward", isOpen[1] ?? false, () => matrix(size, gradient, `${title}, backward`)),
    ];
    root.replaceChildren(
        ...([
            h("h2", {}, h("code", {}, title), h("small", {}, ` [${size.join(",")}]`)),
            equation &&
                (equation.line > 0
                    ? h(
                          "button",
                          { class: "quiet look-source", title: `Line ${equation.line}`, onclick: () => showLine(equation.line) },
                          h("code", {}, equation.text),
                          h("small", {}, ` line ${equation.line}`),
                      )
                    : h("code", { class: "look-source" }, equation.text)),
            h(
                "div",
                { class: "look-figures" },
                picture("forward", values, signal ? paletteOf(signal) : "signed"),
                gradient && picture("backward", gradient, "signed"),
            ),
            ...numbers,
            gradient && terms(is.terms),
        ].filter(Boolean) as Node[]),
    );
    return `${title}: ${range(values)}` + (gradient ? `, gradient of norm ${figure(norm(gradient))}` : "");

    function terms(all: Term[]): HTMLElement {
        const most = Math.max(...all.map((term) => term.norm ?? 0), 1e-300);
        const rows = all.map((term) => {
            const bar = h("i", { class: "look-bar" });
            bar.style.width = `${(100 * (term.norm ?? 0)) / most}%`;
            const isSignal = signals.some((s) => s.name === term.name);
            const label = term.step > 0 ? `${term.name}[${term.step}]` : term.name;
            return h(
                "tr",
                {},
                h(
                    "th",
                    { scope: "row" },
                    isSignal
                        ? h(
                              "button",
                              { class: "quiet", onclick: () => select(term.name, term.step || step) },
                              h("code", {}, label),
                          )
                        : h("code", {}, label),
                ),
                h("td", {}, h("code", {}, term.operation)),
                h("td", { class: "look-size" }, bar),
                h("td", {}, figure(term.norm)),
            );
        });
        const head = ["through", "operation", "", "norm"].map((text) =>
            h(text ? "th" : "td", { scope: text ? "col" : null }, text),
        );
        return h(
            "div",
            { class: "look-terms" },
            h(
                "p",
                { class: "label" },
                all.length === 0
                    ? "The loss does not depend on it."
                    : all.length === 1
                      ? "Its gradient comes through one term:"
                      : `Its gradient is the sum of ${all.length} terms:`,
            ),
            all.length > 0 &&
                h(
                    "div",
                    { class: "look-scroll" },
                    h("table", { class: "numbers" }, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)),
                ),
        );
    }
}
