/* Losses: composites that end in a mean over the batch. */
#include <math.h>

#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"

/* Losses do not broadcast: it would hide a mistake. */
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

static rv_var call_mean_squared_error(rv_arguments *a)
{
    return rv_mean_squared_error(a->x[0], a->x[1]);
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
                                        .call = call_mean_squared_error,
                                        .polynomial = true,
                                        RV_SAMPLES(mean_squared_error_samples)};

/* ---- mean absolute error ---- */

rv_var rv_mean_absolute_error(rv_var prediction, rv_var target)
{
    if (!same_shape(prediction, target, "mean_absolute_error"))
        return (rv_var){prediction.tape, -1};
    return rv_mean(rv_abs(rv_subtract(prediction, target)), RV_ALL_AXES, false);
}

static rv_var call_mean_absolute_error(rv_arguments *a)
{
    return rv_mean_absolute_error(a->x[0], a->x[1]);
}

static void mean_absolute_error_reference(const rv_call *c)
{
    int64_t count = rv_shape_count(c->in_type[0].shape);
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += fabs(rv_operand(c, 0, i) - rv_operand(c, 1, i));
    rv_result(c, 0, sum / (double)count);
}

static const rv_sample mean_absolute_error_samples[] = {
    {.in = {{2, {3, 5}}, {2, {3, 5}}}, .low = -2, .high = 2},
    {.in = {{2, {3, 5}}, {2, {3, 1}}}, .error = "the target is [3,1], the prediction [3,5]"},
};

const rv_op rv_op_mean_absolute_error = {.name = "mean_absolute_error",
                                         .args = "x target",
                                         .formula = "y = mean |x - target|",
                                         .doc = "the mean over all elements",
                                         .kind = RV_OP_COMPOSITE,
                                         .inputs = 2,
                                         .reference = mean_absolute_error_reference,
                                         .call = call_mean_absolute_error,
                                         RV_SAMPLES(mean_absolute_error_samples)};

/* ---- huber: with c = min(|d|, delta) both branches are c (|d| - c / 2) ---- */

rv_var rv_huber(rv_var prediction, rv_var target, double delta)
{
    if (!same_shape(prediction, target, "huber")) return (rv_var){prediction.tape, -1};
    if (!(delta > 0))
        return rv_tape_fail(
            prediction.tape, RV_ERROR_ARGUMENT,
            "huber: delta %g, expected more than 0; it is where the loss turns from "
            "a square into a line",
            delta);
    rv_var distance = rv_abs(rv_subtract(prediction, target));
    rv_var near = rv_minimum(distance, rv_scalar(prediction.tape, delta));
    rv_var loss = rv_multiply(near, rv_subtract(distance, rv_scale(near, 0.5)));
    return rv_mean(loss, RV_ALL_AXES, false);
}

static const rv_option huber_options[] = {
    {"delta", RV_OPTION_NUMBER, false, 1, "where the square becomes a line"}};

static rv_var call_huber(rv_arguments *a)
{
    return rv_huber(a->x[0], a->x[1], rv_option_number(a, 0));
}

static void huber_reference(const rv_call *c)
{
    const double delta = ((const rv_option_value *)c->attr)->number;
    int64_t count = rv_shape_count(c->in_type[0].shape);
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        double d = fabs(rv_operand(c, 0, i) - rv_operand(c, 1, i));
        sum += d <= delta ? d * d / 2 : delta * (d - delta / 2);
    }
    rv_result(c, 0, sum / (double)count);
}

static const rv_sample huber_samples[] = {
    {.in = {{2, {3, 5}}, {2, {3, 5}}}, .low = -2, .high = 2, RV_GIVEN(RV_NUMBER(1))},
    {.in = {{2, {3, 5}}, {2, {3, 5}}}, .low = -2, .high = 2, RV_GIVEN(RV_NUMBER(0.3))},
    {.in = {{2, {3, 5}}, {2, {3, 1}}}, RV_GIVEN(RV_NUMBER(1)), .error = "the target is [3,1]"},
    {.in = {{1, {3}}, {1, {3}}}, RV_GIVEN(RV_NUMBER(0)), .error = "delta 0, expected more than 0"},
};

const rv_op rv_op_huber = {
    .name = "huber",
    .args = "x target",
    .formula = "y = mean d <= delta ? d^2 / 2 : delta (d - delta / 2), d = |x - target|",
    .doc = "a square near 0 and a line beyond delta, for data with outliers",
    .kind = RV_OP_COMPOSITE,
    .inputs = 2,
    .reference = huber_reference,
    .call = call_huber,
    RV_OPTIONS(huber_options),
    RV_SAMPLES(huber_samples)};

/* ---- sigmoid cross-entropy ----
 *
 * -ln s(x) = ln(1 + e^-x) and -ln(1 - s(x)) = ln(1 + e^x): no digits cancel. */

rv_var rv_sigmoid_cross_entropy(rv_var logits, rv_var target)
{
    if (!same_shape(logits, target, "sigmoid_cross_entropy")) return (rv_var){logits.tape, -1};
    rv_var yes = rv_multiply(target, rv_softplus(rv_negate(logits)));
    rv_var no = rv_multiply(rv_one_minus(target), rv_softplus(logits));
    return rv_mean(rv_add(yes, no), RV_ALL_AXES, false);
}

static rv_var call_sigmoid_cross_entropy(rv_arguments *a)
{
    return rv_sigmoid_cross_entropy(a->x[0], a->x[1]);
}

static double softplus(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }

static void sigmoid_cross_entropy_reference(const rv_call *c)
{
    int64_t count = rv_shape_count(c->in_type[0].shape);
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        double x = rv_operand(c, 0, i), t = rv_operand(c, 1, i);
        sum += t * softplus(-x) + (1 - t) * softplus(x);
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
    .call = call_sigmoid_cross_entropy,
    RV_SAMPLES(sigmoid_cross_entropy_samples)};

/* ---- softmax cross-entropy, of targets as they are or mixed with the uniform distribution ---- */

/* Of labels: -ln softmax(x)[label] = softplus(ln sum_{k != label} e^x_k - x_label), which cancels
 * neither in the value nor in the gradient, however sure the answer is. With smoothing s it is that
 * plus s (x_label - mean x). */
static rv_var of_labels(rv_var x, rv_var label, double smoothing)
{
    rv_tape *tape = x.tape;
    rv_shape shape = rv_shape_of(x);
    const double lowest = -3e38,
                 infinity = INFINITY; /* -inf would make the gradient of a single class NaN */
    rv_var zero = rv_scalar(tape, 0), hit = rv_one_hot(label, shape.dim[shape.rank - 1]);
    rv_var own = rv_sum(rv_select(hit, x, zero), RV_LAST_AXIS, false);
    rv_var other = rv_log_sum_exp(rv_select(hit, rv_scalar(tape, lowest), x), RV_LAST_AXIS, false);
    rv_var is_class = rv_sum(hit, RV_LAST_AXIS, false);
    rv_var loss =
        rv_select(is_class, rv_softplus(rv_subtract(other, own)), rv_scalar(tape, infinity));
    if (smoothing > 0)
        loss = rv_add(loss, rv_scale(rv_subtract(own, rv_mean(x, RV_LAST_AXIS, false)), smoothing));
    rv_var counts = rv_one_minus(rv_less(rv_cast(label, rv_tape_dtype(tape)), zero));
    rv_var count = rv_maximum(rv_sum(counts, RV_ALL_AXES, false), rv_scalar(tape, 1));
    return rv_divide(rv_sum(rv_select(counts, loss, zero), RV_ALL_AXES, false), count);
}

static rv_var of_probabilities(rv_var x, rv_var target, double smoothing)
{
    rv_shape shape = rv_shape_of(x);
    const double classes = (double)shape.dim[shape.rank - 1];
    if (smoothing > 0) target = rv_shift(rv_scale(target, 1 - smoothing), smoothing / classes);
    rv_var sum = rv_sum(rv_multiply(target, rv_log_softmax(x, -1)), RV_ALL_AXES, false);
    return rv_scale(sum, -classes / (double)rv_shape_count(shape));
}

rv_var rv_softmax_cross_entropy_smooth(rv_var logits, rv_var target, double smoothing)
{
    rv_shape shape = rv_shape_of(logits), rows = shape, given = rv_shape_of(target);
    char seen[RV_SHAPE_TEXT], want[RV_SHAPE_TEXT];
    if (rv_is_null(logits) || rv_is_null(target)) return (rv_var){logits.tape, -1};
    if (!(smoothing >= 0 && smoothing <= 1))
        return rv_tape_fail(logits.tape, RV_ERROR_ARGUMENT,
                            "softmax_cross_entropy: smoothing %g, expected 0 to 1; it is the "
                            "fraction that is spread over all classes",
                            smoothing);
    if (shape.rank) rows.dim[--rows.rank] = 0;
    if (shape.rank && rv_shape_equal(given, rows)) return of_labels(logits, target, smoothing);
    if (shape.rank && rv_shape_equal(given, shape))
        return of_probabilities(logits, target, smoothing);
    return rv_tape_fail(
        logits.tape, RV_ERROR_SHAPE,
        "softmax_cross_entropy: logits are %s, the target %s; expected [..,classes] and [..] "
        "labels or [..,classes] probabilities",
        rv_shape_text(shape, seen), rv_shape_text(given, want));
}

rv_var rv_softmax_cross_entropy(rv_var logits, rv_var target)
{
    return rv_softmax_cross_entropy_smooth(logits, target, 0);
}

static rv_var call_softmax_cross_entropy(rv_arguments *a)
{
    return rv_softmax_cross_entropy(a->x[0], a->x[1]);
}

static const rv_option smooth_options[] = {
    {"smoothing", RV_OPTION_NUMBER, true, NAN, "the fraction that is spread over all classes"}};

static rv_var call_softmax_cross_entropy_smooth(rv_arguments *a)
{
    return rv_softmax_cross_entropy_smooth(a->x[0], a->x[1], rv_option_number(a, 0));
}

static void cross_entropy(const rv_call *c, double smoothing)
{
    const rv_shape *x = &c->in_type[0].shape;
    int64_t classes = x->dim[x->rank - 1], rows = rv_shape_count(*x) / classes, count = 0;
    bool labels = c->in_type[1].shape.rank < x->rank;
    double sum = 0;
    for (int64_t r = 0; r < rows; r++) {
        double total = 0, most = -INFINITY, label = labels ? rv_operand(c, 1, r) : 0;
        if (label < 0) continue;
        count++;
        if (label >= (double)classes) sum = INFINITY;
        for (int64_t j = 0; j < classes; j++) most = fmax(most, rv_operand(c, 0, r * classes + j));
        for (int64_t j = 0; j < classes; j++)
            total += exp(rv_operand(c, 0, r * classes + j) - most);
        for (int64_t j = 0; j < classes; j++) {
            double t = labels ? label == (double)j : rv_operand(c, 1, r * classes + j);
            t = (1 - smoothing) * t + smoothing / (double)classes;
            if (t != 0) sum -= t * (rv_operand(c, 0, r * classes + j) - most - log(total));
        }
    }
    rv_result(c, 0, sum / (double)(count ? count : 1));
}

static void softmax_cross_entropy_reference(const rv_call *c) { cross_entropy(c, 0); }

static void softmax_cross_entropy_smooth_reference(const rv_call *c)
{
    cross_entropy(c, ((const rv_option_value *)c->attr)->number);
}

static const rv_sample softmax_cross_entropy_samples[] = {
    {.in = {{2, {5, 3}}, {2, {5, 3}}}, .low = 0, .high = 1},
    {.in = {{2, {5, 3}}, {1, {5}}}, .low = 0, .high = 2, .integer = 2},
    {.in = {{3, {2, 4, 3}}, {2, {2, 4}}}, .low = -2, .high = 2, .integer = 2},
    {.in = {{1, {4}}, {0}}, .low = 0, .high = 3, .integer = 2},
    {.in = {{2, {5, 3}}, {1, {4}}}, .error = "logits are [5,3], the target [4]"},
    {.in = {{0}, {0}}, .error = "logits are [], the target []"},
};
static const rv_sample softmax_cross_entropy_smooth_samples[] = {
    {.in = {{2, {5, 3}}, {1, {5}}}, .low = 0, .high = 2, .integer = 2, RV_GIVEN(RV_NUMBER(0.1))},
    {.in = {{2, {9, 3}}, {1, {9}}}, .low = -1, .high = 2, .integer = 2, RV_GIVEN(RV_NUMBER(0.1))},
    {.in = {{3, {2, 4, 3}}, {3, {2, 4, 3}}}, .low = 0, .high = 1, RV_GIVEN(RV_NUMBER(0.1))},
    {.in = {{2, {5, 3}}, {1, {5}}},
     RV_GIVEN(RV_NUMBER(1.5)),
     .error = "smoothing 1.5, expected 0 to 1"},
};

const rv_op rv_op_softmax_cross_entropy = {
    .name = "softmax_cross_entropy",
    .args = "logits target",
    .formula = "y = mean -sum_k t[..,k] ln softmax(x)[..,k]",
    .doc = "for one of many classes, from logits; labels (negative ones do not count) or "
           "probabilities",
    .kind = RV_OP_COMPOSITE,
    .inputs = 2,
    .reference = softmax_cross_entropy_reference,
    .call = call_softmax_cross_entropy,
    RV_SAMPLES(softmax_cross_entropy_samples)};

const rv_op rv_op_softmax_cross_entropy_smooth = {
    .name = "softmax_cross_entropy_smooth",
    .args = "logits target",
    .formula = "y = softmax_cross_entropy(x, (1 - s) t + s / classes)",
    .doc = "label smoothing: a fraction s of each target is spread over all classes",
    .kind = RV_OP_COMPOSITE,
    .inputs = 2,
    .reference = softmax_cross_entropy_smooth_reference,
    .call = call_softmax_cross_entropy_smooth,
    RV_OPTIONS(smooth_options),
    RV_SAMPLES(softmax_cross_entropy_smooth_samples)};
