/* recurve evaluate */
#include <inttypes.h>
#include <stdio.h>

#include "tools/json.h"
#include "tools/learning.h"
#include "tools/run_folder.h"

typedef struct evaluate_options {
    const char *output, *checkpoint;
    int64_t threads;
    bool json;
} evaluate_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(evaluate_options, field, name, argument, OPTION_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(output, "output", "DIR", TEXT, "the folder that `recurve train --output DIR` filled"),
    ROW(checkpoint, "checkpoint", "FILE", TEXT,
        "other parameters (default: checkpoint.safetensors in\n"
        "that folder); without --output, its folder has the\n"
        "config.json"),
    ROW(threads, "threads", "N", WHOLE, "that share the work (default: 1)", .low = 1,
        .high = MOST_THREADS),
    ROW(json, "json", NULL, FLAG, "print one JSON document instead of text"),
};

static const manual page = {
    .name = "evaluate",
    .summary = "measure a trained model, with its confusion matrix",
    .synopsis = "--output DIR | --checkpoint FILE [--threads N] [--json]",
    .description =
        "Reads what a training run has stored, and prints the cost and the accuracy on the images\n"
        "it was trained on and on those held out from it. The split is the run's own, so these "
        "are\n"
        "the numbers that the run ended with. A confusion matrix follows: a row per digit shown, "
        "a\n"
        "column per answer, of the images held out.\n",
    OPTIONS(options),
    .failure = "a file is missing, damaged, or not of this model",
    .example = "recurve train --output /tmp/zero-one\n"
               "recurve evaluate --output /tmp/zero-one --json\n",
};

typedef struct evaluation {
    measurement train, held_out;
    char digest[RV_DIGEST_TEXT];
} evaluation;

static size_t count_parameters(const rv_store *store)
{
    size_t count = 0;
    for (size_t i = 0; i < rv_store_count(store); i++)
        count += rv_store_at(store, i)->role == RV_PARAMETER;
    return count;
}

/* The model's parameters, all of them and no others, from the file. */
static bool load(const experiment *e, rv_store *store, const char *path, rv_error *error)
{
    if (!make_parameters(e, store, error)) return false;
    size_t expected = count_parameters(store);
    if (!rv_store_load(store, path, error)) return false;
    size_t found = count_parameters(store);
    return found == expected ||
           rv_fail(error, RV_ERROR_FORMAT,
                   "\"%.500s\" holds %zu parameters, the model %s of its config.json has %zu", path,
                   found, e->model->name, expected);
}

static bool evaluate(const experiment *e, const settings *s, const char *path, evaluation *v,
                     rv_error *error)
{
    rv_store *store = experiment_store(s, error);
    bool ok = store != NULL && load(e, store, path, error) &&
              measure(e, store, &e->train, &v->train, error) &&
              measure(e, store, &e->held_out, &v->held_out, error);
    if (ok) rv_store_digest(store, v->digest);
    rv_store_free(store);
    return ok;
}

/* ---- printing ---- */

static void print_line(const char *images, const measurement *m)
{
    printf("%-10scost %-12.6g accuracy %6.2f %% (%" PRId64 " of %" PRId64 " images)\n", images,
           m->cost, 100 * m->accuracy, m->correct, m->images);
}

static void print_text(const settings *s, const int *classes, int count, const evaluation *v)
{
    printf("%s on the digits %s\n", s->model, s->classes);
    print_line("training", &v->train);
    print_line("held out", &v->held_out);
    printf("digest %s\n\nheld out, digit down, answer across\n   ", v->digest);
    for (int a = 0; a < count; a++) printf("%5d", classes[a]);
    putchar('\n');
    for (int d = 0; d < count; d++) {
        printf("%3d", classes[d]);
        for (int a = 0; a < count; a++)
            printf(v->held_out.confusion[d][a] ? "%5" PRId64 : "    .",
                   v->held_out.confusion[d][a]);
        putchar('\n');
    }
}

static void add_measurement(cJSON *object, const char *name, const measurement *m, int classes)
{
    cJSON *part = cJSON_AddObjectToObject(object, name);
    cJSON_AddNumberToObject(part, "images", (double)m->images);
    cJSON_AddNumberToObject(part, "cost", m->cost);
    cJSON_AddNumberToObject(part, "accuracy", m->accuracy);
    cJSON *matrix = cJSON_AddArrayToObject(part, "confusion");
    for (int d = 0; d < classes; d++) {
        cJSON *row = cJSON_CreateArray();
        for (int a = 0; a < classes; a++)
            cJSON_AddItemToArray(row, cJSON_CreateNumber((double)m->confusion[d][a]));
        cJSON_AddItemToArray(matrix, row);
    }
}

static bool print_json(const settings *s, const int *classes, int count, const evaluation *v,
                       rv_error *error)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "model", s->model);
    cJSON_AddItemToObject(object, "classes", cJSON_CreateIntArray(classes, count));
    add_measurement(object, "train", &v->train, count);
    add_measurement(object, "held_out", &v->held_out, count);
    cJSON_AddStringToObject(object, "digest", v->digest);
    return json_print(object, error);
}

/* ---- running ---- */

static bool run(const evaluate_options *o, rv_error *error)
{
    char folder[PATH_TEXT], path[PATH_TEXT];
    const char *from = o->output, *checkpoint = o->checkpoint;
    if (from == NULL) {
        if (!run_folder_of(checkpoint, folder, error)) return false;
        from = folder;
    }
    if (checkpoint == NULL) {
        if (!run_folder_checkpoint(from, path, error)) return false;
        checkpoint = path;
    }
    settings s = settings_new();
    s.threads = o->threads;
    experiment e = {0};
    evaluation v;
    int classes[DIGITS], count;
    bool ok = run_folder_read_config(from, &s, error) && experiment_make(&s, &e, error) &&
              classes_parse(s.classes, classes, &count, error) &&
              evaluate(&e, &s, checkpoint, &v, error);
    if (ok && !o->json) print_text(&s, classes, count, &v);
    if (ok && o->json) ok = print_json(&s, classes, count, &v, error);
    experiment_free(&e);
    settings_free(&s);
    return ok;
}

exit_status evaluate_run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    evaluate_options o = {0};
    if (!options_parse(&page, argc, argv, &o, NULL, &result, error)) return result;
    if (o.output == NULL && o.checkpoint == NULL) {
        rv_fail(error, RV_ERROR_ARGUMENT,
                "what to evaluate? Give --output DIR or --checkpoint FILE");
        return STATUS_USAGE;
    }
    return run(&o, error) ? STATUS_OK : STATUS_FAILED;
}
