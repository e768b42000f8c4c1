/* transpose: y[i_0, i_1, ...] = x with axis axes[d] of x as axis d of y. */
#include <math.h>

#include "ops/attributes_internal.h"
#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"

/* ---- shape rule ---- */

static bool infer(rv_inference *i)
{
    const rv_transpose_attr *attr = i->attr;
    const rv_shape *x = &i->in[0].shape;
    unsigned seen = 0;
    i->out = (rv_type){i->in[0].dtype, {.rank = x->rank}};
    for (int64_t d = 0; d < x->rank; d++) {
        int64_t axis = attr->axis[d];
        if (axis < 0 || axis >= x->rank || seen >> axis & 1)
            return rv_fail(i->error, RV_ERROR_ARGUMENT,
                           "axes[%d] is %lld, expected each of 0..%lld once; give a permutation",
                           (int)d, (long long)axis, (long long)x->rank - 1);
        seen |= 1u << axis;
        i->out.shape.dim[d] = x->dim[axis];
    }
    return true;
}

/* ---- reference ---- */

static void reference(const rv_call *c)
{
    const rv_transpose_attr *attr = c->attr;
    rv_tensor x = rv_call_in(c, 0), y = rv_call_out(c);
    int64_t from[RV_MAX_RANK], to[RV_MAX_RANK];
    for (int64_t i = 0; i < rv_tensor_count(&y); i++) {
        rv_unravel(y.shape, i, to);
        for (int64_t d = 0; d < y.shape.rank; d++) from[attr->axis[d]] = to[d];
        rv_tensor_set(&y, i, rv_tensor_get(&x, rv_ravel(x.shape, from)));
    }
}

/* ---- element ---- */

static rv_term element(rv_element *e)
{
    const rv_transpose_attr *attr = e->attr;
    rv_index at[RV_MAX_RANK];
    for (int64_t d = 0; d < e->out.shape.rank; d++) at[attr->axis[d]] = e->at[d];
    return rv_term_input(e, 0, at);
}

/* ---- kernel ---- */

static rv_kernel choose(rv_call *c)
{
    const rv_transpose_attr *attr = c->attr;
    const rv_shape x = c->in_type[0].shape, y = c->out_type.shape;
    int64_t stride[RV_MAX_RANK];
    rv_copy_plan plan = rv_copy_plan_to(y);
    rv_strides(x, stride);
    for (int64_t d = 0; d < y.rank; d++) plan.in_stride[d] = stride[attr->axis[d]];
    return rv_select_copy(c, plan);
}

/* ---- gradient: the inverse permutation ---- */

static rv_var gradient(const rv_backward *b, int k)
{
    const rv_transpose_attr *attr = b->attr;
    int inverse[RV_MAX_RANK];
    (void)k;
    for (int d = 0; d < rv_shape_of(b->y).rank; d++) inverse[attr->axis[d]] = d;
    return rv_transpose(b->dy, inverse);
}

/* ---- samples, descriptor, constructor ---- */

#define AXES(...) \
    .attr = &(const rv_transpose_attr){{__VA_ARGS__}}, .attr_size = sizeof(rv_transpose_attr)
static const rv_sample samples[] = {
    {.in = {{2, {3, 5}}}, .low = -2, .high = 2, AXES(1, 0), RV_GIVEN(RV_ABSENT)},
    {.in = {{4, {2, 3, 4, 5}}},
     .low = -2,
     .high = 2,
     AXES(2, 0, 3, 1),
     RV_GIVEN(RV_LIST(2, 0, -1, 1))},
    {.in = {{3, {2, 3, 4}}}, .low = -9, .high = 9, .integer = 1, AXES(0, 2, 1)},
    {.in = {{2, {3, 5}}}, .error = "expected each of 0..1 once", AXES(1, 1)},
};

static const rv_option options[] = {
    {"axes", RV_OPTION_LIST, false, NAN, "of x, in y's order; absent: reversed"}};

static rv_var call(rv_arguments *a)
{
    int order[RV_MAX_RANK];
    return rv_transpose(a->x[0], rv_option_order(a, 0, order));
}

const rv_op rv_op_transpose = {
    .name = "transpose",
    .args = "x",
    .formula = "y[.., i_d, ..] = x[.., i_d at axes[d], ..]",
    .doc = "permutes the axes",
    .inputs = 1,
    .infer = infer,
    .element = element,
    .reference = reference,
    .select = choose,
    .gradient = gradient,
    RV_LINEAR,
    .rearranges = true,
    .call = call,
    RV_OPTIONS(options),
    RV_SAMPLES(samples),
};

rv_var rv_transpose(rv_var x, const int *axes)
{
    rv_transpose_attr attr = {0};
    bool moves = false;
    int rank = (int)rv_shape_of(x).rank;
    for (int d = 0; d < rank; d++) {
        attr.axis[d] = axes ? axes[d] : rank - 1 - d;
        moves = moves || attr.axis[d] != d;
    }
    return moves ? rv_record(NULL, &rv_op_transpose, &attr, sizeof attr, &x, 1) : x;
}
