/* Normalizations: values brought to sum to 1, or to mean 0 and variance 1. Composites. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"

/* ---- softmax, log_softmax ----
 *
 * Shifted by the maximum, which changes neither value nor gradient. A row with +inf, or of -inf
 * alone, is NaN, as in PyTorch. */

/* x - max x, and the axis as a mask; the null var for a bad axis. */
static rv_var shifted(rv_var x, int axis, unsigned *mask)
{
    int rank = (int)rv_shape_of(x).rank, at = axis < 0 ? axis + rank : axis;
    if (rv_is_null(x)) return x;
    if (at < 0 || at >= rank)
        return rv_tape_fail(x.tape, RV_ERROR_ARGUMENT,
                            "softmax: axis %d of a tensor of rank %d; use 0 .. rank-1", axis, rank);
    *mask = 1u << at;
    return rv_subtract(x, rv_stop_gradient(rv_max(x, *mask, true)));
}

rv_var rv_softmax(rv_var x, int axis)
{
    unsigned mask = 0;
    rv_var e = rv_exp(shifted(x, axis, &mask));
    return rv_divide(e, rv_sum(e, mask, true));
}

rv_var rv_log_softmax(rv_var x, int axis)
{
    unsigned mask = 0;
    rv_var z = shifted(x, axis, &mask);
    return rv_subtract(z, rv_log(rv_sum(rv_exp(z), mask, true)));
}

static const rv_option softmax_options[] = {
    {"axis", RV_OPTION_WHOLE, false, -1, "along which; negative from the end"}};

static rv_var call_softmax(rv_arguments *a) { return rv_softmax(a->x[0], rv_option_axis(a, 0)); }

static rv_var call_log_softmax(rv_arguments *a)
{
    return rv_log_softmax(a->x[0], rv_option_axis(a, 0));
}

static double maximum(const rv_call *c, int64_t row, int64_t width)
{
    double most = -INFINITY;
    for (int64_t j = 0; j < width; j++) most = fmax(most, rv_operand(c, 0, row * width + j));
    return most;
}

/* ln sum e^(x - shift) */
static double log_normalizer(const rv_call *c, int64_t row, int64_t width, double shift)
{
    double sum = 0;
    for (int64_t j = 0; j < width; j++) sum += exp(rv_operand(c, 0, row * width + j) - shift);
    return log(sum);
}

static double log_probability(const rv_call *c, int64_t i, int64_t width)
{
    const double most = maximum(c, i / width, width);
    return rv_operand(c, 0, i) - most - log_normalizer(c, i / width, width, most);
}

static void log_softmax_reference(const rv_call *c)
{
    const rv_shape *s = &c->out_type.shape;
    int64_t width = s->dim[s->rank - 1];
    for (int64_t i = 0; i < rv_shape_count(*s); i++) rv_result(c, i, log_probability(c, i, width));
}

static void softmax_reference(const rv_call *c)
{
    const rv_shape *s = &c->out_type.shape;
    int64_t width = s->dim[s->rank - 1];
    for (int64_t i = 0; i < rv_shape_count(*s); i++)
        rv_result(c, i, exp(log_probability(c, i, width)));
}

static const rv_sample softmax_samples[] = {
    {.in = {{2, {3, 5}}}, .low = -2, .high = 2, RV_GIVEN(RV_NUMBER(-1))},
    {.in = {{1, {4}}}, .low = -2, .high = 2, RV_GIVEN(RV_NUMBER(0))},
    {.in = {{0}}, .error = "axis -1 of a tensor of rank 0", RV_GIVEN(RV_NUMBER(-1))},
};

const rv_op rv_op_softmax = {.name = "softmax",
                             .args = "x",
                             .formula = "y_i = e^x_i / sum_j e^x_j along an axis",
                             .doc = "probabilities from logits",
                             .kind = RV_OP_COMPOSITE,
                             .inputs = 1,
                             .reference = softmax_reference,
                             .call = call_softmax,
                             RV_OPTIONS(softmax_options),
                             RV_SAMPLES(softmax_samples)};

const rv_op rv_op_log_softmax = {.name = "log_softmax",
                                 .args = "x",
                                 .formula = "y_i = x_i - ln sum_j e^x_j along an axis",
                                 .doc = "log-probabilities from logits",
                                 .kind = RV_OP_COMPOSITE,
                                 .inputs = 1,
                                 .reference = log_softmax_reference,
                                 .call = call_log_softmax,
                                 RV_OPTIONS(softmax_options),
                                 RV_SAMPLES(softmax_samples)};

/* ---- log_sum_exp: shifted by the maximum likewise, which is added again ---- */

/* The maximum, or 0 if it is infinite: inf - inf would be NaN. */
static rv_var finite_maximum(rv_var x, unsigned axes)
{
    rv_var most = rv_stop_gradient(rv_max(x, axes, true));
    rv_var infinite = rv_equal(rv_abs(most), rv_scalar(x.tape, INFINITY));
    return rv_select(infinite, rv_scalar(x.tape, 0), most);
}

rv_var rv_log_sum_exp(rv_var x, unsigned axes, bool keep)
{
    rv_var most = finite_maximum(x, axes);
    rv_var sum = rv_sum(rv_exp(rv_subtract(x, most)), axes, keep);
    return rv_add(rv_log(sum), rv_reshape(most, rv_shape_of(sum)));
}

static const rv_option log_sum_exp_options[] = {
    {"axes", RV_OPTION_LIST, false, NAN, "over which, negative from the end; absent: all"},
    {"keep", RV_OPTION_FLAG, false, 0, "the axes stay, of size 1"}};

static rv_var call_log_sum_exp(rv_arguments *a)
{
    return rv_log_sum_exp(a->x[0], rv_option_axes(a, 0), rv_option_flag(a, 1));
}

static void log_sum_exp_reference(const rv_call *c)
{
    int64_t rows = rv_shape_count(c->out_type.shape),
            width = rv_shape_count(c->in_type[0].shape) / rows;
    for (int64_t r = 0; r < rows; r++) {
        const double most = maximum(c, r, width), shift = isinf(most) ? 0 : most;
        rv_result(c, r, shift + log_normalizer(c, r, width, shift));
    }
}

static const rv_sample log_sum_exp_samples[] = {
    {.in = {{2, {3, 5}}}, .low = -2, .high = 2, RV_GIVEN(RV_LIST(-1), RV_NUMBER(0))},
    {.in = {{3, {2, 3, 4}}}, .low = -2, .high = 2, RV_GIVEN(RV_ABSENT, RV_NUMBER(1))},
    {.in = {{2, {3, 5}}},
     .error = "axis 2 of a tensor of rank 2",
     RV_GIVEN(RV_LIST(2), RV_NUMBER(0))},
};

const rv_op rv_op_log_sum_exp = {.name = "log_sum_exp",
                                 .args = "x",
                                 .formula = "y = ln sum e^x over the axes",
                                 .doc = "a smooth maximum, exact for large |x|",
                                 .kind = RV_OP_COMPOSITE,
                                 .inputs = 1,
                                 .reference = log_sum_exp_reference,
                                 .call = call_log_sum_exp,
                                 RV_OPTIONS(log_sum_exp_options),
                                 RV_SAMPLES(log_sum_exp_samples)};

/* ---- normalize ---- */

rv_var rv_normalize(rv_var x, unsigned axes, double epsilon)
{
    rv_var centered = rv_subtract(x, rv_mean(x, axes, true));
    rv_var variance = rv_mean(rv_square(centered), axes, true);
    return rv_divide(centered, rv_sqrt(rv_shift(variance, epsilon)));
}

static const rv_option normalize_options[] = {
    {"axes", RV_OPTION_LIST, true, NAN, "over which, negative from the end"},
    {"epsilon", RV_OPTION_NUMBER, false, 1e-5, "added to the variance"}};

static rv_var call_normalize(rv_arguments *a)
{
    return rv_normalize(a->x[0], rv_option_axes(a, 0), rv_option_number(a, 1));
}

/* Whether elements i and j differ only along the axes. */
static bool is_beside(const rv_shape *s, const rv_option_value *axes, int64_t i, int64_t j)
{
    for (int64_t d = s->rank - 1; d >= 0; i /= s->dim[d], j /= s->dim[d], d--) {
        bool normalized = false;
        for (int k = 0; k < axes->count; k++)
            normalized = normalized || (axes->list[k] + s->rank) % s->rank == d;
        if (!normalized && i % s->dim[d] != j % s->dim[d]) return false;
    }
    return true;
}

static void normalize_reference(const rv_call *c)
{
    const rv_shape *s = &c->out_type.shape;
    const rv_option_value *option = c->attr;
    for (int64_t i = 0; i < rv_shape_count(*s); i++) {
        double count = 0, sum = 0, squares = 0;
        for (int64_t j = 0; j < rv_shape_count(*s); j++)
            if (is_beside(s, option, i, j)) count++, sum += rv_operand(c, 0, j);
        for (int64_t j = 0; j < rv_shape_count(*s); j++)
            if (is_beside(s, option, i, j)) squares += pow(rv_operand(c, 0, j) - sum / count, 2);
        rv_result(c, i,
                  (rv_operand(c, 0, i) - sum / count) / sqrt(squares / count + option[1].number));
    }
}

static const rv_sample normalize_samples[] = {
    {.in = {{2, {3, 5}}}, .low = -2, .high = 2, RV_GIVEN(RV_LIST(-1), RV_NUMBER(1e-5))},
    {.in = {{2, {3, 5}}}, .low = -2, .high = 2, RV_GIVEN(RV_LIST(0), RV_NUMBER(0.5))},
    {.in = {{4, {2, 3, 2, 2}}}, .low = -2, .high = 2, RV_GIVEN(RV_LIST(1, 3), RV_NUMBER(1e-5))},
    {.in = {{2, {3, 5}}},
     .error = "axis 2 of a tensor of rank 2",
     RV_GIVEN(RV_LIST(2), RV_NUMBER(1e-5))},
};

const rv_op rv_op_normalize = {.name = "normalize",
                               .args = "x",
                               .formula = "y = (x - mean x) / sqrt(var x + epsilon) over the axes",
                               .doc = "mean 0 and variance 1",
                               .kind = RV_OP_COMPOSITE,
                               .inputs = 1,
                               .reference = normalize_reference,
                               .call = call_normalize,
                               RV_OPTIONS(normalize_options),
                               RV_SAMPLES(normalize_samples)};

/* ---- layer_norm ---- */

static const double layer_epsilon = 1e-5; /* as PyTorch has it */

/* A value for each index of axis 1, brought to x's rank. */
static rv_var along_axis_1(rv_var value, rv_var x, const char *what)
{
    rv_shape shape = {.rank = rv_shape_of(x).rank - 1};
    char seen[RV_SHAPE_TEXT], of[RV_SHAPE_TEXT];
    if (rv_is_null(value) || rv_is_null(x)) return (rv_var){x.tape, -1};
    if (shape.rank < 1)
        return rv_tape_fail(x.tape, RV_ERROR_SHAPE,
                            "layer_norm: x is %s, expected [n,units,..]; reshape it",
                            rv_shape_text(rv_shape_of(x), of));
    if (rv_shape_count(rv_shape_of(value)) != rv_shape_of(x).dim[1])
        return rv_tape_fail(x.tape, RV_ERROR_SHAPE,
                            "layer_norm: the %s is %s, expected [%lld], one number for each unit "
                            "along axis 1 of x %s; for another axis reshape x to [n,units]",
                            what, rv_shape_text(rv_shape_of(value), seen),
                            (long long)rv_shape_of(x).dim[1], rv_shape_text(rv_shape_of(x), of));
    for (int64_t d = 0; d < shape.rank; d++) shape.dim[d] = d ? 1 : rv_shape_of(x).dim[1];
    return rv_reshape(value, shape);
}

static rv_var layer_norm(rv_var x, rv_var gain, rv_var bias)
{
    unsigned all_but_first = (1u << rv_shape_of(x).rank) - 2;
    rv_var normal = rv_normalize(x, all_but_first, layer_epsilon);
    rv_var scaled = rv_multiply(normal, along_axis_1(gain, x, "gain"));
    return rv_add(scaled, along_axis_1(bias, x, "bias"));
}

rv_var rv_layer_norm(rv_var x, const char *name)
{
    char full[256];
    rv_shape shape = rv_shape_of(x);
    if (rv_is_null(x)) return x;
    if (!name || !*name)
        return rv_tape_fail(x.tape, RV_ERROR_NAME,
                            "layer_norm: no name for its parameters; give one");
    if (shape.rank < 2)
        return rv_tape_fail(x.tape, RV_ERROR_SHAPE,
                            "layer_norm \"%s\": x has rank %lld, expected [n,units,..]; reshape it "
                            "first",
                            name, (long long)shape.rank);
    if (strlen(name) > sizeof full - sizeof "/weight")
        return rv_tape_fail(x.tape, RV_ERROR_NAME,
                            "layer_norm: the name \"%.40s...\" is too long; use at most 200 bytes",
                            name);
    rv_var parameter[2];
    for (int k = 0; k < 2; k++) {
        snprintf(full, sizeof full, "%s/%s", name, k ? "bias" : "gain");
        parameter[k] =
            rv_parameter(x.tape, full, RV_SHAPE(shape.dim[1]), rv_init_constant(k ? 0 : 1));
    }
    return layer_norm(x, parameter[0], parameter[1]);
}

static rv_var call_layer_norm(rv_arguments *a) { return layer_norm(a->x[0], a->x[1], a->x[2]); }

static void layer_norm_reference(const rv_call *c)
{
    const rv_shape *x = &c->in_type[0].shape;
    int64_t width = rv_shape_count(*x) / x->dim[0], inner = width / x->dim[1];
    for (int64_t n = 0; n < x->dim[0]; n++) {
        double mean = 0, variance = 0;
        for (int64_t i = 0; i < width; i++) mean += rv_operand(c, 0, n * width + i);
        mean /= (double)width;
        for (int64_t i = 0; i < width; i++)
            variance += pow(rv_operand(c, 0, n * width + i) - mean, 2);
        variance /= (double)width;
        for (int64_t i = 0; i < width; i++)
            rv_result(c, n * width + i,
                      (rv_operand(c, 0, n * width + i) - mean) / sqrt(variance + layer_epsilon) *
                              rv_operand(c, 1, i / inner) +
                          rv_operand(c, 2, i / inner));
    }
}

static const rv_sample layer_norm_samples[] = {
    {.in = {{2, {3, 5}}, {1, {5}}, {1, {5}}}, .low = -2, .high = 2},
    {.in = {{4, {2, 3, 2, 2}}, {1, {3}}, {1, {3}}}, .low = -2, .high = 2},
    {.in = {{2, {3, 5}}, {1, {4}}, {1, {5}}}, .error = "the gain is [4], expected [5]"},
};

const rv_op rv_op_layer_norm = {.name = "layer_norm",
                                .args = "x gain bias",
                                .formula =
                                    "y = gain (x - mean x) / sqrt(var x + 1e-5) + bias, over "
                                    "all axes but the first",
                                .doc = "mean 0 and variance 1, then a gain and a bias along axis 1",
                                .kind = RV_OP_COMPOSITE,
                                .inputs = 3,
                                .reference = layer_norm_reference,
                                .call = call_layer_norm,
                                RV_SAMPLES(layer_norm_samples)};
