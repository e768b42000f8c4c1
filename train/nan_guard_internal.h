/* Undoes runs of a net whose numbers went wrong. Not part of the public interface. */
#ifndef RV_TRAIN_NAN_GUARD_INTERNAL_H
#define RV_TRAIN_NAN_GUARD_INTERNAL_H

#include "train/batch_program.h"

/* What the store held before a run, for rv_nan_guard_free; starts as {0}. */
typedef struct rv_nan_guard {
    rv_tensor *kept; /* [count] */
    size_t count, capacity;
} rv_nan_guard;

void rv_nan_guard_free(rv_nan_guard *guard);

/* Runs b, which trains or measures, on a batch. If the setup asks for it, the loss and every entry of the store that was
 * finite before must be finite then: if not, the store is as it was, and RV_ERROR_NUMBER names, after the words, the op at
 * fault. */
bool rv_run_guarded(const rv_setup *setup, rv_store *store, const rv_batch_program *b,
                    rv_nan_guard *guard, const rv_batch *batch, bool training, const char *words,
                    rv_error *error);

/* Whether all parameters are finite. */
bool rv_parameters_finite(const rv_store *store);

#endif
