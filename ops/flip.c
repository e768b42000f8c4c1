/* flip: reverses axes. */
#include "ops/attributes_internal.h"
#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"

/* ---- shape rule ---- */

static bool infer(rv_inference *i)
{
    const rv_flip_attr *attr = i->attr;
    i->out = i->in[0];
    return attr->axes >> i->out.shape.rank == 0 ||
           rv_fail(i->error, RV_ERROR_ARGUMENT,
                   "axes 0x%llx are beyond rank %lld; bit d stands for axis d",
                   (unsigned long long)attr->axes, (long long)i->out.shape.rank);
}

/* ---- reference ---- */

static void reference(const rv_call *c)
{
    const rv_flip_attr *attr = c->attr;
    rv_tensor x = rv_call_in(c, 0), y = rv_call_out(c);
    int64_t index[RV_MAX_RANK];
    for (int64_t i = 0; i < rv_tensor_count(&y); i++) {
        rv_unravel(y.shape, i, index);
        for (int64_t d = 0; d < y.shape.rank; d++)
            if (attr->axes >> d & 1) index[d] = y.shape.dim[d] - 1 - index[d];
        rv_tensor_set(&y, i, rv_tensor_get(&x, rv_ravel(x.shape, index)));
    }
}

/* ---- element ---- */

static rv_term element(rv_element *e)
{
    const rv_flip_attr *attr = e->attr;
    rv_index at[RV_MAX_RANK];
    for (int64_t d = 0; d < e->out.shape.rank; d++)
        at[d] = attr->axes >> d & 1
                    ? rv_index_shift(rv_index_scale(e->at[d], -1), e->out.shape.dim[d] - 1)
                    : e->at[d];
    return rv_term_input(e, 0, at);
}

/* ---- kernel ---- */

static rv_kernel choose(rv_call *c)
{
    const rv_flip_attr *attr = c->attr;
    const rv_shape y = c->out_type.shape;
    rv_copy_plan plan = rv_copy_plan_to(y);
    for (int64_t d = 0; d < y.rank; d++) {
        bool reversed = attr->axes >> d & 1;
        plan.in_stride[d] = reversed ? -plan.out_stride[d] : plan.out_stride[d];
        if (reversed) plan.in_offset += (y.dim[d] - 1) * plan.out_stride[d];
    }
    return rv_select_copy(c, plan);
}

/* ---- gradient: flip is its own inverse ---- */

static rv_var gradient(const rv_backward *b, int k)
{
    const rv_flip_attr *attr = b->attr;
    (void)k;
    return rv_flip(b->dy, (unsigned)attr->axes);
}

/* ---- samples, descriptor, constructor ---- */

#define AXES(mask) .attr = &(const rv_flip_attr){mask}, .attr_size = sizeof(rv_flip_attr)
static const rv_sample samples[] = {
    {.in = {{2, {3, 5}}}, .low = -2, .high = 2, AXES(3)},
    {.in = {{4, {2, 3, 4, 5}}}, .low = -2, .high = 2, AXES(12), RV_GIVEN(RV_LIST(2, -1))},
    {.in = {{3, {2, 3, 4}}}, .low = -2, .high = 2, AXES(2)},
    {.in = {{2, {3, 5}}}, .error = "beyond rank 2", AXES(4)},
};

static const rv_option options[] = {
    {"axes", RV_OPTION_LIST, true, 0, "to reverse; negative from the end"}};

static rv_var call(rv_arguments *a) { return rv_flip(a->x[0], rv_option_axes(a, 0)); }

const rv_op rv_op_flip = {
    .name = "flip",
    .args = "x",
    .formula = "y[.., i, ..] = x[.., n-1-i, ..]",
    .doc = "reverses axes",
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

rv_var rv_flip(rv_var x, unsigned axes)
{
    if (rv_is_null(x) || !axes) return x;
    return rv_record(NULL, &rv_op_flip, &(rv_flip_attr){axes}, sizeof(rv_flip_attr), &x, 1);
}
