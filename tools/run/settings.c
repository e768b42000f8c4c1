#include "tools/run/settings.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"
#include "tools/cli/json.h"
#include "tools/cli/text_file.h"

enum { MOST = 1 << 20 };

#define ROW(field, option, argument, kind, ...) \
    OPTION_ROW(settings, field, option, argument, OPTION_##kind, __VA_ARGS__)
#define COUNT .low = 1, .high = MOST

const option_row settings_options[SETTINGS_OPTIONS] = {
    ROW(task, "task", "NAME", TEXT,
        "the built-in digits (default) or generated data; see\n`recurve tasks`",
        .group = "The data", .kept = true),
    ROW(data, "data", "FILE", TEXT,
        "your own, by its ending: .npz with x and y, .npy, .csv,\n"
        ".tsv, IDX (.idx, -ubyte, ..), each plain or .gz where\n"
        "usual; any other file is a text, predicted character\nby character",
        .kept = true),
    ROW(labels, "labels", "FILE", TEXT, "what belongs to the images of an .npy or IDX file",
        .kept = true),
    ROW(classes, "classes", "LIST", TEXT,
        "digits to tell apart: 0,1 or 0-9 or 0-3,7 (default: 0,1)", .kept = true),
    ROW(alphabet, "alphabet", "HEX", TEXT,
        "the characters that a text may have, two digits each\n(default: those it has)",
        .kept = true),
    ROW(samples, "samples", "N", WHOLE, "generated in each epoch (default: the task's)", COUNT,
        .kept = true),
    ROW(length, "length", "N", WHOLE,
        "time steps of a generated sequence, or of a window of\ntext (default: the task's, 64)",
        COUNT, .kept = true),
    ROW(size, "size", "N", WHOLE, "of a task: numbers, streams, digits, pixels (default: its own)",
        COUNT, .kept = true),
    ROW(sequence, "sequence", NULL, FLAG, "axis 1 of the file's x is time", .kept = true),
    ROW(numbers, "numbers", NULL, FLAG, "the label column of a .csv holds numbers, not classes",
        .kept = true),
    ROW(label, "label", "N", WHOLE, "the label column of a .csv, from 1 (default: the last)", COUNT,
        .kept = true),
    ROW(held_out, "held-out", "N", WHOLE,
        "samples kept from training, to measure on (default: a\nsixth)", COUNT, .kept = true),
    ROW(shift, "shift", "N", WHOLE, "shift images by up to so many pixels, anew each epoch",
        .low = 0, .high = 4096, .kept = true),
    ROW(noise, "noise", "S", POSITIVE, "add normal noise of this deviation, anew each epoch",
        .kept = true),
    ROW(cache, "cache", "MIB", WHOLE,
        "memory for a file; a larger one is read from the disk\nwhile training (default: 256)",
        COUNT, .kept = true),

    ROW(model, "model", "NAME", TEXT,
        "the cell (default: curnn, for sequences gru): see\n`recurve models`; or of a file of "
        "equations: FILE.rv,\nFILE.rv:NAME",
        .group = "The net", .kept = true),
    ROW(units, "units", "N", WHOLE,
        "hidden units, or channels, of each layer (default: the task's)", .low = 1, .high = 4096,
        .kept = true),
    ROW(layers, "layers", "N", WHOLE, "on top of each other (default: the task's, 1 for most)",
        .low = 1, .high = 100, .kept = true),
    ROW(kernel, "kernel", "N", WHOLE,
        "convolutions of this odd size for the cell's products\n(those of curnn have sizes of "
        "their own)",
        .low = 1, .high = 31, .kept = true),
    ROW(steps, "steps", "N", WHOLE, "how often an image is shown (default: 2)", .low = 1,
        .high = 1000, .kept = true),
    ROW(hidden, "hidden", "N", WHOLE,
        "units of a hidden layer behind the cell (default: the task's)", .low = 1, .high = 65536,
        .kept = true),
    ROW(embedding, "embedding", "N", WHOLE, "numbers that stand for a token (default: one-hot)",
        .low = 1, .high = 65536, .kept = true),
    ROW(activation, "activation", "NAME", TEXT,
        "of the candidates: tanh (default), relu, sigmoid, silu,\ngelu, softplus, arctan or none",
        .kept = true),
    ROW(forget, "forget", "B", NOT_NEGATIVE,
        "offset at first of the gates that keep the state\n(default: 1)", .kept = true),
    ROW(bidirectional, "bidirectional", NULL, FLAG, "run each layer in both directions",
        .kept = true),
    ROW(residual, "residual", NULL, FLAG, "add what a layer reads to what it puts out",
        .kept = true),
    ROW(skip, "skip", NULL, FLAG, "let every layer read the input, too", .kept = true),
    ROW(pool, "pool", NULL, FLAG, "answer from the mean over time, not from the last step",
        .kept = true),
    ROW(layer_norm, "layer-norm", NULL, FLAG, "normalize each map of the cell", .kept = true),
    ROW(learned_start, "learned-start", NULL, FLAG, "learn the initial states", .kept = true),
    ROW(carry, "carry", NULL, FLAG,
        "of a text: a window goes on from the state at which the\n"
        "one before ended (truncated back-propagation)",
        .kept = true),
    ROW(dropout, "dropout", "P", FRACTION, "share of what layers read that is dropped",
        .kept = true),
    ROW(recurrent_dropout, "recurrent-dropout", "P", FRACTION, "share of states that is dropped",
        .kept = true),
    ROW(same_dropout, "same-dropout", NULL, FLAG, "drop the same at all time steps", .kept = true),
    ROW(recompute, "recompute", "N", WHOLE, "save memory: gradients compute N time steps again",
        COUNT, .kept = true),
    ROW(loss, "loss", "NAME", TEXT, "of numbers: mse (default), mae or huber", .kept = true),
    ROW(smoothing, "smoothing", "S", FRACTION, "of labels: share given to all classes alike",
        .kept = true),

    ROW(optimizer, "optimizer", "NAME", TEXT,
        "how to train (default: the task's); see\n`recurve optimizers`", .group = "The optimizer",
        .kept = true),
    ROW(rate, "rate", "R", POSITIVE, "its learning rate (default: the task's, the optimizer's)",
        .kept = true),
    ROW(momentum, "momentum", "M", FRACTION,
        "its momentum, from 0 to less than 1 (default: the\noptimizer's)", .kept = true),
    ROW(weight_decay, "weight-decay", "D", POSITIVE, "pull of the weights towards 0", .kept = true),
    ROW(clip_norm, "clip-norm", "C", NOT_NEGATIVE,
        "largest norm of all gradients together; 0: any\n(default: the task's, 1 for sequences)",
        .kept = true),
    ROW(clip_value, "clip-value", "C", POSITIVE, "largest element of a gradient", .kept = true),
    ROW(schedule, "schedule", "NAME", TEXT,
        "how the rate changes: constant (default), cosine,\none-cycle, step, exponential, plateau",
        .kept = true),
    ROW(rates, "rates", "LIST", TEXT,
        "other rates for parameters by name, with * and ?:\n'fc*=0.001,embedding=0.01'",
        .kept = true),
    ROW(freeze, "freeze", "LIST", TEXT, "parameters that stay as they are: 'Wx*,bg'", .kept = true),
    ROW(warm_up, "warm-up", "N", WHOLE, "updates in which the rate rises from 0", COUNT,
        .kept = true),
    ROW(accumulate, "accumulate", "N", WHOLE, "batches whose mean gradient makes one update",
        .low = 1, .high = 4096, .kept = true),
    ROW(average, "average", "K", FRACTION,
        "measure with weights averaged with this decay, 0.999\nfor example", .kept = true),

    ROW(epochs, "epochs", "N", WHOLE, "passes over the training data (default: the task's)",
        .group = "The run", COUNT, .kept = true),
    ROW(batch, "batch", "N", WHOLE, "samples per update (default: the task's)", COUNT,
        .kept = true),
    ROW(patience, "patience", "N", WHOLE,
        "stop after so many epochs in which the cost held out\nfell below no earlier one", COUNT,
        .kept = true),
    ROW(seed, "seed", "N", WHOLE,
        "where all randomness comes from: data, split, first\n"
        "parameters, order, dropout (default: 1)",
        .low = 0, .high = (int64_t)1 << 53, .kept = true),
    ROW(dtype, "dtype", "TYPE", TEXT, "arithmetic: f32 or f64 (default: f32)", .kept = true),
    ROW(threads, "threads", "N", WHOLE,
        "that share the work (default: 1); the results are the\nsame for any number", .low = 1,
        .high = MOST_THREADS),
    ROW(config, "config", "FILE", TEXT,
        "settings of an earlier run, its config.json; options\ngiven beside it count more"),
    ROW(output, "output", "DIR", TEXT,
        "write checkpoint.safetensors, best.safetensors,\n"
        "config.json and log.csv there, while the run goes on;\nmade if missing"),
    ROW(resume, "resume", "DIR", TEXT,
        "go on with the stopped run whose --output it was, to\n"
        "the same bits; beside it only --epochs (more of them),\n"
        "--threads and those of what is shown"),
    ROW(anomaly, "anomaly", NULL, FLAG,
        "watch every update: the first that makes NaN or infinity\n"
        "is taken back, and the op that made it is named, with\n"
        "its time step, shapes and inputs"),
    ROW(norms, "norms", NULL, FLAG,
        "print the norms of the gradient at states, and by way of\n"
        "parameters, at each time step, before the first update\n"
        "of this command and after the last, of one batch without\n"
        "dropout and clipping: what vanishes (or explodes), below\n"
        "1/1000 (above 1000 times) at the first step; with\n"
        "--output norms.csv, with --plot norms.svg and .png too"),
    ROW(plot, "plot", NULL, FLAG, "draw the learning curves there, too: curves.svg, curves.png"),
    ROW(pictures, "pictures", NULL, FLAG, "draw gates and states over time there, too: states.png"),
    ROW(limit, "limit", NULL, FLAG,
        "measure this machine too, and print how fast it could\ndo the necessary products at most"),
    ROW(json, "json", NULL, FLAG, "print one JSON document instead of lines"),
    ROW(quiet, "quiet", NULL, FLAG, "print the summary only"),
    ROW(digest, "digest", NULL, FLAG,
        "print nothing but the digest of the parameters: XXH3-128\n"
        "over names, shapes and bytes, equal for any --threads"),
};

settings settings_new(void)
{
    return (settings){.momentum = -1, .forget = -1, .clip_norm = -1, .seed = 1};
}

void settings_free(settings *s)
{
    cJSON_Delete(s->text);
    s->text = NULL;
}

void set_default(int64_t *value, int64_t standard)
{
    if (*value == 0) *value = standard;
}

/* ---- config.json ---- */

static const char *key_of(const option_row *row) { return row->name + strlen("--"); }

static bool add_setting(cJSON *object, const settings *s, const option_row *row)
{
    const char *key = key_of(row);
    const void *value = (const char *)s + row->offset;
    switch (row->kind) {
    case OPTION_FLAG: {
        bool set = *(const bool *)value;
        return !set || cJSON_AddTrueToObject(object, key);
    }
    case OPTION_TEXT: {
        const char *text = *(const char *const *)value;
        return !text || cJSON_AddStringToObject(object, key, text);
    }
    case OPTION_WHOLE: {
        int64_t whole = *(const int64_t *)value;
        bool unset = whole == 0 && row->low > 0;
        return unset || cJSON_AddItemToObject(object, key, json_exact((double)whole));
    }
    default: {
        double real = *(const double *)value;
        bool below = row->offset == offsetof(settings, momentum) ||
                     row->offset == offsetof(settings, forget) ||
                     row->offset == offsetof(settings, clip_norm); /* what stands for unset */
        bool unset = below ? real < 0 : real == 0;
        return unset || cJSON_AddItemToObject(object, key, json_exact(real));
    }
    }
}

char *settings_to_json(const settings *s)
{
    cJSON *object = cJSON_CreateObject();
    bool ok = object;
    for (int i = 0; ok && i < SETTINGS_OPTIONS; i++)
        ok = !settings_options[i].kept || add_setting(object, s, &settings_options[i]);
    char *printed = ok ? cJSON_Print(object) : NULL;
    char *text = NULL;
    if (printed) text = rv_alloc(strlen(printed) + 2, 1);
    if (text) sprintf(text, "%s\n", printed);
    cJSON_free(printed);
    cJSON_Delete(object);
    return text;
}

static const char *type_name(const option_row *row)
{
    return row->kind == OPTION_FLAG   ? "true or false"
           : row->kind == OPTION_TEXT ? "a string"
                                      : "a number";
}

static bool read_setting(settings *s, const cJSON *item, const char *path, rv_error *error)
{
    const option_row *row = settings_options, *end = row + SETTINGS_OPTIONS;
    while (row < end && !(row->kept && strcmp(key_of(row), item->string) == 0)) row++;
    if (row == end)
        return rv_fail(error, RV_ERROR_FORMAT, "\"%s\": unknown setting \"%.100s\"", path,
                       item->string);
    char label[RV_ERROR_TEXT / 2], number[32];
    snprintf(label, sizeof label, "\"%s\": %s", path, key_of(row));
    bool right = row->kind == OPTION_FLAG   ? cJSON_IsBool(item)
                 : row->kind == OPTION_TEXT ? cJSON_IsString(item)
                                            : cJSON_IsNumber(item);
    if (!right) return rv_fail(error, RV_ERROR_FORMAT, "%s is not %s", label, type_name(row));
    if (row->kind == OPTION_FLAG) {
        *(bool *)((char *)s + row->offset) = cJSON_IsTrue(item);
        return true;
    }
    if (row->kind != OPTION_TEXT) snprintf(number, sizeof number, "%.17g", item->valuedouble);
    return option_set(row, label, row->kind == OPTION_TEXT ? item->valuestring : number, s, error);
}

bool settings_from_json(settings *s, const char *json, const char *path, rv_error *error)
{
    settings_free(s);
    cJSON *object = s->text = cJSON_ParseWithOpts(json, NULL, true);
    if (!cJSON_IsObject(object))
        return rv_fail(error, RV_ERROR_FORMAT, "\"%s\" is not a JSON object", path);
    const cJSON *item;
    cJSON_ArrayForEach(item, object) if (!read_setting(s, item, path, error)) return false;
    return true;
}

bool settings_parse(const manual *page, int argc, char **argv, settings *s, exit_status *result,
                    rv_error *error)
{
    const char *model = NULL; /* of the command line */
    *s = settings_new();
    if (!options_parse(page, argc, argv, s, &s->model, result, error)) return false;
    if (!s->config) return true;
    settings with_config = settings_new();
    *result = STATUS_FAILED;
    char *text = text_file_read(s->config, error);
    bool ok = text && settings_from_json(&with_config, text, s->config, error);
    rv_free(text);
    if (s->task) with_config.data = with_config.labels = with_config.classes = NULL;
    if (s->data) with_config.task = with_config.classes = NULL;
    ok = ok && options_parse(page, argc, argv, &with_config, &model, result, error);
    if (model) with_config.model = model;
    *s = with_config;
    return ok;
}
