/* Keeps a run in its output folder while it trains. Without a folder nothing happens. */
#include <math.h>

#include "train/nan_guard_internal.h"
#include "train/run_folder_internal.h"
#include "train/trainer_internal.h"

/* Saving takes at most a fiftieth of the time. The last two are seconds. */
static const double FRACTION = 50, LEAST_PAUSE = 0.2, WITHIN_EPOCHS = 10;

bool rv_keep_start(rv_trainer *t, rv_error *error)
{
    const char *folder = t->config.loop.output;
    t->saved_at = rv_seconds();
    t->pause = 0;
    return !folder || (rv_run_folder_open(folder, error) &&
                       rv_run_folder_start(folder, &t->config, &t->result, error));
}

bool rv_keep_now(rv_trainer *t, rv_error *error)
{
    const char *folder = t->config.loop.output;
    if (!folder || !t->unsaved) return true;
    double started = rv_seconds();
    if (!rv_run_folder_save(folder, &t->config, t->store, &t->result, error)) return false;
    t->unsaved = false;
    t->saved_at = rv_seconds();
    t->pause = fmax(LEAST_PAUSE, FRACTION * (t->saved_at - started));
    return true;
}

bool rv_keep_after_update(rv_trainer *t, rv_error *error)
{
    t->unsaved = true;
    bool due = t->config.loop.output && rv_seconds() - t->saved_at > fmax(t->pause, WITHIN_EPOCHS);
    /* Parameters may not be finite though the loss was. */
    return !due || !rv_parameters_finite(t->store) || rv_keep_now(t, error);
}

bool rv_keep_after_epoch(rv_trainer *t, rv_error *error)
{
    t->unsaved = true;
    return rv_seconds() - t->saved_at < t->pause || rv_keep_now(t, error);
}
