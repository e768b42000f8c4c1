/* The table of this element type and instruction set. */
#include "ops/kernels/table.h"

#define KERNEL(name) .name = RV_NAME(rv_kernel_##name),
#define PREPARE(name) .name##_prepare = RV_NAME(rv_##name##_prepare),
#define SCRATCH(name) .name##_scratch = RV_NAME(rv_##name##_scratch),
#define UNARY(name, ...) .name = RV_NAME(rv_row_##name),
#define BINARY UNARY
#define TERNARY UNARY

const rv_kernels RV_NAME(rv_kernel_table) = {
#include "ops/pointwise.def"
    KERNEL(copy) KERNEL(sum) KERNEL(max) KERNEL(cumulative_sum) KERNEL(scatter_add)
        KERNEL(random_uniform) KERNEL(matmul) SCRATCH(matmul) PREPARE(conv2d)
            PREPARE(conv2d_input_gradient) PREPARE(conv2d_weight_gradient)};
