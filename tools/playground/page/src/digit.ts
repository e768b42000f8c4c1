/* A drawing as a digit of the data. The UCI digits are bitmaps of 32x32 pixels, of which 4x4 blocks were counted: 8x8
 * numbers from 0 to 16. Each fills the height, is centred and at most about 22 pixels wide, and its strokes were made
 * thicker or thinner until it had about 310 black pixels, which is why a 1 is bold. Here the same is done with strokes. */

export interface Point {
    x: number;
    y: number;
}
/** Points that are joined by lines. One point is a dot. */
export type Stroke = Point[];

const BLOCK = 4;
const WIDTH = 22 / 32; // of the height
const INK = 310 / (32 * 32);
const THIN = 3 / 32;
const THICK = 11 / 32;

function distance(x: number, y: number, a: Point, b: Point): number {
    const dx = b.x - a.x;
    const dy = b.y - a.y;
    const length = dx * dx + dy * dy;
    const t = length ? Math.min(1, Math.max(0, ((x - a.x) * dx + (y - a.y) * dy) / length)) : 0;
    return Math.hypot(x - a.x - t * dx, y - a.y - t * dy);
}

/** Moves and scales strokes of a thickness into a bitmap of w x h pixels. */
function fit(strokes: Stroke[], w: number, h: number, thickness: number): Stroke[] {
    const points = strokes.flat();
    const left = Math.min(...points.map((p) => p.x));
    const right = Math.max(...points.map((p) => p.x));
    const top = Math.min(...points.map((p) => p.y));
    const bottom = Math.max(...points.map((p) => p.y));
    const wide = Math.max(right - left, 1e-9);
    const high = Math.max(bottom - top, 1e-9);
    const room = Math.min(w, WIDTH * h) - thickness;
    // A flat drawing, such as a minus sign, is scaled by its width alone.
    const sy = Math.min((h - thickness) / high, (4 * room) / wide);
    const sx = Math.min(sy, room / wide);
    return strokes.map((stroke) =>
        stroke.map((p) => ({
            x: w / 2 + (p.x - (left + right) / 2) * sx,
            y: h / 2 + (p.y - (top + bottom) / 2) * sy,
        })),
    );
}

/** The pixels of a bitmap, row by row: 1 where a stroke covers the centre. */
function draw(strokes: Stroke[], w: number, h: number, thickness: number): Uint8Array {
    const bitmap = new Uint8Array(w * h);
    for (const stroke of fit(strokes, w, h, thickness)) {
        for (let i = 0; i < stroke.length; i++) {
            const a = stroke[i]!;
            const b = stroke[i + 1] ?? a;
            const reach = thickness / 2;
            const x1 = Math.min(w - 1, Math.ceil(Math.max(a.x, b.x) + reach));
            const y1 = Math.min(h - 1, Math.ceil(Math.max(a.y, b.y) + reach));
            for (let y = Math.max(0, Math.floor(Math.min(a.y, b.y) - reach)); y <= y1; y++)
                for (let x = Math.max(0, Math.floor(Math.min(a.x, b.x) - reach)); x <= x1; x++)
                    if (distance(x + 0.5, y + 0.5, a, b) <= reach) bitmap[y * w + x] = 1;
        }
    }
    return bitmap;
}

/** A drawing as an image of `rows` x `columns` numbers from 0 to 1, row by row. All 0 without a stroke. */
export function digit(strokes: Stroke[], rows = 8, columns = 8): number[] {
    const image = new Array<number>(rows * columns).fill(0);
    if (!strokes.length) return image;
    const w = BLOCK * columns;
    const h = BLOCK * rows;
    let thin = THIN * h;
    let thick = THICK * h;
    for (let i = 0; i < 8; i++) {
        const thickness = (thin + thick) / 2;
        const ink = draw(strokes, w, h, thickness).reduce((sum, pixel) => sum + pixel, 0);
        if (ink < INK * h * h) thin = thickness;
        else thick = thickness;
    }
    draw(strokes, w, h, thin).forEach((pixel, i) => {
        const block = Math.floor(i / w / BLOCK) * columns + Math.floor((i % w) / BLOCK);
        image[block]! += pixel / BLOCK ** 2;
    });
    return image;
}
