/* Options that would change nothing, and are refused. */
#ifndef RV_TRAIN_SETUP_EFFECT_H
#define RV_TRAIN_SETUP_EFFECT_H

#include "train/setup.h"

/* Chooses the net and the optimizer for s->data, and sets unset options to their defaults
 * (train/setup.c). `own`: an optimizer of the caller's, or NULL. */
bool rv_setup_choose(rv_train_config *config, rv_setup *s, const rv_optimizer *own,
                     rv_error *error);

/* The optimizer alone, for s->model. */
bool rv_setup_choose_optimizer(rv_train_config *config, rv_setup *s, const rv_optimizer *own,
                               rv_error *error);

#endif
