/* Convolutions by minimal filtering (winograd.h). Each of the 36 elements of a transformed tile is
 * computed by a matrix product of its own. With V the transformed source, U the transformed kernels
 * and D the transformed cotangent of the outputs, for each element:
 *
 *   y, dx   M[o,f] = sum over channels s of U[o,s] V[s,f]      f: tiles
 *   dw      M[s,o] = sum over tiles f of V[s,f] D[f,o]
 *
 * A block of tiles stays in the cache: those of a few images, or some rows of tiles of a large one.
 * dx is the correlation of dy with the kernels rotated by 180 degrees. */
#include "ops/kernels/real.h"

#if defined(RV_REAL_F32)
#include "ops/kernels/methods.h"
#include "ops/kernels/tile.h"
#include "ops/kernels/winograd.h"

/* The most tiles of a block, and the most bytes of its V, which stays in the second-level cache.
 * Rows of matrices begin with a cache line. */
enum { MOST_TILES = 64, MOST_BYTES = 640 * 1024, LINE = 64 / (int)sizeof(real) };

static int64_t min(int64_t x, int64_t y) { return x < y ? x : y; }
static int64_t max(int64_t x, int64_t y) { return x > y ? x : y; }
static int64_t round_up(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

typedef struct winograd {
    rv_tiling tiling;
    int64_t batch, sources, outs; /* channels of the source; of the result, or for dw of dy */
    int64_t images, chunks;       /* images of a block; blocks of an image */
    int64_t tiles;                /* of a block, rounded up to whole vectors */
    /* the strides of each matrix: from element to element of a tile, and from row to row */
    int64_t u_element, u_row, v_element, m_element, d_element, d_row;
} winograd;

static winograd winograd_of(const rv_conv_plan *p)
{
    winograd g = {.tiling = {.source = {p->height, p->width},
                             .out = {p->out_height, p->out_width},
                             .rim = {p->pad[0], p->pad[1]}},
                  .batch = p->batch,
                  .sources = p->channels,
                  .outs = p->outputs};
    rv_tiling *t = &g.tiling;
    if (p->side == RV_SIDE_DX) {
        g.sources = p->outputs, g.outs = p->channels;
        for (int d = 0; d < 2; d++) {
            t->source[d] = t->out[d];
            t->out[d] = d == 0 ? p->height : p->width;
            t->rim[d] = WINDOW - 1 - p->pad[d];
        }
    }
    t->down = rv_parts(t->out[0], SIDE), t->across = rv_parts(t->out[1], SIDE);
    const int64_t image = t->down * t->across;
    const int64_t most =
        min(MOST_TILES, MOST_BYTES / (ELEMENTS * g.sources * (int64_t)sizeof(real)));
    g.images = min(max(1, most / image), g.batch);
    t->rows = rv_parts(t->down, rv_parts(t->down, max(1, most / t->across)));
    g.chunks = rv_parts(t->down, t->rows);
    g.tiles = round_up((g.images - 1) * image + round_up(t->rows * t->across, LANES), LINE);
    g.v_element = g.sources * g.tiles + LINE;
    if (p->side == RV_SIDE_DW) {
        g.d_row = round_up(g.outs, LINE);
        g.d_element = g.tiles * g.d_row + LINE;
        g.m_element = g.sources * g.d_row + LINE;
    } else {
        g.u_row = round_up(g.sources, LINE);
        g.u_element = g.outs * g.u_row + LINE;
        g.m_element = TILE_ROWS * g.tiles + LINE;
    }
    return g;
}

static bool fits(const rv_conv_plan *p)
{
    for (int d = 0; d < 2; d++) {
        if (p->kernel[d] != WINDOW || p->stride[d] != 1 || p->dilation[d] != 1 ||
            p->pad[d] >= WINDOW)
            return false;
    }
    return p->groups == 1;
}

/* The unit of cost is one multiplication of a matrix product. By measurement, one of a direct
 * method costs a little more, and a transform costs a number of them for each tile and plane of a
 * channel. */
static bool pays(const rv_conv_plan *p)
{
    enum { PERCENT = 115, SOURCE_TILE = 380, OUT_TILE = 250, COTANGENT_TILE = 240, PLANE = 3500 };
    const winograd g = winograd_of(p);
    const bool dw = p->side == RV_SIDE_DW;
    const rv_tiling *t = &g.tiling;
    const int64_t tiles = t->down * t->across;
    const int64_t lanes = g.chunks * round_up(t->rows * t->across, LANES);
    const int64_t outs = dw ? round_up(g.outs, LANES) : g.outs;
    const int64_t out_tiles = dw ? COTANGENT_TILE * tiles : OUT_TILE * lanes;
    const int64_t transforms =
        SOURCE_TILE * lanes * g.sources + out_tiles * outs + PLANE * g.chunks * (g.sources + outs);
    const int64_t direct = t->out[0] * t->out[1] * TAPS * g.sources * g.outs;
    return direct * PERCENT > 100 * (tiles * ELEMENTS * g.sources * outs + transforms);
}

/* Scratch holds that of the transforms, then V, M, and U or D. This is the size of the first. */
static int64_t own_scratch(const winograd *g)
{
    const int64_t source = RV_NAME(rv_winograd_source_scratch)(&g->tiling);
    return round_up(source + (g->d_row ? RV_NAME(rv_winograd_cotangent_scratch)(&g->tiling)
                                       : RV_NAME(rv_winograd_out_scratch)(&g->tiling)),
                    LINE);
}

/* Parts divide the images, or the outputs of a single image. Parts of dw divide the outputs. */
static size_t prepare(rv_conv_plan *plan)
{
    const rv_side side = plan->side;
    winograd *g = (winograd *)plan->prepared;
    _Static_assert(sizeof *g <= sizeof plan->prepared, "give prepared more room");
    *g = winograd_of(plan);
    plan->most_parts = side == RV_SIDE_DW || g->batch == 1 ? g->outs : g->batch;
    plan->sliced = side == RV_SIDE_DW ? 4 : g->batch > 1 ? 1 : side == RV_SIDE_Y ? 2 : 0;
    return (size_t)(own_scratch(g) +
                    ELEMENTS * (g->v_element + g->m_element + g->u_element + g->d_element)) *
           sizeof(real);
}

typedef struct buffers {
    real *source, *other, *v, *m, *u, *d; /* u or d */
} buffers;

static buffers lay_out(const winograd *g, real *scratch)
{
    const int64_t source = RV_NAME(rv_winograd_source_scratch)(&g->tiling);
    RV_NAME(rv_winograd_source_ready)(&g->tiling, scratch);
    real *v = scratch + own_scratch(g), *m = v + ELEMENTS * g->v_element;
    real *u = m + ELEMENTS * g->m_element;
    return (buffers){scratch, scratch + source, v, m, u, u};
}

/* Some rows of tiles of some images. */
typedef struct block {
    int64_t image, images;
    rv_tile_rows rows;
    int64_t tiles; /* of an image */
} block;

/* Block k of the images first .. end-1. */
static block block_of(const winograd *g, int64_t first, int64_t end, int64_t k)
{
    const int64_t n = first + k / g->chunks * g->images, row = k % g->chunks * g->tiling.rows;
    const rv_tile_rows rows = {row, min(g->tiling.rows, g->tiling.down - row)};
    return (block){n, min(g->images, end - n), rows, rows.count * g->tiling.across};
}

static int64_t count_blocks(const winograd *g, int64_t images)
{
    return rv_parts(images, g->images) * g->chunks;
}

/* Computes V. */
static void transform_source(const winograd *g, const block *b, const real *x, const buffers *at)
{
    const rv_tiling *t = &g->tiling;
    const int64_t plane = t->source[0] * t->source[1];
    for (int64_t s = 0; s < g->sources; s++) {
        for (int64_t n = 0; n < b->images; n++) {
            const real *from = x + ((b->image + n) * g->sources + s) * plane;
            real *v = at->v + s * g->tiles + n * b->tiles;
            RV_NAME(rv_winograd_source)(t, b->rows, from, v, g->v_element, at->source);
        }
    }
}

/* Computes U for the outputs first .. end-1. */
static void transform_kernels(const winograd *g, bool turned, int64_t first, int64_t end,
                              const real *w, const buffers *at)
{
    const int64_t w_out = TAPS * (turned ? 1 : g->sources), w_step = TAPS * (turned ? g->outs : 1);
    for (int64_t o = first; o < end; o++) {
        for (int64_t s = 0; s < g->sources; s += LANES) {
            const real *from = w + o * w_out + s * w_step;
            real *u = at->u + o * g->u_row + s;
            RV_NAME(rv_winograd_kernels)(from, w_step, g->sources - s, turned, u, g->u_element);
        }
    }
}

/* Computes M for the outputs first .. first+rows-1. */
static void multiply_kernels(const winograd *g, const block *b, int64_t first, int rows,
                             const buffers *at)
{
    const int64_t vectors = rv_parts(b->images * b->tiles, LANES);
    const int64_t width = rv_parts(vectors, rv_tile_width(rows));
    rv_tile t = {.k = g->sources, .a_stride = g->u_row, .b_row = g->tiles, .c_row = g->tiles};
    for (int e = 0; e < ELEMENTS; e++) {
        t.a = at->u + e * g->u_element + first * g->u_row;
        for (int64_t p = 0; p < width; p++) {
            const int64_t v = rv_part(vectors, width, p), end = rv_part(vectors, width, p + 1);
            t.b = at->v + e * g->v_element + v * LANES;
            t.c = at->m + e * g->m_element + v * LANES;
            RV_NAME(rv_tile_run)(RV_TILE_ROWS, rows, (int)(end - v), &t);
        }
    }
}

static void transform_outputs(const winograd *g, const block *b, int64_t first, int rows, real *out,
                              const buffers *at)
{
    const rv_tiling *t = &g->tiling;
    const int64_t plane = t->out[0] * t->out[1];
    for (int i = 0; i < rows; i++) {
        for (int64_t n = 0; n < b->images; n++) {
            const real *m = at->m + i * g->tiles + n * b->tiles;
            real *to = out + ((b->image + n) * g->outs + first + i) * plane;
            RV_NAME(rv_winograd_out)(t, b->rows, m, g->m_element, to, at->other);
        }
    }
}

static void correlate(const rv_call *call, const winograd *g, bool turned)
{
    int64_t first = 0, end = g->batch, first_out = 0, end_out = g->outs;
    if (g->batch > 1)
        rv_call_range(call, g->batch, &first, &end);
    else
        rv_call_range(call, g->outs, &first_out, &end_out);
    const int64_t outs = end_out - first_out, height = rv_parts(outs, TILE_ROWS);
    const int64_t blocks = count_blocks(g, end - first);
    const buffers at = lay_out(g, call->scratch);
    if (blocks > 0) transform_kernels(g, turned, first_out, end_out, call->in[1], &at);
    for (int64_t k = 0; k < blocks; k++) {
        const block b = block_of(g, first, end, k);
        transform_source(g, &b, call->in[0], &at);
        for (int64_t h = 0; h < height; h++) {
            const int64_t o = first_out + rv_part(outs, height, h);
            const int rows = (int)(first_out + rv_part(outs, height, h + 1) - o);
            multiply_kernels(g, &b, o, rows, &at);
            transform_outputs(g, &b, o, rows, call->out, &at);
        }
    }
}

/* Computes D for the outputs first .. end-1, which are its columns. */
static void transform_cotangent(const winograd *g, const block *b, int64_t first, int64_t end,
                                const real *dy, const buffers *at)
{
    const rv_tiling *t = &g->tiling;
    const int64_t plane = t->out[0] * t->out[1];
    for (int64_t n = 0; n < b->images; n++) {
        for (int64_t o = first; o < end; o += LANES) {
            const real *from = dy + ((b->image + n) * g->outs + o) * plane;
            real *d = at->d + n * b->tiles * g->d_row + o - first;
            RV_NAME(rv_winograd_cotangent)
            (t, b->rows, from, end - o, d, g->d_element, g->d_row, at->other);
        }
    }
}

/* Computes M for these outputs, or with `add` adds a block's contribution to it. */
static void multiply_cotangent(const winograd *g, const block *b, bool add, int64_t outs,
                               const buffers *at)
{
    const int64_t vectors = rv_parts(outs, LANES), height = rv_parts(g->sources, TILE_ROWS);
    rv_tile t = {.k = b->images * b->tiles, .a_stride = g->tiles, .add = add};
    t.b_row = t.c_row = g->d_row;
    for (int e = 0; e < ELEMENTS; e++) {
        for (int64_t h = 0; h < height; h++) {
            const int64_t s = rv_part(g->sources, height, h);
            const int rows = (int)(rv_part(g->sources, height, h + 1) - s);
            const int64_t width = rv_parts(vectors, rv_tile_width(rows));
            t.a = at->v + e * g->v_element + s * g->tiles;
            for (int64_t p = 0; p < width; p++) {
                const int64_t v = rv_part(vectors, width, p), end = rv_part(vectors, width, p + 1);
                t.b = at->d + e * g->d_element + v * LANES;
                t.c = at->m + e * g->m_element + s * g->d_row + v * LANES;
                RV_NAME(rv_tile_run)(RV_TILE_ROWS, rows, (int)(end - v), &t);
            }
        }
    }
}

/* Every part of the call transforms all of x. */
static void weight_gradient(const rv_call *call, const winograd *g, bool add)
{
    int64_t first, end;
    rv_call_range(call, g->outs, &first, &end);
    const int64_t blocks = first < end ? count_blocks(g, g->batch) : 0;
    const buffers at = lay_out(g, call->scratch);
    for (int64_t k = 0; k < blocks; k++) {
        const block b = block_of(g, 0, g->batch, k);
        transform_source(g, &b, call->in[0], &at);
        transform_cotangent(g, &b, first, end, call->in[1], &at);
        multiply_cotangent(g, &b, k > 0, end - first, &at);
    }
    for (int64_t s = 0; s < g->sources; s++) {
        for (int64_t o = first; o < end; o += LANES) {
            const real *m = at.m + s * g->d_row + o - first;
            real *dw = (real *)call->out + (o * g->sources + s) * TAPS;
            RV_NAME(rv_winograd_kernel_gradients)
            (m, g->m_element, end - o, add, dw, g->sources * TAPS);
        }
    }
}

static void run(const rv_call *call)
{
    const rv_conv_plan *plan = call->plan;
    const winograd *g = (const winograd *)plan->prepared;
    if (plan->side == RV_SIDE_DW)
        weight_gradient(call, g, plan->add);
    else
        correlate(call, g, plan->side == RV_SIDE_DX);
}

const rv_conv_method RV_NAME(rv_conv_winograd) = {"winograd", fits, pays, prepare, run, true};

#endif
