/* recurve experiment */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/cli/say.h"
#include "tools/command/commands.h"
#include "tools/command/crew.h"
#include "tools/command/experiment_report.h"
#include "tools/plot/gnuplot.h"

/* ---- options ---- */

typedef struct experiment_options {
    search_options search;
    experiment_nets nets;
    const char *plot;
    int64_t trials;
    bool show, csv, json;
    int argc; /* the command line */
    char **argv;
} experiment_options;

#define ROW(field, option, called, kind, ...) \
    OPTION_ROW(experiment_options, field, option, called, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(nets.models, "models", "MODEL,..", TEXT, "the cells (default: rnn,irnn,ugrnn,gru,lstm)",
        .alias = "model"),
    ROW(nets.parameters, "parameters", "N,..", TEXT,
        "capacity, trainability: numbers of parameters; each net\n"
        "has as many units as come closest, within 10 % (default:\n1000)"),
    ROW(nets.units, "units", "N,..", TEXT, "memory: numbers of units (default: 32,48,64,80,96)",
        .alias = "hidden-size"),
    ROW(nets.layers, "layers", "N,..", TEXT, "numbers of layers (default: 1)",
        .alias = "num-layers"),
    ROW(nets.space, "space", "FILE", TEXT,
        "draw options from the ranges in this file, which is like\n"
        "SPACE.json of `recurve sweep`; the others as usual",
        .group = "The experiment"),
    ROW(trials, "trials", "N", WHOLE,
        "settings for each cell, size and number of layers\n"
        "(default: capacity 50, memory 20, trainability 100)",
        .low = 1, .high = 100000),
    ROW(search.database, "database", "FILE", TEXT,
        "the file that keeps all trials, made if missing; see\n`recurve sweep`"),
    ROW(search.workers, "workers", "N", WHOLE, "processes that train trials (default: 1)", .low = 1,
        .high = MOST_WORKERS),
    ROW(show, "show", NULL, FLAG, "print what the database holds, without training",
        .group = "What is printed"),
    ROW(plot, "plot", "PATH", TEXT, "draw the result into PATH.svg and PATH.png"),
    ROW(csv, "csv", NULL, FLAG, "print all trials as CSV"),
    ROW(json, "json", NULL, FLAG, "print one JSON document instead of text"),
    ROW(search.quiet, "quiet", NULL, FLAG, "show no progress"),

    /* These replace rows whose defaults do not hold here. */
    ROW(search.config.optimizer.name, "optimizer", "OPTIMIZER", TEXT,
        "the optimizer (default: drawn from adam, rmsprop,\nmomentum)"),
    ROW(search.config.optimizer.learning_rate, "learning-rate", "R", POSITIVE,
        "the learning rate (default: drawn from 0.0003 to 0.1, of\nmomentum from 0.01 to 3)",
        .alias = "lr"),
    ROW(search.config.optimizer.weight_decay, "weight-decay", "D", NOT_NEGATIVE,
        "weight decay; 0: none (default: drawn from 1e-9 to 1e-4)", .unset = -1),
    ROW(search.config.optimizer.clip_norm, "clip-norm", "C", NOT_NEGATIVE,
        "clip the global norm of the gradient to C; 0: none\n(default: drawn from 0.1 to 10)",
        .unset = -1),
    ROW(search.config.optimizer.schedule, "schedule",
        "constant|cosine|one-cycle|step|exponential|plateau", TEXT,
        "learning rate schedule (default: drawn from constant,\nexponential, cosine)"),
    ROW(search.config.net.forget, "forget", "B", NOT_NEGATIVE,
        "initial bias of the gates that keep the state (default:\ndrawn from 0 to 4)", .unset = -1),
    ROW(search.config.data.samples, "samples", "N", WHOLE,
        "samples per epoch (default: of capacity drawn from half\nto eight for each parameter; of "
        "the others the task's)",
        .low = 1, .high = 1 << 20),
    ROW(search.config.data.size, "size", "N", WHOLE,
        "size of the task (default: of capacity drawn from 16, 32;\nof memory 64, of "
        "trainability 2)",
        .low = 1, .high = 1 << 20),
    ROW(search.config.loop.batch_size, "batch-size", "N", WHOLE,
        "samples per update (default: drawn from 16 to 256)", .alias = "batch", .low = 1,
        .high = 1 << 20),
    ROW(search.config.loop.epochs, "epochs", "N", WHOLE,
        "passes over the training data (default: capacity 500,\nmemory and trainability 20)",
        .low = 1, .high = 1 << 20),
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
    .synopsis = "[capacity | memory | trainability] --database FILE [OPTION]...",
    .description =
        "Repeats a measurement of Collins, Sohl-Dickstein and Sussillo (arXiv 1611.09913) as a\n"
        "sweep: optimizer, learning rate, its decay, clipping, L2 and the forget bias are drawn "
        "at\n"
        "random for each trial. Their ranges are this program's; `recurve sweep --database FILE\n"
        "--json` prints them. An option that is given replaces what is drawn.\n\n"
        "capacity      random labels are learned by heart; the samples b are drawn, too. If the\n"
        "              accuracy p is reached, the net holds b + b (p log2 p + (1-p) log2(1-p))\n"
        "              bits. The row of a cell is its trial with the most bits per parameter.\n"
        "memory        64 random numbers are shown once and repeated at the end: the least mean\n"
        "              squared error of any trial.\n"
        "trainability  parentheses are counted: the share of settings with which a run diverges\n"
        "              or keeps an error above a tenth of that of an answer that ignores x,\n"
        "              with the Wilson interval of 95 %.\n\n"
        "Without its name, the experiment in the database continues, with --trials to more\n"
        "settings; --show only prints its table. Results are the same for any number of workers.\n",
    OPTIONS(options),
    .configures = is_of_runs,
    .operand = "capacity|memory|trainability",
    .statuses = "130, 143  SIGINT or SIGUSR1, SIGTERM interrupted it\n",
    .failure = "the experiment failed, or workers were killed and trials remain",
    .example =
        "recurve experiment capacity --models ugrnn,gru --database /tmp/c.sqlite --workers 2\n"
        "recurve experiment memory --units 32,64,96 --database /tmp/m.sqlite --plot /tmp/memory\n"
        "recurve experiment trainability --layers 1,4 --database /tmp/t.sqlite\n"
        "recurve experiment --database /tmp/c.sqlite --trials 100\n"
        "recurve experiment --show --database /tmp/c.sqlite\n"
        "recurve sweep --show --database /tmp/c.sqlite\n",
};

/* ---- the command ---- */

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
    say(stdout, "to repeat, with a new --database: recurve experiment");
    print_word(argv[argc - 1]);
    for (int i = 1; i < argc - 1; i++) print_word(argv[i]);
    fputc('\n', stdout);
}

static void warn_left_out(const experiment_plan *p)
{
    rv_error text = {0};
    rv_fail(&text, RV_ERROR_ARGUMENT,
            "these nets are left out; give other --parameters for them:%-s", p->left_out);
    command_warn(&command_experiment, text.text);
}

static exit_status experiment_run(experiment_options *o, experiment_plan *p, rv_error *error)
{
    search w;
    const experiment_form form = o->csv    ? EXPERIMENT_CSV
                                 : o->json ? EXPERIMENT_JSON
                                           : EXPERIMENT_TABLE;
    const int64_t usual = p->space ? p->of->trials : 0,
                  trials = (o->trials ? o->trials : usual) * experiment_groups(p);
    o->search.space = p->space;
    o->search.from = p->of->name;
    o->search.objective = p->space ? p->of->objective : NULL;
    o->search.range = (trial_range){0, trials - 1}; /* -1: those that the database has */
    o->search.quiet = o->search.quiet || o->json || o->csv;
    if (trials > MOST_TRIALS) {
        rv_fail(error, RV_ERROR_ARGUMENT, "%" PRId64 " trials; give at most %d", trials,
                MOST_TRIALS);
        return STATUS_USAGE;
    }
    exit_status result = STATUS_USAGE;
    if (search_open(&w, &command_experiment, &o->search, !o->show, error)) {
        if (*p->left_out) warn_left_out(p);
        result = o->show ? STATUS_OK : search_train(&w, error);
        if (result == STATUS_OK && !experiment_report(&w, p, form, o->plot, error))
            result = STATUS_FAILED;
        if (result == STATUS_OK && o->plot && !o->search.quiet)
            say(stderr, "drew %s.svg and %s.png\n", o->plot, o->plot);
        if (result == STATUS_OK && form == EXPERIMENT_TABLE && p->space)
            print_command(o->argc, o->argv);
    } else if (p->space && error->code == RV_ERROR_ARGUMENT) {
        rv_error why = {0}; /* in words of the experiment */
        if (!experiment_plan_holds(p, o->search.database, &why) && why.code == RV_ERROR_ARGUMENT)
            *error = why;
    }
    search_close(&w);
    return result;
}

static bool make_plan(experiment_plan *p, const experiment_options *o, rv_error *error)
{
    const char *name = o->nets.name, *path = o->search.database;
    if (!name && !path)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "which experiment? Give capacity, memory or trainability");
    if (o->csv && o->json) return rv_fail(error, RV_ERROR_ARGUMENT, "give one of --csv and --json");
    if (path && (!name || o->show)) return experiment_plan_read(p, &o->nets, path, error);
    return experiment_plan_make(p, &o->nets, &o->search.config, error) &&
           (path || rv_fail(error, RV_ERROR_ARGUMENT,
                            "--database names the file that keeps the trials; give one, such "
                            "as --database %s.sqlite",
                            name));
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    experiment_plan p = {0};
    experiment_options o = {
        .search = {.config = rv_train_config_new(), .workers = 1}, .argc = argc, .argv = argv};
    if (!options_parse(&command_experiment, argc, argv, &o, &o.nets.name, &result, error))
        return result;
    result = make_plan(&p, &o, error) && (!o.plot || gnuplot_find(error))
                 ? experiment_run(&o, &p, error)
                 : STATUS_USAGE;
    experiment_plan_free(&p);
    return result;
}
