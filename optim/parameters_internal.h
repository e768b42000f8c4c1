/* The parameters that a value depends on. */
#ifndef RV_OPTIM_PARAMETERS_INTERNAL_H
#define RV_OPTIM_PARAMETERS_INTERNAL_H

#include "autograd/tape.h"

/* The parameters that y depends on, for rv_free; NULL: out of memory. They are sorted by name, so
 * that a program does not depend on the order in which C evaluates arguments. */
rv_var *rv_parameters_of(rv_var y, int *count);

const char *rv_parameter_name(rv_var w);

#endif
