/* cast: y = x in another dtype. */
#include "autograd/element_internal.h"
#include "ops/attributes_internal.h"
#include "ops/ops.h"
#include "ops/options.h"

static bool infer(rv_inference *i)
{
    const rv_cast_attr *attr = i->attr;
    i->out = (rv_type){(rv_dtype)attr->dtype, i->in[0].shape};
    return true;
}

static void reference(const rv_call *c)
{
    rv_tensor x = rv_call_in(c, 0), y = rv_call_out(c);
    for (int64_t i = 0; i < rv_tensor_count(&y); i++) rv_tensor_set(&y, i, rv_tensor_get(&x, i));
}

static rv_term element(rv_element *e)
{
    const rv_cast_attr *attr = e->attr;
    rv_term x = rv_term_input(e, 0, e->at);
    return attr->dtype == RV_I32 ? rv_term_apply(e, "TRUNC(x)", &x, 1) : x;
}

/* Labels that a loss reads as numbers. */
static void from_i32(const rv_call *c)
{
    rv_tensor x = rv_call_in(c, 0), y = rv_call_out(c);
    const int32_t *from = x.data;
    float *to = y.data;
    int64_t n = rv_tensor_count(&y);
    for (int64_t i = 0; i < n; i++) to[i] = (float)from[i];
}

/* Other casts are rare: the reference is the kernel. */
static rv_kernel choose(rv_call *c)
{
    return c->in_type[0].dtype == RV_I32 && c->out_type.dtype == RV_F32 ? from_i32 : reference;
}

static rv_var gradient(const rv_backward *b, int k) { return rv_cast(b->dy, rv_dtype_of(b->x[k])); }

static const rv_sample samples[] = {
    {.in = {{2, {3, 5}}},
     .low = -2,
     .high = 2,
     .attr = &(const rv_cast_attr){RV_F64},
     .attr_size = sizeof(rv_cast_attr)},
    {.in = {{1, {7}}},
     .low = -9,
     .high = 9,
     .integer = 1,
     .attr = &(const rv_cast_attr){RV_F64},
     .attr_size = sizeof(rv_cast_attr),
     RV_GIVEN(RV_WORD("f64"))},
    {.in = {{1, {37}}},
     .low = -9,
     .high = 9,
     .integer = 1,
     .attr = &(const rv_cast_attr){RV_F32},
     .attr_size = sizeof(rv_cast_attr),
     RV_GIVEN(RV_WORD("f32"))},
};

static const rv_option options[] = {{"dtype", RV_OPTION_WORD, true, 0, "f32, f64 or i32"}};

static rv_var call(rv_arguments *a) { return rv_cast(a->x[0], rv_option_dtype(a, 0)); }

const rv_op rv_op_cast = {
    .name = "cast",
    .args = "x",
    .formula = "y = x as dtype",
    .doc = "another dtype; i32 from a float drops the fraction",
    .inputs = 1,
    .infer = infer,
    .element = element,
    .reference = reference,
    .select = choose,
    .gradient = gradient,
    .call = call,
    RV_OPTIONS(options),
    RV_SAMPLES(samples),
};

rv_var rv_cast(rv_var x, rv_dtype dtype)
{
    if (rv_is_null(x) || rv_dtype_of(x) == dtype) return x;
    return rv_record(NULL, &rv_op_cast, &(rv_cast_attr){dtype}, sizeof(rv_cast_attr), &x, 1);
}
