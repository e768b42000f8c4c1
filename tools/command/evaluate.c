/* recurve evaluate */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/cli/json.h"
#include "tools/cli/reading.h"
#include "tools/cli/say.h"
#include "tools/cli/score.h"
#include "tools/command/commands.h"
#include "tools/command/saved.h"

typedef struct evaluate_options {
    rv_train_config config; /* only how --data is read */
    const char *output, *checkpoint;
    int64_t threads;
    bool json;
} evaluate_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(evaluate_options, field, name, argument, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(output, "output", "DIR", TEXT, "the folder of the run: `recurve train --output DIR`"),
    ROW(checkpoint, "checkpoint", "FILE", TEXT,
        "the parameters (default: checkpoint.safetensors in the\n"
        "folder); without --output, the run is that of its folder"),
    ROW(threads, "threads", "N", WHOLE, "threads (default: 1)", .low = 1, .high = RV_TRAIN_THREADS),
    ROW(json, "json", NULL, FLAG, "print one JSON document instead of text"),
};

static bool reads_data(const char *key)
{
    static const char *const keys[] = {"data", "labels", "label", "separator", "header", "divide"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0) return true;
    return false;
}

static exit_status run(int argc, char **argv, rv_error *error);

const command command_evaluate = {
    .name = "evaluate",
    .run = run,
    .summary = "measure a trained net, with its confusion matrix",
    .synopsis = "--output DIR | --checkpoint FILE [--data FILE] [OPTION]...",
    .description =
        "Reads a run that `recurve train --output` kept, and prints loss and score on its\n"
        "training samples (at most 10,000) and its validation samples. The split is that of the\n"
        "run, so these are the numbers that the run ended with. A damaged checkpoint is an error;\n"
        "--checkpoint DIR/checkpoint.previous.safetensors measures the one before it. For labels\n"
        "of at most 32 classes the confusion matrix of the validation samples follows: a row per\n"
        "label, a column per answer. With --data it measures the samples of that file instead, "
        "which\n"
        "must be of the same kind as the run's, and are read with the run's options unless others\n"
        "are given.\n",
    OPTIONS(options),
    .configures = reads_data,
    .failure = "a file is missing, damaged, or not of this model",
    .example = "recurve train --output /tmp/zero-one\n"
               "recurve evaluate --output /tmp/zero-one --json\n"
               "recurve evaluate --output /tmp/zero-one --data digits.csv --divide 16\n",
};

/* ---- printing ---- */

/* A character as in C: a, '\n', \xc3. */
static void character_text(unsigned char byte, char text[32])
{
    if (byte == '\n' || byte == '\t' || byte == '\r')
        snprintf(text, 32, "\\%c", byte == '\n' ? 'n' : byte == '\t' ? 't' : 'r');
    else if (byte == ' ')
        snprintf(text, 32, "' '");
    else
        snprintf(text, 32, isgraph(byte) && byte < 128 ? "%c" : "\\x%02x", byte);
}

/* The name of label k: its digit, its character or k itself. */
static void label_text(const rv_trainer *run, int64_t k, char text[32])
{
    const rv_train_config *c = rv_trainer_config(run);
    const unsigned char *alphabet = rv_trainer_setup(run)->data.alphabet;
    int classes[RV_DIGIT_CLASSES], count;
    snprintf(text, 32, "%" PRId64, k);
    if (c->data.classes && rv_classes_parse(c->data.classes, classes, &count, NULL) && k < count)
        snprintf(text, 32, "%d", classes[k]);
    else if (alphabet)
        character_text(alphabet[k], text);
}

static void print_line(const rv_source *data, const char *which, const rv_metrics *m)
{
    char score[SCORE_TEXT];
    say(stdout, "%-12sloss %-12.6g %s (%" PRId64 " sample(s))\n", which, m->loss,
        score_text(data, m->loss, m->accuracy, m->error, score), m->samples);
}

/* The most characters of a label, or of a count. */
static int widest(const rv_trainer *run, const rv_metrics *m, int64_t classes)
{
    char text[32];
    int width = 4;
    for (int64_t d = 0; d < classes; d++) {
        label_text(run, d, text);
        if ((int)strlen(text) > width) width = (int)strlen(text);
        for (int64_t a = 0; a < classes; a++) {
            int digits = snprintf(NULL, 0, "%" PRId64, m->confusion[d][a]);
            if (digits > width) width = digits;
        }
    }
    return width;
}

static void print_confusion(const rv_trainer *run, const char *which, const rv_metrics *m)
{
    int64_t classes = rv_trainer_setup(run)->data.classes;
    int width = widest(run, m, classes);
    char text[32];
    say(stdout, "\n%s, label down, answer across\n%*s", which, width, "");
    for (int64_t a = 0; a < classes; a++) {
        label_text(run, a, text);
        say(stdout, " %*s", width, text);
    }
    putchar('\n');
    for (int64_t d = 0; d < classes; d++) {
        label_text(run, d, text);
        say(stdout, "%*s", width, text);
        for (int64_t a = 0; a < classes; a++) {
            snprintf(text, sizeof text, m->confusion[d][a] ? "%" PRId64 : ".", m->confusion[d][a]);
            say(stdout, " %*s", width, text);
        }
        putchar('\n');
    }
}

static bool has_confusion(const rv_source *data)
{
    return data->classes > 0 && data->classes <= RV_CONFUSION_CLASSES;
}

static void print_text(const rv_trainer *run, const rv_metrics *training,
                       const rv_metrics *validation, const char *digest)
{
    const rv_train_config *c = rv_trainer_config(run);
    const rv_source *data = &rv_trainer_setup(run)->data;
    say(stdout, "%s on %s%s%s\n", c->net.model, c->data.path ? c->data.path : c->data.task,
        c->data.classes ? " " : "", c->data.classes ? c->data.classes : "");
    print_line(data, "training", training);
    print_line(data, "validation", validation);
    say(stdout, "digest %s\n", digest);
    if (has_confusion(data)) print_confusion(run, "validation", validation);
}

static void add_metrics(cJSON *object, const rv_source *data, const char *name, const rv_metrics *m)
{
    cJSON *part = cJSON_AddObjectToObject(object, name);
    cJSON_AddNumberToObject(part, "samples", (double)m->samples);
    cJSON_AddNumberToObject(part, "loss", m->loss);
    if (data->classes > 0)
        cJSON_AddNumberToObject(part, "accuracy", m->accuracy);
    else
        cJSON_AddNumberToObject(part, "error", m->error);
    if (!has_confusion(data)) return;
    cJSON *matrix = cJSON_AddArrayToObject(part, "confusion");
    for (int64_t d = 0; d < data->classes; d++) {
        cJSON *row = cJSON_CreateArray();
        for (int64_t a = 0; a < data->classes; a++)
            cJSON_AddItemToArray(row, cJSON_CreateNumber((double)m->confusion[d][a]));
        cJSON_AddItemToArray(matrix, row);
    }
}

static bool print_json(const rv_trainer *run, const rv_metrics *training,
                       const rv_metrics *validation, const char *digest, rv_error *error)
{
    const rv_train_config *c = rv_trainer_config(run);
    const rv_source *data = &rv_trainer_setup(run)->data;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "model", c->net.model);
    cJSON_AddStringToObject(object, "task", c->data.task);
    if (c->data.classes) cJSON_AddStringToObject(object, "classes", c->data.classes);
    add_metrics(object, data, "train", training);
    add_metrics(object, data, "validation", validation);
    cJSON_AddStringToObject(object, "digest", digest);
    return json_print(object, error);
}

/* ---- running ---- */

static bool evaluate(rv_trainer *run, bool json, rv_error *error)
{
    const rv_setup *s = rv_trainer_setup(run);
    rv_metrics training, validation;
    char digest[RV_DIGEST_TEXT];
    if (!rv_trainer_evaluate(run, &s->sample, &training, error) ||
        !rv_trainer_evaluate(run, &s->validation, &validation, error))
        return false;
    if (*rv_store_digest(rv_trainer_store(run), digest) == '\0') return rv_fail_memory(error);
    if (json) return print_json(run, &training, &validation, digest, error);
    print_text(run, &training, &validation, digest);
    return true;
}

/* The run's configuration with the options that say how --data is read. */
static rv_train_config config_for_data(const rv_trainer *run, const rv_data_config *o)
{
    rv_train_config c = *rv_trainer_config(run);
    c.data.path = o->path;
    c.data.labels = o->labels;
    if (o->label != 0) c.data.label = o->label;
    if (o->separator) c.data.separator = o->separator;
    if (o->header) c.data.header = o->header;
    if (o->divide > 0) c.data.divide = o->divide;
    return c;
}

static bool evaluate_data(rv_trainer *run, const evaluate_options *o, rv_error *error)
{
    const rv_source *like = &rv_trainer_setup(run)->data;
    const rv_train_config c = config_for_data(run, &o->config.data);
    rv_metrics m;
    rv_source source;
    if (!rv_setup_open(&c, like, c.data.path, c.data.labels, &source, error)) return false;
    bool ok = rv_trainer_evaluate(run, &source, &m, error);
    if (ok && o->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "model", c.net.model);
        cJSON_AddItemToObject(object, "data", reading_json(&source, &c));
        add_metrics(object, like, "metrics", &m);
        ok = json_print(object, error);
    } else if (ok) {
        reading_print(stdout, &source, &c);
        print_line(like, "data", &m);
        if (has_confusion(like)) print_confusion(run, "data", &m);
    }
    rv_source_close(&source);
    return ok;
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    evaluate_options o = {.config = rv_train_config_new()};
    if (!options_parse(&command_evaluate, argc, argv, &o, NULL, &result, error)) return result;
    if (!saved_run_named(o.output, o.checkpoint, error) ||
        !rv_setup_check_data(&o.config, &(rv_train_parts){0}, error))
        return STATUS_USAGE;
    rv_trainer *saved = saved_run_open(&command_evaluate, o.output, o.checkpoint, o.threads, error);
    bool ok = saved && (o.config.data.path ? evaluate_data(saved, &o, error)
                                           : evaluate(saved, o.json, error));
    rv_trainer_free(saved);
    return ok ? STATUS_OK : STATUS_FAILED;
}
