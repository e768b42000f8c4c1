/* The state of a run as text, which its checkpoint carries: what is done, and where the run is. Not part of the public
 * interface. */
#ifndef RV_TRAIN_RUN_STATE_INTERNAL_H
#define RV_TRAIN_RUN_STATE_INTERNAL_H

#include "train/trainer.h"

/* JSON, for rv_free; every number is read back to the bit. NULL: out of memory. */
char *rv_run_state_json(const rv_train_result *result);

/* Sets what the text says of a run: at, best_epoch and the history, which is also *history, for rv_free, on failure too.
 * `path` is for messages. */
bool rv_run_state_parse(rv_train_result *result, rv_epoch **history, const char *json,
                        const char *path, rv_error *error);

#endif
