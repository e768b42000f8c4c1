#include "tools/run/comparison.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/plot/curves.h"
#include "tools/cli/names.h"
#include "tools/run/run_folder.h"

/* ---- who takes part ---- */

/* The name of a model or an optimizer as its table has it; a text's stays. */
typedef const char *(*look_up)(const char *name, rv_error *error);

static const char *look_up_model(const char *name, rv_error *error)
{
    rv_lang *none;
    if (names_file(name, NULL)) return name;
    const rv_model *model = named_model(name, &none, error);
    return model ? model->name : NULL;
}

static const char *look_up_optimizer(const char *name, rv_error *error)
{
    const rv_optimizer *optimizer = named_optimizer(name, error);
    return optimizer ? optimizer->name : NULL;
}

/* Splits "a,b", a copy of which becomes *kept; no list is one name, NULL. */
static bool parse_list(const char *option, const char *list, look_up find, char **kept,
                       const char *names[MOST_COMPARED], int *count, rv_error *error)
{
    *count = 0;
    if (!list) names[(*count)++] = NULL;
    if (!list) return true;
    *kept = rv_alloc(strlen(list) + 1, 1);
    if (!*kept) return rv_fail_memory(error);
    memcpy(*kept, list, strlen(list));
    for (char *name = *kept, *next; name; name = next) {
        next = strchr(name, ',');
        if (next) *next++ = '\0';
        const char *found = find(name, error);
        if (!found) return false;
        if (*count == MOST_COMPARED)
            return rv_fail(error, RV_ERROR_ARGUMENT, "%s: more than %d names", option,
                           MOST_COMPARED);
        for (int i = 0; i < *count; i++)
            if (strcmp(names[i], found) == 0)
                return rv_fail(error, RV_ERROR_ARGUMENT, "%s: %s comes twice", option, found);
        names[(*count)++] = found;
    }
    return true;
}

const char *comparison_run_name(const comparison *c, const contender *who, int64_t k,
                                char text[RUN_TEXT])
{
    char seed[32] = "";
    if (c->seeds > 1) snprintf(seed, sizeof seed, "-%" PRId64, c->base.seed + k);
    size_t length = strlen(who->model), kept = length < RUN_TEXT / 2 ? length : RUN_TEXT / 2;
    snprintf(text, RUN_TEXT, "%s-%s%s", who->model + length - kept, who->optimizer, seed);
    for (char *at = text; *at != '\0'; at++) /* of a file's path */
        if (*at == '/' || *at == ':') *at = '_';
    return text;
}

static settings settings_of(const comparison *c, const contender *who, int64_t k)
{
    settings s = c->base;
    s.model = who->model;
    s.optimizer = who->optimizer;
    s.seed += k;
    return s;
}

/* Puts the run's name before what went wrong. */
static bool fail_run(const comparison *c, const contender *who, int64_t k, const rv_error *why,
                     rv_error *error)
{
    return rv_fail(error, why->code, "%s with %s, seed %" PRId64 ": %s",
                   who->model ? who->model : "the usual model",
                   who->optimizer ? who->optimizer : "the usual optimizer", c->base.seed + k,
                   why->text);
}

/* Makes the contender's experiment once, which names what the lists leave open. */
static bool try_out(comparison *c, contender *who, rv_error *error)
{
    rv_error why = {0};
    experiment e;
    settings s = settings_of(c, who, 0);
    rv_store *store = NULL;
    bool ok = experiment_make(&s, &e, &why) && (store = experiment_store(&s, &why)) &&
              make_parameters(&e, store, &why);
    rv_store_free(store);
    if (!ok) fail_run(c, who, 0, &why, error);
    who->model = ok ? s.model : who->model;
    who->optimizer = ok ? s.optimizer : who->optimizer;
    if (ok && who == c->all) {
        c->data = e;
        c->base.task = s.task;
        c->base.classes = s.classes;
    } else {
        experiment_free(&e);
    }
    return ok;
}

bool comparison_make(comparison *c, const char *models, const char *optimizers, rv_error *error)
{
    if (!parse_list("--models", models, look_up_model, &c->model_list, c->models, &c->model_count,
                    error) ||
        !parse_list("--optimizers", optimizers, look_up_optimizer, &c->optimizer_list,
                    c->optimizers, &c->optimizer_count, error))
        return false;
    c->all = rv_alloc((size_t)(c->model_count * c->optimizer_count), sizeof *c->all);
    if (!c->all) return rv_fail_memory(error);
    for (int m = 0; m < c->model_count; m++)
        for (int o = 0; o < c->optimizer_count; o++) {
            contender *who = &c->all[c->count++];
            *who = (contender){.model = c->models[m],
                               .optimizer = c->optimizers[o],
                               .model_number = m,
                               .optimizer_number = o};
            who->runs = rv_alloc((size_t)c->seeds, sizeof *who->runs);
            if (!who->runs) return rv_fail_memory(error);
            if (!try_out(c, who, error)) return false;
        }
    return true;
}

void comparison_free(comparison *c)
{
    for (int i = 0; i < c->count; i++) {
        for (int64_t k = 0; k < c->seeds && c->all[i].runs; k++) training_free(&c->all[i].runs[k]);
        rv_free(c->all[i].runs);
    }
    rv_free(c->all);
    rv_free(c->model_list);
    rv_free(c->optimizer_list);
    experiment_free(&c->data);
}

/* ---- a run ---- */

static int64_t count_parameters(const rv_store *store)
{
    int64_t count = 0;
    for (size_t i = 0; i < rv_store_count(store); i++) {
        const rv_entry *entry = rv_store_at(store, i);
        if (entry->role == RV_PARAMETER) count += rv_tensor_count(&entry->tensor);
    }
    return count;
}

/* Trains, and stores what `recurve train` would. */
static bool train(const comparison *c, contender *who, settings *s, training *t, rv_error *error)
{
    experiment e = {0};
    char title[RUN_TEXT];
    int number = (int)((who - c->all) * c->seeds + s->seed - c->base.seed) + 1;
    snprintf(title, sizeof title, "run %d/%d  %s, %s  ", number, (int)(c->count * c->seeds),
             who->model, who->optimizer);
    training_view view = {.bar = !s->quiet && !s->json, .title = title};
    rv_store *store = NULL;
    bool ok = (!s->output || run_folder_open(s->output, error)) && experiment_make(s, &e, error);
    ok = ok && (store = experiment_store(s, error)) && training_run(s, &e, view, store, t, error) &&
         (!s->plot || curves_draw(s->output, s, &e, t, error));
    if (ok) who->parameters = count_parameters(store);
    rv_store_free(store);
    experiment_free(&e);
    return ok;
}

static bool run_one(comparison *c, contender *who, int64_t k, rv_error *error)
{
    char name[RUN_TEXT], folder[PATH_TEXT];
    rv_error why = {0};
    settings s = settings_of(c, who, k);
    training *t = &who->runs[k];
    if (s.output) {
        comparison_run_name(c, who, k, name);
        if (!run_folder_path(s.output, name, folder, error)) return false;
        s.output = folder;
    }
    if (train(c, who, &s, t, &why)) return true;
    who->diverged = who->diverged || t->diverged;
    return t->diverged || fail_run(c, who, k, &why, error);
}

/* ---- what came out ---- */

static double score_of(const comparison *c, const epoch_row *row)
{
    const rv_source *data = &c->data.whole;
    return is_text(data)       ? row->held_out_cost / log(2)
           : data->classes > 0 ? row->held_out_accuracy
                               : row->held_out_error;
}

bool comparison_better(const comparison *c, double a, double b)
{
    bool more = c->data.whole.classes > 0 && !is_text(&c->data.whole);
    return more ? a > b : a < b;
}

typedef struct sums {
    double one, square;
} sums;

static void add(sums *s, double value)
{
    s->one += value;
    s->square += value * value;
}

static double mean_of(const sums *s, int64_t n) { return s->one / (double)n; }

static double spread_of(const sums *s, int64_t n)
{
    double mean = mean_of(s, n);
    return n > 1 ? sqrt(fmax(s->square - (double)n * mean * mean, 0) / (double)(n - 1)) : 0;
}

static void summarize(const comparison *c, contender *who)
{
    sums best = {0}, last = {0}, epochs = {0}, speed = {0};
    for (int64_t k = 0; k < c->seeds; k++) {
        const training *t = &who->runs[k];
        add(&best, score_of(c, &t->rows[t->best - 1]));
        add(&last, score_of(c, &t->rows[t->epochs - 1]));
        add(&epochs, (double)t->best);
        add(&speed, t->samples_per_second);
    }
    who->best = mean_of(&best, c->seeds);
    who->best_spread = spread_of(&best, c->seeds);
    who->last = mean_of(&last, c->seeds);
    who->last_spread = spread_of(&last, c->seeds);
    who->epochs_to_best = mean_of(&epochs, c->seeds);
    who->samples_per_second = mean_of(&speed, c->seeds);
}

bool comparison_run(comparison *c, rv_error *error)
{
    for (contender *who = c->all; who < c->all + c->count; who++) {
        for (int64_t k = 0; k < c->seeds; k++)
            if (!run_one(c, who, k, error)) return false;
        if (who->diverged) continue;
        summarize(c, who);
        if (!c->first || comparison_better(c, who->best, c->first->best)) c->first = who;
    }
    return true;
}
