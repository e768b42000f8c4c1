/* broadcast: repeats x along axes of size 1 and along new leading axes. Its gradient is the one
 * place where broadcasting is undone (invariant 4). */
#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"

/* ---- shape rule ---- */

static bool fits(rv_shape x, rv_shape to)
{
    bool ok = x.rank <= to.rank;
    for (int64_t d = 1; d <= x.rank && ok; d++)
        ok = x.dim[x.rank - d] == 1 || x.dim[x.rank - d] == to.dim[to.rank - d];
    return ok;
}

static bool infer(rv_inference *i)
{
    const rv_shape *to = i->attr;
    char text[RV_SHAPE_TEXT];
    i->out = (rv_type){i->in[0].dtype, *to};
    if (!rv_shape_check(*to, 1, NULL, i->error)) return false;
    return fits(i->in[0].shape, *to) ||
           rv_fail(i->error, RV_ERROR_SHAPE,
                   "does not broadcast to %s: from the last axis on, sizes must be equal or 1; "
                   "reshape it first",
                   rv_shape_text(*to, text));
}

/* x's stride along y's axes: 0 where it repeats. */
static void repeat_strides(rv_shape x, rv_shape y, int64_t *stride)
{
    int64_t own[RV_MAX_RANK];
    rv_strides(x, own);
    for (int64_t d = 0; d < y.rank; d++) {
        int64_t at = d - (y.rank - x.rank);
        stride[d] = at < 0 || x.dim[at] == 1 ? 0 : own[at];
    }
}

/* ---- reference ---- */

static void reference(const rv_call *c)
{
    rv_tensor x = rv_call_in(c, 0), y = rv_call_out(c);
    int64_t index[RV_MAX_RANK], stride[RV_MAX_RANK];
    repeat_strides(x.shape, y.shape, stride);
    for (int64_t i = 0; i < rv_tensor_count(&y); i++) {
        int64_t from = 0;
        rv_unravel(y.shape, i, index);
        for (int64_t d = 0; d < y.shape.rank; d++) from += index[d] * stride[d];
        rv_tensor_set(&y, i, rv_tensor_get(&x, from));
    }
}

/* ---- kernel ---- */

static rv_kernel choose(rv_call *c)
{
    rv_copy_plan plan = rv_copy_plan_to(c->out_type.shape);
    repeat_strides(c->in_type[0].shape, c->out_type.shape, plan.in_stride);
    return rv_select_copy(c, plan);
}

/* ---- element ---- */

static rv_term element(rv_element *e)
{
    const rv_shape *x = &e->in[0].shape;
    rv_index at[RV_MAX_RANK];
    for (int64_t d = 0; d < x->rank; d++)
        at[d] = x->dim[d] == 1 ? rv_index_of(0) : e->at[d + e->out.shape.rank - x->rank];
    return rv_term_input(e, 0, at);
}

/* ---- gradient: the sum over what was repeated ---- */

static rv_var gradient(const rv_backward *b, int k)
{
    rv_shape x = rv_shape_of(b->x[k]), y = rv_shape_of(b->y);
    unsigned repeated = 0;
    for (int64_t d = 0; d < y.rank; d++) {
        int64_t at = d - (y.rank - x.rank);
        if (at < 0 || (x.dim[at] == 1 && y.dim[d] != 1)) repeated |= 1u << d;
    }
    return rv_reshape(rv_sum(b->dy, repeated, true), x);
}

/* ---- samples, descriptor, constructor ---- */

#define TO(...) .attr = &(const rv_shape){__VA_ARGS__}, .attr_size = sizeof(rv_shape)
static const rv_sample samples[] = {
    {.in = {{2, {3, 1}}}, .low = -2, .high = 2, TO(2, {3, 5})},
    {.in = {{1, {5}}}, .low = -2, .high = 2, TO(3, {2, 3, 5})},
    {.in = {{0}}, .low = -2, .high = 2, TO(2, {3, 4})},
    {.in = {{4, {2, 1, 3, 1}}},
     .low = -2,
     .high = 2,
     TO(5, {2, 2, 4, 3, 5}),
     RV_GIVEN(RV_LIST(2, 2, 4, 3, 5))},
    {.in = {{2, {3, 2}}}, .error = "does not broadcast to [3,5]", TO(2, {3, 5})},
    {.in = {{2, {3, 2}}}, .error = "does not broadcast to [2]", TO(1, {2})},
};

static const rv_option options[] = {
    {"shape", RV_OPTION_LIST, true, 0, "of y; from the last axis on x's sizes are equal or 1"}};

static rv_var call(rv_arguments *a) { return rv_broadcast(a->x[0], rv_option_shape(a, 0)); }

static bool by_rows(const void *attr, const rv_type *in, int k)
{
    const rv_shape *x = &in[0].shape, *to = attr;
    (void)k;
    return x->rank > 0 && x->rank == to->rank && x->dim[0] == to->dim[0];
}

const rv_op rv_op_broadcast = {
    .name = "broadcast",
    .args = "x",
    .formula = "y[.., i, ..] = x[.., i or 0, ..]",
    .doc = "repeats along axes of size 1 and new leading axes",
    .inputs = 1,
    .infer = infer,
    .element = element,
    .reference = reference,
    .select = choose,
    .gradient = gradient,
    .by_rows = by_rows,
    RV_LINEAR,
    .rearranges = true,
    .call = call,
    RV_OPTIONS(options),
    RV_SAMPLES(samples),
};

rv_var rv_broadcast(rv_var x, rv_shape shape)
{
    if (rv_is_null(x) || rv_shape_equal(rv_shape_of(x), shape)) return x;
    rv_shape to = {.rank = shape.rank};
    for (int64_t d = 0; d < shape.rank && d < RV_MAX_RANK; d++) to.dim[d] = shape.dim[d];
    double value;
    if (rv_is_uniform(x, &value) && rv_dtype_of(x) == rv_tape_dtype(x.tape) &&
        rv_shape_of(x).rank == 0)
        return rv_full(x.tape, to, value);
    if (rv_shape_check(to, 1, NULL, NULL) && fits(rv_shape_of(x), to) &&
        rv_shape_count(to) == rv_shape_count(rv_shape_of(x)))
        return rv_reshape(x, to); /* new axes of size 1 repeat nothing */
    return rv_record(NULL, &rv_op_broadcast, &to, sizeof to, &x, 1);
}
