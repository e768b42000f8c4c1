/* recurve sample */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/command/commands.h"
#include "tools/command/saved.h"
#include "tools/cli/say.h"

typedef struct sample_options {
    const char *output, *checkpoint, *start;
    double temperature;
    int64_t length, seed;
} sample_options;

#define ROW(field, name, argument, kind, ...) \
    OPTION_ROW(sample_options, field, name, argument, RV_CONFIG_##kind, __VA_ARGS__)

static const option_row options[] = {
    ROW(output, "output", "DIR", TEXT, "the folder of the run: `recurve train --output DIR`"),
    ROW(checkpoint, "checkpoint", "FILE", TEXT,
        "the parameters (default: checkpoint.safetensors in the\nfolder)"),
    ROW(start, "start", "TEXT", TEXT, "the beginning of the text (default: the end of a line)"),
    ROW(length, "length", "N", WHOLE, "characters to write (default: 500)", .low = 1,
        .high = 1 << 30),
    ROW(temperature, "temperature", "T", POSITIVE,
        "1: characters as likely as the model says (default);\nless: the likely ones more often"),
    ROW(seed, "seed", "N", WHOLE, "seed of the choices (default: 1)", .low = 0,
        .high = (int64_t)1 << 53),
};

static exit_status run(int argc, char **argv, rv_error *error);

const command command_sample = {
    .name = "sample",
    .run = run,
    .summary = "write text with a trained character model",
    .synopsis = "--output DIR | --checkpoint FILE [OPTION]...",
    .description =
        "Reads a run of `recurve train --data TEXT` and writes text on its own: each character is\n"
        "drawn from what the model says comes next, and read in its turn. The text that the model\n"
        "was trained on is found if it is where it was, or was moved together with the run.\n"
        "Invalid UTF-8 and control characters other than newline and tab are written as \\x1b.\n",
    OPTIONS(options),
    .failure = "a file is missing, damaged, or not of a character model",
    .example = "recurve train --data /usr/share/common-licenses/GPL-3 --output /tmp/gpl\n"
               "recurve sample --output /tmp/gpl --temperature 0.7 --start 'You may '\n",
};

/* A model that reads one character at a time and carries its state. */
typedef struct writer {
    rv_setup setup; /* the run's, for one character at a time */
    rv_batch_program program;
    uint64_t seed, drawn;
    double temperature;
} writer;

static int64_t token_of(const rv_source *text, char character)
{
    for (int64_t k = 0; k < text->tokens; k++)
        if (text->alphabet[k] == (unsigned char)character) return k;
    return -1;
}

static void read_token(writer *w, int64_t token)
{
    rv_tensor_set(w->program.x, 0, (double)token);
    rv_run(w->program.program);
}

/* The logit of token k after the last one that was read. */
static double logit_of(const writer *w, int64_t k)
{
    const rv_tensor *output = rv_program_output(w->program.program, 1);
    return rv_net_logit(output, rv_tensor_count(output), 0, k);
}

/* Draws a token from the softmax of the logits at this temperature. */
static int64_t draw_token(writer *w)
{
    int64_t count = w->setup.data.tokens;
    double most = -INFINITY, sum = 0;
    for (int64_t k = 0; k < count; k++) most = fmax(most, logit_of(w, k));
    for (int64_t k = 0; k < count; k++) sum += exp((logit_of(w, k) - most) / w->temperature);
    double left = sum * rv_random_uniform(w->seed, w->drawn++);
    for (int64_t k = 0; k < count; k++) {
        left -= exp((logit_of(w, k) - most) / w->temperature);
        if (left < 0) return k;
    }
    return count - 1;
}

static bool read_start(writer *w, const char *start, rv_error *error)
{
    for (const char *at = start; *at != '\0'; at++) {
        int64_t token = token_of(&w->setup.data, *at);
        if (token < 0)
            return rv_fail(
                error, RV_ERROR_ARGUMENT,
                "--start: the model knows no \"%c\" (byte %d); use the text's characters", *at,
                (unsigned char)*at);
        read_token(w, token);
    }
    return true;
}

static bool write_text(writer *w, const sample_options *o, rv_error *error)
{
    const rv_source *text = &w->setup.data;
    if (o->start) {
        if (!read_start(w, o->start, error)) return false;
    } else {
        int64_t line_end = token_of(&w->setup.data, '\n');
        read_token(w, line_end >= 0 ? line_end : 0);
    }
    size_t used = o->start ? strlen(o->start) : 0, printed = 0;
    char *written = rv_alloc(used + (size_t)o->length, 1);
    if (!written) return rv_fail_memory(error);
    if (o->start) memcpy(written, o->start, used);
    for (int64_t i = 0; i < o->length;
         i++) { /* prints line by line: a character may have several bytes */
        int64_t token = draw_token(w);
        written[used++] = (char)text->alphabet[token];
        read_token(w, token);
        if (written[used - 1] != '\n') continue;
        say_lines(stdout, written + printed, used - printed);
        printed = used;
    }
    say_lines(stdout, written + printed, used - printed);
    putchar('\n');
    rv_free(written);
    return true;
}

static bool prepare(writer *w, const rv_trainer *run, rv_error *error)
{
    rv_setup *s = &w->setup;
    *s = *rv_trainer_setup(run);
    if (!rv_source_is_text(&s->data))
        return rv_fail(
            error, RV_ERROR_ARGUMENT,
            "this run was trained on %s, not on text; `recurve train --data TEXT` does that",
            rv_trainer_config(run)->data.task);
    s->data.x = s->data.y = s->net.y = RV_SHAPE(1);
    s->data.lengths = false;
    s->carry = true;
    if (s->optimizer.average > 0) rv_swap_averages(rv_trainer_store(run));
    return rv_batch_program_make(&w->program, s, rv_trainer_store(run), 1, false, RV_DEFAULT,
                                 error);
}

static exit_status run(int argc, char **argv, rv_error *error)
{
    exit_status result;
    sample_options o = {.length = 500, .temperature = 1, .seed = 1};
    if (!options_parse(&command_sample, argc, argv, &o, NULL, &result, error)) return result;
    if (!saved_run_named(o.output, o.checkpoint, error)) return STATUS_USAGE;
    writer w = {.seed = rv_seed((uint64_t)o.seed, "sample"), .temperature = o.temperature};
    rv_trainer *saved = saved_run_open(&command_sample, o.output, o.checkpoint, 1, error);
    bool ok = saved && prepare(&w, saved, error) && write_text(&w, &o, error);
    rv_batch_program_free(&w.program);
    rv_trainer_free(saved);
    return ok ? STATUS_OK : STATUS_FAILED;
}
