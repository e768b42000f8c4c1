/* An epoch of updates. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "tensor/clock_internal.h"
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

/* One update. *recording: seconds spent before the run, on recording and compiling its program. */
static bool update(rv_trainer *t, rv_nan_guard *guard, const rv_batch *batch, double *recording,
                   rv_error *error)
{
    rv_run_state *at = &t->result.at;
    char words[64];
    snprintf(words, sizeof words, "epoch %" PRId64 ", batch %" PRId64, at->epoch, at->batch + 1);
    double before = rv_seconds();
    const rv_batch_program *b =
        rv_batch_program_fit(t->update, &t->setup, t->store, batch->count, true, error);
    if (b && isnan(at->squares)) at->squares = rv_parameter_squares(t->store);
    *recording = rv_seconds() - before;
    if (!b) return false;
    size_t bytes = rv_program_statistics(b->program).arena_bytes;
    if (bytes > at->bytes) at->bytes = bytes;
    if (!rv_run_guarded(&t->setup, t->store, b, guard, batch, true, words, error)) return false;
    double loss = rv_value(b->program, 0);
    if (!check_loss(t, loss, error)) return false;
    at->loss_sum += loss * (double)batch->count;
    at->batch++;
    at->seen += batch->count;
    at->learned += batch->count;
    return true;
}

static bool notify_update(rv_trainer *t)
{
    for (int i = 0; i < t->observer_count; i++) {
        const rv_observer *o = &t->observers[i];
        if (o->on_update && !o->on_update(o->context, t)) t->result.interrupted = true;
    }
    return !t->result.interrupted;
}

bool rv_train_epoch(rv_trainer *t, rv_error *error)
{
    rv_run_state *at = &t->result.at;
    rv_nan_guard guard = {0};
    bool ok = rv_loader_start(t->loader, (uint64_t)at->epoch, at->batch, error);
    if (t->setup.carry && at->batch == 0) rv_reset_carried(t->store, "train");
    while (ok) {
        double started = rv_seconds(), recording;
        const rv_batch *batch = rv_loader_next(t->loader, error);
        if (!batch) break;
        ok = update(t, &guard, batch, &recording, error);
        at->seconds += rv_seconds() - started - recording;
        ok = ok && rv_keep_after_update(t, error) && notify_update(t);
    }
    rv_nan_guard_free(&guard);
    return error->code == RV_OK;
}
