#include "tools/run/learning.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "tensor/memory.h"
#include "tools/machine/timing.h"
#include "tools/run/watch.h"

/* Runs, watched if that is asked for, what the words say. */
static bool run_watched(const experiment *e, rv_store *store, const batch_program *b, watch *w,
                        const rv_batch *batch, bool learn, const char *words, rv_error *error)
{
    if (!e->anomaly) return batch_program_run(b, batch, error);
    return watch_keep(w, store, error) && batch_program_run(b, batch, error) &&
           watch_look(w, e, store, b, batch, learn, words, error);
}

/* ---- learning ---- */

rv_loader *training_loader(const experiment *e, int64_t batch, uint64_t seed, rv_error *error)
{
    int64_t most = e->train.count;
    rv_loader_options options = {.batch_size = batch < most ? batch : most,
                                 .seed = seed,
                                 .contiguous = e->carry,
                                 .drop_last = e->carry,
                                 .prefetch = e->ahead};
    return rv_loader_new(&e->train, &options, error);
}

static bool check_cost(const experiment *e, const run_place *at, double cost, rv_error *error)
{
    return isfinite(cost) ||
           rv_fail(error, RV_ERROR_NUMBER,
                   "the cost became %s in epoch %" PRId64 " at sample %" PRId64
                   "; try a lower --rate than %g, or --anomaly to see where it comes from",
                   isnan(cost) ? "NaN" : "infinite", at->epoch, at->seen,
                   e->optimizer.learning_rate);
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* One update; *recording gets the time that its program took to be made. */
static bool learn_batch(const experiment *e, rv_store *store, batch_program *b, watch *w,
                        const rv_batch *batch, run_place *at, double *recording, rv_error *error)
{
    char words[64] = "";
    if (e->anomaly)
        snprintf(words, sizeof words, "epoch %" PRId64 ", batch %" PRId64, at->epoch,
                 at->batch + 1);
    double before = seconds_now();
    bool ok = batch_program_fit(b, e, store, batch->count, true, error);
    *recording = seconds_now() - before;
    if (ok) at->bytes = larger(at->bytes, rv_program_statistics(b->program).arena_bytes);
    if (!ok || !run_watched(e, store, b, w, batch, true, words, error)) return false;
    double cost = rv_value(b->program, 0);
    at->cost_sum += cost * (double)batch->count;
    if (!check_cost(e, at, cost, error)) return false;
    at->batch++;
    at->seen += batch->count;
    at->learned += batch->count;
    return true;
}

bool learn_epoch(const experiment *e, rv_store *store, rv_loader *loader, run_place *at,
                 on_update then, void *context, rv_error *error)
{
    batch_program b = {0};
    watch w = {0};
    bool ok = rv_loader_start(loader, (uint64_t)at->epoch, at->batch, error);
    if (e->carry && at->batch == 0) rv_reset_carried(store, "train");
    while (ok) {
        double started = seconds_now(), recording;
        const rv_batch *batch = rv_loader_next(loader, error);
        if (!batch) break;
        ok = learn_batch(e, store, &b, &w, batch, at, &recording, error);
        at->seconds += seconds_now() - started - recording;
        ok = ok && then(context, error);
    }
    watch_free(&w);
    rv_program_free(b.program);
    return error->code == RV_OK;
}

/* ---- measuring ---- */

/* The class that a row of logits [classes], or of one, speaks for. */
static int64_t answer_of(const rv_tensor *logits, int64_t row, int64_t width)
{
    if (width == 1) return rv_tensor_get(logits, row) > 0;
    int64_t best = 0;
    for (int64_t c = 1; c < width; c++)
        if (rv_tensor_get(logits, row * width + c) > rv_tensor_get(logits, row * width + best))
            best = c;
    return best;
}

static void judge_label(measurement *m, int64_t label, int64_t answer)
{
    m->correct += label == answer;
    if (label < MOST_CONFUSED && answer < MOST_CONFUSED) m->confusion[label][answer]++;
}

/* Compares the net's outputs with y, step by step of each sample where there are steps. */
static void judge(const experiment *e, const rv_batch *batch, const rv_tensor *output,
                  measurement *m)
{
    const rv_source *data = &e->whole;
    int64_t steps = data->each_step ? data->y.dim[0] : 1;
    int64_t width = rv_tensor_count(output) / (batch->count * steps);
    for (int64_t i = 0; i < batch->count * steps; i++) {
        bool counts = !data->each_step || !data->lengths ||
                      (double)(i % steps) < rv_tensor_get(&batch->length, i / steps);
        if (!counts) continue;
        m->answers++;
        if (data->classes > 0) {
            judge_label(m, (int64_t)rv_tensor_get(&batch->y, i), answer_of(output, i, width));
            continue;
        }
        for (int64_t j = i * width; j < (i + 1) * width; j++) {
            double off = rv_tensor_get(output, j) - rv_tensor_get(&batch->y, j);
            m->error += off * off / (double)width;
        }
    }
}

static bool measure_batches(const experiment *e, rv_store *store, rv_loader *loader, measurement *m,
                            rv_error *error)
{
    batch_program b = {0};
    watch w = {0};
    bool ok = true;
    if (e->carry) rv_reset_carried(store, "measure");
    while (ok) {
        const rv_batch *batch = rv_loader_next(loader, error);
        if (!batch) break;
        ok = batch_program_fit(&b, e, store, batch->count, false, error) &&
             run_watched(e, store, &b, &w, batch, false, "measuring", error);
        if (!ok) break;
        int64_t before = m->answers;
        judge(e, batch, rv_program_output(b.program, 1), m);
        m->samples += batch->count;
        m->cost += rv_value(b.program, 0) * (double)(m->answers - before);
    }
    watch_free(&w);
    rv_program_free(b.program);
    return error->code == RV_OK;
}

bool measure(const experiment *e, rv_store *store, const rv_source *data, int64_t batch,
             measurement *m, rv_error *error)
{
    rv_loader_options options = {.batch_size = batch < data->count ? batch : data->count,
                                 .in_order = !e->carry,
                                 .contiguous = e->carry,
                                 .drop_last = e->carry};
    *m = (measurement){0};
    rv_loader *loader = rv_loader_new(data, &options, error);
    bool averaged = e->optimizer.average > 0 && rv_swap_averages(store);
    bool ok = loader && measure_batches(e, store, loader, m, error);
    if (averaged) rv_swap_averages(store);
    rv_loader_free(loader);
    if (!ok) return false;
    double answers = (double)(m->answers > 0 ? m->answers : 1);
    m->cost /= answers;
    m->error /= answers;
    m->accuracy = (double)m->correct / answers;
    return isfinite(m->cost) ||
           rv_fail(error, RV_ERROR_NUMBER,
                   "the cost is %f; these parameters are of no use, train with a lower --rate",
                   m->cost);
}
