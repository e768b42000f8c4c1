/* Copies of strided elements: every reshape, transpose, slice, pad, flip and broadcast. */
#include <string.h>

#include "ops/kernels/table.h"

void RV_NAME(rv_kernel_copy)(const rv_call *call)
{
    const rv_copy_plan *p = call->plan;
    real_bits *out = call->out;
    const real_bits *in = call->in[0];
    if (p->clear) {
        memset(out, 0, (size_t)p->out_count * sizeof *out);
    }
    out += p->out_offset;
    in += p->in_offset;
    int64_t index[RV_MAX_RANK] = {0};
    const int64_t last = p->rank - 1, n = p->rank > 0 ? p->dim[last] : 1;
    const int64_t in_stride = p->rank > 0 ? p->in_stride[last] : 0;
    const int64_t out_stride = p->rank > 0 ? p->out_stride[last] : 0;
    for (;;) {
        for (int64_t i = 0; i < n; i++) out[i * out_stride] = in[i * in_stride];
        int64_t d = last - 1;
        for (; d >= 0; d--) {
            in += p->in_stride[d];
            out += p->out_stride[d];
            if (++index[d] < p->dim[d]) break;
            in -= p->dim[d] * p->in_stride[d];
            out -= p->dim[d] * p->out_stride[d];
            index[d] = 0;
        }
        if (d < 0) return;
    }
}
