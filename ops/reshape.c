/* reshape: the same elements in the same order under another shape. A view: no copy is made. */
#include "autograd/element_internal.h"
#include "ops/ops.h"
#include "ops/options.h"

/* ---- shape rule ---- */

static bool infer(rv_inference *i)
{
    const rv_shape *shape = i->attr;
    char text[RV_SHAPE_TEXT];
    i->out = (rv_type){i->in[0].dtype, *shape};
    if (!rv_shape_check(*shape, 1, NULL, i->error)) return false;
    if (rv_shape_count(*shape) == rv_shape_count(i->in[0].shape)) return true;
    return rv_fail(i->error, RV_ERROR_SHAPE, "%lld element(s) do not fill %s; keep their number",
                   (long long)rv_shape_count(i->in[0].shape), rv_shape_text(*shape, text));
}

/* ---- element ---- */

static rv_term element(rv_element *e)
{
    rv_index at[RV_MAX_RANK];
    rv_index_unravel(e, e->in[0].shape, rv_index_ravel(e, e->out.shape, e->at), at);
    return rv_term_input(e, 0, at);
}

/* ---- gradient ---- */

static rv_var gradient(const rv_backward *b, int k)
{
    return rv_reshape(b->dy, rv_shape_of(b->x[k]));
}

/* ---- samples, descriptor, constructors ---- */

static const rv_shape to_5_3 = {2, {5, 3}}, to_1_15_1 = {3, {1, 15, 1}}, to_4_4 = {2, {4, 4}};
static const rv_sample samples[] = {
    {.in = {{2, {3, 5}}},
     .low = -2,
     .high = 2,
     .attr = &to_5_3,
     .attr_size = sizeof(rv_shape),
     RV_GIVEN(RV_LIST(-1, 3))},
    {.in = {{3, {5, 1, 3}}},
     .low = -2,
     .high = 2,
     .attr = &to_1_15_1,
     .attr_size = sizeof(rv_shape)},
    {.in = {{2, {3, 5}}},
     .attr = &to_4_4,
     .attr_size = sizeof(rv_shape),
     .error = "15 elements do not fill [4,4]"},
};

static const rv_option options[] = {
    {"shape", RV_OPTION_LIST, true, 0, "of y; one size may be -1: what is left"}};

static rv_var call(rv_arguments *a) { return rv_reshape(a->x[0], rv_option_shape(a, 0)); }

static bool by_rows(const void *attr, const rv_type *in, int k)
{
    const rv_shape *x = &in[0].shape, *to = attr;
    (void)k;
    return x->rank > 0 && to->rank > 0 && x->dim[0] == to->dim[0];
}

const rv_op rv_op_reshape = {
    .name = "reshape",
    .args = "x",
    .formula = "y[flat i] = x[flat i]",
    .doc = "the same elements under another shape",
    .kind = RV_OP_VIEW,
    .inputs = 1,
    .infer = infer,
    .element = element,
    .reference = rv_copy_bytes,
    .gradient = gradient,
    .by_rows = by_rows,
    RV_LINEAR,
    .rearranges = true,
    .call = call,
    RV_OPTIONS(options),
    RV_SAMPLES(samples),
};

rv_var rv_reshape(rv_var x, rv_shape shape)
{
    if (rv_is_null(x)) return x;
    rv_shape full = {.rank = shape.rank}; /* unused dimensions zero: attributes are hashed */
    int64_t known = 1, free_axis = -1;
    for (int64_t d = 0; d < shape.rank && d < RV_MAX_RANK; d++) {
        full.dim[d] = shape.dim[d];
        if (shape.dim[d] == -1 && free_axis < 0)
            free_axis = d;
        else if (shape.dim[d] > 0 && known <= INT64_MAX / shape.dim[d])
            known *= shape.dim[d];
    }
    if (free_axis >= 0) full.dim[free_axis] = rv_shape_count(rv_shape_of(x)) / known;
    if (rv_shape_equal(full, rv_shape_of(x))) return x;
    return rv_record(NULL, &rv_op_reshape, &full, sizeof full, &x, 1);
}

rv_var rv_flatten(rv_var x)
{
    rv_shape shape = rv_shape_of(x);
    return rv_reshape(x, RV_SHAPE(shape.rank ? shape.dim[0] : 1, -1));
}
