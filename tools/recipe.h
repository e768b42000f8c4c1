/* How a model is trained unless the user says otherwise. */
#ifndef RECURVE_TOOLS_RECIPE_H
#define RECURVE_TOOLS_RECIPE_H

#include "recurve.h"

typedef struct recipe {
    double pixel_scale; /* pixels 0..16 are multiplied by this */
    rv_optimizer optimizer;
    int64_t units, hidden, epochs, batch;
} recipe;

/* Of this model on so many classes; a model without a recipe of its own gets the common one. */
recipe recipe_for(const rv_model *model, int classes);

#endif
