/* The run state as JSON, for the metadata of a checkpoint: progress and history. Not part of the
 * public interface. */
#ifndef RV_TRAIN_TRAINER_RUN_STATE_H
#define RV_TRAIN_TRAINER_RUN_STATE_H

#include "train/trainer.h"

/* The run state as JSON, from which every number is read back bit for bit. Free it with rv_free.
 * NULL: out of memory. */
char *rv_run_state_json(const rv_train_result *result);

/* Sets `at`, `best_epoch`, `epochs` and `history` of *result from the text, and the rest to 0. Free
 * *history, which is result->history, with rv_free, also after a failure. Errors name the file
 * `path`. */
bool rv_run_state_parse(rv_train_result *result, rv_epoch **history, const char *json,
                        const char *path, rv_error *error);

#endif
