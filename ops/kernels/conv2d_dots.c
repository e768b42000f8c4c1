/* The gradient of a convolution with respect to its weights:
 *
 *   dw[o,(c,p,q)] = sum over images n and positions f of dy[n,o,f] x[n, f + at(c,p,q)]
 *
 * These are dot products of dy with pieces of planes (planes.h). The rows of dy are padded with
 * zeros to the width of the planes. An infinite or NaN pixel times such a zero is NaN, so it may
 * reach taps that never see it. A run is the part of the sum that comes from one image, or from
 * some rows of a large one. As many runs as fit in the cache are summed at a time. */
#include <string.h>

#include "ops/kernels/methods.h"
#include "ops/kernels/planes.h"
#include "ops/kernels/tile.h"

/* The part of the second-level cache that runs may fill; the runs that are summed at a time even if
 * they do not fit. */
enum { MOST_BYTES = 512 * 1024, FEWEST_RUNS = 4 };

static int64_t min(int64_t x, int64_t y) { return x < y ? x : y; }
static int64_t max(int64_t x, int64_t y) { return x > y ? x : y; }

typedef struct layout {
    rv_planes planes;      /* of a run */
    bool x_in_place;       /* x is its own planes (stride 1, no padding) */
    bool dy_in_place;      /* x is, and the rows of dy are as wide */
    int64_t outputs, taps; /* of a group */
    int64_t rows, chunks;  /* of outputs in a run; runs in an image */
    int64_t k;             /* positions in a run */
    int64_t x_run, dy_run; /* elements from one run to the next */
    int64_t runs;          /* summed at a time */
} layout;

static layout lay_out(const rv_conv_plan *p)
{
    layout s = {.planes = RV_NAME(rv_planes_of)(p), .outputs = p->outputs / p->groups};
    const int64_t reach = s.planes.height - p->out_height;
    s.taps = s.planes.channels * p->kernel[0] * p->kernel[1];
    const int64_t most = MOST_BYTES / (int64_t)sizeof(real);
    const int64_t x_row = rv_planes_count(&s.planes) / s.planes.height;
    const int64_t dy_row = s.outputs * s.planes.width;
    const bool same_width = s.planes.width == p->out_width;
    s.rows = p->out_height;
    s.k = (s.rows - 1) * s.planes.width + p->out_width;
    s.x_in_place =
        rv_planes_in_place(&s.planes) && s.k >= LANES && (same_width || s.outputs * s.k <= most);
    s.dy_in_place = s.x_in_place && same_width;
    if (s.x_in_place) {
        s.planes.height = p->height;
        s.x_run = p->channels * p->height * p->width;
    } else {
        s.rows = min(s.rows, max(1, (most - reach * x_row) / (x_row + dy_row)));
        s.planes.height = s.rows + reach;
        s.k = rv_parts((s.rows - 1) * s.planes.width + p->out_width, LANES) * LANES;
        s.x_run = rv_planes_count(&s.planes);
    }
    s.chunks = rv_parts(p->out_height, s.rows);
    s.dy_run = s.dy_in_place ? p->outputs * p->out_height * p->out_width : s.outputs * s.k;
    s.runs = p->batch * s.chunks;
    if (!s.dy_in_place) {
        s.runs = min(s.runs, max(FEWEST_RUNS, most / (s.dy_run + (s.x_in_place ? 0 : s.x_run))));
    }
    return s;
}

/* Outputs of a group. */
typedef struct range {
    int64_t first, end;
} range;

/* Rows row .. row + s->rows of dy, zero below its end. */
static void spread(const layout *s, const rv_conv_plan *p, range outputs, real *to, const real *dy,
                   int64_t row)
{
    const int64_t rows = min(s->rows, p->out_height - row), width = p->out_width;
    memset(to + outputs.first * s->k, 0,
           (size_t)((outputs.end - outputs.first) * s->k) * sizeof(real));
    for (int64_t o = outputs.first; o < outputs.end; o++) {
        rv_copy_rows(to + o * s->k, s->planes.width, dy + (o * p->out_height + row) * width, width,
                     rows, width);
    }
}

/* Prepares one run, unless x and dy are in place. */
static void lay_out_run(const layout *s, const rv_conv_plan *p, range outputs, real *to_x,
                        real *to_dy, const real *x, const real *dy, int64_t row)
{
    rv_planes planes = s->planes;
    planes.base[0] += row * planes.stride[0];
    if (!s->x_in_place) {
        memset(to_x, 0, (size_t)(s->x_run + LANES) * sizeof(real));
        RV_NAME(rv_planes_fill)(&planes, to_x, x);
    }
    spread(s, p, outputs, to_dy, dy, row);
}

static void dots(const layout *s, range outputs, rv_dot d, const real *x, const real *dy,
                 int64_t dy_row, const int64_t *at, real *dw)
{
    for (int64_t o = outputs.first; o < outputs.end; o += DOT_ROWS) {
        const int rows = (int)min(outputs.end - o, DOT_ROWS);
        for (int i = 0; i < rows; i++) d.a[i] = dy + (o + i) * dy_row;
        for (int64_t l = 0; l < s->taps; l += DOT_COLUMNS) {
            const int columns = (int)min(s->taps - l, DOT_COLUMNS);
            for (int j = 0; j < columns; j++) d.b[j] = x + at[l + j];
            d.c = dw + o * s->taps + l;
            RV_NAME(rv_dot_run)(rows, columns, &d);
        }
    }
}

/* The gradient of one group. x and dy are those of the first image. */
static void group_gradient(const layout *s, const rv_conv_plan *p, range outputs, const real *x,
                           const real *dy, const int64_t *at, real *dw, real *scratch)
{
    const int64_t image_x = p->channels * p->height * p->width;
    const int64_t image_dy = p->outputs * p->out_height * p->out_width;
    const int64_t total = p->batch * s->chunks;
    real *dys = scratch, *xs = s->dy_in_place ? dys : dys + s->runs * s->dy_run;
    for (int64_t first = 0; first < total; first += s->runs) {
        const int64_t runs = min(s->runs, total - first);
        for (int64_t r = 0; r < runs && !s->dy_in_place; r++) {
            const int64_t n = (first + r) / s->chunks, chunk = (first + r) % s->chunks;
            lay_out_run(s, p, outputs, s->x_in_place ? NULL : xs + r * s->x_run,
                        dys + r * s->dy_run, x + n * image_x, dy + n * image_dy, chunk * s->rows);
        }
        const rv_dot d = {s->k, runs, s->dy_run, s->x_run, s->taps, .add = p->add || first > 0};
        dots(s, outputs, d, s->x_in_place ? x + first * image_x : xs, s->dy_in_place ? dy : dys,
             s->dy_in_place ? p->out_height * p->out_width : s->k, at, dw);
    }
}

static void run(const rv_call *call)
{
    const rv_conv_plan *p = call->plan;
    const real *x = call->in[0], *dy = call->in[1];
    const layout s = *(const layout *)p->prepared;
    int64_t *at = call->scratch, *next = at;
    for (int64_t c = 0; c < s.planes.channels; c++) {
        for (int64_t i = 0; i < p->kernel[0]; i++) {
            for (int64_t j = 0; j < p->kernel[1]; j++) *next++ = rv_plane_at(&s.planes, c, i, j);
        }
    }
    int64_t first, end;
    rv_call_range(call, p->outputs, &first, &end);
    for (int64_t g = 0; g < p->groups; g++) {
        const range outputs = {max(first - g * s.outputs, 0), min(end - g * s.outputs, s.outputs)};
        if (outputs.first >= outputs.end) continue;
        group_gradient(&s, p, outputs, x + g * s.planes.channels * p->height * p->width,
                       dy + g * s.outputs * p->out_height * p->out_width, at,
                       (real *)call->out + g * s.outputs * s.taps, (real *)next);
    }
}

static bool fits(const rv_conv_plan *p) { return p->side == RV_SIDE_DW; }

/* Scratch holds the offset of each tap in the planes, and dy and x of `runs` runs unless they are
 * in place. The last vector of a piece may extend past the end of the planes. */
static size_t prepare(rv_conv_plan *plan)
{
    layout *s = (layout *)plan->prepared;
    _Static_assert(sizeof *s <= sizeof plan->prepared, "give prepared more room");
    *s = lay_out(plan);
    plan->most_parts = plan->outputs;
    plan->sliced = 4;
    const int64_t dys = s->dy_in_place ? 0 : s->runs * s->dy_run;
    const int64_t xs = s->x_in_place ? 0 : s->runs * s->x_run + LANES;
    return (size_t)s->taps * sizeof(int64_t) + (size_t)(dys + xs) * sizeof(real);
}

const rv_conv_method RV_NAME(rv_conv_dots) = {"dots", fits, NULL, prepare, run, false};
