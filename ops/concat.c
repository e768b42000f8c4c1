/* concat: tensors one after the other along an axis; stack: along a new one. */
#include <stdio.h>
#include <string.h>

#include "ops/attributes_internal.h"
#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"
#include "tensor/memory.h"

/* ---- shape rule ---- */

static bool fits(const rv_inference *i, int k, int64_t axis)
{
    const rv_shape *a = &i->in[0].shape, *b = &i->in[k].shape;
    bool same = i->in[k].dtype == i->in[0].dtype && a->rank == b->rank;
    for (int64_t d = 0; same && d < a->rank; d++) same = d == axis || a->dim[d] == b->dim[d];
    return same;
}

/* Input k does not fit: names the axis along which it would. */
static bool fail_fit(const rv_inference *i, int k, int64_t axis)
{
    char instead[40] = "";
    for (int64_t other = 0; other < i->in[0].shape.rank; other++)
        if (fits(i, k, other)) snprintf(instead, sizeof instead, "; use axis=%d", (int)other);
    return rv_fail(
        i->error, RV_ERROR_SHAPE,
        "input %d differs from input 0 in dtype, rank or a size off axis %lld; only that "
        "axis may differ%s",
        k, (long long)axis, instead);
}

static bool infer(rv_inference *i)
{
    const rv_concat_attr *attr = i->attr;
    i->out = i->in[0];
    rv_shape *out = &i->out.shape;
    if (attr->axis < 0 || attr->axis >= out->rank)
        return rv_fail(i->error, RV_ERROR_ARGUMENT,
                       "axis %lld of tensors of rank %lld; use 0 .. rank-1", (long long)attr->axis,
                       (long long)out->rank);
    for (int k = 1; k < i->inputs; k++) {
        const rv_shape *x = &i->in[k].shape;
        if (!fits(i, k, attr->axis)) return fail_fit(i, k, attr->axis);
        if (out->dim[attr->axis] > INT64_MAX - x->dim[attr->axis])
            return rv_fail(i->error, RV_ERROR_SHAPE,
                           "the sizes along axis %lld overflow; use fewer inputs",
                           (long long)attr->axis);
        out->dim[attr->axis] += x->dim[attr->axis];
    }
    return true;
}

/* ---- reference ---- */

static void reference(const rv_call *c)
{
    const rv_concat_attr *attr = c->attr;
    rv_tensor y = rv_call_out(c);
    int64_t index[RV_MAX_RANK], start = 0;
    for (int k = 0; k < c->inputs; k++) {
        rv_tensor x = rv_call_in(c, k);
        for (int64_t i = 0; i < rv_tensor_count(&x); i++) {
            rv_unravel(x.shape, i, index);
            index[attr->axis] += start;
            rv_tensor_set(&y, rv_ravel(y.shape, index), rv_tensor_get(&x, i));
        }
        start += x.shape.dim[attr->axis];
    }
}

/* ---- element: the sum over the inputs, of which all but one have zeros there ---- */

static rv_term element(rv_element *e)
{
    const rv_concat_attr *attr = e->attr;
    rv_index at[RV_MAX_RANK];
    rv_term y = 0;
    int64_t start = 0;
    for (int64_t d = 0; d < e->out.shape.rank; d++) at[d] = e->at[d];
    for (int k = 0; k < e->inputs; k++) {
        int64_t size = e->in[k].shape.dim[attr->axis];
        at[attr->axis] = rv_index_shift(e->at[attr->axis], -start);
        rv_term own = rv_term_within(e, at[attr->axis], size, rv_term_input(e, k, at));
        y = k ? rv_term_plus(e, y, own) : own;
        start += size;
    }
    return y;
}

/* ---- kernel: one block of each input per index of the axes before ---- */

static void copy_blocks(const rv_call *c)
{
    const rv_concat_attr *attr = c->attr;
    size_t outer = 1, row = rv_dtype_size(c->out_type.dtype);
    for (int64_t d = 0; d < attr->axis; d++) outer *= (size_t)c->out_type.shape.dim[d];
    for (int64_t d = attr->axis; d < c->out_type.shape.rank; d++)
        row *= (size_t)c->out_type.shape.dim[d];
    size_t start = 0;
    for (int k = 0; k < c->inputs; k++) {
        rv_tensor x = rv_call_in(c, k);
        size_t block = rv_tensor_bytes(&x) / outer;
        for (size_t i = 0; i < outer; i++)
            memcpy((char *)c->out + i * row + start, (const char *)x.data + i * block, block);
        start += block;
    }
}

static rv_kernel choose(rv_call *c)
{
    (void)c;
    return copy_blocks;
}

/* ---- gradient: each input's own block ---- */

static rv_var gradient(const rv_backward *b, int k)
{
    const rv_concat_attr *attr = b->attr;
    int64_t start = 0;
    for (int i = 0; i < k; i++) start += rv_shape_of(b->x[i]).dim[attr->axis];
    return rv_slice_axis(b->dy, (int)attr->axis, start, rv_shape_of(b->x[k]).dim[attr->axis]);
}

/* ---- samples, descriptor, constructor ---- */

#define AXIS(n) .attr = &(const rv_concat_attr){n}, .attr_size = sizeof(rv_concat_attr)
static const rv_sample samples[] = {
    {.in = {{2, {2, 3}}, {2, {4, 3}}},
     .inputs = 2,
     .low = -2,
     .high = 2,
     AXIS(0),
     RV_GIVEN(RV_NUMBER(0))},
    {.in = {{3, {2, 1, 3}}, {3, {2, 2, 3}}, {3, {2, 4, 3}}},
     .inputs = 3,
     .low = -2,
     .high = 2,
     AXIS(1),
     RV_GIVEN(RV_NUMBER(1))},
    {.in = {{2, {2, 3}}, {2, {2, 1}}}, .inputs = 2, .low = -2, .high = 2, AXIS(1)},
    {.in = {{2, {2, 3}}, {2, {4, 2}}}, .inputs = 2, .error = "only that axis may differ", AXIS(0)},
    {.in = {{1, {3}}}, .inputs = 1, .error = "axis 1 of tensors of rank 1", AXIS(1)},
};

static const rv_option options[] = {{"axis", RV_OPTION_WHOLE, false, 0,
                                     "of the result, along which they lie; negative from the end"}};

static rv_var call(rv_arguments *a) { return rv_concat(a->x, a->inputs, rv_option_axis(a, 0)); }

static bool by_rows(const void *attr_, const rv_type *in, int k)
{
    const rv_concat_attr *attr = attr_;
    (void)in, (void)k;
    return attr->axis > 0;
}

const rv_op rv_op_concat = {
    .name = "concat",
    .args = "x ...",
    .formula = "y[.., start_k + i, ..] = x_k[.., i, ..]",
    .doc = "tensors one after the other along an axis",
    .inputs = -1,
    .infer = infer,
    .element = element,
    .reference = reference,
    .select = choose,
    .gradient = gradient,
    .by_rows = by_rows,
    .linear_jointly = true,
    .polynomial = true,
    .rearranges = true,
    .call = call,
    RV_OPTIONS(options),
    RV_SAMPLES(samples),
};

rv_var rv_concat(const rv_var *x, int count, int axis)
{
    if (!x) return (rv_var){NULL, -1};
    int at = count > 0 ? rv_axis(x[0], axis) : -1;
    return rv_record(NULL, &rv_op_concat, &(rv_concat_attr){at < 0 ? axis : at},
                     sizeof(rv_concat_attr), x, count);
}

/* ---- stack: a composite ---- */

rv_var rv_stack(const rv_var *x, int count, int axis)
{
    enum { FEW = 16 };
    if (!x) count = 0;
    rv_var few[FEW], *wider = few, null = {count > 0 ? x[0].tape : NULL, -1};
    rv_shape shape = rv_shape_of(count > 0 ? x[0] : null), with = {.rank = shape.rank + 1};
    char seen[RV_SHAPE_TEXT], want[RV_SHAPE_TEXT];
    int64_t at = axis < 0 ? axis + with.rank : axis;
    for (int k = 0; k < count; k++) {
        if (rv_is_null(x[k])) return null;
        if (!rv_shape_equal(rv_shape_of(x[k]), shape))
            return rv_tape_fail(null.tape, RV_ERROR_SHAPE,
                                "stack: input %d is %s, input 0 %s; give all one shape", k,
                                rv_shape_text(rv_shape_of(x[k]), seen), rv_shape_text(shape, want));
    }
    if (count < 1 || with.rank > RV_MAX_RANK || at < 0 || at >= with.rank)
        return rv_tape_fail(
            null.tape, RV_ERROR_ARGUMENT,
            "stack: %d tensor(s) along axis %d of a result of rank %lld; give at least 1 "
            "tensor, an axis below the rank and a rank of at most %d",
            count, axis, (long long)with.rank, RV_MAX_RANK);
    for (int64_t d = 0; d < with.rank; d++)
        with.dim[d] = d == at ? 1 : shape.dim[d < at ? d : d - 1];
    if (count > FEW && !(wider = rv_alloc((size_t)count, sizeof *wider)))
        return rv_tape_fail(null.tape, RV_ERROR_MEMORY, "stack: out of memory");
    for (int k = 0; k < count; k++) wider[k] = rv_reshape(x[k], with);
    rv_var y = rv_concat(wider, count, (int)at);
    if (wider != few) rv_free(wider);
    return y;
}

static rv_var call_stack(rv_arguments *a)
{
    return rv_stack(a->x, a->inputs, rv_option_axis(a, 0));
}

static void stack_reference(const rv_call *c)
{
    const rv_option_value *axis = c->attr;
    rv_tensor y = rv_call_out(c);
    int64_t index[RV_MAX_RANK], at = (int64_t)axis->number;
    if (at < 0) at += y.shape.rank;
    for (int64_t i = 0; i < rv_tensor_count(&y); i++) {
        rv_unravel(y.shape, i, index);
        int k = (int)index[at];
        for (int64_t d = at; d < y.shape.rank - 1; d++) index[d] = index[d + 1];
        rv_result(c, i, rv_operand(c, k, rv_ravel(c->in_type[k].shape, index)));
    }
}

#define STACK(n, axis) RV_GIVEN(RV_NUMBER(axis)), .inputs = n
static const rv_sample stack_samples[] = {
    {.in = {{2, {3, 5}}, {2, {3, 5}}, {2, {3, 5}}}, .low = -2, .high = 2, STACK(3, 1)},
    {.in = {{2, {3, 2}}, {2, {3, 2}}}, .low = -2, .high = 2, STACK(2, -1)},
    {.in = {{0}, {0}}, .low = -2, .high = 2, STACK(2, 0)},
    {.in = {{1, {4}}}, .low = -2, .high = 2, STACK(1, -2)},
    {.in = {{1, {4}}, {1, {3}}}, .error = "input 1 is [3], input 0 [4]", STACK(2, 0)},
    {.in = {{1, {4}}, {1, {4}}}, .error = "along axis 2 of a result of rank 2", STACK(2, 2)},
};

const rv_op rv_op_stack = {
    .name = "stack",
    .args = "x ...",
    .formula = "y[.., k, ..] = x_k[.., ..]",
    .doc = "tensors of one shape along a new axis",
    .kind = RV_OP_COMPOSITE,
    .inputs = -1,
    .reference = stack_reference,
    .call = call_stack,
    RV_OPTIONS(options),
    .linear_jointly = true,
    .polynomial = true,
    RV_SAMPLES(stack_samples),
};
