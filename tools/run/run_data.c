#include "tools/run/run_data.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/cli/classes.h"

/* ---- files ---- */

static bool ends_in(const char *path, const char *ending)
{
    size_t length = strlen(path), tail = strlen(ending);
    return length >= tail && strcmp(path + length - tail, ending) == 0;
}

static bool is_idx(const char *path)
{
    return ends_in(path, ".idx") || ends_in(path, ".idx.gz") || strstr(path, "-ubyte") ||
           strstr(path, "-idx");
}

static bool open_arrays(const settings *s, rv_source *source, rv_error *error)
{
    rv_array_options options = {.cache_bytes = (uint64_t)s->cache << 20, .sequence = s->sequence};
    if (ends_in(s->data, ".npz")) return rv_source_npz(source, s->data, &options, error);
    if (!s->labels)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--data %s holds no labels; name their file with --labels", s->data);
    return (is_idx(s->data) ? rv_source_idx : rv_source_npy)(source, s->data, s->labels, &options,
                                                             error);
}

static bool is_table(const char *path)
{
    static const char *const endings[] = {".csv", ".csv.gz", ".tsv", ".tsv.gz"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_in(path, endings[i])) return true;
    return false;
}

/* From two hexadecimal digits each; how many, or -1. */
static int64_t alphabet_parse(const char *hex, unsigned char bytes[256])
{
    int64_t count = 0;
    unsigned byte;
    for (; hex[0] != '\0' && count < 256; hex += 2) {
        if (!isxdigit((unsigned char)hex[0]) || !isxdigit((unsigned char)hex[1]) ||
            sscanf(hex, "%2x", &byte) != 1)
            return -1;
        bytes[count++] = (unsigned char)byte;
    }
    return *hex == '\0' ? count : -1;
}

/* The characters of the text, or of the run that a configuration is of: they give the tokens their numbers. */
static bool open_text(settings *s, experiment *e, rv_text_options options, rv_error *error)
{
    unsigned char bytes[256];
    if (s->alphabet) {
        options.alphabet = bytes;
        options.tokens = alphabet_parse(s->alphabet, bytes);
        if (options.tokens < 1)
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "--alphabet: got \"%.100s\", expected 1 to 256 bytes of two hexadecimal "
                           "digits each",
                           s->alphabet);
    }
    if (!rv_source_text(&e->whole, s->data, &options, error)) return false;
    for (int64_t k = 0; k < e->whole.tokens && k < 256; k++)
        snprintf(e->alphabet + 2 * k, 3, "%02x", e->whole.alphabet[k]);
    s->alphabet = e->alphabet;
    return true;
}

static bool open_file(settings *s, experiment *e, rv_error *error)
{
    rv_source *source = &e->whole;
    uint64_t cache = (uint64_t)s->cache << 20;
    s->task = "file";
    if (ends_in(s->data, ".npz") || ends_in(s->data, ".npy") || is_idx(s->data))
        return open_arrays(s, source, error);
    if (is_table(s->data))
        return rv_source_csv(source, s->data,
                             &(rv_csv_options){.cache_bytes = cache,
                                               .label = s->label,
                                               .numbers = s->numbers,
                                               .sequence = s->sequence},
                             error);
    set_default(&s->length, 64);
    s->task = "text";
    return open_text(s, e, (rv_text_options){.cache_bytes = cache, .window = s->length}, error);
}

static bool open_digits(settings *s, rv_source *source, rv_error *error)
{
    int classes[DIGITS], count;
    if (!s->classes) s->classes = "0,1";
    return classes_parse(s->classes, classes, &count, error) &&
           rv_source_digits(source, classes, count, error);
}

bool run_data_open(settings *s, experiment *e, rv_error *error)
{
    if (s->data && s->task && strcmp(s->task, "text") != 0 && strcmp(s->task, "file") != 0)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "--data %s and --task %s: which of the two? Give one", s->data, s->task);
    if (!s->data && !s->task) s->task = "digits";
    bool digits = !s->data && strcmp(s->task, "digits") == 0;
    if (!digits && s->classes)
        return rv_fail(error, RV_ERROR_ARGUMENT, "--classes chooses among the built-in digits");
    e->ahead = digits ? 0 : 4;
    if (s->data) return open_file(s, e, error);
    if (digits) return open_digits(s, &e->whole, error);
    return rv_source_task(&e->whole, s->task,
                          &(rv_task_options){.count = s->samples,
                                             .steps = s->length,
                                             .size = s->size,
                                             .seed = rv_seed((uint64_t)s->seed, "task")},
                          error);
}

/* Whether the samples are to be memorized: they serve for training and for validation. */
static bool memorized(const settings *s)
{
    const rv_task *task = !s->data ? rv_task_find(s->task) : NULL;
    return task && task->memorized;
}

bool run_data_split(settings *s, experiment *e, rv_error *error)
{
    const rv_source *all = &e->whole;
    rv_subset held_out = {.seed = rv_seed((uint64_t)s->seed, "split"),
                          .in_order = strcmp(s->task, "text") == 0};
    rv_subset rest = held_out;
    if (memorized(s)) {
        rest.in_order = held_out.in_order = true;
    } else {
        if (all->count < 2)
            return rv_fail(error, RV_ERROR_FORMAT,
                           "%s has %" PRId64
                           " samples, expected at least 2: one to learn from, one to "
                           "measure on",
                           all->name, all->count);
        set_default(&s->held_out, (all->count + 3) / 6);
        if (s->held_out == 0) s->held_out = 1;
        if (s->held_out >= all->count || s->held_out < 1)
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "--held-out: got %" PRId64 " of %" PRId64
                           " samples, expected at least 1 and at most %" PRId64
                           " so that some are left to train on",
                           s->held_out, all->count, all->count - 1);
        held_out.count = s->held_out;
        rest.first = s->held_out;
        if (held_out.in_order) { /* a text's end is held out */
            held_out.first = all->count - s->held_out;
            rest.first = 0;
            rest.count = all->count - s->held_out;
        }
    }
    rv_subset seen = {.in_order = true};
    if (!rv_source_subset(&e->held_out, all, held_out, error) ||
        !rv_source_subset(&e->part, all, rest, error))
        return false;
    seen.count = e->part.count < MEASURED_OF_TRAINING ? 0 : MEASURED_OF_TRAINING;
    rv_augment vary = {
        .shift = s->shift, .noise = s->noise, .seed = rv_seed((uint64_t)s->seed, "augment")};
    bool varied = s->shift > 0 || s->noise > 0;
    return rv_source_subset(&e->seen, &e->part, seen, error) &&
           (!varied || rv_source_augment(&e->varied, &e->part, vary, error));
}
