/* Keeps a run in its output folder while it trains. Without a folder nothing happens. */
#include <math.h>

#include "tensor/clock_internal.h"
#include "train/trainer/inputs.h"
#include "train/trainer/nan_guard.h"
#include "train/trainer/trainer.h"

/* The pause after a save is PAUSE_FACTOR times as long as the save took, so that saving takes at
 * most a fiftieth of the time. */
static const double PAUSE_FACTOR = 50;
static const double LEAST_PAUSE = 0.2, LEAST_PAUSE_WITHIN_EPOCH = 10; /* seconds */

/* Nobody else has written into the folder since the trainer read its checkpoint. */
static bool check_mark(const rv_trainer *t, rv_error *error)
{
    const char *folder = t->config.loop.output;
    rv_checkpoint_mark now;
    if (!rv_run_folder_mark(folder, &now, error)) return false;
    return (now.inode == t->mark.inode && now.seconds == t->mark.seconds &&
            now.nanoseconds == t->mark.nanoseconds) ||
           rv_fail(error, RV_ERROR_BUSY,
                   "another run has written into the folder \"%.500s\" since this one was opened; "
                   "open it again",
                   folder);
}

bool rv_keep_claim(rv_trainer *t, rv_error *error)
{
    const char *folder = t->config.loop.output;
    if (!folder || t->lock) return true;
    t->lock = rv_run_folder_open(folder, error);
    if (t->lock && (t->resumed ? check_mark(t, error)
                               : rv_run_folder_clear(folder, t->config.loop.overwrite, error)))
        return true;
    rv_folder_unlock(t->lock);
    t->lock = NULL;
    return false;
}

/* A checkpoint whose epoch is the best would make resumed runs believe that best.safetensors has
 * it: that is written first. */
static bool keep_best(rv_trainer *t, rv_error *error)
{
    if (t->best_unsaved && t->config.loop.output &&
        !rv_run_folder_save_best(t->config.loop.output, &t->config, t->store, error))
        return false;
    t->best_unsaved = false;
    return true;
}

bool rv_keep_start(rv_trainer *t, rv_error *error)
{
    const char *folder = t->config.loop.output;
    t->saved_at = rv_seconds();
    t->pause = 0;
    if (!folder) return true;
    if (!rv_keep_claim(t, error)) return false;
    if (!t->inputs) t->inputs = rv_inputs_json(&t->config, folder, error);
    return t->inputs && rv_run_folder_start(folder, &t->config, t->inputs, &t->result, error) &&
           keep_best(t, error);
}

bool rv_keep_now(rv_trainer *t, rv_error *error)
{
    const char *folder = t->config.loop.output;
    if (!folder || !t->unsaved) return true;
    double started = rv_seconds();
    if (!rv_run_folder_save(folder, &t->config, t->inputs, t->store, &t->result, error))
        return false;
    t->unsaved = false;
    t->saved_at = rv_seconds();
    t->pause = fmax(LEAST_PAUSE, PAUSE_FACTOR * (t->saved_at - started));
    return true;
}

bool rv_keep_after_update(rv_trainer *t, rv_error *error)
{
    t->unsaved = true;
    bool due = t->config.loop.output &&
               rv_seconds() - t->saved_at > fmax(t->pause, LEAST_PAUSE_WITHIN_EPOCH);
    /* The loss of an update is finite even when the update makes a parameter infinite. */
    return !due || !rv_parameters_finite(t->store) || rv_keep_now(t, error);
}

bool rv_keep_after_epoch(rv_trainer *t, rv_error *error)
{
    t->unsaved = true;
    return keep_best(t, error) && (rv_seconds() - t->saved_at < t->pause || rv_keep_now(t, error));
}
