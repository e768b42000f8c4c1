/* recurve train */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "tools/command/commands.h"
#include "tools/plot/curves.h"
#include "tools/plot/gnuplot.h"
#include "tools/cli/json.h"
#include "tools/profile/limit.h"
#include "tools/plot/norms.h"
#include "tools/plot/pictures.h"
#include "tools/run/resume.h"
#include "tools/run/run_folder.h"
#include "tools/cli/interrupt.h"
#include "tools/run/training.h"

static exit_status run(int argc, char **argv, rv_error *error);

const command command_train = {
    .name = "train",
    .run = run,
    .summary = "train a recurrent net on digits, sequences, films, texts or files",
    .synopsis = "[MODEL] [OPTION]...",
    .description =
        "Trains a net around one of the cells of `recurve models`: without options CURNN, to tell\n"
        "handwritten zeros from ones. After each epoch the mean cost of its updates, and cost and\n"
        "score on the data held out are printed; at last what the same data give an answer "
        "without\n"
        "skill, the speed of the updates, and a digest of the parameters, which is the same for "
        "the\n"
        "same options on the same build. MODEL may be a file of equations: a cell, around which "
        "the\n"
        "net is made, or a whole model with inputs x and y, and values called output and loss.\n"
        "With --output the run is kept while it goes on, and after SIGINT (Ctrl-C), SIGTERM or a "
        "crash\n"
        "--resume takes it up to the same bits as one never stopped. The first of these signals "
        "ends it\n"
        "after the update at work, a second one at once.\n",
    OPTIONS(settings_options),
    .statuses = "130, 143  SIGINT, SIGTERM stopped it\n",
    .failure = "the run failed: the cost is no longer finite, data are not as they should\n"
               "       be, or a file cannot be written",
    .example = "recurve train --classes 0-9 --optimizer adam --output /tmp/digits\n"
               "recurve train --resume /tmp/digits --epochs 100\n"
               "recurve evaluate --output /tmp/digits\n"
               "recurve train --task adding --length 50 --model lstm\n"
               "recurve train --config /tmp/digits/config.json --model gru\n"
               "recurve train my.rv --task adding\n",
    .operand = true,
};

static void describe(const settings *s, const experiment *e)
{
    const rv_source *data = &e->whole;
    char x[RV_SHAPE_TEXT], net[64] = "";
    if (!e->model->record) /* else its sizes are its own */
        snprintf(net, sizeof net, ", %" PRId64 " layer%s of %" PRId64 " units", s->layers,
                 s->layers > 1 ? "s" : "", s->units);
    fprintf(stderr,
            "%s%s; %s%s%s: %" PRId64 " samples %s, %" PRId64 " held out\n"
            "%s, rate %g, batch %" PRId64 ", seed %" PRId64 "\n",
            e->model->name, net, s->data ? s->data : s->task, s->classes ? " " : "",
            s->classes ? s->classes : "", e->part.count, rv_shape_text(data->x, x),
            e->held_out.count, e->optimizer.name, s->rate, s->batch, s->seed);
}

/* Samples per second, were there nothing to do but the products of a full batch's update. */
static bool find_limit(const settings *s, const experiment *e, rv_store *store, double *rate,
                       rv_error *error)
{
    int64_t batch = s->batch < e->train.count ? s->batch : e->train.count;
    double operations;
    *rate = 0;
    if (!s->limit) return true;
    if (!count_products(e, store, batch, &operations, error)) return false;
    *rate = (double)batch * machine_operations(e->dtype, (int)s->threads, 0.2) / operations;
    return true;
}

static void print_summary(const experiment *e, const training *t, const norms *n, double limit)
{
    const rv_source *data = &e->whole;
    const baseline *b = &t->without_skill;
    char score[SCORE_TEXT], train[SCORE_TEXT], without[SCORE_TEXT];
    score_text(data, t->held_out.cost, t->held_out.accuracy, t->held_out.error, score);
    score_text(data, t->train.cost, t->train.accuracy, t->train.error, train);
    score_text(data, b->cost, b->accuracy, b->cost, without);
    printf("held out %s of %" PRId64 " samples, training %s, cost %.6g\n", score,
           t->held_out.samples, train, t->train.cost);
    printf("without skill, %s: %s\n", b->text, without);
    printf("%.0f samples per second, %.2f MiB for a step\n", t->samples_per_second,
           (double)t->program_bytes / (1 << 20));
    if (limit > 0)
        printf("at most %.0f samples per second at this machine's peak, reached %.1f %%\n", limit,
               100 * t->samples_per_second / limit);
    if (n->count > 0) norms_print(n);
    printf("digest %s\n", t->digest);
}

static void add_score(cJSON *object, const experiment *e, const char *prefix, double accuracy,
                      double error)
{
    char key[64];
    bool labels = e->whole.classes > 0;
    snprintf(key, sizeof key, "%s_%s", prefix, labels ? "accuracy" : "error");
    cJSON_AddNumberToObject(object, key, labels ? accuracy : error);
}

/* The most memory that this process has had. */
static double peak_bytes(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? 1024.0 * (double)usage.ru_maxrss : 0;
}

static bool print_json(const settings *s, const experiment *e, const training *t, const norms *n,
                       double limit, rv_error *error)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "model", s->model);
    cJSON_AddStringToObject(object, "task", s->task);
    cJSON_AddStringToObject(object, "optimizer", s->optimizer);
    cJSON_AddNumberToObject(object, "epochs", (double)t->epochs);
    cJSON_AddNumberToObject(object, "best_epoch", (double)t->best);
    cJSON_AddNumberToObject(object, "cost", t->train.cost);
    add_score(object, e, "train", t->train.accuracy, t->train.error);
    cJSON_AddNumberToObject(object, "held_out_cost", t->held_out.cost);
    add_score(object, e, "held_out", t->held_out.accuracy, t->held_out.error);
    cJSON_AddNumberToObject(object, "without_skill_cost", t->without_skill.cost);
    add_score(object, e, "without_skill", t->without_skill.accuracy, t->without_skill.cost);
    cJSON_AddNumberToObject(object, "samples_per_second", t->samples_per_second);
    cJSON_AddNumberToObject(object, "step_bytes", (double)t->program_bytes);
    cJSON_AddNumberToObject(object, "peak_bytes", peak_bytes());
    if (limit > 0) {
        cJSON_AddNumberToObject(object, "limit_samples_per_second", limit);
        cJSON_AddNumberToObject(object, "share_of_limit", t->samples_per_second / limit);
    }
    if (n->count > 0) cJSON_AddItemToObject(object, "norms", norms_json(n));
    cJSON_AddStringToObject(object, "digest", t->digest);
    return json_print(object, error);
}

static bool draw(const settings *s, const experiment *e, rv_store *store, const training *t,
                 const norms *n, rv_error *error)
{
    return (!s->plot || curves_draw(s->output, s, e, t, error)) &&
           (!s->pictures || pictures_draw(s->output, s, e, store, error)) &&
           (n->count == 0 || !s->output || norms_write(n, s->output, s, s->plot, error));
}

static void print_stopped(const settings *s, const training *t)
{
    fprintf(stderr, "recurve train: stopped in epoch %" PRId64 " after %" PRId64 " batches; ",
            t->at.epoch, t->at.batch);
    if (s->output)
        fprintf(stderr, "to go on: recurve train --resume %s\n", s->output);
    else
        fputs("nothing is kept without --output\n", stderr);
}

/* Of a run that failed: what is left of it. */
static void print_left(const settings *s, const training *t)
{
    if (!s->output || t->saved.epoch == 0) return;
    bool within = t->saved.batch > 0;
    fprintf(stderr, "recurve train: %s/checkpoint.safetensors holds the run ", s->output);
    if (within)
        fprintf(stderr, "after %" PRId64 " batches of epoch %" PRId64 "\n", t->saved.batch,
                t->saved.epoch);
    else
        fprintf(stderr, "after epoch %" PRId64 "\n", t->saved.epoch - 1);
}

static bool report(const settings *s, const experiment *e, rv_store *store, const training *t,
                   norms *n, rv_error *error)
{
    double limit;
    if (s->norms && !norms_measure(n, NORMS_END, e, store, s->batch, error)) return false;
    if (!draw(s, e, store, t, n, error) || !find_limit(s, e, store, &limit, error)) return false;
    if (s->digest) return puts(t->digest) != EOF;
    if (s->json) return print_json(s, e, t, n, limit, error);
    print_summary(e, t, n, limit);
    return true;
}

/* A store to train in, from the checkpoint unless that is NULL. */
static rv_store *open_store(const settings *s, const experiment *e, const char *checkpoint,
                            rv_error *error)
{
    rv_store *store = experiment_store(s, error);
    if (!store || !checkpoint || resume_load(s, e, store, checkpoint, error)) return store;
    rv_store_free(store);
    return NULL;
}

static bool train(const settings *s, const experiment *e, const char *checkpoint, training *t,
                  rv_error *error)
{
    bool shown = !s->quiet && !s->json && !s->digest;
    norms n = {0};
    training_view view = {.lines = shown, .bar = shown};
    if ((s->plot || s->pictures) && !gnuplot_find(error)) return false;
    if (s->output && !run_folder_open(s->output, error)) return false;
    rv_store *store = open_store(s, e, checkpoint, error);
    if (store && shown) describe(s, e);
    if (store && shown && checkpoint)
        fprintf(stderr, "goes on in epoch %" PRId64 " after %" PRId64 " batches\n", t->at.epoch,
                t->at.batch);
    bool ok = store && (!s->norms || norms_measure(&n, NORMS_START, e, store, s->batch, error));
    stop_catch();
    ok = ok && training_run(s, e, view, store, t, error);
    stop_release();
    if (!ok)
        print_left(s, t);
    else if (t->stopped != 0)
        print_stopped(s, t);
    else
        ok = report(s, e, store, t, &n, error);
    norms_free(&n);
    rv_store_free(store);
    return ok;
}

static exit_status status_of(bool ok, const training *t)
{
    return !ok                     ? STATUS_FAILED
           : t->stopped == SIGINT  ? STATUS_INTERRUPTED
           : t->stopped == SIGTERM ? STATUS_TERMINATED
                                   : STATUS_OK;
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    char checkpoint[PATH_TEXT];
    exit_status result;
    settings s = settings_new();
    experiment e = {0};
    training t = {0};
    bool ok = settings_parse(&command_train, argc, argv, &s, &result, error);
    bool resumes = ok && s.resume;
    ok = ok &&
         (!resumes || resume_find(&command_train, argc, argv, &s, &t, checkpoint, &result, error));
    if (ok) result = STATUS_USAGE;
    if (ok && (s.plot || s.pictures) && !s.output)
        ok = rv_fail(error, RV_ERROR_ARGUMENT, "%s draws into a folder; name it with --output DIR",
                     s.plot ? "--plot" : "--pictures");
    if (ok && experiment_make(&s, &e, error))
        result = status_of(train(&s, &e, resumes ? checkpoint : NULL, &t, error), &t);
    training_free(&t);
    experiment_free(&e);
    settings_free(&s);
    return result;
}
