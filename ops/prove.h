/* The proof of an op of one's own: what the library demands of its ops. */
#ifndef RV_OPS_PROVE_H
#define RV_OPS_PROVE_H

#include <stdbool.h>

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs the op on each of its samples: in f32 and f64 the kernel, cut into parts where it lets
 * itself be cut, against the reference; first and second derivatives against central
 * differences; of a sample with an `error` that recording fails with these words. A composite is
 * recorded by its `call`, which no other op needs here. False with the first thing that is wrong:
 * RV_ERROR_GRADIENT for a derivative, RV_ERROR_ARGUMENT for anything else. */
bool rv_prove_op(const rv_op *op, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
