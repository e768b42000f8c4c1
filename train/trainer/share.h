/* The run of rank 0 becomes that of all ranks. Not part of the public interface. */
#ifndef RV_TRAIN_TRAINER_SHARE_H
#define RV_TRAIN_TRAINER_SHARE_H

#include "train/trainer.h"

/* Gives rank 0's parameters, states, result and history to all ranks: what it has from a checkpoint
 * or a file is then theirs. *history, for rv_free, is NULL on rank 0 and result->history elsewhere,
 * also after a failure. RV_ERROR_ARGUMENT if a rank has other options than rank 0, or another build
 * or instruction set, which round differently. On failure all ranks have the same error. */
bool rv_share_run(const rv_trainer *trainer, rv_train_result *result, rv_epoch **history,
                  rv_error *error);

/* Whether all ranks have the same parameters; else the ranks that have others fail. */
bool rv_share_check(const rv_trainer *trainer, rv_error *error);

#endif
