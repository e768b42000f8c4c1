/* The store: named tensors that outlive a tape. Parameters are learned; states are everything else
 * a run must remember (an optimizer's moments, its learning rate). A store, with the tapes and programs made on it, is
 * used by one thread at a time, and outlives them. Stores share nothing: any number of threads may each use their own. */
#ifndef RV_TENSOR_STORE_H
#define RV_TENSOR_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/error.h"
#include "tensor/random.h"
#include "tensor/safetensors.h"
#include "tensor/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_store rv_store;

typedef enum rv_role { RV_PARAMETER = 0, RV_STATE = 1 } rv_role;

typedef struct rv_entry {
    char *name;
    rv_role role;
    rv_tensor tensor;
} rv_entry;

rv_store *rv_store_new(uint64_t seed); /* NULL when memory is out; rv_store_free */
void rv_store_free(rv_store *store);
uint64_t rv_store_seed(const rv_store *store);

/* Entries in order of creation. An entry's address and data stay put for the store's life. */
size_t rv_store_count(const rv_store *store);
rv_entry *rv_store_at(const rv_store *store, size_t index);
rv_entry *rv_store_find(const rv_store *store, const char *name); /* NULL when unknown */

/* The entry of that name, made on first use and filled by `init` from the stream of (store seed,
 * name), whatever else the store holds. An existing entry is returned as it is; RV_ERROR_SHAPE or
 * RV_ERROR_DTYPE when it differs from what is asked, RV_ERROR_NAME when its role does, or for a
 * name that is empty, "__metadata__", no UTF-8 or has control characters. NULL on failure. */
rv_entry *rv_store_get(rv_store *store, const char *name, rv_role role, rv_dtype dtype,
                       rv_shape shape, rv_init init, rv_error *error);

/* Checkpoint: every entry, as safetensors, sealed with the XXH3-128 of the whole file: damage of any bit is found when
 * it is read. The file appears whole or not at all. The seed is not in
 * it: make the store that goes on with the same one. */
bool rv_store_save(const rv_store *store, const char *path, rv_error *error);

/* The same with metadata of yours, texts in UTF-8, under the same seal: where a run is in its data, say.
 * rv_safetensors_read hands them out, rv_store_load passes them over. RV_ERROR_NAME for no UTF-8, and for
 * a key that checkpoints need themselves: "format", "seal", "role:..". */
bool rv_store_save_with(const rv_store *store, const char *path, const rv_metadata *metadata,
                        size_t count, rv_error *error);

/* Reads a checkpoint: entries the store has are overwritten (converted to their dtype; shapes must
 * agree; the role stays), the others are made, in the file's order. Parameters of the store that
 * the file lacks are an error. Any safetensors file will do: what it does not call a state is a
 * parameter. On failure the store is as it was. */
bool rv_store_load(rv_store *store, const char *path, rv_error *error);

/* XXH3-128 over name, dtype, shape and bytes of all parameters, in order of name (so the order of
 * creation does not matter), as 32 hex digits; "" when memory is out. */
enum { RV_DIGEST_TEXT = 33 };
const char *rv_store_digest(const rv_store *store, char text[RV_DIGEST_TEXT]);

/* Running, compiling, saving and loading enter the store and leave it, and fail with RV_ERROR_BUSY, having done nothing, if
 * another thread is in there: that is a mistake, not a way to wait. For a long use of your own, in which you do none of
 * these. */
bool rv_store_enter(const rv_store *store, rv_error *error);
void rv_store_leave(const rv_store *store);

/* One object the store keeps for the layer above, and releases before its entries go. Attaching
 * another releases the one before; NULL detaches. `release` may be NULL. */
void rv_store_attach(rv_store *store, void *object, void (*release)(void *object));
void *rv_store_attachment(const rv_store *store);

#ifdef __cplusplus
}
#endif

#endif
