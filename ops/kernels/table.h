/* The kernels of one element type and instruction set, by the names that table.c gathers. */
#ifndef RV_OPS_KERNELS_TABLE_H
#define RV_OPS_KERNELS_TABLE_H

#include "ops/kernels/kernels.h"
#include "ops/kernels/real.h"

#define RV_KERNEL(name) void RV_NAME(rv_kernel_##name)(const rv_call *call);
#define UNARY(name, ...) \
    void RV_NAME(rv_pointwise_##name)(int64_t blocks, void *to, const void *const *in, int inputs, \
                                      unsigned scalar);
#define BINARY UNARY
#define TERNARY UNARY
#include "ops/pointwise.def"
#undef UNARY
#undef BINARY
#undef TERNARY
RV_KERNEL(copy)
RV_KERNEL(sum)
RV_KERNEL(max)
RV_KERNEL(cumulative_sum)
RV_KERNEL(scan)
RV_KERNEL(scatter_add)
RV_KERNEL(random_uniform)
RV_KERNEL(matmul)
#undef RV_KERNEL

bool RV_NAME(rv_matmul_fits)(const rv_matmul_plan *plan);
size_t RV_NAME(rv_matmul_scratch)(const rv_matmul_plan *plan);

extern const rv_kernels RV_NAME(rv_kernel_table);

#endif
