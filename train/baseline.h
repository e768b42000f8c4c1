/* The best answer without a net, such as the most frequent label: what a net has to beat. */
#ifndef RV_TRAIN_BASELINE_H
#define RV_TRAIN_BASELINE_H

#include "../data/source.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_baseline {
    const char *text; /* names the answer, such as "the most frequent label"; static */
    double accuracy;  /* of the most frequent label */
    double loss;      /* cross-entropy of the labels' frequencies; mean squared error of numbers */
} rv_baseline;

/* Reads all samples of the source. For films, where y is the next frame, repeating the last frame
 * is a candidate too. */
bool rv_baseline_find(const rv_source *data, rv_baseline *baseline, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
