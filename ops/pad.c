/* pad: zeros before, after and between the elements of each axis; negative widths crop. Together
 * with slice a closed family: the gradient of each is the other. */
#include <string.h>

#include "ops/attributes_internal.h"
#include "ops/conv2d_internal.h"
#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"
#include "ops/pad_internal.h"
#include "tensor/memory.h"

extern const rv_op rv_op_pad;

/* ---- shape rule ---- */

static bool infer(rv_inference *i)
{
    enum { WIDEST = 1 << 30 }; /* keeps the sums below in range */
    const rv_pad_attr *p = i->attr;
    const rv_shape *x = &i->in[0].shape;
    i->out = (rv_type){i->in[0].dtype, {.rank = x->rank}};
    for (int64_t d = 0; d < x->rank; d++) {
        bool fits = p->before[d] > -WIDEST && p->before[d] < WIDEST && p->after[d] > -WIDEST &&
                    p->after[d] < WIDEST && p->between[d] >= 0 && p->between[d] < WIDEST &&
                    x->dim[d] < INT64_MAX / (2 * (int64_t)WIDEST);
        int64_t size =
            fits ? p->before[d] + (x->dim[d] - 1) * (p->between[d] + 1) + 1 + p->after[d] : 0;
        i->out.shape.dim[d] = size;
        if (size < 1)
            return rv_fail(
                i->error, RV_ERROR_SHAPE,
                "widths %lld before, %lld after, %lld between leave nothing of axis %d of size "
                "%lld; crop less",
                (long long)p->before[d], (long long)p->after[d], (long long)p->between[d], (int)d,
                (long long)x->dim[d]);
    }
    return rv_infer_addend(i, 1);
}

/* ---- reference ---- */

/* Onto z, where there is one. */
static void reference(const rv_call *c)
{
    const rv_pad_attr *p = c->attr;
    rv_tensor x = rv_call_in(c, 0), y = rv_call_out(c);
    int64_t index[RV_MAX_RANK];
    for (int64_t i = 0; i < rv_tensor_count(&y); i++)
        rv_tensor_set(&y, i, c->inputs > 1 ? rv_operand(c, 1, i) : 0);
    for (int64_t i = 0; i < rv_tensor_count(&x); i++) {
        bool inside = true;
        rv_unravel(x.shape, i, index);
        for (int64_t d = 0; d < x.shape.rank; d++) {
            index[d] = p->before[d] + index[d] * (p->between[d] + 1);
            inside = inside && index[d] >= 0 && index[d] < y.shape.dim[d];
        }
        int64_t at = inside ? rv_ravel(y.shape, index) : 0;
        if (inside) rv_tensor_set(&y, at, rv_tensor_get(&y, at) + rv_tensor_get(&x, i));
    }
}

/* ---- element ---- */

static rv_term element(rv_element *e)
{
    const rv_pad_attr *p = e->attr;
    const rv_shape *x = &e->in[0].shape;
    rv_index at[RV_MAX_RANK], rest[RV_MAX_RANK];
    for (int64_t d = 0; d < x->rank; d++) {
        int64_t step = p->between[d] + 1, ahead = p->before[d] > 0 ? p->before[d] / step + 1 : 0;
        rv_index offset = rv_index_shift(e->at[d], ahead * step - p->before[d]); /* not negative */
        at[d] = rv_index_shift(rv_index_divide(e, offset, step), -ahead);
        rest[d] = rv_index_rest(e, offset, step);
    }
    rv_term y = rv_term_input(e, 0, at);
    for (int64_t d = x->rank - 1; d >= 0; d--)
        y = rv_term_where_zero(e, rest[d], rv_term_within(e, at[d], x->dim[d], y));
    return rv_term_with_addend(e, 1, y);
}

/* ---- kernel: zeros, and a copy of the elements that land inside ---- */

/* What of x lands where in y. */
static rv_copy_plan plan_of(const rv_pad_attr *p, rv_shape x, rv_shape y)
{
    int64_t in[RV_MAX_RANK], out[RV_MAX_RANK];
    rv_copy_plan plan = {.rank = y.rank, .out_count = rv_shape_count(y), .clear = true};
    rv_strides(x, in);
    rv_strides(y, out);
    for (int64_t d = 0; d < y.rank; d++) {
        int64_t step = p->between[d] + 1;
        int64_t first = p->before[d] < 0 ? (-p->before[d] + step - 1) / step : 0;
        int64_t room = y.dim[d] - 1 - p->before[d]; /* the last i with before + i step < size */
        int64_t last = room < 0 ? -1 : room / step < x.dim[d] - 1 ? room / step : x.dim[d] - 1;
        plan.dim[d] = last < first ? 0 : last - first + 1;
        plan.in_stride[d] = in[d];
        plan.out_stride[d] = out[d] * step;
        plan.in_offset += first * in[d];
        plan.out_offset += (p->before[d] + first * step) * out[d];
    }
    return plan;
}

#define ADD_RUN(type, name) \
    static void name(void *out, int64_t out_stride, const void *in, int64_t in_stride, int64_t n) \
    { \
        type *y = out; \
        const type *x = in; \
        if (out_stride == 1 && in_stride == 1) \
            for (int64_t i = 0; i < n; i++) y[i] += x[i]; \
        else \
            for (int64_t i = 0; i < n; i++) y[i * out_stride] += x[i * in_stride]; \
    }
ADD_RUN(float, add_run_f32)
ADD_RUN(double, add_run_f64)
ADD_RUN(int32_t, add_run_i32)

/* Adds what lands inside onto z, run by run along the last axis. */
static void add(const rv_call *c)
{
    const rv_copy_plan *p = c->plan;
    size_t size = rv_dtype_size(c->out_type.dtype);
    int64_t index[RV_MAX_RANK] = {0}, last = p->rank - 1, runs = 1;
    if (c->out != c->in[1]) memcpy(c->out, c->in[1], rv_type_bytes(&c->out_type));
    for (int64_t d = 0; d < last; d++) runs *= p->dim[d];
    for (int64_t run = 0; run < runs; run++) {
        int64_t from = p->in_offset, to = p->out_offset;
        for (int64_t d = 0; d < last; d++) {
            from += index[d] * p->in_stride[d];
            to += index[d] * p->out_stride[d];
        }
        (c->out_type.dtype == RV_F32 ? add_run_f32
         : c->out_type.dtype == RV_F64
             ? add_run_f64
             : add_run_i32)((char *)c->out + (size_t)to * size, last < 0 ? 1 : p->out_stride[last],
                            (const char *)c->in[0] + (size_t)from * size,
                            last < 0 ? 1 : p->in_stride[last], last < 0 ? 1 : p->dim[last]);
        for (int64_t d = last - 1; d >= 0 && ++index[d] == p->dim[d]; d--) index[d] = 0;
    }
}

static rv_kernel choose(rv_call *c)
{
    const rv_copy_plan plan = plan_of(c->attr, c->in_type[0].shape, c->out_type.shape);
    if (c->inputs == 1) return rv_select_copy(c, plan);
    rv_copy_plan *own = rv_alloc(1, sizeof *own);
    if (own) *own = plan;
    c->plan = own;
    return own ? add : NULL;
}

/* ---- beside convolutions ---- */

static bool last_two(const rv_pad_attr *p, int64_t rank)
{
    for (int64_t d = 0; d < rank; d++)
        if (p->between[d] || (d < rank - 2 && (p->before[d] || p->after[d]))) return false;
    return rank == 4;
}

bool rv_is_padded2d(rv_var x, rv_var *of, int64_t before[2], int64_t after[2])
{
    const rv_node *node = rv_tape_node(x.tape, x.id);
    if (node->op != &rv_op_pad || !last_two(node->attr, node->type.shape.rank)) return false;
    const rv_pad_attr *p = node->attr;
    *of = (rv_var){x.tape, node->in[0]};
    for (int d = 0; d < 2; d++) before[d] = p->before[2 + d], after[d] = p->after[2 + d];
    return true;
}

static rv_var simplify(const void *attr, const rv_var *x)
{
    const rv_pad_attr *p = attr;
    int64_t before[2], after[2];
    if (!last_two(p, rv_shape_of(x[0]).rank)) return (rv_var){x[0].tape, -1};
    for (int d = 0; d < 2; d++) before[d] = -p->before[2 + d], after[d] = -p->after[2 + d];
    return rv_crop_input_gradient(x[0], before, after);
}

/* ---- gradient: what was cropped away gets zero, what was put in is dropped ---- */

static rv_var gradient(const rv_backward *b, int k)
{
    if (k == 1) return b->dy;
    const rv_pad_attr *p = b->attr;
    rv_shape x = rv_shape_of(b->x[0]);
    int64_t before[RV_MAX_RANK], after[RV_MAX_RANK], first[RV_MAX_RANK] = {0}, step[RV_MAX_RANK];
    for (int64_t d = 0; d < x.rank; d++) {
        before[d] = -p->before[d];
        after[d] = -p->after[d];
        step[d] = p->between[d] + 1;
    }
    return rv_slice(rv_pad(b->dy, before, after, NULL), first, x.dim, step);
}

/* ---- samples, descriptor, constructors ---- */

#define SIZE .attr_size = sizeof(rv_pad_attr)
static const rv_sample samples[] = {
    {.in = {{2, {3, 5}}},
     .low = -2,
     .high = 2,
     .attr = &(const rv_pad_attr){.before = {1, 2}, .after = {0, 3}},
     SIZE},
    {.in = {{4, {2, 1, 4, 4}}},
     .low = -2,
     .high = 2,
     .attr = &(const rv_pad_attr){.before = {0, 0, 1, 1}, .after = {0, 0, 1, 1}},
     SIZE},
    {.in = {{2, {5, 7}}},
     .low = -2,
     .high = 2,
     .attr = &(const rv_pad_attr){.before = {-1, 2}, .after = {1, -3}},
     SIZE},
    {.in = {{2, {3, 4}}},
     .low = -2,
     .high = 2,
     .attr = &(const rv_pad_attr){.before = {1, -1}, .after = {-1, 2}, .between = {1, 2}},
     SIZE,
     RV_GIVEN(RV_LIST(1, -1), RV_LIST(-1, 2), RV_LIST(1, 2))},
    {.in = {{1, {3}}},
     .low = -2,
     .high = 2,
     .attr = &(const rv_pad_attr){.before = {4}, .after = {-6}},
     SIZE,
     RV_GIVEN(RV_LIST(4), RV_LIST(-6), RV_ABSENT)},
    {.in = {{4, {2, 3, 4, 4}}},
     .low = -2,
     .high = 2,
     .attr = &(const rv_pad_attr){.before = {0, 4, -1, 0}, .after = {0, -6, 0, 0}},
     SIZE},
    {.in = {{1, {3}}},
     .error = "leave nothing of axis 0",
     .attr = &(const rv_pad_attr){.before = {-2}, .after = {-1}},
     SIZE},
};

static const rv_sample add_samples[] = {
    {.in = {{2, {3, 5}}, {2, {4, 10}}},
     .low = -2,
     .high = 2,
     .attr = &(const rv_pad_attr){.before = {1, 2}, .after = {0, 3}},
     SIZE},
    {.in = {{3, {2, 1, 4}}, {3, {2, 5, 4}}},
     .low = -2,
     .high = 2,
     .attr = &(const rv_pad_attr){.before = {0, 3}, .after = {0, 1}},
     SIZE},
    {.in = {{2, {3, 4}}, {2, {5, 11}}},
     .low = -2,
     .high = 2,
     .attr = &(const rv_pad_attr){.before = {1, -1}, .after = {-1, 2}, .between = {1, 2}},
     SIZE,
     RV_GIVEN(RV_LIST(1, -1), RV_LIST(-1, 2), RV_LIST(1, 2))},
    {.in = {{2, {3, 5}}, {2, {3, 5}}},
     .error = "z is not of the result's dtype and shape",
     .attr = &(const rv_pad_attr){.before = {1, 2}, .after = {0, 3}},
     SIZE},
};

static const rv_option options[] = {
    {"before", RV_OPTION_LIST, false, 0, "zeros at the start of each axis; negative: crops"},
    {"after", RV_OPTION_LIST, false, 0, "zeros at the end of each axis; negative: crops"},
    {"between", RV_OPTION_LIST, false, 0, "zeros between neighbours, along each axis"}};

static rv_pad_attr attr_of(rv_arguments *a)
{
    rv_pad_attr p;
    rv_option_widths(a, 0, p.before);
    rv_option_widths(a, 1, p.after);
    rv_option_widths(a, 2, p.between);
    return p;
}

static rv_var call_add(rv_arguments *a)
{
    const rv_pad_attr p = attr_of(a);
    return rv_record(NULL, a->op, &p, sizeof p, a->x, a->inputs);
}

const rv_op rv_op_pad_add = {
    .name = "pad_add",
    .args = "x z",
    .formula = "y = pad(x) + z",
    .doc = "pad added to a tensor; programs make sums of padded tensors of it",
    .inputs = 2,
    .infer = infer,
    .element = element,
    .reference = reference,
    .select = choose,
    .gradient = gradient,
    .linear_jointly = true,
    .polynomial = true,
    .in_place = 2,
    .call = call_add,
    RV_OPTIONS(options),
    RV_SAMPLES(add_samples),
};

static rv_var call(rv_arguments *a)
{
    const rv_pad_attr p = attr_of(a);
    return rv_pad(a->x[0], p.before, p.after, p.between);
}

const rv_op rv_op_pad = {
    .name = "pad",
    .args = "x",
    .formula = "y[.., before + i (between + 1), ..] = x[.., i, ..], 0 elsewhere",
    .doc = "zeros around and between; negative widths crop",
    .inputs = 1,
    .infer = infer,
    .element = element,
    .reference = reference,
    .select = choose,
    .gradient = gradient,
    .simplify = simplify,
    .accumulate = &rv_op_pad_add,
    RV_LINEAR,
    .call = call,
    RV_OPTIONS(options),
    RV_SAMPLES(samples),
};

rv_var rv_pad(rv_var x, const int64_t *before, const int64_t *after, const int64_t *between)
{
    rv_pad_attr attr = {0};
    bool changes = false;
    if (rv_shape_of(x).rank && (!before || !after))
        return rv_tape_fail(x.tape, RV_ERROR_ARGUMENT,
                            "pad: %s is NULL, expected %lld number(s); only between may be NULL",
                            before ? "after" : "before", (long long)rv_shape_of(x).rank);
    for (int64_t d = 0; d < rv_shape_of(x).rank; d++) {
        attr.before[d] = before[d];
        attr.after[d] = after[d];
        attr.between[d] = between ? between[d] : 0;
        changes = changes || attr.before[d] || attr.after[d] || attr.between[d];
    }
    return changes ? rv_record(NULL, &rv_op_pad, &attr, sizeof attr, &x, 1) : x;
}

rv_var rv_pad2d(rv_var x, int64_t width)
{
    int64_t rank = rv_shape_of(x).rank, around[RV_MAX_RANK] = {0};
    if (rv_is_null(x)) return x;
    if (rank < 2)
        return rv_tape_fail(x.tape, RV_ERROR_SHAPE,
                            "pad2d: x has rank %lld, expected at least 2; reshape it first",
                            (long long)rank);
    around[rank - 2] = around[rank - 1] = width;
    return rv_pad(x, around, around, NULL);
}
