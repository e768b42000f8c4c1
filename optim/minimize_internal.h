/* The two halves of rv_minimize, for gradients that are summed between them. */
#ifndef RV_OPTIM_MINIMIZE_INTERNAL_H
#define RV_OPTIM_MINIMIZE_INTERNAL_H

#include "optim/optim.h"

/* The parameters [count] of the loss that the optimizer updates, sorted by name, and their
 * gradients *g. Free both with rv_free. NULL on error, which is on the tape; *count is then 0. */
rv_var *rv_minimize_gradients(rv_var loss, const rv_optimizer *o, rv_var **g, int *count);

/* Records the update of the parameters w by the gradients g, which it overwrites. Errors are on the
 * tape, which must have none before. */
void rv_minimize_update(const rv_optimizer *o, const rv_var *w, rv_var *g, int count);

#endif
