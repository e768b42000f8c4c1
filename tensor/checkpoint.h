/* Checkpoints: a store in a file. */
#ifndef RV_TENSOR_CHECKPOINT_H
#define RV_TENSOR_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "archive.h"
#include "error.h"
#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Saves a checkpoint: all entries, as safetensors, with an XXH3-128 checksum of the whole file, so
 * that loading detects damage of any bit. Atomic. The seed is not saved: create the store that
 * resumes with the same seed. */
bool rv_store_save(const rv_store *store, const char *path, rv_error *error);

/* The same with your own metadata in UTF-8, such as the position in the data, covered by the
 * checksum. rv_safetensors_read returns it, rv_store_load ignores it. RV_ERROR_NAME for invalid
 * UTF-8 and for the reserved keys "format", "checksum" and "role:..". */
bool rv_store_save_with(const rv_store *store, const char *path, const rv_metadata *metadata,
                        size_t count, rv_error *error);

/* Loads a checkpoint. Existing entries are overwritten: values are converted to the entry's dtype,
 * shapes must be equal, roles stay. Other entries are created in the file's order. The file must
 * have all parameters of the store, those that it has now and those that are requested later: a
 * misspelled name is an error when it is recorded, never a parameter with initial values. Any
 * safetensors file is accepted; tensors that are not marked as states become parameters. On failure
 * the store is unchanged. */
bool rv_store_load(rv_store *store, const char *path, rv_error *error);

/* The same for a net with parameters that the file lacks, such as a new head: they keep or get
 * their initial values, and their `loaded` is false. */
bool rv_store_load_partial(rv_store *store, const char *path, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
