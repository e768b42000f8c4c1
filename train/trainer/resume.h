/* Resuming a run from its folder. Not part of the public interface. */
#ifndef RV_TRAIN_TRAINER_RESUME_H
#define RV_TRAIN_TRAINER_RESUME_H

#include "train/trainer.h"

/* Reads the run state in the output folder into *result and loads its checkpoint into the trainer's
 * store, whole or not at all. Free *history with rv_free, also after a failure. See
 * rv_trainer_resume. */
bool rv_resume(const rv_trainer *trainer, rv_train_result *result, rv_epoch **history,
               rv_error *skipped, rv_error *changed, rv_error *error);

/* The same from what rv_trainer_pack made, for a trainer without an output folder. */
bool rv_resume_packed(const rv_trainer *trainer, const unsigned char *bytes, size_t size,
                      rv_train_result *result, rv_epoch **history, rv_error *error);

#endif
