/* The gradient checker: every element of a recorded gradient against central differences. */
#ifndef RV_AUTOGRAD_GRADCHECK_H
#define RV_AUTOGRAD_GRADCHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "autograd/tape.h"
#include "tensor/safetensors.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_gradcheck_options {
    double tolerance; /* largest relative error that passes; 0: 1e-7, on an f32 tape 1e-2 */
    double
        step; /* of the difference, relative to max(1, |x|); 0: 1e-3, and a quarter of that where it
                         fails; on an f32 tape 3e-2 */
    uint64_t seed;                 /* of the values of inputs that are not given */
    const rv_named_tensor *inputs; /* values of the tape's inputs; the rest are uniform in -1..1 */
    int input_count;
} rv_gradcheck_options;

/* The verdict on one gradient. `index` is the worst element, row-major. */
typedef struct rv_gradcheck_result {
    const char *name; /* of the leaf, owned by the tape */
    bool ok;
    int64_t index;
    double analytic, numeric; /* at index */
    double
        max_relative_error; /* the worst element's |a - n| / max(|a|, |n|, 1e-3 max |n|, floor); the floor
                                   is what rounding in the differences allows: 1e-5 max(1, |loss|) */
    double cosine, ratio; /* of the two gradients as vectors: 1 and 1 when right */
    const char *reason;   /* one line: "ok", or what the numbers say is wrong */
    const char *warning;  /* NULL, or why the verdict says little */
} rv_gradcheck_result;

/* Checks d loss / d wrt[i] into result[i]; wrt are inputs, parameters or states of loss's tape, and
 * loss has one element. wrt NULL: all parameters that the loss depends on; *result (NULL: not wanted) is
 * then the worst one's. The numeric side is the five-point central difference
 * (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h. Extends the tape by the gradients; parameters are
 * left as they were, assignments are not carried out. False when a check could not be made (then
 * rv_tape_error says why) or a gradient is wrong (then rv_tape_error is RV_OK). */
bool rv_gradcheck(rv_var loss, const rv_var *wrt, int count, const rv_gradcheck_options *options,
                  rv_gradcheck_result *result);

/* How a gradient differs from the right one of the same shape. */
typedef struct rv_difference {
    int64_t index; /* of the worst element, row-major */
    double
        max_relative_error; /* its |a - b| / max(|a|, |b|, 1e-3 max |b|, floor); infinite for a NaN */
    double cosine, ratio;   /* of the two as vectors, and |a| / |b|: 1 and 1 when right */
    double norm, right_norm;
} rv_difference;
rv_difference rv_gradient_difference(const rv_tensor *gradient, const rv_tensor *right,
                                     double floor);

/* What the two as vectors say, in one line: "wrong sign". */
const char *rv_difference_text(const rv_difference *difference);

#ifdef __cplusplus
}
#endif

#endif
