/* The gradient checker: compares every element of a recorded gradient with central differences. */
#ifndef RV_AUTOGRAD_GRADCHECK_H
#define RV_AUTOGRAD_GRADCHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "tape.h"
#include "../tensor/archive.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a comparison has found, from the best to the worst. */
typedef enum rv_verdict {
    RV_RIGHT,
    RV_UNDECIDED, /* the comparison cannot tell */
    RV_WRONG
} rv_verdict;

const char *rv_verdict_name(rv_verdict verdict); /* "right", "undecided", "wrong" */

enum { RV_GRADCHECK_REASON = 200 };

typedef struct rv_gradcheck_options {
    double tolerance; /* largest relative error that passes; 0: 1e-7, on an f32 tape 1e-2 */
    /* The first step of the differences, relative to max(1, |x|); 0: 1e-3, on an f32 tape 3e-2.
     * Where the gradient does not agree, finer steps follow, down to 6e-8, on an f32 tape
     * 1.4e-3. */
    double step;
    uint64_t seed; /* for the random inputs */
    /* Values for the tape's inputs. Floating-point inputs without one are uniform in -1..1. */
    const rv_named_tensor *inputs;
    int input_count;
    /* Unless NULL, called before each leaf with the amount of numbers that its first differences
     * compute, and before each element with 0 or those of finer steps. False stops the check:
     * RV_ERROR_LIMIT on the tape. */
    bool (*proceed)(void *context, int64_t numbers);
    void *context;
} rv_gradcheck_options;

/* The result for one gradient. */
typedef struct rv_gradcheck_result {
    const char *name; /* of the leaf; owned by the tape */
    rv_verdict verdict;
    int64_t index; /* of the worst element, row-major; of an undecided one, if there is one */
    double analytic, numeric; /* at index */
    /* |a - n| / max(|a|, |n|, 1e-3 max |n|, floor) at index. The floor, 1e-5 max(1, |loss|), allows
     * for rounding in the differences. */
    double max_relative_error;
    double cosine, ratio; /* of the two gradients as vectors; both 1 for a correct gradient */
    bool zero;            /* both gradients are zero here, up to rounding */
    /* One line. Wrong: the likely mistake. Undecided: why. Right: "", or a remark on the
     * evidence. */
    char reason[RV_GRADCHECK_REASON];
} rv_gradcheck_result;

/* Checks d loss / d wrt[i] at one point, given by the inputs and the store, and writes result[i].
 * The loss has one element; wrt are inputs, parameters or states of its tape. With wrt NULL, checks
 * all parameters that the loss depends on and writes the worst result to *result (unless NULL). The
 * reference is the five-point central difference
 *     (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h.
 * Values behind a stop_gradient of the forward pass keep the values that they have at the point,
 * because the gradient treats them as constants.
 *
 * A gradient is right if every element agrees with a difference, or, at a kink, lies between the
 * slopes on both sides. It is wrong if an element does not agree although the loss is smooth there.
 * It is undecided if neither can be said of an element: at a kink or a jump of the loss, where the
 * loss is not finite, or where rounding hides its slope.
 *
 * Records the gradients on the tape. Leaves parameters unchanged and carries out no assignments.
 * Returns true if all are right. If a check could not be made, rv_tape_error says why; else it is
 * RV_OK. */
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
