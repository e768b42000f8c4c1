/* The answer that ignores x: what the loss and accuracy of a net are held against. */
#ifndef RV_TRAIN_BASELINE_H
#define RV_TRAIN_BASELINE_H

#include "data/source.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_baseline {
    const char *text; /* which answer: "the most frequent label", say */
    double accuracy;  /* of the most frequent label */
    double loss;      /* cross-entropy of the labels' frequencies; mean squared error of numbers */
} rv_baseline;

/* Over all samples of the source. Where y is x one step later (frames of a film), the last x is a candidate too. */
bool rv_baseline_find(const rv_source *data, rv_baseline *baseline, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
