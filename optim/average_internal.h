/* Averages of the weights. */
#ifndef RV_OPTIM_AVERAGE_INTERNAL_H
#define RV_OPTIM_AVERAGE_INTERNAL_H

#include "optim/optim.h"

/* a' = k a + (1 - k) next, with k the optimizer's `average`; a' = next at the first update. */
void rv_record_average(const rv_update *u, rv_var next);

#endif
