/* Batches of a source, epoch by epoch, in an order that is a pure function of (seed, epoch). A
 * thread of the loader's own can prepare them ahead; they are the same with and without.
 *
 * Memory, taken once: (ahead + 1) * batch * (bytes of x and y of a sample + 4) bytes, and for a
 * shuffled order 8 bytes per sample up to 2^20 samples; above, places are computed and take none. */
#ifndef RV_DATA_LOADER_H
#define RV_DATA_LOADER_H

#include "data/source.h"
#include "tensor/batch.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_loader_options {
    int64_t batch; /* samples, at least 1; more than there are: all */
    uint64_t seed;
    bool in_order;   /* 0, 1, 2, ..., to evaluate; else shuffled anew each epoch */
    bool contiguous; /* for a state that is carried from batch to batch: lane j, row j of each
                      * batch, walks through the j-th of `batch` equal parts of the source; what is
                      * left over at the end is not used. Goes before in_order */
    bool drop_last;  /* no last batch of fewer samples */
    int ahead;       /* batches that a thread prepares meanwhile, 0 .. 64; 0: no thread */
} rv_loader_options;

typedef struct rv_loader rv_loader;

/* The source's fields are copied; close it after the loader. NULL with RV_ERROR_ARGUMENT for
 * options that make no batch, or RV_ERROR_SHAPE, RV_ERROR_MEMORY. To start and next a NULL loader
 * is an RV_ERROR_ARGUMENT. */
rv_loader *rv_loader_new(const rv_source *source, const rv_loader_options *options,
                         rv_error *error);
void rv_loader_free(rv_loader *loader); /* NULL is fine */

int64_t rv_loader_batches(const rv_loader *loader); /* of an epoch */
size_t rv_loader_bytes(const rv_loader *loader);    /* of memory: the formula above */

/* Begins an epoch, at its batch number `first` (0 .. rv_loader_batches): a run that was stopped
 * goes on with the batches that it would have seen. RV_ERROR_ARGUMENT for another `first`. */
bool rv_loader_start(rv_loader *loader, uint64_t epoch, int64_t first, rv_error *error);

/* The next batch, the loader's, valid until the next call of next or start; NULL at the epoch's
 * end, and with an error when a sample cannot be read, for then too the epoch ends. A loader that
 * was not started starts with epoch 0. One thread at a time. */
const rv_batch *rv_loader_next(rv_loader *loader, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
