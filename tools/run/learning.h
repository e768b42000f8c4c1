/* An experiment's programs at work: an epoch of updates, and measuring. */
#ifndef RV_TOOLS_RUN_LEARNING_H
#define RV_TOOLS_RUN_LEARNING_H

#include "tools/run/batch_program.h"

/* Where a run is between two updates. */
typedef struct run_place {
    int64_t epoch, batch; /* of the next update: from 1, and its number in the epoch, from 0 */
    int64_t seen;         /* samples of this epoch so far, */
    double cost_sum;      /* and the sum of their costs; not finite when one of them was not */
    int64_t learned;      /* samples of all updates, */
    double seconds;       /* and what these took, without recording and compiling */
    size_t bytes;         /* the largest arena of a program */
} run_place;

/* Called after each update; false ends the epoch here, with an error or without. */
typedef bool (*on_update)(void *context, rv_error *error);

/* The batches of an experiment, in the order of the seed, for rv_loader_free. */
rv_loader *training_loader(const experiment *e, int64_t batch, uint64_t seed, rv_error *error);

/* The updates of an epoch from *at on, which goes along. RV_ERROR_NUMBER when a cost is not finite. */
bool learn_epoch(const experiment *e, rv_store *store, rv_loader *loader, run_place *at,
                 on_update then, void *context, rv_error *error);

enum { MOST_CONFUSED = 32 };

typedef struct measurement {
    int64_t samples, answers, correct; /* answers: samples, or all their steps */
    double cost, accuracy,
        error; /* means: of the loss; of labels right; of the squared error of numbers */
    int64_t confusion[MOST_CONFUSED][MOST_CONFUSED]; /* [label][answer], of so few classes */
} measurement;

/* What the parameters in the store make of the data, in batches of so many samples. RV_ERROR_NUMBER when the cost is not
 * finite. */
bool measure(const experiment *e, rv_store *store, const rv_source *data, int64_t batch,
             measurement *m, rv_error *error);

#endif
