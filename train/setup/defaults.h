/* Defaults of the optimizer, the net and the loop, by model and data. Not part of the public
 * interface. */
#ifndef RV_TRAIN_SETUP_DEFAULTS_H
#define RV_TRAIN_SETUP_DEFAULTS_H

#include "lang/zoo.h"
#include "optim/optim.h"

typedef struct rv_defaults {
    rv_optimizer optimizer;
    int64_t layers, units, head_units, epochs, batch_size;
    double clip_norm;
} rv_defaults;

/* The name of the built-in model that a model is, or is a variant of. */
const char *rv_defaults_name(const rv_model *model);

/* Defaults of a model on a task with so many classes. The task of a file is "text" or "file". */
rv_defaults rv_defaults_for(const rv_model *model, const char *task, int64_t classes);

#endif
