/* What a training run depends on: the options of `recurve train`, which config.json keeps for
 * `recurve evaluate`. */
#ifndef RECURVE_TOOLS_SETTINGS_H
#define RECURVE_TOOLS_SETTINGS_H

#include "tools/options.h"
#include "tools/recipe.h"

/* Unset are NULL, 0 and, for momentum, negative values. */
typedef struct settings {
    const char *model, *optimizer, *classes, *dtype;
    double rate, momentum;
    int64_t epochs, batch, steps, units, hidden, held_out, seed;
    int64_t threads; /* not kept from here on: how to do, show and store the run */
    const char *output;
    bool limit, json, quiet;
    void *text; /* owns the strings that came from a file */
} settings;

enum { SETTINGS_KEPT = 13, SETTINGS_OPTIONS = 18, MOST_THREADS = 64 };
extern const option_row settings_options[SETTINGS_OPTIONS]; /* the kept ones first */

settings settings_new(void); /* everything unset but the seed */
void settings_free(settings *s);

/* The kept ones as a JSON object, for rv_free (tensor/memory.h) after use. NULL: out of memory. */
char *settings_to_json(const settings *s);

/* Reads what settings_to_json made, as strictly as a command line; `path` is for messages. */
bool settings_from_json(settings *s, const char *json, const char *path, rv_error *error);

/* ---- what they amount to ---- */

typedef struct experiment {
    const rv_model *model;
    recipe recipe;
    rv_model_options options;
    rv_optimizer optimizer;
    rv_dtype dtype;
    rv_dataset train, held_out; /* pixels scaled as the model wants them */
} experiment;

/* Looks up the names, sets what is unset to its default, and loads the images. For
 * experiment_free, either way. */
bool experiment_make(settings *s, experiment *e, rv_error *error);
void experiment_free(experiment *e);

/* An empty store for the run's parameters, whose programs run on its threads. */
rv_store *experiment_store(const settings *s, rv_error *error);

#endif
