/* sum and max over axes. Both keep the reduced axes with size 1; the constructors drop them. */
#include <math.h>

#include "ops/attributes_internal.h"
#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"
#include "tensor/memory.h"

/* ---- shape rule ---- */

static bool infer(rv_inference *i)
{
    const rv_reduce_attr *attr = i->attr;
    i->out = i->in[0];
    if (i->out.dtype == RV_I32)
        return rv_fail(i->error, RV_ERROR_DTYPE, "takes f32 or f64, not i32; cast x first");
    if (attr->axes >> i->out.shape.rank)
        return rv_fail(i->error, RV_ERROR_ARGUMENT,
                       "axes 0x%llx are beyond rank %lld; bit d stands for axis d",
                       (unsigned long long)attr->axes, (long long)i->out.shape.rank);
    for (int64_t d = 0; d < i->out.shape.rank; d++)
        if (attr->axes >> d & 1) i->out.shape.dim[d] = 1;
    return true;
}

/* ---- references ---- */

static double plus(double a, double b) { return a + b; }
static double greater(double a, double b) { return a > b || isnan(a) ? a : b; }

static void reduce(const rv_call *c, double start, double (*join)(double, double))
{
    rv_tensor x = rv_call_in(c, 0), y = rv_call_out(c);
    int64_t index[RV_MAX_RANK], from[RV_MAX_RANK];
    for (int64_t i = 0; i < rv_tensor_count(&y); i++) {
        double total = start;
        rv_unravel(y.shape, i, index);
        rv_shape window = x.shape; /* the elements of x that meet in y[i] */
        for (int64_t d = 0; d < x.shape.rank; d++)
            if (y.shape.dim[d] == x.shape.dim[d]) window.dim[d] = 1;
        for (int64_t j = 0; j < rv_shape_count(window); j++) {
            rv_unravel(window, j, from);
            for (int64_t d = 0; d < x.shape.rank; d++) from[d] += index[d];
            total = join(total, rv_tensor_get(&x, rv_ravel(x.shape, from)));
        }
        rv_tensor_set(&y, i, total);
    }
}

static void sum_reference(const rv_call *c) { reduce(c, 0, plus); }
static void max_reference(const rv_call *c) { reduce(c, -INFINITY, greater); }

/* ---- kernels: kept and reduced axes apart, neighbours merged ---- */

static void append_axis(int64_t *rank, int64_t *dim, int64_t *stride, int64_t size, int64_t step)
{
    if (size == 1) return;
    if (*rank && stride[*rank - 1] == size * step) {
        dim[*rank - 1] *= size;
        stride[*rank - 1] = step;
        return;
    }
    dim[*rank] = size;
    stride[(*rank)++] = step;
}

static bool make_plan(rv_call *c)
{
    const rv_reduce_attr *attr = c->attr;
    const rv_shape x = c->in_type[0].shape;
    int64_t stride[RV_MAX_RANK];
    rv_reduce_plan *p = rv_alloc(1, sizeof *p);
    if (!p) return false;
    rv_strides(x, stride);
    for (int64_t d = 0; d < x.rank; d++)
        if (attr->axes >> d & 1)
            append_axis(&p->reduced_rank, p->reduced_dim, p->reduced_stride, x.dim[d], stride[d]);
        else
            append_axis(&p->rank, p->dim, p->stride, x.dim[d], stride[d]);
    c->plan = p;
    c->operations = (double)rv_shape_count(x);
    if (p->rank > 1) { /* in a single row each vector of outputs has its neighbours */
        c->most_parts = p->dim[0];
        c->sliced = p->stride[0] * p->dim[0] == rv_shape_count(x);
    }
    return true;
}

static rv_kernel choose_sum(rv_call *c)
{
    return make_plan(c) ? rv_kernels_for(c->out_type.dtype)->sum : NULL;
}

static rv_kernel choose_max(rv_call *c)
{
    return make_plan(c) ? rv_kernels_for(c->out_type.dtype)->max : NULL;
}

/* ---- elements ---- */

/* The element of x that meets others in y's, and the loops over them. */
static rv_term reduced(rv_element *e, rv_index loop[RV_MAX_RANK], int *loops)
{
    const rv_reduce_attr *attr = e->attr;
    rv_index at[RV_MAX_RANK];
    *loops = 0;
    for (int64_t d = 0; d < e->in[0].shape.rank; d++) {
        at[d] = e->at[d];
        if (attr->axes >> d & 1) at[d] = loop[(*loops)++] = rv_index_loop(e, e->in[0].shape.dim[d]);
    }
    return rv_term_input(e, 0, at);
}

static rv_term sum_element(rv_element *e)
{
    rv_index loop[RV_MAX_RANK];
    int loops;
    rv_term x = reduced(e, loop, &loops);
    return rv_term_sum(e, loop, loops, x);
}

static rv_term max_element(rv_element *e)
{
    rv_index loop[RV_MAX_RANK];
    int loops;
    rv_term x = reduced(e, loop, &loops);
    return rv_term_max(e, loop, loops, x);
}

/* ---- gradients ---- */

static rv_var sum_gradient(const rv_backward *b, int k)
{
    return rv_broadcast(b->dy, rv_shape_of(b->x[k]));
}

/* Equal maxima share the cotangent. */
static rv_var max_gradient(const rv_backward *b, int k)
{
    const rv_reduce_attr *attr = b->attr;
    rv_var is_max = rv_equal(b->x[k], b->y);
    return rv_multiply(is_max, rv_divide(b->dy, rv_sum(is_max, (unsigned)attr->axes, true)));
}

/* ---- samples, descriptors, constructors ---- */

#define AXES(mask) .attr = &(const rv_reduce_attr){mask}, .attr_size = sizeof(rv_reduce_attr)
static const rv_sample samples[] = {
    {.in = {{2, {3, 5}}}, .low = -2, .high = 2, AXES(3), RV_GIVEN(RV_ABSENT, RV_NUMBER(1))},
    {.in = {{2, {3, 5}}}, .low = -2, .high = 2, AXES(1)},
    {.in = {{2, {3, 5}}}, .low = -2, .high = 2, AXES(2)},
    {.in = {{4, {2, 3, 4, 5}}},
     .low = -2,
     .high = 2,
     AXES(5),
     RV_GIVEN(RV_LIST(0, -2), RV_NUMBER(1))},
    {.in = {{4, {2, 3, 4, 5}}}, .low = -2, .high = 2, AXES(12)},
    {.in = {{3, {2, 37, 3}}}, .low = -2, .high = 2, AXES(2)},
    {.in = {{2, {3, 5}}}, .error = "beyond rank 2", AXES(4)},
    {.in = {{1, {3}}}, .low = 0, .high = 9, .integer = 1, .error = "not i32", AXES(1)},
};

static const rv_option options[] = {
    {"axes", RV_OPTION_LIST, false, NAN, "over which, negative from the end; absent: all"},
    {"keep", RV_OPTION_FLAG, false, 0, "the axes stay, of size 1"}};

static rv_var call_sum(rv_arguments *a)
{
    return rv_sum(a->x[0], rv_option_axes(a, 0), rv_option_flag(a, 1));
}

static bool by_rows(const void *attr_, const rv_type *in, int k)
{
    const rv_reduce_attr *attr = attr_;
    (void)k;
    return in[0].shape.rank > 0 && !(attr->axes & 1);
}

const rv_op rv_op_sum = {
    .name = "sum",
    .args = "x",
    .formula = "y = sum of x over the axes",
    .doc = "the sum over axes",
    .inputs = 1,
    .infer = infer,
    .element = sum_element,
    .reference = sum_reference,
    .select = choose_sum,
    .gradient = sum_gradient,
    .by_rows = by_rows,
    RV_LINEAR,
    .call = call_sum,
    RV_OPTIONS(options),
    RV_SAMPLES(samples),
};

static rv_var call_max(rv_arguments *a)
{
    return rv_max(a->x[0], rv_option_axes(a, 0), rv_option_flag(a, 1));
}

const rv_op rv_op_max = {
    .name = "max",
    .args = "x",
    .formula = "y = the largest x over the axes",
    .doc = "the maximum over axes; equal maxima share the gradient",
    .inputs = 1,
    .infer = infer,
    .element = max_element,
    .reference = max_reference,
    .select = choose_max,
    .gradient = max_gradient,
    .call = call_max,
    RV_OPTIONS(options),
    RV_SAMPLES(samples),
};

/* The mask with RV_ALL_AXES and RV_LAST_AXIS made literal. */
static unsigned literal_axes(rv_var x, unsigned axes)
{
    int64_t rank = rv_shape_of(x).rank;
    if (axes == RV_LAST_AXIS) return rank ? 1u << (rank - 1) : 0;
    return axes == RV_ALL_AXES ? (1u << rank) - 1 : axes;
}

static rv_var without_axes(rv_var y, unsigned axes)
{
    rv_shape full = rv_shape_of(y), kept = {0};
    for (int64_t d = 0; d < full.rank; d++)
        if (!(axes >> d & 1)) kept.dim[kept.rank++] = full.dim[d];
    return rv_reshape(y, kept);
}

static rv_var record(const rv_op *op, rv_var x, unsigned axes, bool keep)
{
    if (rv_is_null(x)) return x;
    axes = literal_axes(x, axes);
    bool reduces =
        axes >> rv_shape_of(x).rank != 0; /* beyond the rank: the shape rule refuses it */
    for (int64_t d = 0; d < rv_shape_of(x).rank; d++)
        reduces = reduces || (axes >> d & 1 && rv_shape_of(x).dim[d] > 1);
    rv_var y =
        reduces ? rv_record(NULL, op, &(rv_reduce_attr){axes}, sizeof(rv_reduce_attr), &x, 1) : x;
    return keep || rv_is_null(y) ? y : without_axes(y, axes);
}

rv_var rv_sum(rv_var x, unsigned axes, bool keep) { return record(&rv_op_sum, x, axes, keep); }
rv_var rv_max(rv_var x, unsigned axes, bool keep) { return record(&rv_op_max, x, axes, keep); }
