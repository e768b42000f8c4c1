/* The gradient checker: compares every element of a recorded gradient with central differences. */
#ifndef RV_AUTOGRAD_GRADCHECK_H
#define RV_AUTOGRAD_GRADCHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "tape.h"
#include "../tensor/safetensors.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_gradcheck_options {
    double tolerance; /* largest relative error that passes; 0: 1e-7, on an f32 tape 1e-2 */
    /* Step of the difference, relative to max(1, |x|). 0: 1e-3, and a quarter of that if the check
     * fails; on an f32 tape 3e-2. */
    double step;
    uint64_t seed; /* for the random inputs */
    /* Values for the tape's inputs. Floating-point inputs without one are uniform in -1..1. */
    const rv_named_tensor *inputs;
    int input_count;
} rv_gradcheck_options;

/* The result for one gradient. */
typedef struct rv_gradcheck_result {
    const char *name; /* of the leaf; owned by the tape */
    bool ok;
    int64_t index;            /* of the worst element, row-major */
    double analytic, numeric; /* at index */
    /* |a - n| / max(|a|, |n|, 1e-3 max |n|, floor) at index. The floor, 1e-5 max(1, |loss|), allows
     * for rounding in the differences. */
    double max_relative_error;
    double cosine, ratio; /* of the two gradients as vectors; both 1 for a correct gradient */
    const char *reason;   /* one line: "ok", or the likely mistake */
    const char *warning;  /* NULL, or why the result is weak evidence */
} rv_gradcheck_result;

/* Checks d loss / d wrt[i] and writes result[i]. The loss has one element; wrt are inputs,
 * parameters or states of its tape. With wrt NULL, checks all parameters that the loss depends on
 * and writes the worst result to *result (unless NULL). The reference is the five-point central
 * difference
 *     (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h.
 * Records the gradients on the tape. Leaves parameters unchanged and carries out no assignments.
 * Returns false when a check could not be made (rv_tape_error says why) or a gradient is wrong
 * (rv_tape_error is RV_OK). */
bool rv_gradcheck(rv_var loss, const rv_var *wrt, int count, const rv_gradcheck_options *options,
                  rv_gradcheck_result *result);

/* The difference between a gradient and the correct one of the same shape. */
typedef struct rv_difference {
    int64_t index; /* of the worst element, row-major */
    /* |a - b| / max(|a|, |b|, 1e-3 max |b|, floor) at index; infinity for NaN. */
    double max_relative_error;
    double cosine, ratio; /* of a and b as vectors, and |a| / |b|; both 1 for a correct gradient */
    double norm, right_norm;
} rv_difference;
rv_difference rv_gradient_difference(const rv_tensor *gradient, const rv_tensor *right,
                                     double floor);

/* The likely mistake, in one line, from the two gradients as vectors: "wrong sign". */
const char *rv_difference_text(const rv_difference *difference);

#ifdef __cplusplus
}
#endif

#endif
