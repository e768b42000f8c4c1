/* How a model is trained on some data unless the user says otherwise. */
#ifndef RV_TOOLS_RUN_RECIPE_H
#define RV_TOOLS_RUN_RECIPE_H

#include "recurve.h"

typedef struct recipe {
    rv_optimizer optimizer;
    int64_t layers, units, hidden, epochs, batch;
    double clip_norm;
} recipe;

/* The model's name as the built-in ones have it, of which a text may have a variant. */
const char *recipe_name(const rv_model *model);

/* For this model on this task ("text" and "file" for files), with so many classes. */
recipe recipe_for(const rv_model *model, const char *task, int64_t classes);

#endif
