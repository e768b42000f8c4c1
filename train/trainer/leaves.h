/* An update whose batch is cut into leaves. A batch of n samples has N leaves; leaf i is samples n
 * i / N .. n (i+1) / N - 1. One program computes the loss and the gradients of a leaf. They are
 * weighted by the leaf's samples and summed in a binary tree over the leaves. A second program
 * updates the parameters by the sums. Ranks share the leaves: a node of the tree belongs to the
 * rank of its first leaf, so that a sum, and with it every bit, is the same for any number of
 * ranks. Not part of the public interface. */
#ifndef RV_TRAIN_TRAINER_LEAVES_H
#define RV_TRAIN_TRAINER_LEAVES_H

#include "train/batch_program.h"
#include "train/trainer/nan_guard.h"

typedef struct rv_leaves rv_leaves;

/* For batches of at most n samples. Records the update; creates the parameters. Free it with
 * rv_leaves_free. NULL on failure: RV_ERROR_ARGUMENT if the net keeps states from batch to
 * batch. */
rv_leaves *rv_leaves_new(const rv_setup *setup, rv_store *store, int64_t n, rv_error *error);
void rv_leaves_free(rv_leaves *leaves); /* accepts NULL */

/* Bytes of the arenas of all programs. */
size_t rv_leaves_bytes(const rv_leaves *leaves);

/* One update, which all ranks make together. *loss: of the batch. *recording: seconds spent on
 * recording and compiling programs. If *error is set, this rank has failed, and needs no batch: it
 * only lets the others know, and no rank updates. On failure all ranks have the same error, and
 * repeating the update makes the same numbers as if it had not failed. *stop: this rank wants to
 * stop after this update; becomes whether any does. `words`: see rv_run_guarded. */
bool rv_leaves_update(rv_leaves *leaves, rv_nan_guard *guard, const rv_batch *batch,
                      const char *words, double *loss, double *recording, bool *stop,
                      rv_error *error);

#endif
