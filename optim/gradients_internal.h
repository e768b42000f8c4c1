/* What happens to the gradients g[i] of the parameters w[i] before rules see them. */
#ifndef RV_OPTIM_GRADIENTS_INTERNAL_H
#define RV_OPTIM_GRADIENTS_INTERNAL_H

#include "optim/optim.h"

/* Sums gradients over `runs` runs and replaces g by their mean. Returns rv_update's `due`. */
rv_var rv_gradients_accumulate(int runs, const rv_var *w, rv_var *g, int count);

/* Clips by value, then by norm. */
void rv_gradients_clip(const rv_optimizer *o, rv_var *g, int count);

#endif
