/* Convolution and its gradient with respect to its input: the same correlation of planes with taps.
 *
 *   y[o, f]  = sum over (c,p,q) of w[o,c,p,q] x[c, f + at(c,p,q)]
 *   dx[c, f] = sum over (o,p,q) of w[o,c,p,q] dy[o, f - at(p,q)]
 *
 * where f is a position in a plane (planes.h). With stride s, y reads s x s phases of x. dx itself
 * has s x s phases, each of which sees the taps that fall on it. */
#include <string.h>

#include "ops/kernels/methods.h"
#include "ops/kernels/planes.h"
#include "ops/kernels/tile.h"

/* The parts of the second-level cache for the planes of a chunk and for its outputs. */
enum { MOST_PLANE_BYTES = 512 * 1024, MOST_FLAT_BYTES = 128 * 1024 };

static int64_t min(int64_t x, int64_t y) { return x < y ? x : y; }
static int64_t max(int64_t x, int64_t y) { return x > y ? x : y; }

/* What y and dx have in common, for each group of each image. */
typedef struct correlation {
    const rv_conv_plan *plan;
    bool gradient;
    rv_planes planes;  /* of the source, for one chunk of positions */
    bool in_place;     /* the source is its own planes */
    int64_t reach[2];  /* positions that a window spans beyond its first */
    int64_t size[2];   /* positions: rows, columns */
    int64_t chunk;     /* rows of positions at a time */
    int64_t outputs;   /* of a group */
    int64_t out[2];    /* rows and columns of an output */
    int64_t step[2];   /* pixels of an output from one position to the next */
    int64_t phases[2]; /* 1; for dx as many as step, but no more than it has pixels */
    int64_t taps;      /* of all phases */
    int64_t a_row;     /* elements from the weights of one output to those of the next */
    int64_t flat_row;  /* elements of scratch for a chunk of one output */
} correlation;

/* The positions first .. end of a phase; position f is pixel f * step + shift of the output. */
typedef struct phase {
    int64_t first[2], end[2], shift[2];
} phase;

/* Planes that do not fit in the cache are made for some rows of the output at a time. */
static void choose_chunk(correlation *c)
{
    rv_planes *s = &c->planes;
    const int64_t size = (int64_t)sizeof(real), planes = s->channels * s->phases[0] * s->phases[1];
    const int64_t for_planes = MOST_PLANE_BYTES / (planes * s->width * size) - c->reach[0];
    const int64_t for_flat = MOST_FLAT_BYTES / (TILE_ROWS * s->width * size);
    c->chunk = min(max(min(for_planes, for_flat), 1), c->size[0]);
    s->height = c->size[0] + c->reach[0];
    /* A vector must not extend beyond the image, so it ends with the last position of a run. */
    const int64_t rows = c->chunk == c->size[0] ? c->chunk : 1;
    c->in_place = rv_planes_in_place(s) && c->step[0] == 1 && c->step[1] == 1 &&
                  (rows - 1) * s->width + c->size[1] >= LANES;
    s->height = c->in_place ? s->image[0] : c->chunk + c->reach[0];
    c->flat_row = (c->chunk * s->width / LANES + 1) * LANES;
}

static correlation forward(const rv_conv_plan *p)
{
    correlation c = {
        .plan = p, .planes = RV_NAME(rv_planes_of)(p), .step = {1, 1}, .phases = {1, 1}};
    c.size[0] = c.out[0] = p->out_height;
    c.size[1] = c.out[1] = p->out_width;
    c.reach[0] = c.planes.height - p->out_height;
    c.reach[1] = c.planes.width - p->out_width;
    c.outputs = p->outputs / p->groups;
    c.taps = c.a_row = c.planes.channels * p->kernel[0] * p->kernel[1];
    choose_chunk(&c);
    return c;
}

static correlation input_gradient(const rv_conv_plan *p)
{
    correlation c = {.plan = p, .gradient = true, .outputs = p->channels / p->groups};
    const int64_t source[2] = {p->out_height, p->out_width}, out[2] = {p->height, p->width};
    c.planes.channels = p->outputs / p->groups;
    for (int d = 0; d < 2; d++) {
        const int64_t s = p->stride[d];
        c.reach[d] = (p->kernel[d] - 1) * p->dilation[d] / s;
        c.planes.image[d] = source[d];
        c.planes.stride[d] = c.planes.dilation[d] = c.planes.phases[d] = 1;
        c.planes.base[d] = p->pad[d] / s - c.reach[d];
        c.size[d] = (p->pad[d] + out[d] - 1) / s - p->pad[d] / s + 1;
        c.out[d] = out[d];
        c.step[d] = s;
        c.phases[d] = min(s, p->pad[d] + out[d]);
    }
    c.planes.width = c.size[1] + c.reach[1];
    c.a_row = p->kernel[0] * p->kernel[1];
    c.taps = c.planes.channels * c.a_row;
    choose_chunk(&c);
    return c;
}

/* Pixel h of dx is f*s + r - pad: phase r holds the pixels with one remainder. y is a single
 * phase. */
static phase phase_of(const correlation *c, const int64_t rt[2])
{
    phase a = {{0, 0}, {c->size[0], c->size[1]}, {0, 0}};
    for (int d = 0; d < 2 && c->gradient; d++) {
        const int64_t s = c->step[d], pad = c->plan->pad[d], last = pad + c->out[d] - 1 - rt[d];
        a.first[d] = rt[d] < pad % s;
        a.end[d] = last < 0 ? 0 : last / s - pad / s + 1;
        a.shift[d] = pad / s * s + rt[d] - pad;
    }
    return a;
}

/* Whether tap p falls on phase r. */
static bool on_phase(const correlation *c, int d, int64_t p, int64_t r)
{
    return c->step[d] == 1 || p * c->plan->dilation[d] % c->step[d] == r;
}

/* Lists the taps of a phase in the order of summation and returns their number. */
static int64_t list_taps(const correlation *c, const int64_t rt[2], rv_tap *to)
{
    const rv_conv_plan *w = c->plan;
    const rv_planes *s = &c->planes;
    const int64_t window = w->kernel[0] * w->kernel[1];
    int64_t count = 0;
    for (int64_t m = 0; m < s->channels; m++) {
        for (int64_t p = 0; p < w->kernel[0]; p++) {
            for (int64_t q = 0; q < w->kernel[1]; q++) {
                if (!on_phase(c, 0, p, rt[0]) || !on_phase(c, 1, q, rt[1])) continue;
                rv_tap tap = {m * window + p * w->kernel[1] + q, 0};
                if (c->gradient) {
                    const int64_t up = rv_steps(p * w->dilation[0] - rt[0], c->step[0]);
                    const int64_t left = rv_steps(q * w->dilation[1] - rt[1], c->step[1]);
                    tap.a += m * (c->outputs - 1) * window;
                    tap.b = (m * s->height + c->reach[0] - up) * s->width + c->reach[1] - left;
                } else {
                    tap.b = rv_plane_at(s, m, p, q);
                }
                to[count++] = tap;
            }
        }
    }
    return count;
}

static int64_t count_taps(const correlation *c, const int64_t rt[2])
{
    int64_t count[2] = {0, 0};
    for (int d = 0; d < 2; d++) {
        for (int64_t p = 0; p < c->plan->kernel[d]; p++) count[d] += on_phase(c, d, p, rt[d]);
    }
    return c->planes.channels * count[0] * count[1];
}

/* Copies the positions of one output from `flat` to `out`. */
static void scatter(const correlation *c, const real *flat, const int64_t count[2], real *out)
{
    const int64_t out_row = c->step[0] * c->out[1], flat_row = c->planes.width;
    if (c->step[1] == 1) {
        rv_copy_rows(out, out_row, flat, flat_row, count[0], count[1]);
        return;
    }
    for (int64_t i = 0; i < count[0]; i++) {
        for (int64_t j = 0; j < count[1]; j++) {
            out[i * out_row + j * c->step[1]] = flat[i * flat_row + j];
        }
    }
}

/* Computes all outputs of a group at count[0] rows of count[1] positions. */
static void correlate(const correlation *c, rv_tile t, const int64_t count[2], real *out,
                      real *flat)
{
    const int64_t plane = c->out[0] * c->out[1], height = rv_parts(c->outputs, TILE_ROWS);
    const int64_t run = (count[0] - 1) * c->planes.width + count[1];
    const bool dense =
        c->step[0] == 1 && c->step[1] == 1 && c->planes.width == c->out[1] && run >= LANES;
    const bool exact = dense || c->in_place; /* nothing beyond the run may be read or written */
    const int64_t vectors = exact ? run / LANES : rv_parts(run, LANES);
    const int64_t width = rv_parts(vectors, rv_tile_width((int)min(c->outputs, 3)));
    const real *a = t.a, *b = t.b;
    t.a_stride = c->a_row;
    t.c_row = dense ? plane : c->flat_row;
    for (int64_t h = 0; h < height; h++) {
        const int64_t m = rv_part(c->outputs, height, h);
        const int rows = (int)(rv_part(c->outputs, height, h + 1) - m);
        real *to = dense ? out + m * plane : flat;
        t.a = a + m * c->a_row;
        for (int64_t p = 0; p < width; p++) {
            const int64_t v = rv_part(vectors, width, p);
            t.b = b + v * LANES, t.c = to + v * LANES;
            RV_NAME(rv_tile_run)(RV_TILE_TAPS, rows, (int)(rv_part(vectors, width, p + 1) - v), &t);
        }
        if (vectors * LANES < run) { /* one more vector, which ends with the last position */
            t.b = b + run - LANES, t.c = to + run - LANES;
            RV_NAME(rv_tile_run)(RV_TILE_TAPS, rows, 1, &t);
        }
        for (int i = 0; i < rows && !dense; i++) {
            scatter(c, flat + i * c->flat_row, count, out + (m + i) * plane);
        }
    }
}

/* Computes one chunk of positions, one phase after another. t holds its planes, weights and
 * taps. */
static void correlate_chunk(const correlation *c, int64_t row, rv_tile t, real *out, real *flat)
{
    const real *b = t.b;
    int64_t rt[2];
    for (rt[0] = 0; rt[0] < c->phases[0]; rt[0]++) {
        for (rt[1] = 0; rt[1] < c->phases[1]; rt[1]++) {
            const phase f = phase_of(c, rt);
            const int64_t first = max(f.first[0], row), end = min(f.end[0], row + c->chunk);
            const int64_t count[2] = {end - first, f.end[1] - f.first[1]};
            t.k = count_taps(c, rt);
            if (count[0] > 0 && count[1] > 0) {
                const int64_t i = first * c->step[0] + f.shift[0];
                const int64_t j = f.first[1] * c->step[1] + f.shift[1];
                t.b = b + (first - row) * c->planes.width + f.first[1];
                correlate(c, t, count, out + i * c->out[1] + j, flat);
            }
            t.tap += t.k;
        }
    }
}

/* Scratch holds the taps of all phases, a tile's outputs for one chunk, and the planes of a chunk.
 * The last vector may extend past the end of the planes. */
static size_t planes_bytes(const correlation *c)
{
    return c->in_place ? 0 : (size_t)(rv_planes_count(&c->planes) + LANES) * sizeof(real);
}

static size_t scratch_bytes(const correlation *c)
{
    return (size_t)c->taps * sizeof(rv_tap) + (size_t)(TILE_ROWS * c->flat_row) * sizeof(real) +
           planes_bytes(c);
}

static void run(const rv_call *call)
{
    const rv_conv_plan *p = call->plan;
    const correlation *c = (const correlation *)p->prepared;
    const rv_planes *s = &c->planes;
    const int64_t group = s->channels * c->outputs * p->kernel[0] * p->kernel[1];
    const int64_t source = s->channels * s->image[0] * s->image[1];
    rv_tap *taps = call->scratch;
    real *flat = (real *)(taps + c->taps), *planes = flat + TILE_ROWS * c->flat_row;
    int64_t listed = 0, rt[2];
    for (rt[0] = 0; rt[0] < c->phases[0]; rt[0]++) {
        for (rt[1] = 0; rt[1] < c->phases[1]; rt[1]++) listed += list_taps(c, rt, taps + listed);
    }
    memset(planes, 0, planes_bytes(c)); /* the padding around the image stays zero */
    int64_t first, end;
    rv_call_range(call, p->batch * p->groups, &first, &end);
    for (int64_t n = first; n < end; n++) {
        const real *image = (const real *)call->in[0] + n * source;
        real *out = (real *)call->out + n * c->outputs * c->out[0] * c->out[1];
        rv_tile t = {.tap = taps, .a = (const real *)call->in[1] + n % p->groups * group};
        for (int64_t row = 0; row < c->size[0]; row += c->chunk) {
            rv_planes part = *s;
            part.base[0] += row * s->stride[0];
            t.b = c->in_place ? image + row * s->width : planes;
            if (!c->in_place) {
                if (c->chunk < c->size[0]) memset(planes, 0, planes_bytes(c));
                RV_NAME(rv_planes_fill)(&part, planes, image);
            }
            correlate_chunk(c, row, t, out, flat);
        }
    }
}

static bool fits(const rv_conv_plan *p) { return p->side != RV_SIDE_DW; }

static size_t prepare(rv_conv_plan *plan)
{
    correlation *c = (correlation *)plan->prepared;
    _Static_assert(sizeof *c <= sizeof plan->prepared, "give prepared more room");
    *c = plan->side == RV_SIDE_Y ? forward(plan) : input_gradient(plan);
    plan->most_parts = plan->batch * plan->groups;
    plan->sliced = 1;
    return scratch_bytes(c);
}

const rv_conv_method RV_NAME(rv_conv_planes) = {"planes", fits, NULL, prepare, run, false};
