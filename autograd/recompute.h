/* Less memory for more time: stretches of the tape that gradients compute again. */
#ifndef RV_AUTOGRAD_RECOMPUTE_H
#define RV_AUTOGRAD_RECOMPUTE_H

#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is recorded until the matching pop is a segment: a gradient through it does not use its values but
 * computes them again, from those that go into it, once the cotangent of its last value is known. So a program keeps
 * what goes into segments alone from its forward to its backward pass (Griewank and Walther 2000). The operations
 * are the same; a program may merge them differently, which is a matter of rounding. Of segments within each other the outermost counts. */
void rv_recompute_push(rv_tape *tape);
void rv_recompute_pop(rv_tape *tape);

/* y = x, computed only after z: keeps the second computation apart from the first, which is an equal equation. */
rv_var rv_control_dependency(rv_var x, rv_var z);
extern const rv_op rv_op_control_dependency;

#ifdef __cplusplus
}
#endif

#endif
