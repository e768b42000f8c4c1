#include "train/setup/data.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/files.h"
#include "data/tasks.h"
#include "data/tensors.h"
#include "data/transforms.h"
#include "tensor/needs_internal.h"
#include "tensor/random.h"
#include "train/setup/lookup.h"

/* ---- files ---- */

/* In upper or lower case, in any locale. */
static bool has_ending(const char *path, const char *ending)
{
    size_t length = strlen(path), size = strlen(ending);
    if (length < size) return false;
    for (path += length - size; *ending != '\0'; path++, ending++)
        if ((*path >= 'A' && *path <= 'Z' ? *path - 'A' + 'a' : *path) != *ending) return false;
    return true;
}

rv_data_format rv_data_format_of(const char *path)
{
    static const struct {
        const char *ending;
        rv_data_format format;
    } known[] = {{".npz", RV_DATA_NPZ},      {".npy", RV_DATA_NPY},    {".npy.gz", RV_DATA_NPY},
                 {".idx", RV_DATA_IDX},      {".idx.gz", RV_DATA_IDX}, {".csv", RV_DATA_TABLE},
                 {".csv.gz", RV_DATA_TABLE}, {".tsv", RV_DATA_TABLE},  {".tsv.gz", RV_DATA_TABLE}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (has_ending(path, known[i].ending)) return known[i].format;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return strstr(name, "-ubyte") || strstr(name, "-idx") ? RV_DATA_IDX : RV_DATA_TEXT;
}

static bool fail_option(const char *option, const char *seen, const char *expected, rv_error *error)
{
    return rv_fail(error, RV_ERROR_ARGUMENT, "`%s`: got \"%.100s\", expected %s", option, seen,
                   expected);
}

/* A list such as "1,28,28". NULL: rank 0. */
static bool parse_shape(const char *list, rv_shape *shape, rv_error *error)
{
    for (const char *at = list; at && (at == list || *at++ == ','); shape->rank++) {
        char *end = NULL;
        bool number = isdigit((unsigned char)*at) && shape->rank < RV_MAX_RANK - 1;
        if (number) shape->dim[shape->rank] = strtoll(at, &end, 10);
        if (!number || (*end != ',' && *end != '\0') || shape->dim[shape->rank] < 1 ||
            end - at > 15)
            return fail_option("shape", list, "one to five numbers, such as 1,28,28", error);
        at = end;
    }
    return true;
}

static bool parse_classes(const char *text, int64_t *classes, rv_error *error)
{
    if (!text) return true;
    size_t digits = strspn(text, "0123456789");
    *classes = digits < 8 ? atoll(text) : 0;
    return (text[digits] == '\0' && *classes >= 1 && *classes <= RV_MOST_CLASSES) ||
           fail_option("classes", text, "the number of classes, 1 to 1000000", error);
}

static bool parse_separator(const char *text, char *separator, rv_error *error)
{
    if (!text) return true;
    *separator = strcmp(text, "tab") == 0 ? '\t' : strcmp(text, "blank") == 0 ? ' ' : *text;
    return *separator != *text || text[1] == '\0' ||
           fail_option("separator", text, "one character, or tab or blank", error);
}

/* The options of a file, and for samples like others what those are. */
static bool file_options(const rv_train_config *c, const rv_source *like, rv_file_options *o,
                         rv_error *error)
{
    const char *targets = c->data.targets, *header = c->data.header;
    *o = (rv_file_options){.cache_bytes = (uint64_t)c->data.cache << 20,
                           .sequence = c->data.sequence,
                           .numbers = c->data.numbers,
                           .divisor = c->data.divide,
                           .label = c->data.label};
    if (!parse_shape(c->data.shape, &o->shape, error) ||
        !parse_separator(c->data.separator, &o->separator, error) ||
        (!like && !parse_classes(c->data.classes, &o->classes, error)))
        return false;
    o->header = !header ? 0 : strcmp(header, "yes") == 0 ? 1 : -1;
    o->targets = !targets                       ? RV_TARGETS_BY_SHAPE
                 : strcmp(targets, "step") == 0 ? RV_TARGETS_PER_STEP
                                                : RV_TARGETS_PER_SAMPLE;
    if (!like) return true;
    o->shape = like->x;
    o->sequence = like->sequence;
    o->classes = like->classes;
    o->tokens = like->tokens;
    o->numbers = like->classes == 0;
    o->targets = !like->sequence   ? RV_TARGETS_BY_SHAPE
                 : like->each_step ? RV_TARGETS_PER_STEP
                                   : RV_TARGETS_PER_SAMPLE;
    return true;
}

static bool open_samples(const rv_train_config *c, const rv_source *like, const char *path,
                         const char *labels, rv_source *source, rv_error *error)
{
    rv_file_options options;
    rv_data_format format = rv_data_format_of(path);
    if (!file_options(c, like, &options, error)) return false;
    if (format == RV_DATA_NPZ) return rv_source_npz(source, path, &options, error);
    if (format == RV_DATA_TABLE) return rv_source_csv(source, path, &options, error);
    if (!labels)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s holds no targets; name their file with `%slabels`", path,
                       path == c->data.validation_path ? "validation-" : "");
    return (format == RV_DATA_IDX ? rv_source_idx : rv_source_npy)(source, path, labels, &options,
                                                                   error);
}

/* ---- texts ---- */

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

static bool open_text(const rv_train_config *c, const char *path, const unsigned char *alphabet,
                      int64_t tokens, rv_source *source, rv_error *error)
{
    return rv_source_text(source, path,
                          &(rv_text_options){.cache_bytes = (uint64_t)c->data.cache << 20,
                                             .window = c->data.length,
                                             .alphabet = alphabet,
                                             .tokens = tokens},
                          error);
}

/* Token k is character k of the alphabet: the configured one or, without one, the characters of the
 * text. */
static bool open_first_text(rv_train_config *c, rv_setup *s, bool asked, rv_error *error)
{
    unsigned char bytes[256];
    int64_t tokens = c->data.alphabet ? alphabet_parse(c->data.alphabet, bytes) : 0;
    if (tokens < (c->data.alphabet ? 1 : 0))
        return fail_option("alphabet", c->data.alphabet,
                           "1 to 256 bytes of two hexadecimal digits each", error);
    if (c->data.length == 0) c->data.length = 64;
    if (!open_text(c, c->data.path, tokens ? bytes : NULL, tokens, &s->data, error)) return false;
    if (!asked && !c->data.alphabet && s->data.alphabet[0] == '\0')
        return rv_fail(error, RV_ERROR_FORMAT,
                       "\"%s\" is not a text, because it has NUL bytes; files of samples end in "
                       ".npz, .npy, .csv, .tsv or .idx; `task` text reads any bytes",
                       c->data.path);
    for (int64_t k = 0; k < s->data.tokens && k < 256; k++)
        snprintf(s->alphabet + 2 * k, 3, "%02x", s->data.alphabet[k]);
    c->data.alphabet = s->alphabet;
    return true;
}

static bool open_file(rv_train_config *c, rv_setup *s, rv_error *error)
{
    bool asked = c->data.task && strcmp(c->data.task, "text") == 0;
    bool text = asked || rv_data_format_of(c->data.path) == RV_DATA_TEXT;
    c->data.task = text ? "text" : "file";
    return text ? open_first_text(c, s, asked, error)
                : open_samples(c, NULL, c->data.path, c->data.labels, &s->data, error);
}

static bool check_alike(const rv_source *data, const rv_source *other, rv_error *error)
{
    bool same = rv_shape_equal(data->x, other->x) && rv_shape_equal(data->y, other->y) &&
                data->classes == other->classes && data->tokens == other->tokens &&
                data->sequence == other->sequence && data->each_step == other->each_step &&
                (data->lengths || !other->lengths);
    return same ||
           rv_fail(error, RV_ERROR_SHAPE, "the samples of %s differ in kind from those of %s",
                   other->name, data->name);
}

bool rv_setup_open(const rv_train_config *c, const rv_source *like, const char *path,
                   const char *labels, rv_source *source, rv_error *error)
{
    if (!RV_NEEDS(error, c, like, path, source)) return false;
    rv_error why = {0};
    char shape[RV_SHAPE_TEXT];
    bool ok = rv_source_is_text(like)
                  ? open_text(c, path, like->alphabet, like->tokens, source, &why)
                  : open_samples(c, like, path, labels, source, &why);
    if (!ok && why.code == RV_ERROR_SHAPE)
        rv_fail(error, why.code, "%-s; the net takes samples of %s", why.text,
                rv_shape_text(like->x, shape));
    else if (!ok)
        rv_fail(error, why.code, "%-s", why.text);
    if (ok && check_alike(like, source, error)) return true;
    rv_source_close(source);
    return false;
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
    if (!RV_NEEDS(error, text, classes, count)) return false;
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

/* Whether a task is to memorize its samples, which then serve for training and for validation. */
static bool memorized(const rv_train_config *c)
{
    const rv_task *task = !c->data.path ? rv_task_find(c->data.task) : NULL;
    return task && task->memorized;
}

bool rv_setup_data(rv_train_config *c, rv_setup *s, const rv_train_parts *parts, rv_error *error)
{
    s->prefetch = 4;
    if (parts->data) return open_own(c, &s->data, parts->data, error);
    if (!c->data.path && !c->data.task) c->data.task = "digits";
    bool digits = !c->data.path && strcmp(c->data.task, "digits") == 0;
    if (digits) s->prefetch = 0;
    if (c->data.path) return open_file(c, s, error);
    if (memorized(c)) s->prefetch = 0; /* they are in memory */
    if (digits) return open_digits(c, &s->data, error);
    return rv_source_task(&s->data, c->data.task,
                          &(rv_task_options){.count = c->data.samples,
                                             .length = c->data.length,
                                             .size = c->data.size,
                                             .seed = rv_seed((uint64_t)c->loop.seed, "task")},
                          error);
}

/* Which samples are for validation, and which for training. */
static bool choose_split(rv_train_config *c, const rv_source *all, rv_subset *validation,
                         rv_subset *training, rv_error *error)
{
    bool ordered = c->data.in_order || strcmp(c->data.task, "text") == 0;
    *validation =
        (rv_subset){.seed = rv_seed((uint64_t)c->loop.seed, "split"), .in_order = ordered};
    *training = *validation;
    int64_t *count = &c->data.validation;
    if (*count == 0 || memorized(c)) {
        validation->in_order = training->in_order = true;
        return true;
    }
    if (all->count < 2)
        return rv_fail(error, RV_ERROR_FORMAT,
                       "%s has %" PRId64
                       " sample(s), expected at least 2: one for training, one for validation; or "
                       "`validation` 0",
                       all->name, all->count);
    if (*count < 0) *count = all->count < 3 ? 1 : (all->count + 3) / 6;
    if (*count >= all->count || *count < 1)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`validation`: got %" PRId64 " of %" PRId64
                       " sample(s), expected at most %" PRId64 " so that some are left to train on",
                       *count, all->count, all->count - 1);
    validation->count = *count;
    training->first = *count;
    if (!ordered) return true;
    validation->first = all->count - *count;
    training->first = 0;
    training->count = all->count - *count;
    return true;
}

bool rv_setup_split(rv_train_config *c, rv_setup *s, const rv_train_parts *parts, rv_error *error)
{
    const rv_source *all = &s->data, *own = parts->validation;
    rv_subset validation = {.in_order = true}, training = validation;
    const char *file = c->data.validation_path;
    if (file && (own || c->data.validation >= 0))
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "`validation-data` %s and %s: which of the two? Give one", file,
                       own ? "a source of your own" : "`validation`");
    if (file  ? !rv_setup_open(c, all, file, c->data.validation_labels, &s->validation, error)
        : own ? !check_alike(all, own, error)
              : !choose_split(c, all, &validation, &training, error))
        return false;
    if (!file && !rv_source_subset(&s->validation, own ? own : all, validation, error))
        return false;
    if (!rv_source_subset(&s->part, all, training, error)) return false;
    s->validated = file || own || training.count != 0 || training.first != 0;
    rv_subset sample = {.in_order = true,
                        .count = s->part.count < RV_TRAINING_SAMPLE ? 0 : RV_TRAINING_SAMPLE};
    rv_augment augment = {.shift = c->data.shift,
                          .noise = c->data.noise,
                          .seed = rv_seed((uint64_t)c->loop.seed, "augment")};
    bool augmented = c->data.shift > 0 || c->data.noise > 0;
    return rv_source_subset(&s->sample, &s->part, sample, error) &&
           (!augmented || rv_source_augment(&s->varied, &s->part, augment, error));
}
