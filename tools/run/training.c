#include "tools/run/training.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/run/keeper.h"
#include "tools/cli/progress.h"
#include "tools/run/run_folder.h"
#include "tools/cli/interrupt.h"

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
    return !s->output ||
           (run_folder_best(s->output, path, error) && rv_store_save(store, path, error));
}

static bool finish_epoch(const settings *s, const experiment *e, training_view view,
                         rv_store *store, training *t, rv_error *error)
{
    measurement *held_out = &t->held_out;
    run_place *at = &t->at;
    if (!measure(e, store, &e->held_out, s->batch, held_out, error)) return false;
    epoch_row *row = &t->rows[t->epochs++];
    bool labels = e->whole.classes > 0;
    *row = (epoch_row){at->epoch,
                       at->cost_sum / (double)(at->seen > 0 ? at->seen : 1),
                       held_out->cost,
                       labels ? held_out->accuracy : NAN,
                       labels ? NAN : held_out->error,
                       at->seconds};
    at->epoch++;
    at->batch = at->seen = 0;
    at->cost_sum = 0;
    if (view.lines) print_epoch(e, row);
    if (e->plateau.factor > 0) rv_plateau_observe(&e->plateau, store, held_out->cost, error);
    if (t->best > 0 && row->held_out_cost >= t->rows[t->best - 1].held_out_cost) return true;
    t->best = row->epoch;
    return save_best(s, store, error);
}

typedef struct follower {
    progress bar;
    keeper kept;
} follower;

static bool follow(void *context, rv_error *error)
{
    follower *f = context;
    const run_place *at = &f->kept.t->at;
    progress_paint(&f->bar, at->seen, at->cost_sum / (double)at->seen);
    return keeper_after_update(&f->kept, error) && stop_asked() == 0;
}

/* What is asked for is done, or has been of no use for long enough. */
static bool at_end(const settings *s, const training *t)
{
    return t->epochs >= s->epochs || (s->patience > 0 && t->epochs - t->best >= s->patience);
}

static bool learn(const settings *s, const experiment *e, training_view view, rv_store *store,
                  rv_loader *loader, training *t, rv_error *error)
{
    follower f = {.bar = progress_new(view.bar, view.title ? view.title : "", s->epochs, t->epochs,
                                      e->train.count)};
    if (!keeper_start(&f.kept, s, store, t, error)) return false;
    while (!at_end(s, t) && stop_asked() == 0) {
        progress_start(&f.bar, t->at.epoch);
        bool ok = learn_epoch(e, store, loader, &t->at, follow, &f, error);
        progress_clear(&f.bar);
        if (!ok) return false;
        if (stop_asked() != 0) break;
        if (!finish_epoch(s, e, view, store, t, error) || !keeper_after_epoch(&f.kept, error))
            return false;
    }
    if (!at_end(s, t)) t->stopped = stop_asked();
    t->program_bytes = t->at.bytes;
    t->samples_per_second = (double)t->at.learned / t->at.seconds;
    return keeper_save(&f.kept, error);
}

/* Room for all epochs, and what is done already in it. */
static bool make_rows(training *t, int64_t epochs, rv_error *error)
{
    int64_t room = epochs > t->epochs ? epochs : t->epochs;
    epoch_row *rows = rv_alloc((size_t)room, sizeof *rows);
    if (!rows) return rv_fail_memory(error);
    if (t->epochs > 0) memcpy(rows, t->rows, (size_t)t->epochs * sizeof *rows);
    rv_free(t->rows);
    t->rows = rows;
    return true;
}

static bool measure_end(const settings *s, const experiment *e, rv_store *store, training *t,
                        rv_error *error)
{
    bool measured = t->held_out.samples > 0; /* else there was no epoch left to do */
    bool ok = (measured || measure(e, store, &e->held_out, s->batch, &t->held_out, error)) &&
              measure(e, store, &e->seen, s->batch, &t->train, error) &&
              baseline_find(&e->held_out, &t->without_skill, error);
    return ok;
}

bool training_run(const settings *s, const experiment *e, training_view view, rv_store *store,
                  training *t, rv_error *error)
{
    rv_loader *loader = training_loader(e, s->batch, rv_seed((uint64_t)s->seed, "order"), error);
    if (t->at.epoch == 0) t->at.epoch = 1;
    bool ok =
        loader && make_rows(t, s->epochs, error) && learn(s, e, view, store, loader, t, error);
    if (ok && t->stopped == 0) ok = measure_end(s, e, store, t, error);
    t->diverged = !ok && error->code == RV_ERROR_NUMBER;
    if (ok) rv_store_digest(store, t->digest);
    rv_loader_free(loader);
    return ok;
}

void training_free(training *t)
{
    rv_free(t->rows);
    t->rows = NULL;
}
