/* Programs that compute, or train, a setup's net on batches of one size. The store knows equal programs again, so each is
 * compiled once. */
#ifndef RV_TRAIN_BATCH_PROGRAM_H
#define RV_TRAIN_BATCH_PROGRAM_H

#include "autograd/program.h"
#include "tensor/batch.h"
#include "train/setup.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Records the net on the inputs "x", "y" and, where lengths differ, "length" of n samples. Nothing is dropped unless it is
 * for training. For rv_tape_free; errors are the tape's. */
rv_tape *rv_setup_record(const rv_setup *setup, rv_store *store, int64_t n, bool training,
                         rv_net *net);

/* {0} is none yet. For rv_batch_program_free. */
typedef struct rv_batch_program {
    int64_t size; /* of its batches */
    rv_program *program;
    rv_tensor *x, *y, *length; /* inputs [size,...]; length NULL: all samples are equally long */
} rv_batch_program;

/* Outputs: the loss and the net's output. For training, a run is an update too. `flags` are those of rv_compile_with. */
bool rv_batch_program_make(rv_batch_program *b, const rv_setup *setup, rv_store *store, int64_t n,
                           bool training, unsigned flags, rv_error *error);

/* The same, unless *b is for batches of this size already. */
bool rv_batch_program_fit(rv_batch_program *b, const rv_setup *setup, rv_store *store, int64_t n,
                          bool training, rv_error *error);

/* A program with outputs of your own, from a tape of rv_setup_record. */
bool rv_batch_program_compile(rv_batch_program *b, rv_tape *tape, int64_t n, const rv_var *outputs,
                              int count, unsigned flags, rv_error *error);

/* Copies a batch of its size into the inputs; and runs. */
bool rv_batch_program_feed(const rv_batch_program *b, const rv_batch *batch, rv_error *error);
bool rv_batch_program_run(const rv_batch_program *b, const rv_batch *batch, rv_error *error);

void rv_batch_program_free(rv_batch_program *b); /* leaves {0} */

#ifdef __cplusplus
}
#endif

#endif
