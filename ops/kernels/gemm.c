/* Matrix products by six methods. The shape decides which:
 *   outer    k is 1: there is nothing to sum
 *   row      there is a single row, and b is contiguous in j: LATENCY interleaved sums
 *   dot      both operands are contiguous in l, and there are too few rows for packing to pay
 *   direct   b is read in place
 *   packed   b is copied, one tile-wide panel at a time, into the order in which it is read
 *   panels   b is stored in that order already
 * a is read in place, because a tile needs little of it. But if a is wide, a tile's values for all
 * l, or its rows, may fall into a few sets of the cache; then `packed` and `panels` copy blocks of
 * it. Each result is summed over l in ascending order (dot: in LANES interleaved sums; packed:
 * BLOCK_K products at a time; panels: PANEL_K), so its bits depend only on the shape. */
#include "ops/kernels/gemm.h"

#include <stdbool.h>

#include "ops/kernels/lanes.h"
#include "ops/kernels/tile.h"

enum {
    BLOCK_K = 512, /* rows of a packed panel: 96 KiB at most, for the second-level cache */
    PANEL_K = 128, /* rows of a panel that stay in the first-level cache */
    BLOCK_M = 128, /* rows of a packed block of a */
    WIDE_ROW = 1024 / (int)sizeof(real),
    FAR = (256 << 10) / (int)sizeof(real), /* so many do not stay in the second-level cache */
    NEAR = (64 << 10) / (int)sizeof(real), /* so many do not stay in the first-level cache */
    LINE = 64 / (int)sizeof(real),
    BRIEF = (8 << 10) /
            (int)sizeof(real), /* numbers of a panel that ends before the machine fetches ahead */
    FEW_TERMS = 128,           /* sums of so few wait for c */
    TILE_COLUMNS = TILE_VECTORS * LANES,
    LATENCY = 4, /* cycles of an addition */
    ROW_COLUMNS = LATENCY * LANES
};

static int64_t min(int64_t x, int64_t y) { return x < y ? x : y; }
static int64_t max(int64_t x, int64_t y) { return x > y ? x : y; }

static bool fits(const rv_gemm *g, rv_matmul_method method)
{
    const bool wide = g->b_column == 1 && g->n >= LANES;
    if (g->panel) return method == RV_MATMUL_PANELS;
    switch (method) {
    case RV_MATMUL_OUTER: return g->k == 1 && wide;
    case RV_MATMUL_ROW: return g->m == 1 && wide;
    case RV_MATMUL_DOT: return g->a_column == 1 && g->b_row == 1 && g->k >= LANES;
    case RV_MATMUL_DIRECT: return wide;
    default: return method == RV_MATMUL_PACKED;
    }
}

static bool packs_a(const rv_gemm *g)
{
    return g->a_row == 1 && g->a_column >= WIDE_ROW && g->n >= 4 * TILE_COLUMNS;
}

/* `panels` copies a only if a tile's values, or its rows, fall into a single set (two with few
 * registers). */
static bool panels_pack_a(const rv_gemm *g)
{
    enum { SET = 4096 / (int)sizeof(real), SETS = VECTOR_REGISTERS == 32 ? SET : SET / 2 };
    if (g->a_column != 1) return packs_a(g) && g->a_column % SETS == 0;
    return g->a_row % SET == 0 && g->k > PANEL_K && g->m > 4 * TILE_ROWS &&
           g->n >= 4 * TILE_COLUMNS;
}

/* Whether a method that fits is faster than those after it, by measurement. */
static bool pays(const rv_gemm *g, rv_matmul_method method)
{
    switch (method) {
    case RV_MATMUL_ROW: return g->n < ROW_COLUMNS;
    case RV_MATMUL_DOT: return g->m <= 8 || g->n < LANES;
    case RV_MATMUL_DIRECT: return g->m <= 64 || (g->k * g->n <= 16384 && !packs_a(g));
    default: return true;
    }
}

static rv_matmul_method choose(const rv_gemm *g)
{
    if (g->method != RV_MATMUL_ANY) return g->method;
    rv_matmul_method method = RV_MATMUL_ANY + 1;
    while (!fits(g, method) || !pays(g, method)) method++;
    return method;
}

/* A product of one column, if contiguous, is a product of one row: c' = b' a'. */
static rv_gemm one_row(const rv_gemm *g)
{
    if (g->panel || g->n != 1 || g->c_row != 1 || g->b_row != 1) return *g;
    rv_gemm t = {.m = 1, .n = g->m, .k = g->k, .a = g->b, .b = g->a, .c = g->c, .add = g->add};
    t.method = g->method;
    t.a_row = g->k, t.a_column = 1, t.c_row = g->m;
    t.b_row = g->a_column, t.b_column = g->a_row;
    return t;
}

static void dot(const rv_gemm *g)
{
    rv_dot d = {.k = g->k, .runs = 1, .c_row = g->c_row, .add = g->add};
    int64_t j = 0;
    for (; g->m == 1 && j + LANES <= g->n; j += LANES) {
        const rv_dots wide = {g->k, g->b_column, g->a, g->b + j * g->b_column, g->c + j, g->add};
        RV_NAME(rv_dots_run)(&wide);
    }
    for (int columns; j < g->n; j += columns) {
        columns = (int)min(g->n - j, DOT_COLUMNS);
        for (int s = 0; s < columns; s++) d.b[s] = g->b + (j + s) * g->b_column;
        for (int64_t i = 0; i < g->m; i += DOT_ROWS) {
            const int rows = (int)min(g->m - i, DOT_ROWS);
            for (int s = 0; s < rows; s++) d.a[s] = g->a + (i + s) * g->a_row;
            d.c = g->c + i * g->c_row + j;
            RV_NAME(rv_dot_run)(rows, columns, &d);
        }
    }
}

/* The last columns, fewer than a vector, are computed in a vector that ends with them. It overlaps
 * finished columns, so it is computed before these are written and stored after them. */
static void outer(const rv_gemm *g)
{
    const int64_t rest = g->n % LANES, last = g->n - LANES;
    const vec end = load(g->b + last);
    for (int64_t i = 0; i < g->m; i++) {
        const real a = g->a[i * g->a_row];
        real *c = g->c + i * g->c_row;
        const vec tail = rest > 0 ? (g->add ? load(c + last) : (vec){0}) + a * end : (vec){0};
        for (int64_t j = 0; j + LANES <= g->n; j += LANES) {
            const vec product = a * load(g->b + j);
            store(c + j, g->add ? load(c + j) + product : product);
        }
        if (rest > 0) store(c + last, tail);
    }
}

/* LANES results of a single row. */
ALWAYS_INLINE vec row_of_sums(const rv_gemm *g, const real *b)
{
    vec sum[LATENCY] = {0};
    int64_t l = 0;
    for (; l + LATENCY <= g->k; l += LATENCY) {
        UNROLLED
        for (int s = 0; s < LATENCY; s++) {
            sum[s] += g->a[(l + s) * g->a_column] * load(b + (l + s) * g->b_row);
        }
    }
    for (; l < g->k; l++) sum[0] += g->a[l * g->a_column] * load(b + l * g->b_row);
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static void row(const rv_gemm *g)
{
    const int64_t rest = g->n % LANES, last = g->n - LANES;
    vec tail = {0};
    if (rest > 0) tail = (g->add ? load(g->c + last) : tail) + row_of_sums(g, g->b + last);
    for (int64_t j = 0; j + LANES <= g->n; j += LANES) {
        const vec sum = row_of_sums(g, g->b + j);
        store(g->c + j, g->add ? load(g->c + j) + sum : sum);
    }
    if (rest > 0) store(g->c + last, tail);
}

/* A single row from rows of b, one after another in the order in which they are stored: a b that is
 * read from a far cache or from memory is fetched ahead by the machine. */
static void sweep(const rv_gemm *g)
{
    enum { MOST = 1024, TOGETHER = 4 };
    real sum[MOST];
    for (int64_t first = 0; first < g->n; first += MOST) {
        const int64_t n = min(g->n - first, MOST);
        real *c = g->c + first;
        int64_t l = 0;
        for (int64_t j = 0; j < n; j++) sum[j] = 0;
        for (; l + TOGETHER <= g->k; l += TOGETHER) {
            const real *b = g->b + l * g->b_row + first, *a = g->a + l * g->a_column;
            const real a0 = a[0], a1 = a[g->a_column], a2 = a[2 * g->a_column],
                       a3 = a[3 * g->a_column];
            const real *b1 = b + g->b_row, *b2 = b1 + g->b_row, *b3 = b2 + g->b_row;
            INDEPENDENT
            for (int64_t j = 0; j < n; j++) {
                real s = sum[j];
                s += a0 * b[j];
                s += a1 * b1[j];
                s += a2 * b2[j];
                sum[j] = s + a3 * b3[j];
            }
        }
        for (; l < g->k; l++) {
            const real a = g->a[l * g->a_column], *b = g->b + l * g->b_row + first;
            INDEPENDENT
            for (int64_t j = 0; j < n; j++) sum[j] += a * b[j];
        }
        for (int64_t j = 0; j < n; j++) c[j] = g->add ? c[j] + sum[j] : sum[j];
    }
}

/* A tile of which only columns first .. end are needed is computed in a buffer. */
static void clipped(rv_tile_kind kind, int rows, int vectors, int64_t first, int64_t end,
                    const rv_tile *tile)
{
    real copy[TILE_ROWS * TILE_COLUMNS];
    rv_tile t = *tile;
    t.c = copy, t.c_row = TILE_COLUMNS, t.add = false;
    RV_NAME(rv_tile_run)(kind, rows, vectors, &t);
    for (int i = 0; i < rows; i++) {
        real *c = tile->c + i * tile->c_row;
        const real *from = copy + i * TILE_COLUMNS;
        for (int64_t j = first; j < end; j++) c[j] = tile->add ? c[j] + from[j] : from[j];
    }
}

/* Numbers that are needed next. */
typedef struct ahead {
    const real *from;
    int64_t count;
} ahead;

/* Computes `count` tiles, of which only columns first .. end are needed, and moves t below them. */
static void strip(rv_tile *t, rv_tile_kind kind, int64_t count, int rows, int vectors,
                  int64_t first, int64_t end)
{
    const bool whole = first == 0 && end == vectors * LANES;
    const int64_t once = whole ? count : 1;
    t->tiles = once;
    for (int64_t p = 0; p < count; p += once) {
        if (whole) {
            RV_NAME(rv_tile_run)(kind, rows, vectors, t);
        } else {
            clipped(kind, rows, vectors, first, end, t);
        }
        t->a += once * rows * (kind == RV_TILE_ROWS ? t->a_stride : 1);
        t->c += once * rows * t->c_row;
        t->next += (uintptr_t)(once * t->k * t->next_step);
    }
}

/* Computes the tiles of a panel from top to bottom: columns first .. end of those that begin at
 * column j of c. t holds the position in b. */
static void panel(const rv_gemm *g, rv_tile *t, int64_t j, int vectors, int64_t first, int64_t end,
                  ahead next)
{
    const rv_tile_kind kind = g->a_column == 1 ? RV_TILE_ROWS : RV_TILE_COLUMNS;
    const int64_t height = rv_parts(g->m, TILE_ROWS);
    if (height == 0) return;
    const int64_t rows = height == 1 ? g->m : g->m / height, taller = g->m - rows * height;
    t->a = g->a;
    t->c = g->c + j;
    t->a_stride = kind == RV_TILE_ROWS ? g->a_row : g->a_column;
    t->far_c = g->add && g->k <= FEW_TERMS && g->m * g->n >= FAR;
    t->far_a = j == 0;
    t->next = (uintptr_t)next.from;
    t->next_end = t->next + (uintptr_t)next.count * sizeof(real);
    t->next_step = next.count > 0 ? max(rv_parts(next.count, height * t->k), LINE / 4) : 0;
    t->next_step *= (int64_t)sizeof(real);
    strip(t, kind, taller, (int)rows + 1, vectors, first, end);
    strip(t, kind, height - taller, (int)rows, vectors, first, end);
}

/* The last columns, fewer than a vector, are computed in a vector that ends with them. */
static void direct(const rv_gemm *g)
{
    const int64_t vectors = g->n / LANES,
                  width = rv_parts(vectors, rv_tile_width((int)min(g->m, 3)));
    rv_tile t = {.k = g->k, .b_row = g->b_row, .c_row = g->c_row, .add = g->add};
    for (int64_t p = 0; p < width; p++) {
        const int64_t v = rv_part(vectors, width, p), wide = rv_part(vectors, width, p + 1) - v;
        t.b = g->b + v * LANES;
        panel(g, &t, v * LANES, (int)wide, 0, wide * LANES, (ahead){0});
    }
    if (vectors * LANES < g->n) {
        t.b = g->b + g->n - LANES; /* the columns that it repeats must not be added again */
        panel(g, &t, g->n - LANES, 1, g->add ? LANES - g->n % LANES : 0, LANES, (ahead){0});
    }
}

/* to[l*width + j] = b[l*row + j*column] for l < k, j < columns; zero from there to `width`. */
static void pack(real *to, int64_t width, const real *b, int64_t row, int64_t column, int64_t k,
                 int64_t columns)
{
    int64_t j = 0;
    if (column != 1) {
        for (; j + LANES <= columns; j += LANES) {
            int64_t l = 0;
            for (; l + LANES <= k; l += LANES) {
                transpose_lanes(to + l * width + j, width, b + l + j * column, column);
            }
            for (; l < k; l++) {
                for (int s = 0; s < LANES; s++) to[l * width + j + s] = b[l + (j + s) * column];
            }
        }
    }
    for (int64_t l = 0; l < k; l++) {
        for (int64_t s = j; s < columns; s++) to[l * width + s] = b[l * row + s * column];
        for (int64_t s = columns; s < width; s++) to[l * width + s] = 0;
    }
}

/* c (+)= a b for at most BLOCK_K steps. */
static void packed_block(const rv_gemm *g, bool add, real *scratch)
{
    const int64_t vectors = rv_parts(g->n, LANES), width = rv_parts(vectors, TILE_VECTORS);
    rv_tile t = {.k = g->k, .b = scratch, .c_row = g->c_row, .add = add};
    for (int64_t p = 0; p < width; p++) {
        const int64_t v = rv_part(vectors, width, p), wide = rv_part(vectors, width, p + 1) - v;
        const int64_t j = v * LANES, columns = min(wide * LANES, g->n - j);
        t.b_row = wide * LANES;
        pack(scratch, t.b_row, g->b + j * g->b_column, g->b_row, g->b_column, t.k, columns);
        panel(g, &t, j, (int)wide, 0, columns, (ahead){0});
    }
}

static void packed(const rv_gemm *g, real *scratch)
{
    const int64_t most = packs_a(g) ? BLOCK_M : g->m;
    for (int64_t l = 0; l < g->k; l += BLOCK_K) {
        for (int64_t i = 0; i < g->m; i += most) {
            rv_gemm part = *g;
            part.k = min(g->k - l, BLOCK_K);
            part.m = min(g->m - i, most);
            part.a = g->a + i * g->a_row + l * g->a_column;
            part.b = g->b + l * g->b_row;
            part.c = g->c + i * g->c_row;
            if (packs_a(g)) {
                real *a = scratch + BLOCK_K * TILE_COLUMNS;
                pack(a, part.m, part.a, part.a_column, 1, part.k, part.m);
                part.a = a, part.a_column = part.m;
            }
            packed_block(&part, g->add || l > 0, scratch);
        }
    }
}

/* The columns of c that begin at j, for PANEL_K rows of b from l on; part has the rows of a and c.
 * The same rows of the next panel are fetched meanwhile if b is far. So are short panels: the
 * machine fetches ahead, too, but not beyond a page, nor before it has seen a few lines of it. */
static void one_panel(const rv_gemm *g, const rv_gemm *part, int64_t j, int64_t l)
{
    const bool is_far = g->k * g->n > FAR || g->k * g->panel <= BRIEF;
    const int64_t vectors = g->panel / LANES, width = rv_parts(vectors, TILE_VECTORS);
    rv_tile t = {.k = min(g->k - l, PANEL_K), .b_row = g->panel, .c_row = g->c_row};
    t.add = g->add || l > 0;
    for (int64_t p = 0; p < width; p++) {
        const int64_t v = rv_part(vectors, width, p);
        const int64_t wide = rv_part(vectors, width, p + 1) - v;
        ahead next = {0};
        t.b = g->b + j * g->k + l * g->panel + v * LANES;
        if (is_far && j + g->panel < g->n) {
            next.from = g->b + (j + g->panel) * g->k + l * g->panel + t.k * v * LANES;
            next.count = t.k * wide * LANES;
        }
        panel(part, &t, j + v * LANES, (int)wide, 0, wide * LANES, next);
    }
}

/* Copies the part's rows of a, `count` numbers of each, without gaps. */
static void copy_a(rv_gemm *part, real *to, int64_t count)
{
    const int64_t rows = part->a_column == 1 ? part->m : count;
    const int64_t width = part->a_column == 1 ? count : part->m;
    const int64_t from_row = part->a_column == 1 ? part->a_row : part->a_column;
    pack(to, width, part->a, from_row, 1, rows, width);
    part->a = to;
    *(part->a_column == 1 ? &part->a_row : &part->a_column) = width;
}

static void panels(const rv_gemm *g, real *scratch)
{
    const bool copies = panels_pack_a(g);
    const int64_t most = copies ? BLOCK_M : g->m, columns = copies ? g->n : g->panel;
    for (int64_t i = 0; i < g->m; i += most) {
        for (int64_t first = 0; first < g->n; first += columns) {
            for (int64_t l = 0; l < g->k; l += PANEL_K) {
                rv_gemm part = *g;
                part.m = min(g->m - i, most);
                part.a = g->a + i * g->a_row + l * g->a_column;
                part.c = g->c + i * g->c_row;
                if (copies) copy_a(&part, scratch, min(g->k - l, PANEL_K));
                for (int64_t j = first; j < first + columns; j += g->panel)
                    one_panel(g, &part, j, l);
            }
        }
    }
}

bool RV_NAME(rv_gemm_fits)(const rv_gemm *g)
{
    const rv_gemm u = one_row(g);
    return u.method == RV_MATMUL_ANY || fits(&u, u.method);
}

size_t RV_NAME(rv_gemm_scratch)(const rv_gemm *g)
{
    const rv_gemm u = one_row(g);
    const rv_matmul_method method = choose(&u);
    if (method == RV_MATMUL_PANELS && panels_pack_a(&u)) return PANEL_K * BLOCK_M * sizeof(real);
    if (method != RV_MATMUL_PACKED) return 0;
    return (size_t)(BLOCK_K * TILE_COLUMNS + (packs_a(&u) ? min(u.k, BLOCK_K) * BLOCK_M : 0)) *
           sizeof(real);
}

void RV_NAME(rv_gemm_run)(const rv_gemm *g, int64_t first, int64_t end, real *scratch)
{
    rv_gemm u = one_row(g);
    const rv_matmul_method method = choose(&u); /* by the whole shape: the same for every row */
    if (u.m == g->m) {
        u.m = end - first;
        u.a += first * u.a_row;
        u.c += first * u.c_row;
    }
    switch (method) {
    case RV_MATMUL_PANELS: panels(&u, scratch); break;
    case RV_MATMUL_OUTER: outer(&u); break;
    case RV_MATMUL_ROW: row(&u); break;
    case RV_MATMUL_DOT: dot(&u); break;
    case RV_MATMUL_DIRECT:
        if (u.m == 1 && u.k * u.n >= NEAR)
            sweep(&u);
        else
            direct(&u);
        break;
    default: packed(&u, scratch); break;
    }
}
