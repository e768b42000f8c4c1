#include "tools/command/comparison.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "tools/cli/progress.h"
#include "tools/plot/curves.h"
#include "train/setup/lookup.h"
#include "train/trainer/run_folder.h"
#include "train/trainer/trainer.h"

/* ---- contenders ---- */

/* The name of a model or an optimizer as its table spells it. That of a file is unchanged. */
typedef const char *(*look_up)(const char *name, rv_error *error);

static const char *look_up_model(const char *name, rv_error *error)
{
    if (rv_names_file(name, NULL)) return name;
    const rv_model *model = rv_lookup_built_in(name, error);
    return model ? model->name : NULL;
}

static const char *look_up_optimizer(const char *name, rv_error *error)
{
    const rv_optimizer *optimizer = rv_lookup_optimizer(name, error);
    return optimizer ? optimizer->name : NULL;
}

static const char *look_up_title(const char *name, rv_error *error)
{
    (void)error; /* each run looks it up in its model */
    return name;
}

/* Splits "a,b" into names in *kept, a copy. A NULL list has one name, NULL. */
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
    const bool by_hand = c->gradients_list;
    char seed[32] = "";
    if (c->seeds > 1) snprintf(seed, sizeof seed, "-%" PRId64, c->base.loop.seed + k);
    size_t length = strlen(who->model), kept = length < RUN_TEXT / 2 ? length : RUN_TEXT / 2;
    const char *model = who->model + length - kept, *how = by_hand ? who->gradients : "";
    int shown = (int)strnlen(how, 60);
    while ((*model & 0xc0) == 0x80) model++; /* the rest of a character, here and below */
    while (shown > 0 && (how[shown] & 0xc0) == 0x80) shown--;
    snprintf(text, RUN_TEXT, "%s-%s%s%.*s%s", model, who->optimizer, by_hand ? "-" : "", shown, how,
             seed);
    for (char *at = text; *at != '\0'; at++) /* of a file's path, or of a title */
        if (*at == '/' || *at == ':' || *at == ' ') *at = '_';
    return text;
}

static rv_train_config config_of(const comparison *c, const contender *who, int64_t k)
{
    rv_train_config config = c->base;
    config.net.model = who->model;
    config.optimizer.name = who->optimizer;
    config.optimizer.gradients = c->gradients_list ? who->gradients : NULL;
    config.loop.seed += k;
    return config;
}

/* Prefixes the error with the run's name. */
static bool fail_run(const comparison *c, const contender *who, int64_t k, const rv_error *why,
                     rv_error *error)
{
    return rv_fail(error, why->code, "%s with %s%s%s, seed %" PRId64 ": %-s",
                   who->model ? who->model : "the default model",
                   who->optimizer ? who->optimizer : "the default optimizer",
                   c->gradients_list ? ", " : "", c->gradients_list ? who->gradients : "",
                   c->base.loop.seed + k, why->text);
}

static bool initialize(const comparison *c, rv_trainer *trainer, rv_error *error)
{
    return !c->initial || rv_trainer_initialize(trainer, c->initial, false, error);
}

/* A default that the trainer has filled in. Such names are never freed. */
static void take_name(const char **name, const char *filled)
{
    if (!*name) *name = filled;
}

/* Makes a trainer of the contender's first run, which fills in default names. */
static bool try_out(comparison *c, contender *who, rv_error *error)
{
    rv_error why = {0};
    rv_train_config config = config_of(c, who, 0);
    rv_batch_program b = {0};
    rv_trainer *trainer = rv_trainer_new_checked(&config, &why);
    bool ok = trainer && initialize(c, trainer, &why) &&
              rv_batch_program_make(&b, rv_trainer_setup(trainer), rv_trainer_store(trainer), 1,
                                    false, RV_DEFAULT, &why);
    rv_batch_program_free(&b);
    if (ok) {
        const rv_train_config *filled = rv_trainer_config(trainer);
        take_name(&who->model, filled->net.model);
        take_name(&who->optimizer, filled->optimizer.name);
        take_name(&c->base.data.task, filled->data.task);
        if (strcmp(c->base.data.task, "digits") == 0)
            take_name(&c->base.data.classes, filled->data.classes);
    } else {
        fail_run(c, who, 0, &why, error);
    }
    if (ok && !c->tried)
        c->tried = trainer;
    else
        rv_trainer_free(trainer);
    return ok;
}

const rv_source *comparison_data(const comparison *c) { return &rv_trainer_setup(c->tried)->data; }

static bool add_contender(comparison *c, int model, int optimizer, int gradients, rv_error *error)
{
    contender *who = &c->all[c->count++];
    const char *title = c->gradients[gradients];
    *who = (contender){.model = c->models[model],
                       .optimizer = c->optimizers[optimizer],
                       .gradients = title ? title : "autodiff",
                       .model_number = model,
                       .optimizer_number = optimizer,
                       .gradients_number = gradients};
    who->runs = rv_alloc((size_t)c->seeds, sizeof *who->runs);
    return who->runs ? try_out(c, who, error) : rv_fail_memory(error);
}

bool comparison_make(comparison *c, const char *models, const char *optimizers,
                     const char *gradients, rv_error *error)
{
    if (!parse_list("--models", models, look_up_model, &c->model_list, c->models, &c->model_count,
                    error) ||
        !parse_list("--optimizers", optimizers, look_up_optimizer, &c->optimizer_list,
                    c->optimizers, &c->optimizer_count, error) ||
        !parse_list("--gradients", gradients, look_up_title, &c->gradients_list, c->gradients,
                    &c->gradients_count, error))
        return false;
    c->all = rv_alloc((size_t)(c->model_count * c->optimizer_count * c->gradients_count),
                      sizeof *c->all);
    if (!c->all) return rv_fail_memory(error);
    for (int m = 0; m < c->model_count; m++)
        for (int o = 0; o < c->optimizer_count; o++)
            for (int g = 0; g < c->gradients_count; g++)
                if (!add_contender(c, m, o, g, error)) return false;
    return true;
}

void comparison_free(comparison *c)
{
    for (int i = 0; i < c->count; i++) {
        for (int64_t k = 0; k < c->seeds && c->all[i].runs; k++)
            rv_free((void *)(uintptr_t)c->all[i].runs[k].history);
        rv_free(c->all[i].runs);
    }
    rv_free(c->all);
    rv_free(c->model_list);
    rv_free(c->optimizer_list);
    rv_free(c->gradients_list);
    rv_trainer_free(c->tried);
}

/* ---- a run ---- */

static bool after_update(void *bar, const rv_trainer *trainer)
{
    const rv_run_state *at = &rv_trainer_result(trainer)->at;
    progress_paint(bar, at->seen, at->loss_sum / (double)at->seen);
    return true;
}

static bool after_epoch(void *bar, const rv_trainer *trainer)
{
    progress_start(bar, rv_trainer_result(trainer)->at.epoch);
    return true;
}

/* Copies a result with its history, which is freed with rv_free. */
static bool keep_result(const rv_train_result *from, rv_train_result *to, rv_error *error)
{
    rv_epoch *history = rv_alloc((size_t)from->epochs, sizeof *history);
    if (!history) return rv_fail_memory(error);
    if (from->epochs > 0) memcpy(history, from->history, (size_t)from->epochs * sizeof *history);
    *to = *from;
    to->history = history;
    return true;
}

/* Carries out one run and stores its result. */
static bool train(comparison *c, contender *who, int64_t k, const rv_train_config *config,
                  rv_train_result *result, rv_error *error)
{
    char title[RUN_TEXT];
    rv_error undrawn = {0};
    int number = (int)((who - c->all) * c->seeds + k) + 1;
    rv_print(title, sizeof title, "run %d/%d  %s, %s%s%.60s  ", number, (int)(c->count * c->seeds),
             who->model, who->optimizer, c->gradients_list ? ", " : "",
             c->gradients_list ? who->gradients : "");
    rv_trainer *trainer = rv_trainer_new(config, error);
    if (!trainer) return false;
    const rv_train_config *filled = rv_trainer_config(trainer);
    const rv_setup *s = rv_trainer_setup(trainer);
    progress bar = progress_new(c->bar, title, filled->loop.epochs, 0, s->training.count);
    progress_start(&bar, 1);
    bool ok = initialize(c, trainer, error) &&
              rv_trainer_observe(trainer, (rv_observer){after_update, after_epoch, &bar}, error) &&
              rv_trainer_fit(trainer, error);
    progress_clear(&bar);
    ok = keep_result(rv_trainer_result(trainer), result, error) && ok;
    if (ok && c->plot && !curves_draw(filled->loop.output, filled, s, result, &undrawn))
        fail_run(c, who, k, &undrawn, &c->undrawn);
    if (ok) {
        who->parameters = rv_store_parameters(rv_trainer_store(trainer));
        who->units = filled->net.units;
    }
    rv_trainer_free(trainer);
    return ok;
}

static bool folder_of(const comparison *c, const contender *who, int64_t k, char folder[RV_PATH],
                      rv_error *error)
{
    char name[RUN_TEXT];
    comparison_run_name(c, who, k, name);
    return rv_run_folder_path(c->base.loop.output, name, folder, error);
}

bool comparison_check_folders(const comparison *c, rv_error *error)
{
    char folder[RV_PATH];
    if (c->base.loop.overwrite) return true;
    for (const contender *who = c->all; who < c->all + c->count; who++)
        for (int64_t k = 0; k < c->seeds; k++)
            if (!folder_of(c, who, k, folder, error) || !rv_run_folder_clear(folder, false, error))
                return false;
    return true;
}

static bool run_one(comparison *c, contender *who, int64_t k, rv_error *error)
{
    char folder[RV_PATH];
    rv_error why = {0};
    rv_train_config config = config_of(c, who, k);
    rv_train_result *result = &who->runs[k];
    if (config.loop.output) {
        if (!folder_of(c, who, k, folder, error)) return false;
        config.loop.output = folder;
    }
    if (train(c, who, k, &config, result, &why)) return true;
    who->diverged = who->diverged || result->diverged;
    return result->diverged || fail_run(c, who, k, &why, error);
}

/* ---- scores ---- */

static double score_of(const comparison *c, const rv_epoch *row)
{
    const rv_source *data = comparison_data(c);
    return rv_source_is_text(data) ? row->validation_loss / log(2)
           : data->classes > 0     ? row->validation_accuracy
                                   : row->validation_error;
}

bool comparison_better(const comparison *c, double a, double b)
{
    bool more = comparison_data(c)->classes > 0 && !rv_source_is_text(comparison_data(c));
    return more ? a > b : a < b;
}

bool comparison_is_best(const comparison *c, const contender *who)
{
    const contender *first = c->first;
    if (!first || who->diverged || c->seeds < 2) return false;
    /* The standard error of the difference of the two means. */
    double error = hypot(who->best_spread, first->best_spread) / sqrt((double)c->seeds);
    return who == first || fabs(who->best - first->best) <= 2 * error;
}

/* Welford's moments of the values so far. A sum of squares would cancel. */
typedef struct moments {
    int64_t count;
    double mean, squares; /* squares: sum of the squared deviations from the mean */
} moments;

static void add(moments *m, double value)
{
    double deviation = value - m->mean;
    m->mean += deviation / (double)++m->count;
    m->squares += deviation * (value - m->mean);
}

static double spread_of(const moments *m)
{
    return m->count > 1 ? sqrt(m->squares / (double)(m->count - 1)) : 0;
}

static void summarize(const comparison *c, contender *who)
{
    moments best = {0}, last = {0}, epochs = {0}, speed = {0};
    for (int64_t k = 0; k < c->seeds; k++) {
        const rv_train_result *t = &who->runs[k];
        add(&best, score_of(c, &t->history[t->best_epoch - 1]));
        add(&last, score_of(c, &t->history[t->epochs - 1]));
        add(&epochs, (double)t->best_epoch);
        add(&speed, t->samples_per_second);
    }
    who->best = best.mean;
    who->best_spread = spread_of(&best);
    who->last = last.mean;
    who->last_spread = spread_of(&last);
    who->epochs_to_best = epochs.mean;
    who->samples_per_second = speed.mean;
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
