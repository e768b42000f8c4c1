/* slice: every step-th element of a window, per axis. */
#include "ops/attributes_internal.h"
#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"

/* ---- shape rule ---- */

static bool infer(rv_inference *i)
{
    const rv_slice_attr *s = i->attr;
    const rv_shape *x = &i->in[0].shape;
    i->out = (rv_type){i->in[0].dtype, {.rank = x->rank}};
    for (int64_t d = 0; d < x->rank; d++) {
        i->out.shape.dim[d] = s->size[d];
        bool fits = s->start[d] >= 0 && s->start[d] < x->dim[d] && s->step[d] >= 1 &&
                    s->size[d] >= 1 && s->size[d] - 1 <= (x->dim[d] - 1 - s->start[d]) / s->step[d];
        if (!fits)
            return rv_fail(
                i->error, RV_ERROR_SHAPE,
                "%lld element(s) from %lld on by %lld leave axis %d of size %lld; keep inside",
                (long long)s->size[d], (long long)s->start[d], (long long)s->step[d], (int)d,
                (long long)x->dim[d]);
    }
    return true;
}

/* ---- reference ---- */

static void reference(const rv_call *c)
{
    const rv_slice_attr *s = c->attr;
    rv_tensor x = rv_call_in(c, 0), y = rv_call_out(c);
    int64_t index[RV_MAX_RANK];
    for (int64_t i = 0; i < rv_tensor_count(&y); i++) {
        rv_unravel(y.shape, i, index);
        for (int64_t d = 0; d < y.shape.rank; d++) index[d] = s->start[d] + index[d] * s->step[d];
        rv_tensor_set(&y, i, rv_tensor_get(&x, rv_ravel(x.shape, index)));
    }
}

/* ---- element ---- */

static rv_term element(rv_element *e)
{
    const rv_slice_attr *s = e->attr;
    rv_index at[RV_MAX_RANK];
    for (int64_t d = 0; d < e->out.shape.rank; d++)
        at[d] = rv_index_shift(rv_index_scale(e->at[d], s->step[d]), s->start[d]);
    return rv_term_input(e, 0, at);
}

/* ---- kernel ---- */

static rv_kernel choose(rv_call *c)
{
    const rv_slice_attr *s = c->attr;
    const rv_shape y = c->out_type.shape;
    int64_t stride[RV_MAX_RANK];
    rv_copy_plan plan = rv_copy_plan_to(y);
    rv_strides(c->in_type[0].shape, stride);
    for (int64_t d = 0; d < y.rank; d++) {
        plan.in_stride[d] = stride[d] * s->step[d];
        plan.in_offset += stride[d] * s->start[d];
    }
    return rv_select_copy(c, plan);
}

/* ---- gradient: everything that was left out gets zero ---- */

static rv_var gradient(const rv_backward *b, int k)
{
    const rv_slice_attr *s = b->attr;
    rv_shape x = rv_shape_of(b->x[k]);
    int64_t after[RV_MAX_RANK] = {0}, between[RV_MAX_RANK] = {0};
    for (int64_t d = 0; d < x.rank; d++) {
        after[d] = x.dim[d] - (s->start[d] + (s->size[d] - 1) * s->step[d] + 1);
        between[d] = s->step[d] - 1;
    }
    return rv_pad(b->dy, s->start, after, between);
}

/* ---- samples, descriptor, constructors ---- */

#define WINDOW(...) .attr = &(const rv_slice_attr){__VA_ARGS__}, .attr_size = sizeof(rv_slice_attr)
static const rv_sample samples[] = {
    {.in = {{2, {5, 7}}},
     .low = -2,
     .high = 2,
     WINDOW({1, 2}, {3, 5}, {1, 1}),
     RV_GIVEN(RV_LIST(1, 2), RV_LIST(3, 5), RV_ABSENT)},
    {.in = {{2, {5, 8}}},
     .low = -2,
     .high = 2,
     WINDOW({0, 1}, {3, 3}, {2, 3}),
     RV_GIVEN(RV_LIST(0, 1), RV_LIST(3, 3), RV_LIST(2, 3))},
    {.in = {{3, {2, 3, 4}}}, .low = -2, .high = 2, WINDOW({1, 0, 3}, {1, 3, 1}, {1, 1, 1})},
    {.in = {{1, {5}}}, .error = "leave axis 0 of size 5", WINDOW({2}, {4}, {1})},
    {.in = {{1, {5}}}, .error = "leave axis 0", WINDOW({0}, {2}, {INT64_MAX})},
};

static const rv_option options[] = {
    {"start", RV_OPTION_LIST, true, 0, "the first index along each axis"},
    {"size", RV_OPTION_LIST, true, 0, "how many elements along each axis"},
    {"step", RV_OPTION_LIST, false, 1, "from one to the next, along each axis"}};

static rv_var call(rv_arguments *a)
{
    int64_t start[RV_MAX_RANK], size[RV_MAX_RANK], step[RV_MAX_RANK];
    rv_option_widths(a, 0, start);
    rv_option_widths(a, 1, size);
    rv_option_widths(a, 2, step);
    return rv_slice(a->x[0], start, size, step);
}

const rv_op rv_op_slice = {
    .name = "slice",
    .args = "x",
    .formula = "y[.., i, ..] = x[.., start + i step, ..]",
    .doc = "a window, or every step-th element of it",
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

rv_var rv_slice(rv_var x, const int64_t *start, const int64_t *size, const int64_t *step)
{
    rv_slice_attr attr = {0};
    rv_shape shape = rv_shape_of(x);
    bool whole = true;
    if (shape.rank && (!start || !size))
        return rv_tape_fail(x.tape, RV_ERROR_ARGUMENT,
                            "slice: %s is NULL, expected %lld number(s); only step may be NULL",
                            start ? "size" : "start", (long long)shape.rank);
    for (int64_t d = 0; d < shape.rank; d++) {
        attr.start[d] = start[d];
        attr.size[d] = size[d];
        attr.step[d] = step && (size[d] != 1 || step[d] < 1) ? step[d] : 1; /* one needs no step */
        whole = whole && start[d] == 0 && size[d] == shape.dim[d] && attr.step[d] == 1;
    }
    return whole ? x : rv_record(NULL, &rv_op_slice, &attr, sizeof attr, &x, 1);
}

rv_var rv_slice_axis(rv_var x, int axis, int64_t start, int64_t size)
{
    rv_shape shape = rv_shape_of(x);
    int64_t from[RV_MAX_RANK] = {0}, count[RV_MAX_RANK];
    int at = rv_axis(x, axis);
    if (rv_is_null(x)) return x;
    if (at < 0)
        return rv_tape_fail(x.tape, RV_ERROR_ARGUMENT,
                            "slice: axis %d of a tensor of rank %lld; use 0 .. rank-1", axis,
                            (long long)shape.rank);
    for (int64_t d = 0; d < shape.rank; d++) count[d] = shape.dim[d];
    from[at] = start;
    count[at] = size;
    return rv_slice(x, from, count, NULL);
}
