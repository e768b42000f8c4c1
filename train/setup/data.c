#include "train/setup/data.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/files.h"
#include "data/tasks.h"
#include "data/tensors.h"
#include "data/transforms.h"
#include "tensor/random.h"
#include "train/setup/lookup.h"

/* ---- files ---- */

rv_data_format rv_data_format_of(const char *path)
{
    static const struct {
        const char *ending;
        rv_data_format format;
    } known[] = {{".npz", RV_DATA_NPZ},    {".npy", RV_DATA_NPY},     {".idx", RV_DATA_IDX},
                 {".idx.gz", RV_DATA_IDX}, {".csv", RV_DATA_TABLE},   {".csv.gz", RV_DATA_TABLE},
                 {".tsv", RV_DATA_TABLE},  {".tsv.gz", RV_DATA_TABLE}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (rv_ends_in(path, strlen(path), known[i].ending)) return known[i].format;
    return strstr(path, "-ubyte") || strstr(path, "-idx") ? RV_DATA_IDX : RV_DATA_TEXT;
}

static bool open_arrays(const rv_train_config *c, rv_source *source, rv_error *error)
{
    rv_array_options options = {.cache_bytes = (uint64_t)c->data.cache << 20,
                                .sequence = c->data.sequence};
    rv_data_format format = rv_data_format_of(c->data.path);
    if (format == RV_DATA_NPZ) return rv_source_npz(source, c->data.path, &options, error);
    if (!c->data.labels)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`data` %s holds no labels; name their file with `labels`", c->data.path);
    return (format == RV_DATA_IDX ? rv_source_idx : rv_source_npy)(source, c->data.path,
                                                                   c->data.labels, &options, error);
}

/* The value of a hexadecimal digit, or -1. */
static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = digit != '\0' ? strchr(digits, digit) : NULL;
    return at ? (int)(at - digits) % 16 : -1;
}

/* Two hexadecimal digits for each byte; the number of bytes, or -1. */
static int64_t alphabet_parse(const char *hex, unsigned char bytes[256])
{
    int64_t count = 0;
    for (; hex[0] != '\0' && count < 256; hex += 2) {
        int high = hex_value(hex[0]), low = hex_value(hex[1]);
        if (high < 0 || low < 0) return -1;
        bytes[count++] = (unsigned char)(16 * high + low);
    }
    return *hex == '\0' ? count : -1;
}

/* Token k is character k of the alphabet: the configured one or, without one, the characters of the
 * text. */
static bool open_text(rv_train_config *c, rv_setup *s, rv_text_options options, rv_error *error)
{
    unsigned char bytes[256];
    if (c->data.alphabet) {
        options.alphabet = bytes;
        options.tokens = alphabet_parse(c->data.alphabet, bytes);
        if (options.tokens < 1)
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "`alphabet`: got \"%.100s\", expected 1 to 256 bytes of two hexadecimal "
                           "digits each",
                           c->data.alphabet);
    }
    if (!rv_source_text(&s->data, c->data.path, &options, error)) return false;
    for (int64_t k = 0; k < s->data.tokens && k < 256; k++)
        snprintf(s->alphabet + 2 * k, 3, "%02x", s->data.alphabet[k]);
    c->data.alphabet = s->alphabet;
    return true;
}

static bool open_file(rv_train_config *c, rv_setup *s, rv_error *error)
{
    rv_source *source = &s->data;
    uint64_t cache = (uint64_t)c->data.cache << 20;
    rv_data_format format = rv_data_format_of(c->data.path);
    c->data.task = "file";
    if (format == RV_DATA_TABLE)
        return rv_source_csv(source, c->data.path,
                             &(rv_csv_options){.cache_bytes = cache,
                                               .label = c->data.label,
                                               .numbers = c->data.numbers,
                                               .sequence = c->data.sequence},
                             error);
    if (format != RV_DATA_TEXT) return open_arrays(c, source, error);
    if (c->data.length == 0) c->data.length = 64;
    c->data.task = "text";
    return open_text(c, s, (rv_text_options){.cache_bytes = cache, .window = c->data.length},
                     error);
}

/* ---- the built-in digits ---- */

#define EXPECTED "expected two or more of the digits 0 to 9, like 0,1 or 0-9 or 0-3,7"

/* One digit at *at, which no further digit may follow. */
static bool take_digit(const char **at, int *digit)
{
    if (!isdigit((unsigned char)(*at)[0]) || isdigit((unsigned char)(*at)[1])) return false;
    *digit = *(*at)++ - '0';
    return true;
}

bool rv_classes_parse(const char *text, int classes[RV_DIGIT_CLASSES], int *count, rv_error *error)
{
    bool taken[RV_DIGIT_CLASSES] = {false};
    *count = 0;
    for (const char *at = text;; at++) {
        int first, last;
        bool ok = take_digit(&at, &first);
        last = first;
        if (ok && *at == '-') ok = at++, take_digit(&at, &last);
        if (!ok || (*at != ',' && *at != '\0'))
            return rv_fail(error, RV_ERROR_ARGUMENT, "`classes`: got \"%.100s\", " EXPECTED, text);
        if (first > last)
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "`classes`: got \"%.100s\", where %d-%d runs backwards; " EXPECTED, text,
                           first, last);
        for (int digit = first; digit <= last; digit++) {
            if (taken[digit])
                return rv_fail(error, RV_ERROR_ARGUMENT,
                               "`classes`: got \"%.100s\", where %d comes twice; " EXPECTED, text,
                               digit);
            taken[digit] = true;
            classes[(*count)++] = digit;
        }
        if (*at == '\0') break;
    }
    return *count >= 2 || rv_fail(error, RV_ERROR_ARGUMENT,
                                  "`classes`: got \"%.100s\", a single digit; " EXPECTED, text);
}

static bool open_digits(rv_train_config *c, rv_source *source, rv_error *error)
{
    int classes[RV_DIGIT_CLASSES], count;
    if (!c->data.classes) c->data.classes = "0,1";
    return rv_classes_parse(c->data.classes, classes, &count, error) &&
           rv_source_digits(source, classes, count, error);
}

/* A subset of all samples of the caller's source: closing the subset leaves the source open. */
static bool open_own(rv_train_config *c, rv_source *source, const rv_source *own, rv_error *error)
{
    if (c->data.path)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`data` %s and a source of your own: which of the two? Give one",
                       c->data.path);
    const char *task = rv_source_is_text(own) ? "text" : "file";
    if (c->data.task && strcmp(c->data.task, task) != 0)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`task` %s and a source of your own: which of the two? Give one",
                       c->data.task);
    c->data.task = task;
    return rv_source_subset(source, own, (rv_subset){.in_order = true}, error);
}

bool rv_setup_data(rv_train_config *c, rv_setup *s, const rv_train_parts *parts, rv_error *error)
{
    s->prefetch = 4;
    if (parts->data) return open_own(c, &s->data, parts->data, error);
    if (!c->data.path && !c->data.task) c->data.task = "digits";
    bool digits = !c->data.path && strcmp(c->data.task, "digits") == 0;
    if (digits) s->prefetch = 0;
    if (c->data.path) return open_file(c, s, error);
    if (digits) return open_digits(c, &s->data, error);
    return rv_source_task(&s->data, c->data.task,
                          &(rv_task_options){.count = c->data.samples,
                                             .length = c->data.length,
                                             .size = c->data.size,
                                             .seed = rv_seed((uint64_t)c->loop.seed, "task")},
                          error);
}

/* Whether a task is to memorize its samples, which then serve for training and for validation. */
static bool memorized(const rv_train_config *c)
{
    const rv_task *task = !c->data.path ? rv_task_find(c->data.task) : NULL;
    return task && task->memorized;
}

static bool check_validation(const rv_source *data, const rv_source *validation, rv_error *error)
{
    bool same = rv_shape_equal(data->x, validation->x) && rv_shape_equal(data->y, validation->y) &&
                data->classes == validation->classes && data->tokens == validation->tokens &&
                data->lengths == validation->lengths;
    return same || rv_fail(error, RV_ERROR_SHAPE,
                           "the samples of %s, for validation, differ in kind from those of %s",
                           validation->name, data->name);
}

/* Which samples are for validation, and which for training. */
static bool choose_split(rv_train_config *c, const rv_source *all, rv_subset *validation,
                         rv_subset *training, rv_error *error)
{
    bool ordered = strcmp(c->data.task, "text") == 0;
    *validation =
        (rv_subset){.seed = rv_seed((uint64_t)c->loop.seed, "split"), .in_order = ordered};
    *training = *validation;
    if (memorized(c)) {
        validation->in_order = training->in_order = true;
        return true;
    }
    int64_t *count = &c->data.validation;
    if (all->count < 2)
        return rv_fail(error, RV_ERROR_FORMAT,
                       "%s has %" PRId64
                       " samples, expected at least 2: one for training, one for validation",
                       all->name, all->count);
    if (*count == 0) *count = all->count < 3 ? 1 : (all->count + 3) / 6;
    if (*count >= all->count || *count < 1)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`validation`: got %" PRId64 " of %" PRId64
                       " samples, expected at least 1 and at most %" PRId64
                       " so that some are left to train on",
                       *count, all->count, all->count - 1);
    validation->count = *count;
    training->first = *count;
    if (!ordered) return true;
    validation->first = all->count - *count; /* the end of a text */
    training->first = 0;
    training->count = all->count - *count;
    return true;
}

bool rv_setup_split(rv_train_config *c, rv_setup *s, const rv_train_parts *parts, rv_error *error)
{
    const rv_source *all = &s->data, *own = parts->validation;
    rv_subset validation = {.in_order = true}, training = validation;
    if (own ? !check_validation(all, own, error)
            : !choose_split(c, all, &validation, &training, error))
        return false;
    if (!rv_source_subset(&s->validation, own ? own : all, validation, error) ||
        !rv_source_subset(&s->part, all, training, error))
        return false;
    rv_subset sample = {.in_order = true,
                        .count = s->part.count < RV_TRAINING_SAMPLE ? 0 : RV_TRAINING_SAMPLE};
    rv_augment augment = {.shift = c->data.shift,
                          .noise = c->data.noise,
                          .seed = rv_seed((uint64_t)c->loop.seed, "augment")};
    bool augmented = c->data.shift > 0 || c->data.noise > 0;
    return rv_source_subset(&s->sample, &s->part, sample, error) &&
           (!augmented || rv_source_augment(&s->varied, &s->part, augment, error));
}
