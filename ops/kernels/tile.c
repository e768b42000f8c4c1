/* The micro-kernels: one function for each size, so that every result stays in a register. */
#include "ops/kernels/tile.h"

#include "ops/kernels/lanes.h"

#if defined(__wasm__)
enum { FETCHES = 0 }; /* there is no instruction for it */
#else
enum { FETCHES = 1 };
#endif

ALWAYS_INLINE void fetch(rv_tile_kind kind, int rows, int vectors, const rv_tile *t, const real *a,
                         const real *c)
{
    if (t->far_c) {
        UNROLLED
        for (int i = 0; i < rows; i++, c += t->c_row) {
            UNROLLED
            for (int v = 0; v < vectors; v++) __builtin_prefetch(c + v * LANES, 1);
        }
    }
    if (kind == RV_TILE_COLUMNS && t->far_a) {
        for (int64_t l = 0; l < t->k; l++, a += t->a_stride) __builtin_prefetch(a + 2 * TILE_ROWS);
    }
}

/* Fetches from next on in each step, because many fetches at once hold up the loads after them. */
ALWAYS_INLINE void tile_sums(rv_tile_kind kind, int rows, int vectors, const rv_tile *t,
                             const real *a_of_tile, real *c, uintptr_t next, int64_t next_step)
{
    vec sum[TILE_ROWS][TILE_WIDEST];
    UNROLLED
    for (int i = 0; i < rows; i++) {
        UNROLLED
        for (int v = 0; v < vectors; v++) sum[i][v] = (vec){0};
    }
    const int64_t a_row = kind == RV_TILE_COLUMNS ? 1 : t->a_stride;
    const int64_t a_column = kind == RV_TILE_COLUMNS ? t->a_stride : 1;
    const int64_t k = t->k, b_row = t->b_row, c_row = t->c_row;
    const rv_tap *tap = t->tap;
    for (int64_t l = 0; l < k; l++) {
        const real *a = a_of_tile + (kind == RV_TILE_TAPS ? tap[l].a : l * a_column);
        const real *b = t->b + (kind == RV_TILE_TAPS ? tap[l].b : l * b_row);
        if (next) __builtin_prefetch((const void *)(next + (uintptr_t)(l * next_step)));
        vec row[TILE_WIDEST];
        UNROLLED
        for (int v = 0; v < vectors; v++) row[v] = load(b + v * LANES);
        UNROLLED
        for (int i = 0; i < rows; i++) {
            const real ai = a[i * a_row];
            UNROLLED
            for (int v = 0; v < vectors; v++) sum[i][v] += ai * row[v];
        }
    }
    if (t->add) {
        UNROLLED
        for (int i = 0; i < rows; i++, c += c_row) {
            UNROLLED
            for (int v = 0; v < vectors; v++) store(c + v * LANES, load(c + v * LANES) + sum[i][v]);
        }
    } else {
        UNROLLED
        for (int i = 0; i < rows; i++, c += c_row) {
            UNROLLED
            for (int v = 0; v < vectors; v++) store(c + v * LANES, sum[i][v]);
        }
    }
}

ALWAYS_INLINE void tile_body(rv_tile_kind kind, int rows, int vectors, bool fetches,
                             const rv_tile *t)
{
    const int64_t a_step = rows * (kind == RV_TILE_COLUMNS ? 1 : t->a_stride);
    const real *a = t->a;
    uintptr_t next = t->next;
    real *c = t->c;
    int64_t left = t->tiles;
    do {
        fetch(kind, rows, vectors, t, a, c);
        if (fetches) {
            const bool more = next < t->next_end;
            tile_sums(kind, rows, vectors, t, a, c, more ? next : (uintptr_t)t->b,
                      more ? t->next_step : 0);
            next += (uintptr_t)(t->k * t->next_step);
        } else {
            tile_sums(kind, rows, vectors, t, a, c, 0, 0);
        }
        a += a_step;
        c += rows * t->c_row;
    } while (--left > 0);
}

/* Panels are multiples of two vectors. */
#define TILE(kind, rows, vectors) \
    static void kind##_##rows##x##vectors(const rv_tile *t) \
    { \
        if (FETCHES && kind != RV_TILE_TAPS && vectors == 2 && t->next) \
            tile_body(kind, rows, vectors, true, t); \
        else \
            tile_body(kind, rows, vectors, false, t); \
    }
#define ENTRY(kind, rows, vectors) [kind][rows - 1][vectors - 1] = kind##_##rows##x##vectors,

/* All sizes up to the widths that rv_tile_width returns. */
#define WIDTHS2(X, kind, rows) X(kind, rows, 1) X(kind, rows, 2)
#define WIDTHS3(X, kind, rows) WIDTHS2(X, kind, rows) X(kind, rows, 3)
#define WIDTHS4(X, kind, rows) WIDTHS3(X, kind, rows) X(kind, rows, 4)
#define WIDTHS8(X, kind, rows) \
    WIDTHS4(X, kind, rows) X(kind, rows, 5) X(kind, rows, 6) X(kind, rows, 7) X(kind, rows, 8)
#if VECTOR_BYTES > 16
#define WIDTHS WIDTHS3
#else
#define WIDTHS WIDTHS2
#endif
#define SIZES_4(X, kind) \
    WIDTHS8(X, kind, 1) WIDTHS4(X, kind, 2) WIDTHS(X, kind, 3) WIDTHS(X, kind, 4)
#if VECTOR_REGISTERS == 32
#define SIZES(X, kind) \
    SIZES_4(X, kind) WIDTHS(X, kind, 5) WIDTHS(X, kind, 6) WIDTHS(X, kind, 7) WIDTHS(X, kind, 8)
#else
#define SIZES SIZES_4
#endif
#define KINDS(X) SIZES(X, RV_TILE_ROWS) SIZES(X, RV_TILE_COLUMNS) SIZES(X, RV_TILE_TAPS)

KINDS(TILE)

void RV_NAME(rv_tile_run)(rv_tile_kind kind, int rows, int vectors, const rv_tile *tile)
{
    static void (*const run[RV_TILE_KINDS][TILE_ROWS][TILE_WIDEST])(const rv_tile *) = {
        KINDS(ENTRY)};
    run[kind][rows - 1][vectors - 1](tile);
}

/* The last vector of a run overlaps the one before. The lanes that it repeats are masked. */
ALWAYS_INLINE vec_bits mask_of_last(int64_t k)
{
    static const real_bits order[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const vec_bits lane = (vec_bits)load((const real *)(const void *)order);
    return (vec_bits)(lane >= (real_bits)(LANES - k % LANES));
}

ALWAYS_INLINE vec load_masked(const real *x, vec_bits mask)
{
    return (vec)((vec_bits)load(x) & mask);
}

ALWAYS_INLINE void dot_body(int rows, int columns, const rv_dot *d)
{
    vec sum[DOT_ROWS][DOT_COLUMNS];
    UNROLLED
    for (int i = 0; i < rows; i++) {
        UNROLLED
        for (int j = 0; j < columns; j++) sum[i][j] = (vec){0};
    }
    const int64_t k = d->k, whole = k - k % LANES;
    const vec_bits mask = mask_of_last(k);
    for (int64_t r = 0; r < d->runs; r++) {
        const real *a[DOT_ROWS], *b[DOT_COLUMNS];
        UNROLLED
        for (int i = 0; i < rows; i++) a[i] = d->a[i] + r * d->a_run;
        UNROLLED
        for (int j = 0; j < columns; j++) b[j] = d->b[j] + r * d->b_run;
        for (int64_t l = 0; l < whole; l += LANES) {
            vec column[DOT_COLUMNS];
            UNROLLED
            for (int j = 0; j < columns; j++) column[j] = load(b[j] + l);
            UNROLLED
            for (int i = 0; i < rows; i++) {
                const vec row = load(a[i] + l);
                UNROLLED
                for (int j = 0; j < columns; j++) sum[i][j] += row * column[j];
            }
        }
        if (whole < k) {
            UNROLLED
            for (int i = 0; i < rows; i++) {
                const vec row = load_masked(a[i] + k - LANES, mask);
                UNROLLED
                for (int j = 0; j < columns; j++) {
                    sum[i][j] += row * load_masked(b[j] + k - LANES, mask);
                }
            }
        }
    }
    /* Sum over the lanes, LANES results at a time. */
    const bool add = d->add;
    real flat[DOT_ROWS * DOT_COLUMNS + LANES];
    UNROLLED
    for (int first = 0; first < rows * columns; first += LANES) {
        vec x[LANES];
        UNROLLED
        for (int s = 0; s < LANES; s++) {
            const int e = first + s;
            x[s] = e < rows * columns ? sum[e / columns][e % columns] : (vec){0};
        }
        store(flat + first, sums_of_lanes(x));
    }
    UNROLLED
    for (int i = 0; i < rows; i++) {
        UNROLLED
        for (int j = 0; j < columns; j++) {
            real *c = d->c + i * d->c_row + j;
            *c = flat[i * columns + j] + (add ? *c : 0);
        }
    }
}

#define DOT(rows, columns) \
    static void dot_##rows##x##columns(const rv_dot *d) { dot_body(rows, columns, d); }
#define DOT_ENTRY(rows, columns) [rows - 1][columns - 1] = dot_##rows##x##columns,
#define COLUMNS(X, rows) X(rows, 1) X(rows, 2) X(rows, 3) X(rows, 4)
#if VECTOR_REGISTERS == 32
#define DOTS(X) COLUMNS(X, 1) COLUMNS(X, 2) COLUMNS(X, 3) COLUMNS(X, 4)
#else
#define DOTS(X) COLUMNS(X, 1) COLUMNS(X, 2)
#endif

DOTS(DOT)

void RV_NAME(rv_dots_run)(const rv_dots *d)
{
    const int64_t k = d->k, row = d->b_row;
    const real *const a = d->a, *const b = d->b;
    vec sum[LANES] = {0};
    int64_t l = 0;
    for (; l + LANES <= k; l += LANES) {
        const vec x = load(a + l);
        UNROLLED
        for (int j = 0; j < LANES; j++) sum[j] += x * load(b + j * row + l);
    }
    if (l < k) {
        const vec_bits mask = mask_of_last(k);
        const vec x = load_masked(a + k - LANES, mask);
        UNROLLED
        for (int j = 0; j < LANES; j++) {
            sum[j] += x * load_masked(b + j * row + k - LANES, mask);
        }
    }
    const vec sums = sums_of_lanes(sum);
    store(d->c, sums + (d->add ? load(d->c) : (vec){0})); /* as rv_dot_run: -0 becomes 0 */
}

void RV_NAME(rv_dot_run)(int rows, int columns, const rv_dot *dot)
{
    static void (*const run[DOT_ROWS][DOT_COLUMNS])(const rv_dot *) = {DOTS(DOT_ENTRY)};
    run[rows - 1][columns - 1](dot);
}
