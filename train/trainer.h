/* Training: epochs of updates, validation after each, early stopping, the best parameters, checkpoints, and runs that
 * resume bit for bit. A trainer prints nothing, catches no signal and shares nothing with others: one thread at a time may
 * use one.
 *
 *     rv_train_config config = rv_train_config_new();
 *     config.loop.output = "/tmp/digits";
 *     rv_trainer *trainer = rv_trainer_new(&config, &error);
 *     if (trainer && rv_trainer_fit(trainer, &error))
 *         printf("accuracy %g\n", rv_trainer_result(trainer)->validation.accuracy);
 *     rv_trainer_free(trainer);
 */
#ifndef RV_TRAIN_TRAINER_H
#define RV_TRAIN_TRAINER_H

#include "train/baseline.h"
#include "train/metrics.h"
#include "train/setup.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_trainer rv_trainer;

/* ---- what came of a run ---- */

/* An epoch that is done. */
typedef struct rv_epoch {
    int64_t epoch; /* from 1 */
    double loss;   /* mean over the epoch's updates */
    double validation_loss;
    double validation_accuracy; /* NaN for numbers */
    double validation_error;    /* mean squared error of numbers; NaN for labels */
    double seconds;             /* of all updates so far */
} rv_epoch;

/* Where a run is, between two updates. */
typedef struct rv_run_state {
    int64_t epoch;   /* of the next update, from 1 */
    int64_t batch;   /* of the next update in its epoch, from 0 */
    int64_t seen;    /* samples of this epoch so far, */
    double loss_sum; /* and the sum of their losses */
    int64_t learned; /* samples of all updates, */
    double seconds;  /* and what these took, without recording and compiling */
    size_t bytes;    /* the largest arena of a program */
} rv_run_state;

typedef struct rv_train_result {
    const rv_epoch *history; /* [epochs], the trainer's */
    int64_t epochs;          /* done */
    int64_t best_epoch;      /* that with the least validation loss; 0: none yet */
    rv_run_state at;         /* where the run is */
    rv_run_state saved;      /* where its checkpoint is; epoch 0: there is none */
    bool interrupted;        /* an observer ended rv_trainer_fit early */
    bool diverged;           /* a loss was not finite, which is the error of rv_trainer_fit */
    /* The rest is known when rv_trainer_fit has come to its end. */
    rv_metrics training, validation; /* training: of at most RV_TRAINING_SAMPLE samples */
    rv_baseline baseline;            /* on the validation samples */
    double samples_per_second;
    char digest[RV_DIGEST_TEXT]; /* of the parameters: rv_store_digest */
} rv_train_result;

/* ---- making one ---- */

/* Opens the data and makes net, optimizer and store. The configuration is copied. NULL on failure: error texts name the
 * option, as for rv_setup_make. */
rv_trainer *rv_trainer_new(const rv_train_config *config, rv_error *error);

/* The same with parts of your own, which the trainer uses until it is freed. */
rv_trainer *rv_trainer_new_with(const rv_train_config *config, const rv_train_parts *parts,
                                rv_error *error);

void rv_trainer_free(rv_trainer *trainer); /* NULL is fine */

/* Called by rv_trainer_fit in its thread; false interrupts the run there. on_update: after each update. on_epoch: when an epoch
 * is measured and, if it is time, saved. NULL: not wanted. */
typedef struct rv_observer {
    bool (*on_update)(void *context, const rv_trainer *trainer);
    bool (*on_epoch)(void *context, const rv_trainer *trainer);
    void *context;
} rv_observer;

enum { RV_OBSERVERS = 8 };

/* Adds an observer; RV_ERROR_ARGUMENT when there are RV_OBSERVERS already. */
bool rv_trainer_observe(rv_trainer *trainer, rv_observer observer, rv_error *error);

/* ---- training ---- */

/* Trains until the configured number of epochs is done or, with patience, no longer improves, and measures the result. A run
 * that was interrupted goes on. With an output folder the run is kept there: config.json and log.csv from the beginning,
 * checkpoint.safetensors from time to time, at every interruption and at the end, best.safetensors (the parameters with the
 * least validation loss). Each file is written whole or not at all. RV_ERROR_NUMBER: it diverged; RV_ERROR_IO. */
bool rv_trainer_fit(rv_trainer *trainer, rv_error *error);

/* Takes up the run that the output folder holds, at its checkpoint or, if that is damaged, at the previous one: *skipped, if
 * not NULL, then says why. The trainer is made from the run's configuration, with at least as many epochs. RV_ERROR_IO:
 * there is no such checkpoint. On failure the trainer is as it was. */
bool rv_trainer_resume(rv_trainer *trainer, rv_error *skipped, rv_error *error);

/* Saves a checkpoint in the output folder, now. RV_ERROR_ARGUMENT without an output folder. */
bool rv_trainer_save(rv_trainer *trainer, rv_error *error);

/* Loads the parameters of a checkpoint, all of them and no others. */
bool rv_trainer_load(rv_trainer *trainer, const char *path, rv_error *error);

/* Measures the net on a source like the training data. */
bool rv_trainer_evaluate(rv_trainer *trainer, const rv_source *data, rv_metrics *metrics,
                         rv_error *error);

/* ---- looking inside ---- */

const rv_train_result *rv_trainer_result(const rv_trainer *trainer);
const rv_train_config *rv_trainer_config(const rv_trainer *trainer); /* nothing is unset */
const rv_setup *rv_trainer_setup(const rv_trainer *trainer);         /* data, net, optimizer */
rv_store *rv_trainer_store(const rv_trainer *trainer);

/* Reads the configuration of the run that a folder holds: its config.json or, if that is damaged, its checkpoint's. */
bool rv_train_config_of_run(rv_train_config *config, const char *folder, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
