/* recurve compare */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/command/commands.h"
#include "tools/run/comparison.h"
#include "tools/plot/curves.h"
#include "tools/plot/gnuplot.h"
#include "tools/cli/json.h"
#include "tools/run/run_folder.h"
#include "tools/cli/text_file.h"

/* ---- options: those of `recurve train`, with lists for names ---- */

typedef struct compare_options {
    settings s; /* the first, so that rows of settings_options are rows of this too */
    const char *models, *optimizers, *sort;
    int64_t seeds;
} compare_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(compare_options, field, name, argument, OPTION_##kind, __VA_ARGS__)

/* Each stands where that of `recurve train` stood. */
static const struct {
    const char *instead;
    option_row row;
} own_options[] = {
    {"--model", ROW(models, "models", "LIST", TEXT,
                    "the cells: curnn,gru,lstm (default: the data's usual one);\nsee `recurve "
                    "models`; my.rv, my.rv:NAME: of files of equations")},
    {"--optimizer", ROW(optimizers, "optimizers", "LIST", TEXT,
                        "how to train: momentum,adam (default: the task's usual\none); see "
                        "`recurve optimizers`")},
    {"--rate", ROW(s.rate, "rate", "R", POSITIVE,
                   "the learning rate of all (default: each optimizer's own)")},
    {"--config", ROW(seeds, "seeds", "N", WHOLE,
                     "runs of each, with the seeds --seed, --seed + 1, ...\n(default: 1)", .low = 1,
                     .high = 1000)},
    {"--output", ROW(s.output, "output", "DIR", TEXT,
                     "write compare.csv there, and each run as `recurve train`\n"
                     "would to DIR/MODEL-OPTIMIZER, with -SEED if there are\nseveral")},
    {"--plot", ROW(s.plot, "plot", NULL, FLAG,
                   "draw all learning curves there, too: compare.svg,\ncompare.png; and those of "
                   "each run")},
    {"--pictures",
     ROW(sort, "sort", "ORDER", TEXT, "the rows: given (default), or score, the best first")},
    {"--limit", {0}}, /* nothing stands there */
    {"--resume", {0}},
    {"--anomaly", {0}},
    {"--norms", {0}},
    {"--digest", {0}},
    {"--quiet", ROW(s.quiet, "quiet", NULL, FLAG, "print the table only")},
};

static int list_options(option_row rows[SETTINGS_OPTIONS])
{
    enum { OWN = sizeof own_options / sizeof *own_options };
    int count = 0;
    for (const option_row *row = settings_options; row < settings_options + SETTINGS_OPTIONS;
         row++) {
        int k = 0;
        while (k < OWN && strcmp(own_options[k].instead, row->name) != 0) k++;
        if (k < OWN && !own_options[k].row.name) continue;
        rows[count] = k < OWN ? own_options[k].row : *row;
        rows[count++].group = row->group;
    }
    return count;
}

static exit_status run(int argc, char **argv, rv_error *error);

const command command_compare = {
    .name = "compare",
    .run = run,
    .summary = "train several cells and optimizers on the same data",
    .synopsis = "--models LIST [--optimizers LIST] [OPTION]...",
    .description =
        "Trains every cell of a list with every optimizer of another, and prints a row for each\n"
        "pair: how many numbers are learned; the score on the data held out of the best "
        "parameters,\n"
        "which are those with the least cost held out, and of the last; after how many epochs the\n"
        "best came; and the samples learned from in a second. The last line is what the same data "
        "give an\n"
        "an answer without skill. With several seeds the numbers are means,\n"
        "scores +- their standard deviation. Each run is exactly that of `recurve train` with the "
        "same\n"
        "options. A run whose cost is no longer finite makes a row \"diverged\", and the others "
        "go on.\n",
    .failure = "every run diverged, data are not as they should be, or a file cannot be\n"
               "       written",
    .example =
        "recurve compare --models curnn,ugrnn,gru,lstm --classes 0-9\n"
        "recurve compare --models gru,lstm --optimizers momentum,adam --seeds 3 --task adding\n"
        "recurve compare --models curnn,gru --classes 0-9 --output /tmp/compared --plot\n",
};

/* ---- scores ---- */

static bool in_percent(const comparison *c)
{
    return c->data.whole.classes > 0 && !is_text(&c->data.whole);
}

static const char *score_name(const comparison *c)
{
    return in_percent(c) ? "accuracy" : is_text(&c->data.whole) ? "bits_per_character" : "error";
}

/* "97.00 +- 0.33 %", "2.31 bits" or "0.0012"; a negative spread is left out, as is that of one seed. */
static const char *mean_text(const comparison *c, double mean, double spread, char text[64])
{
    bool percent = in_percent(c);
    double unit = percent ? 100 : 1;
    const char *number = percent ? "%.2f" : is_text(&c->data.whole) ? "%.3f" : "%.4g";
    int used = snprintf(text, 64, number, unit * mean);
    if (c->seeds > 1 && spread >= 0) {
        used += snprintf(text + used, 64 - (size_t)used, " +- ");
        used += snprintf(text + used, 64 - (size_t)used, percent ? "%.2f" : "%.2g", unit * spread);
    }
    snprintf(text + used, 64 - (size_t)used, "%s",
             percent                   ? " %"
             : is_text(&c->data.whole) ? " bits"
                                       : "");
    return text;
}

/* ---- the table ---- */

/* The rows' order, for rv_free. Diverged ones are the last when sorted. */
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
    printf("%-18s%-18s", who->model, who->optimizer);
    if (who->diverged) {
        printf("%10s  diverged\n", "-");
        return;
    }
    printf("%10" PRId64 "  %*s  %*s  %10.*f  %9.0f%s\n", who->parameters, width,
           mean_text(c, who->best, who->best_spread, best), width,
           mean_text(c, who->last, who->last_spread, last), c->seeds > 1 ? 1 : 0,
           who->epochs_to_best, who->samples_per_second, who == c->first ? "  best" : "");
}

/* What the data held out give an answer without skill. */
static void print_baseline(const comparison *c, const baseline *b, int width)
{
    char text[64], note[64];
    double score = in_percent(c)             ? b->accuracy
                   : is_text(&c->data.whole) ? b->cost / log(2)
                                             : b->cost;
    snprintf(note, sizeof note, "without skill: %s", b->text);
    printf("%-46s  %*s\n", note, width, mean_text(c, score, -1, text));
}

static void print_table(const comparison *c, const contender *const *order, const baseline *b)
{
    int width = c->seeds > 1 ? 17 : 13;
    printf("%-18s%-18s%10s  %*s  %*s  %10s  %9s\n", "model", "optimizer", "parameters", width,
           "best held out", width, "last held out", "best epoch", "samples/s");
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
    fprintf(to,
            "model,optimizer,seeds,parameters,best_%s,best_%s_spread,last_%s,last_%s_spread,"
            "epochs_to_best,samples_per_second\n",
            score, score, score, score);
    for (int i = 0; i < c->count; i++) {
        const contender *who = order[i];
        fprintf(to, "%s,%s,%" PRId64 ",", who->model, who->optimizer, c->seeds);
        if (who->diverged)
            fputs(",diverged,,,,,\n", to);
        else
            fprintf(to, "%" PRId64 ",%.9g,%.9g,%.9g,%.9g,%.9g,%.0f\n", who->parameters, who->best,
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
    const training *t = &who->runs[k];
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "seed", (double)(c->base.seed + k));
    cJSON_AddBoolToObject(object, "diverged", t->diverged);
    cJSON_AddNumberToObject(object, "epochs", (double)t->epochs);
    if (t->diverged) return object;
    cJSON_AddNumberToObject(object, "best_epoch", (double)t->best);
    cJSON_AddNumberToObject(object, "held_out_cost", t->held_out.cost);
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
    cJSON_AddBoolToObject(object, "diverged", who->diverged);
    if (!who->diverged) {
        cJSON_AddBoolToObject(object, "best", who == c->first);
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

/* What tells the pairs apart: a colour a model, a kind of line an optimizer. */
static void label_group(const comparison *c, const contender *who, curve_group *g)
{
    bool models = c->model_count > 1, optimizers = c->optimizer_count > 1 || !models;
    g->colour = models ? who->model_number : who->optimizer_number;
    g->dash = models ? who->optimizer_number : 0;
    snprintf(g->label, sizeof g->label, "%.30s%s%.30s", models ? who->model : "",
             models && optimizers ? ", " : "", optimizers ? who->optimizer : "");
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
    snprintf(title, sizeof title, "%s%s%s%s%s", c->model_count == 1 ? c->all->model : "",
             c->model_count == 1 ? " on " : "", data_text(&c->base, text),
             c->optimizer_count == 1 && c->model_count > 1 ? ", " : "",
             c->optimizer_count == 1 && c->model_count > 1 ? c->all->optimizer : "");
    size_t used = strlen(title);
    snprintf(title + used, sizeof title - used, "%s", seeds);
    bool ok = curves_draw_groups(c->base.output, "compare", title, &c->data, groups, count, error);
    rv_free(groups);
    return ok;
}

/* ---- running ---- */

static bool save(const comparison *c, const contender *const *order, rv_error *error)
{
    char path[PATH_TEXT];
    if (!c->base.output) return true;
    char *text = csv_text(c, order);
    bool ok = run_folder_path(c->base.output, "compare.csv", path, error) &&
              text_file_write(path, text, error) && (!c->base.plot || !c->first || draw(c, error));
    free(text);
    return ok;
}

static void describe(const comparison *c)
{
    char text[DATA_TEXT], x[RV_SHAPE_TEXT];
    const experiment *e = &c->data;
    fprintf(stderr,
            "%s: %" PRId64 " samples %s, %" PRId64 " held out; %" PRId64 " run%s, seed%s %" PRId64,
            data_text(&c->base, text), e->part.count, rv_shape_text(e->whole.x, x),
            e->held_out.count, c->count * c->seeds, c->count * c->seeds > 1 ? "s" : "",
            c->seeds > 1 ? "s" : "", c->base.seed);
    if (c->seeds > 1) fprintf(stderr, " to %" PRId64, c->base.seed + c->seeds - 1);
    fputc('\n', stderr);
}

static bool compare(comparison *c, bool by_score, rv_error *error)
{
    if (c->base.plot && !gnuplot_find(error)) return false;
    if (c->base.output && !run_folder_open(c->base.output, error)) return false;
    if (!c->base.quiet && !c->base.json) describe(c);
    if (!comparison_run(c, error)) return false;
    baseline without_skill;
    const contender **order = order_of(c, by_score);
    bool ok = (order || rv_fail_memory(error)) && save(c, order, error) &&
              baseline_find(&c->data.held_out, &without_skill, error);
    if (ok && c->base.json)
        ok = print_json(c, order, error);
    else if (ok)
        print_table(c, order, &without_skill);
    rv_free(order);
    return ok && (c->first ||
                  rv_fail(error, RV_ERROR_ARGUMENT, "every run diverged; try a lower --rate"));
}

static bool check_options(const compare_options *o, rv_error *error)
{
    if (!o->models && !o->optimizers)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "what to compare? Give --models LIST, --optimizers LIST or both");
    if (o->s.plot && !o->s.output)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--plot draws into a folder; name it with --output DIR");
    return strcmp(o->sort, "given") == 0 || strcmp(o->sort, "score") == 0 ||
           rv_fail(error, RV_ERROR_ARGUMENT, "--sort: got \"%.100s\", expected given or score",
                   o->sort);
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    compare_options o = {.s = settings_new(), .sort = "given", .seeds = 1};
    option_row rows[SETTINGS_OPTIONS];
    command with_options = command_compare;
    with_options.options = rows;
    with_options.option_count = list_options(rows);
    if (!options_parse(&with_options, argc, argv, &o, NULL, &result, error)) return result;
    comparison c = {.base = o.s, .seeds = o.seeds};
    result = STATUS_USAGE;
    if (check_options(&o, error) && comparison_make(&c, o.models, o.optimizers, error))
        result = compare(&c, strcmp(o.sort, "score") == 0, error) ? STATUS_OK : STATUS_FAILED;
    comparison_free(&c);
    return result;
}
