/* recurve train */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

#include "tensor/memory.h"
#include "tools/json.h"
#include "tools/learning.h"
#include "tools/machine.h"
#include "tools/progress.h"
#include "tools/run_folder.h"

static const manual page = {
    .name = "train",
    .summary = "train a model on the built-in digits",
    .synopsis = "[OPTION]...",
    .description =
        "Trains a classifier of the 1,797 handwritten 8x8 digits that are built in, or of some of\n"
        "them: two digits give one yes-or-no output, more give one output each. After each epoch\n"
        "the cost and the accuracy on all training images and the accuracy on the images held out\n"
        "are printed; at last the speed of the updates and a digest of the parameters, which is\n"
        "the same for the same options on the same build.\n",
    OPTIONS(settings_options),
    .failure = "the run failed: the cost is no longer finite, or a file cannot be written",
    .example = "recurve train --classes 0-9 --optimizer adam --output /tmp/digits\n"
               "recurve evaluate --output /tmp/digits\n",
};

typedef struct report {
    epoch_row *rows; /* [epochs] */
    measurement train, held_out;
    double images_per_second, most_per_second; /* the latter on request; else 0 */
    char digest[RV_DIGEST_TEXT];
} report;

static void describe(const settings *s, const experiment *e)
{
    fprintf(stderr,
            "%s, steps %" PRId64 ", units %" PRId64 ", hidden %" PRId64 "; digits %s: %" PRId64
            " images, %" PRId64 " held out\n%s, rate %g, batch %" PRId64 ", seed %" PRId64 "\n",
            e->model->name, s->steps, s->units, s->hidden, s->classes, e->train.count,
            e->held_out.count, e->optimizer.name, s->rate, s->batch, s->seed);
}

static void print_epoch(const epoch_row *row)
{
    printf("epoch %3" PRId64 "  cost %-10.5g training %6.2f %%  held out %6.2f %%\n", row->epoch,
           row->cost, 100 * row->train_accuracy, 100 * row->held_out_accuracy);
    fflush(stdout);
}

/* Images per second, were there nothing to do but the products of a full batch's update. */
static bool find_limit(const settings *s, const experiment *e, rv_store *store, double *rate,
                       rv_error *error)
{
    int64_t batch = s->batch < e->train.count ? s->batch : e->train.count;
    double operations;
    if (!count_products(e, store, batch, &operations, error)) return false;
    *rate = (double)batch * machine_operations(e->dtype, (int)s->threads, 0.2) / operations;
    return true;
}

static bool learn(const settings *s, const experiment *e, rv_store *store, report *r,
                  rv_error *error)
{
    progress bar = progress_new(!s->quiet && !s->json, s->epochs, e->train.count);
    double learning = 0;
    for (int64_t epoch = 1; epoch <= s->epochs; epoch++) {
        epoch_plan plan = {epoch, s->batch, (uint64_t)s->seed, progress_paint, &bar, 0};
        progress_start(&bar, epoch);
        bool ok = learn_epoch(e, store, &plan, error);
        progress_clear(&bar);
        if (!ok || !measure(e, store, &e->train, &r->train, error) ||
            !measure(e, store, &e->held_out, &r->held_out, error))
            return false;
        learning += plan.seconds;
        r->rows[epoch - 1] = (epoch_row){epoch, r->train.cost, r->train.accuracy,
                                         r->held_out.accuracy, plan.seconds};
        if (!s->quiet && !s->json) print_epoch(&r->rows[epoch - 1]);
    }
    if (s->limit && !find_limit(s, e, store, &r->most_per_second, error)) return false;
    r->images_per_second = (double)(s->epochs * e->train.count) / learning;
    rv_store_digest(store, r->digest);
    return true;
}

static void print_summary(const report *r)
{
    printf("held out %.2f %% of %" PRId64 " images right, training %.2f %% of %" PRId64
           ", cost %.6g\n",
           100 * r->held_out.accuracy, r->held_out.images, 100 * r->train.accuracy, r->train.images,
           r->train.cost);
    printf("%.0f images per second\n", r->images_per_second);
    if (r->most_per_second > 0)
        printf("at most %.0f images per second at this machine's peak, reached %.1f %%\n",
               r->most_per_second, 100 * r->images_per_second / r->most_per_second);
    printf("digest %s\n", r->digest);
}

static bool print_json(const settings *s, const report *r, rv_error *error)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "model", s->model);
    cJSON_AddStringToObject(object, "optimizer", s->optimizer);
    cJSON_AddNumberToObject(object, "epochs", (double)s->epochs);
    cJSON_AddNumberToObject(object, "cost", r->train.cost);
    cJSON_AddNumberToObject(object, "train_accuracy", r->train.accuracy);
    cJSON_AddNumberToObject(object, "held_out_accuracy", r->held_out.accuracy);
    cJSON_AddNumberToObject(object, "samples_per_second", r->images_per_second);
    if (s->limit) {
        cJSON_AddNumberToObject(object, "limit_samples_per_second", r->most_per_second);
        cJSON_AddNumberToObject(object, "share_of_limit",
                                r->images_per_second / r->most_per_second);
    }
    cJSON_AddStringToObject(object, "digest", r->digest);
    return json_print(object, error);
}

static bool train(const settings *s, const experiment *e, report *r, rv_error *error)
{
    if (s->output != NULL && !run_folder_open(s->output, error)) return false;
    rv_store *store = experiment_store(s, error);
    r->rows = rv_alloc((size_t)s->epochs, sizeof *r->rows);
    bool ok = store != NULL && (r->rows != NULL || rv_fail_memory(error));
    if (ok && !s->quiet && !s->json) describe(s, e);
    ok = ok && learn(s, e, store, r, error) &&
         (s->output == NULL || run_folder_save(s->output, s, store, r->rows, s->epochs, error));
    rv_free(r->rows);
    rv_store_free(store);
    return ok;
}

exit_status train_run(int argc, char **argv, rv_error *error)
{
    exit_status result = STATUS_USAGE;
    settings s = settings_new();
    experiment e = {0};
    report r = {0};
    if (options_parse(&page, argc, argv, &s, NULL, &result, error) &&
        experiment_make(&s, &e, error)) {
        bool ok = train(&s, &e, &r, error);
        if (ok && !s.json) print_summary(&r);
        if (ok && s.json) ok = print_json(&s, &r, error);
        result = ok ? STATUS_OK : STATUS_FAILED;
    }
    experiment_free(&e);
    settings_free(&s);
    return result;
}
