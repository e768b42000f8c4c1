/* The plans of recurrences and of strided copies: broadcast, transpose, slice, flip and pad are one
 * kernel with different strides. */
#include "ops/index_internal.h"

#include <string.h>

#include "tensor/memory.h"

static bool mergeable(const rv_copy_plan *p, int64_t outer, int64_t inner)
{
    return p->in_stride[outer] == p->dim[inner] * p->in_stride[inner] &&
           p->out_stride[outer] == p->dim[inner] * p->out_stride[inner];
}

/* The outermost dimension can be cut if it traverses the whole output in order. */
static void cut(rv_call *call, const rv_copy_plan *p)
{
    const rv_shape *in = &call->in_type[0].shape;
    if (p->rank == 0 || p->out_stride[0] * p->dim[0] != p->out_count || p->out_offset < 0 ||
        p->out_offset >= p->out_stride[0])
        return;
    call->most_parts = p->dim[0];
    call->sliced = p->in_stride[0] * p->dim[0] == rv_shape_count(*in) && p->in_offset >= 0 &&
                   p->in_offset < p->in_stride[0];
}

rv_kernel rv_select_copy(rv_call *call, rv_copy_plan plan)
{
    rv_copy_plan *merged = rv_alloc(1, sizeof *merged);
    if (!merged) return NULL;
    *merged = plan;
    merged->rank = 0;
    for (int64_t d = 0; d < plan.rank; d++) {
        int64_t last = merged->rank - 1;
        if (plan.dim[d] == 1) continue;
        merged->dim[merged->rank] = plan.dim[d];
        merged->in_stride[merged->rank] = plan.in_stride[d];
        merged->out_stride[merged->rank] = plan.out_stride[d];
        if (last < 0 || !mergeable(merged, last, merged->rank)) {
            merged->rank++;
            continue;
        }
        merged->dim[last] *= plan.dim[d];
        merged->in_stride[last] = plan.in_stride[d];
        merged->out_stride[last] = plan.out_stride[d];
    }
    call->plan = merged;
    cut(call, merged);
    return rv_kernels_for(call->out_type.dtype)->copy;
}

bool rv_infer_addend(rv_inference *i, int k)
{
    if (i->inputs <= k) return true;
    return (i->in[k].dtype == i->out.dtype && rv_shape_equal(i->in[k].shape, i->out.shape)) ||
           rv_fail(i->error, RV_ERROR_SHAPE,
                   "z is not of the result's dtype and shape; broadcast it first");
}

void rv_copy_addend(const rv_call *call)
{
    rv_tensor addend = rv_call_in(call, call->inputs - 1);
    if (call->out == addend.data) return;
    int64_t first = 0, end = 1, pieces = call->parts > 1 ? call->most_parts : 1;
    if (call->parts > 1) rv_call_range(call, pieces, &first, &end);
    size_t piece = rv_tensor_bytes(&addend) / (size_t)pieces, from = (size_t)first * piece;
    memcpy((char *)call->out + from, (const char *)addend.data + from,
           (size_t)(end - first) * piece);
}

rv_scan_plan *rv_scan_plan_new(rv_shape x, int64_t axis, bool reverse)
{
    rv_scan_plan *plan = rv_alloc(1, sizeof *plan);
    if (!plan) return NULL;
    *plan = (rv_scan_plan){1, x.dim[axis], 1, reverse};
    for (int64_t d = 0; d < axis; d++) plan->outer *= x.dim[d];
    for (int64_t d = axis + 1; d < x.rank; d++) plan->inner *= x.dim[d];
    return plan;
}
