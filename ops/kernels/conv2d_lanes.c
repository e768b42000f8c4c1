/* Convolutions of many small images. Each lane of a vector holds an image, and each term of a sum
 * is a product of vectors. Along an axis, an output is the sum over those k whose source is inside
 * the image, so padding costs nothing:
 *
 *   out(a) = sum over k of source(at) other(k)
 *
 *        out   source   other   at
 *   y    y     x        w       a stride + k dilation - pad
 *   dx   dx    dy       w       (a + pad - k dilation) / stride, if that is whole
 *   dw   dw    x        dy      k stride + a dilation - pad
 *
 * These k form an arithmetic progression, and so do the values of `at`. */
#include <string.h>

#include "ops/kernels/lanes.h"
#include "ops/kernels/methods.h"
#include "ops/kernels/tile.h"

/* The sums of so many vectors of images and so many neighbouring outputs are in registers at the
 * same time. */
enum { VECTORS = 4, NEIGHBOURS = VECTOR_REGISTERS == 32 ? 5 : 3 };

/* The most outputs along an axis; the most elements of an image and its result together, or along
 * an axis. */
enum { MOST_OUTS = 16, MOST_ELEMENTS = 2048 };

static int64_t min(int64_t x, int64_t y) { return x < y ? x : y; }

/* The first k of an output, the source of that k, and the number of terms. */
typedef struct terms {
    int16_t other, source, count;
} terms;

typedef struct axis {
    int64_t outs, others, sources;
    int64_t other_step, source_step; /* from one term to the next */
    terms of[MOST_OUTS];
} axis;

/* Operands are planes: the sources of an image, and as others the weights or, for dw, the dy of an
 * image. A plane of out is a sum over `sum` pairs of planes. */
typedef struct lanes {
    axis axes[2];
    int64_t sources, others, outs;  /* elements of an image; others is 0 for weights, outs for dw */
    int64_t outer, inner, sum;      /* out is [outer,inner] planes */
    int64_t other_outer, other_sum; /* planes of others from one outer, or term, to the next */
} lanes;

/* The source of term k of output a, or -1 if it is outside the image. */
static int64_t source_of(const rv_conv_plan *p, int d, int64_t a, int64_t k, int64_t sources)
{
    const int64_t s = p->stride[d], dilation = p->dilation[d], pad = p->pad[d];
    int64_t at = a * s + k * dilation - pad;
    if (p->side == RV_SIDE_DW) at = k * s + a * dilation - pad;
    if (p->side == RV_SIDE_DX) {
        at = a + pad - k * dilation;
        at = at % s == 0 ? at / s : -1;
    }
    return at >= 0 && at < sources ? at : -1;
}

static void list_terms(axis *x, const rv_conv_plan *p, int d)
{
    for (int64_t a = 0; a < x->outs; a++) {
        terms *t = &x->of[a];
        int64_t last = 0, last_at = 0;
        for (int64_t k = 0; k < x->others; k++) {
            const int64_t at = source_of(p, d, a, k, x->sources);
            if (at < 0) continue;
            if (t->count++ == 0)
                t->other = (int16_t)k, t->source = (int16_t)at;
            else
                x->other_step = k - last, x->source_step = at - last_at;
            last = k, last_at = at;
        }
    }
}

/* The sizes of an axis. */
static axis axis_of(const rv_conv_plan *p, int d)
{
    const int64_t x = d == 0 ? p->height : p->width, y = d == 0 ? p->out_height : p->out_width;
    const int64_t w = p->kernel[d];
    switch (p->side) {
    case RV_SIDE_Y: return (axis){.outs = y, .others = w, .sources = x};
    case RV_SIDE_DX: return (axis){.outs = x, .others = w, .sources = y};
    default: return (axis){.outs = w, .others = y, .sources = x};
    }
}

static bool fits(const rv_conv_plan *p)
{
    for (int d = 0; d < 2; d++) {
        const axis x = axis_of(p, d);
        if (x.outs > MOST_OUTS || x.others > MOST_ELEMENTS || x.sources > MOST_ELEMENTS)
            return false;
    }
    return p->groups == 1;
}

/* The limits are measured. Other methods waste more work the larger the window and the smaller the
 * result. This one wastes the lanes that hold no image. Where dw is a long sum over positions,
 * other methods are fast with many channels. */
static bool pays(const rv_conv_plan *p)
{
    enum { FEWEST = 8, MOST_OUT = 32, SHORT_SUM = 16 };
    const int64_t positions = p->out_height * p->out_width, n = p->batch;
    const int64_t x = p->channels * p->height * p->width, y = p->outputs * positions;
    const int64_t sums = min(p->channels, rv_parts(positions, SHORT_SUM));
    const int64_t work = p->side == RV_SIDE_Y ? y : p->side == RV_SIDE_DX ? x : y * sums;
    return n >= FEWEST && n > LANES / 2 && x + y <= MOST_ELEMENTS &&
           work * rv_parts(n, LANES) * LANES <= MOST_OUT * p->kernel[0] * p->kernel[1] * n;
}

static lanes lanes_of(const rv_conv_plan *p)
{
    const int64_t c = p->channels, o = p->outputs;
    const int64_t x = c * p->height * p->width, y = o * p->out_height * p->out_width;
    lanes g = {.sources = x, .outs = y, .outer = o, .inner = 1, .sum = c};
    g.other_outer = c, g.other_sum = 1;
    if (p->side == RV_SIDE_DX) {
        g.sources = y, g.outs = x, g.outer = c, g.sum = o;
        g.other_outer = 1, g.other_sum = c;
    } else if (p->side == RV_SIDE_DW) {
        g.others = y, g.outs = 0, g.inner = c, g.sum = 1;
        g.other_outer = 1;
    }
    for (int d = 0; d < 2; d++) {
        g.axes[d] = axis_of(p, d);
        list_terms(&g.axes[d], p, d);
    }
    return g;
}

/* The fewest vectors that hold these images, up to the maximum. */
static int64_t vectors_of(int64_t images)
{
    int64_t vectors = VECTORS;
    while (vectors > 1 && vectors / 2 * LANES >= images) vectors /= 2;
    return vectors;
}

/* The size of a buffer [pixel][image]. Transpositions write beyond the last pixel. */
static int64_t in_lanes(int64_t pixels, int64_t images)
{
    return pixels ? (pixels + STRIP) * vectors_of(images) * LANES : 0;
}

static int64_t weights_of(const lanes *g, int64_t outer)
{
    return outer * g->inner * g->axes[0].outs * g->axes[1].outs;
}

/* Scratch holds the operands in lanes and the result: outs in lanes, or for dw vectors whose lanes
 * are still to be added. */
static size_t prepare(rv_conv_plan *p)
{
    lanes *g = (lanes *)p->prepared;
    _Static_assert(sizeof *g <= sizeof p->prepared, "give prepared more room");
    *g = lanes_of(p);
    const bool gradient = p->side == RV_SIDE_DW;
    p->most_parts = gradient ? p->outputs : p->batch;
    p->sliced = gradient ? 4 : 1;
    const int64_t sums = gradient ? (weights_of(g, g->outer) + LANES) * LANES : 0;
    return (size_t)(in_lanes(g->sources, p->batch) + in_lanes(g->others, p->batch) +
                    in_lanes(g->outs, p->batch) + sums) *
           sizeof(real);
}

/* to[pixel*unit + n] = from[n*pixels + pixel] for n < images; zero from there up to n = unit. */
static void into_lanes(real *to, int64_t unit, const real *from, int64_t pixels, int64_t images)
{
    int64_t n = 0;
    for (; SQUARES && pixels % LANES == 0 && n + LANES <= images; n += LANES) {
        for (int64_t k = 0; k < pixels; k += LANES)
            transpose_lanes(to + k * unit + n, unit, from + n * pixels + k, pixels);
    }
    for (; n < unit; n += STRIP) {
        const int64_t whole = n + STRIP <= images ? pixels / SHORT * SHORT : 0;
        transpose_strip(to + n, unit, from + n * pixels, pixels, whole);
        for (int64_t k = whole; k < pixels; k += SHORT) {
            real rest[STRIP * SHORT] = {0};
            rv_copy_rows(rest, SHORT, from + n * pixels + k, pixels, min(images - n, STRIP),
                         min(pixels - k, SHORT));
            transpose_strip(to + k * unit + n, unit, rest, SHORT, SHORT);
        }
    }
}

/* to[n*pixels + pixel] = from[pixel*unit + n] for n < images. */
static void out_of_lanes(real *to, const real *from, int64_t unit, int64_t pixels, int64_t images)
{
    for (; SQUARES && pixels % LANES == 0 && images >= LANES; images -= LANES) {
        for (int64_t k = 0; k < pixels; k += LANES)
            transpose_lanes(to + k, pixels, from + k * unit, unit);
        to += LANES * pixels, from += LANES;
    }
    const int64_t columns = min(pixels, STRIP);
    const int64_t whole = columns == STRIP ? images / SHORT * SHORT : 0;
    for (int64_t k = 0; k < pixels && images > 0; k += STRIP) {
        const int64_t at = min(k, pixels - columns);
        transpose_strip(to + at, pixels, from + at * unit, unit, whole);
        for (int64_t n = whole; n < images; n += SHORT) {
            real rest[SHORT * STRIP];
            transpose_strip(rest, STRIP, from + at * unit + n, unit, SHORT);
            rv_copy_rows(to + n * pixels + at, pixels, rest, STRIP, min(images - n, SHORT),
                         columns);
        }
    }
}

/* Some neighbouring columns of outs, in all rows. The terms of the first column begin at source and
 * other. Steps lead to the next plane, row and column. */
typedef struct block {
    const axis *rows;
    int64_t planes, columns; /* that are summed over */
    const real *source, *other;
    int64_t source_step[3], other_step[3];
    int64_t source_row, other_row; /* from one row of the operand to the next */
    real *out;
    int64_t out_row;
} block;

/* Neighbouring outs have neighbouring sources. With weights, an out and a source are `vectors`
 * vectors, and other is one number. Otherwise source and other are vectors, and the sum of their
 * products is added to the one vector of out. */
ALWAYS_INLINE void add_up(bool weights, int vectors, int outs, const block *s)
{
    const int64_t source_step = s->source_step[2], other_step = s->other_step[2];
    const int64_t columns = s->columns;
    real *out = s->out;
    for (int64_t i = 0; i < s->rows->outs; i++, out += s->out_row) {
        const terms row = s->rows->of[i];
        vec sum[NEIGHBOURS][VECTORS] = {0};
        for (int64_t m = 0; m < s->planes; m++) {
            const real *source = s->source + row.source * s->source_row + m * s->source_step[0];
            const real *other = s->other + row.other * s->other_row + m * s->other_step[0];
            for (int64_t p = 0; p < row.count; p++) {
                const real *x = source + p * s->source_step[1], *w = other + p * s->other_step[1];
                for (int64_t q = 0; q < columns; q++, x += source_step, w += other_step) {
                    const real number = *w;
                    vec b[VECTORS] = {0};
                    UNROLLED
                    for (int v = 0; v < vectors && !weights; v++) b[v] = load(w + v * LANES);
                    UNROLLED
                    for (int u = 0; u < outs; u++) {
                        UNROLLED
                        for (int v = 0; v < vectors; v++) {
                            const vec a = load(x + (u * vectors + v) * LANES);
                            sum[u][v] += weights ? a * number : a * b[v];
                        }
                    }
                }
            }
        }
        UNROLLED
        for (int u = 0; u < outs; u++) {
            vec total = weights ? (vec){0} : load(out + u * LANES);
            UNROLLED
            for (int v = 0; v < vectors; v++) {
                if (weights)
                    store(out + (u * vectors + v) * LANES, sum[u][v]);
                else
                    total += sum[u][v];
            }
            if (!weights) store(out + u * LANES, total);
        }
    }
}

#if VECTOR_REGISTERS == 32
#define OUTS(X, w, v) X(w, v, 1) X(w, v, 2) X(w, v, 3) X(w, v, 4) X(w, v, 5)
#else
#define OUTS(X, w, v) X(w, v, 1) X(w, v, 2) X(w, v, 3)
#endif
#define SIZES(X) OUTS(X, 0, 1) OUTS(X, 0, 2) OUTS(X, 0, 4) OUTS(X, 1, 1) OUTS(X, 1, 2) OUTS(X, 1, 4)
#define ADD_UP(weights, vectors, outs) \
    static void add_up_##weights##vectors##outs(const block *s) \
    { \
        add_up(weights, vectors, outs, s); \
    }
#define ENTRY(weights, vectors, outs) \
    [weights][vectors / 2][outs - 1] = add_up_##weights##vectors##outs,
SIZES(ADD_UP)

/* How many outs from t on have the same others and neighbouring sources. */
static int64_t alike(const terms *t, int64_t most)
{
    int64_t n = 1;
    while (n < most && t[n].other == t->other && t[n].count == t->count &&
           t[n].source == t->source + n)
        n++;
    return n;
}

/* Computes one plane of outs. */
static void add_up_plane(const lanes *g, int64_t vectors, const real *source, const real *other,
                         real *out)
{
    static void (*const sized[2][VECTORS / 2 + 1][NEIGHBOURS])(const block *) = {SIZES(ENTRY)};
    const axis *rows = &g->axes[0], *columns = &g->axes[1];
    const bool weights = g->others == 0;
    const int64_t unit = vectors * LANES, other_unit = weights ? 1 : unit;
    const int64_t out_unit = weights ? unit : LANES;
    const int64_t source_row = columns->sources * unit, other_row = columns->others * other_unit;
    block s = {.rows = rows,
               .planes = g->sum,
               .source_step = {rows->sources * source_row, rows->source_step * source_row,
                               columns->source_step * unit},
               .other_step = {g->other_sum * rows->others * other_row, rows->other_step * other_row,
                              columns->other_step * other_unit},
               .source_row = source_row,
               .other_row = other_row,
               .out_row = columns->outs * out_unit};
    for (int64_t j = 0, end; j < columns->outs; j = end) {
        const terms *t = &columns->of[j];
        const int64_t run = alike(t, columns->outs - j), blocks = rv_parts(run, NEIGHBOURS);
        end = j + run;
        s.columns = t->count;
        s.other = other + t->other * other_unit;
        for (int64_t k = 0; k < blocks; k++) {
            const int64_t at = rv_part(run, blocks, k), outs = rv_part(run, blocks, k + 1) - at;
            s.source = source + t[at].source * unit;
            s.out = out + (j + at) * out_unit;
            sized[weights][vectors / 2][outs - 1](&s);
        }
    }
}

/* Computes y or dx for the call's part of the images. */
static void correlate(const rv_call *call, const lanes *g, int64_t batch)
{
    const real *x = call->in[0], *w = call->in[1];
    const int64_t kernel = g->axes[0].others * g->axes[1].others;
    const int64_t plane = g->axes[0].outs * g->axes[1].outs;
    real *source = call->scratch, *out = source + in_lanes(g->sources, batch);
    int64_t first, end;
    rv_call_range(call, batch, &first, &end);
    for (int64_t n = first, images; n < end; n += images) {
        const int64_t vectors = vectors_of(end - n), unit = vectors * LANES;
        images = min(end - n, unit);
        into_lanes(source, unit, x + n * g->sources, g->sources, images);
        for (int64_t o = 0; o < g->outer; o++)
            add_up_plane(g, vectors, source, w + o * g->other_outer * kernel,
                         out + o * plane * unit);
        out_of_lanes((real *)call->out + n * g->outs, out, unit, g->outs, images);
    }
}

/* dw[k] (+)= the sum over the lanes of vector k of sums, LANES of them at a time. */
static void add_lanes(real *dw, const real *sums, int64_t count, bool add)
{
    for (int64_t k = 0; k < count; k += LANES) {
        vec x[LANES];
        UNROLLED
        for (int i = 0; i < LANES; i++) x[i] = load(sums + (k + i) * LANES);
        real total[LANES];
        store(total, sums_of_lanes(x));
        for (int64_t i = 0; i < min(LANES, count - k); i++)
            dw[k + i] = add ? dw[k + i] + total[i] : total[i];
    }
}

/* Computes dw for the call's part of the outputs. */
static void weight_gradient(const rv_call *call, const lanes *g, int64_t batch, bool add)
{
    const real *x = call->in[0], *dy = call->in[1];
    const int64_t image = g->axes[0].sources * g->axes[1].sources;
    const int64_t positions = g->axes[0].others * g->axes[1].others;
    real *source = call->scratch, *other = source + in_lanes(g->sources, batch);
    real *sums = other + in_lanes(g->others, batch);
    int64_t first, end;
    rv_call_range(call, g->outer, &first, &end);
    memset(sums, 0, (size_t)(weights_of(g, end - first) + LANES) * LANES * sizeof(real));
    for (int64_t n = 0, images; n < batch; n += images) {
        const int64_t vectors = vectors_of(batch - n), unit = vectors * LANES;
        images = min(batch - n, unit);
        into_lanes(source, unit, x + n * g->sources, g->sources, images);
        into_lanes(other, unit, dy + n * g->others, g->others, images);
        real *out = sums;
        for (int64_t o = first; o < end; o++) {
            for (int64_t c = 0; c < g->inner; c++, out += weights_of(g, 1) / g->inner * LANES)
                add_up_plane(g, vectors, source + c * image * unit, other + o * positions * unit,
                             out);
        }
    }
    add_lanes((real *)call->out + weights_of(g, first), sums, weights_of(g, end - first), add);
}

static void run(const rv_call *call)
{
    const rv_conv_plan *p = call->plan;
    const lanes *g = (const lanes *)p->prepared;
    if (p->side == RV_SIDE_DW)
        weight_gradient(call, g, p->batch, p->add);
    else
        correlate(call, g, p->batch);
}

const rv_conv_method RV_NAME(rv_conv_lanes) = {"lanes", fits, pays, prepare, run, false};
