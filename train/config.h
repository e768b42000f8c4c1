/* The configuration of a training run: data, net, optimizer and loop. One table describes its
 * fields to C programs, config.json, command lines and help pages.
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

#include "../tensor/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The table (rv_config_row) documents each field. A field is unset when it is NULL, 0 or false and,
 * for validation, momentum, forget, weight_decay, clip_norm and head_units, when it is -1. An unset
 * field gets the default of the task, the model or the optimizer. Strings that you assign are
 * borrowed. */
typedef struct rv_data_config {
    const char *task, *path, *labels, *classes, *alphabet;
    const char *shape, *targets, *separator, *header, *validation_path, *validation_labels;
    int64_t samples, length, size, validation, label, cache, shift;
    double divide, noise;
    bool sequence, numbers, in_order;
} rv_data_config;

typedef struct rv_net_config {
    const char *model, *include_path, *activation, *loss;
    int64_t units, parameters, layers, kernel, steps, head_units, embedding, recompute;
    double forget, dropout, recurrent_dropout, smoothing;
    bool bidirectional, residual, skip, pool, layer_norm, learned_start, same_dropout, carry,
        stepwise;
} rv_net_config;

typedef struct rv_optimizer_config {
    const char *name, *gradients, *schedule, *learning_rates, *freeze;
    double learning_rate, momentum, weight_decay, clip_norm, clip_value, average;
    int64_t warm_up, accumulate;
} rv_optimizer_config;

typedef struct rv_loop_config {
    const char *dtype;
    int64_t epochs, batch_size, patience, seed, leaves;
    /* The fields below do not change the results. config.json does not hold them. */
    int64_t threads;
    const char *output; /* the folder that the run is kept in; NULL: none */
    bool overwrite, anomaly;
} rv_loop_config;

enum { RV_TRAIN_THREADS = 64, RV_TRAIN_LEAVES = 1024 }; /* the most that these may be */

/* The most that `seed` may be: JSON's numbers, which are doubles, hold every whole number up to
 * it. */
#define RV_MOST_SEED (((int64_t)1 << 53) - 1)

typedef struct rv_train_config {
    rv_data_config data;
    rv_net_config net;
    rv_optimizer_config optimizer;
    rv_loop_config loop;
    void *strings; /* owned memory of strings that were read or copied */
} rv_train_config;

rv_train_config rv_train_config_new(void); /* all unset; seed 1 */

/* Frees the strings that it owns and unsets all fields. */
void rv_train_config_free(rv_train_config *config);

/* A copy that owns its strings. Free it with rv_train_config_free. RV_ERROR_MEMORY: *copy is all
 * unset. */
bool rv_train_config_copy(rv_train_config *copy, const rv_train_config *config, rv_error *error);

/* Whether all values are in range, and, if the run is kept in a folder, texts are UTF-8.
 * RV_ERROR_ARGUMENT names the first option that is not. Here and elsewhere a message writes the key
 * of an option as `learning-rate`. */
bool rv_train_config_check(const rv_train_config *config, rv_error *error);

/* ---- the table of fields ---- */

typedef enum rv_config_kind {
    RV_CONFIG_FLAG,         /* bool */
    RV_CONFIG_TEXT,         /* const char * */
    RV_CONFIG_WHOLE,        /* int64_t in low .. high */
    RV_CONFIG_POSITIVE,     /* double above 0 */
    RV_CONFIG_NOT_NEGATIVE, /* double, 0 or above */
    RV_CONFIG_FRACTION      /* double, 0 or above and below 1 */
} rv_config_kind;

typedef struct rv_config_row {
    const char *key;   /* "learning-rate": in config.json; --learning-rate on a command line */
    const char *alias; /* another key, "lr", or NULL */
    /* The name of the value in help; of a word, all that it may be: "f32|f64"; NULL for a flag. */
    const char *argument;
    rv_config_kind kind;
    size_t offset;     /* of the value in its struct, in bytes */
    int64_t low, high; /* the range of a whole number */
    double unset;      /* the value of a number that is unset */
    bool kept;         /* config.json holds it, because it changes the results */
    bool file;         /* a path, or FILE:NAME: its last part says whether two are equal */
    const char *group; /* not NULL: the title of the group that this row begins */
    const char *doc;   /* for help; may have several lines */
} rv_config_row;

/* The rows of rv_train_config. NULL for an index outside 0 .. count-1. */
int rv_config_row_count(void);
const rv_config_row *rv_config_row_at(int index);

/* Finds a row by key or alias. RV_ERROR_NAME, with the nearest known key, when there is none. */
const rv_config_row *rv_config_row_find(const char *key, rv_error *error);

/* Sets the row's field in the struct `values` from text, which is borrowed. A flag becomes true
 * whatever the text. Errors call the field `label`. RV_ERROR_ARGUMENT: empty or NULL text, not one
 * of the row's words, not a number, or out of range. */
bool rv_config_row_set(const rv_config_row *row, const char *label, const char *text, void *values,
                       rv_error *error);

/* Whether the row's field in the struct `values` is set. */
bool rv_config_row_is_set(const rv_config_row *row, const void *values);

/* Sets the field of a key or alias: rv_config_row_find, then rv_config_row_set. */
bool rv_train_config_set(rv_train_config *config, const char *key, const char *text,
                         rv_error *error);

/* The first kept row whose values differ. NULL: all are equal. Files may have been moved: two paths
 * that end in the same name are equal. */
const rv_config_row *rv_train_config_difference(const rv_train_config *a, const rv_train_config *b);

/* ---- as JSON ---- */

/* The kept fields that are set, as the text of a JSON object. Free it with rv_free
 * (tensor/memory.h). NULL: out of memory. */
char *rv_train_config_json(const rv_train_config *config);

/* Sets the fields that a JSON object names, with the checks of rv_config_row_set. Errors name
 * the file `path`. Uses at most 64 times as much memory as the text. On failure *config is
 * unchanged. */
bool rv_train_config_parse(rv_train_config *config, const char *json, const char *path,
                           rv_error *error);

/* The same from a file. */
bool rv_train_config_read(rv_train_config *config, const char *path, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
