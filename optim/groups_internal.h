/* Parameter groups and their learning rates, which are states of the store. */
#ifndef RV_OPTIM_GROUPS_INTERNAL_H
#define RV_OPTIM_GROUPS_INTERNAL_H

#include "optim/optim.h"
#include "tensor/store.h"

/* The first group whose pattern matches the parameter's name, or -1. */
int rv_group_of(const rv_optimizer *o, const char *parameter);

/* Whether each group has a parameter among w; if not, an error on the tape: the pattern is
 * misspelled. */
bool rv_groups_check(rv_tape *tape, const rv_optimizer *o, const rv_var *w, int count);

/* The parameter's learning rate [], before the schedule's factor. */
rv_var rv_learning_rate(rv_tape *tape, const rv_optimizer *o, const char *parameter);
bool rv_is_learning_rate(const rv_entry *entry);

#endif
