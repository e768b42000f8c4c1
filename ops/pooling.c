/* Pooling: the maximum or mean of each window over the last two axes. Composites of strided slices:
 * element (p, q) of all windows is one slice. */
#include <math.h>

#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"

/* ---- recipes ---- */

static bool pool_fits(rv_var x, int64_t size, int64_t stride, int64_t widest, const char *op)
{
    rv_shape shape = rv_shape_of(x);
    char text[RV_SHAPE_TEXT];
    if (rv_is_null(x)) return false;
    if (size < 1 || stride < 1 || size > widest) {
        rv_tape_fail(x.tape, RV_ERROR_ARGUMENT,
                     "%s: size %lld, stride %lld, expected both at least 1 and a size of at most "
                     "%lld; pool in several steps",
                     op, (long long)size, (long long)stride, (long long)widest);
        return false;
    }
    if (shape.rank < 2 || shape.dim[shape.rank - 2] < size || shape.dim[shape.rank - 1] < size) {
        rv_tape_fail(x.tape, RV_ERROR_SHAPE,
                     "%s: x is %s, expected [..,height,width] of at least %lldx%lld; pad x first",
                     op, rv_shape_text(shape, text), (long long)size, (long long)size);
        return false;
    }
    return true;
}

static int64_t windows(int64_t length, int64_t size, int64_t stride)
{
    return (length - size) / stride + 1;
}

/* The maximum of the size^2 slices, over an axis of their own: so all maxima of a window share its
 * gradient. */
rv_var rv_max_pool2d(rv_var x, int64_t size, int64_t stride)
{
    enum { WIDEST = 32 };
    rv_shape shape = rv_shape_of(x);
    if (!pool_fits(x, size, stride, WIDEST, "max_pool2d")) return (rv_var){x.tape, -1};
    int64_t *height = &shape.dim[shape.rank - 2], *width = &shape.dim[shape.rank - 1];
    rv_var images = rv_reshape(x, RV_SHAPE(-1, *height, *width)), slice[WIDEST * WIDEST];
    *height = windows(*height, size, stride);
    *width = windows(*width, size, stride);
    const int64_t count[] = {rv_shape_of(images).dim[0], *height, *width};
    const int64_t step[] = {1, stride, stride};
    for (int64_t i = 0; i < size * size; i++)
        slice[i] = rv_slice(images, (int64_t[]){0, i / size, i % size}, count, step);
    return rv_reshape(rv_max(rv_stack(slice, (int)(size * size), 0), 1, false), shape);
}

/* The sum of size slices along one axis. */
static rv_var sum_along(rv_var x, int64_t axis, int64_t size, int64_t stride)
{
    rv_shape shape = rv_shape_of(x);
    int64_t start[RV_MAX_RANK] = {0}, step[RV_MAX_RANK];
    rv_var y = x;
    for (int64_t d = 0; d < shape.rank; d++) step[d] = d == axis ? stride : 1;
    shape.dim[axis] = windows(shape.dim[axis], size, stride);
    for (int64_t q = 0; q < size; q++) {
        start[axis] = q;
        rv_var slice = rv_slice(x, start, shape.dim, step);
        y = q ? rv_add(y, slice) : slice;
    }
    return y;
}

rv_var rv_average_pool2d(rv_var x, int64_t size, int64_t stride)
{
    enum { WIDEST = 1 << 12 };
    const int64_t rank = rv_shape_of(x).rank;
    if (!pool_fits(x, size, stride, WIDEST, "average_pool2d")) return (rv_var){x.tape, -1};
    rv_var rows = sum_along(x, rank - 1, size, stride);
    return rv_scale(sum_along(rows, rank - 2, size, stride), 1 / ((double)size * (double)size));
}

rv_var rv_global_average_pool(rv_var x)
{
    int64_t rank = rv_shape_of(x).rank;
    if (rv_is_null(x)) return x;
    if (rank < 2)
        return rv_tape_fail(x.tape, RV_ERROR_SHAPE,
                            "global_average_pool: x has rank %lld, expected [..,height,width]; "
                            "reshape it first",
                            (long long)rank);
    return rv_mean(x, 3u << (rank - 2), false);
}

/* ---- references ---- */

typedef struct window {
    int64_t size, stride;
} window;

static window window_of(const rv_option_value *v)
{
    const window w = {(int64_t)v[0].number, (int64_t)v[1].number};
    return w.stride ? w : (window){w.size, w.size};
}

static double plus(double a, double b) { return a + b; }
static double greater(double a, double b) { return a > b || isnan(a) ? a : b; }

static void pool_reference(const rv_call *c, double start, double (*join)(double, double),
                           double factor)
{
    const window w = window_of(c->attr);
    rv_tensor x = rv_call_in(c, 0), y = rv_call_out(c);
    int64_t i[RV_MAX_RANK], row = y.shape.rank - 2, column = row + 1;
    for (int64_t at = 0; at < rv_tensor_count(&y); at++) {
        double total = start;
        for (int64_t p = 0; p < w.size; p++)
            for (int64_t q = 0; q < w.size; q++) {
                rv_unravel(y.shape, at, i);
                i[row] = i[row] * w.stride + p;
                i[column] = i[column] * w.stride + q;
                total = join(total, rv_tensor_get(&x, rv_ravel(x.shape, i)));
            }
        rv_tensor_set(&y, at, total * factor);
    }
}

static void max_pool2d_reference(const rv_call *c) { pool_reference(c, -INFINITY, greater, 1); }

static void average_pool2d_reference(const rv_call *c)
{
    const window w = window_of(c->attr);
    pool_reference(c, 0, plus, 1 / (double)(w.size * w.size));
}

static void global_average_pool_reference(const rv_call *c)
{
    const rv_shape *x = &c->in_type[0].shape;
    int64_t area = x->dim[x->rank - 2] * x->dim[x->rank - 1];
    for (int64_t i = 0; i < rv_shape_count(c->out_type.shape); i++) {
        double sum = 0;
        for (int64_t j = 0; j < area; j++) sum += rv_operand(c, 0, i * area + j);
        rv_result(c, i, sum / (double)area);
    }
}

/* ---- samples, descriptors ---- */

static const rv_option pool_options[] = {
    {"size", RV_OPTION_WHOLE, true, NAN, "a window is size x size"},
    {"stride", RV_OPTION_WHOLE, false, 0, "from one window to the next; 0: size"}};

static rv_var call_max_pool2d(rv_arguments *a)
{
    const window w = window_of(a->value);
    return rv_max_pool2d(a->x[0], w.size, w.stride);
}

static rv_var call_average_pool2d(rv_arguments *a)
{
    const window w = window_of(a->value);
    return rv_average_pool2d(a->x[0], w.size, w.stride);
}

static rv_var call_global_average_pool(rv_arguments *a) { return rv_global_average_pool(a->x[0]); }

#define WINDOW(size, stride) RV_GIVEN(RV_NUMBER(size), RV_NUMBER(stride))
static const rv_sample pool_samples[] = {
    {.in = {{4, {2, 2, 4, 4}}}, .low = -2, .high = 2, WINDOW(2, 0)},
    {.in = {{4, {1, 2, 5, 6}}}, .low = -2, .high = 2, WINDOW(3, 2)},
    {.in = {{2, {5, 3}}}, .low = -2, .high = 2, WINDOW(2, 2)},
    {.in = {{4, {1, 1, 2, 8}}}, WINDOW(3, 2), .error = "x is [1,1,2,8], expected"},
    {.in = {{4, {1, 1, 8, 8}}}, WINDOW(2, -1), .error = "stride -1, expected"},
};
static const rv_sample global_average_pool_samples[] = {
    {.in = {{4, {2, 3, 4, 5}}}, .low = -2, .high = 2},
    {.in = {{1, {5}}}, .error = "x has rank 1"},
};

const rv_op rv_op_max_pool2d = {.name = "max_pool2d",
                                .args = "x",
                                .formula = "y[..,i,j] = max_pq x[.., i stride + p, j stride + q]",
                                .doc = "the largest of each window; windows stay inside x",
                                .kind = RV_OP_COMPOSITE,
                                .inputs = 1,
                                .reference = max_pool2d_reference,
                                .call = call_max_pool2d,
                                RV_OPTIONS(pool_options),
                                RV_SAMPLES(pool_samples)};

const rv_op rv_op_average_pool2d = {.name = "average_pool2d",
                                    .args = "x",
                                    .formula =
                                        "y[..,i,j] = mean_pq x[.., i stride + p, j stride + q]",
                                    .doc = "the mean of each window; windows stay inside x",
                                    .kind = RV_OP_COMPOSITE,
                                    .inputs = 1,
                                    .reference = average_pool2d_reference,
                                    .call = call_average_pool2d,
                                    RV_OPTIONS(pool_options),
                                    RV_LINEAR,
                                    RV_SAMPLES(pool_samples)};

const rv_op rv_op_global_average_pool = {.name = "global_average_pool",
                                         .args = "x",
                                         .formula = "y[..] = mean_ij x[..,i,j]",
                                         .doc = "the mean of each image",
                                         .kind = RV_OP_COMPOSITE,
                                         .inputs = 1,
                                         .reference = global_average_pool_reference,
                                         .call = call_global_average_pool,
                                         RV_LINEAR,
                                         RV_SAMPLES(global_average_pool_samples)};
