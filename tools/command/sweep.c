/* recurve sweep */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/cli/say.h"
#include "tools/command/commands.h"
#include "tools/command/crew.h"
#include "tools/plot/gnuplot.h"
#include "tools/sweep/merge.h"
#include "train/text_file_internal.h"

/* ---- options ---- */

typedef struct sweep_options {
    search_options search;
    const char *trials, *plot;
    bool merge, show, best, csv, json;
} sweep_options;

enum { DEFAULT_TRIALS = 100 };

#define ROW(field, option, called, kind, ...) \
    OPTION_ROW(sweep_options, field, option, called, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(search.config.loop.seed, "seed", "N", WHOLE,
        "seed of the draws, and of all random numbers of the runs\n"
        "unless SPACE draws their seed (default: 1)",
        .low = 0, .high = RV_MOST_SEED, .unset = -1),
    ROW(search.database, "database", "FILE", TEXT,
        "the sweep's file, made if missing: a SQLite database with\n"
        "trials, settings, learning curves and checkpoints",
        .group = "The sweep"),
    ROW(trials, "trials", "N[-M]", TEXT,
        "train N trials, or only those with the numbers N to M\n"
        "(default: those in the database; in a new one, 100)"),
    ROW(search.workers, "workers", "N", WHOLE, "processes that train trials (default: 1)", .low = 1,
        .high = MOST_WORKERS),
    ROW(search.objective, "objective", "METRIC", TEXT,
        "what makes a trial better (default: validation_loss):\n"
        "validation_loss, validation_accuracy, validation_error or\n"
        "loss, at its best epoch; train_accuracy, final_loss,\n"
        "parameters, samples_per_second, bits_per_parameter or\n"
        "others, see docs/sweep.md"),
    ROW(search.halving, "halving", "F", WHOLE,
        "successive halving: of F trials one continues to F times\n"
        "as many epochs (default: all trials have all epochs)",
        .low = LEAST_HALVING, .high = MOST_HALVING),
    ROW(search.rung, "rung", "N", WHOLE,
        "with --halving: epochs before the first decision (default: 1)", .low = 1,
        .high = MOST_RUNG),
    ROW(merge, "merge", NULL, FLAG,
        "copy the trials of other files of this sweep, given in\n"
        "place of SPACE.json, into the database"),
    ROW(show, "show", NULL, FLAG, "print all trials, the best first, without training",
        .group = "What is printed"),
    ROW(best, "best", NULL, FLAG,
        "print the configuration of the best trial, for\n`recurve train --config`"),
    ROW(csv, "csv", NULL, FLAG, "print all trials as CSV"),
    ROW(json, "json", NULL, FLAG, "print one JSON document instead of text"),
    ROW(plot, "plot", "PATH", TEXT,
        "draw each setting against the objective, into PATH.svg\n"
        "and PATH.png"),
    ROW(search.quiet, "quiet", NULL, FLAG, "show no progress"),
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
        "     \"layers\": {\"each\": [1, 2]},                    each in turn: a grid\n"
        "     \"units\": {\"uniform\": [8, 64]},                 from 8 to 64\n"
        "     \"learning-rate\": {\"log-uniform\": [1e-4, 1]},   its logarithm is uniform\n"
        "     \"momentum\": {\"uniform\": [0.5, 0.99],           drawn only where it is used\n"
        "                  \"when\": {\"optimizer\": \"momentum\"}}}\n\n"
        "Other options of `recurve train` hold for all trials, and override those of SPACE.json.\n"
        "The settings of trial i depend on the seed and i alone, not on the number of trials or\n"
        "workers. The best trial has the best objective of all that have one, also if it is not "
        "yet\n"
        "done; a run that diverges or fails is no candidate.\n\n"
        "The command can run many times at once on a machine, with the same database: each trial\n"
        "is trained once. The trial of a process that was killed continues from its last\n"
        "checkpoint in another one, or when the command is repeated. Without SPACE.json the sweep\n"
        "in the database continues; with --show, --best, --csv, --json or --plot it is only "
        "shown.\n",
    OPTIONS(options),
    .configures = is_of_runs,
    .operand = "SPACE.json",
    .files = "SPACE.json",
    .statuses = "130, 143  SIGINT or SIGUSR1, SIGTERM interrupted it\n",
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
        o->search.range = (trial_range){0, a - 1};
        return true;
    }
    if (*rest != '-' || strspn(rest + 1, "0123456789") > 8 ||
        sscanf(rest + 1, "%" SCNd64 "%n", &b, &used) != 1 || rest[1 + used] != '\0' ||
        rest[1] < '0' || rest[1] > '9' || a > b || b >= MOST_TRIALS)
        return fail_trials(o, error);
    o->search.range = (trial_range){a, b};
    return true;
}

static bool trains(const sweep_options *o, int files)
{
    const bool looks = o->show || o->best || o->csv || o->json || o->merge || o->plot;
    return !looks || (files > 0 && !o->merge);
}

static bool check_options(sweep_options *o, int files, rv_error *error)
{
    if (!o->search.database)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--database names the file of the sweep; give one, such as --database "
                       "sweep.sqlite");
    if (o->merge && files == 0)
        return rv_fail(
            error, RV_ERROR_ARGUMENT,
            "--merge copies trials of other databases; name them: --merge part-*.sqlite");
    if (o->merge && o->trials)
        return rv_fail(error, RV_ERROR_ARGUMENT, "--merge copies all trials; leave out --trials");
    if (o->show && files > 0 && !o->merge)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--show prints the trials that the database has; leave out SPACE.json, or "
                       "--show to train");
    if (files > 1 && !o->merge)
        return rv_fail(error, RV_ERROR_ARGUMENT, "a sweep has one SPACE.json, got %d files", files);
    if (o->show + o->best + o->csv + o->json > 1)
        return rv_fail(error, RV_ERROR_ARGUMENT, "give one of --show, --best, --csv and --json");
    if (o->search.workers > 1 && !trains(o, files))
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--workers train trials, and none are trained here; leave it out");
    if (o->search.rung && !o->search.halving)
        return rv_fail(error, RV_ERROR_ARGUMENT, "--rung says where --halving F decides first");
    return parse_trials(o, error);
}

/* ---- the command ---- */

static bool report(const sweep_options *o, search *w, rv_error *error)
{
    enum { SHOWN = 10 };
    const sweep_report r = search_report(w);
    const bool ok = o->best   ? sweep_print_best(&r, error)
                    : o->csv  ? sweep_print_csv(&r, error)
                    : o->json ? sweep_print_json(&r, error)
                              : sweep_print_counts(&r, error) &&
                                    sweep_print_table(&r, o->show ? 0 : SHOWN, error);
    fflush(stdout);
    /* A picture that failed is reported last, so that it costs no result. */
    if (!ok || !o->plot) return ok;
    if (!sweep_draw(&r, o->plot, error)) return false;
    if (!o->search.quiet) say(stderr, "drew %s.svg and %s.png\n", o->plot, o->plot);
    return true;
}

/* Trains the trials and shows what came out; `train` NULL: only shows it. */
static exit_status search_or_show(const sweep_options *o, search_engine train, rv_error *error)
{
    search w;
    exit_status result = STATUS_USAGE;
    if (search_open(&w, &command_sweep, &o->search, train, error)) {
        result = train ? train(&w, error) : STATUS_OK;
        if (result == STATUS_OK && !report(o, &w, error)) result = STATUS_FAILED;
    }
    search_close(&w);
    return result;
}

exit_status sweep_with(search_engine train, int argc, char **argv, rv_error *error)
{
    exit_status result;
    char **files, *text = NULL;
    int count;
    sweep_options o = {.search = {.config = rv_train_config_new(),
                                  .workers = 1,
                                  .range = {0, -1},
                                  .usual = DEFAULT_TRIALS}};
    if (!options_parse_files(&command_sweep, argc, argv, &o, &files, &count, &result, error))
        return result;
    o.search.quiet = o.search.quiet || o.json || o.csv;
    if (!check_options(&o, count, error) || (o.plot && !gnuplot_find(error)) ||
        (o.merge && !sweep_merge(o.search.database, files, count, error)))
        return STATUS_USAGE;
    const bool training = trains(&o, count);
    if (training && count > 0) {
        text = rv_text_file_read(files[0], error);
        if (!text) return STATUS_FAILED;
        o.search.space = text;
        o.search.from = files[0];
    }
    result = search_or_show(&o, training ? train : NULL, error);
    rv_free(text);
    return result;
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    return sweep_with(search_train, argc, argv, error);
}
