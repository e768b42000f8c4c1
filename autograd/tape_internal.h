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

typedef struct rv_slot {
    int32_t id;   /* + 1; 0: empty */
    uint32_t tag; /* bits of the hash: other nodes are passed over without a look at them */
} rv_slot;

struct rv_tape {
    rv_store *store;
    rv_dtype dtype;
    rv_error error;
    rv_node *nodes;
    size_t node_capacity;
    int32_t count;
    rv_slot *table; /* open addressing by hash */
    size_t table_size;
    rv_block *blocks;
    rv_id_list inputs;    /* the input leaves, all of them live in every program */
    rv_slot *input_table; /* their places in that list, by the hash of their names */
    size_t input_table_size;
    rv_id_list effects; /* the assignments */
    rv_id_list bounds;  /* of segments (recompute.h): first id, end, first id, ... */
    int segment_depth;
    const rv_origin *origin[RV_SCOPE_DEPTH]; /* of the scopes that are open; [0] is the top */
    int depth;
};

/* Memory that lives as long as the tape; NULL (and a sticky error) when there is none. */
void *rv_tape_alloc(rv_tape *tape, size_t size);
const char *rv_tape_string(rv_tape *tape, const char *text);

extern const rv_origin rv_origin_top;

/* What is recorded from here on in the innermost scope has this origin. Its text must live as long as the tape. */
void rv_tape_set_origin(rv_tape *tape, rv_origin origin);

/* A value as messages have it, "h" [4,2] or matmul#17 [4,2], with its dtype if that is not the tape's; returns the text. */
enum { RV_NODE_TEXT = 320 };
const char *rv_tape_describe(const rv_tape *tape, int32_t id, char text[RV_NODE_TEXT]);

/* Enters a new node among the inputs, the assignments, the bounds of segments. */
bool rv_tape_add_input(rv_tape *tape, int32_t id);
bool rv_tape_add_bound(rv_tape *tape, int32_t id);
bool rv_tape_add_assignment(rv_tape *tape, int32_t id);

/* The place in tape->inputs of the input of that name, or -1. */
int32_t rv_tape_find_input(const rv_tape *tape, const char *name);

/* Makes room for so many nodes in all, so that recording them moves nothing. */
bool rv_tape_reserve(rv_tape *tape, int32_t count);

/* Records the node of another tape on inputs of the types that it has there: its shape rule need not be asked
 * again. Its entry and name are left behind. */
rv_var rv_tape_copy(rv_tape *to, const rv_node *node, const rv_var *in);

/* Combines two hashes, in order. */
rv_hash rv_hash_bytes(const void *bytes, size_t size, uint64_t seed);
rv_hash rv_hash_pair(rv_hash a, rv_hash b);

#endif
