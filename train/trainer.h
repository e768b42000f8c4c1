/* Training: epochs of updates, validation after each, early stopping, the best parameters,
 * checkpoints, and runs that resume bit for bit. A trainer prints nothing and catches no signal.
 * Different trainers may run in different threads; one thread at a time may use a trainer.
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

#include "baseline.h"
#include "metrics.h"
#include "setup.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_trainer rv_trainer;

/* ---- results ---- */

/* A finished epoch. */
typedef struct rv_epoch {
    int64_t epoch; /* from 1 */
    double loss;   /* mean over the epoch's updates */
    double validation_loss;
    double validation_accuracy; /* 0 to 1; NaN for numbers */
    double validation_error;    /* mean squared error of numbers; NaN for labels */
    double seconds;             /* spent in all updates so far */
} rv_epoch;

/* The progress of a run, between two updates. */
typedef struct rv_run_state {
    int64_t epoch;   /* of the next update, from 1 */
    int64_t batch;   /* of the next update in its epoch, from 0 */
    int64_t seen;    /* samples of this epoch so far */
    double loss_sum; /* over those samples */
    int64_t learned; /* samples of all updates so far */
    double seconds;  /* spent in all updates, without recording and compiling */
    size_t bytes;    /* of the largest arena of a training program */
    double squares;  /* sum of the squared parameters before the first update; NaN: none yet */
} rv_run_state;

typedef struct rv_train_result {
    const rv_epoch *history; /* [epochs]; owned by the trainer, valid until it trains or resumes */
    int64_t epochs;          /* finished */
    int64_t best_epoch;      /* the epoch with the least validation loss; 0: none yet */
    rv_run_state at;         /* now */
    rv_run_state saved;      /* in the checkpoint; epoch 0: none was saved */
    bool interrupted;        /* an observer ended rv_trainer_fit early, on any rank */
    bool diverged;           /* a loss was not finite: rv_trainer_fit failed with RV_ERROR_NUMBER */
    /* No update has changed a parameter, as of the last epoch: for instance, the learning rate is
     * too small for the dtype, or clipping leaves nothing of the gradient. False until two updates
     * are done or the run ends. Changes that do not show in the sum of all squared parameters, in
     * double, do not count. */
    bool unchanged;
    /* The fields below are set when rv_trainer_fit succeeds without an interruption. */
    rv_metrics training, validation; /* training: of at most RV_TRAINING_SAMPLE samples */
    rv_baseline baseline; /* on the validation samples; text NULL: none, the loss is the model's */
    double samples_per_second;
    char digest[RV_DIGEST_TEXT]; /* of the parameters: rv_store_digest */
} rv_train_result;

/* ---- making one ---- */

/* Opens the data and makes the net, the optimizer and the store. Copies the configuration. Free it
 * with rv_trainer_free. NULL on failure: the error names the option. */
rv_trainer *rv_trainer_new(const rv_train_config *config, rv_error *error);

/* The same with parts of your own, which must outlive the trainer. With a collective, the trainers
 * of all ranks train one net: all call rv_trainer_fit, which gives rank 0's run to the others and
 * succeeds or fails on all alike. Only rank 0 has an output folder, reads checkpoints and writes. A
 * wish to stop ends the run after the next update. */
rv_trainer *rv_trainer_new_with(const rv_train_config *config, const rv_train_parts *parts,
                                rv_error *error);

void rv_trainer_free(rv_trainer *trainer); /* accepts NULL */

/* The run that an output folder keeps, as its last checkpoint left it: rv_trainer_fit resumes it,
 * rv_trainer_evaluate measures it, and rv_batch_program_make (train/batch_program.h) makes programs
 * that use its net. `epochs`: the number of epochs to train for in total; 0: as configured. Free it
 * with rv_trainer_free. NULL on failure. The folder may be read-only, and another trainer may be
 * writing into it: only rv_trainer_fit needs it for itself. */
rv_trainer *rv_trainer_open(const char *folder, int64_t epochs, rv_error *error);

/* Functions that rv_trainer_fit calls in its thread; each may be NULL. on_update: after each
 * update. on_epoch: after each epoch, when it has been validated and, if one was due, a checkpoint
 * saved. When a function returns false, the run is interrupted. */
typedef struct rv_observer {
    bool (*on_update)(void *context, const rv_trainer *trainer);
    bool (*on_epoch)(void *context, const rv_trainer *trainer);
    void *context;
} rv_observer;

enum { RV_OBSERVERS = 8 };

/* Adds an observer. RV_ERROR_ARGUMENT when there are RV_OBSERVERS already. */
bool rv_trainer_observe(rv_trainer *trainer, rv_observer observer, rv_error *error);

/* ---- training ---- */

/* Trains for the configured number of epochs, or until the validation loss has not improved for
 * `patience` epochs, and measures the result. Called again after an interruption, it continues the
 * run. With an output folder it writes
 *     config.json                  the configuration, at the start
 *     inputs.json                  where the files of data and of the cell are, and their hashes
 *     log.csv                      a row per epoch, with each checkpoint
 *     checkpoint.safetensors       from time to time, at an interruption and at the end
 *     best.safetensors             the parameters of the best epoch
 *     run.lock                     who is writing, until the trainer is freed
 * Each file is written whole or not at all. RV_ERROR_NUMBER: the run diverged. RV_ERROR_IO: a file
 * cannot be written. RV_ERROR_BUSY: another trainer, of this process or another one, writes into
 * the folder. RV_ERROR_ARGUMENT: the folder holds another run, and `overwrite` is not set. */
bool rv_trainer_fit(rv_trainer *trainer, rv_error *error);

/* Resumes the run in the output folder from its checkpoint; rv_trainer_fit then trains as if there
 * had been no interruption, bit for bit. If the checkpoint is damaged, the previous one is used and
 * *skipped, unless NULL, says what is wrong. The trainer must have the run's configuration
 * (rv_train_config_of_run); only the number of epochs may be larger. RV_ERROR_IO: there is no
 * usable checkpoint. RV_ERROR_BUSY: another trainer writes into the folder. If a file of data or of
 * the cell has changed since the run began, *changed says which; `changed` NULL: that is an
 * RV_ERROR_FORMAT. On failure the trainer is unchanged. */
bool rv_trainer_resume(rv_trainer *trainer, rv_error *skipped, rv_error *changed, rv_error *error);

/* Saves a checkpoint in the output folder. RV_ERROR_ARGUMENT without one. */
bool rv_trainer_save(rv_trainer *trainer, rv_error *error);

/* Loads the parameters of a checkpoint of this run. RV_ERROR_FORMAT unless it has exactly those of
 * the net, and of a run with the same configuration, except for the number of epochs. `changed`: as
 * in rv_trainer_resume. On failure the trainer is unchanged. */
bool rv_trainer_load(rv_trainer *trainer, const char *path, rv_error *changed, rv_error *error);

/* Starts from the parameters in a safetensors file, such as best.safetensors of another run,
 * instead of random ones, and from the constants that the file has of those that the net draws.
 * Moments and other states in it are ignored. RV_ERROR_FORMAT names the first parameter whose shape
 * differs and, unless `partial`, that only the file or only the net has. Call it before
 * rv_trainer_fit. On failure the parameters are unchanged. */
bool rv_trainer_initialize(rv_trainer *trainer, const char *path, bool partial, rv_error *error);

/* Measures the net on a source whose samples have the shapes and classes of the training data. All
 * ranks call it. */
bool rv_trainer_evaluate(rv_trainer *trainer, const rv_source *data, rv_metrics *metrics,
                         rv_error *error);

/* ---- its parts, which the trainer owns ---- */

const rv_train_result *rv_trainer_result(const rv_trainer *trainer);
const rv_train_config *rv_trainer_config(const rv_trainer *trainer); /* with defaults filled in */
const rv_setup *rv_trainer_setup(const rv_trainer *trainer);         /* data, net, optimizer */
rv_store *rv_trainer_store(const rv_trainer *trainer);

/* Sets *config, which rv_train_config_new made, to that of the run in a folder: from config.json
 * or, if that is damaged, from the checkpoint. Its paths are set to where the files are now, if the
 * run or they were moved, or the working directory is another one. */
bool rv_train_config_of_run(rv_train_config *config, const char *folder, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
