/* Differentiation in reverse and forward mode. Gradients are recorded as ordinary ops on the same
 * tape, so they can be differentiated again, to any order. */
#ifndef RV_AUTOGRAD_GRADIENT_H
#define RV_AUTOGRAD_GRADIENT_H

#include <stdbool.h>

#include "tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Records gradient[i] = d y / d wrt[i] for a y of one element. wrt may be any values of the tape,
 * not only leaves. The gradient is zeros where y does not depend on wrt[i]. Returns false, with
 * null vars, on error: y has more than one element, or an op between wrt and y has no gradient
 * rule. */
bool rv_gradient(rv_var y, const rv_var *wrt, int count, rv_var *gradient);

/* The vector-Jacobian product gradient[i] = (d y / d wrt[i])' dy. The cotangent dy has the type of
 * y. */
bool rv_vjp(rv_var y, rv_var dy, const rv_var *wrt, int count, rv_var *gradient);

/* The Jacobian-vector product sum_i (d y / d wrt[i]) v[i]: the derivative of y in the direction v,
 * with the type of y. v[i] has the type of wrt[i]. Null var on error. */
rv_var rv_jvp(rv_var y, const rv_var *wrt, const rv_var *v, int count);

/* The Hessian-vector product product[i] = sum_k (d^2 y / d wrt[i] d wrt[k]) v[k] for a y of one
 * element. v[i] and product[i] have the type of wrt[i]. */
bool rv_hvp(rv_var y, const rv_var *wrt, const rv_var *v, int count, rv_var *product);

/* Finds the parameters that y depends on, in the order of recording, and writes the first `most` of
 * them to found, which may be NULL if most is 0. Returns their total number, or -1 with a sticky
 * error. */
int rv_parameters(rv_var y, rv_var *found, int most);

/* y = x. Gradients treat y as a constant. */
rv_var rv_stop_gradient(rv_var x);
extern const rv_op rv_op_stop_gradient;

#ifdef __cplusplus
}
#endif

#endif
