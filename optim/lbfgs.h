/* L-BFGS: minimizes a full-batch loss to high precision. It runs on the host around a compiled
 * program and records no update, as the number of evaluations per iteration depends on their
 * values. Liu and Nocedal 1989; Nocedal and Wright, "Numerical Optimization", 2006, algorithms 7.4
 * and 7.5, with the line search 3.5 and 3.6 for the strong Wolfe conditions. */
#ifndef RV_OPTIM_LBFGS_H
#define RV_OPTIM_LBFGS_H

#include <stdbool.h>

#include "../autograd/program.h"
#include "../autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero means the default, in every field. */
typedef struct rv_lbfgs_options {
    int history;    /* pairs of steps and gradient changes that are kept: 10 */
    int iterations; /* at most: 200 */
    /* Converged if no |element| of the gradient is larger: sqrt of the dtype's epsilon. */
    double gradient_tolerance;
    /* Converged if an iteration gains at most this fraction of |loss|: off. */
    double loss_tolerance;
    /* Feeds the program's inputs once, before the first run; returning false is an error. */
    bool (*fill)(rv_program *program, void *context);
    void *context;
} rv_lbfgs_options;

typedef enum rv_lbfgs_reason {
    RV_LBFGS_FAILED = 0,      /* the error is on the tape */
    RV_LBFGS_GRADIENT = 1,    /* converged: the gradient is within its tolerance */
    RV_LBFGS_LOSS = 2,        /* converged: the loss is within its tolerance */
    RV_LBFGS_ITERATIONS = 3,  /* the limit was reached */
    RV_LBFGS_LINE_SEARCH = 4, /* no lower loss along the gradient, because of rounding */
} rv_lbfgs_reason;

typedef struct rv_lbfgs_result {
    rv_lbfgs_reason reason;
    int iterations, evaluations;
    double loss, gradient; /* at the end; the largest |element| of the gradient */
} rv_lbfgs_result;

/* Moves the parameters that the loss [] depends on to a local minimum; up to rounding the loss
 * never increases. Options may be NULL. Assignments on the tape are not executed. Computes in f64
 * for any dtype; memory: 2 history + 5 times the parameters. On error returns false, leaves the
 * parameters unchanged and the error on the tape: RV_ERROR_ARGUMENT for an option out of range, a
 * loss without parameters or one that is not finite at the start. *result (may be NULL) is always
 * set. */
bool rv_lbfgs(rv_var loss, const rv_lbfgs_options *options, rv_lbfgs_result *result);

#ifdef __cplusplus
}
#endif

#endif
