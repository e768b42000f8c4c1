/* Runs of a net that are taken back when their numbers go wrong. */
#ifndef RV_TOOLS_RUN_WATCH_H
#define RV_TOOLS_RUN_WATCH_H

#include "tools/run/batch_program.h"

/* What a store held before a run, for watch_free; starts as {0}. */
typedef struct watch {
    rv_tensor *kept; /* [count] */
    size_t count, capacity;
} watch;

bool watch_keep(watch *w, const rv_store *store, rv_error *error);
void watch_free(watch *w);

/* After a run of b, which learns or measures: whether its cost, and what was finite in the store, are. If not, the store is as
 * it was kept, and RV_ERROR_NUMBER names, behind the words, the op at fault. */
bool watch_look(watch *w, const experiment *e, rv_store *store, const batch_program *b,
                const rv_batch *batch, bool learn, const char *words, rv_error *error);

/* Whether a parameter holds NaN or infinity. */
bool watch_damaged(const rv_store *store);

#endif
