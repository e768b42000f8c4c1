/* Convolutions of a few small images, for which other methods spend most of their time on
 * preparation. The sums of a whole output image stay in registers. The three sides are the same sum
 * of correlations:
 *
 *   out(u,v)[i][j] = sum over s,p,q of source(s,v)[i+p][j+q] kernel(u,s)[p][q]
 *
 *           source         kernel          u         s         v
 *   y       x              w               outputs   channels  images
 *   dx      dy, with rims  w, rotated      channels  outputs   images
 *   dw      x              dy              outputs   images    channels */
#include <string.h>

#include "ops/kernels/lanes.h"
#include "ops/kernels/methods.h"

enum { QUAD = 4, MOST_ROWS = 8, MOST_QUADS = 2, MOST_PAIRS = 8 };

typedef real quad
    __attribute__((vector_size(QUAD * sizeof(real)), aligned(sizeof(real)), may_alias));

typedef struct windows {
    int64_t rows, columns, taps[2]; /* sizes of an output and of a kernel */
    int64_t image[2], rim[2];       /* a source's size; the zeros above it and to its left */
    int64_t height, width;          /* of a source with the zeros around it */
    int64_t u, s, v;                /* the numbers of them, as in the table above */
    int64_t source_s, source_v, kernel_u, kernel_s, out_u, out_v; /* strides, in images */
    bool turned, in_place, add;
} windows;

static windows windows_of(const rv_conv_plan *p)
{
    const int64_t n = p->batch, c = p->channels, o = p->outputs;
    windows g = {.s = c,
                 .v = n,
                 .u = o,
                 .source_s = 1,
                 .source_v = c,
                 .kernel_u = c,
                 .kernel_s = 1,
                 .out_u = 1,
                 .out_v = o,
                 .turned = p->side == RV_SIDE_DX,
                 .add = p->add};
    g.rows = p->out_height, g.columns = p->out_width;
    g.taps[0] = p->kernel[0], g.taps[1] = p->kernel[1];
    g.image[0] = p->height, g.image[1] = p->width;
    g.rim[0] = p->pad[0], g.rim[1] = p->pad[1];
    if (p->side == RV_SIDE_DX) {
        g.u = c, g.s = o, g.source_v = o, g.kernel_u = 1, g.kernel_s = c, g.out_v = c;
        g.rows = p->height, g.columns = p->width;
        g.image[0] = p->out_height, g.image[1] = p->out_width;
        for (int d = 0; d < 2; d++) g.rim[d] = p->kernel[d] - 1 - p->pad[d];
    } else if (p->side == RV_SIDE_DW) {
        g.s = n, g.v = c, g.source_s = c, g.source_v = 1, g.kernel_u = 1, g.kernel_s = o;
        g.out_u = c, g.out_v = 1;
        g.rows = p->kernel[0], g.columns = p->kernel[1];
        g.taps[0] = p->out_height, g.taps[1] = p->out_width;
    }
    g.height = g.rows + g.taps[0] - 1, g.width = g.columns + g.taps[1] - 1;
    g.in_place = g.columns % QUAD == 0 && g.height == g.image[0] && g.width == g.image[1];
    return g;
}

static bool fits(const rv_conv_plan *p)
{
    if (p->groups != 1 || p->stride[0] != 1 || p->stride[1] != 1 || p->dilation[0] != 1 ||
        p->dilation[1] != 1)
        return false;
    const windows g = windows_of(p);
    return g.rows <= MOST_ROWS && g.columns <= MOST_QUADS * QUAD && g.taps[0] <= MOST_ROWS &&
           g.taps[1] <= MOST_ROWS && g.rim[0] >= 0 && g.rim[1] >= 0 &&
           g.rim[0] + g.image[0] <= g.height && g.rim[1] + g.image[1] <= g.width;
}

static bool pays(const rv_conv_plan *p)
{
    return p->batch <= MOST_PAIRS && p->channels <= MOST_PAIRS &&
           p->batch * p->channels * p->outputs <= MOST_PAIRS;
}

/* Elements of the sources with their rims. The last quad of a row may extend past the end. */
static int64_t sources(const windows *g)
{
    return g->in_place ? 0 : g->s * g->v * g->height * g->width + MOST_QUADS * QUAD;
}

/* Adds a tap's contribution to the sums of an output. */
ALWAYS_INLINE void add_tap(int rows, int quads, quad sum[MOST_ROWS][MOST_QUADS], real w,
                           const real *x, int64_t width)
{
    UNROLLED
    for (int i = 0; i < rows; i++) {
        UNROLLED
        for (int e = 0; e < quads; e++) sum[i][e] += w * *(const quad *)(x + i * width + e * QUAD);
    }
}

/* Computes one output. If there are few sums, two sets for neighbouring taps hide the latency of an
 * addition. */
ALWAYS_INLINE void window(int rows, int quads, const windows *g, const real *source,
                          int64_t source_s, const real *kernel, real *out)
{
    const bool twice = rows * quads <= 4, add = g->add;
    const int64_t step = g->turned ? -1 : 1, width = g->width, columns = g->columns;
    const int64_t high = g->taps[0], wide = g->taps[1], count = g->s;
    const int64_t kernel_s = g->kernel_s * high * wide;
    quad sum[MOST_ROWS][MOST_QUADS] = {0}, more[MOST_ROWS][MOST_QUADS] = {0};
    if (g->turned) kernel += high * wide - 1;
    for (int64_t s = 0; s < count; s++) {
        const real *w = kernel + s * kernel_s;
        for (int64_t p = 0; p < high; p++) {
            const real *x = source + s * source_s + p * width;
            int64_t q = 0;
            for (; twice && q + 2 <= wide; q += 2, w += 2 * step) {
                add_tap(rows, quads, sum, w[0], x + q, width);
                add_tap(rows, quads, more, w[step], x + q + 1, width);
            }
            for (; q < wide; q++, w += step) add_tap(rows, quads, sum, *w, x + q, width);
        }
    }
    UNROLLED
    for (int i = 0; i < rows; i++, out += columns) {
        real row[MOST_QUADS * QUAD] = {0};
        UNROLLED
        for (int e = 0; e < quads; e++) *(quad *)(row + e * QUAD) = sum[i][e] + more[i][e];
        if (add) {
            for (int64_t j = 0; j < columns; j++) out[j] += row[j];
        } else if (columns == quads * QUAD) {
            for (int e = 0; e < quads * QUAD; e++) out[e] = row[e];
        } else {
            rv_copy_few(out, row, columns);
        }
    }
}

#define WINDOW(rows, quads) \
    static void window_##rows##x##quads(const windows *g, const real *source, int64_t source_s, \
                                        const real *kernel, real *out) \
    { \
        window(rows, quads, g, source, source_s, kernel, out); \
    }
#define ENTRY(rows, quads) [rows - 1][quads - 1] = window_##rows##x##quads,
#define SIZES(X, quads) \
    X(1, quads) X(2, quads) X(3, quads) X(4, quads) X(5, quads) X(6, quads) X(7, quads) X(8, quads)

SIZES(WINDOW, 1)
SIZES(WINDOW, 2)

static void run(const rv_call *call)
{
    static void (*const sized[MOST_ROWS][MOST_QUADS])(const windows *, const real *, int64_t,
                                                      const real *,
                                                      real *) = {SIZES(ENTRY, 1) SIZES(ENTRY, 2)};
    const windows *g = (const windows *)((const rv_conv_plan *)call->plan)->prepared;
    const int64_t plane = g->height * g->width, image = g->image[0] * g->image[1];
    const int64_t out = g->rows * g->columns, kernel = g->taps[0] * g->taps[1];
    const real *source = call->in[0];
    if (!g->in_place) {
        real *to = call->scratch;
        if (image == plane) { /* no rims, but the last quad extends past the end */
            memcpy(to, source, (size_t)(g->s * g->v * plane) * sizeof(real));
            memset(to + g->s * g->v * plane, 0, MOST_QUADS * QUAD * sizeof(real));
        } else {
            memset(to, 0, (size_t)sources(g) * sizeof(real));
            to += g->rim[0] * g->width + g->rim[1];
            for (int64_t k = 0; k < g->s * g->v; k++)
                rv_copy_rows(to + k * plane, g->width, source + k * image, g->image[1], g->image[0],
                             g->image[1]);
        }
        source = call->scratch;
    }
    for (int64_t u = 0; u < g->u; u++) {
        for (int64_t v = 0; v < g->v; v++) {
            sized[g->rows - 1][(g->columns - 1) / QUAD](
                g, source + v * g->source_v * plane, g->source_s * plane,
                (const real *)call->in[1] + u * g->kernel_u * kernel,
                (real *)call->out + (u * g->out_u + v * g->out_v) * out);
        }
    }
}

static size_t prepare(rv_conv_plan *plan)
{
    windows *g = (windows *)plan->prepared;
    _Static_assert(sizeof *g <= sizeof plan->prepared, "give prepared more room");
    *g = windows_of(plan);
    return (size_t)sources(g) * sizeof(real);
}

const rv_conv_method RV_NAME(rv_conv_window) = {"window", fits, pays, prepare, run, false};
