#include "tools/command/search.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "train/json_internal.h"
#include "train/trainer/trainer.h"

/* ---- the plan ---- */

/* A space as text, the same for files that differ in white space. */
static char *canonical(const space *s, rv_error *error)
{
    cJSON *copy = cJSON_Duplicate(s->json, true);
    char *text = copy && rv_json_exact_all(copy) ? rv_json_text(copy, true) : NULL;
    cJSON_Delete(copy);
    if (!text) rv_fail_memory(error);
    return text;
}

/* Opens what the first trial would train. */
static rv_trainer *try_out(const search_options *o, const sweep_plan *plan, const space *s,
                           int64_t number, rv_error *error)
{
    rv_error why = {0};
    rv_train_config config;
    cJSON *given = space_given(&o->config);
    char *settings = given ? space_draw(s, given, (uint64_t)plan->seed, number) : NULL;
    cJSON_Delete(given);
    rv_trainer *trainer = NULL;
    const bool ok = settings ? sweep_plan_config(plan, settings, "the command line", &config, &why)
                             : rv_fail_memory(&why);
    if (ok) {
        trainer = rv_trainer_new_checked(&config, &why);
        rv_train_config_free(&config);
    }
    rv_free(settings);
    if (!trainer) rv_fail(error, why.code, "trial %" PRId64 ": %-s", number, why.text);
    return trainer;
}

/* Some trials may fail, but not all of the first ones. */
static rv_trainer *try_some(const search_options *o, const sweep_plan *plan, const space *s,
                            rv_error *error)
{
    enum { TRIED = 8 };
    rv_error first = {0};
    for (int64_t i = o->range.first; i < o->range.first + TRIED; i++) {
        rv_trainer *trainer = try_out(o, plan, s, i, &first); /* keeps the first error */
        if (trainer) return trainer;
    }
    rv_fail(error, first.code, "%-s", first.text);
    return NULL;
}

/* The objective must be one of these data, and with halving all runs have the same number of
 * epochs. */
static bool complete_plan(const search_options *o, sweep_plan *plan, const space *s,
                          rv_error *error)
{
    bool varies = o->range.first == o->range.last;
    for (const space_entry *e = s->entries; e < s->entries + s->count; e++)
        varies = varies || space_varies(e);
    if (!varies)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "SPACE.json draws nothing, so all trials would be equal; give an option a "
                       "list or a range, such as \"learning-rate\": {\"log-uniform\": [1e-4, 1]}");
    for (const space_entry *e = s->entries; plan->halving && e < s->entries + s->count; e++)
        if (strcmp(e->row->key, "epochs") == 0 && space_varies(e))
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "--halving decides how many epochs a trial has; give SPACE.json one "
                           "number of epochs");
    const objective *metric = objective_find(plan->objective, error);
    rv_trainer *trainer = metric ? try_some(o, plan, s, error) : NULL;
    if (!trainer) return false;
    bool ok = objective_check(metric, trainer, plan->halving, error);
    if (plan->halving) plan->epochs = rv_trainer_config(trainer)->loop.epochs;
    rv_trainer_free(trainer);
    const rungs r = rungs_of(plan);
    if (ok && plan->halving && r.count == 1)
        ok = rv_fail(error, RV_ERROR_ARGUMENT,
                     "--rung %" PRId64 " is not below the %" PRId64 " epoch(s) of a run; give more "
                     "--epochs, or a smaller --rung",
                     plan->rung, plan->epochs);
    return ok;
}

static bool read_space(const search_options *o, space *s, sweep_plan *plan, rv_error *error)
{
    char folder[4096];
    rv_train_config kept = o->config;
    kept.loop.output = "."; /* names must be UTF-8, as in a run's folder */
    if (!rv_train_config_check(&kept, error) || !space_parse(s, o->space, o->from, error))
        return false;
    if (!getcwd(folder, sizeof folder))
        return rv_fail(error, RV_ERROR_IO, "cannot find the working directory: %s",
                       rv_reason(errno));
    *plan =
        (sweep_plan){.space = canonical(s, error),
                     .options = rv_train_config_json(&o->config),
                     .folder = rv_string_copy(folder),
                     .objective = rv_string_copy(o->objective ? o->objective : "validation_loss"),
                     .seed = o->config.loop.seed,
                     .halving = o->halving,
                     .rung = o->halving && !o->rung ? 1 : o->rung};
    return plan->space && plan->options && plan->folder && plan->objective ? true
                                                                           : rv_fail_memory(error);
}

/* ---- one sweep in one file ---- */

/* Whether the database's plan is the one that the command line states. */
static bool check_same(const search *w, const sweep_plan *fresh, rv_error *error)
{
    char what[DIFFERENCE];
    return !sweep_plan_differs(&w->plan, fresh, what) ||
           rv_fail(error, RV_ERROR_ARGUMENT,
                   "\"%.300s\" holds another %s: %-s; name another --database, or continue that %s "
                   "without \"%.300s\"",
                   w->database.path, w->page->name, what, w->page->name, w->options->from);
}

/* Without a space, what the database holds continues, or is shown, with its own options. */
static bool check_continued(const search_options *o, rv_error *error)
{
    const rv_train_config none = rv_train_config_new();
    const rv_config_row *row = rv_train_config_difference(&none, &o->config);
    const char *key = row ? row->key : o->objective ? "objective" : o->halving ? "halving" : NULL;
    return !key || rv_fail(error, RV_ERROR_ARGUMENT,
                           "--%s: \"%.300s\" has options of its own; leave this one out, or name a "
                           "new --database",
                           key, o->database);
}

/* The numbers of --trials, or of those that the database has. */
static bool choose_range(search *w, bool fresh, rv_error *error)
{
    database *d = &w->database;
    w->range = w->options->range;
    if (w->range.last >= 0) return true;
    const int64_t last = database_number(d, error, -1, "SELECT max(number) FROM trial", "");
    w->range = (trial_range){database_number(d, error, 0, "SELECT min(number) FROM trial", ""),
                             last >= 0 ? last : w->options->usual - 1};
    if (last < 0 && fresh && w->plan.halving) w->range.last = rungs_of(&w->plan).bracket - 1;
    return error->code == RV_OK;
}

static bool check_brackets(const sweep_plan *plan, trial_range range, rv_error *error)
{
    const int64_t bracket = rungs_of(plan).bracket, count = range.last + 1;
    return (range.first % bracket == 0 && count % bracket == 0) ||
           rv_fail(error, RV_ERROR_ARGUMENT,
                   "--trials: halving by %" PRId64 " from %" PRId64 " to %" PRId64
                   " epochs decides among %" PRId64
                   " trials at a time; give a multiple, such as %" PRId64,
                   plan->halving, plan->rung, plan->epochs, bracket,
                   (count + bracket - 1) / bracket * bracket);
}

/* A file may come from a merge, or from a process that was killed. */
static bool decide_all(search *w, rv_error *error)
{
    if (!database_begin(&w->database, error)) return false;
    trials_decide(&w->database, &w->plan, w->objective, error);
    return database_end(&w->database, error);
}

bool search_open(search *w, const command *page, const search_options *o, bool trains,
                 rv_error *error)
{
    *w = (search){.page = page, .options = o, .database = {.lock = -1}};
    const bool begins = o->space;
    sweep_plan fresh = {0};
    rv_train_config given = rv_train_config_new();
    bool ok = begins ? read_space(o, &w->space, &fresh, error) &&
                           complete_plan(o, &fresh, &w->space, error) &&
                           (o->range.last < 0 || check_brackets(&fresh, o->range, error))
                     : check_continued(o, error);
    ok = ok && database_open(&w->database, o->database, begins ? &fresh : NULL, &w->plan, error) &&
         database_check(&w->database, error) && (!begins || check_same(w, &fresh, error)) &&
         (begins || space_parse(&w->space, w->plan.space, w->database.path, error)) &&
         (w->objective = objective_find(w->plan.objective, error)) &&
         choose_range(w, begins, error);
    if (ok && trains)
        ok = check_brackets(&w->plan, w->range, error) &&
             rv_train_config_parse(&given, w->plan.options, w->database.path, error) &&
             trials_add(&w->database, &w->plan, &w->space, &given, w->range, error) &&
             decide_all(w, error);
    rv_train_config_free(&given);
    sweep_plan_free(&fresh);
    return ok;
}

void search_close(search *w)
{
    space_free(&w->space);
    sweep_plan_free(&w->plan);
    database_close(&w->database);
}

sweep_report search_report(search *w)
{
    return (sweep_report){&w->database, &w->plan, &w->space, w->objective, w->range};
}

rv_trainer *search_specimen(const search *w, rv_error *error)
{
    search_options o = *w->options;
    rv_trainer *trainer = NULL;
    o.config = rv_train_config_new();
    o.range = w->range;
    if (rv_train_config_parse(&o.config, w->plan.options, w->database.path, error))
        trainer = try_some(&o, &w->plan, &w->space, error);
    rv_train_config_free(&o.config);
    return trainer;
}
