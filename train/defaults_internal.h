/* How a model is trained on some data unless the configuration says otherwise. Not part of the public interface. */
#ifndef RV_TRAIN_DEFAULTS_INTERNAL_H
#define RV_TRAIN_DEFAULTS_INTERNAL_H

#include "lang/zoo.h"
#include "optim/optim.h"

typedef struct rv_defaults {
    rv_optimizer optimizer;
    int64_t layers, units, head_units, epochs, batch_size;
    double clip_norm;
} rv_defaults;

/* The name of a built-in model, also for a variant of it read from a file. */
const char *rv_defaults_name(const rv_model *model);

/* For the model on a task ("text" and "file" for files) with so many classes. */
rv_defaults rv_defaults_for(const rv_model *model, const char *task, int64_t classes);

#endif
