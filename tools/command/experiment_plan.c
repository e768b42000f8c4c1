#include "tools/command/experiment_plan.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "train/json_internal.h"
#include "train/setup/lookup.h"
#include "train/text_file_internal.h"
#include "train/trainer/trainer.h"

/* ---- the experiments ---- */

/* The optimizer, learning rate, decay, clipping and L2 that the authors tuned. The bias of forget
 * gates is added for cells that have one. */
#define TUNED \
    "\"optimizer\": [\"adam\", \"rmsprop\", \"momentum\"]," \
    "\"learning-rate\": [{\"log-uniform\": [1e-2, 3], \"when\": {\"optimizer\": \"momentum\"}}," \
    "                  {\"log-uniform\": [3e-4, 0.1]}]," \
    "\"schedule\": [\"constant\", \"exponential\", \"cosine\"]," \
    "\"clip-norm\": {\"log-uniform\": [0.1, 10]}," \
    "\"weight-decay\": {\"log-uniform\": [1e-9, 1e-4]}"

static void count_bits(group *g, const outcome *t, double threshold)
{
    (void)threshold;
    if (t->diverged || !(isnan(g->value) || t->objective > g->value)) return;
    g->value = t->objective;
    g->bits = t->objective * (double)t->parameters;
    g->samples = t->samples;
    g->accuracy = t->accuracy;
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
    if (!t->diverged && !(t->objective <= threshold)) g->failed++;
    const double p = (double)g->failed / n, center = p + z * z / (2 * n),
                 width = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    g->value = p;
    g->low = fmax((center - width) / (1 + z * z / n), 0);
    g->high = fmin((center + width) / (1 + z * z / n), 1);
    g->parameters = t->parameters;
}

static const experiment experiments[] = {
    {"capacity", "bits_per_parameter", "bits_per_parameter", "bits per parameter", "parameters",
     "1000", "rnn,irnn,ugrnn,gru,lstm", 50, 500,
     "\"size\": [16, 32], \"batch-size\": [32, 64, 128, 256]," TUNED, count_bits},
    {"memory", "validation_error", "error", "mean squared error", "units", "32,48,64,80,96",
     "rnn,irnn,ugrnn,gru,lstm", 20, 20, "\"size\": 64, \"batch-size\": [32, 128]," TUNED,
     count_error},
    {"trainability", "validation_error", "share", "share of settings that fail", "parameters",
     "1000", "rnn,irnn,ugrnn,gru,lstm", 100, 20,
     "\"size\": 2, \"samples\": 1000, \"batch-size\": [16, 32, 64]," TUNED, count_failure},
};
enum { EXPERIMENTS = sizeof experiments / sizeof *experiments };

bool experiment_is(const experiment *e, const char *name) { return strcmp(e->name, name) == 0; }

static const char *task_of(const experiment *e)
{
    return experiment_is(e, "trainability") ? "parentheses" : e->name;
}

/* ---- lists ---- */

static bool check_item(const char *option, const char *item, bool numbers, rv_error *error)
{
    char label[64];
    rv_train_config unused = rv_train_config_new();
    if (!numbers) return rv_names_file(item, NULL) || rv_lookup_built_in(item, error);
    snprintf(label, sizeof label, "--%s", option);
    return rv_config_row_set(rv_config_row_find(option, NULL), label, item, &unused, error);
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

/* {"each": [..]}; false when out of memory, here and below. */
static bool add_each(cJSON *drawn, const char *key, const list *l, bool numbers)
{
    cJSON *each = cJSON_AddArrayToObject(cJSON_AddObjectToObject(drawn, key), "each");
    bool ok = each;
    for (int i = 0; i < l->count && ok; i++)
        ok = cJSON_AddItemToArray(each, numbers ? cJSON_CreateNumber(atof(l->item[i]))
                                                : cJSON_CreateString(l->item[i]));
    return ok;
}

/* {"KEY": [low, high], "when": {..}}: the condition, to be filled. NULL when out of memory. */
static cJSON *add_range(cJSON *to, const char *key, double low, double high)
{
    cJSON *ends = cJSON_AddArrayToObject(to, key);
    return ends && cJSON_AddItemToArray(ends, cJSON_CreateNumber(low)) &&
                   cJSON_AddItemToArray(ends, cJSON_CreateNumber(high))
               ? cJSON_AddObjectToObject(to, "when")
               : NULL;
}

/* From half a bit to eight bits of labels for each parameter. */
static bool add_samples(cJSON *drawn, const list *sizes)
{
    cJSON *ranges = cJSON_AddArrayToObject(drawn, "samples");
    bool ok = ranges;
    for (int i = 0; i < sizes->count && ok; i++) {
        const double size = atof(sizes->item[i]);
        cJSON *range = cJSON_CreateObject();
        ok = cJSON_AddItemToArray(ranges, range) &&
             cJSON_AddNumberToObject(
                 add_range(range, "log-uniform", fmax(ceil(size / 2), 2), fmax(8 * size, 16)),
                 "parameters", size);
    }
    return ok;
}

/* Whether a cell has a bias that the option `forget` sets. */
static bool has_forget_bias(const experiment_plan *p, const char *model)
{
    rv_error ignored = {0};
    rv_train_config config = rv_train_config_new();
    config.data.task = task_of(p->of);
    config.data.samples = 12;
    config.net.model = model;
    config.net.units = 4;
    config.net.forget = 1;
    rv_trainer *trainer = rv_trainer_new_checked(&config, &ignored);
    rv_trainer_free(trainer);
    return trainer;
}

static bool add_forget(cJSON *drawn, const experiment_plan *p)
{
    bool ok = true;
    cJSON *models = NULL;
    for (int i = 0; i < p->models.count && ok; i++) {
        if (!has_forget_bias(p, p->models.item[i])) continue;
        if (!models)
            models = cJSON_AddArrayToObject(
                add_range(cJSON_AddObjectToObject(drawn, "forget"), "uniform", 0, 4), "model");
        ok = models && cJSON_AddItemToArray(models, cJSON_CreateString(p->models.item[i]));
    }
    return ok;
}

/* What sets a net of the grid apart, as the lists of the command line write it. */
typedef struct grid_net {
    const char *model, *parameters, *layers;
} grid_net;

static grid_net net_at(const experiment_plan *p, int i)
{
    const int models = p->models.count, sizes = p->sizes.count;
    return (grid_net){p->models.item[i % models], p->sizes.item[i / models % sizes],
                      p->layers.item[i / models / sizes]};
}

/* Whether a net can be made with this size of the task; else *why says why not. */
static bool is_net(const experiment_plan *p, grid_net net, int64_t size,
                   const rv_train_config *given, rv_error *why)
{
    rv_train_config c = *given;
    c.data.task = task_of(p->of);
    c.data.size = size;
    if (!c.data.samples) c.data.samples = 512;
    c.net.model = net.model;
    c.net.parameters = atoll(net.parameters);
    c.net.layers = atoll(net.layers);
    rv_trainer *trainer = rv_trainer_new_checked(&c, why);
    rv_trainer_free(trainer);
    return trainer;
}

/* Those of the usual sizes of the task with which a net can be made; of none, *why says why not.
 * NULL: out of memory. */
static cJSON *fitting_sizes(const experiment_plan *p, grid_net net, const rv_train_config *given,
                            const cJSON *usual, rv_error *why)
{
    const bool several = cJSON_IsArray(usual);
    cJSON *fits = cJSON_CreateArray();
    bool ok = fits;
    for (const cJSON *at = several ? usual->child : usual; ok && at;
         at = several ? at->next : NULL) {
        const int64_t n = given->data.size ? given->data.size : (int64_t)at->valuedouble;
        if (is_net(p, net, n, given, why))
            ok = cJSON_AddItemToArray(fits, cJSON_CreateNumber((double)n));
    }
    if (ok && why->code != RV_ERROR_MEMORY) return fits;
    cJSON_Delete(fits);
    return NULL;
}

/* {"choices": [16], "when": {"model": "gru", "parameters": 500, "layers": 1}} */
static bool add_choice(cJSON *to, grid_net net, cJSON *choices)
{
    cJSON *entry = cJSON_CreateObject();
    bool ok = cJSON_AddItemToArray(to, entry) && cJSON_AddItemToObject(entry, "choices", choices);
    if (!ok) cJSON_Delete(choices);
    cJSON *when = ok ? cJSON_AddObjectToObject(entry, "when") : NULL;
    return when && cJSON_AddStringToObject(when, "model", net.model) &&
           cJSON_AddNumberToObject(when, "parameters", atof(net.parameters)) &&
           cJSON_AddNumberToObject(when, "layers", atof(net.layers));
}

/* Adds the sizes of each net that can be made with some of the usual ones only. A net that cannot
 * with any is noted. */
static bool add_choices(cJSON *to, experiment_plan *p, const rv_train_config *given,
                        const cJSON *usual)
{
    enum { MOST_CHOICES = 128, LINE = 200 };
    rv_text left_out = {p->left_out, p->left_out + sizeof p->left_out};
    for (int i = 0; i < experiment_groups(p); i++) {
        rv_error why = {0};
        const grid_net net = net_at(p, i);
        cJSON *fits = fitting_sizes(p, net, given, usual, &why);
        if (!fits) return false;
        const int count = cJSON_GetArraySize(fits);
        p->is_left_out[i] = count == 0 && left_out.end - left_out.at > LINE;
        if (p->is_left_out[i])
            rv_put(&left_out, "\n%s, %d layer(s): %-s", net.model, atoi(net.layers), why.text);
        if (count == 0 || count >= cJSON_GetArraySize(usual) ||
            cJSON_GetArraySize(to) >= MOST_CHOICES)
            cJSON_Delete(fits);
        else if (!add_choice(to, net, fits))
            return false;
    }
    return true;
}

/* Takes the choices, behind which the usual sizes are those of all other nets. */
static bool set_choices(cJSON *drawn, const cJSON *usual, cJSON *choices)
{
    cJSON *others = cJSON_CreateObject();
    const bool ok = cJSON_AddItemToObject(others, "choices", cJSON_Duplicate(usual, true)) &&
                    cJSON_AddItemToArray(choices, others) &&
                    cJSON_ReplaceItemInObjectCaseSensitive(drawn, "size", choices);
    if (!ok) cJSON_Delete(choices);
    return ok;
}

/* Units are whole, so a net may come within 10 % of its parameters with some sizes of the task
 * only. These are then drawn. */
static bool choose_sizes(experiment_plan *p, const rv_train_config *given, cJSON *drawn)
{
    const cJSON *usual = cJSON_GetObjectItem(drawn, "size");
    if (!cJSON_IsNumber(usual) && !cJSON_IsNumber(usual->child)) return true; /* of --space */
    cJSON *choices = cJSON_CreateArray();
    const bool ok = choices && add_choices(choices, p, given, usual);
    if (ok && choices->child) return set_choices(drawn, usual, choices);
    cJSON_Delete(choices);
    return ok;
}

/* Moves all members of `from` whose options `to` does not have, by their keys; deletes `from`. */
static bool move_members(cJSON *to, cJSON *from)
{
    bool ok = from;
    while (ok && from->child) {
        cJSON *item = cJSON_DetachItemViaPointer(from, from->child);
        const rv_config_row *row = rv_config_row_find(item->string, NULL);
        const bool has = row && cJSON_GetObjectItemCaseSensitive(to, row->key);
        ok = has || (row && cJSON_AddItemToObject(to, row->key, item));
        if (has || !ok) cJSON_Delete(item);
    }
    cJSON_Delete(from);
    return ok;
}

/* The ranges of the file `path`, whose conditions may name the nets; {} without a file. For
 * cJSON_Delete; NULL: an error. */
static cJSON *read_ranges(const cJSON *nets, const char *path, rv_error *error)
{
    space above = {0}, s = {0};
    if (!path) return cJSON_CreateObject();
    char *known = rv_json_text(nets, true), *text = rv_text_file_read(path, error);
    if (!known) rv_fail_memory(error);
    const bool ok = known && text && space_parse(&above, known, "nets", error) &&
                    space_continue(&s, &above, text, path, error);
    cJSON *ranges = ok ? s.json : NULL;
    if (ok) s.json = NULL;
    space_free(&s);
    space_free(&above);
    rv_free(known);
    rv_free(text);
    return ranges;
}

/* The nets; then the ranges of the file `path`, if there is one; then what is usual and not in that
 * file. */
static bool make_space(experiment_plan *p, const rv_train_config *given, const char *path,
                       rv_error *error)
{
    char text[2048];
    snprintf(text, sizeof text, "{%s, \"epochs\": %" PRId64 "}", p->of->space, p->of->epochs);
    cJSON *drawn = cJSON_CreateObject(), *usual = cJSON_CreateObject();
    bool ok = add_each(drawn, "model", &p->models, false) &&
              add_each(drawn, p->of->size, &p->sizes, true) &&
              add_each(drawn, "layers", &p->layers, true) &&
              cJSON_AddStringToObject(drawn, "task", task_of(p->of)) && add_forget(usual, p) &&
              (!experiment_is(p->of, "capacity") || add_samples(usual, &p->sizes));
    cJSON *ranges = ok ? read_ranges(drawn, path, error) : NULL;
    ok = ranges && move_members(drawn, ranges);
    ok = move_members(drawn, usual) && ok && move_members(drawn, cJSON_Parse(text));
    if (ok && strcmp(p->of->size, "units") != 0) ok = choose_sizes(p, given, drawn);
    p->space = ok ? rv_json_text(drawn, true) : NULL;
    cJSON_Delete(drawn);
    return p->space || (error->code == RV_OK && rv_fail_memory(error));
}

static const char *name_at(const void *all, int index)
{
    return ((const experiment *)all)[index].name;
}

static bool find_experiment(experiment_plan *p, const char *name, rv_error *error)
{
    for (const experiment *e = experiments; e < experiments + EXPERIMENTS; e++)
        if (experiment_is(e, name)) p->of = e;
    if (!p->of) rv_fail_unknown("experiment", name, name_at, experiments, EXPERIMENTS, error);
    return p->of;
}

int experiment_groups(const experiment_plan *p)
{
    return p->models.count * p->sizes.count * p->layers.count;
}

void experiment_plan_free(experiment_plan *p)
{
    rv_free(p->models.text);
    rv_free(p->sizes.text);
    rv_free(p->layers.text);
    rv_free(p->space);
}

/* A new experiment, from the command line. */
bool experiment_plan_make(experiment_plan *p, const experiment_nets *o,
                          const rv_train_config *given, rv_error *error)
{
    if (!find_experiment(p, o->name, error)) return false;
    const bool by_units = strcmp(p->of->size, "units") == 0;
    if (by_units ? !!o->parameters : !!o->units)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "the sizes of nets for %s are --%s; leave out --%s", o->name, p->of->size,
                       by_units ? "parameters" : "units");
    const char *sizes = by_units ? o->units : o->parameters;
    return parse_list(&p->models, "models", o->models ? o->models : p->of->models, false, error) &&
           parse_list(&p->sizes, p->of->size, sizes ? sizes : p->of->sizes, true, error) &&
           parse_list(&p->layers, "layers", o->layers ? o->layers : "1", true, error) &&
           (experiment_groups(p) <= MOST_GROUPS ||
            rv_fail(error, RV_ERROR_ARGUMENT, "%d nets; give at most %d", experiment_groups(p),
                    MOST_GROUPS)) &&
           make_space(p, given, o->space, error);
}

/* The list that add_each wrote. */
static bool read_each(list *l, const space *s, int entry, const char *key, rv_error *error)
{
    char text[32], joined[MOST_LISTED * 256], *at = joined;
    const cJSON *item;
    const space_entry *e = &s->entries[entry];
    if (entry >= s->count || e->kind != SPACE_EACH || strcmp(e->row->key, key) != 0) return false;
    cJSON_ArrayForEach(item, e->choices)
    {
        snprintf(text, sizeof text, "%.0f", item->valuedouble); /* 1000000, not 1e+06 */
        const char *word = cJSON_IsString(item) ? item->valuestring : text;
        const size_t left = (size_t)(joined + sizeof joined - at);
        const int length = snprintf(at, left, "%s%s", at > joined ? "," : "", word);
        if ((size_t)length >= left) return false;
        at += length;
    }
    return parse_list(l, key, joined, entry > 0, error);
}

/* "rnn,gru": the text of a list, whose items are lost. */
static const char *joined(list *l)
{
    for (int i = 1; i < l->count; i++) l->text[l->item[i] - l->text - 1] = ',';
    return l->text;
}

static bool check_list(list *its, list *l, const char *option, const char *path, rv_error *error)
{
    bool same = its->count == l->count;
    for (int i = 0; same && i < l->count; i++) same = strcmp(its->item[i], l->item[i]) == 0;
    return same ||
           rv_fail(error, RV_ERROR_ARGUMENT,
                   "\"%.300s\" holds an experiment with --%s %.100s, not %.100s; name another "
                   "--database, or continue that experiment without its name",
                   path, option, joined(its), joined(l));
}

bool experiment_plan_holds(experiment_plan *p, const char *path, rv_error *error)
{
    experiment_plan its = {0};
    const experiment_nets same = {.name = p->of->name};
    const bool ok = experiment_plan_read(&its, &same, path, error) &&
                    check_list(&its.models, &p->models, "models", path, error) &&
                    check_list(&its.sizes, &p->sizes, p->of->size, path, error) &&
                    check_list(&its.layers, &p->layers, "layers", path, error);
    experiment_plan_free(&its);
    return ok;
}

/* The experiment that the database holds: its lists are the grid of the space. */
bool experiment_plan_read(experiment_plan *p, const experiment_nets *o, const char *path,
                          rv_error *error)
{
    database d;
    sweep_plan its;
    space s = {0};
    if (o->models || o->parameters || o->units || o->layers)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "the nets of an experiment that continues are those that it has; leave out "
                       "--models, --parameters, --units and --layers, or name a new experiment");
    if (o->space)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "an experiment that continues draws from the ranges that it has; leave out "
                       "--space, or name a new experiment");
    bool ok = database_open(&d, path, NULL, &its, error) && space_parse(&s, its.space, path, error);
    const cJSON *task = ok ? cJSON_GetObjectItem(s.json, "task") : NULL;
    for (const experiment *e = experiments; cJSON_IsString(task) && e < experiments + EXPERIMENTS;
         e++)
        if (strcmp(task_of(e), task->valuestring) == 0 && strcmp(e->objective, its.objective) == 0)
            p->of = e;
    ok = ok &&
         ((p->of && read_each(&p->models, &s, 0, "model", error) &&
           read_each(&p->sizes, &s, 1, p->of->size, error) &&
           read_each(&p->layers, &s, 2, "layers", error) && experiment_groups(p) <= MOST_GROUPS) ||
          rv_fail(error, RV_ERROR_FORMAT,
                  "\"%.300s\" holds no experiment, but a sweep; see: recurve sweep --show "
                  "--database %.300s",
                  path, path));
    if (ok && o->name && !experiment_is(p->of, o->name))
        ok = rv_fail(error, RV_ERROR_ARGUMENT, "\"%.300s\" holds the experiment %s, not %.100s",
                     path, p->of->name, o->name);
    space_free(&s);
    sweep_plan_free(&its);
    database_close(&d);
    return ok;
}
