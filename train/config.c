#include "train/config.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/file_internal.h"
#include "tensor/memory.h"
#include "tensor/name_internal.h"
#include "tensor/needs_internal.h"
#include "tensor/text_internal.h"
#include "train/config_internal.h"
#include "train/json_internal.h"
#include "train/text_file_internal.h"

/* ---- the table ---- */

enum { MOST = 1 << 20 };

#define ROW(field, option, called, is, ...) \
    { \
        .key = (option), .argument = (called), .kind = RV_CONFIG_##is, \
        .offset = offsetof(rv_train_config, field), .doc = __VA_ARGS__ \
    }
#define COUNT .low = 1, .high = MOST
#define COUNT_OR_NONE .low = 0, .high = MOST
#define KEPT .kept = true
#define FILE_KEPT KEPT, .file = true

static const rv_config_row rows[] = {
    ROW(data.task, "task", "TASK", TEXT,
        "the built-in digits (default) or a synthetic task; see\n`recurve tasks`",
        .group = "The data", KEPT),
    ROW(data.path, "data", "FILE", TEXT,
        "a file; its ending tells the format: .npz with x and y,\n"
        ".npy, .csv, .tsv, IDX (.idx, -ubyte, ..); .csv, .tsv and\n"
        "IDX also as .gz; any other file is a text, predicted\ncharacter by character",
        FILE_KEPT),
    ROW(data.labels, "labels", "FILE", TEXT, "the file of y, if x is in an .npy or IDX file",
        FILE_KEPT),
    ROW(data.classes, "classes", "LIST", TEXT,
        "the digits to classify: 0,1 or 0-9 or 0-3,7 (default:\n"
        "0,1); of a file, the number of classes (default: the\nlargest label + 1)",
        KEPT),
    ROW(data.alphabet, "alphabet", "HEX", TEXT,
        "the characters of a text, two hexadecimal digits each\n"
        "(default: those that it contains)",
        KEPT),
    ROW(data.samples, "samples", "N", WHOLE,
        "samples per epoch of a synthetic task (default: the\ntask's)", COUNT, KEPT),
    ROW(data.length, "length", "N", WHOLE,
        "time steps of a sequence of a synthetic task, or of a\n"
        "window of text (default: the task's; 64)",
        COUNT, KEPT),
    ROW(data.size, "size", "N", WHOLE,
        "size of a synthetic task: numbers, streams, digits or\npixels (default: the task's)",
        COUNT, KEPT),
    ROW(data.sequence, "sequence", NULL, FLAG,
        "axis 1 of x in the file, or a row of a table, is time", KEPT),
    ROW(data.shape, "shape", "LIST", TEXT,
        "the shape of a sample in the file: 1,28,28 is an image\n"
        "of one channel (default: by the shapes of x and y)",
        KEPT),
    ROW(data.divide, "divide", "N", POSITIVE,
        "divide x in the file by N (default: images of bytes by\n255, else 1)", KEPT),
    ROW(data.numbers, "numbers", NULL, FLAG, "y in the file holds numbers, not labels of classes",
        KEPT),
    ROW(data.targets, "targets", "step|sample", TEXT,
        "y in the file has a target for each time step, or for\n"
        "each sequence (default: step if y has as many steps as x)",
        KEPT),
    ROW(data.label, "label", "N", WHOLE, "the column of y in a table, from 1 (default: the last)",
        COUNT, KEPT),
    ROW(data.separator, "separator", "CHAR", TEXT,
        "the character between the fields of a table, or the word\n"
        "tab or blank (default: as in line 1)",
        KEPT),
    ROW(data.header, "header", "yes|no", TEXT,
        "whether line 1 of a table is a header\n"
        "(default: if one of its fields is not a number)",
        KEPT),
    ROW(data.validation, "validation", "N", WHOLE,
        "samples set aside for validation (default: a sixth);\n0: none, validate on the training "
        "samples",
        .low = 0, .high = MOST, .unset = -1, KEPT),
    ROW(data.validation_path, "validation-data", "FILE", TEXT,
        "validate on the samples of this file", FILE_KEPT),
    ROW(data.validation_labels, "validation-labels", "FILE", TEXT,
        "the file of y of the validation data", FILE_KEPT),
    ROW(data.in_order, "in-order", NULL, FLAG,
        "keep the order of the samples in each epoch, and set the\nlast ones aside for validation",
        KEPT),
    ROW(data.shift, "shift", "N", WHOLE,
        "shift images by up to N pixels, differently in each\nepoch", .low = 0, .high = 4096, KEPT),
    ROW(data.noise, "noise", "S", NOT_NEGATIVE,
        "add normal noise of standard deviation S, differently in\neach epoch", KEPT),
    ROW(data.cache, "cache", "MIB", WHOLE,
        "memory for a file; a larger file is read from disk\nduring training (default: 256)", COUNT,
        KEPT),

    ROW(net.model, "model", "MODEL", TEXT,
        "the cell (default: curnn, for sequences gru), see\n"
        "`recurve models`; or one from a file of equations:\nFILE.rv, FILE.rv:NAME",
        .group = "The net", FILE_KEPT),
    ROW(net.include_path, "include-path", "DIR[:DIR]..", TEXT,
        "folders from which the model's file may include,\nbesides its own", KEPT),
    ROW(net.units, "units", "N", WHOLE,
        "hidden units, or channels, of each layer (default: the\ntask's)", .alias = "hidden-size",
        .low = 1, .high = 4096, KEPT),
    ROW(net.parameters, "parameters", "N", WHOLE,
        "choose the units so that the net has about this many\nparameters, to compare cells of "
        "equal size",
        .low = 1, .high = 1 << 30, KEPT),
    ROW(net.layers, "layers", "N", WHOLE, "stacked layers (default: the task's, mostly 1)",
        .alias = "num-layers", .low = 1, .high = 100, KEPT),
    ROW(net.kernel, "kernel", "N", WHOLE,
        "replace the cell's matrix products by convolutions of\n"
        "this odd size (curnn has sizes of its own)",
        .low = 1, .high = 31, KEPT),
    ROW(net.steps, "steps", "N", WHOLE, "time steps for which an image is shown (default: 2)",
        .low = 1, .high = 1000, KEPT),
    ROW(net.head_units, "head-units", "N", WHOLE,
        "units of a hidden layer after the cell; 0: no such layer\n(default: the task's)", .low = 0,
        .high = 65536, .unset = -1, KEPT),
    ROW(net.embedding, "embedding", "N", WHOLE,
        "size of a learned embedding of tokens (default: one-hot)", .low = 1, .high = 65536, KEPT),
    ROW(net.activation, "activation", "tanh|relu|sigmoid|silu|gelu|softplus|arctan|none", TEXT,
        "activation of the candidate state (default: tanh)", KEPT),
    ROW(net.forget, "forget", "B", NOT_NEGATIVE,
        "initial bias of the gates that keep the state\n(default: 1)", .unset = -1, KEPT),
    ROW(net.bidirectional, "bidirectional", NULL, FLAG, "run each layer in both directions", KEPT),
    ROW(net.residual, "residual", NULL, FLAG, "add the input of each layer to its output", KEPT),
    ROW(net.skip, "skip", NULL, FLAG, "feed the net's input to every layer", KEPT),
    ROW(net.pool, "pool", NULL, FLAG, "feed the head the mean over time, not the last step", KEPT),
    ROW(net.layer_norm, "layer-norm", NULL, FLAG, "normalize each map of the cell", KEPT),
    ROW(net.learned_start, "learned-start", NULL, FLAG, "learn the initial states", KEPT),
    ROW(net.carry, "carry", NULL, FLAG,
        "start each window of a text from the state at the end of\n"
        "the one before (truncated backpropagation through time)",
        KEPT),
    ROW(net.dropout, "dropout", "P", FRACTION, "dropout probability of the input of each layer",
        KEPT),
    ROW(net.recurrent_dropout, "recurrent-dropout", "P", FRACTION,
        "dropout probability of the states", KEPT),
    ROW(net.same_dropout, "same-dropout", NULL, FLAG, "drop the same elements at all time steps",
        KEPT),
    ROW(net.recompute, "recompute", "N", WHOLE,
        "save memory: recompute N time steps at a time in the\nbackward pass", COUNT, KEPT),
    ROW(net.stepwise, "stepwise", NULL, FLAG,
        "unroll step by step also the cells that can be computed\nat all steps at once", KEPT),
    ROW(net.loss, "loss", "mse|mae|huber", TEXT, "loss for numbers (default: mse)", KEPT),
    ROW(net.smoothing, "smoothing", "S", FRACTION, "label smoothing", .alias = "label-smoothing",
        KEPT),

    ROW(optimizer.name, "optimizer", "OPTIMIZER", TEXT,
        "the optimizer (default: the task's); see\n`recurve optimizers`", .group = "The optimizer",
        KEPT),
    ROW(optimizer.learning_rate, "learning-rate", "R", POSITIVE,
        "the learning rate (default: the task's, the optimizer's)", .alias = "lr", KEPT),
    ROW(optimizer.momentum, "momentum", "M", FRACTION,
        "momentum, from 0 to less than 1 (default: the\noptimizer's)", .unset = -1, KEPT),
    ROW(optimizer.weight_decay, "weight-decay", "D", NOT_NEGATIVE,
        "weight decay; 0: none (default: the optimizer's)", .unset = -1, KEPT),
    ROW(optimizer.clip_norm, "clip-norm", "C", NOT_NEGATIVE,
        "clip the global norm of the gradient to C; 0: none\n"
        "(default: the task's, 1 for sequences)",
        .unset = -1, KEPT),
    ROW(optimizer.clip_value, "clip-value", "C", NOT_NEGATIVE,
        "clip each element of the gradient to -C .. C; 0: none", KEPT),
    ROW(optimizer.gradients, "gradients", "TITLE", TEXT,
        "update with the gradients that a derivation of the\n"
        "model's file states, right or wrong: its title or, if it\n"
        "has none, the name of its loss (default: autodiff, those\n"
        "that are recorded)",
        KEPT),
    ROW(optimizer.schedule, "schedule", "constant|cosine|one-cycle|step|exponential|plateau", TEXT,
        "learning rate schedule (default: constant)", KEPT),
    ROW(optimizer.learning_rates, "learning-rates", "LIST", TEXT,
        "learning rates of parameters by name, with * and ?:\n'fc*=0.001,embedding=0.01'", KEPT),
    ROW(optimizer.freeze, "freeze", "LIST", TEXT, "do not train these parameters: 'Wx*,bg'", KEPT),
    ROW(optimizer.warm_up, "warm-up", "N", WHOLE,
        "updates over which the learning rate rises from 0; 0: none", COUNT_OR_NONE, KEPT),
    ROW(optimizer.accumulate, "accumulate", "N", WHOLE,
        "batches whose mean gradient makes one update", .low = 1, .high = 4096, KEPT),
    ROW(optimizer.average, "average", "K", FRACTION,
        "evaluate with an exponential moving average of the\nparameters with decay K, such as "
        "0.999; 0: none",
        KEPT),

    ROW(loop.epochs, "epochs", "N", WHOLE, "passes over the training data (default: the task's)",
        .group = "The run", COUNT, KEPT),
    ROW(loop.batch_size, "batch-size", "N", WHOLE, "samples per update (default: the task's)",
        .alias = "batch", COUNT, KEPT),
    ROW(loop.patience, "patience", "N", WHOLE,
        "stop after N epochs in which the validation loss did not\nimprove; 0: never",
        COUNT_OR_NONE, KEPT),
    ROW(loop.seed, "seed", "N", WHOLE,
        "seed of all random numbers: data, split, initial\nparameters, order, dropout (default: 1)",
        .low = 0, .high = RV_MOST_SEED, .unset = -1, KEPT),
    ROW(loop.leaves, "leaves", "N", WHOLE,
        "cut each batch into N leaves: each leaf's gradient is\ncomputed alone, and they are "
        "summed in a fixed order. The\n"
        "result is the same bit for bit for any number of\nprocesses that share the leaves, see "
        "docs/mpi.md (default:\n"
        "a batch is not cut)",
        .low = 1, .high = RV_TRAIN_LEAVES, KEPT),
    ROW(loop.dtype, "dtype", "f32|f64", TEXT, "type of the numbers (default: f32)", KEPT),
    ROW(loop.threads, "threads", "N", WHOLE,
        "threads (default: 1); the results are the same for any\nnumber", .low = 1,
        .high = RV_TRAIN_THREADS),
    ROW(loop.output, "output", "DIR", TEXT,
        "keep the run in this folder, made if missing:\n"
        "checkpoint.safetensors, best.safetensors, config.json,\nlog.csv"),
    ROW(loop.overwrite, "overwrite", NULL, FLAG,
        "delete the run that the output folder holds; without\nthis option it is kept, and the new "
        "run refused"),
    ROW(loop.anomaly, "anomaly", NULL, FLAG,
        "check every update: undo the first that makes NaN or\n"
        "infinity, and name the op at fault, with its time step,\nshapes and inputs"),
};
enum { ROWS = sizeof rows / sizeof *rows };

int rv_config_row_count(void) { return ROWS; }

const rv_config_row *rv_config_row_at(int index)
{
    return index >= 0 && index < ROWS ? &rows[index] : NULL;
}

const rv_config_row *rv_config_row_find(const char *key, rv_error *error)
{
    if (!RV_NEEDS(error, key)) return NULL;
    rv_guess guess = {.seen = key};
    for (const rv_config_row *row = rows; row < rows + ROWS; row++) {
        if (strcmp(row->key, key) == 0 || (row->alias && strcmp(row->alias, key) == 0)) return row;
        rv_guess_try(&guess, row->key);
    }
    rv_fail(error, RV_ERROR_NAME, "unknown option \"%.100s\"%s%s%s", key,
            guess.nearest ? "; did you mean \"" : "", guess.nearest ? guess.nearest : "",
            guess.nearest ? "\"?" : "");
    return NULL;
}

/* ---- values ---- */

static bool fail_whole(const rv_config_row *row, const char *label, const char *seen,
                       rv_error *error)
{
    return rv_fail(error, RV_ERROR_ARGUMENT,
                   "%s: got \"%.100s\", expected a whole number from %" PRId64 " to %" PRId64,
                   label, seen, row->low, row->high);
}

static bool is_in_range(const rv_config_row *row, double value)
{
    switch (row->kind) {
    case RV_CONFIG_POSITIVE: return isfinite(value) && value > 0;
    case RV_CONFIG_NOT_NEGATIVE: return isfinite(value) && value >= 0;
    default: return value >= 0 && value < 1;
    }
}

static bool fail_real(const rv_config_row *row, const char *label, const char *seen,
                      rv_error *error)
{
    const char *expected = row->kind == RV_CONFIG_POSITIVE       ? "a finite number above 0"
                           : row->kind == RV_CONFIG_NOT_NEGATIVE ? "a finite number from 0"
                                                                 : "a number from 0 to less than 1";
    return rv_fail(error, RV_ERROR_ARGUMENT, "%s: got \"%.100s\", expected %s", label, seen,
                   expected);
}

/* The word at *at of "a|b|c", and its length. *at moves to the next one. NULL: there is none. */
static const char *next_word(const char **at, int *length)
{
    const char *word = *at;
    *length = (int)strcspn(word, "|");
    if (*length == 0) return NULL;
    *at = word + *length + (word[*length] == '|');
    return word;
}

/* "a, b or c" */
static bool fail_word(const rv_config_row *row, const char *label, const char *seen,
                      rv_error *error)
{
    char expected[RV_ERROR_TEXT / 2];
    const char *at = row->argument, *word;
    size_t used = 0;
    for (int length; (word = next_word(&at, &length)) && used < sizeof expected;)
        used += (size_t)snprintf(expected + used, sizeof expected - used, "%s%.*s",
                                 word == row->argument ? ""
                                 : *at != '\0'         ? ", "
                                                       : " or ",
                                 length, word);
    return rv_fail(error, RV_ERROR_ARGUMENT, "%s: got \"%.100s\", expected %s", label, seen,
                   expected);
}

static bool set_text(const rv_config_row *row, const char *label, const char *text, void *value,
                     rv_error *error)
{
    *(const char **)value = text;
    if (*text == '\0')
        return rv_fail(error, RV_ERROR_ARGUMENT, "%s is empty, expected %s", label, row->argument);
    if (!strchr(row->argument, '|')) return true;
    const char *at = row->argument, *word;
    for (int length; (word = next_word(&at, &length));)
        if (strlen(text) == (size_t)length && memcmp(text, word, (size_t)length) == 0) return true;
    return fail_word(row, label, text, error);
}

static bool parse_whole(const rv_config_row *row, const char *text, int64_t *value)
{
    const char *digits = text + (*text == '-');
    if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0') return false;
    errno = 0;
    intmax_t parsed = strtoimax(text, NULL, 10);
    if (errno != 0 || parsed < row->low || parsed > row->high) return false;
    *value = (int64_t)parsed;
    return true;
}

static bool parse_real(const rv_config_row *row, const char *text, double *value)
{
    if (*text == '\0' || text[strspn(text, "+-.0123456789eE")] != '\0') return false;
    char *end;
    double parsed = rv_number(text, &end);
    if (*end != '\0' || !is_in_range(row, parsed)) return false;
    *value = parsed;
    return true;
}

bool rv_config_row_set(const rv_config_row *row, const char *label, const char *text, void *values,
                       rv_error *error)
{
    if (!RV_NEEDS(error, row, label, values)) return false;
    void *value = (char *)values + row->offset;
    if (!text) text = ""; /* reported as empty */
    switch (row->kind) {
    case RV_CONFIG_FLAG: return *(bool *)value = true;
    case RV_CONFIG_TEXT: return set_text(row, label, text, value, error);
    case RV_CONFIG_WHOLE:
        return parse_whole(row, text, value) || fail_whole(row, label, text, error);
    default: return parse_real(row, text, value) || fail_real(row, label, text, error);
    }
}

bool rv_train_config_set(rv_train_config *config, const char *key, const char *text,
                         rv_error *error)
{
    if (!RV_NEEDS(error, config)) return false;
    const rv_config_row *row = rv_config_row_find(key, error);
    return row && rv_config_row_set(row, key, text, config, error);
}

/* ---- whole configurations ---- */

static bool is_unset(const rv_config_row *row, const void *value)
{
    switch (row->kind) {
    case RV_CONFIG_FLAG: return !*(const bool *)value;
    case RV_CONFIG_TEXT: return !*(const char *const *)value;
    case RV_CONFIG_WHOLE: return *(const int64_t *)value == (int64_t)row->unset;
    default: return *(const double *)value == row->unset;
    }
}

bool rv_config_row_is_set(const rv_config_row *row, const void *values)
{
    if (!row || !values) return false;
    return !is_unset(row, (const char *)values + row->offset);
}

bool rv_train_config_check(const rv_train_config *config, rv_error *error)
{
    if (!RV_NEEDS(error, config)) return false;
    char label[64], seen[RV_NUMBER_TEXT];
    for (const rv_config_row *row = rows; row < rows + ROWS; row++) {
        const void *value = (const char *)config + row->offset;
        if (row->kind == RV_CONFIG_FLAG || is_unset(row, value)) continue;
        snprintf(label, sizeof label, "`%s`", row->key);
        if (row->kind == RV_CONFIG_TEXT) {
            const char *text = *(const char *const *)value;
            if (!set_text(row, label, text, &text, error)) return false;
            if (row->kept && config->loop.output && !rv_utf8_valid(text, strlen(text)))
                return rv_fail(error, RV_ERROR_ARGUMENT,
                               "%s: \"%.200s\" is not UTF-8, so config.json cannot keep it; rename "
                               "the file, or leave out `output`",
                               label, text);
        } else if (row->kind == RV_CONFIG_WHOLE) {
            int64_t whole = *(const int64_t *)value;
            snprintf(seen, sizeof seen, "%" PRId64, whole);
            if (whole < row->low || whole > row->high) return fail_whole(row, label, seen, error);
        } else {
            double real = *(const double *)value;
            if (!is_in_range(row, real))
                return fail_real(row, label, rv_exact_text(real, seen), error);
        }
    }
    return true;
}

rv_train_config rv_train_config_new(void)
{
    rv_train_config config = {0};
    for (const rv_config_row *row = rows; row < rows + ROWS; row++) {
        void *value = (char *)&config + row->offset;
        if (row->kind > RV_CONFIG_WHOLE) *(double *)value = row->unset;
        if (row->kind == RV_CONFIG_WHOLE) *(int64_t *)value = (int64_t)row->unset;
    }
    config.loop.seed = 1;
    return config;
}

void rv_train_config_free(rv_train_config *config)
{
    if (!config) return;
    rv_free(config->strings);
    *config = rv_train_config_new();
}

bool rv_train_config_copy(rv_train_config *copy, const rv_train_config *config, rv_error *error)
{
    if (!RV_NEEDS(error, copy, config)) return false;
    size_t size = 0;
    for (const rv_config_row *row = rows; row < rows + ROWS; row++) {
        const char *text = row->kind == RV_CONFIG_TEXT
                               ? *(const char *const *)((const char *)config + row->offset)
                               : NULL;
        if (text) size += strlen(text) + 1;
    }
    char *strings = rv_alloc(size, 1), *end = strings;
    *copy = rv_train_config_new();
    if (!strings) return rv_fail_memory(error);
    *copy = *config;
    copy->strings = strings;
    for (const rv_config_row *row = rows; row < rows + ROWS; row++) {
        const char **text = (const char **)(void *)((char *)copy + row->offset);
        if (row->kind != RV_CONFIG_TEXT || !*text) continue;
        size_t length = strlen(*text) + 1;
        *text = memcpy(end, *text, length);
        end += length;
    }
    return true;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_equal(const rv_config_row *row, const void *a, const void *b)
{
    switch (row->kind) {
    case RV_CONFIG_FLAG: return *(const bool *)a == *(const bool *)b;
    case RV_CONFIG_TEXT: {
        const char *one = *(const char *const *)a, *other = *(const char *const *)b;
        if (!one || !other) return one == other;
        return strcmp(row->file ? last_part(one) : one, row->file ? last_part(other) : other) == 0;
    }
    case RV_CONFIG_WHOLE: return *(const int64_t *)a == *(const int64_t *)b;
    default: return *(const double *)a == *(const double *)b;
    }
}

const rv_config_row *rv_train_config_difference(const rv_train_config *a, const rv_train_config *b)
{
    if (!a || !b) return NULL;
    for (const rv_config_row *row = rows; row < rows + ROWS; row++)
        if (row->kept &&
            !is_equal(row, (const char *)a + row->offset, (const char *)b + row->offset))
            return row;
    return NULL;
}

const char *rv_config_row_text(const rv_config_row *row, const rv_train_config *config,
                               char text[RV_ROW_TEXT])
{
    const void *value = (const char *)config + row->offset;
    if (is_unset(row, value)) return "unset";
    switch (row->kind) {
    case RV_CONFIG_FLAG: return "set";
    case RV_CONFIG_TEXT: return *(const char *const *)value;
    case RV_CONFIG_WHOLE:
        snprintf(text, RV_ROW_TEXT, "%" PRId64, *(const int64_t *)value);
        return text;
    default: return rv_number_text(*(const double *)value, text);
    }
}

/* ---- JSON ---- */

static bool add_field(cJSON *object, const rv_config_row *row, const void *value)
{
    if (is_unset(row, value)) return true;
    switch (row->kind) {
    case RV_CONFIG_FLAG: return cJSON_AddTrueToObject(object, row->key);
    case RV_CONFIG_TEXT:
        return cJSON_AddStringToObject(object, row->key, *(const char *const *)value);
    case RV_CONFIG_WHOLE:
        return rv_json_add_exact(object, row->key, (double)*(const int64_t *)value);
    default: return rv_json_add_exact(object, row->key, *(const double *)value);
    }
}

char *rv_train_config_json(const rv_train_config *config)
{
    if (!config) return NULL;
    cJSON *object = cJSON_CreateObject();
    bool ok = object;
    for (const rv_config_row *row = rows; ok && row < rows + ROWS; row++)
        ok = !row->kept || add_field(object, row, (const char *)config + row->offset);
    char *text = ok ? rv_json_text(object, true) : NULL;
    cJSON_Delete(object);
    return text;
}

/* The row that the key names among those kept, or NULL. */
static const rv_config_row *kept_row(const char *key)
{
    const rv_config_row *row = rv_config_row_find(key, NULL);
    return row && row->kept ? row : NULL;
}

static bool read_number(const rv_config_row *row, double number, void *value, rv_error *error)
{
    char seen[RV_NUMBER_TEXT];
    bool whole = row->kind == RV_CONFIG_WHOLE;
    bool ok =
        whole ? number >= (double)row->low && number <= (double)row->high && number == floor(number)
              : is_in_range(row, number);
    if (ok && whole)
        *(int64_t *)value = (int64_t)number;
    else if (ok)
        *(double *)value = number;
    return ok ||
           (whole ? fail_whole : fail_real)(row, row->key, rv_exact_text(number, seen), error);
}

bool rv_config_row_read(const rv_config_row *row, const cJSON *item, rv_train_config *config,
                        rv_error *error)
{
    char seen[RV_ERROR_TEXT / 4];
    void *value = (char *)config + row->offset;
    const bool flag = row->kind == RV_CONFIG_FLAG, text = row->kind == RV_CONFIG_TEXT;
    if (flag ? !cJSON_IsBool(item) : text ? !cJSON_IsString(item) : !cJSON_IsNumber(item))
        return rv_fail(error, RV_ERROR_FORMAT, "%s: got %s, expected %s", row->key,
                       rv_json_shown(item, seen),
                       flag   ? "true or false"
                       : text ? "a text in quotes"
                              : "a number");
    if (text) return set_text(row, row->key, item->valuestring, value, error);
    if (!flag) return read_number(row, item->valuedouble, value, error);
    *(bool *)value = cJSON_IsTrue(item);
    return true;
}

static bool read_field(rv_train_config *config, const cJSON *item, rv_error *error)
{
    const rv_config_row *row = kept_row(item->string);
    if (row) return rv_config_row_read(row, item, config, error);
    return rv_config_row_find(item->string, error) &&
           rv_fail(error, RV_ERROR_NAME, "option \"%.100s\" does not belong to a run",
                   item->string);
}

/* Into *config, whose strings then belong to the document. */
static bool read_fields(rv_train_config *config, const rv_json *json, rv_error *error)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, json->root)
    {
        rv_error why = {0};
        if (!read_field(config, item, &why))
            return rv_json_fail(json, item, error, "%-s", why.text);
    }
    return true;
}

bool rv_train_config_parse(rv_train_config *config, const char *json, const char *path,
                           rv_error *error)
{
    if (!RV_NEEDS(error, config, json, path)) return false;
    rv_train_config read = *config, copy;
    const rv_json document = {json, path, rv_json_object(json, path, error)};
    bool ok = document.root && read_fields(&read, &document, error) &&
              rv_train_config_copy(&copy, &read, error);
    cJSON_Delete(document.root);
    if (!ok) return false;
    rv_train_config_free(config);
    *config = copy;
    return true;
}

bool rv_train_config_read(rv_train_config *config, const char *path, rv_error *error)
{
    if (!RV_NEEDS(error, config, path)) return false;
    if (!rv_file_refuse_folder(path, "a configuration, such as config.json of a run's folder",
                               error))
        return false;
    char *text = rv_text_file_read(path, error);
    bool ok = text && rv_train_config_parse(config, text, path, error);
    rv_free(text);
    return ok;
}
