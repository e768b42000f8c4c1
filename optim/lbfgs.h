/* L-BFGS: minimizes a loss to high precision on all data at once. A driver on the host around a
 * compiled program, not an update on the tape: how many evaluations an iteration takes depends on
 * their values. Liu and Nocedal 1989; Nocedal and Wright, "Numerical Optimization", 2006, algorithms
 * 7.4 and 7.5, with a line search for the strong Wolfe conditions, 3.5 and 3.6. */
#ifndef RV_OPTIM_LBFGS_H
#define RV_OPTIM_LBFGS_H

#include <stdbool.h>

#include "autograd/program.h"
#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero means the default, in every field. */
typedef struct rv_lbfgs_options {
    int history;               /* pairs of steps that stand for the curvature: 10 */
    int iterations;            /* at most: 200 */
    double gradient_tolerance; /* done when no |element| is larger: sqrt of the dtype's epsilon */
    double loss_tolerance; /* done when an iteration gains no more than this share of |loss|: off */
    /* Gives the program's inputs their values, once, before the first run; false stops with an error. */
    bool (*fill)(rv_program *program, void *context);
    void *context;
} rv_lbfgs_options;

typedef enum rv_lbfgs_reason {
    RV_LBFGS_FAILED = 0,      /* the error is on the tape */
    RV_LBFGS_GRADIENT = 1,    /* converged: the gradient is within its tolerance */
    RV_LBFGS_LOSS = 2,        /* converged: the loss is within its tolerance */
    RV_LBFGS_ITERATIONS = 3,  /* all used up */
    RV_LBFGS_LINE_SEARCH = 4, /* no lower loss along the gradient: rounding lets it go no further */
} rv_lbfgs_reason;

typedef struct rv_lbfgs_result {
    rv_lbfgs_reason reason;
    int iterations, evaluations;
    double loss, gradient; /* at the end; the largest |element| of the gradient */
} rv_lbfgs_result;

/* Moves the store's parameters that the loss [] depends on to a minimum nearby; but for its rounding
 * the loss never ends higher. Options may be NULL. Assignments on the tape are not carried out.
 * Reckons in f64 for any dtype; memory: 2 history + 5 times the parameters. False on error, kept on
 * the tape, the parameters as they were: RV_ERROR_ARGUMENT for an option out of range, for a loss
 * without parameters or one that is not finite at the start. *result (may be NULL) is always filled. */
bool rv_lbfgs(rv_var loss, const rv_lbfgs_options *options, rv_lbfgs_result *result);

#ifdef __cplusplus
}
#endif

#endif
