/* Not part of the public interface. */
#ifndef RV_TENSOR_CHECKPOINT_INTERNAL_H
#define RV_TENSOR_CHECKPOINT_INTERNAL_H

#include "tensor/checkpoint.h"
#include "tensor/file_internal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads a checkpoint into a separate store, to be freed by rv_store_free. NULL on failure. A tensor
 * that `store` has must be of a type that is read: RV_ERROR_DTYPE. */
rv_store *rv_store_stage(const rv_store *store, const rv_content *from, rv_error *error);

/* rv_store_load, from a file or from memory. */
bool rv_store_load_from(rv_store *store, const rv_content *from, rv_error *error);

/* rv_store_save_with, to a file or to memory. */
bool rv_store_put(const rv_store *store, rv_sink *sink, const rv_metadata *metadata, size_t count,
                  rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
