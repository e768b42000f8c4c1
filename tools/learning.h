/* An experiment's programs at work: an epoch of updates, and measuring. Programs are recorded anew
 * when a batch has another size; the store knows the equal ones again, so that each is compiled once. */
#ifndef RECURVE_TOOLS_LEARNING_H
#define RECURVE_TOOLS_LEARNING_H

#include "tools/experiment.h"

/* The net on the inputs "x", "y" and "length" of n samples, on a tape for rv_tape_free. Unless it learns, nothing is
 * dropped. */
rv_tape *batch_record(const experiment *e, rv_store *store, int64_t n, bool learn, rv_net *net);

/* A program for batches of one size, to be freed by rv_program_free. Its outputs are the cost and the
 * net's; when it learns, a run is an update too. */
typedef struct batch_program {
    int64_t size;
    rv_program *program;
    rv_tensor *x, *y, *length; /* [size,...]; length NULL: all samples are equally long */
} batch_program;

bool batch_program_make(batch_program *b, const experiment *e, rv_store *store, int64_t n,
                        bool learn, rv_error *error);

/* Feeds a batch of its size and runs. */
bool batch_program_run(const batch_program *b, const rv_batch *batch, rv_error *error);

/* The floating-point operations of all products of an update by n samples. */
bool count_products(const experiment *e, rv_store *store, int64_t n, double *operations,
                    rv_error *error);

/* Called after each update with the number of samples seen in this epoch, and the mean cost so far. */
typedef void (*on_progress)(void *context, int64_t seen, double cost);

typedef struct epoch_plan {
    int64_t epoch;        /* from 1 */
    on_progress progress; /* may be NULL */
    void *context;
    double seconds; /* grows by what the updates take, without recording and compiling */
    double cost;    /* gets the mean over the epoch; not finite when one of them was not */
    int64_t seen;   /* gets the samples of the epoch */
    size_t bytes;   /* gets the largest arena of a program */
} epoch_plan;

/* The batches of an experiment, in the order of the seed, for rv_loader_free. */
rv_loader *training_loader(const experiment *e, int64_t batch, uint64_t seed, rv_error *error);

/* One pass over the training data. An error when a cost is not finite. */
bool learn_epoch(const experiment *e, rv_store *store, rv_loader *loader, epoch_plan *plan,
                 rv_error *error);

enum { MOST_CONFUSED = 32 };

typedef struct measurement {
    int64_t samples, answers, correct; /* answers: samples, or all their steps */
    double cost, accuracy,
        error; /* means: of the loss; of labels right; of the squared error of numbers */
    int64_t confusion[MOST_CONFUSED][MOST_CONFUSED]; /* [label][answer], of so few classes */
} measurement;

/* What the parameters in the store make of the data, in batches of so many samples. */
bool measure(const experiment *e, rv_store *store, const rv_source *data, int64_t batch,
             measurement *m, rv_error *error);

/* Makes the model's parameters in the store, so that a checkpoint can be held against them. */
bool make_parameters(const experiment *e, rv_store *store, rv_error *error);

#endif
