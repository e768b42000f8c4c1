#include "tools/command/experiment_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/cli/json.h"
#include "tools/cli/say.h"
#include "tools/plot/scatter.h"

/* ---- results ---- */

/* A tenth of the error of an answer that ignores x. */
static bool find_threshold(const search *w, const experiment *e, double *threshold, rv_error *error)
{
    rv_baseline b;
    if (!experiment_is(e, "trainability")) return true;
    rv_trainer *trainer = search_specimen(w, error);
    const bool ok = trainer && rv_baseline_find(&rv_trainer_setup(trainer)->validation, &b, error);
    if (ok) *threshold = b.loss / 10;
    rv_trainer_free(trainer);
    return ok;
}

static bool read_groups(search *w, const experiment_plan *p, double threshold, group *groups,
                        rv_error *error)
{
    const int count = experiment_groups(p), models = p->models.count, sizes = p->sizes.count;
    for (int i = 0; i < count; i++)
        groups[i] = (group){.model = i % models,
                            .size = i / models % sizes,
                            .layers = i / models / sizes,
                            .value = NAN};
    sqlite3_stmt *query = database_query(
        &w->database, error,
        "SELECT number, state, objective, parameters, coalesce(settings ->> 'samples', (SELECT "
        "value ->> 'samples' FROM sweep WHERE key = 'options')), (SELECT "
        "max(validation_accuracy) FROM epoch WHERE trial = number) FROM trial WHERE state IN "
        "('done', 'diverged', 'failed') AND number BETWEEN ? AND ?",
        "ii", w->range.first, w->range.last);
    while (database_next(&w->database, query, error)) {
        group *g = &groups[sqlite3_column_int64(query, 0) % count];
        const char *state = (const char *)sqlite3_column_text(query, 1);
        const bool valued = sqlite3_column_type(query, 2) != SQLITE_NULL;
        const outcome t = {.diverged = state && strcmp(state, "diverged") == 0,
                           .objective = valued ? sqlite3_column_double(query, 2) : NAN,
                           .parameters = sqlite3_column_int64(query, 3),
                           .samples = sqlite3_column_double(query, 4),
                           .accuracy = sqlite3_column_double(query, 5)};
        if (state && strcmp(state, "failed") == 0) {
            g->untrainable++;
            continue;
        }
        g->ended++;
        g->failed += t.diverged;
        p->of->count(g, &t, threshold);
    }
    return error->code == RV_OK;
}

static void print_groups(const experiment_plan *p, const group *groups, double threshold)
{
    const bool bits = experiment_is(p->of, "capacity"),
               shares = experiment_is(p->of, "trainability");
    if (shares)
        say(stdout, "a setting fails if it diverges or its error stays above %.4g\n", threshold);
    say(stdout, "%-16s %6s %10s %10s %6s %8s", "model", "layers",
        bits || shares ? "budget" : "units", "parameters", "trials", shares ? "fail" : "diverge");
    say(stdout,
        bits     ? "  %8s %8s %9s  bits/parameter\n"
        : shares ? "  share  95 %% interval\n"
                 : "         error\n",
        "samples", "accuracy", "bits");
    for (const group *g = groups; g < groups + experiment_groups(p); g++) {
        if (g->ended == 0) {
            say(stdout, "%-16s %6s %10s %10s %6d  not trained\n", p->models.item[g->model],
                p->layers.item[g->layers], p->sizes.item[g->size], "-", 0);
            continue;
        }
        say(stdout, "%-16s %6s %10s %10" PRId64 " %6" PRId64 " %8" PRId64, p->models.item[g->model],
            p->layers.item[g->layers], p->sizes.item[g->size], g->parameters, g->ended, g->failed);
        if (isnan(g->value))
            say(stdout, "  -\n");
        else if (bits)
            say(stdout, "  %8.0f %6.2f %% %9.0f  %.2f\n", g->samples, 100 * g->accuracy, g->bits,
                g->value);
        else if (shares)
            say(stdout, "  %5.2f  %.2f to %.2f\n", g->value, g->low, g->high);
        else
            say(stdout, "  %12.4g\n", g->value);
    }
}

static bool print_json(const experiment_plan *p, const group *groups, rv_error *error)
{
    cJSON *all = cJSON_CreateArray();
    for (const group *g = groups; g < groups + experiment_groups(p); g++) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "model", p->models.item[g->model]);
        cJSON_AddNumberToObject(object, "layers", atof(p->layers.item[g->layers]));
        cJSON_AddNumberToObject(object, strcmp(p->of->size, "units") == 0 ? "units" : "budget",
                                atof(p->sizes.item[g->size]));
        json_add_number(object, "parameters", g->ended > 0 ? (double)g->parameters : NAN);
        cJSON_AddNumberToObject(object, "trials", (double)g->ended);
        cJSON_AddNumberToObject(object, experiment_is(p->of, "trainability") ? "fail" : "diverge",
                                (double)g->failed);
        cJSON_AddNumberToObject(object, "untrainable", (double)g->untrainable);
        json_add_number(object, p->of->value, g->value);
        if (experiment_is(p->of, "capacity")) {
            json_add_number(object, "samples", g->samples);
            json_add_number(object, "accuracy", g->accuracy);
            json_add_number(object, "bits", g->bits);
        }
        if (experiment_is(p->of, "trainability")) {
            json_add_number(object, "low", g->low);
            json_add_number(object, "high", g->high);
        }
        cJSON_AddItemToArray(all, object);
    }
    return json_print(all, error);
}

/* A panel for each number of layers. In it a line over the sizes for each model or, of one size, a
 * point for each model. */
static bool draw(const experiment_plan *p, const group *groups, const char *path, rv_error *error)
{
    const int models = p->models.count, sizes = p->sizes.count, layers = p->layers.count;
    const bool named = sizes == 1, shares = experiment_is(p->of, "trainability");
    const int lines = named ? 1 : models, points = named ? models : sizes;
    const size_t count = (size_t)experiment_groups(p);
    double *x = rv_alloc(4 * count, sizeof *x), *y = x ? x + count : NULL,
           *low = x ? y + count : NULL, *high = x ? low + count : NULL;
    scatter_series *series = rv_alloc((size_t)(lines * layers), sizeof *series);
    scatter_panel *panels = rv_alloc((size_t)layers, sizeof *panels);
    char(*across)[64] = rv_alloc((size_t)layers, sizeof *across);
    const bool room = x && series && panels && across;
    for (size_t i = 0; room && i < count; i++) {
        const group *g = &groups[i];
        const int line = g->layers * lines + (named ? 0 : g->model);
        const int at = line * points + (named ? g->model : g->size);
        x[at] = named ? g->model : atof(p->sizes.item[g->size]);
        y[at] = g->value;
        low[at] = g->low;
        high[at] = g->high;
        series[line] = (scatter_series){.label = named ? NULL : p->models.item[g->model],
                                        .count = points,
                                        .x = x + line * points,
                                        .y = y + line * points,
                                        .low = shares ? low + line * points : NULL,
                                        .high = shares ? high + line * points : NULL,
                                        .joined = !named};
    }
    for (int l = 0; room && l < layers; l++) {
        snprintf(across[l], sizeof across[l], "%s%s%s, %s layer%s", named ? p->sizes.item[0] : "",
                 named ? " " : "", p->of->size, p->layers.item[l],
                 strcmp(p->layers.item[l], "1") == 0 ? "" : "s");
        panels[l] = (scatter_panel){.across = across[l],
                                    .of = named ? p->models.item : NULL,
                                    .names = models,
                                    .log = !named && strcmp(p->of->size, "units") != 0,
                                    .series = series + l * lines,
                                    .count = lines};
    }
    const bool ok = room ? scatter_draw(path, p->of->name, p->of->up,
                                        experiment_is(p->of, "memory"), panels, layers, error)
                         : rv_fail_memory(error);
    rv_free(x);
    rv_free(series);
    rv_free(panels);
    rv_free(across);
    return ok;
}

/* Settings that do not fit together are no part of the result, but are reported, each reason
 * once. */
static bool warn_failed(search *w, const experiment_plan *p, rv_error *error)
{
    sqlite3_stmt *query = database_query(
        &w->database, error,
        "SELECT count(*), min(number), message FROM trial WHERE state = 'failed' AND "
        "number BETWEEN ? AND ? GROUP BY message ORDER BY 2",
        "ii", w->range.first, w->range.last);
    while (database_next(&w->database, query, error)) {
        const int64_t count = sqlite3_column_int64(query, 0),
                      first = sqlite3_column_int64(query, 1);
        if (p->is_left_out[first % experiment_groups(p)]) continue; /* has been said */
        const char *message = (const char *)sqlite3_column_text(query, 2);
        rv_error text = {0};
        rv_fail(&text, RV_ERROR_ARGUMENT,
                count == 1 ? "%" PRId64 " trial could not be trained and does not count: trial "
                             "%" PRId64 ": %-.800s"
                           : "%" PRId64 " trials could not be trained and do not count, such as "
                             "trial %" PRId64 ": %-.800s",
                count, first, message ? message : "");
        command_warn(w->page, text.text);
    }
    return error->code == RV_OK;
}

bool experiment_report(search *w, const experiment_plan *p, experiment_form form, const char *plot,
                       rv_error *error)
{
    double threshold = NAN;
    group *groups = rv_alloc((size_t)experiment_groups(p), sizeof *groups);
    bool ok = groups ? find_threshold(w, p->of, &threshold, error) &&
                           read_groups(w, p, threshold, groups, error)
                     : rv_fail_memory(error);
    ok = ok && warn_failed(w, p, error);
    if (ok && form == EXPERIMENT_CSV) {
        const sweep_report trials = search_report(w);
        ok = sweep_print_csv(&trials, error);
    } else if (ok && form == EXPERIMENT_JSON) {
        ok = print_json(p, groups, error);
    } else if (ok) {
        print_groups(p, groups, threshold);
    }
    fflush(stdout);
    ok = ok && (!plot || draw(p, groups, plot, error));
    rv_free(groups);
    return ok;
}
