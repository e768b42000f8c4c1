/* The tape's memory, for the files of this folder. */
#ifndef RV_AUTOGRAD_TAPE_INTERNAL_H
#define RV_AUTOGRAD_TAPE_INTERNAL_H

#include "autograd/tape.h"

enum { RV_SCOPE_DEPTH = 32 };

typedef struct rv_block rv_block; /* attributes, input lists and names live in a chain of these */

typedef struct rv_id_list {
    int32_t *id;
    size_t count, capacity;
} rv_id_list;

struct rv_tape {
    rv_store *store;
    rv_dtype dtype;
    rv_error error;
    rv_node *nodes;
    size_t node_capacity;
    int32_t count;
    int32_t *table; /* open addressing by hash; an entry is id + 1, or 0 */
    size_t table_size;
    rv_block *blocks;
    rv_id_list inputs;  /* the input leaves, all of them live in every program */
    rv_id_list effects; /* the assignments */
    const char *scope[RV_SCOPE_DEPTH];
    int depth;
};

/* Memory that lives as long as the tape; NULL (and a sticky error) when there is none. */
void *rv_tape_alloc(rv_tape *tape, size_t size);
const char *rv_tape_string(rv_tape *tape, const char *text);
bool rv_id_list_add(rv_tape *tape, rv_id_list *list, int32_t id);

/* Combines two hashes, in order. */
rv_hash rv_hash_bytes(const void *bytes, size_t size, uint64_t seed);
rv_hash rv_hash_pair(rv_hash a, rv_hash b);

#endif
