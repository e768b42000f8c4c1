/* How well a net does on data. */
#ifndef RV_TRAIN_METRICS_H
#define RV_TRAIN_METRICS_H

#include "train/setup.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RV_CONFUSION_CLASSES = 32 };

typedef struct rv_metrics {
    int64_t samples;
    int64_t answers; /* samples, or all their time steps */
    int64_t correct; /* answers that are the label */
    double loss;     /* mean over the answers */
    double accuracy; /* correct / answers; 0 for numbers */
    double error;    /* mean squared error of numbers; 0 for labels */
    /* [label][answer]: how often, for data of at most so many classes. */
    int64_t confusion[RV_CONFUSION_CLASSES][RV_CONFUSION_CLASSES];
} rv_metrics;

/* Measures the parameters in the store, or their averages, on a source like that of the setup, in batches of so many samples.
 * RV_ERROR_NUMBER when the loss is not finite. */
bool rv_measure(const rv_setup *setup, rv_store *store, const rv_source *data, int64_t batch_size,
                rv_metrics *metrics, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
