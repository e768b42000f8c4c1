#include "train/metrics.h"

#include <math.h>

#include "data/loader.h"
#include "ops/random_internal.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"
#include "train/trainer/nan_guard.h"
#include "train/trainer/ranks.h"

/* What ranks add up: the counts of rv_metrics, then the loss and the error of each batch, summed in
 * the order of batches so that the bits do not depend on the number of ranks. */
enum { CLASSES = RV_CONFUSION_CLASSES, COUNTS = 3 + CLASSES * CLASSES };

/* The class with the largest logit. */
static int64_t answer_of(const rv_tensor *output, int64_t width, int64_t row, int64_t classes)
{
    int64_t best = 0;
    for (int64_t k = 1; k < classes; k++)
        if (rv_net_logit(output, width, row, k) > rv_net_logit(output, width, row, best)) best = k;
    return best;
}

static void judge_label(rv_metrics *m, int64_t label, int64_t answer)
{
    m->correct += label == answer;
    if (label < RV_CONFUSION_CLASSES && answer < RV_CONFUSION_CLASSES)
        m->confusion[label][answer]++;
}

/* Compares the net's outputs with y, step by step of each sample where there are steps. */
static void judge(const rv_setup *s, const rv_batch *batch, const rv_tensor *output, rv_metrics *m)
{
    const rv_source *data = &s->data;
    int64_t steps = data->each_step ? data->y.dim[0] : 1;
    int64_t width = rv_tensor_count(output) / (batch->count * steps);
    for (int64_t i = 0; i < batch->count * steps; i++) {
        bool counts = !data->each_step || !data->lengths ||
                      (double)(i % steps) < rv_tensor_get(&batch->length, i / steps);
        if (!counts) continue;
        m->answers++;
        if (data->classes > 0) {
            judge_label(m, (int64_t)rv_tensor_get(&batch->y, i),
                        answer_of(output, width, i, data->classes));
            continue;
        }
        for (int64_t j = i * width; j < (i + 1) * width; j++) {
            double off = rv_tensor_get(output, j) - rv_tensor_get(&batch->y, j);
            m->error += off * off / (double)width;
        }
    }
}

/* Measures this rank's batches: one in `size`. */
static bool measure_batches(const rv_setup *s, rv_store *store, rv_batch_program two[2],
                            rv_loader *loader, rv_metrics *m, double *sums, rv_error *error)
{
    const rv_collective *c = s->collective;
    const int64_t batches = rv_loader_batches(loader), random = rv_random_count(store);
    rv_nan_guard guard = {0};
    bool ok = true;
    if (s->carry) rv_reset_carried(store, "measure");
    for (int64_t i = c ? c->rank : 0; ok && i < batches; i += c ? c->size : 1) {
        const rv_batch *batch =
            !c || rv_loader_start(loader, 0, i, error) ? rv_loader_next(loader, error) : NULL;
        const rv_batch_program *b =
            batch ? rv_batch_program_fit(two, s, store, batch->count, false, error) : NULL;
        if (s->leaves) rv_random_set_count(store, random + i);
        ok = b && rv_run_guarded(s, store, b, &guard, batch, false, "measuring", error);
        if (!ok) break;
        int64_t before = m->answers;
        m->error = 0;
        judge(s, batch, rv_program_output(b->program, 1), m);
        m->samples += batch->count;
        sums[2 * i] = rv_value(b->program, 0) * (double)(m->answers - before);
        sums[2 * i + 1] = m->error;
    }
    if (s->leaves) rv_random_set_count(store, random + batches);
    rv_nan_guard_free(&guard);
    return ok;
}

/* The counts, as numbers that ranks can add, or back. */
static void count(rv_metrics *m, double *numbers, bool back)
{
    int64_t *counts[COUNTS] = {&m->samples, &m->answers, &m->correct};
    for (int i = 3; i < COUNTS; i++)
        counts[i] = &m->confusion[(i - 3) / CLASSES][(i - 3) % CLASSES];
    for (int i = 0; i < COUNTS; i++)
        if (back)
            *counts[i] = (int64_t)numbers[i];
        else
            numbers[i] = (double)*counts[i];
}

static bool measure(const rv_setup *s, rv_store *store, rv_batch_program two[2], rv_loader *loader,
                    rv_metrics *m, rv_error *error)
{
    const size_t batches = (size_t)rv_loader_batches(loader), size = COUNTS + 2 * batches;
    double *numbers = loader ? rv_alloc(2 * size, sizeof *numbers) : NULL;
    bool stop = false;
    if (loader && !numbers) rv_fail_memory(error);
    if (numbers) {
        bool averaged = s->optimizer.average > 0 && rv_swap_averages(store);
        measure_batches(s, store, two, loader, m, numbers + COUNTS, error);
        if (averaged) rv_swap_averages(store);
        count(m, numbers, false);
    }
    bool ok = rv_ranks_agree(s->collective, &stop, error) &&
              rv_ranks_sum(s->collective, numbers, numbers + size, size, error);
    if (ok) count(m, numbers, true);
    m->error = 0;
    for (size_t i = 0; ok && i < batches; i++) {
        m->loss += numbers[COUNTS + 2 * i];
        m->error += numbers[COUNTS + 2 * i + 1];
    }
    rv_free(numbers);
    return ok;
}

bool rv_measure(const rv_setup *s, rv_store *store, rv_batch_program two[2], const rv_source *data,
                int64_t batch_size, rv_metrics *m, rv_error *error)
{
    if (!RV_NEEDS(error, s, store, two, data, m)) return false;
    if (!RV_NEEDS(error, s->model)) return false;
    rv_loader_options options = {.batch_size = batch_size < data->count ? batch_size : data->count,
                                 .in_order = !s->carry,
                                 .contiguous = s->carry,
                                 .drop_last = s->carry};
    rv_error why = {0};
    *m = (rv_metrics){0};
    rv_loader *loader = rv_loader_new(data, &options, &why);
    bool ok = measure(s, store, two, loader, m, &why);
    rv_loader_free(loader);
    if (!ok) return rv_fail(error, why.code, "%-s", why.text);
    double answers = (double)(m->answers > 0 ? m->answers : 1);
    m->loss /= answers;
    m->error = s->model->record && s->data.classes == 0 ? m->loss : m->error / answers;
    m->accuracy = (double)m->correct / answers;
    return isfinite(m->loss) ||
           rv_fail(
               error, RV_ERROR_NUMBER,
               "the loss is %f; these parameters are useless, train with a lower `learning-rate`",
               m->loss);
}
