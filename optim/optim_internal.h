/* What the files of this folder share. */
#ifndef RV_OPTIM_OPTIM_INTERNAL_H
#define RV_OPTIM_OPTIM_INTERNAL_H

#include "optim/optim.h"

/* check.c: whether the fields make sense; if not, an error on the tape. */
bool rv_check_optimizer(rv_tape *tape, const rv_optimizer *o);

/* gradients.c: what happens to the gradients g[i] of w[i] before rules see them. */
rv_var rv_gradients_accumulate(int runs, const rv_var *w, rv_var *g, int count); /* rv_update.due */
void rv_gradients_clip(const rv_optimizer *o, rv_var *g, int count);

/* average.c: a' = k a + (1 - k) next. */
void rv_record_average(const rv_update *u, rv_var next);

/* optim.c */
/* Those that y depends on, for rv_free; NULL: no memory. In the order of their names, so that a program does not
 * depend on the order in which C evaluates arguments. */
rv_var *rv_parameters_of(rv_var y, int *count);
const char *rv_parameter_name(rv_var w);

#endif
