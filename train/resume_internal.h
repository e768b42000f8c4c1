/* From a folder back to its run. Not part of the public interface. */
#ifndef RV_TRAIN_RESUME_INTERNAL_H
#define RV_TRAIN_RESUME_INTERNAL_H

#include "train/trainer.h"

/* The state of the run in the folder, and *history for rv_free, on failure too; its checkpoint is loaded into the store, all
 * of it or nothing. See rv_trainer_resume. */
bool rv_resume(const rv_trainer *trainer, rv_train_result *result, rv_epoch **history,
               rv_error *skipped, rv_error *error);

#endif
