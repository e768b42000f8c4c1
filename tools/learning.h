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

/* The same compiled with flags of yours. */
bool batch_program_make_with(batch_program *b, const experiment *e, rv_store *store, int64_t n,
                             bool learn, unsigned flags, rv_error *error);

/* A program of a tape whose inputs are those, with outputs of yours. */
bool batch_program_compile(batch_program *b, rv_tape *tape, int64_t n, const rv_var *outputs,
                           int count, unsigned flags, rv_error *error);

/* Copies a batch of its size into its inputs; feeds and runs. */
bool batch_program_feed(const batch_program *b, const rv_batch *batch, rv_error *error);
bool batch_program_run(const batch_program *b, const rv_batch *batch, rv_error *error);

/* The floating-point operations of all products of an update by n samples. */
bool count_products(const experiment *e, rv_store *store, int64_t n, double *operations,
                    rv_error *error);

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

/* Makes the model's parameters in the store, so that a checkpoint can be held against them. */
bool make_parameters(const experiment *e, rv_store *store, rv_error *error);

#endif
