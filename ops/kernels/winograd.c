/* The transforms of winograd.h, for LANES tiles or channels at a time. */
#include "ops/kernels/real.h"

#if defined(RV_REAL_F32)
#include <string.h>

#include "ops/kernels/winograd.h"

static const real a1 = POINT_A, a2 = POINT_A * POINT_A, a3 = POINT_A * POINT_A * POINT_A;
static const real b1 = POINT_B, b2 = POINT_B * POINT_B, b3 = POINT_B * POINT_B * POINT_B;
#define SUM_OF_SQUARES (a2 + b2)
#define NORM_0 (1 / (a2 * b2))
#define NORM_A (1 / (2 * a2 * (a2 - b2)))
#define NORM_B (1 / (2 * b2 * (b2 - a2)))

#define NOT_INLINE __attribute__((noinline))

/* Hides from the compiler what it knows of a variable, so that it does not compute the addresses of
 * all elements once for all tiles and keep them on the stack. */
#define OPAQUE(x) __asm__("" : "+r"(x))

static int64_t min(int64_t x, int64_t y) { return x < y ? x : y; }
static int64_t round_up(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

/* ---- along one axis: y[i*y_step] = sum_j matrix[i][j] x[j*x_step] ----
 * B' and A' are applied two rows at a time, so that a pair of rows of the result along both axes
 * stays in registers. */

/* Two rows of B'. Those of a point +-c have the other point's square as a factor. */
enum { PAIRS = PIECE / 2 };
static const int pair_rows[PAIRS][2] = {{0, 5}, {1, 2}, {3, 4}};

ALWAYS_INLINE void source_pair(int pair, vec y[2], const vec x[PIECE])
{
    const real c = pair == 1 ? a1 : b1, other2 = pair == 1 ? b2 : a2;
    if (pair == 0) {
        y[0] = a2 * b2 * x[0] + (x[4] - SUM_OF_SQUARES * x[2]);
        y[1] = a2 * b2 * x[1] + (x[5] - SUM_OF_SQUARES * x[3]);
    } else {
        const vec even = x[4] - other2 * x[2], odd = c * (x[3] - other2 * x[1]);
        y[0] = even + odd;
        y[1] = even - odd;
    }
}

/* Two rows of A': 0 and 2, or 1 and 3. */
ALWAYS_INLINE void out_pair(int odd, vec y[2], const vec x[PIECE])
{
    if (odd) {
        const vec a = x[1] - x[2], b = x[3] - x[4];
        y[0] = a1 * a + b1 * b;
        y[1] = a3 * a + (b3 * b + x[5]);
    } else {
        const vec a = x[1] + x[2], b = x[3] + x[4];
        y[0] = x[0] + a + b;
        y[1] = a2 * a + b2 * b;
    }
}

/* A */
ALWAYS_INLINE void cotangent_axis(vec *y, int y_step, const vec *x, int x_step)
{
    const vec x0 = x[0], x1 = x[x_step], x2 = x[2 * x_step], x3 = x[3 * x_step];
    const vec even_a = x0 + a2 * x2, odd_a = a1 * x1 + a3 * x3;
    const vec even_b = x0 + b2 * x2, odd_b = b1 * x1 + b3 * x3;
    y[0] = x0;
    y[y_step] = even_a + odd_a;
    y[2 * y_step] = even_a - odd_a;
    y[3 * y_step] = even_b + odd_b;
    y[4 * y_step] = even_b - odd_b;
    y[5 * y_step] = x3;
}

/* G */
ALWAYS_INLINE void kernel_axis(vec *y, int y_step, const vec *x, int x_step)
{
    const vec x0 = x[0], x1 = x[x_step], x2 = x[2 * x_step];
    const vec even_a = NORM_A * (x0 + a2 * x2), odd_a = NORM_A * a1 * x1;
    const vec even_b = NORM_B * (x0 + b2 * x2), odd_b = NORM_B * b1 * x1;
    y[0] = NORM_0 * x0;
    y[y_step] = even_a + odd_a;
    y[2 * y_step] = even_a - odd_a;
    y[3 * y_step] = even_b + odd_b;
    y[4 * y_step] = even_b - odd_b;
    y[5 * y_step] = x2;
}

/* G' */
ALWAYS_INLINE void kernel_gradient_axis(vec *y, int y_step, const vec *x, int x_step)
{
    const vec x1 = x[x_step], x2 = x[2 * x_step], x3 = x[3 * x_step], x4 = x[4 * x_step];
    const vec even_a = NORM_A * (x1 + x2), odd_a = NORM_A * (x1 - x2);
    const vec even_b = NORM_B * (x3 + x4), odd_b = NORM_B * (x3 - x4);
    y[0] = NORM_0 * x[0] + even_a + even_b;
    y[y_step] = a1 * odd_a + b1 * odd_b;
    y[2 * y_step] = a2 * even_a + (b2 * even_b + x[5 * x_step]);
}

/* ---- prefetching: while a transform runs, the pixels of the next but one are loaded ---- */

/* The address of the same rows of tiles in the channel two after `image`, whether or not there is
 * one. */
static uintptr_t tiles_of_next(const int64_t size[2], rv_tile_rows rows, const real *image)
{
    const int64_t pixels = (2 * size[0] + rows.first * SIDE) * size[1];
    return (uintptr_t)image + (size_t)pixels * sizeof(real);
}

/* Prefetches as many pixels as the tiles f .. f+LANES-1 have. Any address may be prefetched. */
ALWAYS_INLINE void fetch(uintptr_t tiles, int64_t f)
{
    const size_t tile = SIDE * SIDE * sizeof(real);
    for (size_t line = 0; line < LANES * tile; line += 64)
        __builtin_prefetch((const void *)(tiles + (size_t)f * tile + line));
}

/* ---- source ---- */

/* The rows of pixels that some rows of tiles see are split into phases, in which the pixels of
 * neighbouring tiles are neighbours: pixel (4i + r, 4j + k), r, k < 6, is phase[r][k][i * across +
 * j], and LANES of them are within a cache line. Scratch holds the phases and three rows: a mask of
 * the pixels inside the image, zeros, and a copy of a row. */
enum { HALF = LANES / 2 };
typedef real half_at
    __attribute__((vector_size(VECTOR_BYTES / 2), aligned(sizeof(real)), may_alias));

/* FOURTHS: of the 2 LANES pixels x, y those at 4j + k, then those at 4j + k + 1. NEXT: those at
 * 4j + 4 and 4j + 5, from FOURTHS with k = 0 and the pixels `rest` that follow y. */
#if VECTOR_BYTES == 64
#define FOURTHS(x, y, k) \
    __builtin_shufflevector(x, y, k, k + 4, k + 8, k + 12, k + 16, k + 20, k + 24, k + 28, k + 1, \
                            k + 5, k + 9, k + 13, k + 17, k + 21, k + 25, k + 29)
#define NEXT(x, rest) \
    __builtin_shufflevector(x, rest, 1, 2, 3, 4, 5, 6, 7, 16, 9, 10, 11, 12, 13, 14, 15, 17)
#define FIRST_HALF(x) __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7)
#define SECOND_HALF(x) __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15)
#elif VECTOR_BYTES == 32
#define FOURTHS(x, y, k) \
    __builtin_shufflevector(x, y, k, k + 4, k + 8, k + 12, k + 1, k + 5, k + 9, k + 13)
#define NEXT(x, rest) __builtin_shufflevector(x, rest, 1, 2, 3, 8, 5, 6, 7, 9)
#define FIRST_HALF(x) __builtin_shufflevector(x, x, 0, 1, 2, 3)
#define SECOND_HALF(x) __builtin_shufflevector(x, x, 4, 5, 6, 7)
#else
#define FOURTHS(x, y, k) __builtin_shufflevector(x, y, k, k + 4, k + 1, k + 5)
#define NEXT(x, rest) __builtin_shufflevector(x, rest, 1, 4, 3, 5)
#define FIRST_HALF(x) __builtin_shufflevector(x, x, 0, 1)
#define SECOND_HALF(x) __builtin_shufflevector(x, x, 2, 3)
#endif

/* The pixels of a row that are read: those of whole groups of HALF tiles, and LANES more. */
static int64_t row_width(const rv_tiling *t) { return round_up(t->across, HALF) * SIDE + LANES; }

/* Elements of a phase. Nearly all images have the same number, so that addresses are constants
 * there. */
enum { USUAL_COUNT = 128 };

static int64_t phase_count(const rv_tiling *t)
{
    const int64_t count = round_up((t->rows + 1) * t->across, LANES) + LANES;
    return count < USUAL_COUNT ? USUAL_COUNT : count;
}

int64_t RV_NAME(rv_winograd_source_scratch)(const rv_tiling *t)
{
    return ELEMENTS * phase_count(t) + 3 * row_width(t);
}

void RV_NAME(rv_winograd_source_ready)(const rv_tiling *t, real *scratch)
{
    const int64_t width = row_width(t);
    real *inside = scratch + ELEMENTS * phase_count(t);
    memset(inside, 0, (size_t)(3 * width) * sizeof(real));
    memset(inside + t->rim[1], 0xFF, (size_t)min(t->source[1], width - t->rim[1]) * sizeof(real));
}

static NOT_INLINE const real *copy_row(const rv_tiling *t, const real *image, int64_t i, real *copy)
{
    const int64_t most = row_width(t) - t->rim[1];
    rv_copy_few(copy + t->rim[1], image + i * t->source[1], min(t->source[1], most));
    return copy;
}

/* Row i with its rim, readable for row_width pixels. The rim may hold anything. Rows whose
 * neighbours are read instead of the rim are those from in_place[0] to in_place[1]. */
ALWAYS_INLINE const real *row_with_rim(const rv_tiling *t, const real *image, int64_t i,
                                       const int64_t in_place[2], real *zeros)
{
    if (i >= in_place[0] && i < in_place[1]) return image + i * t->source[1] - t->rim[1];
    return i < 0 || i >= t->source[0] ? zeros : copy_row(t, image, i, zeros + row_width(t));
}

static void rows_in_place(const rv_tiling *t, int64_t in_place[2])
{
    const int64_t wide = t->source[1], pixels = t->source[0] * wide;
    const int64_t beyond = row_width(t) - t->rim[1];
    in_place[0] = 0, in_place[1] = t->source[0];
    while (in_place[0] < t->source[0] && in_place[0] * wide < t->rim[1]) in_place[0]++;
    while (in_place[1] > 0 && (in_place[1] - 1) * wide + beyond > pixels) in_place[1]--;
}

ALWAYS_INLINE vec load_masked(const real *x, vec_bits mask)
{
    return (vec)((vec_bits)load(x) & mask);
}

/* Stores a row of HALF tiles, x[k/2] holding its pixels 4j + k and 4j + k + 1. */
ALWAYS_INLINE void store_row(real *to, int64_t step, const vec x[PIECE / 2])
{
    UNROLLED
    for (int k = 0; k < PIECE / 2; k++) {
        *(half_at *)(to + 2 * k * step) = FIRST_HALF(x[k]);
        *(half_at *)(to + (2 * k + 1) * step) = SECOND_HALF(x[k]);
    }
}

ALWAYS_INLINE void split_rows(const rv_tiling *t, rv_tile_rows rows, const real *image,
                              real *phases, int64_t count)
{
    const real *inside = phases + ELEMENTS * count;
    real *zeros = phases + ELEMENTS * count + row_width(t);
    int64_t in_place[2];
    rows_in_place(t, in_place);
    /* From the right: the last group writes into the next row of tiles, which is complete only
     * later. */
    for (int64_t j = (t->across - 1) / HALF * HALF; j >= 0; j -= HALF) {
        vec_bits mask[3];
        for (int k = 0; k < 3; k++) mask[k] = (vec_bits)load(inside + j * SIDE + k * LANES);
        real *tiles = phases + j;
        int64_t i = rows.first * SIDE - t->rim[0];
        for (int64_t down = 0; down <= rows.count; down++, tiles += t->across) {
            UNROLLED
            for (int r = 0; r < SIDE; r++, i++) {
                if (r == PIECE - SIDE && down == rows.count) break;
                const real *x = row_with_rim(t, image, i, in_place, zeros) + j * SIDE;
                const vec low = load_masked(x, mask[0]), high = load_masked(x + LANES, mask[1]);
                const vec rim = load_masked(x + 2 * LANES, mask[2]), first = FOURTHS(low, high, 0);
                const vec pixels[PIECE / 2] = {first, FOURTHS(low, high, 2), NEXT(first, rim)};
                store_row(tiles + r * PIECE * count, count, pixels);
                if (r < PIECE - SIDE && down > 0) /* the last rows of the tiles above */
                    store_row(tiles - t->across + (SIDE + r) * PIECE * count, count, pixels);
            }
        }
    }
}

/* LANES tiles, of which phases and `to` have the first. */
ALWAYS_INLINE void source_tiles(const real *phases, int64_t count, real *to, int64_t to_element)
{
    OPAQUE(phases);
    OPAQUE(to);
    OPAQUE(to_element);
    UNROLLED
    for (int pair = 0; pair < PAIRS; pair++) {
        vec v[2][PIECE];
        UNROLLED
        for (int k = 0; k < PIECE; k++) {
            vec d[PIECE], y[2];
            UNROLLED
            for (int r = 0; r < PIECE; r++) d[r] = load(phases + (r * PIECE + k) * count);
            source_pair(pair, y, d);
            v[0][k] = y[0], v[1][k] = y[1];
        }
        UNROLLED
        for (int h = 0; h < 2; h++) {
            real *row = to + pair_rows[pair][h] * PIECE * to_element;
            UNROLLED
            for (int p = 0; p < PAIRS; p++) {
                vec y[2];
                source_pair(p, y, v[h]);
                UNROLLED
                for (int q = 0; q < 2; q++) store(row + pair_rows[p][q] * to_element, y[q]);
            }
        }
    }
}

ALWAYS_INLINE void source(const rv_tiling *t, rv_tile_rows rows, const real *image, real *to,
                          int64_t to_element, real *scratch, int64_t count)
{
    const uintptr_t next = tiles_of_next(t->source, rows, image);
    split_rows(t, rows, image, scratch, count);
    for (int64_t f = 0; f < rows.count * t->across; f += LANES) {
        fetch(next, f);
        source_tiles(scratch + f, count, to + f, to_element);
    }
}

void RV_NAME(rv_winograd_source)(const rv_tiling *t, rv_tile_rows rows, const real *image, real *to,
                                 int64_t to_element, real *scratch)
{
    const int64_t count = phase_count(t);
    if (count == USUAL_COUNT)
        source(t, rows, image, to, to_element, scratch, USUAL_COUNT);
    else
        source(t, rows, image, to, to_element, scratch, count);
}

/* ---- out ---- */

/* The width of a buffer that holds one row of pixels of every tile, side by side. */
static int64_t out_row(const rv_tiling *t) { return round_up(t->rows * t->across, LANES) * SIDE; }

int64_t RV_NAME(rv_winograd_out_scratch)(const rv_tiling *t) { return SIDE * out_row(t); }

/* From y[k], pixel k of each tile, to the pixels of tile after tile. */
ALWAYS_INLINE void interleave(vec to[SIDE], const vec y[SIDE])
{
    const vec even = LOWER(y[0], y[2]), odd = LOWER(y[1], y[3]);
    const vec even_up = UPPER(y[0], y[2]), odd_up = UPPER(y[1], y[3]);
    to[0] = LOWER(even, odd), to[1] = UPPER(even, odd);
    to[2] = LOWER(even_up, odd_up), to[3] = UPPER(even_up, odd_up);
}

/* Stores row r of the pixels of LANES tiles at at[k] + r*row, k < SIDE; m has the first of their
 * elements. Not inlined, for the reason of OPAQUE. */
static NOT_INLINE void out_tiles(const real *m, int64_t m_element, real *const at[SIDE],
                                 int64_t row)
{
    UNROLLED
    for (int odd = 0; odd < 2; odd++) {
        vec v[2][PIECE];
        UNROLLED
        for (int k = 0; k < PIECE; k++) {
            vec e[PIECE], y[2];
            UNROLLED
            for (int r = 0; r < PIECE; r++) e[r] = load(m + (r * PIECE + k) * m_element);
            out_pair(odd, y, e);
            v[0][k] = y[0], v[1][k] = y[1];
        }
        UNROLLED
        for (int h = 0; h < 2; h++) {
            vec even[2], uneven[2], pixels[SIDE];
            out_pair(0, even, v[h]);
            out_pair(1, uneven, v[h]);
            interleave(pixels, (vec[SIDE]){even[0], uneven[0], even[1], uneven[1]});
            UNROLLED
            for (int k = 0; k < SIDE; k++) store(at[k] + (odd + 2 * h) * row, pixels[k]);
        }
    }
}

void RV_NAME(rv_winograd_out)(const rv_tiling *t, rv_tile_rows rows, const real *m,
                              int64_t m_element, real *image, real *scratch)
{
    const int64_t wide = t->across * SIDE, tiles = rows.count * t->across;
    const int64_t first = rows.first * SIDE, end = min(first + rows.count * SIDE, t->out[0]);
    const bool in_place = t->out[1] == wide && wide % LANES == 0 && t->out[0] % SIDE == 0 &&
                          tiles % LANES == 0; /* vectors of whole tiles fill whole rows */
    const int64_t row = in_place ? wide : out_row(t);
    const uintptr_t next = tiles_of_next(t->out, rows, image);
    real *to = in_place ? image + first * wide : scratch;
    int64_t j = 0;
    for (int64_t f = 0; f < tiles; f += LANES) {
        fetch(next, f);
        real *at[SIDE];
        UNROLLED
        for (int k = 0; k < SIDE; k++) {
            at[k] = to + j;
            j += LANES;
            if (in_place && j == wide) to += SIDE * wide, j = 0;
        }
        out_tiles(m + f, m_element, at, row);
    }
    for (int64_t i = 0; i < end - first && !in_place; i++) {
        rv_copy_few(image + (first + i) * t->out[1], scratch + i % SIDE * row + i / SIDE * wide,
                    t->out[1]);
    }
}

/* ---- cotangent ---- */

static int64_t turned_width(const rv_tiling *t) { return round_up(t->across * SIDE, LANES); }

int64_t RV_NAME(rv_winograd_cotangent_scratch)(const rv_tiling *t)
{
    return SIDE * turned_width(t) * LANES;
}

/* to[j*LANES + o] = dy[o*plane + j] for j < LANES, zero where o >= outputs or j >= n. */
static void turn(real *to, const real *dy, int64_t plane, int64_t outputs, int64_t n)
{
    if (outputs >= LANES && n >= LANES) {
        transpose_lanes(to, LANES, dy, plane);
        return;
    }
    real square[LANES * LANES] = {0};
    for (int64_t o = 0; o < min(outputs, LANES) && n > 0; o++)
        rv_copy_few(square + o * LANES, dy + o * plane, min(n, LANES));
    transpose_lanes(to, LANES, square, LANES);
}

void RV_NAME(rv_winograd_cotangent)(const rv_tiling *t, rv_tile_rows rows, const real *dy,
                                    int64_t outputs, real *to, int64_t to_element, int64_t to_tile,
                                    real *scratch)
{
    const int64_t wide = turned_width(t), plane = t->out[0] * t->out[1];
    for (int64_t i = rows.first; i < rows.first + rows.count; i++) {
        for (int64_t r = 0; r < SIDE; r++) {
            const int64_t at = i * SIDE + r, n = at < t->out[0] ? t->out[1] : 0;
            for (int64_t j = 0; j < wide; j += LANES)
                turn(scratch + (r * wide + j) * LANES, dy + at * t->out[1] + j, plane, outputs,
                     n - j);
        }
        for (int64_t j = 0; j < t->across; j++, to += to_tile) {
            vec v[PIECE * SIDE];
            UNROLLED
            for (int k = 0; k < SIDE; k++) {
                vec d[SIDE];
                UNROLLED
                for (int r = 0; r < SIDE; r++)
                    d[r] = load(scratch + (r * wide + j * SIDE + k) * LANES);
                cotangent_axis(v + k, SIDE, d, 1);
            }
            UNROLLED
            for (int r = 0; r < PIECE; r++) {
                vec e[PIECE];
                cotangent_axis(e, 1, v + r * SIDE, 1);
                UNROLLED
                for (int k = 0; k < PIECE; k++) store(to + (r * PIECE + k) * to_element, e[k]);
            }
        }
    }
}

/* ---- kernels ---- */

/* taps[p*LANES + s] = tap p of kernel s for LANES kernels, of which nothing beyond their taps is
 * read: the last columns overlap those before. */
static void turn_kernels(real *taps, const real *w, int64_t w_step)
{
    enum { LAST = TAPS - SHORT };
    for (int s = 0; s < LANES; s += STRIP, taps += STRIP, w += STRIP * w_step) {
        transpose_strip(taps, LANES, w, w_step, TAPS / SHORT * SHORT);
        transpose_strip(taps + LAST * LANES, LANES, w + LAST, w_step, SHORT);
    }
}

void RV_NAME(rv_winograd_kernels)(const real *w, int64_t w_step, int64_t count, bool turned,
                                  real *to, int64_t to_element)
{
    real taps[TAPS * LANES];
    if (count >= LANES) {
        turn_kernels(taps, w, w_step);
    } else {
        memset(taps, 0, sizeof taps);
        for (int64_t s = 0; s < count; s++) {
            for (int p = 0; p < TAPS; p++) taps[p * LANES + s] = w[s * w_step + p];
        }
    }
    const real *first = taps + (turned ? TAPS - 1 : 0) * LANES;
    const int64_t next = turned ? -LANES : LANES;
    vec g[TAPS], v[PIECE * WINDOW];
    UNROLLED
    for (int p = 0; p < TAPS; p++) g[p] = load(first + p * next);
    UNROLLED
    for (int q = 0; q < WINDOW; q++) kernel_axis(v + q, WINDOW, g + q, WINDOW);
    UNROLLED
    for (int r = 0; r < PIECE; r++) {
        vec e[PIECE];
        kernel_axis(e, 1, v + r * WINDOW, 1);
        UNROLLED
        for (int k = 0; k < PIECE; k++) store(to + (r * PIECE + k) * to_element, e[k]);
    }
}

void RV_NAME(rv_winograd_kernel_gradients)(const real *m, int64_t m_element, int64_t count,
                                           bool add, real *dw, int64_t w_step)
{
    vec v[WINDOW * PIECE], g[TAPS];
    UNROLLED
    for (int k = 0; k < PIECE; k++) {
        vec e[PIECE];
        UNROLLED
        for (int r = 0; r < PIECE; r++) e[r] = load(m + (r * PIECE + k) * m_element);
        kernel_gradient_axis(v + k, PIECE, e, 1);
    }
    UNROLLED
    for (int p = 0; p < WINDOW; p++) kernel_gradient_axis(g + p * WINDOW, 1, v + p * PIECE, 1);
    real taps[TAPS * LANES];
    UNROLLED
    for (int p = 0; p < TAPS; p++) store(taps + p * LANES, g[p]);
    for (int64_t s = 0; s < min(count, LANES); s++) {
        real *to = dw + s * w_step;
        for (int p = 0; p < TAPS; p++) to[p] = taps[p * LANES + s] + (add ? to[p] : 0);
    }
}

#endif
