/* The struct of the tape, for the files of this folder. */
#ifndef RV_AUTOGRAD_TAPE_INTERNAL_H
#define RV_AUTOGRAD_TAPE_INTERNAL_H

#include "autograd/tape.h"
#include "tensor/name_table_internal.h"

enum { RV_SCOPE_DEPTH = 32 };

typedef struct rv_block rv_block; /* a chain of blocks holds attributes, input lists and names */

typedef struct rv_id_list {
    int32_t *id;
    size_t count, capacity;
} rv_id_list;

typedef struct rv_slot {
    int32_t id;   /* 1 + the id; 0: empty */
    uint32_t tag; /* bits of the hash, so that a probe rarely reads another node */
} rv_slot;

struct rv_tape {
    rv_store *store;
    rv_dtype dtype;
    rv_error error;
    rv_node *nodes;
    size_t node_capacity;
    int32_t count;
    rv_slot *table; /* open addressing by hash; at most half full */
    size_t table_size;
    uint64_t key; /* of that table; odd */
    rv_block *blocks;
    rv_id_list inputs;         /* the input leaves; all of them are live in every program */
    rv_name_table input_names; /* their indexes in that list */
    rv_id_list effects;        /* the assignments */
    rv_id_list bounds; /* of the segments (recompute.h): first id, end, first id, end, ... */
    int segment_depth;
    const rv_origin *origin[RV_SCOPE_DEPTH]; /* the stack of open scopes; [0] is the top level */
    int depth;
};

/* Memory that lives as long as the tape; NULL, with a sticky error, when out of memory. */
void *rv_tape_alloc(rv_tape *tape, size_t size);
const char *rv_tape_string(rv_tape *tape, const char *text);

extern const rv_origin rv_origin_top;

/* Sets the origin of the nodes that are recorded next in the innermost scope. Its text must live as
 * long as the tape. */
void rv_tape_set_origin(rv_tape *tape, rv_origin origin);

/* Describes a value in messages: "h" [4,2] or matmul#17 [4,2], with its dtype if that differs from
 * the tape's. Returns the text. */
enum { RV_NODE_TEXT = 320 };
const char *rv_tape_describe(const rv_tape *tape, int32_t id, char text[RV_NODE_TEXT]);

/* Appends a new node to the inputs, the bounds of segments or the assignments. */
bool rv_tape_add_input(rv_tape *tape, int32_t id);
bool rv_tape_add_bound(rv_tape *tape, int32_t id);
bool rv_tape_add_assignment(rv_tape *tape, int32_t id);

/* The index in tape->inputs of the input of that name, or -1. */
int32_t rv_tape_find_input(const rv_tape *tape, const char *name);

/* Makes room for `count` nodes in total, which are then recorded without a reallocation. */
bool rv_tape_reserve(rv_tape *tape, int32_t count);

/* Records a node of another tape on inputs of the same types, without calling its shape rule again.
 * Does not copy its entry and names. Null if the tape has failed. */
rv_var rv_tape_copy(rv_tape *to, const rv_node *node, const rv_var *in);

/* The values on a new tape, without what they do not need and without what simplify.c removes.
 * Updates values[i]. NULL on error. */
rv_tape *rv_tape_simplified(const rv_tape *tape, rv_var *values, int count, rv_error *error);

/* XXH3-128 of bytes, and of a pair of hashes. */
rv_hash rv_hash_bytes(const void *bytes, size_t size, uint64_t seed);
rv_hash rv_hash_pair(rv_hash a, rv_hash b);

#endif
