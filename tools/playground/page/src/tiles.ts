/* Tensors as pictures: a coloured cell for each number, a tile for each time step. */

import { color } from "./dom";

/** signed: below zero, zero, above. fraction: 0 to 1. ink: from zero, for data. */
export type Palette = "signed" | "fraction" | "ink";

export interface Scale {
    palette: Palette;
    most: number; // the number with the strongest colour
}

export function scaleOf(numbers: Float32Array, palette: Palette): Scale {
    if (palette === "fraction") return { palette, most: 1 };
    let most = 0;
    for (const value of numbers) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
    return { palette, most };
}

/** How a tensor's numbers lie in a tile: `count` matrices of rows x columns, in rows of `across`; 0: as many as fit. */
export interface Layout {
    rows: number;
    columns: number;
    count: number;
    across: number;
}

/** A vector is a column, an image has a matrix for each channel, and a kernel [o,i,h,w] a row of matrices for each output. */
export function layoutOf(shape: readonly number[]): Layout {
    const size = shape.filter((n, i) => n > 1 || i >= shape.length - 2);
    const columns = size.length > 1 ? size.at(-1)! : 1;
    const rows = (size.length > 1 ? size.at(-2) : size.at(-1)) ?? 1;
    const count = size.slice(0, -2).reduce((a, b) => a * b, 1);
    return { rows, columns, count, across: size.length > 3 ? size.at(-3)! : 0 };
}

/* ---- colours ---- */

type Rgb = readonly [number, number, number];

const rgb = (name: string): Rgb => {
    const [r = 0, g = 0, b = 0] = (color(name).match(/[\d.]+/g) ?? []).map(Number);
    return [r, g, b];
};

/** Writes the colour of a number. Not finite: the text's colour, which no number has in the palettes of values. */
type Colour = (value: number, to: Uint8ClampedArray, at: number) => void;

function colours({ palette, most }: Scale): Colour {
    const zero = rgb("--zero");
    const above = rgb(palette === "ink" ? "--text" : "--above");
    const below = rgb("--below");
    const broken = rgb("--wrong");
    return (value, to, at) => {
        const share = Math.min(1, Math.abs(value) / (most || 1));
        const full = !Number.isFinite(value) ? broken : value < 0 ? below : above;
        const part = Number.isFinite(value) ? share : 1;
        for (let c = 0; c < 3; c++) to[at + c] = zero[c]! + part * (full[c]! - zero[c]!);
        to[at + 3] = 255;
    };
}

/** The colours from the smallest to the largest number, for a legend. */
export function gradientOf({ palette }: Scale): string {
    const from = palette === "signed" ? "var(--below), " : "";
    return `linear-gradient(to right, ${from}var(--zero), var(${palette === "ink" ? "--text" : "--above"}))`;
}

/* ---- drawing ---- */

const GAP = 1; // between the matrices of a tile, in cells' pixels

export interface Tiles {
    /** [tiles, count, rows, columns] */
    numbers: Float32Array;
    tiles: number;
    layout: Layout;
    scale: Scale;
    /** Pixels of the page. */
    width: number;
    height: number;
    /** The tile with a frame; -1: none. */
    selected: number;
}

/** Where tiles lie. */
interface Geometry {
    cellWidth: number;
    cellHeight: number;
    across: number; // matrices
    down: number;
    pitch: number; // from a tile to the next
}

function measure({ tiles, layout, width, height }: Tiles): Geometry {
    const { rows, columns, count } = layout;
    const isImage = columns > 1;
    const between = tiles > 1 && (isImage || width / tiles > 6) ? 2 : 0;
    const cells = (across: number) => {
        const down = Math.ceil(count / across);
        const cellWidth = Math.max(0.2, (width / tiles - between - (across - 1) * GAP) / (columns * across));
        const cellHeight = Math.max(0.2, (height - (down - 1) * GAP) / (rows * down));
        return { cellWidth, cellHeight, across, down };
    };
    let best = cells(layout.across || 1);
    const size = (one: typeof best) => Math.min(one.cellWidth, one.cellHeight);
    for (let across = 2; !layout.across && across <= count; across++) {
        const one = cells(across);
        if (size(one) > size(best)) best = one;
    }
    let { cellWidth, cellHeight } = best;
    if (isImage) cellWidth = cellHeight = size(best);
    else cellWidth = Math.min(cellWidth, tiles === 1 ? 24 : 40);
    if (cellWidth > 2) cellWidth = Math.floor(cellWidth);
    if (cellHeight > 2) cellHeight = Math.floor(cellHeight);
    return { ...best, cellWidth, cellHeight, pitch: cellWidth * columns * best.across + (best.across - 1) * GAP + between };
}

/** The tile at a distance from the left edge. */
export function tileAt(tiles: Tiles, x: number): number {
    return Math.min(tiles.tiles - 1, Math.max(0, Math.floor(x / measure(tiles).pitch)));
}

/** Which cell each pixel along an axis belongs to: its group and its place there; -1: a gap. */
function cellsAlong(
    pixels: number,
    groups: number,
    cells: number,
    size: number,
    ratio: number,
): { group: Int32Array; cell: Int32Array } {
    const group = new Int32Array(pixels).fill(-1);
    const cell = new Int32Array(pixels);
    const pitch = size * cells + GAP;
    for (let i = 0; i < pixels; i++) {
        const at = (i + 0.5) / ratio;
        const g = Math.floor(at / pitch);
        const c = Math.floor((at - g * pitch) / size);
        if (g >= groups || c >= cells) continue;
        group[i] = g;
        cell[i] = c;
    }
    return { group, cell };
}

export function drawTiles(canvas: HTMLCanvasElement, it: Tiles): void {
    const { layout, tiles, numbers } = it;
    const { rows, columns, count } = layout;
    const { cellWidth, cellHeight, across, down, pitch } = measure(it);
    const ratio = devicePixelRatio || 1;
    const inner = cellWidth * columns * across + (across - 1) * GAP;
    const width = Math.ceil((pitch * (tiles - 1) + inner) * ratio);
    const height = Math.ceil((cellHeight * rows * down + (down - 1) * GAP) * ratio);
    canvas.width = width;
    canvas.height = height;
    canvas.style.width = `${width / ratio}px`;
    canvas.style.height = `${height / ratio}px`;
    const context = canvas.getContext("2d")!;
    const pixels = context.createImageData(width, height);
    const paint = colours(it.scale);
    const y = cellsAlong(height, down, rows, cellHeight, ratio);
    const x = cellsAlong(Math.ceil(inner * ratio), across, columns, cellWidth, ratio);
    for (let i = 0; i < width; i++) {
        const tile = Math.min(tiles - 1, Math.floor((i + 0.5) / ratio / pitch));
        const inTile = i - Math.round(tile * pitch * ratio);
        const group = x.group[inTile] ?? -1;
        if (group < 0) continue;
        for (let k = 0; k < height; k++) {
            const matrix = y.group[k]! * across + group;
            if (y.group[k]! < 0 || matrix >= count) continue;
            const at = ((tile * count + matrix) * rows + y.cell[k]!) * columns + x.cell[inTile]!;
            paint(numbers[at] ?? NaN, pixels.data, 4 * (k * width + i));
        }
    }
    context.putImageData(pixels, 0, 0);
    if (it.selected < 0) return;
    context.scale(ratio, ratio);
    context.strokeStyle = color("--text");
    context.lineWidth = 1.5;
    context.strokeRect(it.selected * pitch + 0.75, 0.75, Math.max(inner - 1.5, 2), height / ratio - 1.5);
}

/** A bar for each number on a logarithmic axis from 10^low to 10^high. */
export function drawBars(
    canvas: HTMLCanvasElement,
    numbers: Float32Array,
    low: number,
    high: number,
    selected: number,
    width: number,
    height: number,
): void {
    const ratio = devicePixelRatio || 1;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d")!;
    context.scale(ratio, ratio);
    const pitch = Math.min(width / numbers.length, 42);
    const [usual, now] = [color("--faint"), color("--accent")];
    numbers.forEach((value, i) => {
        if (!(value > 0)) return;
        const size = Math.max(1.5, (height * (Math.log10(value) - low)) / (high - low));
        context.fillStyle = i === selected ? now : usual;
        context.fillRect(i * pitch, height - size, Math.max(pitch - (pitch > 4 ? 2 : 0), 0.5), size);
    });
}

/** The canvas as one that nobody needs to see: what it shows is said elsewhere. */
export function tileCanvas(name: string): HTMLCanvasElement {
    const canvas = document.createElement("canvas");
    canvas.dataset["name"] = name;
    canvas.setAttribute("aria-hidden", "true");
    return canvas;
}

/* ---- numbers ---- */

/** Three digits, with a minus sign. */
export function figure(value: number | null | undefined): string {
    if (value === null || value === undefined || Number.isNaN(value)) return "NaN";
    if (!Number.isFinite(value)) return value < 0 ? "\u2212\u221e" : "\u221e";
    const size = Math.abs(value);
    const text = size === 0 ? "0" : size >= 1e5 || size < 1e-3 ? size.toExponential(1) : String(Number(size.toPrecision(3)));
    return (value < 0 ? "\u2212" : "") + text.replace("e-", "e\u2212").replace("e+", "e");
}

export function norm(numbers: Float32Array): number {
    let sum = 0;
    for (const value of numbers) sum += value * value;
    return Math.sqrt(sum);
}

export function range(numbers: Float32Array): string {
    let low = Infinity;
    let high = -Infinity;
    for (const value of numbers) {
        low = Math.min(low, value);
        high = Math.max(high, value);
    }
    return low === high ? figure(low) : `${figure(low)} to ${figure(high)}`;
}
