/* Batches of a source, epoch by epoch, in an order that is a pure function of (seed, epoch). The
 * loader can prefetch batches with a thread of its own; the batches are the same.
 *
 * Memory, allocated once: (prefetch + 1) * batch_size * (bytes of x and y of a sample + 4) bytes.
 * Shuffling takes 8 bytes per sample up to 2^20 samples; beyond that the order is computed without
 * memory. */
#ifndef RV_DATA_LOADER_H
#define RV_DATA_LOADER_H

#include "source.h"
#include "../tensor/batch.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_loader_options {
    int64_t batch_size; /* at least 1; capped at the number of samples */
    uint64_t seed;
    bool in_order; /* 0, 1, 2, ..., for evaluation; else shuffled anew each epoch */

    /* For a state that is carried from batch to batch: row j of successive batches walks through
     * the j-th of batch_size equal parts of the source. A remainder at the end is not used.
     * Overrides in_order. */
    bool contiguous;
    bool drop_last; /* drops a last batch that is not full */
    /* Batches that a thread prepares ahead, 0 .. 64; 0: no thread. Without effect where threads
     * cannot be started. */
    int prefetch;

    /* Of the n rows of a batch only n first / parts .. n last / parts - 1 are read, for a process
     * that computes a part of each batch. The other rows are undefined. parts 0: all rows. */
    int64_t parts, first, last;
} rv_loader_options;

typedef struct rv_loader rv_loader;

/* Copies the source's fields; close the source after the loader. NULL with RV_ERROR_ARGUMENT for
 * invalid options, RV_ERROR_SHAPE or RV_ERROR_MEMORY. The functions below accept a NULL loader;
 * rv_loader_start and rv_loader_next report RV_ERROR_ARGUMENT. */
rv_loader *rv_loader_new(const rv_source *source, const rv_loader_options *options,
                         rv_error *error);
void rv_loader_free(rv_loader *loader);

int64_t rv_loader_batches(const rv_loader *loader); /* batches per epoch */
size_t rv_loader_bytes(const rv_loader *loader);    /* its memory, by the formula above */

/* Starts an epoch at batch number `first`, so that an interrupted run resumes with the batches that
 * it would have seen. RV_ERROR_ARGUMENT unless `first` is in 0 .. rv_loader_batches. */
bool rv_loader_start(rv_loader *loader, uint64_t epoch, int64_t first, rv_error *error);

/* The next batch. The loader owns it; it is valid until the next rv_loader_next or rv_loader_start.
 * NULL at the end of the epoch. NULL with an error when a sample cannot be read; that ends the
 * epoch too. A loader that was not started starts with epoch 0. Not thread-safe. */
const rv_batch *rv_loader_next(rv_loader *loader, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
