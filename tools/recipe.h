/* How a model is trained on some data unless the user says otherwise. */
#ifndef RECURVE_TOOLS_RECIPE_H
#define RECURVE_TOOLS_RECIPE_H

#include "recurve.h"

typedef struct recipe {
    rv_optimizer optimizer;
    int64_t layers, units, hidden, epochs, batch;
    double clip_norm;
} recipe;

/* For this model on this task ("text" and "file" for files), with so many classes. */
recipe recipe_for(const rv_model *model, const char *task, int64_t classes);

#endif
