/* Composites: recipes that record other ops. They need no kernel and no gradient rule, and are proved
 * like every op: against a reference in plain loops, and their gradients against differences. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ops/descriptors.h"
#include "ops/index.h"
#include "ops/ops.h"

/* ---- mean ---- */

rv_var rv_mean(rv_var x, unsigned axes, bool keep)
{
    rv_var sum = rv_sum(x, axes, keep);
    if (rv_is_null(sum)) return sum;
    return rv_scale(sum, (double)rv_shape_count(rv_shape_of(sum)) /
                             (double)rv_shape_count(rv_shape_of(x)));
}

static rv_var build_mean(const rv_var *x, const void *attr)
{
    (void)attr;
    return rv_mean(x[0], RV_LAST_AXIS, false);
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
    {.in = {{2, {3, 5}}}, .low = -2, .high = 2},
    {.in = {{1, {7}}}, .low = -2, .high = 2},
};

const rv_op rv_op_mean = {.name = "mean",
                          .args = "x",
                          .formula = "y = sum(x) / n over the axes",
                          .doc = "the average over axes",
                          .kind = RV_OP_COMPOSITE,
                          .inputs = 1,
                          .reference = mean_reference,
                          .build = build_mean,
                          .linear = 1,
                          .linear_jointly = true,
                          .polynomial = true,
                          RV_SAMPLES(mean_samples)};

/* ---- lerp ---- */

rv_var rv_lerp(rv_var start, rv_var end, rv_var weight)
{
    return rv_add(start, rv_multiply(weight, rv_subtract(end, start)));
}

static rv_var build_lerp(const rv_var *x, const void *attr)
{
    (void)attr;
    return rv_lerp(x[0], x[1], x[2]);
}

static void lerp_reference(const rv_call *c)
{
    for (int64_t i = 0; i < rv_shape_count(c->out_type.shape); i++)
        rv_result(c, i,
                  (1 - rv_operand(c, 2, i)) * rv_operand(c, 0, i) +
                      rv_operand(c, 2, i) * rv_operand(c, 1, i));
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
                          .build = build_lerp,
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
        snprintf(full, sizeof full, "%s/%s", name, k ? "bias" : "weight");
        parameter[k] =
            rv_parameter(x.tape, full, k ? RV_SHAPE(units) : RV_SHAPE(units, shape.dim[1]), init);
    }
    return affine(x, parameter[0], parameter[1]);
}

static rv_var build_linear(const rv_var *x, const void *attr)
{
    (void)attr;
    return affine(x[0], x[1], x[2]);
}

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
                            .build = build_linear,
                            .polynomial = true,
                            RV_SAMPLES(linear_samples)};
