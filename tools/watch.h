/* Updates that are taken back when their numbers go wrong. */
#ifndef RECURVE_TOOLS_WATCH_H
#define RECURVE_TOOLS_WATCH_H

#include "tools/learning.h"

/* What a store held before an update, for watch_free; starts as {0}. */
typedef struct watch {
    rv_tensor *kept; /* [count] */
    size_t count, capacity;
} watch;

bool watch_keep(watch *w, const rv_store *store, rv_error *error);
void watch_free(watch *w);

/* After an update by b: whether its cost and the parameters are finite. If not, the store is as it was kept, and
 * RV_ERROR_NUMBER names the op at fault. */
bool watch_look(watch *w, const experiment *e, rv_store *store, const batch_program *b,
                const rv_batch *batch, const run_place *at, rv_error *error);

/* A parameter that holds NaN or infinity; NULL: none does. */
const rv_entry *watch_damaged(const rv_store *store);

#endif
