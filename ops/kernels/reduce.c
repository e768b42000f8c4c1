/* Sums and maxima over some of the dimensions. */
#include "ops/kernels/table.h"

static int64_t offset(int64_t rank, const int64_t *dim, const int64_t *stride, int64_t i)
{
    int64_t sum = 0;
    for (int64_t d = rank - 1; d >= 0; d--) {
        sum += i % dim[d] * stride[d];
        i /= dim[d];
    }
    return sum;
}

static int64_t count(int64_t rank, const int64_t *dim)
{
    int64_t n = 1;
    for (int64_t d = 0; d < rank; d++) n *= dim[d];
    return n;
}

#define REDUCTION(name, start, combine)                                                              \
    void RV_NAME(rv_kernel_##name)(const rv_call *call)                                              \
    {                                                                                                \
        const rv_reduce_plan *p = call->plan;                                                        \
        const int64_t n = count(p->rank, p->dim), r = count(p->reduced_rank, p->reduced_dim);        \
        real *out = call->out;                                                                       \
        for (int64_t i = 0; i < n; i++) {                                                            \
            const real *in = (const real *)call->in[0] + offset(p->rank, p->dim, p->stride, i);      \
            real a = (real)(start);                                                                  \
            for (int64_t k = 0; k < r; k++) {                                                        \
                const real b = in[offset(p->reduced_rank, p->reduced_dim, p->reduced_stride, k)];    \
                a = (combine);                                                                       \
            }                                                                                        \
            out[i] = a;                                                                              \
        }                                                                                            \
    }

REDUCTION(sum, 0, a + b)
REDUCTION(max, -INFINITY, b > a || b != b ? b : a)
