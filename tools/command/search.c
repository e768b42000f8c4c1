#include "tools/command/search.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "tools/cli/interrupt.h"
#include "tools/cli/progress.h"
#include "tools/cli/say.h"
#include "train/json_internal.h"

/* ---- the plan ---- */

/* A space as text, the same for files that differ in white space. */
static char *canonical(const space *s, rv_error *error)
{
    char *text = rv_json_text(s->json, true);
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
    bool ok = settings ? worker_config(plan, settings, "the command line", &config, &why)
                       : rv_fail_memory(&why);
    if (ok) {
        trainer = rv_trainer_new(&config, &why);
        ok = trainer && rv_setup_check_given(rv_trainer_setup(trainer), rv_trainer_config(trainer),
                                             &config, &why);
        rv_train_config_free(&config);
    }
    rv_free(settings);
    if (ok) return trainer;
    rv_trainer_free(trainer);
    rv_fail(error, why.code, "trial %" PRId64 ": %-s", number, why.text);
    return NULL;
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

/* The objective must be one of these data, and with halving all runs have the same number of epochs. */
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
    rv_trainer *trainer = try_some(o, plan, s, error);
    if (!trainer) return false;
    const bool labels = rv_trainer_setup(trainer)->data.classes > 0;
    const char *other = labels ? "validation_error" : "validation_accuracy";
    bool ok = strcmp(plan->objective, other) != 0 ||
              rv_fail(error, RV_ERROR_ARGUMENT,
                      "--objective %s: the data have %s; use validation_loss or %s", other,
                      labels ? "labels" : "no labels",
                      labels ? "validation_accuracy" : "validation_error");
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

static bool fail_other(const search *w, const char *what, const char *its, const char *given,
                       rv_error *error)
{
    return rv_fail(error, RV_ERROR_ARGUMENT,
                   "\"%.300s\" holds another sweep: %s is %.100s, not %.100s; name another "
                   "--database, or continue that sweep without SPACE.json",
                   w->database.path, what, its, given);
}

/* Whether the database's plan is the one that the command line states. */
static bool check_same(const search *w, const sweep_plan *fresh, rv_error *error)
{
    const sweep_plan *p = &w->plan;
    char a[32], b[32];
    const struct {
        const char *name;
        int64_t its, given;
    } numbers[] = {{"--seed", p->seed, fresh->seed},
                   {"--halving", p->halving, fresh->halving},
                   {"--rung", p->rung, fresh->rung},
                   {"the number of epochs", p->epochs, fresh->epochs}};
    if (strcmp(p->objective, fresh->objective) != 0)
        return fail_other(w, "--objective", p->objective, fresh->objective, error);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i].its == numbers[i].given) continue;
        snprintf(a, sizeof a, "%" PRId64, numbers[i].its);
        snprintf(b, sizeof b, "%" PRId64, numbers[i].given);
        return fail_other(w, numbers[i].name, a, b, error);
    }
    return (strcmp(p->space, fresh->space) == 0 && strcmp(p->options, fresh->options) == 0) ||
           rv_fail(error, RV_ERROR_ARGUMENT,
                   "\"%.300s\" holds another sweep: its %s; name another --database, or "
                   "continue that sweep without SPACE.json",
                   w->database.path,
                   strcmp(p->space, fresh->space) == 0 ? "options of runs differ"
                                                       : "SPACE.json was another one");
}

/* Without SPACE.json, a sweep continues with its own options. */
static bool check_continued(const search_options *o, rv_error *error)
{
    const rv_train_config none = rv_train_config_new();
    const rv_config_row *row = rv_train_config_difference(&none, &o->config);
    const char *key = row ? row->key : o->objective ? "objective" : o->halving ? "halving" : NULL;
    return !key || rv_fail(error, RV_ERROR_ARGUMENT,
                           "--%s: a sweep continues with its own options; give SPACE.json to begin "
                           "another one",
                           key);
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
                           objective_find(fresh.objective, error) &&
                           complete_plan(o, &fresh, &w->space, error) &&
                           (o->range.last < 0 || check_brackets(&fresh, o->range, error))
                     : !trains || check_continued(o, error);
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

/* ---- workers ---- */

static bool is_asked_to_stop(void) { return interrupt_signal() != 0; }

/* The parent forwards what ends the sweep; a worker whose parent dies ends, too. */
static void be_worker(const search *w, const char *path, pid_t parent)
{
    rv_error error = {0};
    const worker_job job = {path, w->range, w->options->config.loop.threads, is_asked_to_stop};
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGINT, SIG_IGN);
    interrupt_unblock(); /* SIGTERM has the handler of the parent */
    if (getppid() == parent) worker_run(&job, &error);
    if (error.code != RV_OK) command_warn(w->page, error.text);
    fflush(stderr);
    _exit(error.code == RV_OK ? 0 : 1);
}

typedef struct crew {
    pid_t process[MOST_WORKERS]; /* 0: it has ended */
    int count, left, killed, failed;
} crew;

static bool start(crew *c, const search *w, const char *path, rv_error *error)
{
    const pid_t parent = getpid();
    fflush(NULL);
    for (c->count = 0; c->count < w->options->workers; c->count++, c->left++) {
        interrupt_block();
        const pid_t child = fork();
        if (child == 0) be_worker(w, path, parent);
        interrupt_unblock();
        if (child < 0)
            return rv_fail(error, RV_ERROR_IO, "cannot start worker %d: %s; give fewer --workers",
                           c->count + 1, rv_reason(errno));
        c->process[c->count] = child;
    }
    return true;
}

static void stop(const crew *c)
{
    for (int i = 0; i < c->count; i++)
        if (c->process[i] > 0) kill(c->process[i], SIGTERM);
}

/* Notes which workers have ended. */
static void look(crew *c)
{
    int status;
    for (int i = 0; i < c->count; i++) {
        if (c->process[i] == 0 || waitpid(c->process[i], &status, WNOHANG) != c->process[i])
            continue;
        c->process[i] = 0;
        c->left--;
        c->killed += WIFSIGNALED(status);
        c->failed += WIFEXITED(status) && WEXITSTATUS(status) != 0;
    }
}

/* "[####......] 57/200 trials, 3 diverged, best 0.0123 in trial 17, 0:42 left" */
static void paint(search *w, progress *bar, const trial_counts *before, rv_error *error)
{
    trial_counts c;
    char best[64] = "", sql[256];
    if (!progress_due(bar, 0.5) || !trials_count(&w->database, w->range, &c, error)) return;
    snprintf(sql, sizeof sql,
             "SELECT number, objective FROM trial WHERE objective NOT NULL AND state NOT IN "
             "('diverged', 'failed') AND number BETWEEN ? AND ? ORDER BY objective %s LIMIT 1",
             w->objective->greatest ? "DESC" : "");
    sqlite3_stmt *query =
        database_query(&w->database, error, sql, "ii", w->range.first, w->range.last);
    while (database_next(&w->database, query, error))
        snprintf(best, sizeof best, "best %.4g in trial %" PRId64 "  ",
                 sqlite3_column_double(query, 1), (int64_t)sqlite3_column_int64(query, 0));
    progress_paint_count(bar, c.all - c.open, c.all, before->all - before->open, best);
}

static exit_status result_of(const search *w, const crew *c, const trial_counts *now,
                             rv_error *error)
{
    if (c->killed > 0 && now->open > 0 && interrupt_signal() == 0)
        rv_fail(error, RV_ERROR_IO,
                "%d worker(s) were killed, and %" PRId64 " trial(s) remain; repeat the command: it "
                "continues from the last checkpoints",
                c->killed, now->open);
    else if (c->failed == 0 && now->open > 0 && interrupt_signal() == 0)
        rv_fail(error, RV_ERROR_FORMAT,
                "%" PRId64
                " trial(s) of \"%.300s\" %s open, but cannot be trained; merge the parts of "
                "the sweep again into a new file",
                now->open, w->database.path, now->open == 1 ? "is" : "are");
    if (error->code != RV_OK || c->failed > 0) return STATUS_FAILED;
    if (interrupt_signal() == 0 || now->open == 0) return STATUS_OK;
    say(stderr,
        "recurve %s: interrupted, %" PRId64 " trial(s) remain; to continue: recurve sweep "
        "--database %s\n",
        w->page->name, now->open, w->options->database);
    return interrupt_signal() == SIGTERM ? STATUS_TERMINATED : STATUS_INTERRUPTED;
}

exit_status search_train(search *w, rv_error *error)
{
    crew c = {.count = 0};
    bool stopped = false;
    trial_counts before = {0}, now = {0};
    char path[sizeof w->database.path];
    strcpy(path, w->database.path);
    sweep_plan again = {0};
    database_close(&w->database); /* a connection must not be used across a fork */
    interrupt_catch();
    if (!start(&c, w, path, error)) stop(&c);
    progress bar = progress_new(!w->options->quiet, "", 0, 0, 0);
    if (database_open(&w->database, path, NULL, &again, error))
        trials_count(&w->database, w->range, &before, error);
    for (; c.left > 0; nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL)) {
        look(&c);
        if (!stopped && (interrupt_signal() != 0 || error->code != RV_OK)) {
            stop(&c);
            stopped = true;
        }
        if (error->code == RV_OK) paint(w, &bar, &before, error);
    }
    progress_clear(&bar);
    interrupt_release();
    sweep_plan_free(&again);
    if (error->code == RV_OK) trials_count(&w->database, w->range, &now, error);
    return result_of(w, &c, &now, error);
}
