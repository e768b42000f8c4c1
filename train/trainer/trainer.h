/* The inside of a trainer. Not part of the public interface. */
#ifndef RV_TRAIN_TRAINER_TRAINER_H
#define RV_TRAIN_TRAINER_TRAINER_H

#include "data/loader.h"
#include "train/batch_program.h"
#include "train/trainer.h"
#include "train/trainer/leaves.h"
#include "train/trainer/run_folder.h"

struct rv_trainer {
    rv_train_config config; /* a copy, with the defaults filled in */
    rv_setup setup;
    rv_store *store;
    rv_batch_program update[2], measure[2]; /* for full batches, and for smaller last ones */
    rv_leaves *leaves;                      /* in the place of `update` when batches are cut */
    rv_loader *loader;
    rv_train_result result;
    rv_epoch *history; /* [capacity]: result.history */
    size_t capacity;
    rv_observer observers[RV_OBSERVERS];
    int observer_count;
    bool stop; /* an observer of this rank wants to stop */
    /* The output folder. */
    rv_folder_lock *lock;    /* from the first write until the trainer is freed */
    bool resumed;            /* the trainer continues the run that the folder holds .. */
    rv_checkpoint_mark mark; /* .. from this checkpoint */
    char *inputs;            /* the record of the files that it reads; made at the first write */
    /* Saving. */
    bool unsaved;      /* there were updates since the last checkpoint */
    bool best_unsaved; /* the parameters are the best so far, and best.safetensors has others */
    double saved_at;   /* when the checkpoint was written, in rv_seconds */
    double pause;      /* the least seconds until the next */
};

/* rv_trainer_new for a person's options: RV_ERROR_ARGUMENT also for one that changes nothing
 * (rv_setup_check_given). */
rv_trainer *rv_trainer_new_checked(const rv_train_config *config, rv_error *error);

/* The sum of the squares of all parameters. An update of 1e-30 changes a bias that is 0, but not
 * this sum. */
double rv_parameter_squares(const rv_store *store);

/* Whether it is another rank's than the first, which alone has the output folder and reads files of
 * weights. */
bool rv_trainer_is_helper(const rv_trainer *trainer);

/* Whether all ranks are well; else all have the same error. Interrupts the run if an observer of
 * any of them wants to stop. */
bool rv_trainer_agree(rv_trainer *trainer, rv_error *error);

/* Carries out the remaining updates of the epoch. RV_ERROR_NUMBER when a loss is not finite. *error
 * must be clear. On failure all ranks have the same error. */
bool rv_train_epoch(rv_trainer *trainer, rv_error *error);

/* Makes and locks the output folder, if there is to be one, unless it is locked already. Fails if
 * another run has it or would be lost. */
bool rv_keep_claim(rv_trainer *trainer, rv_error *error);

/* rv_keep_claim, then writes config.json and log.csv, and best.safetensors if that has failed
 * before. */
bool rv_keep_start(rv_trainer *trainer, rv_error *error);

/* Save a checkpoint if one is due: less often than once per epoch when epochs are short, more often
 * when they are long. The best parameters are saved after each epoch. */
bool rv_keep_after_update(rv_trainer *trainer, rv_error *error);
bool rv_keep_after_epoch(rv_trainer *trainer, rv_error *error);

/* Saves a checkpoint unless there were no updates since the last. */
bool rv_keep_now(rv_trainer *trainer, rv_error *error);

/* The checkpoint of a run between two updates, as the bytes of a safetensors file, for a program
 * that keeps runs elsewhere than in folders. Free *bytes with rv_free. */
bool rv_trainer_pack(const rv_trainer *trainer, unsigned char **bytes, size_t *size,
                     rv_error *error);

/* Resumes the run of such bytes. The trainer must have the run's configuration. On failure it is
 * unchanged. */
bool rv_trainer_unpack(rv_trainer *trainer, const unsigned char *bytes, size_t size,
                       rv_error *error);

#endif
