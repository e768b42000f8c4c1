/* The attributes of the ops that have some, as they are recorded on a tape. A shape is the
 * attribute of reshape and broadcast. All fields are 64 bits wide, so there is no padding, which
 * must not be hashed. */
#ifndef RV_OPS_ATTRIBUTES_INTERNAL_H
#define RV_OPS_ATTRIBUTES_INTERNAL_H

#include <stdint.h>

#include "tensor/shape.h"

typedef struct rv_matmul_attr {
    int64_t transpose_a, transpose_b, packed;
} rv_matmul_attr;

typedef struct rv_conv_attr {
    int64_t stride[2], pad[2], pad_end[2], dilation[2], groups;
    /* Of gradients: height and width of the result, which the inputs do not determine. */
    int64_t size[2];
} rv_conv_attr;

/* sum, max */
typedef struct rv_reduce_attr {
    int64_t axes; /* bit d: axis d is reduced */
} rv_reduce_attr;

/* scan, cumulative_sum */
typedef struct rv_scan_attr {
    int64_t axis, reverse;
} rv_scan_attr;

typedef struct rv_slice_attr {
    int64_t start[RV_MAX_RANK], size[RV_MAX_RANK], step[RV_MAX_RANK];
} rv_slice_attr;

typedef struct rv_pad_attr {
    int64_t before[RV_MAX_RANK], after[RV_MAX_RANK], between[RV_MAX_RANK];
} rv_pad_attr;

typedef struct rv_concat_attr {
    int64_t axis;
} rv_concat_attr;

typedef struct rv_transpose_attr {
    int64_t axis[RV_MAX_RANK]; /* y's axis d is x's axis[d] */
} rv_transpose_attr;

typedef struct rv_flip_attr {
    int64_t axes; /* bit d: axis d is reversed */
} rv_flip_attr;

typedef struct rv_scatter_attr {
    int64_t rows;
} rv_scatter_attr;

typedef struct rv_cast_attr {
    int64_t dtype;
} rv_cast_attr;

#endif
