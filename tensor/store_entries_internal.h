/* What the library itself needs of the store beyond its public interface, of which this is no part. */
#ifndef RV_TENSOR_STORE_ENTRIES_INTERNAL_H
#define RV_TENSOR_STORE_ENTRIES_INTERNAL_H

#include "tensor/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A store for tapes that are recorded but never run: its tensors stay zero, which no memory has to be touched
 * for, and take at most that many bytes. */
rv_store *rv_store_new_shapes(size_t most);

/* Makes room for `extra` more entries, so that as many calls of rv_store_adopt cannot fail. */
bool rv_store_reserve(rv_store *store, size_t extra);

/* A new entry, in no store yet, that owns a copy of the name and a zero tensor. */
rv_entry *rv_entry_new(const char *name, rv_role role, rv_dtype dtype, rv_shape shape,
                       rv_error *error);
void rv_entry_free(rv_entry *entry);

/* Puts an entry of a new name into reserved room; the store owns it now. */
void rv_store_adopt(rv_store *store, rv_entry *entry);

/* Takes all entries out of `from`, in order, for the caller to free or adopt each; the array is
 * the caller's too (rv_free). `from` is then empty. */
rv_entry **rv_store_release(rv_store *from, size_t *count);

#ifdef __cplusplus
}
#endif

#endif
