/* What a training run depends on: data, a net, an optimizer, a loop. The same table of rows describes the fields to C
 * programs, config.json, command lines and help pages.
 *
 *     rv_train_config config = rv_train_config_new();
 *     config.data.task = "adding";
 *     config.net.model = "gru";
 */
#ifndef RV_TRAIN_CONFIG_H
#define RV_TRAIN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The rows (rv_config_row) say what each field means. Unset are NULL, 0, false and, for momentum, forget and clip_norm,
 * -1: the default for the task, the model or the optimizer then counts. Strings are borrowed, except those in `strings`. */
typedef struct rv_data_config {
    const char *task, *path, *labels, *classes, *alphabet;
    int64_t samples, length, size, validation, label, cache, shift;
    double noise;
    bool sequence, numbers;
} rv_data_config;

typedef struct rv_net_config {
    const char *model, *activation, *loss;
    int64_t units, layers, kernel, steps, head_units, embedding, recompute;
    double forget, dropout, recurrent_dropout, smoothing;
    bool bidirectional, residual, skip, pool, layer_norm, learned_start, same_dropout, carry;
} rv_net_config;

typedef struct rv_optimizer_config {
    const char *name, *schedule, *learning_rates, *freeze;
    double learning_rate, momentum, weight_decay, clip_norm, clip_value, average;
    int64_t warm_up, accumulate;
} rv_optimizer_config;

typedef struct rv_loop_config {
    const char *dtype;
    int64_t epochs, batch_size, patience, seed;
    /* How the run is carried out. config.json does not hold these. */
    int64_t threads;
    const char *output; /* the folder that the run is kept in; NULL: none */
    bool anomaly;
} rv_loop_config;

enum { RV_TRAIN_THREADS = 64 /* at most */ };

typedef struct rv_train_config {
    rv_data_config data;
    rv_net_config net;
    rv_optimizer_config optimizer;
    rv_loop_config loop;
    void *strings; /* memory of strings that were read or copied; rv_train_config_free */
} rv_train_config;

rv_train_config rv_train_config_new(void); /* all unset; seed 1 */
void rv_train_config_free(rv_train_config *config);

/* A copy with strings of its own, for rv_train_config_free. False, and *copy unset, when out of memory. */
bool rv_train_config_copy(rv_train_config *copy, const rv_train_config *config, rv_error *error);

/* RV_ERROR_ARGUMENT names the option whose value is out of range. */
bool rv_train_config_check(const rv_train_config *config, rv_error *error);

/* ---- the table of fields ---- */

typedef enum rv_config_kind {
    RV_CONFIG_FLAG,         /* bool */
    RV_CONFIG_TEXT,         /* const char * */
    RV_CONFIG_WHOLE,        /* int64_t in low .. high */
    RV_CONFIG_POSITIVE,     /* double above 0 */
    RV_CONFIG_NOT_NEGATIVE, /* double from 0 */
    RV_CONFIG_FRACTION      /* double from 0 to below 1 */
} rv_config_kind;

typedef struct rv_config_row {
    const char *key;      /* "learning-rate": of config.json, and behind -- an option */
    const char *alias;    /* another key, "lr", or NULL */
    const char *argument; /* what help calls the value; NULL for a flag */
    rv_config_kind kind;
    size_t offset;     /* of the value in its struct */
    int64_t low, high; /* of a whole number */
    double unset;      /* of a double: the value that stands for none */
    bool kept; /* config.json holds it: it says what the run is, not how it is carried out */
    const char *group; /* not NULL: this row begins a group of that title */
    const char *doc;   /* for help; may have several lines */
} rv_config_row;

/* The rows of rv_train_config; NULL beyond the last. */
int rv_config_row_count(void);
const rv_config_row *rv_config_row_at(int index);
/* By key or alias; RV_ERROR_NAME, with a guess, when there is none. */
const rv_config_row *rv_config_row_find(const char *key, rv_error *error);

/* Sets the row's field of a struct from text, which is borrowed; `label` is what an error calls it. RV_ERROR_ARGUMENT for
 * anything before or after a number, or out of range. */
bool rv_config_row_set(const rv_config_row *row, const char *label, const char *text, void *values,
                       rv_error *error);

/* rv_config_row_find and rv_config_row_set. */
bool rv_train_config_set(rv_train_config *config, const char *key, const char *text,
                         rv_error *error);

/* The first row, of those that config.json holds, whose values differ; NULL: there is none. */
const rv_config_row *rv_train_config_difference(const rv_train_config *a, const rv_train_config *b);

/* ---- as JSON ---- */

/* The kept fields that are set, as a JSON object, for rv_free (tensor/memory.h). NULL: out of memory. */
char *rv_train_config_json(const rv_train_config *config);

/* Sets what the JSON object names, as strictly as rv_config_row_set; `path` is for messages. Memory: at most 64 times the
 * text. */
bool rv_train_config_parse(rv_train_config *config, const char *json, const char *path,
                           rv_error *error);

/* The same from a file. */
bool rv_train_config_read(rv_train_config *config, const char *path, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
