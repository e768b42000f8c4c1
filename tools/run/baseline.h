/* What data give an answer without skill, to hold a net's against. */
#ifndef RV_TOOLS_RUN_BASELINE_H
#define RV_TOOLS_RUN_BASELINE_H

#include "recurve.h"

typedef struct baseline {
    const char *text; /* which answer: the most frequent label, say */
    double accuracy;  /* of the most frequent label */
    double cost;      /* cross-entropy of the labels' frequencies; mean squared error of numbers */
} baseline;

/* Over all samples. Where y is x one step later (frames of a film), the last x is an answer too. */
bool baseline_find(const rv_source *data, baseline *b, rv_error *error);

#endif
