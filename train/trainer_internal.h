/* The inside of a trainer. Not part of the public interface. */
#ifndef RV_TRAIN_TRAINER_INTERNAL_H
#define RV_TRAIN_TRAINER_INTERNAL_H

#include "data/loader.h"
#include "train/batch_program.h"
#include "train/trainer.h"

struct rv_trainer {
    rv_train_config config; /* a copy, with the defaults filled in */
    rv_setup setup;
    rv_store *store;
    rv_loader *loader;
    rv_train_result result;
    rv_epoch *history; /* [capacity]: result.history */
    size_t capacity;
    rv_observer observers[RV_OBSERVERS];
    int observer_count;
    /* Saving */
    bool unsaved;           /* there were updates since the last checkpoint */
    double saved_at, pause; /* when that was written, and how long to wait after it */
};

double rv_seconds(void); /* of a clock that never goes back */

/* The updates of an epoch from the run state on. RV_ERROR_NUMBER when a loss is not finite. */
bool rv_train_epoch(rv_trainer *trainer, rv_error *error);

/* Prepares the output folder, if there is one: makes it, checks that it can be written, writes what is known already. */
bool rv_keep_start(rv_trainer *trainer, rv_error *error);

/* Save a checkpoint if it is time to: not after each of many short epochs, and now and then within a long one. */
bool rv_keep_after_update(rv_trainer *trainer, rv_error *error);
bool rv_keep_after_epoch(rv_trainer *trainer, rv_error *error);

bool rv_keep_now(rv_trainer *trainer, rv_error *error); /* unless all is saved */

#endif
