/* Draws a tape with Graphviz. */
#ifndef RV_EXPORT_DOT_H
#define RV_EXPORT_DOT_H

#include "../autograd/tape.h"
#include "../tensor/memory.h" /* rv_free */

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the DOT text of all nodes that the outputs and assignments depend on, with one colour per
 * phase (rv_phase_of). The caller frees it with rv_free. NULL when out of memory. */
char *rv_dot(const rv_tape *tape, const rv_var *outputs, int count);

#ifdef __cplusplus
}
#endif

#endif
