/* The proof of an op: what the library demands of its own ops and of yours. */
#ifndef RV_OPS_PROVE_H
#define RV_OPS_PROVE_H

#include <stdbool.h>

#include "../autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs the op on each of its samples, in f32 and f64:
 * - the kernel, cut into parts where the op allows it, equals the reference; where inputs are NaN,
 *   infinite or subnormal, it hides no NaN and no infinity of the reference;
 * - the first and second derivatives equal central differences;
 * - the Jacobian-vector product is the adjoint of the gradient;
 * - where by_rows holds, rows of y follow the order of rows of the inputs;
 * - a call by name with the sample's options records the node that has its attributes;
 * - recording a sample with an `error` fails with these words.
 * A composite is recorded by its `call`. Returns false with the first mistake: RV_ERROR_GRADIENT
 * for a derivative, RV_ERROR_ARGUMENT for anything else. */
bool rv_prove_op(const rv_op *op, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
