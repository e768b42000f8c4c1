/* recurve sweep */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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
#include "tools/command/commands.h"
#include "tools/command/sweep_report.h"
#include "tools/machine/timing.h"
#include "tools/sweep/merge.h"
#include "train/json_internal.h"
#include "train/text_file_internal.h"

/* ---- options ---- */

typedef struct sweep_options {
    rv_train_config config;
    const char *database, *trials, *objective;
    int64_t workers, halving, rung;
    bool merge, show, best, csv, json, quiet;
    trial_range range; /* of --trials */
} sweep_options;

enum { MOST_TRIALS = 10000000, MOST_WORKERS = 1024, DEFAULT_TRIALS = 100 };

#define ROW(field, option, called, kind, ...) \
    OPTION_ROW(sweep_options, field, option, called, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(config.loop.seed, "seed", "N", WHOLE,
        "seed of the draws, and of all random numbers of the runs\n"
        "unless SPACE draws their seed (default: 1)",
        .low = 0, .high = (int64_t)1 << 53, .unset = -1),
    ROW(database, "database", "FILE", TEXT,
        "the sweep's file, made if missing: a SQLite database with\n"
        "trials, settings, learning curves and checkpoints",
        .group = "The sweep"),
    ROW(trials, "trials", "N[-M]", TEXT,
        "train N trials, or only those with the numbers N to M\n"
        "(default: those in the database; in a new one, 100)"),
    ROW(workers, "workers", "N", WHOLE, "processes that train trials (default: 1)", .low = 1,
        .high = MOST_WORKERS),
    ROW(objective, "objective", "validation_loss|validation_accuracy|validation_error|loss", TEXT,
        "what makes a trial better, in its best epoch (default:\nvalidation_loss)"),
    ROW(halving, "halving", "F", WHOLE,
        "successive halving: of F trials one continues to F times\n"
        "as many epochs (default: all trials have all epochs)",
        .low = 2, .high = 100),
    ROW(rung, "rung", "N", WHOLE, "with --halving: epochs before the first decision (default: 1)",
        .low = 1, .high = 1 << 20),
    ROW(merge, "merge", NULL, FLAG,
        "copy the trials of other files of this sweep, given in\n"
        "place of SPACE.json, into the database"),
    ROW(show, "show", NULL, FLAG, "print all trials, the best first", .group = "What is printed"),
    ROW(best, "best", NULL, FLAG,
        "print the configuration of the best trial, for\n`recurve train --config`"),
    ROW(csv, "csv", NULL, FLAG, "print all trials as CSV"),
    ROW(json, "json", NULL, FLAG, "print one JSON document instead of text"),
    ROW(quiet, "quiet", NULL, FLAG, "show no progress"),
};

static bool is_of_runs(const char *key)
{
    return strcmp(key, "output") != 0 && strcmp(key, "overwrite") != 0 &&
           strcmp(key, "anomaly") != 0;
}

static exit_status run(int argc, char **argv, rv_error *error);

const command command_sweep = {
    .name = "sweep",
    .run = run,
    .summary = "search hyper-parameters: many trials, any number of processes",
    .synopsis = "[SPACE.json] --database FILE [OPTION]...",
    .description =
        "Trains runs with settings drawn at random from a space, and keeps all of them in one\n"
        "file. SPACE.json is an object whose keys are options of `recurve train`:\n\n"
        "    {\"task\": \"adding\",                              the same in every trial\n"
        "     \"optimizer\": [\"adam\", \"momentum\"],             one of these\n"
        "     \"units\": {\"uniform\": [8, 64]},                from 8 to 64\n"
        "     \"learning-rate\": {\"log-uniform\": [1e-4, 1]},  its logarithm is uniform\n"
        "     \"momentum\": {\"uniform\": [0.5, 0.99],          drawn only where it is used\n"
        "                  \"when\": {\"optimizer\": \"momentum\"}}}\n\n"
        "Other options of `recurve train` hold for all trials, and override those of SPACE.json.\n"
        "The settings of trial i depend on the seed and i alone, not on the number of trials or\n"
        "workers. A run that diverges is no candidate for the best.\n\n"
        "The command can run many times at once on a machine, with the same database: each trial\n"
        "is trained once. The trial of a process that was killed continues from its last\n"
        "checkpoint in another one, or when the command is repeated. Without SPACE.json the sweep\n"
        "in the database continues; with --show, --best, --csv or --json, it is only printed.\n",
    OPTIONS(options),
    .configures = is_of_runs,
    .operand = "SPACE.json",
    .files = "SPACE.json",
    .statuses = "130, 143  SIGINT, SIGTERM interrupted it\n",
    .failure = "the sweep failed: no trial fits, a file cannot be read or written, or\n"
               "       workers were killed and trials remain",
    .example = "recurve sweep space.json --database /tmp/adding.sqlite --trials 200 --workers 4\n"
               "recurve sweep --database /tmp/adding.sqlite --show\n"
               "recurve sweep --database /tmp/adding.sqlite --best >best.json\n"
               "recurve train --config best.json\n"
               "recurve sweep --database /tmp/all.sqlite --merge part-*.sqlite\n",
};

static bool fail_trials(const sweep_options *o, rv_error *error)
{
    return rv_fail(error, RV_ERROR_ARGUMENT,
                   "--trials: got \"%.100s\", expected a number of trials, or the first and the "
                   "last, such as 0-99, below %d",
                   o->trials, MOST_TRIALS);
}

/* "200" is 0-199. */
static bool parse_trials(sweep_options *o, rv_error *error)
{
    int used = -1;
    int64_t a = 0, b = 0;
    if (!o->trials) return true;
    const size_t digits = strspn(o->trials, "0123456789");
    const char *rest = o->trials + digits;
    if (digits == 0 || digits > 8) return fail_trials(o, error);
    a = strtoll(o->trials, NULL, 10);
    if (*rest == '\0' && a > 0 && a <= MOST_TRIALS) {
        o->range = (trial_range){0, a - 1};
        return true;
    }
    if (*rest != '-' || strspn(rest + 1, "0123456789") > 8 ||
        sscanf(rest + 1, "%" SCNd64 "%n", &b, &used) != 1 || rest[1 + used] != '\0' ||
        rest[1] < '0' || rest[1] > '9' || a > b || b >= MOST_TRIALS)
        return fail_trials(o, error);
    o->range = (trial_range){a, b};
    return true;
}

static bool check_options(sweep_options *o, int files, rv_error *error)
{
    if (!o->database)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--database names the file of the sweep; give one, such as --database "
                       "sweep.sqlite");
    if (o->merge && files == 0)
        return rv_fail(
            error, RV_ERROR_ARGUMENT,
            "--merge copies trials of other databases; name them: --merge part-*.sqlite");
    if (o->merge && o->trials)
        return rv_fail(error, RV_ERROR_ARGUMENT, "--merge copies all trials; leave out --trials");
    if (files > 1 && !o->merge)
        return rv_fail(error, RV_ERROR_ARGUMENT, "a sweep has one SPACE.json, got %d files", files);
    if (o->show + o->best + o->csv + o->json > 1)
        return rv_fail(error, RV_ERROR_ARGUMENT, "give one of --show, --best, --csv and --json");
    if (o->rung && !o->halving)
        return rv_fail(error, RV_ERROR_ARGUMENT, "--rung says where --halving F decides first");
    return parse_trials(o, error);
}

/* ---- the plan ---- */

/* A space as text, the same for files that differ in white space. */
static char *canonical(const space *s, rv_error *error)
{
    char *text = rv_json_text(s->json, true);
    if (!text) rv_fail_memory(error);
    return text;
}

/* Opens what the first trial would train. */
static rv_trainer *try_out(const sweep_options *o, const sweep_plan *plan, const space *s,
                           int64_t number, rv_error *error)
{
    rv_error why = {0};
    rv_train_config config;
    char *settings = space_draw(s, &o->config, (uint64_t)plan->seed, number);
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
static rv_trainer *try_some(const sweep_options *o, const sweep_plan *plan, const space *s,
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
static bool complete_plan(sweep_options *o, sweep_plan *plan, const space *s, rv_error *error)
{
    bool varies = o->range.first == o->range.last && o->trials;
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

static bool read_space(const sweep_options *o, const char *file, space *s, sweep_plan *plan,
                       rv_error *error)
{
    char folder[4096];
    rv_train_config kept = o->config;
    kept.loop.output = "."; /* names must be UTF-8, as in a run's folder */
    char *text = rv_train_config_check(&kept, error) ? rv_text_file_read(file, error) : NULL;
    bool ok = text && space_parse(s, text, file, error);
    rv_free(text);
    if (!ok) return false;
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

typedef struct sweep {
    sweep_options *options;
    space space;
    sweep_plan plan;
    database database;
    const objective *objective;
    trial_range range;
} sweep;

static bool fail_other(const sweep *w, const char *what, const char *its, const char *given,
                       rv_error *error)
{
    return rv_fail(error, RV_ERROR_ARGUMENT,
                   "\"%.300s\" holds another sweep: %s is %.100s, not %.100s; name another "
                   "--database, or continue that sweep without SPACE.json",
                   w->database.path, what, its, given);
}

/* Whether the database's plan is the one that the command line states. */
static bool check_same(const sweep *w, const sweep_plan *fresh, rv_error *error)
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
static bool check_continued(const sweep_options *o, rv_error *error)
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
static bool choose_range(sweep *w, bool fresh, rv_error *error)
{
    database *d = &w->database;
    w->range = w->options->range;
    if (w->options->trials) return true;
    const int64_t last = database_number(d, error, -1, "SELECT max(number) FROM trial", "");
    w->range = (trial_range){database_number(d, error, 0, "SELECT min(number) FROM trial", ""),
                             last >= 0 ? last : DEFAULT_TRIALS - 1};
    if (last < 0 && fresh && w->plan.halving) w->range.last = rungs_of(&w->plan).bracket - 1;
    return error->code == RV_OK;
}

static bool check_brackets(const sweep *w, rv_error *error)
{
    const int64_t bracket = rungs_of(&w->plan).bracket, count = w->range.last + 1;
    return (w->range.first % bracket == 0 && count % bracket == 0) ||
           rv_fail(error, RV_ERROR_ARGUMENT,
                   "--trials: halving by %" PRId64 " from %" PRId64 " to %" PRId64
                   " epochs decides among %" PRId64
                   " trials at a time; give a multiple, such as %" PRId64,
                   w->plan.halving, w->plan.rung, w->plan.epochs, bracket,
                   (count + bracket - 1) / bracket * bracket);
}

/* Opens the database, or makes it, and adds the trials. */
static bool open_sweep(sweep *w, const char *file, bool trains, rv_error *error)
{
    sweep_plan fresh = {0};
    rv_train_config given = rv_train_config_new();
    bool ok = file ? read_space(w->options, file, &w->space, &fresh, error) &&
                         objective_find(fresh.objective, error) &&
                         complete_plan(w->options, &fresh, &w->space, error)
                   : !trains || check_continued(w->options, error);
    ok = ok &&
         database_open(&w->database, w->options->database, file ? &fresh : NULL, &w->plan, error) &&
         database_check(&w->database, error) && (!file || check_same(w, &fresh, error)) &&
         (file || space_parse(&w->space, w->plan.space, w->database.path, error)) &&
         (w->objective = objective_find(w->plan.objective, error)) && choose_range(w, file, error);
    if (ok && trains)
        ok = check_brackets(w, error) &&
             rv_train_config_parse(&given, w->plan.options, w->database.path, error) &&
             trials_add(&w->database, &w->plan, &w->space, &given, w->range, error);
    rv_train_config_free(&given);
    sweep_plan_free(&fresh);
    return ok;
}

/* ---- workers ---- */

static bool is_asked_to_stop(void) { return interrupt_signal() != 0; }

/* The parent forwards what ends the sweep; a worker whose parent dies ends, too. */
static void be_worker(const sweep *w, const char *path, pid_t parent)
{
    rv_error error = {0};
    const worker_job job = {path, w->range, w->options->config.loop.threads, is_asked_to_stop};
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGINT, SIG_IGN);
    interrupt_catch();
    if (getppid() == parent) worker_run(&job, &error);
    if (error.code != RV_OK) command_warn(&command_sweep, error.text);
    fflush(stderr);
    _exit(error.code == RV_OK ? 0 : 1);
}

typedef struct crew {
    pid_t process[MOST_WORKERS]; /* 0: it has ended */
    int count, left, killed, failed;
} crew;

static bool start(crew *c, const sweep *w, const char *path, rv_error *error)
{
    const pid_t parent = getpid();
    fflush(NULL);
    for (c->count = 0; c->count < w->options->workers; c->count++, c->left++) {
        const pid_t child = fork();
        if (child == 0) be_worker(w, path, parent);
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
static void paint(sweep *w, progress *bar, const trial_counts *before, rv_error *error)
{
    trial_counts c;
    char best[64] = "", sql[256];
    if (!bar->shown || !trials_count(&w->database, w->range, &c, error)) return;
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

static exit_status result_of(const sweep *w, const crew *c, const trial_counts *now,
                             rv_error *error)
{
    if (c->killed > 0 && now->open > 0 && interrupt_signal() == 0)
        rv_fail(error, RV_ERROR_IO,
                "%d worker(s) were killed, and %" PRId64 " trial(s) remain; repeat the command: it "
                "continues from the last checkpoints",
                c->killed, now->open);
    if (error->code != RV_OK || c->failed > 0) return STATUS_FAILED;
    if (interrupt_signal() == 0 || now->open == 0) return STATUS_OK;
    say(stderr,
        "recurve sweep: interrupted, %" PRId64 " trial(s) remain; to continue: recurve sweep "
        "--database %s\n",
        now->open, w->options->database);
    return interrupt_signal() == SIGTERM ? STATUS_TERMINATED : STATUS_INTERRUPTED;
}

static exit_status train(sweep *w, rv_error *error)
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
    progress bar =
        progress_new(!w->options->quiet && !w->options->json && !w->options->csv, "", 0, 0, 0);
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

/* ---- the command ---- */

static bool report(const sweep *w, bool brief, rv_error *error)
{
    enum { SHOWN = 10 };
    const sweep_options *o = w->options;
    const sweep_report r = {(database *)&w->database, &w->plan, &w->space, w->objective, w->range};
    if (o->best) return sweep_print_best(&r, error);
    if (o->csv) return sweep_print_csv(&r, error);
    if (o->json) return sweep_print_json(&r, error);
    return sweep_print_counts(&r, error) && sweep_print_table(&r, brief ? SHOWN : 0, error);
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    char **files;
    int count;
    sweep_options o = {.config = rv_train_config_new(), .workers = 1};
    if (!options_parse_files(&command_sweep, argc, argv, &o, &files, &count, &result, error))
        return result;
    sweep w = {.options = &o, .database = {.lock = -1}};
    const bool looks = o.show || o.best || o.csv || o.json || o.merge;
    const bool trains = !looks || (count > 0 && !o.merge);
    result = STATUS_USAGE;
    if (check_options(&o, count, error) &&
        (!o.merge || sweep_merge(o.database, files, count, error)) &&
        open_sweep(&w, trains && count > 0 ? files[0] : NULL, trains, error)) {
        result = trains ? train(&w, error) : STATUS_OK;
        if (result == STATUS_OK && !report(&w, !o.show, error)) result = STATUS_FAILED;
    }
    space_free(&w.space);
    sweep_plan_free(&w.plan);
    database_close(&w.database);
    return result;
}
