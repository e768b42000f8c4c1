/* Index arithmetic and the geometry of strided copies, for the files of this folder. */
#ifndef RV_OPS_INDEX_INTERNAL_H
#define RV_OPS_INDEX_INTERNAL_H

#include "autograd/element_internal.h"
#include "autograd/tape.h"
#include "ops/kernels/kernels.h"

/* Row-major strides in elements. */
static inline void rv_strides(rv_shape shape, int64_t *stride)
{
    int64_t step = 1;
    for (int64_t d = shape.rank - 1; d >= 0; d--) {
        stride[d] = step;
        step *= shape.dim[d];
    }
}

/* The multi-index of a flat index, and back. */
static inline void rv_unravel(rv_shape shape, int64_t flat, int64_t *index)
{
    for (int64_t d = shape.rank - 1; d >= 0; d--) {
        index[d] = flat % shape.dim[d];
        flat /= shape.dim[d];
    }
}

static inline int64_t rv_ravel(rv_shape shape, const int64_t *index)
{
    int64_t flat = 0;
    for (int64_t d = 0; d < shape.rank; d++) flat = flat * shape.dim[d] + index[d];
    return flat;
}

/* Elements of a call's operands, for references. */
static inline double rv_operand(const rv_call *c, int k, int64_t i)
{
    rv_tensor x = rv_call_in(c, k);
    return rv_tensor_get(&x, i);
}
static inline void rv_result(const rv_call *c, int64_t i, double value)
{
    rv_tensor y = rv_call_out(c);
    rv_tensor_set(&y, i, value);
}

/* A plan that writes all elements of the contiguous y; it lacks the strides and offset of the
 * input. */
static inline rv_copy_plan rv_copy_plan_to(rv_shape y)
{
    rv_copy_plan plan = {.rank = y.rank, .out_count = rv_shape_count(y)};
    rv_strides(y, plan.out_stride);
    for (int64_t d = 0; d < y.rank; d++) plan.dim[d] = y.dim[d];
    return plan;
}

/* Sets the call's plan to `plan` with adjacent dimensions merged, and returns its kernel; NULL: out
 * of memory. */
rv_kernel rv_select_copy(rv_call *call, rv_copy_plan plan);

/* The plan of a recurrence along an axis of a contiguous x; NULL: out of memory. */
rv_scan_plan *rv_scan_plan_new(rv_shape x, int64_t axis, bool reverse);

/* ---- ops whose result is added to a last input z: the `accumulate` of another op ---- */

/* Whether input k, if there is one, has the result's dtype and shape, which are known by now. */
bool rv_infer_addend(rv_inference *i, int k);
/* Copies z, or the call's part of it, to out, where the kernel adds to it. */
void rv_copy_addend(const rv_call *call);

/* An element of the result: with the one of z, if there is a z, added to the term. */
static inline rv_term rv_term_with_addend(rv_element *e, int inputs, rv_term term)
{
    return e->inputs > inputs ? rv_term_plus(e, rv_term_input(e, inputs, e->at), term) : term;
}

/* The axis counted from the start; -1 if x has no such axis. */
static inline int rv_axis(rv_var x, int axis)
{
    int rank = (int)rv_shape_of(x).rank;
    int from_start = axis < 0 ? axis + rank : axis;
    return from_start >= 0 && from_start < rank ? from_start : -1;
}

#endif
