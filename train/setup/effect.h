/* Options that would change nothing, and are refused. */
#ifndef RV_TRAIN_SETUP_EFFECT_H
#define RV_TRAIN_SETUP_EFFECT_H

#include "train/setup.h"

/* Whether each data option that is set has a meaning for these data. */
bool rv_setup_check_data(const rv_train_config *config, const rv_train_parts *parts,
                         rv_error *error);

/* Chooses the net and the optimizer for s->data, and sets unset options to their defaults (train/setup.c). `own`: an
 * optimizer of the caller's, or NULL. */
bool rv_setup_choose(rv_train_config *config, rv_setup *s, const rv_optimizer *own,
                     rv_error *error);

#endif
