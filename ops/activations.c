/* Activations: composites of one input, element by element; `a` holds the options that shape them.
 * At 0 those that bend there have the slope of the left side; at its ends clamp still has slope
 * 1. */
#include <math.h>

#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"

/* ---- recipes ---- */

rv_var rv_clamp(rv_var x, double low, double high)
{
    if (!(low <= high))
        return rv_tape_fail(x.tape, RV_ERROR_ARGUMENT,
                            "clamp: low %g is not at most high %g; swap them", low, high);
    rv_var from = rv_scalar(x.tape, low), to = rv_scalar(x.tape, high);
    return rv_select(rv_less(x, from), from, rv_select(rv_less(to, x), to, x));
}

rv_var rv_silu(rv_var x) { return rv_multiply(x, rv_sigmoid(x)); }

rv_var rv_gelu(rv_var x) { return rv_multiply(rv_scale(x, 0.5), rv_erfc(rv_scale(x, -sqrt(0.5)))); }

rv_var rv_hard_sigmoid(rv_var x) { return rv_scale(rv_clamp(rv_shift(x, 3), 0, 6), 1.0 / 6); }

rv_var rv_elu(rv_var x, double alpha)
{
    rv_var zero = rv_scalar(x.tape, 0), positive = rv_less(zero, x);
    rv_var left = rv_select(positive, zero, x); /* what e^x - 1 sees never overflows */
    return rv_select(positive, x, rv_scale(rv_expm1(left), alpha));
}

rv_var rv_leaky_relu(rv_var x, double slope)
{
    return rv_select(rv_less(rv_scalar(x.tape, 0), x), x, rv_scale(x, slope));
}

/* NaN stays, which fmin and fmax would drop. */
static double limited(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* ---- calls and descriptors: value_ is an element in plain C ---- */

#define ACTIVATION(name_, formula_, doc_, options_, recipe, value_, low_, high_, given, ...) \
    static rv_var name_##_call(rv_arguments *arguments) \
    { \
        const rv_option_value *a = arguments->value; \
        const rv_var x = arguments->x[0]; \
        (void)a; \
        return recipe; \
    } \
    static void name_##_reference(const rv_call *c) \
    { \
        const rv_option_value *a = c->attr; \
        (void)a; \
        for (int64_t i = 0; i < rv_shape_count(c->out_type.shape); i++) { \
            const double x = rv_operand(c, 0, i); \
            rv_result(c, i, value_); \
        } \
    } \
    static const rv_sample name_##_samples[] = { \
        {.in = {{2, {3, 5}}}, .low = low_, .high = high_, given}, __VA_ARGS__}; \
    const rv_op rv_op_##name_ = {.name = #name_, \
                                 .args = "x", \
                                 .formula = formula_, \
                                 .doc = doc_, \
                                 .kind = RV_OP_COMPOSITE, \
                                 .inputs = 1, \
                                 .reference = name_##_reference, \
                                 .call = name_##_call, \
                                 options_, \
                                 RV_SAMPLES(name_##_samples)};

#define NO_OPTIONS .options = NULL
#define NOTHING .attr = NULL

static const rv_option clamp_options[] = {
    {"low", RV_OPTION_NUMBER, true, NAN, "the least that y can be"},
    {"high", RV_OPTION_NUMBER, true, NAN, "the most that y can be"}};
static const rv_option elu_options[] = {
    {"alpha", RV_OPTION_NUMBER, false, 1, "how far below 0 it goes"}};
static const rv_option leaky_relu_options[] = {
    {"slope", RV_OPTION_NUMBER, false, 0.01, "for x <= 0"}};

ACTIVATION(clamp, "y = min(max(x, low), high)", "limits x; the slope outside is 0",
           RV_OPTIONS(clamp_options), rv_clamp(x, a[0].number, a[1].number),
           limited(x, a[0].number, a[1].number), -2, 2, RV_GIVEN(RV_NUMBER(-1), RV_NUMBER(1)),
           {.in = {{1, {3}}},
            RV_GIVEN(RV_NUMBER(1), RV_NUMBER(-1)),
            .error = "low 1 is not at most high -1"})
ACTIVATION(silu, "y = x / (1 + e^-x)", "x times its sigmoid, also called swish", NO_OPTIONS,
           rv_silu(x), x / (1 + exp(-x)), -4, 4, NOTHING,
           {.in = {{1, {37}}}, .low = -20, .high = 20})
ACTIVATION(gelu, "y = x (1 + erf(x / sqrt 2)) / 2", "x times the normal distribution function",
           NO_OPTIONS, rv_gelu(x), 0.5 * x * erfc(-x / sqrt(2)), -3, 3, NOTHING,
           {.in = {{1, {37}}}, .low = -8, .high = 8})
ACTIVATION(hard_sigmoid, "y = min(max(x + 3, 0), 6) / 6", "a sigmoid of three straight lines",
           NO_OPTIONS, rv_hard_sigmoid(x), limited(x + 3, 0, 6) / 6, -5, 5, NOTHING,
           {.in = {{1, {7}}}, .low = -2, .high = 2})
ACTIVATION(elu, "y = x > 0 ? x : alpha (e^x - 1)", "a rectifier that goes smoothly to -alpha",
           RV_OPTIONS(elu_options), rv_elu(x, a->number), x > 0 ? x : a->number * expm1(x), -3, 3,
           RV_GIVEN(RV_NUMBER(2.0 / 3)),
           {.in = {{1, {7}}}, .low = 80, .high = 800, RV_GIVEN(RV_NUMBER(2.0 / 3))})
ACTIVATION(leaky_relu, "y = x > 0 ? x : slope x", "a rectifier that leaks",
           RV_OPTIONS(leaky_relu_options), rv_leaky_relu(x, a->number), x > 0 ? x : a->number * x,
           -2, 2, RV_GIVEN(RV_NUMBER(0.1)),
           {.in = {{1, {7}}}, .low = -1, .high = 3, RV_GIVEN(RV_NUMBER(0.1))})
