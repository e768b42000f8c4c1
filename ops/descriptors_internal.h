/* The descriptors of all ops, for the registry and for each other. */
#ifndef RV_OPS_DESCRIPTORS_INTERNAL_H
#define RV_OPS_DESCRIPTORS_INTERNAL_H

#include "autograd/op.h"

#define UNARY(name, ...) extern const rv_op rv_op_##name;
#define BINARY(name, ...) extern const rv_op rv_op_##name;
#define TERNARY(name, ...) extern const rv_op rv_op_##name;
#include "ops/pointwise.def"
#undef UNARY
#undef BINARY
#undef TERNARY

extern const rv_op rv_op_cast, rv_op_probe;
extern const rv_op rv_op_reshape, rv_op_transpose, rv_op_broadcast, rv_op_flip, rv_op_slice,
    rv_op_concat, rv_op_pad, rv_op_pad_add;
extern const rv_op rv_op_cumulative_sum, rv_op_gather, rv_op_scatter_add, rv_op_random_uniform;
extern const rv_op rv_op_sum, rv_op_max, rv_op_matmul, rv_op_matmul_add;
extern const rv_op rv_op_conv2d, rv_op_conv2d_input_gradient, rv_op_conv2d_weight_gradient;
extern const rv_op rv_op_conv2d_weight_gradient_add;

/* composites; broadcast_add is called "add" */
extern const rv_op rv_op_broadcast_add;
extern const rv_op rv_op_stack, rv_op_conv2d_transpose;
extern const rv_op rv_op_mean, rv_op_lerp, rv_op_linear;
extern const rv_op rv_op_clamp, rv_op_silu, rv_op_gelu, rv_op_hard_sigmoid, rv_op_elu,
    rv_op_leaky_relu;
extern const rv_op rv_op_softmax, rv_op_log_softmax, rv_op_log_sum_exp, rv_op_layer_norm;
extern const rv_op rv_op_one_hot, rv_op_sequence_mask;
extern const rv_op rv_op_max_pool2d, rv_op_average_pool2d, rv_op_global_average_pool;
extern const rv_op rv_op_dropout;
extern const rv_op rv_op_mean_squared_error, rv_op_mean_absolute_error, rv_op_huber,
    rv_op_sigmoid_cross_entropy, rv_op_softmax_cross_entropy, rv_op_softmax_cross_entropy_smooth;

#endif
