/* The loss and accuracy of a net on data. */
#ifndef RV_TRAIN_METRICS_H
#define RV_TRAIN_METRICS_H

#include "batch_program.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RV_CONFUSION_CLASSES = 32 };

typedef struct rv_metrics {
    int64_t samples;
    int64_t answers; /* samples or, with an answer per step, time steps */
    int64_t correct; /* answers equal to the label */
    double loss;     /* mean over the answers */
    double accuracy; /* correct / answers; 0 for numbers */
    double error; /* of numbers: mean squared error, or the loss of a model that records its own */
    /* [label][answer]: counts. Classes from RV_CONFUSION_CLASSES on are left out. */
    int64_t confusion[RV_CONFUSION_CLASSES][RV_CONFUSION_CLASSES];
} rv_metrics;

/* Measures the parameters in the store, or their averages if the optimizer keeps them, on a source
 * whose samples have the shapes and classes of the setup's data. The two programs, {0} at first,
 * stay for the next call; the caller frees them. RV_ERROR_NUMBER when the loss is not finite. Ranks
 * (setup->collective) share the batches: all of them call it. */
bool rv_measure(const rv_setup *setup, rv_store *store, rv_batch_program two[2],
                const rv_source *data, int64_t batch_size, rv_metrics *metrics, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
