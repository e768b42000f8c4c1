/* The second computation of a segment (recompute.h), for the gradient. */
#ifndef RV_AUTOGRAD_REPLAY_INTERNAL_H
#define RV_AUTOGRAD_REPLAY_INTERNAL_H

#include "autograd/tape_internal.h"

/* A segment's nodes first .. end-1 recorded again. All zero: of no segment. */
typedef struct rv_replay {
    int32_t first, end;
    int32_t *again; /* [end - first] ids */
    size_t capacity;
} rv_replay;

/* Makes *r the replay of the segment that holds node `id`, if one does, unless it is already. To be called with falling
 * ids, the first of each segment with its cotangent dy. False without memory. */
bool rv_replay_for(rv_replay *r, rv_tape *tape, int32_t id, rv_var dy);

/* The node that says the same as `id`, on the replay where that is in it. */
static inline int32_t rv_replayed(const rv_replay *r, int32_t id)
{
    return id >= r->first && id < r->end ? r->again[id - r->first] : id;
}

#endif
