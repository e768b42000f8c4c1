#include "train/metrics.h"

#include <math.h>

#include "data/loader.h"
#include "tensor/needs_internal.h"
#include "train/trainer/nan_guard.h"

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

static bool measure_batches(const rv_setup *s, rv_store *store, rv_batch_program two[2],
                            rv_loader *loader, rv_metrics *m, rv_error *error)
{
    rv_nan_guard guard = {0};
    rv_error why = {0};
    bool ok = true;
    if (s->carry) rv_reset_carried(store, "measure");
    const rv_batch *batch;
    while (ok && (batch = rv_loader_next(loader, &why))) {
        const rv_batch_program *b = rv_batch_program_fit(two, s, store, batch->count, false, &why);
        ok = b && rv_run_guarded(s, store, b, &guard, batch, false, "measuring", &why);
        if (!ok) break;
        int64_t before = m->answers;
        judge(s, batch, rv_program_output(b->program, 1), m);
        m->samples += batch->count;
        m->loss += rv_value(b->program, 0) * (double)(m->answers - before);
    }
    ok = why.code == RV_OK || rv_fail(error, why.code, "%-s", why.text);
    rv_nan_guard_free(&guard);
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
    *m = (rv_metrics){0};
    rv_loader *loader = rv_loader_new(data, &options, error);
    bool averaged = s->optimizer.average > 0 && rv_swap_averages(store);
    bool ok = loader && measure_batches(s, store, two, loader, m, error);
    if (averaged) rv_swap_averages(store);
    rv_loader_free(loader);
    if (!ok) return false;
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
