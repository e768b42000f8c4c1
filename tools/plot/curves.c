#include "tools/plot/curves.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "train/trainer/run_folder.h"

const char *data_text(const rv_train_config *c, char text[DATA_TEXT])
{
    const char *slash = c->data.path ? strrchr(c->data.path, '/') : NULL;
    const char *name = slash ? slash + 1 : c->data.path ? c->data.path : c->data.task;
    rv_print(text, DATA_TEXT, "%.50s%s%.20s", name, c->data.classes ? " " : "",
             c->data.classes ? c->data.classes : "");
    return text;
}

/* ---- quantities ---- */

typedef enum quantity { TRAINING_LOSS, VALIDATION_LOSS, VALIDATION_SCORE } quantity;

/* The value of a quantity after an epoch. The loss of a text is in bits. */
static double value_of(const rv_source *data, const rv_epoch *row, quantity q)
{
    double unit = rv_source_is_text(data) ? log(2) : 1;
    switch (q) {
    case TRAINING_LOSS: return row->loss / unit;
    case VALIDATION_LOSS: return row->validation_loss / unit;
    case VALIDATION_SCORE:
        return data->classes > 0 ? row->validation_accuracy : row->validation_error;
    }
    return 0;
}

/* Whether loss and score are the same quantity, which is then drawn once. */
static bool loss_is_score(const rv_setup *e)
{
    return e->data.classes == 0 && e->net.loss == RV_LOSS_DEFAULT;
}

static const char *loss_title(const rv_setup *e)
{
    return rv_source_is_text(&e->data) ? "bits per character"
           : loss_is_score(e)          ? "mean squared error"
                                       : "loss";
}

/* The resolution of the axis; of an accuracy, half a validation sample. */
static double finest_of(const rv_setup *e, quantity q)
{
    return q == VALIDATION_SCORE && e->data.classes > 0 ? 0.5 / (double)e->validation.count : 1e-12;
}

/* ---- one run ---- */

static double *values_of(const rv_source *data, const rv_train_result *t, quantity q)
{
    double *values = rv_alloc((size_t)t->epochs, sizeof *values);
    for (int64_t i = 0; values && i < t->epochs; i++) values[i] = value_of(data, &t->history[i], q);
    return values;
}

bool curves_draw(const char *folder, const rv_train_config *c, const rv_setup *e,
                 const rv_train_result *t, rv_error *error)
{
    enum { BLUE, RED };
    const rv_source *data = &e->data;
    char path[RV_PATH], text[DATA_TEXT], title[3 * DATA_TEXT];
    double *loss = values_of(data, t, TRAINING_LOSS),
           *validation = values_of(data, t, VALIDATION_LOSS),
           *score = values_of(data, t, VALIDATION_SCORE);
    chart_line losses[] = {{.label = "training", .colour = RED, .count = t->epochs, .y = loss},
                           {.label = "validation",
                            .colour = BLUE,
                            .count = t->epochs,
                            .y = validation,
                            .mark = t->best_epoch}};
    chart_line scores[] = {{.label = "validation",
                            .colour = BLUE,
                            .count = t->epochs,
                            .y = score,
                            .mark = t->best_epoch}};
    chart_panel panels[] = {{.title = loss_title(e),
                             .finest = finest_of(e, VALIDATION_LOSS),
                             .lines = losses,
                             .count = 2},
                            {.title = data->classes > 0 ? "accuracy, %" : "mean squared error",
                             .axis = data->classes > 0 ? CHART_ACCURACY : CHART_LOG,
                             .finest = finest_of(e, VALIDATION_SCORE),
                             .lines = scores,
                             .count = 1}};
    rv_print(title, sizeof title, "%s on %s, %s: best after epoch %" PRId64, c->net.model,
             data_text(c, text), c->optimizer.name, t->best_epoch);
    bool ok = loss && validation && score;
    if (!ok) rv_fail_memory(error);
    ok = ok && rv_run_folder_path(folder, "curves", path, error) &&
         chart_draw(path, title, "epoch", panels, loss_is_score(e) ? 1 : 2, error);
    rv_free(loss);
    rv_free(validation);
    rv_free(score);
    return ok;
}

/* ---- groups of runs ---- */

typedef struct band {
    double *mean, *low, *high; /* [count] */
    int64_t count;
} band;

static void band_free(band *b)
{
    rv_free(b->mean);
    *b = (band){0};
}

/* Mean, minimum and maximum over the runs, for the epochs that all of them have. */
static bool band_make(band *b, const rv_source *data, const curve_group *g, quantity q,
                      rv_error *error)
{
    *b = (band){.count = g->count > 0 ? g->runs[0].epochs : 0};
    for (int k = 1; k < g->count; k++)
        if (g->runs[k].epochs < b->count) b->count = g->runs[k].epochs;
    b->mean = rv_alloc((size_t)b->count, 3 * sizeof *b->mean);
    if (!b->mean) return rv_fail_memory(error);
    b->low = b->mean + b->count;
    b->high = b->low + b->count;
    for (int64_t i = 0; i < b->count; i++) {
        b->low[i] = INFINITY;
        b->high[i] = -INFINITY;
        for (int k = 0; k < g->count; k++) {
            double value = value_of(data, &g->runs[k].history[i], q);
            b->mean[i] += value / g->count;
            b->low[i] = fmin(b->low[i], value);
            b->high[i] = fmax(b->high[i], value);
        }
    }
    return true;
}

static chart_line line_of(const curve_group *g, const band *b)
{
    bool several = g->count > 1;
    chart_line line = {.colour = g->colour,
                       .dash = g->dash,
                       .count = b->count,
                       .y = b->mean,
                       .low = several ? b->low : NULL,
                       .high = several ? b->high : NULL};
    rv_print(line.label, sizeof line.label, "%s", g->label);
    return line;
}

bool curves_draw_groups(const char *folder, const char *name, const char *title, const rv_setup *e,
                        const curve_group *groups, int count, rv_error *error)
{
    static const quantity drawn[] = {VALIDATION_LOSS, VALIDATION_SCORE};
    const rv_source *data = &e->data;
    char path[RV_PATH], heads[2][CHART_LABEL];
    chart_panel panels[2];
    size_t all = 2 * (size_t)count;
    band *bands = rv_alloc(all, sizeof *bands);
    chart_line *lines = rv_alloc(all, sizeof *lines);
    bool ok = (bands && lines) || rv_fail_memory(error);
    for (int p = 0; ok && p < 2; p++) {
        bool accuracy = drawn[p] == VALIDATION_SCORE && data->classes > 0;
        for (int k = 0; ok && k < count; k++) {
            band *b = &bands[p * count + k];
            ok = band_make(b, data, &groups[k], drawn[p], error);
            if (ok) lines[p * count + k] = line_of(&groups[k], b);
        }
        snprintf(heads[p], CHART_LABEL, p == 0 ? "validation %s" : "%s",
                 p == 0     ? loss_title(e)
                 : accuracy ? "validation accuracy, %"
                            : "validation mean squared error");
        panels[p] = (chart_panel){.title = heads[p],
                                  .axis = accuracy ? CHART_ACCURACY : CHART_LOG,
                                  .finest = finest_of(e, drawn[p]),
                                  .lines = lines + p * count,
                                  .count = count};
    }
    ok = ok && rv_run_folder_path(folder, name, path, error) &&
         chart_draw(path, title, "epoch", panels, loss_is_score(e) ? 1 : 2, error);
    for (size_t i = 0; bands && i < all; i++) band_free(&bands[i]);
    rv_free(bands);
    rv_free(lines);
    return ok;
}
