/* The store: named tensors that outlive a tape. Parameters are learned. States are everything else
 * that training must remember, such as an optimizer's moments and its learning rate. A store must
 * outlive the tapes and programs made on it, and one thread at a time may use it and them. Stores
 * share nothing, so each thread can use its own. */
#ifndef RV_TENSOR_STORE_H
#define RV_TENSOR_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "init.h"
#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_store rv_store;

typedef enum rv_role { RV_PARAMETER = 0, RV_STATE = 1 } rv_role;

typedef struct rv_entry {
    char *name;
    rv_role role;
    rv_tensor tensor;
    bool loaded; /* from a file, not filled with initial values */
} rv_entry;

rv_store *rv_store_new(uint64_t seed); /* NULL when out of memory */
void rv_store_free(rv_store *store);
uint64_t rv_store_seed(const rv_store *store);

/* Entries in order of creation. The address of an entry and of its data never changes. */
size_t rv_store_count(const rv_store *store);
rv_entry *rv_store_at(const rv_store *store, size_t index);
rv_entry *rv_store_find(const rv_store *store, const char *name); /* NULL if unknown */

/* The entry of that name. On first use it is created and filled by `init` from the stream of (store
 * seed, name), independent of other entries. An existing entry is returned unchanged. NULL on
 * failure: RV_ERROR_SHAPE or RV_ERROR_DTYPE if the existing entry has another shape or dtype,
 * RV_ERROR_NAME if it has another role, for a name that is empty, "__metadata__", not UTF-8 or
 * contains control characters, and for a new parameter after rv_store_load. */
rv_entry *rv_store_get(rv_store *store, const char *name, rv_role role, rv_dtype dtype,
                       rv_shape shape, rv_init init, rv_error *error);

/* The XXH3-128 of name, dtype, shape and bytes of all parameters, in order of name (so that the
 * order of creation does not matter), as 32 hex digits; "" when out of memory. */
enum { RV_DIGEST_TEXT = 33 };
const char *rv_store_digest(const rv_store *store, char text[RV_DIGEST_TEXT]);

/* Marks the store as in use, so that a mistaken use by two threads is an error instead of a data
 * race. Running, compiling, saving and loading enter and leave the store themselves; if another
 * thread has entered it, they fail with RV_ERROR_BUSY and do nothing. Call these around longer uses
 * of your own, without any of those calls in between. */
bool rv_store_enter(const rv_store *store, rv_error *error);
void rv_store_leave(const rv_store *store);

#ifdef __cplusplus
}
#endif

#endif
