/* Numbers that go wrong: the op that first makes NaN or infinity of numbers that are neither. */
#ifndef RV_AUTOGRAD_ANOMALY_H
#define RV_AUTOGRAD_ANOMALY_H

#include "autograd/program.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RV_ANOMALY_INPUTS = 4 };

typedef struct rv_anomaly {
    const rv_tape *tape; /* the program's own */
    int32_t node;        /* an op, whose scope tells the time step and the gradient; or a leaf */
    rv_extent out;       /* of its value */
    rv_extent in[RV_ANOMALY_INPUTS]; /* of its inputs, the first of them */
} rv_anomaly;

/* rv_run for a program compiled with RV_CHECKED, with a look at each value: at inputs and parameters, then at what each op
 * makes. At the first NaN that is made without one, or infinity of finite numbers, it ends with RV_ERROR_NUMBER: the error
 * says which op, where on the tape and of what, and *found (unless NULL) says it to programs. No assignment is carried
 * out then: the store is as it was. Nothing is simplified away: 0 times infinity is NaN here. RV_ERROR_ARGUMENT for a
 * program compiled otherwise, RV_ERROR_BUSY as in rv_run. */
rv_code rv_run_checked(rv_program *program, rv_anomaly *found, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
