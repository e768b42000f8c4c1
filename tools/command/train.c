/* recurve train */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tools/cli/interrupt.h"
#include "tools/cli/json.h"
#include "tools/cli/progress.h"
#include "tools/cli/reading.h"
#include "tools/cli/say.h"
#include "tools/cli/score.h"
#include "tools/command/commands.h"
#include "tools/plot/curves.h"
#include "tools/plot/gnuplot.h"
#include "tools/plot/norms.h"
#include "tools/plot/pictures.h"
#include "tools/profile/limit.h"
#include "train/trainer/inputs.h"
#include "train/trainer/ranks.h"
#include "train/trainer/run_folder.h"

/* ---- options ---- */

typedef struct train_options {
    rv_train_config config;
    const char *config_file, *resume, *initial, *pictures_of;
    bool accept_changes, partial, dry_run, norms, plot, pictures, limit, json, quiet, digest;
} train_options;

#define ROW(field, option, called, kind, ...) \
    OPTION_ROW(train_options, field, option, called, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(config_file, "config", "FILE", TEXT,
        "start from the options in the config.json of an earlier\nrun; other options override "
        "them. With --data or\n"
        "--task no data option of the file is kept, with\n"
        "--optimizer no optimizer option",
        .group = "The command"),
    ROW(resume, "resume", "DIR", TEXT,
        "resume the run in this output folder, bit for bit;\n"
        "--epochs (more of them), --threads and what is shown may\nchange"),
    ROW(accept_changes, "accept-changes", NULL, FLAG,
        "with --resume: files of data or of the cell that have\nchanged since the run began are no "
        "error; the result is\nthen another one"),
    ROW(initial, "init", "FILE", TEXT,
        "start from the parameters in this safetensors file, such\n"
        "as best.safetensors of another run, and from its drawn\n"
        "constants; names and shapes must be those of the net\n"
        "(weights of PyTorch or Keras: `recurve import`)"),
    ROW(partial, "partial", NULL, FLAG,
        "with --init: parameters that only the file or only the\nnet has are no error"),
    ROW(dry_run, "dry-run", NULL, FLAG,
        "print how the data are read and what would be trained,\nand stop"),
    ROW(norms, "norms", NULL, FLAG,
        "print the norm of the gradient at each state, and through\n"
        "each parameter, at each time step, before the first\n"
        "update and after the last, for one batch without dropout\n"
        "and clipping. States whose norm at the first step is\n"
        "below 1/1000 (above 1000 times) that at the last are\n"
        "marked as vanishing (exploding). With --output: norms.csv;\n"
        "with --plot: norms.svg and norms.png"),
    ROW(plot, "plot", NULL, FLAG,
        "draw the learning curves into the output folder:\ncurves.svg, curves.png"),
    ROW(pictures, "pictures", NULL, FLAG,
        "draw gates and states over time into the output folder:\n"
        "states.png; with them the input and, for numbers at each\n"
        "step, the prediction and the target"),
    ROW(pictures_of, "pictures-of", "NAMES", TEXT,
        "the same with only these rows, in this order, such as\n"
        "h,c,input,prediction; any value that an equation names"),
    ROW(limit, "limit", NULL, FLAG,
        "measure this machine, and print how many samples per\n"
        "second its peak rate of multiply-adds allows"),
    ROW(json, "json", NULL, FLAG, "print one JSON document instead of text"),
    ROW(quiet, "quiet", NULL, FLAG, "print the summary only"),
    ROW(digest, "digest", NULL, FLAG,
        "print only the digest of the parameters: XXH3-128 over\n"
        "names, shapes and bytes, the same for any --threads"),
};

static bool every_option(const char *key) { return key; }

static exit_status run(int argc, char **argv, rv_error *error);

const command command_train = {
    .name = "train",
    .run = run,
    .summary = "train a recurrent net on digits, sequences, films, texts or files",
    .synopsis = "[MODEL] [OPTION]...",
    .description =
        "Trains a net around one of the cells of `recurve models`. Without options: CURNN, on\n"
        "handwritten zeros and ones. After each epoch it prints the mean loss of the updates, and\n"
        "loss and score on the validation samples; at the end a baseline (the score of an answer\n"
        "that ignores x), the speed, and a digest of the parameters, which is the same for the "
        "same\n"
        "options on the same build. MODEL may be a file of equations: a cell, around which the "
        "net\n"
        "is made, or a whole model with inputs x and y, and values called output and loss.\n\n"
        "With --output the run is kept while it trains, in a folder that no other run writes into\n"
        "meanwhile and that holds no earlier run (--overwrite deletes it). After SIGINT (Ctrl-C),\n"
        "SIGTERM or a crash, --resume continues it to the same result, bit for bit. The first\n"
        "signal ends the run after the current update, a second one immediately. After a crash it\n"
        "repeats at most ten seconds, or 50 times what a checkpoint takes to write, if that is\n"
        "longer.\n",
    OPTIONS(options),
    .configures = every_option,
    .statuses = "130, 143  SIGINT or SIGUSR1, SIGTERM interrupted it\n",
    .failure = "the run failed: the loss is no longer finite, data are malformed, or a file\n"
               "       cannot be written; or only a picture failed, after the results",
    .example = "recurve train --classes 0-9 --optimizer adam --output /tmp/digits\n"
               "recurve train --resume /tmp/digits --epochs 100\n"
               "recurve evaluate --output /tmp/digits\n"
               "recurve train --task adding --length 50 --model lstm\n"
               "recurve train --config /tmp/digits/config.json --model gru\n"
               "recurve train my.rv --task adding\n",
    .operand = "MODEL",
};

/* The options of an earlier run. Other data, or another optimizer, on the command line replace all
 * options of their group. */
static bool read_earlier(const train_options *given, rv_train_config *config, rv_error *error)
{
    rv_error why = {0};
    if (given->resume)
        return rv_train_config_of_run(config, given->resume, &why) ||
               rv_fail(error, why.code,
                       "no checkpoint to resume from: %-.800s; give the --output of a run",
                       why.text);
    char folder[RV_PATH];
    if (!rv_train_config_read(config, given->config_file, error) ||
        !rv_run_folder_of(given->config_file, folder, error) ||
        !rv_inputs_find(config, folder, error))
        return false;
    const rv_train_config none = rv_train_config_new();
    const rv_data_config *data = &given->config.data;
    if (data->task || data->path) {
        config->data = none.data;
        config->net.steps = 0; /* of an image */
    }
    if (given->config.optimizer.name) config->optimizer = none.optimizer;
    return true;
}

/* With --resume, only more epochs and options that do not change the results are allowed. */
static bool check_resumed(const train_options *given, const train_options *o,
                          const rv_train_config *earlier, rv_error *error)
{
    rv_train_config same = *earlier;
    same.loop.epochs = o->config.loop.epochs;
    const option_row *other = rv_train_config_difference(&same, &o->config);
    const char *key = given->config_file             ? "config"
                      : given->initial               ? "init"
                      : given->config.loop.output    ? "output"
                      : given->config.loop.overwrite ? "overwrite"
                      : other                        ? other->key
                                                     : NULL;
    return !key || rv_fail(error, RV_ERROR_ARGUMENT,
                           "--%s: a run resumes with its own options; with --resume give only "
                           "--epochs, --threads and what is shown (--anomaly, --norms, --plot, ..)",
                           key);
}

/* *given: the command line alone; *o: with the options of an earlier run. */
static bool parse(int argc, char **argv, train_options *given, train_options *o,
                  exit_status *result, rv_error *error)
{
    const char *model = NULL;
    if (!options_parse(&command_train, argc, argv, given, &given->config.net.model, result, error))
        return false;
    if (!given->config_file && !given->resume) {
        *o = *given;
        return true;
    }
    *result = STATUS_FAILED;
    if (!read_earlier(given, &o->config, error)) return false;
    const rv_train_config earlier = o->config;
    if (!options_parse(&command_train, argc, argv, o, &model, result, error)) return false;
    if (model) o->config.net.model = model;
    *result = STATUS_USAGE;
    if (!given->resume) return true;
    if (!check_resumed(given, o, &earlier, error)) return false;
    o->config.loop.output = given->resume;
    return true;
}

static bool check_options(const train_options *o, rv_error *error)
{
    const char *folder = o->config.loop.output;
    const char *lost = o->json ? "json" : o->limit ? "limit" : o->norms && !folder ? "norms" : NULL;
    const char *draws = o->plot          ? "plot"
                        : o->pictures_of ? "pictures-of"
                        : o->pictures    ? "pictures"
                                         : NULL;
    if (draws && !folder)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--%s draws into a folder; name it with --output DIR", draws);
    if (o->config.loop.overwrite && !folder)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--overwrite is about a folder; name it with --output DIR");
    if (o->accept_changes && !o->resume)
        return rv_fail(error, RV_ERROR_ARGUMENT, "--accept-changes says how to --resume a run");
    if (o->partial && !o->initial)
        return rv_fail(error, RV_ERROR_ARGUMENT, "--partial says how to read the file of --init");
    return !o->digest || !lost ||
           rv_fail(error, RV_ERROR_ARGUMENT, "--digest prints only the digest; leave out --%s",
                   lost);
}

/* A new run does not replace an earlier one unasked. The trainer checks this too, but after it has
 * read the data. */
static bool check_folder(const train_options *o, rv_error *error)
{
    const char *folder = o->config.loop.output;
    rv_error why = {0};
    if (!folder || o->resume || o->config.loop.overwrite ||
        rv_run_folder_clear(folder, false, &why))
        return true;
    const bool holds_run = why.code == RV_ERROR_ARGUMENT;
    return rv_fail(error, why.code, "%-s%s%s", why.text,
                   holds_run ? "; to resume: recurve train --resume " : "",
                   holds_run ? folder : "");
}

/* ---- while it trains ---- */

typedef struct view {
    bool shown;
    bool unchanged; /* reported that updates change no parameter */
    progress bar;
} view;

static bool after_update(void *context, const rv_trainer *trainer)
{
    view *v = context;
    const rv_run_state *at = &rv_trainer_result(trainer)->at;
    progress_paint(&v->bar, at->seen, at->loss_sum / (double)at->seen);
    return interrupt_signal() == 0;
}

static void report_unchanged(const rv_trainer *trainer)
{
    say(stderr,
        "recurve train: after %" PRId64 " epoch(s) all parameters are as before the first update; "
        "try a higher --learning-rate than %g, or look at --learning-rates, --clip-norm, "
        "--clip-value, --accumulate and --freeze\n",
        rv_trainer_result(trainer)->epochs, rv_trainer_config(trainer)->optimizer.learning_rate);
}

static bool after_epoch(void *context, const rv_trainer *trainer)
{
    view *v = context;
    const rv_train_result *r = rv_trainer_result(trainer);
    const rv_epoch *row = &r->history[r->epochs - 1];
    char score[SCORE_TEXT];
    progress_clear(&v->bar);
    if (v->shown) {
        say(stdout, "epoch %3" PRId64 "  loss %-10.5g validation: loss %-10.5g %s\n", row->epoch,
            row->loss, row->validation_loss,
            score_text(&rv_trainer_setup(trainer)->data, row->validation_loss,
                       row->validation_accuracy, row->validation_error, score));
        fflush(stdout);
    }
    if (r->unchanged && !v->unchanged) report_unchanged(trainer);
    v->unchanged = v->unchanged || r->unchanged;
    progress_start(&v->bar, r->at.epoch);
    return interrupt_signal() == 0;
}

static void describe(FILE *out, const rv_trainer *trainer, bool resumed)
{
    const rv_train_config *c = rv_trainer_config(trainer);
    const rv_setup *s = rv_trainer_setup(trainer);
    const rv_train_result *r = rv_trainer_result(trainer);
    const rv_run_state *at = &r->at;
    reading_print_run(out, trainer);
    say(out, "%s", s->model->name);
    if (!s->model->record) /* else its sizes are its own */
        say(out, ", %" PRId64 " layer(s) of %" PRId64 " unit(s)", c->net.layers, c->net.units);
    say(out, "; %s, learning rate %g, batch size %" PRId64 ", seed %" PRId64 "\n",
        s->optimizer.name, c->optimizer.learning_rate, c->loop.batch_size, c->loop.seed);
    if (resumed && at->epoch > c->loop.epochs)
        say(out, "all %" PRId64 " epoch(s) are trained; to continue, give more --epochs\n",
            c->loop.epochs);
    else if (resumed && c->loop.patience > 0 && r->epochs - r->best_epoch >= c->loop.patience)
        say(out,
            "nothing to train: --patience %" PRId64 " ended this run after epoch %" PRId64
            ", and epoch %" PRId64 " is its best\n",
            c->loop.patience, r->epochs, r->best_epoch);
    else if (resumed)
        say(out, "resuming in epoch %" PRId64 " after %" PRId64 " batch(es)\n", at->epoch,
            at->batch);
}

/* ---- results ---- */

/* Samples per second if an update of a full batch took only the time of its products. */
static bool find_limit(const rv_trainer *trainer, double *rate, rv_error *error)
{
    const rv_train_config *c = rv_trainer_config(trainer);
    const rv_setup *s = rv_trainer_setup(trainer);
    int64_t batch = c->loop.batch_size < s->training.count ? c->loop.batch_size : s->training.count;
    rv_batch_program b;
    if (!rv_batch_program_make(&b, s, rv_trainer_store(trainer), batch, true, RV_DEFAULT, error))
        return false;
    double operations = product_operations(b.program);
    rv_batch_program_free(&b);
    *rate = (double)batch * machine_operations(s->dtype, (int)c->loop.threads, 0.2) / operations;
    return true;
}

/* The validation loss of the best epoch; NaN: none has been validated. */
static double best_loss(const rv_train_result *r)
{
    return r->best_epoch > 0 ? r->history[r->best_epoch - 1].validation_loss : NAN;
}

/* The summary is that of the last epoch. */
static void print_best(const rv_trainer *trainer)
{
    const rv_train_result *r = rv_trainer_result(trainer);
    const char *folder = rv_trainer_config(trainer)->loop.output;
    if (r->best_epoch == 0 || r->best_epoch == r->epochs) return;
    say(stdout, "best: epoch %" PRId64 ", validation loss %.5g%s%s%s\n", r->best_epoch,
        best_loss(r), folder ? ", in " : "", folder ? folder : "",
        folder ? "/best.safetensors" : "");
}

static void print_summary(const rv_trainer *trainer, const norms *n, double limit)
{
    const rv_source *data = &rv_trainer_setup(trainer)->data;
    const rv_train_result *r = rv_trainer_result(trainer);
    const rv_metrics *t = &r->training, *v = &r->validation;
    const rv_baseline *b = &r->baseline;
    char score[SCORE_TEXT];
    say(stdout, "validation %s of %" PRId64 " sample(s), ",
        score_text(data, v->loss, v->accuracy, v->error, score), v->samples);
    say(stdout, "training %s, loss %.6g\n", score_text(data, t->loss, t->accuracy, t->error, score),
        t->loss);
    print_best(trainer);
    if (b->text)
        say(stdout, "baseline, %s: %s\n", b->text,
            score_text(data, b->loss, b->accuracy, b->loss, score));
    say(stdout, "%" PRId64 " parameter(s), %.0f samples per second, %.2f MiB for an update\n",
        rv_store_parameters(rv_trainer_store(trainer)), r->samples_per_second,
        (double)r->at.bytes / (1 << 20));
    if (limit > 0)
        say(stdout, "at most %.0f samples per second at this machine's peak, reached %.1f %%\n",
            limit, 100 * r->samples_per_second / limit);
    if (n->count > 0) norms_print(n);
    say(stdout, "digest %s\n", r->digest);
}

static void add_score(cJSON *object, const char *prefix, bool labels, double accuracy, double error)
{
    char key[64];
    snprintf(key, sizeof key, "%s_%s", prefix, labels ? "accuracy" : "error");
    cJSON_AddNumberToObject(object, key, labels ? accuracy : error);
}

/* The peak memory of this process, in bytes. */
static double peak_bytes(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? 1024.0 * (double)usage.ru_maxrss : 0;
}

static bool print_json(const rv_trainer *trainer, const norms *n, double limit, rv_error *error)
{
    const rv_train_config *c = rv_trainer_config(trainer);
    const rv_train_result *r = rv_trainer_result(trainer);
    bool labels = rv_trainer_setup(trainer)->data.classes > 0;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "model", c->net.model);
    cJSON_AddStringToObject(object, "task", c->data.task);
    cJSON_AddItemToObject(object, "data", reading_json_run(trainer));
    cJSON_AddStringToObject(object, "optimizer", c->optimizer.name);
    cJSON_AddNumberToObject(object, "epochs", (double)r->epochs);
    cJSON_AddNumberToObject(object, "best_epoch", (double)r->best_epoch);
    cJSON_AddNumberToObject(object, "best_validation_loss", best_loss(r));
    cJSON_AddNumberToObject(object, "loss", r->training.loss);
    add_score(object, "train", labels, r->training.accuracy, r->training.error);
    cJSON_AddNumberToObject(object, "validation_loss", r->validation.loss);
    add_score(object, "validation", labels, r->validation.accuracy, r->validation.error);
    if (r->baseline.text) {
        cJSON_AddNumberToObject(object, "baseline_loss", r->baseline.loss);
        add_score(object, "baseline", labels, r->baseline.accuracy, r->baseline.loss);
    }
    cJSON_AddNumberToObject(object, "samples_per_second", r->samples_per_second);
    cJSON_AddNumberToObject(object, "parameters",
                            (double)rv_store_parameters(rv_trainer_store(trainer)));
    cJSON_AddNumberToObject(object, "step_bytes", (double)r->at.bytes);
    cJSON_AddNumberToObject(object, "peak_bytes", peak_bytes());
    if (limit > 0) {
        cJSON_AddNumberToObject(object, "limit_samples_per_second", limit);
        cJSON_AddNumberToObject(object, "fraction_of_limit", r->samples_per_second / limit);
    }
    if (n->count > 0) cJSON_AddItemToObject(object, "norms", norms_json(n));
    cJSON_AddStringToObject(object, "digest", r->digest);
    return json_print(object, error);
}

/* Without a folder, only checks the names of the rows. */
static bool draw_pictures(const train_options *o, const rv_trainer *trainer, const char *folder,
                          rv_error *error)
{
    return !o->pictures ||
           pictures_draw(folder, o->pictures_of, rv_trainer_config(trainer),
                         rv_trainer_setup(trainer), rv_trainer_store(trainer), error);
}

/* Draws each picture, also after one that failed. False and the first error if one did. */
static bool draw(const train_options *o, const rv_trainer *trainer, const norms *n, rv_error *error)
{
    const rv_train_config *c = rv_trainer_config(trainer);
    const rv_setup *s = rv_trainer_setup(trainer);
    const char *folder = c->loop.output;
    bool curves = !o->plot || curves_draw(folder, c, s, rv_trainer_result(trainer), error);
    bool states = draw_pictures(o, trainer, folder, error);
    bool lines = !o->plot || n->count == 0 || norms_draw(n, folder, c, error);
    return curves && states && lines;
}

static bool measure_norms(const rv_trainer *trainer, norms *n, norms_moment moment, rv_error *error)
{
    return norms_measure(n, moment, rv_trainer_setup(trainer), rv_trainer_store(trainer),
                         rv_trainer_config(trainer)->loop.batch_size, error);
}

/* A picture that fails is reported after everything else, so that it costs no result. */
static bool report(const train_options *o, const rv_trainer *trainer, norms *n, rv_error *error)
{
    const char *folder = rv_trainer_config(trainer)->loop.output;
    double limit = 0;
    if ((o->norms && !measure_norms(trainer, n, NORMS_END, error)) ||
        (o->norms && folder && !norms_write(n, folder, error)) ||
        (o->limit && !find_limit(trainer, &limit, error)))
        return false;
    if (o->digest)
        say(stdout, "%s\n", rv_trainer_result(trainer)->digest);
    else if (!o->json)
        print_summary(trainer, n, limit);
    else if (!print_json(trainer, n, limit, error))
        return false;
    fflush(stdout);
    return draw(o, trainer, n, error);
}

static void print_interrupted(const rv_trainer *trainer)
{
    const rv_run_state *at = &rv_trainer_result(trainer)->at;
    const char *folder = rv_trainer_config(trainer)->loop.output;
    const rv_collective *ranks = rv_trainer_setup(trainer)->collective;
    say(stderr, "recurve train: interrupted in epoch %" PRId64 " after %" PRId64 " batch(es); ",
        at->epoch, at->batch);
    if (folder && ranks)
        say(stderr, "to resume: mpirun -n %d recurve-mpi train --resume %s\n", ranks->size, folder);
    else if (folder)
        say(stderr, "to resume: recurve train --resume %s\n", folder);
    else
        say(stderr, "nothing is kept without --output\n");
}

/* After a failure: says what the checkpoint holds. */
static void print_left(const rv_trainer *trainer)
{
    const rv_run_state *saved = &rv_trainer_result(trainer)->saved;
    const char *folder = rv_trainer_config(trainer)->loop.output;
    if (!folder || saved->epoch == 0) return;
    say(stderr, "recurve train: %s/checkpoint.safetensors holds the run ", folder);
    if (saved->batch > 0)
        say(stderr, "after batch %" PRId64 " of epoch %" PRId64 "\n", saved->batch, saved->epoch);
    else
        say(stderr, "after epoch %" PRId64 "\n", saved->epoch - 1);
}

/* ---- running ---- */

/* Only the first rank of several prints, draws and has a folder. */
static bool is_first(const rv_trainer *trainer)
{
    const rv_collective *ranks = rv_trainer_setup(trainer)->collective;
    return !ranks || ranks->rank == 0;
}

static bool fit(const train_options *o, rv_trainer *trainer, norms *n, rv_error *error)
{
    const rv_train_result *r = rv_trainer_result(trainer);
    view v = {.shown = !o->quiet && !o->json && !o->digest};
    bool stop = false;
    if (v.shown) describe(stderr, trainer, o->resume);
    if (o->norms && is_first(trainer)) measure_norms(trainer, n, NORMS_START, error);
    if (!rv_ranks_agree(rv_trainer_setup(trainer)->collective, &stop, error)) return false;
    v.bar = progress_new(v.shown, "", rv_trainer_config(trainer)->loop.epochs, r->epochs,
                         rv_trainer_setup(trainer)->training.count);
    progress_start(&v.bar, r->at.epoch);
    interrupt_catch();
    bool ok = rv_trainer_observe(trainer, (rv_observer){after_update, after_epoch, &v}, error) &&
              rv_trainer_fit(trainer, error);
    interrupt_release();
    progress_clear(&v.bar);
    return ok;
}

/* How the data are read, without training on them. */
static exit_status dry_run(const train_options *o, rv_trainer *trainer, rv_error *error)
{
    if (!o->json) {
        describe(stdout, trainer, o->resume);
        return STATUS_OK;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(object, "data", reading_json_run(trainer));
    return json_print(object, error) ? STATUS_OK : STATUS_FAILED;
}

static exit_status train(const train_options *o, rv_trainer *trainer, rv_error *error)
{
    const rv_train_result *r = rv_trainer_result(trainer);
    norms n = {0};
    bool ok = fit(o, trainer, &n, error);
    if (!ok)
        print_left(trainer);
    else if (r->interrupted)
        print_interrupted(trainer);
    else if (is_first(trainer))
        ok = report(o, trainer, &n, error);
    norms_free(&n);
    return !ok                                               ? STATUS_FAILED
           : r->interrupted && interrupt_signal() == SIGTERM ? STATUS_TERMINATED
           : r->interrupted                                  ? STATUS_INTERRUPTED
                                                             : STATUS_OK;
}

/* Reports when the previous checkpoint is used, and what to do when there is none. */
static bool resume(const train_options *o, rv_trainer *trainer, rv_error *error)
{
    rv_error skipped = {0}, changed = {0}, why = {0};
    bool ok = rv_trainer_resume(trainer, &skipped, &changed, &why);
    if (skipped.code != RV_OK)
        say(stderr, "recurve train: %-s; resuming from the previous one\n", skipped.text);
    if (!ok && why.code == RV_ERROR_IO && access(o->resume, W_OK) == 0)
        return rv_fail(error, why.code,
                       "%-.500s; to begin anew: recurve train --config %.200s/config.json --output "
                       "%.200s",
                       why.text, o->resume, o->resume);
    if (ok && changed.code != RV_OK && !o->accept_changes)
        return rv_fail(error, changed.code,
                       "%-s; restore the file, or resume with --accept-changes: the result is then "
                       "not that of a run without interruption",
                       changed.text);
    if (ok && changed.code != RV_OK) command_warn(&command_train, changed.text);
    return ok || rv_fail(error, why.code, "%-s", why.text);
}

/* Whether each option on the command line has an effect on a new run, or the run is resumed; and
 * whether the rows to be drawn are known. */
static bool begin(const train_options *given, const train_options *o, rv_trainer *trainer,
                  rv_error *error)
{
    if (!draw_pictures(o, trainer, NULL, error)) return false;
    if ((o->plot || o->pictures) && !o->dry_run && is_first(trainer) && !gnuplot_find(error))
        return false;
    return o->resume
               ? resume(o, trainer, error)
               : rv_setup_check_given(rv_trainer_setup(trainer), rv_trainer_config(trainer),
                                      &given->config, error) &&
                     (!o->initial || rv_trainer_initialize(trainer, o->initial, o->partial, error));
}

exit_status train_with(const rv_collective *ranks, int argc, char **argv, rv_error *error)
{
    exit_status result;
    train_options o = {.config = rv_train_config_new()}, given = o;
    rv_trainer *trainer = NULL;
    if (parse(argc, argv, &given, &o, &result, error)) {
        result = STATUS_USAGE;
        o.pictures = o.pictures || o.pictures_of;
        bool ok = check_options(&o, error);
        if (ok && !check_folder(&o, error))
            result = STATUS_FAILED;
        else if (ok)
            trainer = rv_trainer_new_with(&o.config, &(rv_train_parts){.collective = ranks}, error);
    }
    bool stop = false, ready = trainer && begin(&given, &o, trainer, error);
    if (trainer && !ready && error->code != RV_ERROR_ARGUMENT) result = STATUS_FAILED;
    if (rv_ranks_agree(ranks, &stop, error) && ready)
        result = (o.dry_run ? dry_run : train)(&o, trainer, error);
    rv_trainer_free(trainer);
    rv_train_config_free(&o.config);
    return result;
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    return train_with(NULL, argc, argv, error);
}
