/* scan: a linear recurrence along an axis, in time linear in its length. */
#include "ops/attributes_internal.h"
#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"

/* ---- shape rule ---- */

static bool infer(rv_inference *i)
{
    const rv_scan_attr *attr = i->attr;
    char text[RV_SHAPE_TEXT];
    i->out = i->in[1];
    if (i->out.dtype == RV_I32 || i->in[0].dtype != i->out.dtype || i->in[2].dtype != i->out.dtype)
        return rv_fail(i->error, RV_ERROR_DTYPE,
                       "takes a, b and start of one dtype, f32 or f64; cast them first");
    if (attr->axis < 0 || attr->axis >= i->out.shape.rank)
        return rv_fail(i->error, RV_ERROR_ARGUMENT,
                       "axis %lld of a tensor of rank %lld; use 0 .. rank-1", (long long)attr->axis,
                       (long long)i->out.shape.rank);
    rv_shape start = i->out.shape;
    start.dim[attr->axis] = 1;
    return (rv_shape_equal(i->in[0].shape, i->out.shape) &&
            rv_shape_equal(i->in[2].shape, start)) ||
           rv_fail(i->error, RV_ERROR_SHAPE,
                   "the shape of a is that of b, and start is %s; reshape them",
                   rv_shape_text(start, text));
}

/* ---- reference: each element in turn, so that y may be a or b ---- */

static void reference(const rv_call *c)
{
    const rv_scan_attr *attr = c->attr;
    rv_tensor y = rv_call_out(c);
    const rv_shape start = c->in_type[2].shape;
    int64_t index[RV_MAX_RANK], stride[RV_MAX_RANK], count = rv_tensor_count(&y);
    rv_strides(y.shape, stride);
    const int64_t back = attr->reverse ? stride[attr->axis] : -stride[attr->axis];
    const int64_t first = attr->reverse ? y.shape.dim[attr->axis] - 1 : 0;
    for (int64_t k = 0; k < count; k++) {
        int64_t i = attr->reverse ? count - 1 - k : k;
        rv_unravel(y.shape, i, index);
        bool starts = index[attr->axis] == first;
        index[attr->axis] = 0;
        double before =
            starts ? rv_operand(c, 2, rv_ravel(start, index)) : rv_tensor_get(&y, i + back);
        rv_result(c, i, rv_operand(c, 0, i) * before + rv_operand(c, 1, i));
    }
}

/* ---- kernel ---- */

static rv_kernel choose(rv_call *c)
{
    const rv_scan_attr *attr = c->attr;
    const rv_shape y = c->out_type.shape;
    rv_scan_plan *plan = rv_scan_plan_new(y, attr->axis, attr->reverse);
    if (!plan) return NULL;
    c->plan = plan;
    c->most_parts = plan->outer;
    c->sliced = 3;
    c->operations = 2 * (double)rv_shape_count(y);
    return rv_kernels_for(c->out_type.dtype)->scan;
}

/* ---- gradient ----
 *
 * With y[t] = a[t] y[t-1] + b[t], the cotangent g[t] of b[t] is that of y[t] plus what y[t+1]
 * passes on, g[t] = a[t+1] g[t+1] + dy[t]: a scan from the other end. */

/* The elements one step towards the start of the scan, where `start` comes first. */
static rv_var before(rv_var y, rv_var start, const rv_scan_attr *attr)
{
    const int axis = (int)attr->axis;
    const int64_t steps = rv_shape_of(y).dim[axis];
    if (steps == 1) return start;
    rv_var kept = rv_slice_axis(y, axis, attr->reverse, steps - 1);
    return rv_concat((rv_var[]){attr->reverse ? kept : start, attr->reverse ? start : kept}, 2,
                     axis);
}

static rv_var gradient(const rv_backward *b, int k)
{
    const rv_scan_attr *attr = b->attr;
    const rv_scan_attr other = {attr->axis, !attr->reverse};
    const int axis = (int)attr->axis;
    const int64_t steps = rv_shape_of(b->y).dim[axis];
    rv_var none = rv_full(b->y.tape, rv_shape_of(b->x[2]), 0);
    rv_var g = rv_scan(before(b->x[0], none, &other), b->dy, none, axis, other.reverse);
    int64_t first = attr->reverse ? steps - 1 : 0;
    if (k == 0) return rv_multiply(g, before(b->y, b->x[2], attr));
    if (k == 1) return g;
    return rv_multiply(rv_slice_axis(b->x[0], axis, first, 1), rv_slice_axis(g, axis, first, 1));
}

/* ---- samples, descriptor, constructor ---- */

#define SCAN(...) .attr = &(const rv_scan_attr){__VA_ARGS__}, .attr_size = sizeof(rv_scan_attr)
static const rv_sample samples[] = {
    {.in = {{1, {7}}, {1, {7}}, {1, {1}}},
     .low = -1,
     .high = 1,
     SCAN(0, false),
     RV_GIVEN(RV_NUMBER(0), RV_NUMBER(0))},
    {.in = {{2, {3, 5}}, {2, {3, 5}}, {2, {3, 1}}},
     .low = -1,
     .high = 1,
     SCAN(1, true),
     RV_GIVEN(RV_NUMBER(-1), RV_NUMBER(1))},
    {.in = {{4, {2, 3, 4, 5}}, {4, {2, 3, 4, 5}}, {4, {2, 1, 4, 5}}},
     .low = -1,
     .high = 1,
     SCAN(1, false)},
    {.in = {{3, {2, 6, 19}}, {3, {2, 6, 19}}, {3, {2, 1, 19}}},
     .low = -1,
     .high = 1,
     SCAN(1, true)},
    {.in = {{2, {3, 1}}, {2, {3, 1}}, {2, {3, 1}}}, .low = -1, .high = 1, SCAN(1, false)},
    {.in = {{2, {3, 5}}, {2, {3, 5}}, {2, {3, 1}}},
     .error = "axis 2 of a tensor of rank 2",
     SCAN(2, false)},
    {.in = {{2, {3, 5}}, {2, {3, 5}}, {2, {3, 5}}}, .error = "start is [3,1]", SCAN(1, false)},
    {.in = {{1, {3}}, {1, {3}}, {1, {1}}}, .integer = 1, .error = "one dtype", SCAN(0, false)},
};

static const rv_option options[] = {
    {"axis", RV_OPTION_WHOLE, false, 0, "along which; negative from the end"},
    {"reverse", RV_OPTION_FLAG, false, 0, "from the last element to the first"}};

static rv_var call(rv_arguments *a)
{
    return rv_scan(a->x[0], a->x[1], a->x[2], rv_option_axis(a, 0), rv_option_flag(a, 1));
}

const rv_op rv_op_scan = {
    .name = "scan",
    .args = "a b start",
    .formula =
        "y[.., t, ..] = a[.., t, ..] y[.., t - 1, ..] + b[.., t, ..], with y[.., -1, ..] = start",
    .doc = "a linear recurrence along an axis, from the first element or the last",
    .inputs = 3,
    .infer = infer,
    .reference = reference,
    .select = choose,
    .gradient = gradient,
    .in_place = 3,
    .call = call,
    RV_OPTIONS(options),
    RV_SAMPLES(samples),
};

rv_var rv_scan(rv_var a, rv_var b, rv_var start, int axis, bool reverse)
{
    int at = rv_axis(b, axis);
    rv_scan_attr attr = {at < 0 ? axis : at, reverse};
    return rv_record(NULL, &rv_op_scan, &attr, sizeof attr, (rv_var[]){a, b, start}, 3);
}
