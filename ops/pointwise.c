/* The pointwise ops: everything about them is in the rows of pointwise.def. Operands of different
 * shape are broadcast here, by recorded broadcasts, so that kernels and gradients see one shape. */
#include <math.h>

#include "ops/index_internal.h"
#include "ops/kernels/kernels.h"
#include "ops/ops.h"
#include "ops/options.h"

/* ---- shape rule ---- */

static bool infer(rv_inference *i)
{
    if (i->in[0].dtype == RV_I32)
        return rv_fail(i->error, RV_ERROR_DTYPE,
                       "takes f32 or f64, not i32; cast the operands first");
    return rv_infer_same(i);
}

/* ---- reference kernels: the row's value in double precision, by the C library ---- */

#define EXP exp
#define LOG log
#define LOG1P log1p
#define SIGMOID(x) (1 / (1 + EXP(-(x))))
#define TANH tanh
#define ATAN atan
#define SQRT sqrt
#define ABS fabs
#define FLOOR floor
#define ROUND_EVEN rint
#define SIN sin
#define COS cos
#define ERF erf
#define ERFC erfc
#define EXPM1 expm1
#define POWER pow
#define REFERENCE(name, value, OPERANDS) \
    static void name##_reference(const rv_call *c) \
    { \
        rv_tensor out = rv_call_out(c); \
        for (int64_t i = 0; i < rv_tensor_count(&out); i++) { \
            OPERANDS \
            rv_tensor_set(&out, i, value); \
        } \
    }
#define X double x = rv_operand(c, 0, i);
#define XY X double y = rv_operand(c, 1, i);
#define XYZ XY double z = rv_operand(c, 2, i);
#define UNARY(name, formula, doc, value, ...) REFERENCE(name, value, X)
#define BINARY(name, formula, doc, value, ...) REFERENCE(name, value, XY)
#define TERNARY(name, formula, doc, value, ...) REFERENCE(name, value, XYZ)
#include "ops/pointwise.def"
#undef UNARY
#undef BINARY
#undef TERNARY

/* ---- kernels and gradient rules ---- */

#define RV_NO_GRADIENT ((rv_var){b->y.tape, -1})
#define TWO_OVER_SQRT_PI 1.1283791670955126

/* The part of dy that an operand of min or max gets: nothing where it loses, half of it where both
 * are equal, else all of it, also where one is NaN. */
static rv_var part_of(const rv_backward *b, rv_var loses)
{
    rv_var part = rv_select(rv_equal(b->x[0], b->x[1]), rv_scale(b->dy, 0.5), b->dy);
    return rv_select(loses, rv_scalar(b->dy.tape, 0), part);
}

/* p x^(p - 1), and 0 for p = 0 even at x = 0, where x^(p - 1) is infinite. */
static rv_var slope_of_power(rv_var x, rv_var p)
{
    rv_var slope = rv_multiply(p, rv_power(x, rv_shift(p, -1)));
    return rv_select(p, slope, rv_scalar(x.tape, 0));
}

/* ln x for the gradient x^p ln x by p, with a number for ln 0 if p >= 0: the gradient is then 0 at
 * x = 0. */
static rv_var log_of_base(rv_var x, rv_var p)
{
    rv_var not_negative = rv_one_minus(rv_less(p, rv_scalar(p.tape, 0)));
    return rv_log(rv_select(x, x, not_negative));
}

#define RULES(name, gradient) \
    static rv_pointwise_kernel name##_kernel(rv_dtype dtype) \
    { \
        return rv_kernels_for(dtype)->name; \
    } \
    static rv_var name##_gradient(const rv_backward *b, int k) \
    { \
        (void)k; \
        return gradient; \
    }
#define UNARY(name, formula, doc, value, gradient, ...) RULES(name, (gradient))
#define BINARY UNARY
#define TERNARY UNARY
#include "ops/pointwise.def"
#undef UNARY
#undef BINARY
#undef TERNARY

/* ---- calls ---- */

#define CALL(name, ...) \
    static rv_var name##_call(rv_arguments *a) { return rv_##name(__VA_ARGS__); }
#define UNARY(name, ...) CALL(name, a->x[0])
#define BINARY(name, ...) CALL(name, a->x[0], a->x[1])
#define TERNARY(name, ...) CALL(name, a->x[0], a->x[1], a->x[2])
#include "ops/pointwise.def"
#undef UNARY
#undef BINARY
#undef TERNARY

/* ---- samples, descriptors ---- */

#define SAMPLES(name, low_, high_) \
    static const rv_sample name##_samples[] = { \
        {.in = {{2, {3, 5}}, {2, {3, 5}}, {2, {3, 5}}}, .low = low_, .high = high_}, \
        {.in = {{0}, {0}, {0}}, .low = low_, .high = high_}, \
        {.in = {{1, {37}}, {1, {37}}, {1, {37}}}, .low = low_, .high = high_}, \
        {.in = {{1, {4}}, {1, {4}}, {1, {4}}}, .low = 1, .high = 1.5}, \
        {.in = {{1, {3}}, {1, {3}}, {1, {3}}}, \
         .low = 0, \
         .high = 1, \
         .integer = 1, \
         .error = "not i32"}, \
    };
extern const rv_op rv_op_multiply_add; /* accumulates products */

#define DESCRIPTOR(name_, args_, n, formula_, doc_, value_, low_, high_, ...) \
    SAMPLES(name_, low_, high_) \
    const rv_op rv_op_##name_ = {.name = #name_, \
                                 .args = args_, \
                                 .formula = formula_, \
                                 .doc = doc_, \
                                 .inputs = n, \
                                 .infer = infer, \
                                 .reference = name_##_reference, \
                                 .pointwise = name_##_kernel, \
                                 .value = value_, \
                                 .gradient = name_##_gradient, \
                                 .in_place = (1u << n) - 1, \
                                 .call = name_##_call, \
                                 RV_SAMPLES(name_##_samples), \
                                 __VA_ARGS__};
#define UNARY(name, formula, doc, value, gradient, low, high, ...) \
    DESCRIPTOR(name, "x", 1, formula, doc, #value, low, high, __VA_ARGS__)
#define BINARY(name, formula, doc, value, gradient, low, high, ...) \
    DESCRIPTOR(name, "x y", 2, formula, doc, #value, low, high, __VA_ARGS__)
#define TERNARY(name, formula, doc, value, gradient, low, high, ...) \
    DESCRIPTOR(name, "x y z", 3, formula, doc, #value, low, high, __VA_ARGS__)
#include "ops/pointwise.def"
#undef UNARY
#undef BINARY
#undef TERNARY

/* ---- constructors ---- */

/* The shape both broadcast to, by NumPy's rule; false when there is none. */
static bool common_shape(rv_shape a, rv_shape b, rv_shape *common)
{
    if (a.rank < b.rank) {
        rv_shape swap = a;
        a = b;
        b = swap;
    }
    *common = a;
    for (int64_t d = 1; d <= b.rank; d++) {
        int64_t *size = &common->dim[a.rank - d], other = b.dim[b.rank - d];
        if (*size != other && *size != 1 && other != 1) return false;
        if (*size == 1) *size = other;
    }
    return true;
}

/* Records op on operands brought to one shape. What does not broadcast is left to the shape rule,
 * which refuses it with the shapes as they were given. */
static rv_var record(const rv_op *op, const rv_var *x, int inputs)
{
    rv_var same[3];
    rv_shape shape = rv_shape_of(x[0]);
    bool fits = !rv_is_null(x[0]);
    for (int k = 1; k < inputs && fits; k++)
        fits = !rv_is_null(x[k]) && common_shape(shape, rv_shape_of(x[k]), &shape);
    for (int k = 0; k < inputs; k++) same[k] = fits ? rv_broadcast(x[k], shape) : x[k];
    return rv_record(NULL, op, NULL, 0, same, inputs);
}

#define UNARY(name, ...) \
    rv_var rv_##name(rv_var x) { return rv_record(NULL, &rv_op_##name, NULL, 0, &x, 1); }
#define BINARY(name, ...) \
    rv_var rv_##name(rv_var x, rv_var y) { return record(&rv_op_##name, (rv_var[]){x, y}, 2); }
#define TERNARY(name, ...) \
    rv_var rv_##name(rv_var x, rv_var y, rv_var z) \
    { \
        return record(&rv_op_##name, (rv_var[]){x, y, z}, 3); \
    }
#include "ops/pointwise.def"

rv_var rv_add(rv_var x, rv_var y) { return record(&rv_op_add, (rv_var[]){x, y}, 2); }
rv_var rv_scale(rv_var x, double factor) { return rv_multiply(x, rv_scalar(x.tape, factor)); }
rv_var rv_shift(rv_var x, double offset) { return rv_add(x, rv_scalar(x.tape, offset)); }
rv_var rv_one_minus(rv_var x) { return rv_subtract(rv_scalar(x.tape, 1), x); }
