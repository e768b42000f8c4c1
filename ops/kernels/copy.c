/* Copies of strided elements: every transpose, slice, pad, flip and broadcast. It moves bits
 * without arithmetic, so the f32 table also serves i32. */
#include <string.h>

#include "ops/kernels/lanes.h"
#include "ops/kernels/table.h"

typedef real_bits __attribute__((may_alias)) word; /* an element of either type */

/* Copies n words at the given strides. */
static void copy_run(word *out, int64_t out_stride, const word *in, int64_t in_stride, int64_t n)
{
    if (out_stride == 1 && in_stride == 1) {
        if (n >= 4 * LANES) {
            memcpy(out, in, (size_t)n * sizeof *out);
        } else {
            rv_copy_few((real *)out, (const real *)in, n);
        }
    } else if (out_stride == 1 && in_stride == 0) {
        for (int64_t i = 0; i < n; i++) out[i] = *in;
    } else if (out_stride == 1 && in_stride == -1) {
        for (int64_t i = 0; i < n; i++) out[i] = in[-i];
    } else {
        for (int64_t i = 0; i < n; i++) out[i * out_stride] = in[i * in_stride];
    }
}

/* out[i*out_row + j] = in[j*in_row + i] for i < m, j < n: squares of LANES x LANES are transposed
 * in registers. */
static void copy_transposed(word *out, int64_t out_row, const word *in, int64_t in_row, int64_t m,
                            int64_t n)
{
    int64_t i = 0;
    for (; i + LANES <= m; i += LANES) {
        int64_t j = 0;
        for (; j + LANES <= n; j += LANES) {
            transpose_lanes((real *)out + i * out_row + j, out_row,
                            (const real *)in + j * in_row + i, in_row);
        }
        for (int64_t s = i; s < i + LANES; s++) {
            copy_run(out + s * out_row + j, 1, in + j * in_row + s, in_row, n - j);
        }
    }
    for (; i < m; i++) copy_run(out + i * out_row, 1, in + i, in_row, n);
}

/* Copies m runs of n words, one per row. */
static void copy_rows(word *out, int64_t out_row, int64_t out_stride, const word *in,
                      int64_t in_row, int64_t in_stride, int64_t m, int64_t n)
{
    if (out_stride == 1 && in_stride == 1 && n < 4 * LANES) {
        rv_copy_rows((real *)out, out_row, (const real *)in, in_row, m, n);
    } else {
        for (int64_t i = 0; i < m; i++) {
            copy_run(out + i * out_row, out_stride, in + i * in_row, in_stride, n);
        }
    }
}

/* The innermost dimension of stride 1, or else the innermost dimension. */
static int64_t contiguous(const rv_copy_plan *p, const int64_t *stride)
{
    for (int64_t d = p->rank - 1; d >= 0; d--) {
        if (stride[d] == 1) return d;
    }
    return p->rank - 1;
}

/* The plan of a part: its range of the outermost dimension. */
static rv_copy_plan part_of(const rv_call *call)
{
    rv_copy_plan p = *(const rv_copy_plan *)call->plan;
    int64_t first, end;
    rv_call_range(call, p.dim[0], &first, &end);
    p.dim[0] = end - first;
    p.in_offset += first * p.in_stride[0];
    p.out_offset += first * p.out_stride[0];
    p.out_count = p.dim[0] * p.out_stride[0];
    return p;
}

void RV_NAME(rv_kernel_copy)(const rv_call *call)
{
    const rv_copy_plan *p = call->plan, part = call->parts > 1 ? part_of(call) : *p;
    p = &part;
    word *out = (word *)call->out + p->out_offset;
    const word *in = (const word *)call->in[0] + p->in_offset;
    if (p->clear) {
        const int64_t before = call->parts > 1 ? p->out_offset % p->out_stride[0] : p->out_offset;
        memset(out - before, 0, (size_t)p->out_count * sizeof *out);
    }
    for (int64_t k = 0; k < p->rank; k++) {
        if (p->dim[k] == 0) return;
    }
    if (p->rank < 2) {
        const bool run = p->rank == 1;
        copy_run(out, run ? p->out_stride[0] : 1, in, run ? p->in_stride[0] : 1,
                 run ? p->dim[0] : 1);
        return;
    }
    /* The two inner loops run over dimensions a and b. b is contiguous in the output if any
     * dimension is. a is the one that is contiguous in the input, or else the innermost other
     * dimension. */
    const int64_t b = contiguous(p, p->out_stride), last = p->rank - (b == p->rank - 1 ? 2 : 1);
    const int64_t other = contiguous(p, p->in_stride);
    const bool transposed =
        other != b && p->out_stride[b] == 1 && p->in_stride[other] == 1 && p->in_stride[b] != 0;
    const int64_t a = transposed ? other : last, m = p->dim[a], n = p->dim[b];
    const int64_t out_row = p->out_stride[a], in_row = p->in_stride[a];
    int64_t index[RV_MAX_RANK] = {0}, d;
    do {
        if (transposed) {
            copy_transposed(out, out_row, in, p->in_stride[b], m, n);
        } else {
            copy_rows(out, out_row, p->out_stride[b], in, in_row, p->in_stride[b], m, n);
        }
        for (d = p->rank - 1; d >= 0; d--) {
            if (d == a || d == b) continue;
            in += p->in_stride[d];
            out += p->out_stride[d];
            if (++index[d] < p->dim[d]) break;
            in -= p->dim[d] * p->in_stride[d];
            out -= p->dim[d] * p->out_stride[d];
            index[d] = 0;
        }
    } while (d >= 0);
}
