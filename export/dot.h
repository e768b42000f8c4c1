/* A drawing of a tape for Graphviz. */
#ifndef RV_EXPORT_DOT_H
#define RV_EXPORT_DOT_H

#include "autograd/tape.h"
#include "tensor/memory.h" /* rv_free */

#ifdef __cplusplus
extern "C" {
#endif

/* The DOT text of all nodes that the outputs and assignments need; forward nodes, gradients
 * and updates (rv_phase_of) in colours of their own. rv_free it afterwards. NULL when out of memory. */
char *rv_dot(const rv_tape *tape, const rv_var *outputs, int count);

#ifdef __cplusplus
}
#endif

#endif
