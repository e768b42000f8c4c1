/* What a sweep minimizes or maximizes: a column of a run's learning curve, at its best epoch. */
#ifndef RV_TOOLS_SWEEP_OBJECTIVE_H
#define RV_TOOLS_SWEEP_OBJECTIVE_H

#include "recurve.h"

typedef struct objective {
    const char *name; /* as in log.csv */
    bool greatest;    /* the greatest value is the best; else the least */
    size_t offset;    /* in rv_epoch */
} objective;

/* NULL and an error that suggests a name when there is none. */
const objective *objective_find(const char *name, rv_error *error);

/* The best value of the curve, and its epoch; NAN and 0 if it has none, such as the accuracy of numbers. */
double objective_best(const objective *o, const rv_train_result *result, int64_t *epoch);

#endif
