/* The ops: each function records one equation and returns its value. Shapes follow NumPy: binary
 * ops broadcast; an `int axis` counts from 0, negative from the end; `unsigned axes` is a set, with
 * bit d for axis d. Errors stay on the tape (tape.h). `recurve ops` prints every formula. x, y, z,
 * w are float tensors of one dtype unless stated otherwise. */
#ifndef RV_OPS_OPS_H
#define RV_OPS_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include "../autograd/gradient.h"
#include "../autograd/tape.h"

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
rv_var rv_relu(rv_var x);
rv_var rv_softplus(rv_var x);
rv_var rv_abs(rv_var x);
rv_var rv_sign(rv_var x);  /* 1, 0, -1 or NaN */
rv_var rv_floor(rv_var x); /* rounds down; floor and round have the gradient 0 */
rv_var rv_round(rv_var x); /* to the nearest whole number; halves to the even one */
rv_var rv_sin(rv_var x);
rv_var rv_cos(rv_var x);
rv_var rv_erf(rv_var x);
rv_var rv_erfc(rv_var x);              /* 1 - erf x, exact far out */
rv_var rv_expm1(rv_var x);             /* e^x - 1, exact near 0 */
rv_var rv_minimum(rv_var x, rv_var y); /* equal operands get half of the gradient each */
rv_var rv_maximum(rv_var x, rv_var y);
/* x^y. At x = 0 its gradient to y is 0 if y >= 0; its gradient to x is 0 if y = 0. For x < 0 the
 * gradient to y is NaN. */
rv_var rv_power(rv_var x, rv_var y);
rv_var rv_equal(rv_var x, rv_var y);                    /* 1 or 0, in the operands' dtype */
rv_var rv_sigmoid_gradient(rv_var x, rv_var y);         /* y x (1 - x) */
rv_var rv_tanh_gradient(rv_var x, rv_var y);            /* y (1 - x^2) */
rv_var rv_less(rv_var x, rv_var y);                     /* x < y: 1 or 0; NaN is not less */
rv_var rv_less_equal(rv_var x, rv_var y);               /* x <= y */
rv_var rv_select(rv_var condition, rv_var x, rv_var y); /* x where the condition is not 0, else y */
rv_var rv_cast(rv_var x, rv_dtype dtype);               /* i32 from a float truncates */

rv_var rv_scale(rv_var x, double factor);                /* factor x */
rv_var rv_shift(rv_var x, double offset);                /* x + offset */
rv_var rv_one_minus(rv_var x);                           /* 1 - x */
rv_var rv_lerp(rv_var start, rv_var end, rv_var weight); /* start + weight (end - start) */

/* ---- shapes: any dtype ---- */
rv_var rv_reshape(rv_var x, rv_shape shape);    /* one dimension may be -1: the rest */
rv_var rv_flatten(rv_var x);                    /* [n,...] -> [n,-1] */
rv_var rv_transpose(rv_var x, const int *axes); /* y's axis d is x's axes[d]; NULL reverses them */
rv_var rv_broadcast(rv_var x, rv_shape shape);
rv_var rv_flip(rv_var x, unsigned axes); /* bit d: reverse axis d */
/* y = x, as a node of its own for each number from 0 on, so that a gradient can be taken at one use
 * of x alone. */
rv_var rv_probe(rv_var x, int64_t number);
int64_t rv_probe_number(const rv_node *node); /* -1 if the node is no probe */
/* y[i] = x[start + i step], per axis: size elements each; step (NULL: 1) is at least 1. */
rv_var rv_slice(rv_var x, const int64_t *start, const int64_t *size, const int64_t *step);
rv_var rv_slice_axis(rv_var x, int axis, int64_t start, int64_t size);
rv_var rv_concat(const rv_var *x, int count, int axis);
rv_var rv_stack(const rv_var *x, int count, int axis); /* along a new axis of the result */
/* Zeros around each axis; negative widths crop. `between` (NULL: 0) zeros between neighbours. */
rv_var rv_pad(rv_var x, const int64_t *before, const int64_t *after, const int64_t *between);
rv_var rv_pad2d(rv_var x, int64_t width); /* on all sides of the last two axes */

/* ---- reductions: over the axes whose bits are set (0: none); `keep`: they stay, of size 1 ---- */
enum { RV_ALL_AXES = 63, RV_LAST_AXIS = 64 };
rv_var rv_sum(rv_var x, unsigned axes, bool keep);
rv_var rv_mean(rv_var x, unsigned axes, bool keep);
rv_var rv_max(rv_var x, unsigned axes,
              bool keep); /* equal maxima get equal parts of the gradient */
/* y[.., i, ..] = the sum of x[.., k, ..] over k <= i; with `reverse` over k >= i. */
rv_var rv_cumulative_sum(rv_var x, int axis, bool reverse);
/* y[.., t, ..] = a[.., t, ..] y[.., t-1, ..] + b[.., t, ..], where `start`, of size 1 along the
 * axis, comes before the first element. With `reverse`, t+1 takes the place of t-1. a has the shape
 * of b. */
rv_var rv_scan(rv_var a, rv_var b, rv_var start, int axis, bool reverse);

/* ---- rows by index ----
 *
 * An index is i32, of any shape. Outside 0 .. rows-1 it stands for a row of zeros. */
rv_var rv_gather(rv_var x, rv_var index);                    /* x [rows,..] -> [index's axes,..] */
rv_var rv_scatter_add(rv_var y, rv_var index, int64_t rows); /* its adjoint -> [rows,..] */
/* Gathers rows of the parameter "name" [vocabulary,units], one for each token. Initialized with
 * normal(0, 1/sqrt(units)), so the norm of a row is about 1. */
rv_var rv_embedding(rv_var tokens, const char *name, int64_t vocabulary, int64_t units);

/* ---- products ---- */
/* a [..,m,k] b [..,k,n] -> [..,m,n]; a [..,k,m] with transpose_a, b [..,n,k] with transpose_b.
 * Leading axes broadcast. */
rv_var rv_matmul(rv_var a, rv_var b, bool transpose_a, bool transpose_b);

/* Cross-correlation, as the field has it: y[n,o,i,j] = sum x[n,c, i s + p d - pad, ..] w[o,c,p,q]
 * with x [n,channels,height,width], w [outputs,channels/groups,kh,kw]. Zero means the default in
 * every field: stride 1, no padding, dilation 1, 1 group. */
typedef struct rv_conv2d_options {
    int64_t stride[2];                /* down, across */
    int64_t top, bottom, left, right; /* zeros around x */
    int64_t dilation[2];
    int64_t groups;
} rv_conv2d_options;
rv_var rv_conv2d(rv_var x, rv_var w, rv_conv2d_options options);
/* conv2d's adjoint in x: from y back to an image of this height and width. */
rv_var rv_conv2d_input_gradient(rv_var y, rv_var w, rv_conv2d_options options, int64_t height,
                                int64_t width);
/* The same as a layer, with w [channels,outputs/groups,kh,kw]; the result, per axis, has
 * (size - 1) stride + (kernel - 1) dilation + 1 - padding elements. */
rv_var rv_conv2d_transpose(rv_var x, rv_var w, rv_conv2d_options options);
/* The textbook convolution: conv2d with w flipped in both directions. */
rv_var rv_true_conv2d(rv_var x, rv_var w);

/* Windows of size x size over the last two axes, `stride` apart in both. Windows lie inside x; a
 * remainder at the end is ignored. Equal maxima get equal parts of the gradient; in PyTorch the
 * first one gets all of it. The size is at most 32 for maxima, 4096 for means. */
rv_var rv_max_pool2d(rv_var x, int64_t size, int64_t stride);
rv_var rv_average_pool2d(rv_var x, int64_t size, int64_t stride);
rv_var rv_global_average_pool(rv_var x); /* [..,height,width] -> [..]: the mean of each image */

/* ---- activations ---- */
rv_var rv_clamp(rv_var x, double low, double high);
rv_var rv_silu(rv_var x);
rv_var rv_gelu(rv_var x);                     /* exact, by erfc */
rv_var rv_hard_sigmoid(rv_var x);             /* clamp(x + 3, 0, 6) / 6 */
rv_var rv_elu(rv_var x, double alpha);        /* alpha (e^x - 1) for x <= 0 */
rv_var rv_leaky_relu(rv_var x, double slope); /* slope x for x <= 0 */

/* ---- layers and normalizations ---- */
/* x W' + b for x [n,inputs], with the parameters "name/weight" [units,inputs] and "name/bias"
 * [units], both initialized uniformly within +-1/sqrt(inputs). */
rv_var rv_linear(rv_var x, const char *name, int64_t units);
rv_var rv_softmax(rv_var x, int axis);
rv_var rv_log_softmax(rv_var x, int axis);
rv_var rv_log_sum_exp(rv_var x, unsigned axes, bool keep); /* ln sum e^x */
/* (x - mean) / sqrt(var + epsilon). In f32 the variance of numbers from 1e19 on is infinite, and
 * the result 0. */
rv_var rv_normalize(rv_var x, unsigned axes, double epsilon);
/* Normalizes x [n,units,..] over all axes but the first, with epsilon 1e-5, then applies the
 * parameters "name/gain" (initially 1) and "name/bias" (initially 0), both [units], along axis
 * 1. */
rv_var rv_layer_norm(rv_var x, const char *name);

/* ---- whole numbers of any dtype as rows of 1 and 0, at most 2^20 long ---- */
/* [..] -> [..,classes]: 1 at the label; a label outside the classes gives zeros. */
rv_var rv_one_hot(rv_var labels, int64_t classes);
/* [..] -> [..,steps]: 1 at steps below the length, else 0. */
rv_var rv_sequence_mask(rv_var lengths, int64_t steps);

/* ---- randomness ----
 *
 * A number is a pure function of the store's seed, the name, the index and the number of runs so
 * far, which the state "random/count" holds. Each run draws new numbers, and a checkpoint resumes
 * the sequence. On one tape a name stands for one draw, even if it is recorded twice. */

rv_var rv_random(rv_tape *tape, const char *name, rv_shape shape); /* uniform in [0, 1) */
/* Drops each element with probability `rate` in [0, 1): 0 if dropped, else x / (1 - rate). */
rv_var rv_dropout(rv_var x, double rate, const char *name);

/* ---- losses: means over all elements (samples); [] ---- */
rv_var rv_mean_squared_error(rv_var prediction, rv_var target);
rv_var rv_mean_absolute_error(rv_var prediction, rv_var target);
/* d^2 / 2 for d = |prediction - target| up to delta, the line delta (d - delta / 2) beyond. */
rv_var rv_huber(rv_var prediction, rv_var target, double delta);
rv_var rv_sigmoid_cross_entropy(rv_var logits, rv_var target); /* targets in 0..1, logits' shape */
/* logits [..,classes]; target: labels [..] or probabilities [..,classes]. Smoothing s makes the
 * target (1 - s) target + s / classes. The mean is over the labels that are not negative, and 0 if
 * there is none; PyTorch's ignore_index likewise, but NaN then. A label of no class, from `classes`
 * on, makes the loss infinite. */
rv_var rv_softmax_cross_entropy(rv_var logits, rv_var target);
rv_var rv_softmax_cross_entropy_smooth(rv_var logits, rv_var target, double smoothing);

/* ---- what is registered ---- */
int rv_op_count(void);
const rv_op *rv_op_at(int index);
const rv_op *rv_op_find(const char *name); /* NULL when unknown */

#ifdef __cplusplus
}
#endif

#endif
