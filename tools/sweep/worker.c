#include "tools/sweep/worker.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tensor/memory.h"
#include "tools/machine/timing.h"
#include "train/setup/lookup.h"
#include "train/trainer/nan_guard.h"
#include "train/trainer/trainer.h"

/* A checkpoint is written so often that at most so many seconds of training are lost, and that
 * writing takes at most 1/PAUSE_FACTOR of the time. */
static const double PAUSE = 0.2, PAUSE_FACTOR = 50;

/* ---- a trial ---- */

typedef struct worker {
    const worker_job *job;
    const trial_source *source;
    const objective *objective;
    trial trial;
    rungs rungs;
    double saved, pause; /* when the last checkpoint was written; the least seconds to the next */
    bool rung_ended;
    rv_error error; /* of writing, in an observer */
} worker;

static bool write_trial(worker *w, const rv_trainer *trainer, const char *state,
                        const char *message, bool checkpoint, rv_error *error)
{
    trial_result r = {.state = state, .message = message, .objective = NAN};
    unsigned char *bytes = NULL;
    if (trainer) {
        const rv_train_result *run = rv_trainer_result(trainer);
        const int64_t written = w->trial.written < run->epochs ? w->trial.written : run->epochs;
        r.epochs = run->epochs;
        r.seconds = run->at.seconds;
        r.digest = *run->digest != '\0' ? run->digest : NULL;
        r.rows = run->history + written;
        r.row_count = run->epochs - written;
        r.objective = objective_value(w->objective, trainer, &r.best_epoch);
        r.parameters = rv_store_parameters(rv_trainer_store(trainer));
        if (checkpoint && !rv_trainer_pack(trainer, &bytes, &r.size, error)) return false;
        r.bytes = bytes;
    }
    const bool ok = w->source->write(w->source->self, &w->trial, &r, error);
    rv_free(bytes);
    return ok;
}

/* An update may have made a parameter infinite, although its loss is finite: the next one will
 * tell. */
static bool save(worker *w, const rv_trainer *trainer, const char *state)
{
    const double started = seconds_now();
    if (!rv_parameters_finite(rv_trainer_store(trainer))) return true;
    const bool ok = write_trial(w, trainer, state, NULL, true, &w->error) && !w->trial.lost;
    w->saved = seconds_now();
    w->pause = fmax(PAUSE, PAUSE_FACTOR * (w->saved - started));
    return ok;
}

static bool after_update(void *context, const rv_trainer *trainer)
{
    worker *w = context;
    if (w->job->stop()) return false;
    return seconds_now() - w->saved < w->pause || save(w, trainer, "running");
}

static bool after_epoch(void *context, const rv_trainer *trainer)
{
    worker *w = context;
    const int64_t epochs = rv_trainer_result(trainer)->epochs;
    w->rung_ended = w->trial.rung < w->rungs.count - 1 && epochs >= w->rungs.epochs[w->trial.rung];
    return !w->rung_ended && after_update(context, trainer);
}

/* A damaged checkpoint is not used: the trial begins again, to the same result. */
static void take_up(const worker *w, rv_trainer *trainer)
{
    rv_error ignored = {0};
    if (w->trial.checkpoint)
        rv_trainer_unpack(trainer, w->trial.checkpoint, w->trial.size, &ignored);
}

/* Trains from where the trial is to the end of its rung or run, and writes what came out. Errors of
 * training are those of the trial, in *why; errors of writing are in w->error. */
static bool fit(worker *w, rv_trainer *trainer, rv_error *why)
{
    w->saved = seconds_now();
    w->pause = PAUSE;
    w->rung_ended = false;
    take_up(w, trainer);
    const bool ok = rv_trainer_observe(trainer, (rv_observer){after_update, after_epoch, w}, why) &&
                    rv_trainer_fit(trainer, why);
    const rv_train_result *r = rv_trainer_result(trainer);
    if (w->error.code != RV_OK) return false;
    if (w->trial.lost) return true;
    if (r->diverged) return write_trial(w, trainer, "diverged", why->text, false, &w->error);
    if (!ok) return false;
    const char *state = !r->interrupted ? "done" : w->rung_ended ? "paused" : "waiting";
    return write_trial(w, trainer, state, NULL, r->interrupted, &w->error);
}

static bool make_and_fit(worker *w, rv_error *why)
{
    rv_train_config config;
    if (!sweep_plan_config(w->source->plan, w->trial.settings, w->source->path, &config, why))
        return false;
    config.loop.threads = w->job->threads;
    rv_trainer *trainer = rv_trainer_new_checked(&config, why);
    const bool ok = trainer && fit(w, trainer, why);
    rv_trainer_free(trainer);
    rv_train_config_free(&config);
    return ok;
}

/* Errors of the trial fail it. Without memory it is tried again, last of all, because trials beside
 * it may have taken the memory. Only errors of the database end the worker. */
static bool train(worker *w, rv_error *error)
{
    rv_error why = {0};
    w->error = (rv_error){0};
    if (make_and_fit(w, &why)) return true;
    if (w->error.code == RV_ERROR_MEMORY) {
        why = w->error;
        w->error = (rv_error){0};
    }
    if (w->error.code == RV_OK && why.code == RV_ERROR_MEMORY)
        w->source->retry(w->source->self, &w->trial, why.text, &w->error);
    else if (w->error.code == RV_OK)
        write_trial(w, NULL, "failed", why.text, false, &w->error);
    return w->error.code == RV_OK ||
           rv_fail(error, w->error.code, "trial %" PRId64 ": %-s", w->trial.number, w->error.text);
}

/* ---- all trials ---- */

/* Trials may come from others: from a bracket that they complete, or because they are killed. */
static void wait_for_others(void) { nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL); }

static bool work(worker *w, rv_error *error)
{
    bool left = true;
    while (left && !w->job->stop() && error->code == RV_OK) {
        const bool taken = w->source->take(w->source->self, &w->trial, &left, error);
        if (taken)
            train(w, error);
        else if (left)
            wait_for_others();
        trial_free(&w->trial);
    }
    return error->code == RV_OK;
}

bool worker_run(const worker_job *job, const trial_source *source, rv_error *error)
{
    worker w = {.job = job, .source = source, .rungs = rungs_of(source->plan)};
    w.objective = objective_find(source->plan->objective, error);
    return w.objective && work(&w, error);
}
