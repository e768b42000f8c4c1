/* recurve compare */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "tools/cli/json.h"
#include "tools/cli/reading.h"
#include "tools/cli/say.h"
#include "tools/command/commands.h"
#include "tools/command/comparison.h"
#include "tools/plot/curves.h"
#include "tools/plot/gnuplot.h"
#include "train/trainer/run_folder.h"
#include "train/text_file_internal.h"

/* ---- options: those of `recurve train`, with lists for names ---- */

typedef struct compare_options {
    rv_train_config config;
    const char *models, *optimizers, *gradients, *initial, *sort;
    int64_t seeds;
    bool plot, json, quiet;
} compare_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(compare_options, field, name, argument, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(models, "models", "MODEL,..", TEXT,
        "the cells: curnn,gru,lstm (default: the data's), see\n"
        "`recurve models`; my.rv, my.rv:NAME: from files",
        .alias = "model"),
    ROW(optimizers, "optimizers", "OPTIMIZER,..", TEXT,
        "the optimizers: momentum,adam (default: the task's), see\n`recurve optimizers`",
        .alias = "optimizer"),
    ROW(gradients, "gradients", "TITLE,..", TEXT,
        "derivations of the models' files: the updates use the\n"
        "gradients that these state, right or wrong; autodiff: those\nthat are recorded"),
    ROW(config.loop.output, "output", "DIR", TEXT,
        "write compare.csv there, and keep each run as `recurve\n"
        "train` does in DIR/MODEL-OPTIMIZER, with -TITLE of the\ngradients, and with -SEED if "
        "there are several"),
    ROW(seeds, "seeds", "N", WHOLE,
        "runs of each, with seeds --seed, --seed + 1, ...\n(default: 1)", .low = 1, .high = 1000,
        .group = "The command"),
    ROW(initial, "init", "FILE", TEXT,
        "start all from the parameters in this safetensors file, as\n`recurve train` does"),
    ROW(plot, "plot", NULL, FLAG,
        "draw the learning curves of all into the output folder,\n"
        "compare.svg and compare.png, and those of each run"),
    ROW(sort, "sort", "given|score", TEXT,
        "order of the rows: as given (default), or the best score first"),
    ROW(json, "json", NULL, FLAG, "print one JSON document instead of text"),
    ROW(quiet, "quiet", NULL, FLAG, "print the table only"),
};

static bool is_common(const char *key) { return strcmp(key, "anomaly") != 0; }

static exit_status run(int argc, char **argv, rv_error *error);

const command command_compare = {
    .name = "compare",
    .run = run,
    .summary = "train several cells and optimizers on the same data",
    .synopsis = "--models MODEL,.. [--optimizers OPTIMIZER,..] [OPTION]...",
    .description =
        "Trains every cell of a list with every optimizer of another, and with every derivation\n"
        "of --gradients, and prints a row for each: the number of parameters; the validation "
        "score\n"
        "in the epoch with the least validation loss, and in the last; the number of that best\n"
        "epoch; training samples per second. The last row is a baseline, the score of an answer\n"
        "that ignores x. With several seeds the numbers are means, and scores have their standard\n"
        "deviation; \"best\" marks the rows whose score is within two standard errors of the "
        "best.\n"
        "With one seed no row is marked. Each run is exactly that of `recurve train` with the "
        "same\n"
        "options. A run that diverges makes a row \"diverged\"; the others continue.\n",
    OPTIONS(options),
    .configures = is_common,
    .failure = "every run diverged, data are malformed, or a file cannot be written; or only\n"
               "       the picture failed, after the results",
    .example =
        "recurve compare --models curnn,ugrnn,gru,lstm --classes 0-9\n"
        "recurve compare --models gru,lstm --optimizers momentum,adam --seeds 3 --task adding\n"
        "recurve compare --models curnn,gru --classes 0-9 --output /tmp/compared --plot\n",
};

/* ---- scores ---- */

static bool in_percent(const comparison *c)
{
    return comparison_data(c)->classes > 0 && !rv_source_is_text(comparison_data(c));
}

static const char *score_name(const comparison *c)
{
    return in_percent(c)                           ? "accuracy"
           : rv_source_is_text(comparison_data(c)) ? "bits_per_character"
                                                   : "error";
}

/* "97.00 +- 0.33 %", "2.31 bits" or "0.0012". No spread is shown if it is negative or of one
 * seed. */
static const char *mean_text(const comparison *c, double mean, double spread, char text[64])
{
    bool percent = in_percent(c);
    double unit = percent ? 100 : 1;
    const char *number = percent ? "%.2f" : rv_source_is_text(comparison_data(c)) ? "%.3f" : "%.4g";
    int used = snprintf(text, 64, number, unit * mean);
    if (c->seeds > 1 && spread >= 0) {
        used += snprintf(text + used, 64 - (size_t)used, " +- ");
        used += snprintf(text + used, 64 - (size_t)used, percent ? "%.2f" : "%.2g", unit * spread);
    }
    snprintf(text + used, 64 - (size_t)used, "%s",
             percent                                 ? " %"
             : rv_source_is_text(comparison_data(c)) ? " bits"
                                                     : "");
    return text;
}

/* ---- the table ---- */

/* The order of the rows; free it with rv_free. Sorted by score, diverged runs come last. */
static const contender **order_of(const comparison *c, bool by_score)
{
    const contender **order = rv_alloc((size_t)c->count, sizeof *order);
    for (int i = 0; order && i < c->count; i++) {
        const contender *who = &c->all[i];
        int at = i;
        while (by_score && at > 0 && !who->diverged &&
               (order[at - 1]->diverged || comparison_better(c, who->best, order[at - 1]->best))) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = who;
    }
    return order;
}

static void print_row(const comparison *c, const contender *who, int width)
{
    char best[64], last[64];
    say(stdout, "%-17s %-17s ", who->model, who->optimizer);
    if (c->gradients_list) say(stdout, "%-17s ", who->gradients);
    if (who->diverged) {
        say(stdout, "%10s  diverged\n", "-");
        return;
    }
    say(stdout, "%10" PRId64 "  %*s  %*s  %10.*f  %9.0f%s\n", who->parameters, width,
        mean_text(c, who->best, who->best_spread, best), width,
        mean_text(c, who->last, who->last_spread, last), c->seeds > 1 ? 1 : 0, who->epochs_to_best,
        who->samples_per_second, comparison_is_best(c, who) ? "  best" : "");
}

static void print_baseline(const comparison *c, const rv_baseline *b, int width)
{
    char text[64], note[64];
    double score = in_percent(c)                           ? b->accuracy
                   : rv_source_is_text(comparison_data(c)) ? b->loss / log(2)
                                                           : b->loss;
    snprintf(note, sizeof note, "baseline: %s", b->text);
    say(stdout, "%-*s  %*s\n", c->gradients_list ? 64 : 46, note, width,
        mean_text(c, score, -1, text));
}

static void print_table(const comparison *c, const contender *const *order, const rv_baseline *b)
{
    int width = c->seeds > 1 ? 17 : 13;
    say(stdout, "%-18s%-18s%s%10s  %*s  %*s  %10s  %9s\n", "model", "optimizer",
        c->gradients_list ? "gradients         " : "", "parameters", width, "best score", width,
        "last score", "best epoch", "samples/s");
    for (int i = 0; i < c->count; i++) print_row(c, order[i], width);
    print_baseline(c, b, width);
}

static char *csv_text(const comparison *c, const contender *const *order)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to) return NULL;
    const char *score = score_name(c);
    say(to,
        "model,optimizer,gradients,seeds,parameters,best_%s,best_%s_spread,last_%s,last_%s_spread,"
        "epochs_to_best,samples_per_second\n",
        score, score, score, score);
    for (int i = 0; i < c->count; i++) {
        const contender *who = order[i];
        say_cell(to, who->model);
        say(to, ",%s,", who->optimizer);
        say_cell(to, who->gradients);
        say(to, ",%" PRId64 ",", c->seeds);
        if (who->diverged)
            say(to, ",diverged,,,,,\n");
        else
            say(to, "%" PRId64 ",%.9g,%.9g,%.9g,%.9g,%.9g,%.0f\n", who->parameters, who->best,
                who->best_spread, who->last, who->last_spread, who->epochs_to_best,
                who->samples_per_second);
    }
    if (fclose(to) == 0) return text;
    free(text);
    return NULL;
}

/* ---- JSON ---- */

static cJSON *run_to_json(const comparison *c, const contender *who, int64_t k)
{
    const rv_train_result *t = &who->runs[k];
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "seed", (double)(c->base.loop.seed + k));
    cJSON_AddBoolToObject(object, "diverged", t->diverged);
    cJSON_AddNumberToObject(object, "epochs", (double)t->epochs);
    if (t->diverged) return object;
    cJSON_AddNumberToObject(object, "best_epoch", (double)t->best_epoch);
    cJSON_AddNumberToObject(object, "validation_loss", t->validation.loss);
    cJSON_AddStringToObject(object, "digest", t->digest);
    return object;
}

static void add_scores(cJSON *object, const comparison *c, const char *which, double mean,
                       double spread)
{
    char key[64];
    snprintf(key, sizeof key, "%s_%s", which, score_name(c));
    cJSON_AddNumberToObject(object, key, mean);
    snprintf(key, sizeof key, "%s_%s_spread", which, score_name(c));
    cJSON_AddNumberToObject(object, key, spread);
}

static cJSON *contender_to_json(const comparison *c, const contender *who)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "model", who->model);
    cJSON_AddStringToObject(object, "optimizer", who->optimizer);
    cJSON_AddStringToObject(object, "gradients", who->gradients);
    cJSON_AddBoolToObject(object, "diverged", who->diverged);
    if (!who->diverged) {
        cJSON_AddBoolToObject(object, "best", comparison_is_best(c, who));
        cJSON_AddNumberToObject(object, "units", (double)who->units);
        cJSON_AddNumberToObject(object, "parameters", (double)who->parameters);
        add_scores(object, c, "best", who->best, who->best_spread);
        add_scores(object, c, "last", who->last, who->last_spread);
        cJSON_AddNumberToObject(object, "epochs_to_best", who->epochs_to_best);
        cJSON_AddNumberToObject(object, "samples_per_second", who->samples_per_second);
    }
    cJSON *runs = cJSON_AddArrayToObject(object, "runs");
    for (int64_t k = 0; k < c->seeds; k++) cJSON_AddItemToArray(runs, run_to_json(c, who, k));
    return object;
}

static bool print_json(const comparison *c, const contender *const *order, rv_error *error)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < c->count; i++) cJSON_AddItemToArray(list, contender_to_json(c, order[i]));
    return json_print(list, error);
}

/* ---- the picture ---- */

/* Colours distinguish models or, of one model, optimizers or else gradients; dashes the next of
 * these that has several. */
static void label_group(const comparison *c, const contender *who, curve_group *g)
{
    const struct {
        int count, number;
        const char *name;
    } by[] = {{c->model_count, who->model_number, who->model},
              {c->optimizer_count, who->optimizer_number, who->optimizer},
              {c->gradients_count, who->gradients_number, who->gradients}};
    int told = 0;
    rv_text label = {g->label, g->label + sizeof g->label};
    *g->label = '\0';
    for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
        if (by[i].count < 2) continue;
        if (told < 2) *(told ? &g->dash : &g->colour) = by[i].number;
        rv_put(&label, "%s%.30s", told++ ? ", " : "", by[i].name);
    }
    if (!told) rv_put(&label, "%.30s", who->optimizer);
}

static bool draw(const comparison *c, rv_error *error)
{
    char title[3 * DATA_TEXT], text[DATA_TEXT], seeds[64] = "";
    int count = 0;
    curve_group *groups = rv_alloc((size_t)c->count, sizeof *groups);
    if (!groups) return rv_fail_memory(error);
    for (const contender *who = c->all; who < c->all + c->count; who++) {
        if (who->diverged) continue;
        label_group(c, who, &groups[count]);
        groups[count].runs = who->runs;
        groups[count++].count = (int)c->seeds;
    }
    if (c->seeds > 1)
        snprintf(seeds, sizeof seeds, ": means and ranges of %" PRId64 " seeds", c->seeds);
    rv_print(title, sizeof title, "%s%s%s%s%s%s", c->model_count == 1 ? c->all->model : "",
             c->model_count == 1 ? " on " : "", data_text(&c->base, text),
             c->optimizer_count == 1 && c->model_count > 1 ? ", " : "",
             c->optimizer_count == 1 && c->model_count > 1 ? c->all->optimizer : "", seeds);
    bool ok = curves_draw_groups(c->base.loop.output, "compare", title, rv_trainer_setup(c->tried),
                                 groups, count, error);
    rv_free(groups);
    return ok;
}

/* ---- running ---- */

static bool save(const comparison *c, const contender *const *order, rv_error *error)
{
    char path[RV_PATH];
    if (!c->base.loop.output) return true;
    char *text = csv_text(c, order);
    bool ok = rv_run_folder_path(c->base.loop.output, "compare.csv", path, error) &&
              rv_text_file_write(path, text, error);
    free(text);
    return ok;
}

static void describe(const comparison *c)
{
    int64_t runs = c->count * c->seeds;
    reading_print_run(stderr, c->tried);
    say(stderr, "%" PRId64 " run(s), seed%s %" PRId64, runs, c->seeds > 1 ? "s" : "",
        c->base.loop.seed);
    if (c->seeds > 1) say(stderr, " to %" PRId64, c->base.loop.seed + c->seeds - 1);
    fputc('\n', stderr);
}

static bool compare(comparison *c, const compare_options *o, rv_error *error)
{
    if (o->plot && !gnuplot_find(error)) return false;
    if (c->bar) describe(c);
    if (!comparison_run(c, error)) return false;
    rv_baseline baseline;
    const contender **order = order_of(c, strcmp(o->sort, "score") == 0);
    bool ok = (order || rv_fail_memory(error)) && save(c, order, error) &&
              rv_baseline_find(&rv_trainer_setup(c->tried)->validation, &baseline, error);
    if (ok && o->json)
        ok = print_json(c, order, error);
    else if (ok)
        print_table(c, order, &baseline);
    rv_free(order);
    fflush(stdout);
    /* A picture that failed is reported last, so that it costs no result. */
    ok = ok && (!c->plot || !c->first || draw(c, error)) &&
         (!c->undrawn.code || rv_fail(error, c->undrawn.code, "%-s", c->undrawn.text));
    return ok && (c->first || rv_fail(error, RV_ERROR_ARGUMENT,
                                      "every run diverged; try a lower --learning-rate"));
}

/* Without a folder, only compares. */
static bool compare_in_folder(comparison *c, const compare_options *o, rv_error *error)
{
    const char *folder = c->base.loop.output;
    if (!folder) return compare(c, o, error);
    rv_folder_lock *lock = rv_run_folder_open(folder, error);
    bool ok = lock && comparison_check_folders(c, error) &&
              rv_run_folder_clear_file(folder, "compare.csv", c->base.loop.overwrite, error) &&
              compare(c, o, error);
    rv_folder_unlock(lock);
    return ok;
}

static bool check_options(const compare_options *o, rv_error *error)
{
    if (!o->models && !o->optimizers && !o->gradients)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "what to compare? Give --models MODEL,.., --optimizers OPTIMIZER,.., "
                       "--gradients TITLE,.. or "
                       "several of these");
    const char *lost = o->config.loop.overwrite ? "overwrite" : o->plot ? "plot" : NULL;
    return !lost || o->config.loop.output ||
           rv_fail(error, RV_ERROR_ARGUMENT, "--%s is about a folder; name it with --output DIR",
                   lost);
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    compare_options o = {.config = rv_train_config_new(), .sort = "given", .seeds = 1};
    if (!options_parse(&command_compare, argc, argv, &o, NULL, &result, error)) return result;
    comparison c = {.base = o.config,
                    .initial = o.initial,
                    .seeds = o.seeds,
                    .plot = o.plot,
                    .bar = !o.quiet && !o.json};
    result = STATUS_USAGE;
    if (check_options(&o, error) && comparison_make(&c, o.models, o.optimizers, o.gradients, error))
        result = compare_in_folder(&c, &o, error) ? STATUS_OK : STATUS_FAILED;
    comparison_free(&c);
    return result;
}
