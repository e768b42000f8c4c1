/* Keeps a run in its --output folder while it goes on, so that `recurve train --resume` can take it up. Without a
 * folder nothing happens. */
#ifndef RV_TOOLS_RUN_KEEPER_H
#define RV_TOOLS_RUN_KEEPER_H

#include "tools/run/training.h"

typedef struct keeper {
    const settings *s;
    const rv_store *store;
    training *t;
    bool unsaved;       /* something was learned since the last save */
    double last, pause; /* when that ended, and how long to wait after it */
} keeper;

/* Writes what is known before the first update. The arguments are used until the run's end. */
bool keeper_start(keeper *k, const settings *s, const rv_store *store, training *t,
                  rv_error *error);

/* Save if it is time to: not after each of many short epochs, and now and then within a long one. */
bool keeper_after_update(keeper *k, rv_error *error);
bool keeper_after_epoch(keeper *k, rv_error *error);

bool keeper_save(keeper *k, rv_error *error); /* now, unless all is saved */

#endif
