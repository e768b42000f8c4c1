/* Recomputation (gradient checkpointing): gradients compute segments of the tape again instead of
 * keeping their values. */
#ifndef RV_AUTOGRAD_RECOMPUTE_H
#define RV_AUTOGRAD_RECOMPUTE_H

#include "tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The nodes recorded until the matching pop are a segment. A gradient through it does not read the
 * segment's values. It computes them again from the segment's inputs, once the cotangent of the
 * segment's last value is known. So a program keeps only the inputs of segments from the forward to
 * the backward pass (Griewank and Walther 2000). The equations are the same, but the compiler may
 * merge them differently, so results may differ by rounding. In nested segments only the outermost
 * counts. */
void rv_recompute_push(rv_tape *tape);
void rv_recompute_pop(rv_tape *tape);

/* y = x, computed after z. Without it, the second computation of a segment would be the same node
 * as the first. */
rv_var rv_control_dependency(rv_var x, rv_var z);
extern const rv_op rv_op_control_dependency;

#ifdef __cplusplus
}
#endif

#endif
