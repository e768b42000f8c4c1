/* An epoch of updates. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "tensor/clock_internal.h"
#include "train/trainer/leaves.h"
#include "train/trainer/nan_guard.h"
#include "train/trainer/trainer.h"

double rv_parameter_squares(const rv_store *store)
{
    double sum = 0;
    for (size_t i = 0; i < rv_store_count(store); i++) {
        const rv_entry *entry = rv_store_at(store, i);
        int64_t count = entry->role == RV_PARAMETER ? rv_tensor_count(&entry->tensor) : 0;
        for (int64_t k = 0; k < count; k++) {
            double value = rv_tensor_get(&entry->tensor, k);
            sum += value * value;
        }
    }
    return sum;
}

static bool check_loss(const rv_trainer *t, double loss, rv_error *error)
{
    const rv_run_state *at = &t->result.at;
    return isfinite(loss) ||
           rv_fail(error, RV_ERROR_NUMBER,
                   "the loss became %s in epoch %" PRId64 " at sample %" PRId64
                   "; try a lower `learning-rate` than %g, or `anomaly` to see where it comes from",
                   isnan(loss) ? "NaN" : "infinite", at->epoch, at->seen,
                   t->setup.optimizer.learning_rate);
}

/* One update of a batch that is not cut. *recording: seconds spent on recording and compiling its
 * program. */
static bool update_whole(rv_trainer *t, rv_nan_guard *guard, const rv_batch *batch,
                         const char *words, double *loss, double *recording, rv_error *error)
{
    rv_run_state *at = &t->result.at;
    double before = rv_seconds();
    const rv_batch_program *b =
        batch ? rv_batch_program_fit(t->update, &t->setup, t->store, batch->count, true, error)
              : NULL;
    *recording = rv_seconds() - before;
    if (!b) return false;
    if (isnan(at->squares)) at->squares = rv_parameter_squares(t->store);
    size_t bytes = rv_program_statistics(b->program).arena_bytes;
    if (bytes > at->bytes) at->bytes = bytes;
    if (!rv_run_guarded(&t->setup, t->store, b, guard, batch, true, words, error)) return false;
    *loss = rv_value(b->program, 0);
    return true;
}

/* One update from the leaves of a batch, of all ranks. */
static bool update_leaves(rv_trainer *t, rv_nan_guard *guard, const rv_batch *batch,
                          const char *words, double *loss, double *recording, rv_error *error)
{
    rv_run_state *at = &t->result.at;
    bool stop = t->stop;
    if (isnan(at->squares)) at->squares = rv_parameter_squares(t->store);
    if (!rv_leaves_update(t->leaves, guard, batch, words, loss, recording, &stop, error))
        return false;
    t->result.interrupted = stop;
    size_t bytes = rv_leaves_bytes(t->leaves);
    if (bytes > at->bytes) at->bytes = bytes;
    return true;
}

static bool update(rv_trainer *t, rv_nan_guard *guard, rv_error *error)
{
    rv_run_state *at = &t->result.at;
    char words[64];
    snprintf(words, sizeof words, "epoch %" PRId64 ", batch %" PRId64, at->epoch, at->batch + 1);
    double started = rv_seconds(), recording = 0, loss = 0;
    const rv_batch *batch = error->code == RV_OK ? rv_loader_next(t->loader, error) : NULL;
    if (!(t->leaves ? update_leaves : update_whole)(t, guard, batch, words, &loss, &recording,
                                                    error) ||
        !check_loss(t, loss, error))
        return false;
    at->loss_sum += loss * (double)batch->count;
    at->batch++;
    at->seen += batch->count;
    at->learned += batch->count;
    at->seconds += rv_seconds() - started - recording;
    return true;
}

/* A rank's wish to stop is known to the others after the next update. */
static void notify_update(rv_trainer *t)
{
    for (int i = 0; i < t->observer_count; i++) {
        const rv_observer *o = &t->observers[i];
        if (o->on_update && !o->on_update(o->context, t)) t->stop = true;
    }
    if (!t->setup.collective) t->result.interrupted = t->stop;
}

/* A rank that has failed between two updates makes the next one fail for all. */
bool rv_train_epoch(rv_trainer *t, rv_error *error)
{
    rv_run_state *at = &t->result.at;
    rv_nan_guard guard = {0};
    const int64_t batches = rv_loader_batches(t->loader);
    rv_loader_start(t->loader, (uint64_t)at->epoch, at->batch, error);
    if (t->setup.carry && at->batch == 0) rv_reset_carried(t->store, "train");
    while (at->batch < batches && !t->result.interrupted) {
        if (!update(t, &guard, error)) break;
        if (rv_keep_after_update(t, error)) notify_update(t);
    }
    rv_nan_guard_free(&guard);
    return rv_trainer_agree(t, error);
}
