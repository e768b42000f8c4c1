/* The ops: each function records one equation and returns its value. Shapes follow NumPy: binary ops
 * broadcast; an `int axis` counts from 0, negative from the end; `unsigned axes` is a set, bit d for
 * axis d. Errors stick to the tape (tape.h);
 * `recurve ops` prints every formula. x, y, z, w are float tensors of one dtype unless said otherwise. */
#ifndef RV_OPS_OPS_H
#define RV_OPS_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include "autograd/gradient.h"
#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- pointwise; operands broadcast against each other ---- */
rv_var rv_add(rv_var x, rv_var y);
rv_var rv_subtract(rv_var x, rv_var y);
rv_var rv_multiply(rv_var x, rv_var y);
rv_var rv_multiply_add(rv_var x, rv_var y, rv_var z); /* x y + z */
rv_var rv_divide(rv_var x, rv_var y);
rv_var rv_negate(rv_var x);
rv_var rv_square(rv_var x);
rv_var rv_sqrt(rv_var x);
rv_var rv_exp(rv_var x);
rv_var rv_log(rv_var x);
rv_var rv_sigmoid(rv_var x);
rv_var rv_tanh(rv_var x);
rv_var rv_arctan(rv_var x);
rv_var rv_sin(rv_var x);
rv_var rv_cos(rv_var x);
rv_var rv_relu(rv_var x);
rv_var rv_softplus(rv_var x);
rv_var rv_equal(rv_var x, rv_var y);            /* 1 or 0, in the operands' dtype */
rv_var rv_sigmoid_gradient(rv_var x, rv_var y); /* y x (1 - x) */
rv_var rv_tanh_gradient(rv_var x, rv_var y);    /* y (1 - x^2) */
rv_var rv_less(rv_var x, rv_var y);
rv_var rv_select(rv_var condition, rv_var x, rv_var y); /* x where the condition is not 0, else y */
rv_var rv_cast(rv_var x, rv_dtype dtype);               /* i32 from a float truncates */

rv_var rv_scale(rv_var x, double factor); /* factor x */
rv_var rv_shift(rv_var x, double offset); /* x + offset */
rv_var rv_one_minus(rv_var x);            /* 1 - x */
rv_var rv_clamp(rv_var x, double low, double high);
rv_var rv_lerp(rv_var start, rv_var end, rv_var weight); /* start + weight (end - start) */

/* ---- shapes: any dtype ---- */
rv_var rv_reshape(rv_var x, rv_shape shape);    /* one dimension may be -1: what is left */
rv_var rv_flatten(rv_var x);                    /* [n,...] -> [n, the rest] */
rv_var rv_transpose(rv_var x, const int *axes); /* y's axis d is x's axes[d]; NULL reverses them */
rv_var rv_broadcast(rv_var x, rv_shape shape);
rv_var rv_flip(rv_var x, unsigned axes); /* bit d: reverse axis d */
/* y[i] = x[start + i step], per axis: size elements each; step (NULL: 1) is at least 1. */
rv_var rv_slice(rv_var x, const int64_t *start, const int64_t *size, const int64_t *step);
rv_var rv_slice_axis(rv_var x, int axis, int64_t start, int64_t size);
rv_var rv_concat(const rv_var *x, int count, int axis);
/* Zeros around each axis; negative widths crop. `between` (NULL: 0) zeros between neighbours. */
rv_var rv_pad(rv_var x, const int64_t *before, const int64_t *after, const int64_t *between);
rv_var rv_pad2d(rv_var x, int64_t width); /* on all sides of the last two axes */

/* ---- reductions: over the axes whose bits are set (0: none); with `keep` they stay, of size 1 ---- */
enum { RV_ALL_AXES = 63, RV_LAST_AXIS = 64 };
rv_var rv_sum(rv_var x, unsigned axes, bool keep);
rv_var rv_mean(rv_var x, unsigned axes, bool keep);
rv_var rv_max(rv_var x, unsigned axes, bool keep); /* equal maxima share the gradient */

/* ---- products ---- */
/* a [..,m,k] b [..,k,n] -> [..,m,n]; a [..,k,m] with transpose_a, b [..,n,k] with transpose_b.
 * Leading axes broadcast. */
rv_var rv_matmul(rv_var a, rv_var b, bool transpose_a, bool transpose_b);

/* Cross-correlation, as the field has it: y[n,o,i,j] = sum x[n,c, i s + p d - pad, ..] w[o,c,p,q] with
 * x [n,channels,height,width], w [outputs,channels/groups,kh,kw]. Zero means the default in every
 * field: stride 1, no padding, dilation 1, 1 group. */
typedef struct rv_conv2d_options {
    int64_t stride[2];                /* down, across */
    int64_t top, bottom, left, right; /* zeros around x */
    int64_t dilation[2];
    int64_t groups;
} rv_conv2d_options;
rv_var rv_conv2d(rv_var x, rv_var w, rv_conv2d_options options);
/* The textbook convolution: conv2d with w flipped in both directions. */
rv_var rv_true_conv2d(rv_var x, rv_var w);

/* ---- composites of the above ---- */
/* x W' + b: parameters "name/weight" [units, inputs] and "name/bias" [units], uniform in
 * +-1/sqrt(inputs). x [n,inputs]. */
rv_var rv_linear(rv_var x, const char *name, int64_t units);
rv_var rv_softmax(rv_var x, int axis);
rv_var rv_log_softmax(rv_var x, int axis);
rv_var rv_one_hot(rv_var labels, int64_t classes); /* [n] of any dtype -> [n,classes]; a label
                                                        that is no class gives zeros */

/* Losses: means over all elements (samples); [] */
rv_var rv_mean_squared_error(rv_var prediction, rv_var target);
rv_var rv_sigmoid_cross_entropy(rv_var logits, rv_var target); /* targets in 0..1, logits' shape */
/* logits [n,classes]; target [n] i32 labels, or [n,classes] probabilities */
rv_var rv_softmax_cross_entropy(rv_var logits, rv_var target);

/* ---- what is registered ---- */
int rv_op_count(void);
const rv_op *rv_op_at(int index);
const rv_op *rv_op_find(const char *name); /* NULL when unknown */

#ifdef __cplusplus
}
#endif

#endif
