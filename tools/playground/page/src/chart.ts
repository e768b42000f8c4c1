/* Curves over updates: a uPlot, a legend with the last values, and a table behind it. */
import uPlot from "uplot";
import { color, h, onTheme } from "./dom";

/** How a curve is drawn. Colour never tells two apart alone: run B is dashed, validation has points. */
export interface Curve {
    label: string;
    run: 0 | 1;
    validation: boolean;
    x: number[];
    y: number[];
}

export type Show = (value: number) => string;

export const plain: Show = (value) =>
    value === 0 ? "0" : Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
export const percent: Show = (value) => `${Number((100 * value).toFixed(1))} %`;

function series(curve: Curve): uPlot.Series {
    const stroke = color(curve.run ? "--run-b" : "--run-a");
    return {
        label: curve.label,
        stroke,
        width: curve.validation ? 2 : 1,
        alpha: curve.validation ? 1 : 0.6,
        dash: curve.run ? [6, 4] : [],
        spanGaps: true,
        points: { show: curve.validation && curve.x.length < 60, size: 5, fill: stroke },
    };
}

/** The line of a curve, for the legend. */
function sample(curve: Curve): SVGSVGElement {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "0 0 28 10");
    svg.setAttribute("class", `line run-${curve.run ? "b" : "a"}${curve.validation ? " validation" : ""}`);
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS(space, "path");
    line.setAttribute("d", "M0 5H28");
    svg.append(line);
    if (curve.validation) {
        const point = document.createElementNS(space, "circle");
        for (const [key, value] of [["cx", "14"], ["cy", "5"], ["r", "3"]] as const) point.setAttribute(key, value);
        svg.append(point);
    }
    return svg;
}

export class Chart {
    private plot: uPlot | null = null;
    private shape = ""; // of the curves that the plot was made for
    private readonly area = h("div", { class: "plot", role: "img" });
    private readonly legend = h("ul", { class: "legend" });
    readonly root: HTMLElement;
    private logarithmic = false;

    constructor(
        title: string,
        private readonly show: Show,
        private readonly range?: [number, number],
    ) {
        const logarithmic = h("input", {
            type: "checkbox",
            onchange: () => {
                this.logarithmic = logarithmic.checked;
                this.draw(this.curves);
            },
        });
        const scale = h("label", { class: "field check" }, logarithmic, "logarithmic");
        this.root = h("figure", { class: "chart" }, h("figcaption", {}, title, !range && scale, this.legend), this.area);
        this.area.setAttribute("aria-label", `${title}; the numbers are in the table below`);
        new ResizeObserver(() => this.resize()).observe(this.area);
        onTheme(() => this.renew());
    }

    /** Colours have changed: draw with them. */
    renew(): void {
        this.shape = "";
        this.draw(this.curves);
    }

    private curves: Curve[] = [];

    draw(curves: Curve[]): void {
        this.curves = curves;
        this.legend.replaceChildren(
            ...curves.map((curve) => {
                const last = curve.y[curve.y.length - 1];
                const value = last === undefined ? "" : this.show(last);
                return h("li", {}, sample(curve), curve.label, h("span", { class: "number" }, value));
            }),
        );
        const drawn = curves.filter((curve) => curve.x.length);
        const shape = JSON.stringify([
            this.logarithmic,
            drawn.map((curve) => [curve.label, curve.run, curve.validation, curve.x.length < 60]),
        ]);
        const tables: uPlot.AlignedData[] = drawn.map(({ x, y }) => [x, this.logarithmic ? y.map((value) => (value > 0 ? value : null)) : y]);
        const data = tables.length ? uPlot.join(tables) : ([[], []] as unknown as uPlot.AlignedData);
        if (this.plot && shape === this.shape) {
            this.plot.setData(data);
            return;
        }
        this.shape = shape;
        this.plot?.destroy();
        this.plot = new uPlot(this.options(drawn), data, this.area);
    }

    private size(): { width: number; height: number } {
        return { width: Math.max(120, this.area.clientWidth), height: 184 };
    }

    private resize(): void {
        if (this.plot && this.plot.width !== this.size().width) this.plot.setSize(this.size());
    }

    private options(curves: Curve[]): uPlot.Options {
        const axis: uPlot.Axis = {
            stroke: color("--muted"),
            grid: { stroke: color("--line"), width: 1 },
            ticks: { stroke: color("--line"), width: 1, size: 4 },
            font: "11px system-ui, sans-serif",
            gap: 3,
        };
        const range = this.range;
        return {
            ...this.size(),
            legend: { show: false },
            cursor: { y: false, drag: { x: false, y: false } },
            scales: {
                x: { time: false, range: (_, low, high) => [low ?? 0, high === low ? (low ?? 0) + 1 : (high ?? 1)] },
                y: this.logarithmic ? { distr: 3 } : range ? { range } : { range: (_, low, high) => [Math.min(0, low ?? 0), high || 1] },
            },
            axes: [
                { ...axis, size: 26, space: 60, label: "updates", labelSize: 16, labelGap: 0, labelFont: axis.font! },
                { ...axis, size: 48, space: 28, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : this.show(tick))) },
            ],
            series: [{}, ...(curves.length ? curves.map(series) : [{}])],
        };
    }
}

/** At most n of the rows, evenly spread, with the last one. */
export function thin<T>(rows: T[], n: number): T[] {
    if (rows.length <= n) return rows;
    return Array.from({ length: n }, (_, i) => rows[Math.round(((i + 1) * rows.length) / n) - 1]!);
}

/** A table behind a picture: made only while it is open. */
export class Table {
    readonly root: HTMLDetailsElement;
    private readonly table = h("table");

    constructor(
        summary: string,
        private readonly columns: () => string[],
        private readonly rows: () => (string | number)[][],
    ) {
        const scroll = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": summary }, this.table);
        this.root = h("details", {}, h("summary", { onclick: () => this.make() }, summary), scroll);
        this.root.addEventListener("toggle", () => this.update()); // opened by a search in the page
    }

    update(): void {
        if (this.root.open) this.make();
    }

    private make(): void {
        const heads = this.columns().map((name) => h("th", { scope: "col" }, name));
        const rows = this.rows().map((cells) => h("tr", {}, ...cells.map((cell) => h("td", {}, cell))));
        this.table.replaceChildren(h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows));
    }
}
