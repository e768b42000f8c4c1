/* What a training run depends on: the options of `recurve train`, which config.json keeps, so that the run can be
 * repeated (--config) and measured (`recurve evaluate`). */
#ifndef RV_TOOLS_RUN_SETTINGS_H
#define RV_TOOLS_RUN_SETTINGS_H

#include "tools/cli/options.h"

/* Unset are NULL, 0, false and, for momentum, forget and clip_norm, negative values. */
typedef struct settings {
    /* data */
    const char *task, *data, *labels, *classes, *alphabet;
    int64_t samples, length, size, held_out, label, cache, shift;
    double noise;
    bool sequence, numbers;
    /* net */
    const char *model, *activation, *loss;
    int64_t units, layers, kernel, steps, hidden, embedding, recompute;
    double forget, dropout, recurrent_dropout, smoothing;
    bool bidirectional, residual, skip, pool, layer_norm, learned_start, same_dropout, carry;
    /* optimizer */
    const char *optimizer, *schedule, *rates, *freeze;
    double rate, momentum, weight_decay, clip_norm, clip_value, average;
    int64_t warm_up, accumulate;
    /* run */
    const char *dtype;
    int64_t epochs, batch, patience, seed;
    /* not kept from here on: how to do, show and store the run */
    int64_t threads;
    const char *output, *config, *resume;
    bool anomaly, norms, digest, plot, pictures, limit, json, quiet;
    void *text; /* owns the strings that came from a file */
} settings;

enum { SETTINGS_OPTIONS = 66, MOST_THREADS = 64 };
extern const option_row settings_options[SETTINGS_OPTIONS];

settings settings_new(void); /* everything unset but the seed */
void settings_free(settings *s);

void set_default(int64_t *value, int64_t standard); /* of a setting of which 0 is unset */

/* The kept ones that are set, as a JSON object, for rv_free (tensor/memory.h) after use. NULL: out of memory. */
char *settings_to_json(const settings *s);

/* Reads a command line whose manual has settings_options, and the model for an operand, over the --config it names. As
 * options_parse. */
bool settings_parse(const manual *page, int argc, char **argv, settings *s, exit_status *result,
                    rv_error *error);

/* Sets what the JSON object names, as strictly as a command line; `path` is for messages. Memory: at most 64 times the
 * text. */
bool settings_from_json(settings *s, const char *json, const char *path, rv_error *error);

#endif
