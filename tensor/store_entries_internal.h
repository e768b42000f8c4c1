/* Functions of the store for the library itself. Not part of the public interface. */
#ifndef RV_TENSOR_STORE_ENTRIES_INTERNAL_H
#define RV_TENSOR_STORE_ENTRIES_INTERNAL_H

#include "tensor/file_internal.h"
#include "tensor/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A store for tapes that are recorded but never run. Its tensors have no data; together they would
 * take at most `most` bytes. */
rv_store *rv_store_new_shapes(size_t most);

/* A random number that nobody outside knows, for the tables of the store and of its tapes. */
uint64_t rv_store_key(const rv_store *store);

/* Makes room for `extra` calls of rv_store_adopt. */
bool rv_store_reserve(rv_store *store, size_t extra);

/* A new entry outside any store, with a copy of the name and a zero tensor. */
rv_entry *rv_entry_new(const char *name, rv_role role, rv_dtype dtype, rv_shape shape,
                       rv_error *error);
void rv_entry_free(rv_entry *entry);

/* Adds an entry with a new name to the reserved room. The store takes ownership. */
void rv_store_adopt(rv_store *store, rv_entry *entry);

/* Whether rv_store_get refuses new parameters. */
void rv_store_set_complete(rv_store *store, bool complete);

/* Removes all entries from `from` and returns them in order. The caller owns the entries and the
 * array (rv_free). */
rv_entry **rv_store_release(rv_store *from, size_t *count);

/* Attaches one object for the layer above; the store releases it before it frees its entries.
 * Attaching another object releases the previous one; NULL detaches it. `release` may be NULL. */
void rv_store_attach(rv_store *store, void *object, void (*release)(void *object));
void *rv_store_attachment(const rv_store *store);

#ifdef __cplusplus
}
#endif

#endif
