#include "tools/run/keeper.h"

#include <math.h>

#include "tools/machine/timing.h"
#include "tools/run/run_folder.h"
#include "tools/run/watch.h"

/* Saving takes at most a fiftieth of the time. */
static const double SHARE = 50, LEAST_PAUSE = 0.2, WITHIN_EPOCHS = 10; /* seconds, the last two */

bool keeper_start(keeper *k, const settings *s, const rv_store *store, training *t, rv_error *error)
{
    *k = (keeper){.s = s, .store = store, .t = t, .last = seconds_now()};
    return !s->output || run_folder_start(s->output, s, t, error);
}

bool keeper_save(keeper *k, rv_error *error)
{
    if (!k->s->output || !k->unsaved) return true;
    double started = seconds_now();
    if (!run_folder_save(k->s->output, k->s, k->store, k->t, error)) return false;
    k->unsaved = false;
    k->last = seconds_now();
    k->pause = fmax(LEAST_PAUSE, SHARE * (k->last - started));
    return true;
}

bool keeper_after_update(keeper *k, rv_error *error)
{
    k->unsaved = true;
    bool due = k->s->output && seconds_now() - k->last > fmax(k->pause, WITHIN_EPOCHS);
    bool damaged = due && watch_damaged(k->store); /* though its cost was finite */
    return !due || damaged || keeper_save(k, error);
}

bool keeper_after_epoch(keeper *k, rv_error *error)
{
    k->unsaved = true;
    return seconds_now() - k->last < k->pause || keeper_save(k, error);
}
