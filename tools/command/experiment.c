/* recurve experiment: the measurements of Collins, Sohl-Dickstein and Sussillo, "Capacity and Trainability in Recurrent
 * Neural Networks" (2016, arXiv 1611.09913), each as a search over hyper-parameters. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/cli/json.h"
#include "tools/cli/say.h"
#include "tools/command/commands.h"
#include "tools/command/search.h"
#include "tools/plot/gnuplot.h"
#include "tools/plot/scatter.h"
#include "train/json_internal.h"
#include "train/setup/lookup.h"

enum { MOST_GROUPS = 4096, MOST_LISTED = 64 };

/* ---- the experiments ---- */

/* Trials with the same model, size and layers are a group, whose trials become one number. */
typedef struct group {
    int model, size, layers; /* in the lists */
    int64_t ended, infeasible, parameters;
    /* Of capacity: those of the trial with the most bits. Of memory: the least error. Of trainability: the share of
     * trials that fail, between low and high. */
    double value, samples, accuracy, bits, low, high;
} group;

/* What a trial was. */
typedef struct outcome {
    bool diverged;
    double objective, samples;
    int64_t parameters;
} outcome;

typedef struct experiment {
    const char *name, *objective;
    const char *value, *up;     /* the JSON key of a group's value; its label in the picture */
    const char *size;           /* the option that `size` is: parameters or units */
    const char *sizes, *models; /* defaults */
    int64_t trials, epochs;     /* defaults */
    const char *space; /* what all trials draw; ours, where the paper does not give a range */
    void (*count)(group *g, const outcome *trial, double threshold);
} experiment;

/* The optimizer, learning rate, decay, clipping and L2 that the authors tuned. The bias of forget gates is added for cells
 * that have one. */
#define TUNED \
    "\"optimizer\": [\"adam\", \"rmsprop\", \"momentum\"]," \
    "\"learning-rate\": [{\"log-uniform\": [1e-2, 3], \"when\": {\"optimizer\": \"momentum\"}}," \
    "                  {\"log-uniform\": [3e-4, 0.1]}]," \
    "\"schedule\": [\"constant\", \"exponential\", \"cosine\"]," \
    "\"clip-norm\": {\"log-uniform\": [0.1, 10]}," \
    "\"weight-decay\": {\"log-uniform\": [1e-9, 1e-4]}"

/* Bits that the answers to `samples` random questions hold, of which the fraction p is right:
 * b + b (p log2 p + (1 - p) log2(1 - p)). */
static double bits_of(double samples, double p)
{
    const double entropy = p < 1 ? p * log2(p) + (1 - p) * log2(1 - p) : 0;
    return p > 0.5 ? samples + samples * entropy : 0;
}

static void count_bits(group *g, const outcome *t, double threshold)
{
    (void)threshold;
    const double bits = bits_of(t->samples, t->objective),
                 each = bits / (double)(t->parameters > 0 ? t->parameters : 1);
    if (t->diverged || !(isnan(g->value) || each > g->value)) return;
    g->value = each;
    g->bits = bits;
    g->samples = t->samples;
    g->accuracy = t->objective;
    g->parameters = t->parameters;
}

static void count_error(group *g, const outcome *t, double threshold)
{
    (void)threshold;
    if (t->diverged || !(isnan(g->value) || t->objective < g->value)) return;
    g->value = t->objective;
    g->parameters = t->parameters;
}

/* The Wilson interval of 95 %. */
static void count_failure(group *g, const outcome *t, double threshold)
{
    const double z = 1.959964, n = (double)g->ended;
    if (!t->diverged && !(t->objective <= threshold)) g->infeasible++;
    const double p = (double)g->infeasible / n, center = p + z * z / (2 * n),
                 width = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    g->value = p;
    g->low = fmax((center - width) / (1 + z * z / n), 0);
    g->high = fmin((center + width) / (1 + z * z / n), 1);
    g->parameters = t->parameters;
}

static const experiment experiments[] = {
    {"capacity", "validation_accuracy", "bits_per_parameter", "bits per parameter", "parameters",
     "1000", "rnn,irnn,ugrnn,gru,lstm", 50, 500,
     "\"task\": \"capacity\", \"size\": [16, 32], \"batch-size\": [32, 64, 128, 256]," TUNED,
     count_bits},
    {"memory", "validation_error", "error", "mean squared error", "units", "32,48,64,80,96",
     "rnn,irnn,ugrnn,gru,lstm", 20, 20,
     "\"task\": \"memory\", \"size\": 64, \"batch-size\": [32, 128]," TUNED, count_error},
    {"trainability", "validation_error", "fails", "share of settings that fail", "parameters",
     "1000", "rnn,irnn,ugrnn,gru,lstm", 100, 20,
     "\"task\": \"parentheses\", \"size\": 2, \"samples\": 1000, "
     "\"batch-size\": [16, 32, 64]," TUNED,
     count_failure},
};
enum { EXPERIMENTS = sizeof experiments / sizeof *experiments };

static bool is(const experiment *e, const char *name) { return strcmp(e->name, name) == 0; }

/* ---- options ---- */

typedef struct experiment_options {
    search_options search;
    const char *name, *models, *parameters, *units, *layers, *plot;
    int64_t trials;
    bool json;
    int argc; /* the command line */
    char **argv;
} experiment_options;

#define ROW(field, option, called, kind, ...) \
    OPTION_ROW(experiment_options, field, option, called, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(models, "models", "MODEL,..", TEXT, "the cells (default: rnn,irnn,ugrnn,gru,lstm)",
        .alias = "model", .group = "The experiment"),
    ROW(parameters, "parameters", "N,..", TEXT,
        "capacity, trainability: numbers of parameters; each net\n"
        "has as many units as come closest (default: 1000)"),
    ROW(units, "units", "N,..", TEXT, "memory: numbers of units (default: 32,48,64,80,96)",
        .alias = "hidden-size"),
    ROW(layers, "layers", "N,..", TEXT, "numbers of layers (default: 1)", .alias = "num-layers"),
    ROW(trials, "trials", "N", WHOLE,
        "settings for each cell, size and number of layers\n"
        "(default: capacity 50, memory 20, trainability 100)",
        .low = 1, .high = 100000),
    ROW(search.database, "database", "FILE", TEXT,
        "the file that keeps all trials, made if missing; see\n`recurve sweep`"),
    ROW(search.workers, "workers", "N", WHOLE, "processes that train trials (default: 1)", .low = 1,
        .high = MOST_WORKERS),
    ROW(plot, "plot", "PATH", TEXT, "draw the result into PATH.svg and PATH.png",
        .group = "What is printed"),
    ROW(json, "json", NULL, FLAG, "print one JSON document instead of text"),
    ROW(search.quiet, "quiet", NULL, FLAG, "show no progress"),
};

/* Not the options of a run's folder, of the task, which the experiment is, and of data in files. */
static bool is_of_runs(const char *key)
{
    static const char *const others[] = {
        "output",          "overwrite",         "anomaly",  "task",      "data",
        "labels",          "classes",           "sequence", "shape",     "divide",
        "numbers",         "targets",           "label",    "separator", "header",
        "validation-data", "validation-labels", "cache"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(key, others[i]) == 0) return false;
    return true;
}

static exit_status run(int argc, char **argv, rv_error *error);

const command command_experiment = {
    .name = "experiment",
    .run = run,
    .summary = "measure cells: bits per parameter, memory, how easily they train",
    .synopsis = "capacity | memory | trainability --database FILE [OPTION]...",
    .description =
        "Repeats a measurement of Collins, Sohl-Dickstein and Sussillo (arXiv 1611.09913) as a\n"
        "sweep: optimizer, learning rate, its decay, clipping, L2 and the forget bias are drawn "
        "at\n"
        "random for each trial, and the defaults below do not hold for them. Their ranges are "
        "this\n"
        "program's; `recurve sweep --database FILE --json` prints them. An option that is given\n"
        "replaces what is drawn.\n\n"
        "capacity      random labels are learned by heart; their number b is drawn, too. If the\n"
        "              fraction p is right, the net holds b + b (p log2 p + (1-p) log2(1-p))\n"
        "              bits. The row of a cell is its trial with the most bits per parameter.\n"
        "memory        64 random numbers are shown once and repeated at the end: the least mean\n"
        "              squared error of any trial.\n"
        "trainability  parentheses are counted: the share of settings with which a run diverges\n"
        "              or keeps an error above a tenth of that of an answer that ignores x,\n"
        "              with the Wilson interval of 95 %.\n\n"
        "The same command continues an experiment that was interrupted, and repeats the table of\n"
        "a finished one. Results are the same for any number of workers.\n",
    OPTIONS(options),
    .configures = is_of_runs,
    .operand = "capacity|memory|trainability",
    .statuses = "130, 143  SIGINT, SIGTERM interrupted it\n",
    .failure = "the experiment failed, or workers were killed and trials remain",
    .example =
        "recurve experiment capacity --models ugrnn,gru --database /tmp/c.sqlite --workers 2\n"
        "recurve experiment memory --units 32,64,96 --database /tmp/m.sqlite --plot /tmp/memory\n"
        "recurve experiment trainability --layers 1,4 --database /tmp/t.sqlite\n"
        "recurve sweep --show --database /tmp/c.sqlite\n",
};

/* ---- the space ---- */

/* A list of names or numbers. */
typedef struct list {
    char *text;
    const char *item[MOST_LISTED];
    int count;
} list;

static bool check_item(const char *option, const char *item, bool numbers, rv_error *error)
{
    if (!numbers) return rv_names_file(item, NULL) || rv_lookup_built_in(item, error);
    const size_t digits = strspn(item, "0123456789");
    return (digits > 0 && digits < 10 && item[digits] == '\0') ||
           rv_fail(error, RV_ERROR_ARGUMENT,
                   "--%s: got \"%.100s\", expected whole numbers, such as 1,2,4", option, item);
}

static bool parse_list(list *l, const char *option, const char *text, bool numbers, rv_error *error)
{
    l->text = rv_string_copy(text);
    if (!l->text) return rv_fail_memory(error);
    for (char *at = l->text, *next; at; at = next) {
        next = strchr(at, ',');
        if (next) *next++ = '\0';
        if (l->count == MOST_LISTED)
            return rv_fail(error, RV_ERROR_ARGUMENT, "--%s: more than %d", option, MOST_LISTED);
        if (!check_item(option, at, numbers, error)) return false;
        for (int i = 0; i < l->count; i++)
            if (strcmp(l->item[i], at) == 0)
                return rv_fail(error, RV_ERROR_ARGUMENT, "--%s: %.100s comes twice", option, at);
        l->item[l->count++] = at;
    }
    return true;
}

typedef struct plan {
    const experiment *of;
    list models, sizes, layers;
    char *space;
} plan;

static int groups_of(const plan *p) { return p->models.count * p->sizes.count * p->layers.count; }

/* {"each": [..]} */
static void add_each(cJSON *drawn, const char *key, const list *l, bool numbers)
{
    cJSON *each = cJSON_AddArrayToObject(cJSON_AddObjectToObject(drawn, key), "each");
    for (int i = 0; i < l->count; i++)
        cJSON_AddItemToArray(each, numbers ? cJSON_CreateNumber(atof(l->item[i]))
                                           : cJSON_CreateString(l->item[i]));
}

/* From half a bit to eight bits of labels for each parameter. */
static void add_samples(cJSON *drawn, const list *sizes)
{
    cJSON *ranges = cJSON_AddArrayToObject(drawn, "samples");
    for (int i = 0; i < sizes->count; i++) {
        const double size = atof(sizes->item[i]);
        cJSON *range = cJSON_CreateObject();
        cJSON *ends = cJSON_AddArrayToObject(range, "log-uniform");
        cJSON_AddItemToArray(ends, cJSON_CreateNumber(fmax(ceil(size / 2), 2)));
        cJSON_AddItemToArray(ends, cJSON_CreateNumber(fmax(8 * size, 16)));
        cJSON_AddNumberToObject(cJSON_AddObjectToObject(range, "when"), "parameters", size);
        cJSON_AddItemToArray(ranges, range);
    }
}

/* Whether a cell has a bias that the option `forget` sets. */
static bool has_forget_bias(const plan *p, const char *model)
{
    rv_error ignored = {0};
    rv_train_config config = rv_train_config_new();
    config.data.task = p->of->name;
    if (is(p->of, "trainability")) config.data.task = "parentheses";
    config.data.samples = 12;
    config.net.model = model;
    config.net.units = 4;
    config.net.forget = 1;
    rv_trainer *trainer = rv_trainer_new(&config, &ignored);
    const bool has = trainer && rv_setup_check_given(rv_trainer_setup(trainer),
                                                     rv_trainer_config(trainer), &config, &ignored);
    rv_trainer_free(trainer);
    return has;
}

static void add_forget(cJSON *drawn, const plan *p)
{
    const double ends[] = {0, 4};
    cJSON *models = cJSON_CreateArray(), *forget = cJSON_CreateObject();
    for (int i = 0; i < p->models.count; i++)
        if (has_forget_bias(p, p->models.item[i]))
            cJSON_AddItemToArray(models, cJSON_CreateString(p->models.item[i]));
    const bool any = cJSON_GetArraySize(models) > 0;
    cJSON_AddItemToObject(forget, "uniform", cJSON_CreateDoubleArray(ends, 2));
    cJSON_AddItemToObject(cJSON_AddObjectToObject(forget, "when"), "model", models);
    if (any)
        cJSON_AddItemToObject(drawn, "forget", forget);
    else
        cJSON_Delete(forget);
}

static bool make_space(plan *p, rv_error *error)
{
    char text[2048];
    cJSON *drawn = cJSON_CreateObject();
    add_each(drawn, "model", &p->models, false);
    add_each(drawn, p->of->size, &p->sizes, true);
    add_each(drawn, "layers", &p->layers, true);
    add_forget(drawn, p);
    if (is(p->of, "capacity")) add_samples(drawn, &p->sizes);
    snprintf(text, sizeof text, "{%s, \"epochs\": %" PRId64 "}", p->of->space, p->of->epochs);
    cJSON *tuned = cJSON_Parse(text);
    while (tuned && tuned->child) {
        cJSON *item = cJSON_DetachItemViaPointer(tuned, tuned->child);
        cJSON_AddItemToObject(drawn, item->string, item);
    }
    cJSON_Delete(tuned);
    p->space = rv_json_text(drawn, true);
    cJSON_Delete(drawn);
    return p->space ? true : rv_fail_memory(error);
}

static const char *name_at(const void *all, int index)
{
    return ((const experiment *)all)[index].name;
}

static bool make_plan(plan *p, const experiment_options *o, rv_error *error)
{
    for (const experiment *e = experiments; o->name && e < experiments + EXPERIMENTS; e++)
        if (is(e, o->name)) p->of = e;
    if (!o->name)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "which experiment? Give capacity, memory or trainability");
    if (!p->of) {
        rv_fail_unknown("experiment", o->name, name_at, experiments, EXPERIMENTS, error);
        return false;
    }
    if (!o->search.database)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--database names the file that keeps the trials; give one, such as "
                       "--database %s.sqlite",
                       o->name);
    const bool by_units = strcmp(p->of->size, "units") == 0;
    if (by_units ? !!o->parameters : !!o->units)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "the sizes of nets for %s are --%s; leave out --%s", o->name, p->of->size,
                       by_units ? "parameters" : "units");
    const char *sizes = by_units ? o->units : o->parameters;
    return parse_list(&p->models, "models", o->models ? o->models : p->of->models, false, error) &&
           parse_list(&p->sizes, p->of->size, sizes ? sizes : p->of->sizes, true, error) &&
           parse_list(&p->layers, "layers", o->layers ? o->layers : "1", true, error) &&
           (groups_of(p) <= MOST_GROUPS ||
            rv_fail(error, RV_ERROR_ARGUMENT, "%d nets; give at most %d", groups_of(p),
                    MOST_GROUPS)) &&
           make_space(p, error);
}

/* ---- results ---- */

/* A tenth of the error of an answer that ignores x. */
static bool find_threshold(const search *w, const experiment *e, double *threshold, rv_error *error)
{
    rv_baseline b;
    if (!is(e, "trainability")) return true;
    rv_trainer *trainer = search_specimen(w, error);
    const bool ok = trainer && rv_baseline_find(&rv_trainer_setup(trainer)->validation, &b, error);
    if (ok) *threshold = b.loss / 10;
    rv_trainer_free(trainer);
    return ok;
}

static bool read_groups(search *w, const plan *p, double threshold, group *groups, rv_error *error)
{
    const int count = groups_of(p), models = p->models.count, sizes = p->sizes.count;
    for (int i = 0; i < count; i++)
        groups[i] = (group){.model = i % models,
                            .size = i / models % sizes,
                            .layers = i / models / sizes,
                            .value = NAN};
    sqlite3_stmt *query = database_query(
        &w->database, error,
        "SELECT number, state = 'diverged', objective, parameters, json_extract(settings, "
        "'$.samples') FROM trial WHERE state IN ('done', 'diverged') AND number BETWEEN ? AND ?",
        "ii", w->range.first, w->range.last);
    while (database_next(&w->database, query, error)) {
        group *g = &groups[sqlite3_column_int64(query, 0) % count];
        const bool valued = sqlite3_column_type(query, 2) != SQLITE_NULL;
        const outcome t = {.diverged = sqlite3_column_int(query, 1) != 0,
                           .objective = valued ? sqlite3_column_double(query, 2) : NAN,
                           .parameters = sqlite3_column_int64(query, 3),
                           .samples = sqlite3_column_double(query, 4)};
        g->ended++;
        g->infeasible += t.diverged;
        p->of->count(g, &t, threshold);
    }
    return error->code == RV_OK;
}

static void print_groups(const plan *p, const group *groups, double threshold)
{
    const bool bits = is(p->of, "capacity"), shares = is(p->of, "trainability");
    if (shares)
        say(stdout, "a setting fails if it diverges or its error stays above %.4g\n", threshold);
    say(stdout, "%-16s %6s %10s %10s %6s %8s", "model", "layers",
        bits || shares ? "budget" : "units", "parameters", "trials", shares ? "fail" : "diverge");
    say(stdout,
        bits     ? "  %8s %8s %9s  bits/parameter\n"
        : shares ? "  share  95 %% interval\n"
                 : "         error\n",
        "samples", "accuracy", "bits");
    for (const group *g = groups; g < groups + groups_of(p); g++) {
        say(stdout, "%-16s %6s %10s %10" PRId64 " %6" PRId64 " %8" PRId64, p->models.item[g->model],
            p->layers.item[g->layers], p->sizes.item[g->size], g->parameters, g->ended,
            g->infeasible);
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

static bool print_json(const plan *p, const group *groups, rv_error *error)
{
    cJSON *all = cJSON_CreateArray();
    for (const group *g = groups; g < groups + groups_of(p); g++) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "model", p->models.item[g->model]);
        cJSON_AddNumberToObject(object, "layers", atof(p->layers.item[g->layers]));
        cJSON_AddNumberToObject(object, strcmp(p->of->size, "units") == 0 ? "units" : "budget",
                                atof(p->sizes.item[g->size]));
        cJSON_AddNumberToObject(object, "parameters", (double)g->parameters);
        cJSON_AddNumberToObject(object, "trials", (double)g->ended);
        cJSON_AddNumberToObject(object, "infeasible", (double)g->infeasible);
        json_add_number(object, p->of->value, g->value);
        if (is(p->of, "capacity")) {
            json_add_number(object, "samples", g->samples);
            json_add_number(object, "accuracy", g->accuracy);
            json_add_number(object, "bits", g->bits);
        }
        if (is(p->of, "trainability")) {
            json_add_number(object, "low", g->low);
            json_add_number(object, "high", g->high);
        }
        cJSON_AddItemToArray(all, object);
    }
    return json_print(all, error);
}

/* A panel for each number of layers. In it a line over the sizes for each model or, of one size, a point for each model. */
static bool draw(const plan *p, const group *groups, const char *path, rv_error *error)
{
    const int models = p->models.count, sizes = p->sizes.count, layers = p->layers.count;
    const bool named = sizes == 1, shares = is(p->of, "trainability");
    const int lines = named ? 1 : models, points = named ? models : sizes;
    const size_t count = (size_t)groups_of(p);
    double *x = rv_alloc(4 * count, sizeof *x), *y = x + count, *low = y + count,
           *high = low + count;
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
    const bool ok = room ? scatter_draw(path, p->of->name, p->of->up, is(p->of, "memory"), panels,
                                        layers, error)
                         : rv_fail_memory(error);
    rv_free(x);
    rv_free(series);
    rv_free(panels);
    rv_free(across);
    return ok;
}

/* Settings that do not fit together are no part of the result, but are reported. */
static bool warn_failed(search *w, rv_error *error)
{
    sqlite3_stmt *query = database_query(&w->database, error,
                                         "SELECT count(*), min(message) FROM trial WHERE state = "
                                         "'failed' AND number BETWEEN ? AND ?",
                                         "ii", w->range.first, w->range.last);
    while (database_next(&w->database, query, error)) {
        const int64_t count = sqlite3_column_int64(query, 0);
        const char *message = (const char *)sqlite3_column_text(query, 1);
        char text[RV_ERROR_TEXT];
        if (count == 0) continue;
        snprintf(text, sizeof text, "%" PRId64 " trial%s could not be trained, such as: %.800s",
                 count, count > 1 ? "s" : "", message ? message : "");
        command_warn(w->page, text);
    }
    return error->code == RV_OK;
}

/* A word as a shell reads it. */
static void print_word(const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./,:=@%";
    const bool quoted = word[strspn(word, plain)] != '\0';
    say(stdout, quoted ? " '" : " ");
    for (const char *at = word; *at != '\0'; at += *at == '\'') {
        const int length = (int)strcspn(at, "'");
        say(stdout, "%.*s", length, at);
        at += length;
        if (*at == '\'') say(stdout, "'\\''");
    }
    if (quoted) say(stdout, "'");
}

/* getopt_long has moved the operand to the end of the command line. */
static void print_command(int argc, char **argv)
{
    say(stdout, "to repeat: recurve experiment");
    print_word(argv[argc - 1]);
    for (int i = 1; i < argc - 1; i++) print_word(argv[i]);
    fputc('\n', stdout);
}

static bool report(search *w, const plan *p, const experiment_options *o, rv_error *error)
{
    double threshold = NAN;
    group *groups = rv_alloc((size_t)groups_of(p), sizeof *groups);
    bool ok = groups ? find_threshold(w, p->of, &threshold, error) &&
                           read_groups(w, p, threshold, groups, error)
                     : rv_fail_memory(error);
    ok = ok && warn_failed(w, error);
    if (ok && o->json)
        ok = print_json(p, groups, error);
    else if (ok)
        print_groups(p, groups, threshold);
    if (ok && !o->json) print_command(o->argc, o->argv);
    fflush(stdout);
    ok = ok && (!o->plot || draw(p, groups, o->plot, error));
    rv_free(groups);
    return ok;
}

/* ---- the command ---- */

static exit_status experiment_run(experiment_options *o, const plan *p, rv_error *error)
{
    search w;
    const int64_t trials = (o->trials ? o->trials : p->of->trials) * groups_of(p);
    o->search.space = p->space;
    o->search.from = "the experiment";
    o->search.objective = p->of->objective;
    o->search.range = (trial_range){0, trials - 1};
    o->search.quiet = o->search.quiet || o->json;
    exit_status result = STATUS_USAGE;
    if (trials > MOST_TRIALS)
        rv_fail(error, RV_ERROR_ARGUMENT, "%" PRId64 " trials; give at most %d", trials,
                MOST_TRIALS);
    else if (search_open(&w, &command_experiment, &o->search, true, error)) {
        result = search_train(&w, error);
        if (result == STATUS_OK && !report(&w, p, o, error)) result = STATUS_FAILED;
        search_close(&w);
    } else {
        search_close(&w);
    }
    return result;
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    plan p = {0};
    experiment_options o = {
        .search = {.config = rv_train_config_new(), .workers = 1}, .argc = argc, .argv = argv};
    if (!options_parse(&command_experiment, argc, argv, &o, &o.name, &result, error)) return result;
    result = make_plan(&p, &o, error) && (!o.plot || gnuplot_find(error))
                 ? experiment_run(&o, &p, error)
                 : STATUS_USAGE;
    rv_free(p.models.text);
    rv_free(p.sizes.text);
    rv_free(p.layers.text);
    rv_free(p.space);
    return result;
}
