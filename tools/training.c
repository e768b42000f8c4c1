#include "tools/training.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "tensor/memory.h"
#include "tools/progress.h"
#include "tools/run_folder.h"

const char *score_text(const rv_source *data, double cost, double accuracy, double error,
                       char text[SCORE_TEXT])
{
    if (is_text(data))
        snprintf(text, SCORE_TEXT, "%.3f bits per character", cost / log(2));
    else if (data->classes > 0)
        snprintf(text, SCORE_TEXT, "%.2f %%", 100 * accuracy);
    else
        snprintf(text, SCORE_TEXT, "error %.4g", error);
    return text;
}

static void print_epoch(const experiment *e, const epoch_row *row)
{
    char score[SCORE_TEXT];
    printf("epoch %3" PRId64 "  cost %-10.5g held out: cost %-10.5g %s\n", row->epoch, row->cost,
           row->held_out_cost,
           score_text(&e->whole, row->held_out_cost, row->held_out_accuracy, row->held_out_error,
                      score));
    fflush(stdout);
}

static bool save_best(const settings *s, rv_store *store, rv_error *error)
{
    char path[PATH_TEXT];
    return s->output == NULL ||
           (run_folder_best(s->output, path, error) && rv_store_save(store, path, error));
}

static bool finish_epoch(const settings *s, const experiment *e, training_view view,
                         rv_store *store, const epoch_plan *plan, training *t, rv_error *error)
{
    measurement *held_out = &t->held_out;
    if (!measure(e, store, &e->held_out, s->batch, held_out, error)) return false;
    epoch_row *row = &t->rows[t->epochs++];
    bool labels = e->whole.classes > 0;
    *row = (epoch_row){plan->epoch,
                       plan->cost,
                       held_out->cost,
                       labels ? held_out->accuracy : NAN,
                       labels ? NAN : held_out->error,
                       plan->seconds};
    if (view.lines) print_epoch(e, row);
    if (e->plateau.factor > 0) rv_plateau_observe(&e->plateau, store, held_out->cost, error);
    if (t->best > 0 && row->held_out_cost >= t->rows[t->best - 1].held_out_cost) return true;
    t->best = row->epoch;
    return save_best(s, store, error);
}

static bool learn(const settings *s, const experiment *e, training_view view, rv_store *store,
                  rv_loader *loader, training *t, rv_error *error)
{
    progress bar = progress_new(view.bar, view.title ? view.title : "", s->epochs, e->train.count);
    epoch_plan plan = {.progress = progress_paint, .context = &bar};
    int64_t seen = 0;
    for (int64_t epoch = 1; epoch <= s->epochs; epoch++) {
        plan.epoch = epoch;
        progress_start(&bar, epoch);
        bool ok = learn_epoch(e, store, loader, &plan, error);
        progress_clear(&bar);
        seen += plan.seen;
        t->diverged = !isfinite(plan.cost);
        if (!ok || !finish_epoch(s, e, view, store, &plan, t, error)) return false;
        if (s->patience > 0 && epoch - t->best >= s->patience) break;
    }
    t->program_bytes = plan.bytes;
    t->samples_per_second = (double)seen / plan.seconds;
    return true;
}

bool training_run(const settings *s, const experiment *e, training_view view, rv_store *store,
                  training *t, rv_error *error)
{
    *t = (training){0};
    rv_loader *loader = training_loader(e, s->batch, rv_seed((uint64_t)s->seed, "order"), error);
    t->rows = rv_alloc((size_t)s->epochs, sizeof *t->rows);
    bool ok = loader != NULL && (t->rows != NULL || rv_fail_memory(error));
    ok = ok && learn(s, e, view, store, loader, t, error) &&
         measure(e, store, &e->seen, s->batch, &t->train, error) &&
         baseline_find(&e->held_out, &t->without_skill, error);
    t->diverged = t->diverged || !isfinite(t->held_out.cost) || !isfinite(t->train.cost);
    if (ok) rv_store_digest(store, t->digest);
    rv_loader_free(loader);
    return ok;
}

void training_free(training *t)
{
    rv_free(t->rows);
    t->rows = NULL;
}
