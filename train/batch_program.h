/* Programs that evaluate or train a setup's net on batches of one size. The store caches programs,
 * so equal ones are compiled once. */
#ifndef RV_TRAIN_BATCH_PROGRAM_H
#define RV_TRAIN_BATCH_PROGRAM_H

#include "../autograd/program.h"
#include "../tensor/batch.h"
#include "setup.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Records the net for n samples. The inputs are "x", "y" and, where lengths differ, "length".
 * Without `training` there is no dropout and no label smoothing. Free the tape with rv_tape_free.
 * Errors are those of the tape (rv_tape_error). */
rv_tape *rv_setup_record(const rv_setup *setup, rv_store *store, int64_t n, bool training,
                         rv_net *net);

/* Start with {0}. Free it with rv_batch_program_free. */
typedef struct rv_batch_program {
    int64_t size; /* samples of a batch */
    rv_program *program;
    rv_tensor *x, *y, *length; /* inputs [size,...]; length: NULL unless lengths differ */
} rv_batch_program;

/* Compiles the net for batches of n samples, with the outputs loss and net output. With `training`,
 * each run also updates the parameters. `flags` are those of rv_compile_with. */
bool rv_batch_program_make(rv_batch_program *b, const rv_setup *setup, rv_store *store, int64_t n,
                           bool training, unsigned flags, rv_error *error);

/* The one of two programs that is for batches of n samples, made if neither is: a source has full
 * batches and a smaller last one. NULL on failure. */
rv_batch_program *rv_batch_program_fit(rv_batch_program two[2], const rv_setup *setup,
                                       rv_store *store, int64_t n, bool training, rv_error *error);

/* Compiles other outputs of a tape that rv_setup_record made. */
bool rv_batch_program_compile(rv_batch_program *b, rv_tape *tape, int64_t n, const rv_var *outputs,
                              int count, unsigned flags, rv_error *error);

/* Copies a batch of `size` samples into the inputs. */
bool rv_batch_program_feed(const rv_batch_program *b, const rv_batch *batch, rv_error *error);

/* Copies the batch, and runs. */
bool rv_batch_program_run(const rv_batch_program *b, const rv_batch *batch, rv_error *error);

void rv_batch_program_free(rv_batch_program *b); /* leaves {0} */

#ifdef __cplusplus
}
#endif

#endif
