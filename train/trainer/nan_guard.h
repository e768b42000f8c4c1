/* Undoes a run of a net that makes NaN or infinity. Not part of the public interface. */
#ifndef RV_TRAIN_TRAINER_NAN_GUARD_H
#define RV_TRAIN_TRAINER_NAN_GUARD_H

#include "train/batch_program.h"

/* A copy of the store's tensors from before a run. Start with {0}. Free it with
 * rv_nan_guard_free. */
typedef struct rv_nan_guard {
    rv_tensor *kept; /* [count] */
    size_t count, capacity;
} rv_nan_guard;

void rv_nan_guard_free(rv_nan_guard *guard);

/* The parts of rv_run_guarded, for a run that has several programs: copies the store; whether an
 * entry that was finite is not any more; copies it back; the error if no op is at fault. */
bool rv_nan_guard_keep(rv_nan_guard *guard, const rv_store *store, rv_error *error);
bool rv_nan_guard_damaged(const rv_nan_guard *guard, const rv_store *store);
void rv_nan_guard_restore(const rv_nan_guard *guard, rv_store *store);
bool rv_nan_guard_fail(rv_error *error);

/* Runs b on a batch. With setup->anomaly, the loss, and every entry of the store that was finite
 * before, must be finite after the run. Otherwise the store is restored, and RV_ERROR_NUMBER names
 * the op at fault. `words` begin its text. */
bool rv_run_guarded(const rv_setup *setup, rv_store *store, const rv_batch_program *b,
                    rv_nan_guard *guard, const rv_batch *batch, bool training, const char *words,
                    rv_error *error);

/* Whether all parameters are finite. */
bool rv_parameters_finite(const rv_store *store);

#endif
