/* Losses: composites that end in a mean over the batch. */
#include <math.h>

#include "ops/descriptors.h"
#include "ops/index.h"
#include "ops/ops.h"

/* Losses compare like with like: broadcasting would hide a mistake. */
static bool same_shape(rv_var x, rv_var target, const char *loss)
{
    char seen[RV_SHAPE_TEXT], want[RV_SHAPE_TEXT];
    if (rv_is_null(x) || rv_is_null(target)) return false;
    if (rv_shape_equal(rv_shape_of(x), rv_shape_of(target))) return true;
    rv_tape_fail(x.tape, RV_ERROR_SHAPE,
                 "%s: the target is %s, the prediction %s; give both one shape", loss,
                 rv_shape_text(rv_shape_of(target), seen), rv_shape_text(rv_shape_of(x), want));
    return false;
}

/* ---- mean squared error ---- */

rv_var rv_mean_squared_error(rv_var prediction, rv_var target)
{
    if (!same_shape(prediction, target, "mean_squared_error")) return (rv_var){prediction.tape, -1};
    return rv_mean(rv_square(rv_subtract(prediction, target)), RV_ALL_AXES, false);
}

static rv_var build_mean_squared_error(const rv_var *x, const void *attr)
{
    (void)attr;
    return rv_mean_squared_error(x[0], x[1]);
}

static void mean_squared_error_reference(const rv_call *c)
{
    int64_t count = rv_shape_count(c->in_type[0].shape);
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (rv_operand(c, 0, i) - rv_operand(c, 1, i)) *
               (rv_operand(c, 0, i) - rv_operand(c, 1, i));
    rv_result(c, 0, sum / (double)count);
}

static const rv_sample mean_squared_error_samples[] = {
    {.in = {{2, {3, 5}}, {2, {3, 5}}}, .low = -2, .high = 2},
    {.in = {{2, {3, 5}}, {2, {3, 1}}}, .error = "the target is [3,1], the prediction [3,5]"},
};

const rv_op rv_op_mean_squared_error = {.name = "mean_squared_error",
                                        .args = "x target",
                                        .formula = "y = mean (x - target)^2",
                                        .doc = "the mean over all elements",
                                        .kind = RV_OP_COMPOSITE,
                                        .inputs = 2,
                                        .reference = mean_squared_error_reference,
                                        .build = build_mean_squared_error,
                                        .polynomial = true,
                                        RV_SAMPLES(mean_squared_error_samples)};

/* ---- sigmoid cross-entropy: ln(1 + e^x) - x t, the stable form of -t ln s(x) - (1-t) ln(1-s(x)) ---- */

rv_var rv_sigmoid_cross_entropy(rv_var logits, rv_var target)
{
    if (!same_shape(logits, target, "sigmoid_cross_entropy")) return (rv_var){logits.tape, -1};
    return rv_mean(rv_subtract(rv_softplus(logits), rv_multiply(logits, target)), RV_ALL_AXES,
                   false);
}

static rv_var build_sigmoid_cross_entropy(const rv_var *x, const void *attr)
{
    (void)attr;
    return rv_sigmoid_cross_entropy(x[0], x[1]);
}

static void sigmoid_cross_entropy_reference(const rv_call *c)
{
    int64_t count = rv_shape_count(c->in_type[0].shape);
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        double s = 1 / (1 + exp(-rv_operand(c, 0, i))), t = rv_operand(c, 1, i);
        sum -= t * log(s) + (1 - t) * log(1 - s);
    }
    rv_result(c, 0, sum / (double)count);
}

static const rv_sample sigmoid_cross_entropy_samples[] = {
    {.in = {{2, {6, 1}}, {2, {6, 1}}}, .low = 0, .high = 1},
    {.in = {{2, {6, 1}}, {1, {6}}}, .error = "the target is [6], the prediction [6,1]"},
};

const rv_op rv_op_sigmoid_cross_entropy = {
    .name = "sigmoid_cross_entropy",
    .args = "logits target",
    .formula = "y = mean -t ln s(x) - (1 - t) ln(1 - s(x)), s the sigmoid",
    .doc = "for yes-or-no questions, from logits; targets in 0..1",
    .kind = RV_OP_COMPOSITE,
    .inputs = 2,
    .reference = sigmoid_cross_entropy_reference,
    .build = build_sigmoid_cross_entropy,
    RV_SAMPLES(sigmoid_cross_entropy_samples)};

/* ---- softmax cross-entropy ---- */

rv_var rv_softmax_cross_entropy(rv_var logits, rv_var target)
{
    rv_shape shape = rv_shape_of(logits), labels = rv_shape_of(target);
    char seen[RV_SHAPE_TEXT], want[RV_SHAPE_TEXT];
    rv_var null = {logits.tape, -1};
    if (rv_is_null(logits) || rv_is_null(target)) return null;
    if (shape.rank == 2 && labels.rank == 1 && labels.dim[0] == shape.dim[0])
        target = rv_one_hot(target, shape.dim[1]);
    else if (shape.rank != 2 || !rv_shape_equal(shape, labels))
        return rv_tape_fail(
            logits.tape, RV_ERROR_SHAPE,
            "softmax_cross_entropy: logits are %s, the target %s; expected [n,classes] and [n] "
            "labels or [n,classes] probabilities",
            rv_shape_text(shape, seen), rv_shape_text(labels, want));
    rv_var sum = rv_sum(rv_multiply(target, rv_log_softmax(logits, 1)), RV_ALL_AXES, false);
    return rv_scale(sum, -1.0 / (double)shape.dim[0]);
}

static rv_var build_softmax_cross_entropy(const rv_var *x, const void *attr)
{
    (void)attr;
    return rv_softmax_cross_entropy(x[0], x[1]);
}

static void softmax_cross_entropy_reference(const rv_call *c)
{
    int64_t rows = c->in_type[0].shape.dim[0], classes = c->in_type[0].shape.dim[1];
    bool labels = c->in_type[1].shape.rank == 1;
    double sum = 0;
    for (int64_t r = 0; r < rows; r++) {
        double total = 0;
        for (int64_t j = 0; j < classes; j++) total += exp(rv_operand(c, 0, r * classes + j));
        for (int64_t j = 0; j < classes; j++) {
            double t =
                labels ? rv_operand(c, 1, r) == (double)j : rv_operand(c, 1, r * classes + j);
            sum -= t * (rv_operand(c, 0, r * classes + j) - log(total));
        }
    }
    rv_result(c, 0, sum / (double)rows);
}

static const rv_sample softmax_cross_entropy_samples[] = {
    {.in = {{2, {5, 3}}, {2, {5, 3}}}, .low = 0, .high = 1},
    {.in = {{2, {5, 3}}, {1, {5}}}, .low = 0, .high = 3, .integer = 2},
    {.in = {{2, {5, 3}}, {1, {4}}}, .error = "logits are [5,3], the target [4]"},
};

const rv_op rv_op_softmax_cross_entropy = {
    .name = "softmax_cross_entropy",
    .args = "logits target",
    .formula = "y = mean_n -sum_k t[n,k] ln softmax(x)[n,k]",
    .doc = "for one of many classes, from logits; i32 labels or probabilities",
    .kind = RV_OP_COMPOSITE,
    .inputs = 2,
    .reference = softmax_cross_entropy_reference,
    .build = build_softmax_cross_entropy,
    RV_SAMPLES(softmax_cross_entropy_samples)};
