/* The table of this element type and instruction set. */
#include "ops/kernels/table.h"

#include "ops/kernels/methods.h"

static const rv_conv_method *const convolution[] = {
    &RV_NAME(rv_conv_product),  &RV_NAME(rv_conv_window), &RV_NAME(rv_conv_lanes),
#if defined(RV_REAL_F32)
    &RV_NAME(rv_conv_winograd),
#endif
    &RV_NAME(rv_conv_planes),   &RV_NAME(rv_conv_dots),   NULL};

#define KERNEL(name) .name = RV_NAME(rv_kernel_##name),
#define UNARY(name, ...) .name = RV_NAME(rv_pointwise_##name),
#define BINARY UNARY
#define TERNARY UNARY

const rv_kernels RV_NAME(rv_kernel_table) = {
#include "ops/pointwise.def"
    KERNEL(copy) KERNEL(sum) KERNEL(max) KERNEL(cumulative_sum) KERNEL(scan) KERNEL(scatter_add)
        KERNEL(random_uniform) KERNEL(matmul)
            .matmul_fits = RV_NAME(rv_matmul_fits),
    .matmul_scratch = RV_NAME(rv_matmul_scratch), .convolution = convolution};
