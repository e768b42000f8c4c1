/* The fast kernels, behind one table of functions per element type and instruction set. The sources
 * in this folder are compiled once for each pair; rv_kernels_for picks at run time.
 *
 * A kernel is an rv_kernel. Those with a geometry find it in call->plan: strides count elements,
 * and so do offsets. The code that makes the plan has merged dimensions where possible. */
#ifndef RV_OPS_KERNELS_KERNELS_H
#define RV_OPS_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* out[out_offset + sum i_d out_stride_d] = in[in_offset + sum i_d in_stride_d] for all i < dim.
 * Strides may be zero (in) or negative. With `clear`, all of out (out_count elements) is zero
 * first. */
typedef struct rv_copy_plan {
    int64_t rank;                                                              /* 0: one element */
    int64_t dim[RV_MAX_RANK], in_stride[RV_MAX_RANK], out_stride[RV_MAX_RANK]; /* innermost last */
    int64_t in_offset, out_offset;
    int64_t out_count;
    bool clear;
} rv_copy_plan;

/* out[i] = reduction over r < reduced_dim of in[sum i_d stride_d + sum r_d reduced_stride_d]; out
 * is contiguous in i. The order of the summation depends on the plan alone. */
typedef struct rv_reduce_plan {
    int64_t rank, dim[RV_MAX_RANK], stride[RV_MAX_RANK];
    int64_t reduced_rank, reduced_dim[RV_MAX_RANK], reduced_stride[RV_MAX_RANK];
} rv_reduce_plan;

/* A recurrence over t of out[o,t,i]; all operands are contiguous. cumulative_sum adds in[o,t,i] to
 * the element before. scan multiplies that by in[0][o,t,i] and adds in[1][o,t,i]; in[2][o,0,i]
 * comes before the first. With `reverse` the last element is the first. */
typedef struct rv_scan_plan {
    int64_t outer, steps, inner;
    bool reverse;
} rv_scan_plan;

/* out[r,j] = sum of in[0][i,j] over the i < count, in order, with the i32 in[1][i] = r. */
typedef struct rv_scatter_plan {
    int64_t count, rows, width;
} rv_scatter_plan;

/* out[i] = word i % 4 of Philox by the seed on (i / 4, the two digits in[0]), as a fraction; i <
 * count. */
typedef struct rv_random_plan {
    uint64_t seed;
    int64_t count;
} rv_random_plan;

/* The methods of matmul, in order of preference; see gemm.c. */
typedef enum rv_matmul_method {
    RV_MATMUL_ANY, /* the first that fits and is fast for the shape */
    RV_MATMUL_PANELS,
    RV_MATMUL_OUTER,
    RV_MATMUL_ROW,
    RV_MATMUL_DOT,
    RV_MATMUL_DIRECT,
    RV_MATMUL_PACKED,
    RV_MATMUL_METHODS
} rv_matmul_method;

/* c[b,i,j] = sum_l A[b,i,l] B[b,l,j]; c is contiguous [batch,m,n]. A is stored [batch,m,k], or
 * [batch,k,m] with transpose_a; B is stored [batch,k,n], or [batch,n,k] with transpose_b. */
typedef struct rv_matmul_plan {
    int64_t batch, m, n, k;
    bool transpose_a, transpose_b;
    int64_t panel; /* not 0: B is [n / panel, k, panel], panels whole 64-byte blocks; no batch */
    bool add;      /* the product is added to what c holds */
    rv_matmul_method method;
} rv_matmul_plan;

/* The side of a convolution that is computed from the other two. */
typedef enum rv_side {
    RV_SIDE_Y,  /* conv2d: (x, w) -> y */
    RV_SIDE_DX, /* conv2d_input_gradient: (dy, w) -> dx */
    RV_SIDE_DW  /* conv2d_weight_gradient: (x, dy) -> dw */
} rv_side;

/* y[n,o,i,j] = sum_{c,p,q} x[n,c,row,column] w[o,c,p,q], with row = i*stride[0] + p*dilation[0] -
 * pad[0] and column = j*stride[1] + q*dilation[1] - pad[1]. x is zero outside; c runs over the
 * channels of o's group.
 * All tensors contiguous: x [batch,channels,height,width], w
 * [outputs,channels/groups,kernel0,kernel1], y [batch,outputs,out_height,out_width]. */
typedef struct rv_conv_plan {
    int64_t batch, channels, height, width;
    int64_t outputs, kernel[2];
    int64_t out_height, out_width;
    int64_t stride[2], pad[2], dilation[2], groups; /* pad: rows above, columns to the left */
    rv_side side;
    bool add; /* RV_SIDE_DW: the result is added to what out holds */
    const struct rv_conv_method *method;

    /* Zero before the method's `prepare`, which sets them: most_parts and sliced for rv_call, the
     * method's own data. */
    int64_t most_parts;
    unsigned sliced;
    int64_t prepared[64];
} rv_conv_plan;

/* A method of convolution. A program uses the first of the table that fits and pays. */
typedef struct rv_conv_method {
    const char *name;
    /* Whether the method can compute the plan, at any speed. */
    bool (*fits)(const rv_conv_plan *plan);
    /* Whether it is faster than the methods after it; NULL: always. */
    bool (*pays)(const rv_conv_plan *plan);
    /* Returns the bytes of call->scratch that `run` needs. */
    size_t (*prepare)(rv_conv_plan *plan);
    rv_kernel run;
    bool transforms; /* as in winograd.h, which round more */
} rv_conv_method;

typedef struct rv_kernels {
    /* pointwise */
#define UNARY(name, ...) rv_pointwise_kernel name;
#define BINARY(name, ...) rv_pointwise_kernel name;
#define TERNARY(name, ...) rv_pointwise_kernel name;
#include "ops/pointwise.def"
#undef UNARY
#undef BINARY
#undef TERNARY
    rv_kernel copy;           /* rv_copy_plan */
    rv_kernel sum, max;       /* rv_reduce_plan */
    rv_kernel cumulative_sum; /* rv_scan_plan */
    rv_kernel scan;           /* rv_scan_plan */
    rv_kernel scatter_add;    /* rv_scatter_plan */
    rv_kernel random_uniform; /* rv_random_plan */
    rv_kernel matmul;         /* rv_matmul_plan */

    /* Whether the plan's method can compute it, at any speed; the bytes of call->scratch that it
     * needs. */
    bool (*matmul_fits)(const rv_matmul_plan *plan);
    size_t (*matmul_scratch)(const rv_matmul_plan *plan);

    /* In order of preference, ending with NULL. Every plan fits one without `pays`. */
    const rv_conv_method *const *convolution;
} rv_kernels;

/* The best table for this machine. In the table for i32 only `copy` may be used. */
const rv_kernels *rv_kernels_for(rv_dtype dtype);

/* The table of one instruction set; NULL if this machine lacks it. Every machine has level 0.
 * rv_kernels_for returns the highest level. */
enum { RV_KERNEL_LEVELS = 3 };
const rv_kernels *rv_kernels_at(rv_dtype dtype, int level);

#ifdef __cplusplus
}
#endif

#endif
