/* An experiment's programs at work: an epoch of updates, and measuring. Programs are recorded anew
 * each time; the store knows the equal ones again, so that each is compiled once. */
#ifndef RECURVE_TOOLS_LEARNING_H
#define RECURVE_TOOLS_LEARNING_H

#include "tools/classes.h"
#include "tools/settings.h"

/* Called after each update with the number of images seen in this epoch. */
typedef void (*on_progress)(void *context, int64_t seen);

typedef struct epoch_plan {
    int64_t epoch, batch; /* from 1; images per update */
    uint64_t seed;
    on_progress progress; /* may be NULL */
    void *context;
    double seconds; /* grows by what the updates take, without recording and compiling */
} epoch_plan;

/* A program for batches of one size, to be freed by rv_program_free. Its outputs are the cost and the
 * logits; when it learns, a run is an update too. */
typedef struct batch_program {
    rv_program *program;
    rv_tensor *x, *y; /* images [n,c,h,w]; targets [n,1] of 0 or 1, or [n] labels */
} batch_program;

bool batch_program_make(batch_program *b, const experiment *e, rv_store *store, int64_t n,
                        bool learn, rv_error *error);

/* The floating-point operations of all products of an update by n images. */
bool count_products(const experiment *e, rv_store *store, int64_t n, double *operations,
                    rv_error *error);

/* One pass over the training images, shuffled by (seed, epoch): full batches, and one smaller batch
 * of what is left. An error when a cost is not finite. */
bool learn_epoch(const experiment *e, rv_store *store, epoch_plan *plan, rv_error *error);

typedef struct measurement {
    int64_t images, correct;
    double cost, accuracy;             /* means over the images */
    int64_t confusion[DIGITS][DIGITS]; /* [label][answer] */
} measurement;

/* What the parameters in the store make of the images. */
bool measure(const experiment *e, rv_store *store, const rv_dataset *images, measurement *m,
             rv_error *error);

/* Makes the model's parameters in the store, so that a checkpoint can be held against them. */
bool make_parameters(const experiment *e, rv_store *store, rv_error *error);

#endif
