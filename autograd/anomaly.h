/* Finds the op that first produces NaN or infinity from inputs that hold neither. */
#ifndef RV_AUTOGRAD_ANOMALY_H
#define RV_AUTOGRAD_ANOMALY_H

#include "program.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RV_ANOMALY_INPUTS = 4 };

typedef struct rv_anomaly {
    const rv_tape *tape; /* owned by the program */
    int32_t node;        /* the op, or the leaf whose value is not finite; see its origin */
    rv_extent out;       /* of the node's value */
    rv_extent in[RV_ANOMALY_INPUTS]; /* of its first inputs */
} rv_anomaly;

/* Runs a program compiled with RV_CHECKED and checks every value: first the inputs and parameters,
 * then the output of each op. Stops with RV_ERROR_NUMBER at the first op that produces NaN from
 * inputs without NaN, or infinity from finite inputs. The error names the op, its inputs and its
 * scope; *found (unless NULL) holds the same as data. The store is then unchanged, because
 * assignments run last. The program is not simplified, so 0 times infinity is NaN.
 * RV_ERROR_ARGUMENT for a program compiled with other flags; RV_ERROR_BUSY as in rv_run. */
rv_code rv_run_checked(rv_program *program, rv_anomaly *found, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
