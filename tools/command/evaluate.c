/* recurve evaluate */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "tools/command/commands.h"
#include "tools/cli/classes.h"
#include "tools/cli/json.h"
#include "tools/run/saved_run.h"

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

static exit_status run(int argc, char **argv, rv_error *error);

const command command_evaluate = {
    .name = "evaluate",
    .run = run,
    .summary = "measure a trained net, with its confusion matrix",
    .synopsis = "--output DIR | --checkpoint FILE [--threads N] [--json]",
    .description =
        "Reads what a training run has stored, and prints cost and score on the data it was "
        "trained\n"
        "on (10,000 samples of them at most) and on those held out. The split is the run's own, "
        "so\n"
        "these are the numbers that the run ended with. For labels of up to 32 classes a "
        "confusion\n"
        "matrix follows: a row per label shown, a column per answer, of the data held out.\n",
    OPTIONS(options),
    .failure = "a file is missing, damaged, or not of this model",
    .example = "recurve train --output /tmp/zero-one\n"
               "recurve evaluate --output /tmp/zero-one --json\n",
};

typedef struct evaluation {
    measurement train, held_out;
    char digest[RV_DIGEST_TEXT];
} evaluation;

static bool evaluate(const saved_run *r, evaluation *v, rv_error *error)
{
    const experiment *e = &r->e;
    rv_store_digest(r->store, v->digest);
    return measure(e, r->store, &e->seen, r->s.batch, &v->train, error) &&
           measure(e, r->store, &e->held_out, r->s.batch, &v->held_out, error);
}

/* ---- printing ---- */

/* What label k is called: the digit or the character it stands for. */
static void label_text(const settings *s, const experiment *e, int64_t k, char text[32])
{
    int classes[DIGITS], count;
    rv_error unused = {0};
    snprintf(text, 32, "%" PRId64, k);
    if (s->classes && classes_parse(s->classes, classes, &count, &unused) && k < count)
        snprintf(text, 32, "%d", classes[k]);
    else if (e->whole.alphabet && isgraph(e->whole.alphabet[k]))
        snprintf(text, 32, "%c", e->whole.alphabet[k]);
}

static void print_line(const experiment *e, const char *which, const measurement *m)
{
    char score[SCORE_TEXT];
    printf("%-10scost %-12.6g %s (%" PRId64 " samples)\n", which, m->cost,
           score_text(&e->whole, m->cost, m->accuracy, m->error, score), m->samples);
}

static void print_confusion(const settings *s, const experiment *e, const measurement *m)
{
    int64_t classes = e->whole.classes;
    char label[32];
    printf("\nheld out, label down, answer across\n   ");
    for (int64_t a = 0; a < classes; a++) {
        label_text(s, e, a, label);
        printf("%5s", label);
    }
    putchar('\n');
    for (int64_t d = 0; d < classes; d++) {
        label_text(s, e, d, label);
        printf("%3s", label);
        for (int64_t a = 0; a < classes; a++)
            printf(m->confusion[d][a] ? "%5" PRId64 : "    .", m->confusion[d][a]);
        putchar('\n');
    }
}

static bool has_confusion(const experiment *e)
{
    return e->whole.classes > 0 && e->whole.classes <= MOST_CONFUSED;
}

static void print_text(const settings *s, const experiment *e, const evaluation *v)
{
    printf("%s on %s%s%s\n", s->model, s->data ? s->data : s->task, s->classes ? " " : "",
           s->classes ? s->classes : "");
    print_line(e, "training", &v->train);
    print_line(e, "held out", &v->held_out);
    printf("digest %s\n", v->digest);
    if (has_confusion(e)) print_confusion(s, e, &v->held_out);
}

static void add_measurement(cJSON *object, const experiment *e, const char *name,
                            const measurement *m)
{
    int64_t classes = e->whole.classes;
    cJSON *part = cJSON_AddObjectToObject(object, name);
    cJSON_AddNumberToObject(part, "samples", (double)m->samples);
    cJSON_AddNumberToObject(part, "cost", m->cost);
    if (classes > 0)
        cJSON_AddNumberToObject(part, "accuracy", m->accuracy);
    else
        cJSON_AddNumberToObject(part, "error", m->error);
    if (!has_confusion(e)) return;
    cJSON *matrix = cJSON_AddArrayToObject(part, "confusion");
    for (int64_t d = 0; d < classes; d++) {
        cJSON *row = cJSON_CreateArray();
        for (int64_t a = 0; a < classes; a++)
            cJSON_AddItemToArray(row, cJSON_CreateNumber((double)m->confusion[d][a]));
        cJSON_AddItemToArray(matrix, row);
    }
}

static bool print_json(const settings *s, const experiment *e, const evaluation *v, rv_error *error)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "model", s->model);
    cJSON_AddStringToObject(object, "task", s->task);
    if (s->classes) cJSON_AddStringToObject(object, "classes", s->classes);
    add_measurement(object, e, "train", &v->train);
    add_measurement(object, e, "held_out", &v->held_out);
    cJSON_AddStringToObject(object, "digest", v->digest);
    return json_print(object, error);
}

/* ---- running ---- */

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    evaluate_options o = {0};
    if (!options_parse(&command_evaluate, argc, argv, &o, NULL, &result, error)) return result;
    if (!saved_run_named(o.output, o.checkpoint, error)) return STATUS_USAGE;
    saved_run r;
    evaluation v;
    bool ok =
        saved_run_open(&r, o.output, o.checkpoint, o.threads, error) && evaluate(&r, &v, error);
    if (ok && !o.json) print_text(&r.s, &r.e, &v);
    if (ok && o.json) ok = print_json(&r.s, &r.e, &v, error);
    saved_run_close(&r);
    return ok ? STATUS_OK : STATUS_FAILED;
}
