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

/** How a tensor's numbers lie in a tile: matrices of rows x columns, `down` x `across` of them. */
export interface Layout {
    rows: number;
    columns: number;
    down: number;
    across: number;
}

/** A vector is a column; a kernel [o,i,h,w] has a matrix for each output, downwards, and input. */
export function layoutOf(shape: readonly number[]): Layout {
    const size = shape.filter((n, i) => n > 1 || i >= shape.length - 2);
    const columns = size.length > 1 ? size.at(-1)! : 1;
    const rows = (size.length > 1 ? size.at(-2) : size.at(-1)) ?? 1;
    const across = size.length > 3 ? size.at(-3)! : 1;
    const down = size.slice(0, -2).reduce((a, b) => a * b, 1) / across;
    return { rows, columns, down, across };
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
    /** [tiles, ...layout] */
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

/** Where tiles lie: the width of a cell, its height, and the distance between two tiles. */
function measure({ tiles, layout, width, height }: Tiles): { cellWidth: number; cellHeight: number; pitch: number } {
    const { rows, columns, down, across } = layout;
    const isImage = columns > 1;
    const between = tiles > 1 && (isImage || width / tiles > 6) ? 2 : 0;
    let cellWidth = Math.max(1, (width / tiles - between - (across - 1) * GAP) / (columns * across));
    let cellHeight = Math.max(1, (height - (down - 1) * GAP) / (rows * down));
    if (isImage) cellWidth = cellHeight = Math.min(cellWidth, cellHeight);
    else if (tiles === 1) cellWidth = Math.min(cellWidth, 24);
    else cellWidth = Math.min(cellWidth, 40);
    if (cellWidth > 2) cellWidth = Math.floor(cellWidth);
    if (cellHeight > 2) cellHeight = Math.floor(cellHeight);
    return { cellWidth, cellHeight, pitch: cellWidth * columns * across + (across - 1) * GAP + between };
}

/** The tile at a distance from the left edge. */
export function tileAt(tiles: Tiles, x: number): number {
    return Math.min(tiles.tiles - 1, Math.max(0, Math.floor(x / measure(tiles).pitch)));
}

export function drawTiles(canvas: HTMLCanvasElement, it: Tiles): void {
    const { layout, tiles, numbers } = it;
    const { rows, columns, down, across } = layout;
    const { cellWidth, cellHeight, pitch } = measure(it);
    const ratio = devicePixelRatio || 1;
    const width = Math.ceil(pitch * tiles);
    const height = Math.ceil(cellHeight * rows * down + (down - 1) * GAP);
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d")!;
    context.scale(ratio, ratio);
    context.imageSmoothingEnabled = false;
    const paint = colours(it.scale);
    const one = new OffscreenCanvas(columns, rows);
    const small = one.getContext("2d")!;
    const pixels = small.createImageData(columns, rows);
    const size = rows * columns;
    const matrices = down * across;
    for (let t = 0; t < tiles; t++)
        for (let m = 0; m < matrices; m++) {
            const from = (t * matrices + m) * size;
            for (let i = 0; i < size; i++) paint(numbers[from + i] ?? NaN, pixels.data, 4 * i);
            small.putImageData(pixels, 0, 0);
            const x = t * pitch + (m % across) * (cellWidth * columns + GAP);
            const y = Math.floor(m / across) * (cellHeight * rows + GAP);
            context.drawImage(one, x, y, cellWidth * columns, cellHeight * rows);
        }
    if (it.selected < 0) return;
    const inner = cellWidth * columns * across + (across - 1) * GAP;
    context.strokeStyle = color("--text");
    context.lineWidth = 1.5;
    context.strokeRect(it.selected * pitch + 0.75, 0.75, Math.max(inner - 1.5, 2), height - 1.5);
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
    const text =
        size === 0 ? "0" : size >= 1e5 || size < 1e-3 ? size.toExponential(1) : String(Number(size.toPrecision(3)));
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
