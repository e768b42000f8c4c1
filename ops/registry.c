/* Every op by name. */
#include <string.h>

#include "autograd/recompute.h"
#include "ops/descriptors_internal.h"
#include "ops/ops.h"

#define UNARY(name, ...) &rv_op_##name,
#define BINARY(name, ...) &rv_op_##name,
#define TERNARY(name, ...) &rv_op_##name,
static const rv_op *const registry[] = {
    &rv_op_broadcast_add,
#include "ops/pointwise.def"
    &rv_op_cast,
    &rv_op_stop_gradient,
    &rv_op_control_dependency,
    &rv_op_probe,
    &rv_op_reshape,
    &rv_op_transpose,
    &rv_op_broadcast,
    &rv_op_flip,
    &rv_op_slice,
    &rv_op_concat,
    &rv_op_stack,
    &rv_op_pad,
    &rv_op_pad_add,
    &rv_op_sum,
    &rv_op_max,
    &rv_op_cumulative_sum,
    &rv_op_gather,
    &rv_op_scatter_add,
    &rv_op_random_uniform,
    &rv_op_matmul,
    &rv_op_matmul_add,
    &rv_op_conv2d,
    &rv_op_conv2d_input_gradient,
    &rv_op_conv2d_weight_gradient,
    &rv_op_conv2d_weight_gradient_add,
    &rv_op_conv2d_transpose,
    &rv_op_mean,
    &rv_op_lerp,
    &rv_op_linear,
    &rv_op_clamp,
    &rv_op_silu,
    &rv_op_gelu,
    &rv_op_hard_sigmoid,
    &rv_op_elu,
    &rv_op_leaky_relu,
    &rv_op_softmax,
    &rv_op_log_softmax,
    &rv_op_log_sum_exp,
    &rv_op_layer_norm,
    &rv_op_one_hot,
    &rv_op_sequence_mask,
    &rv_op_max_pool2d,
    &rv_op_average_pool2d,
    &rv_op_global_average_pool,
    &rv_op_dropout,
    &rv_op_mean_squared_error,
    &rv_op_mean_absolute_error,
    &rv_op_huber,
    &rv_op_sigmoid_cross_entropy,
    &rv_op_softmax_cross_entropy,
    &rv_op_softmax_cross_entropy_smooth,
};

int rv_op_count(void) { return (int)(sizeof registry / sizeof *registry); }

const rv_op *rv_op_at(int index)
{
    return index >= 0 && index < rv_op_count() ? registry[index] : NULL;
}

const rv_op *rv_op_find(const char *name)
{
    for (int i = 0; i < rv_op_count(); i++)
        if (name && !strcmp(registry[i]->name, name)) return registry[i];
    return NULL;
}
