/* cumulative_sum: the sum of all elements up to each one along an axis. */
#include "ops/attributes_internal.h"
#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"

/* ---- shape rule ---- */

static bool infer(rv_inference *i)
{
    const rv_scan_attr *attr = i->attr;
    i->out = i->in[0];
    if (i->out.dtype == RV_I32)
        return rv_fail(i->error, RV_ERROR_DTYPE, "takes f32 or f64, not i32; cast x first");
    return (attr->axis >= 0 && attr->axis < i->out.shape.rank) ||
           rv_fail(i->error, RV_ERROR_ARGUMENT,
                   "axis %lld of a tensor of rank %lld; use 0 .. rank-1", (long long)attr->axis,
                   (long long)i->out.shape.rank);
}

/* ---- reference: each element in turn, so that y may be x ---- */

static void reference(const rv_call *c)
{
    const rv_scan_attr *attr = c->attr;
    rv_tensor x = rv_call_in(c, 0), y = rv_call_out(c);
    int64_t index[RV_MAX_RANK], stride[RV_MAX_RANK], count = rv_tensor_count(&y);
    rv_strides(y.shape, stride);
    const int64_t back = attr->reverse ? stride[attr->axis] : -stride[attr->axis];
    const int64_t start = attr->reverse ? y.shape.dim[attr->axis] - 1 : 0;
    for (int64_t k = 0; k < count; k++) {
        int64_t i = attr->reverse ? count - 1 - k : k;
        rv_unravel(y.shape, i, index);
        double sum = index[attr->axis] == start ? 0 : rv_tensor_get(&y, i + back);
        rv_tensor_set(&y, i, sum + rv_tensor_get(&x, i));
    }
}

/* ---- element ---- */

static rv_term element(rv_element *e)
{
    const rv_scan_attr *attr = e->attr;
    rv_index at[RV_MAX_RANK], own = e->at[attr->axis];
    rv_index j = rv_index_loop(e, e->out.shape.dim[attr->axis]);
    for (int64_t d = 0; d < e->out.shape.rank; d++) at[d] = e->at[d];
    at[attr->axis] = j;
    rv_index behind = attr->reverse ? rv_index_plus(e, j, rv_index_scale(own, -1))
                                    : rv_index_plus(e, own, rv_index_scale(j, -1));
    rv_term x = rv_term_within(e, behind, e->out.shape.dim[attr->axis], rv_term_input(e, 0, at));
    return rv_term_sum(e, &j, 1, x);
}

/* ---- kernel ---- */

static rv_kernel choose(rv_call *c)
{
    const rv_scan_attr *attr = c->attr;
    const rv_shape x = c->in_type[0].shape;
    rv_scan_plan *plan = rv_scan_plan_new(x, attr->axis, attr->reverse);
    if (!plan) return NULL;
    c->plan = plan;
    c->most_parts = plan->outer;
    c->sliced = 1;
    c->operations = (double)rv_shape_count(x);
    return rv_kernels_for(c->out_type.dtype)->cumulative_sum;
}

/* ---- gradient: an element is in the sums from its own on, so the sum goes the other way ---- */

static rv_var gradient(const rv_backward *b, int k)
{
    const rv_scan_attr *attr = b->attr;
    (void)k;
    return rv_cumulative_sum(b->dy, (int)attr->axis, !attr->reverse);
}

/* ---- samples, descriptor, constructor ---- */

#define SCAN(...) .attr = &(const rv_scan_attr){__VA_ARGS__}, .attr_size = sizeof(rv_scan_attr)
static const rv_sample samples[] = {
    {.in = {{1, {7}}}, .low = -2, .high = 2, SCAN(0, false), RV_GIVEN(RV_NUMBER(0), RV_NUMBER(0))},
    {.in = {{2, {3, 5}}},
     .low = -2,
     .high = 2,
     SCAN(1, true),
     RV_GIVEN(RV_NUMBER(-1), RV_NUMBER(1))},
    {.in = {{2, {3, 5}}}, .low = -2, .high = 2, SCAN(0, true)},
    {.in = {{4, {2, 3, 4, 5}}}, .low = -2, .high = 2, SCAN(2, false)},
    {.in = {{2, {3, 5}}}, .error = "axis 2 of a tensor of rank 2", SCAN(2, false)},
    {.in = {{1, {3}}}, .integer = 1, .error = "not i32", SCAN(0, false)},
};

static const rv_option options[] = {
    {"axis", RV_OPTION_WHOLE, false, 0, "along which; negative from the end"},
    {"reverse", RV_OPTION_FLAG, false, 0, "from each element on instead of up to it"}};

static rv_var call(rv_arguments *a)
{
    return rv_cumulative_sum(a->x[0], rv_option_axis(a, 0), rv_option_flag(a, 1));
}

const rv_op rv_op_cumulative_sum = {
    .name = "cumulative_sum",
    .args = "x",
    .formula = "y[.., i, ..] = sum_(k <= i) x[.., k, ..], or over k >= i",
    .doc = "the sum up to each element along an axis, or from it on",
    .inputs = 1,
    .infer = infer,
    .element = element,
    .reference = reference,
    .select = choose,
    .gradient = gradient,
    RV_LINEAR,
    .in_place = 1,
    .call = call,
    RV_OPTIONS(options),
    RV_SAMPLES(samples),
};

rv_var rv_cumulative_sum(rv_var x, int axis, bool reverse)
{
    int at = rv_axis(x, axis);
    rv_scan_attr attr = {at < 0 ? axis : at, reverse};
    return rv_record(NULL, &rv_op_cumulative_sum, &attr, sizeof attr, &x, 1);
}
