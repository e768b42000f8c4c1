/* The table of this element type and instruction set. */
#include "ops/kernels/table.h"

#include "ops/kernels/methods.h"

/* A page downloads the code and trains with f32, so its f64 has only the methods that any plan
 * needs. */
static const rv_conv_method *const convolution[] = {
    &RV_NAME(rv_conv_product),
#if defined(RV_REAL_F32)
    &RV_NAME(rv_conv_window),  &RV_NAME(rv_conv_lanes), &RV_NAME(rv_conv_winograd),
#elif !defined(__wasm__)
    &RV_NAME(rv_conv_window),  &RV_NAME(rv_conv_lanes),
#endif
    &RV_NAME(rv_conv_planes),  &RV_NAME(rv_conv_dots),  NULL};

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
