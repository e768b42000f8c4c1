/* Reverse-mode differentiation: gradients are recorded as ordinary ops on the same tape, so they can
 * be differentiated again, to any order. */
#ifndef RV_AUTOGRAD_GRADIENT_H
#define RV_AUTOGRAD_GRADIENT_H

#include <stdbool.h>

#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* gradient[i] = d y / d wrt[i] for a y of one element; zeros where y does not depend on wrt[i], which
 * may be any values of the tape, not only leaves. False (and null vars) on error: y has more than
 * one element, or an op on the way has no gradient rule. */
bool rv_gradient(rv_var y, const rv_var *wrt, int count, rv_var *gradient);

/* The same from a given cotangent of y's type: gradient[i] = (d y / d wrt[i])' dy. */
bool rv_vjp(rv_var y, rv_var dy, const rv_var *wrt, int count, rv_var *gradient);

/* The parameters that y depends on, in the order in which they were recorded: the first `most` of them into
 * found (NULL, 0: none). Returns how many there are; -1 with a sticky error. */
int rv_parameters(rv_var y, rv_var *found, int most);

/* x, taken as a constant by gradients. */
rv_var rv_stop_gradient(rv_var x);
extern const rv_op rv_op_stop_gradient;

#ifdef __cplusplus
}
#endif

#endif
