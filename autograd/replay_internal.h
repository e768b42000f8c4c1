/* The replay of a segment (recompute.h): its nodes recorded again, for the gradient. */
#ifndef RV_AUTOGRAD_REPLAY_INTERNAL_H
#define RV_AUTOGRAD_REPLAY_INTERNAL_H

#include "autograd/tape_internal.h"

/* The replay of the segment with the nodes first .. end-1. All zero: of no segment. */
typedef struct rv_replay {
    int32_t first, end;
    int32_t *again; /* [end - first] ids of the nodes recorded again */
    size_t capacity;
} rv_replay;

/* Makes *r the replay of the segment that contains node `id`; does nothing if *r is that replay
 * already, or if no segment contains the node. Call it with descending ids and the cotangent dy of
 * each: the replay of a segment is computed after the dy of its first call. Returns false with a
 * sticky error. */
bool rv_replay_for(rv_replay *r, rv_tape *tape, int32_t id, rv_var dy);

/* The replayed node of `id`, or `id` itself outside the segment. */
static inline int32_t rv_replayed(const rv_replay *r, int32_t id)
{
    return id >= r->first && id < r->end ? r->again[id - r->first] : id;
}

#endif
