/* Which values of an optimizer's fields are valid. */
#ifndef RV_OPTIM_CHECK_INTERNAL_H
#define RV_OPTIM_CHECK_INTERNAL_H

#include "optim/optim.h"

/* False, with an error on the tape, if a field is out of range. */
bool rv_check_optimizer(rv_tape *tape, const rv_optimizer *o);

#endif
