/* Composites: recipes that record other ops. They need no kernel and no gradient rule, and are
 * proved like every op: against a reference in plain loops, and their gradients against
 * differences. */
#include <math.h>
#include <string.h>

#include "ops/index_internal.h"
#include "ops/ops.h"
#include "ops/options.h"
#include "tensor/text_internal.h"

/* ---- add: what people call; the op of this name that it records is the tape's own ---- */

static rv_var call_add(rv_arguments *a)
{
    rv_var y = a->x[0];
    for (int k = 1; k < a->inputs; k++) y = rv_add(y, a->x[k]);
    return y;
}

/* Where element i of y is in x, of x's shape aligned with y's last axes; 0 along axes of size 1. */
static int64_t broadcast_from(rv_shape x, rv_shape y, int64_t i)
{
    int64_t at = 0, stride = 1;
    for (int64_t d = 1; d <= x.rank; d++) {
        const int64_t size = x.dim[x.rank - d];
        if (size != 1) at += i % y.dim[y.rank - d] * stride;
        i /= y.dim[y.rank - d];
        stride *= size;
    }
    return at;
}

static void add_reference(const rv_call *c)
{
    for (int64_t i = 0; i < rv_shape_count(c->out_type.shape); i++) {
        double sum = 0;
        for (int k = 0; k < c->inputs; k++)
            sum += rv_operand(c, k, broadcast_from(c->in_type[k].shape, c->out_type.shape, i));
        rv_result(c, i, sum);
    }
}

static const rv_sample add_samples[] = {
    {.in = {{1, {7}}, {1, {7}}}, .inputs = 2, .low = -2, .high = 2},
    {.in = {{2, {3, 5}}, {0}, {2, {3, 1}}}, .inputs = 3, .low = -2, .high = 2},
    {.in = {{1, {4}}, {3, {2, 3, 1}}}, .inputs = 2, .low = -2, .high = 2},
    {.in = {{2, {3, 5}}}, .inputs = 1, .low = -2, .high = 2},
    {.in = {{1, {3}}, {1, {4}}}, .inputs = 2, .error = "shapes do not broadcast"},
};

const rv_op rv_op_add_broadcast = {.name = "add",
                                   .args = "x ...",
                                   .formula = "y = x0 + x1 + ...",
                                   .doc = "the sum of tensors, left to right",
                                   .kind = RV_OP_COMPOSITE,
                                   .inputs = -1,
                                   .reference = add_reference,
                                   .call = call_add,
                                   .linear_jointly = true,
                                   .commutative = true,
                                   .polynomial = true,
                                   RV_SAMPLES(add_samples)};

/* ---- mean ---- */

rv_var rv_mean(rv_var x, unsigned axes, bool keep)
{
    rv_var sum = rv_sum(x, axes, keep);
    if (rv_is_null(sum)) return sum;
    return rv_scale(sum, (double)rv_shape_count(rv_shape_of(sum)) /
                             (double)rv_shape_count(rv_shape_of(x)));
}

static const rv_option mean_options[] = {
    {"axes", RV_OPTION_LIST, false, NAN, "over which, negative from the end; absent: all"},
    {"keep", RV_OPTION_FLAG, false, 0, "the axes stay, of size 1"}};

static rv_var call_mean(rv_arguments *a)
{
    return rv_mean(a->x[0], rv_option_axes(a, 0), rv_option_flag(a, 1));
}

static void mean_reference(const rv_call *c)
{
    int64_t rows = rv_shape_count(c->out_type.shape),
            width = rv_shape_count(c->in_type[0].shape) / rows;
    for (int64_t r = 0; r < rows; r++) {
        double sum = 0;
        for (int64_t j = 0; j < width; j++) sum += rv_operand(c, 0, r * width + j);
        rv_result(c, r, sum / (double)width);
    }
}

static const rv_sample mean_samples[] = {
    {.in = {{2, {3, 5}}}, .low = -2, .high = 2, RV_GIVEN(RV_LIST(-1), RV_NUMBER(0))},
    {.in = {{1, {7}}}, .low = -2, .high = 2, RV_GIVEN(RV_ABSENT, RV_NUMBER(1))},
    {.in = {{1, {7}}},
     .error = "axis 1 of a tensor of rank 1",
     RV_GIVEN(RV_LIST(0, 1), RV_NUMBER(0))},
};

const rv_op rv_op_mean = {.name = "mean",
                          .args = "x",
                          .formula = "y = sum(x) / n over the axes",
                          .doc = "the average over axes",
                          .kind = RV_OP_COMPOSITE,
                          .inputs = 1,
                          .reference = mean_reference,
                          .call = call_mean,
                          RV_OPTIONS(mean_options),
                          .linear = 1,
                          .linear_jointly = true,
                          .polynomial = true,
                          RV_SAMPLES(mean_samples)};

/* ---- lerp ---- */

rv_var rv_lerp(rv_var start, rv_var end, rv_var weight)
{
    return rv_add(start, rv_multiply(weight, rv_subtract(end, start)));
}

static rv_var call_lerp(rv_arguments *a) { return rv_lerp(a->x[0], a->x[1], a->x[2]); }

static void lerp_reference(const rv_call *c)
{
    for (int64_t i = 0; i < rv_shape_count(c->out_type.shape); i++)
        rv_result(c, i,
                  rv_operand(c, 0, i) +
                      rv_operand(c, 2, i) * (rv_operand(c, 1, i) - rv_operand(c, 0, i)));
}

static const rv_sample lerp_samples[] = {
    {.in = {{2, {3, 5}}, {2, {3, 5}}, {2, {3, 5}}}, .low = -2, .high = 2},
    {.in = {{2, {3, 5}}, {2, {3, 4}}, {2, {3, 5}}}, .error = "shapes do not broadcast"},
};

const rv_op rv_op_lerp = {.name = "lerp",
                          .args = "a b w",
                          .formula = "y = a + w (b - a) = (1 - w) a + w b",
                          .doc = "between a and b; a gate's h' = g h + (1 - g) c is lerp(c, h, g)",
                          .kind = RV_OP_COMPOSITE,
                          .inputs = 3,
                          .reference = lerp_reference,
                          .call = call_lerp,
                          .polynomial = true,
                          RV_SAMPLES(lerp_samples)};

/* ---- linear ---- */

static rv_var affine(rv_var x, rv_var w, rv_var b)
{
    return rv_add(rv_matmul(x, w, false, true), b);
}

rv_var rv_linear(rv_var x, const char *name, int64_t units)
{
    char full[256];
    rv_shape shape = rv_shape_of(x);
    if (rv_is_null(x)) return x;
    if (!name || !*name)
        return rv_tape_fail(x.tape, RV_ERROR_NAME, "linear: no name for its parameters; give one");
    if (shape.rank != 2) {
        char text[RV_SHAPE_TEXT];
        return rv_tape_fail(x.tape, RV_ERROR_SHAPE,
                            "linear \"%s\": x is %s, expected [n,inputs]; flatten it first", name,
                            rv_shape_text(shape, text));
    }
    double bound = 1 / sqrt((double)shape.dim[1]);
    rv_init init = rv_init_uniform(-bound, bound);
    if (strlen(name) > sizeof full - sizeof "/weight")
        return rv_tape_fail(x.tape, RV_ERROR_NAME,
                            "linear: the name \"%.40s...\" is too long; use at most 200 bytes",
                            name);
    rv_var parameter[2];
    for (int k = 0; k < 2; k++) {
        rv_join(full, sizeof full, name, k ? "/bias" : "/weight", NULL);
        parameter[k] =
            rv_parameter(x.tape, full, k ? RV_SHAPE(units) : RV_SHAPE(units, shape.dim[1]), init);
    }
    return affine(x, parameter[0], parameter[1]);
}

static rv_var call_linear(rv_arguments *a) { return affine(a->x[0], a->x[1], a->x[2]); }

static void linear_reference(const rv_call *c)
{
    const int64_t *out = c->out_type.shape.dim, inputs = c->in_type[0].shape.dim[1];
    for (int64_t n = 0; n < out[0]; n++)
        for (int64_t u = 0; u < out[1]; u++) {
            double sum = rv_operand(c, 2, u);
            for (int64_t l = 0; l < inputs; l++)
                sum += rv_operand(c, 0, n * inputs + l) * rv_operand(c, 1, u * inputs + l);
            rv_result(c, n * out[1] + u, sum);
        }
}

static const rv_sample linear_samples[] = {
    {.in = {{2, {3, 4}}, {2, {5, 4}}, {1, {5}}}, .low = -1, .high = 1},
    {.in = {{2, {3, 4}}, {2, {5, 3}}, {1, {5}}}, .error = "inner sizes 4 and 3 differ"},
};

const rv_op rv_op_linear = {.name = "linear",
                            .args = "x w b",
                            .formula = "y[n,u] = sum_i x[n,i] w[u,i] + b[u]",
                            .doc = "a fully connected layer, w [units,inputs], b [units]",
                            .kind = RV_OP_COMPOSITE,
                            .inputs = 3,
                            .reference = linear_reference,
                            .call = call_linear,
                            .polynomial = true,
                            RV_SAMPLES(linear_samples)};
