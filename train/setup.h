/* The data, the net and the optimizer that a configuration describes. */
#ifndef RV_TRAIN_SETUP_H
#define RV_TRAIN_SETUP_H

#include "../data/source.h"
#include "../lang/lang.h"
#include "../models/models.h"
#include "../optim/optim.h"
#include "../optim/plateau.h"
#include "collective.h"
#include "config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Parts of your own that replace those of the configuration. NULL: as configured. They stay yours
 * and must outlive the setup. */
typedef struct rv_train_parts {
    const rv_source *data;       /* samples to train on */
    const rv_source *validation; /* samples to validate on; NULL: some of the data are set aside */
    const rv_model *model;       /* it needs a name, and a step or a record function */
    const rv_optimizer *optimizer;   /* copied; options that are set override its fields */
    const rv_collective *collective; /* ranks that train together; NULL: one process */
} rv_train_parts;

enum {
    RV_TRAINING_SAMPLE = 10000, /* the most training samples that are measured */
    RV_RATE_PATTERN = 128       /* bytes of a pattern of parameter names, with NUL */
};

typedef struct rv_setup {
    const rv_model *model;
    const rv_model
        *derived;  /* records training steps, with a derivation's gradients; NULL: model does */
    rv_lang *text; /* owns a model that is read from a file, and derived; else NULL */
    rv_net_options net; /* without lengths, which belong to a tape */
    rv_optimizer optimizer;
    char patterns[RV_PARAMETER_GROUPS][RV_RATE_PATTERN]; /* of the optimizer's groups */
    rv_plateau plateau;                                  /* factor 0: none */
    rv_dtype dtype;
    char alphabet[2 * 256 + 1]; /* of a text: two hexadecimal digits per byte */
    double scale;               /* x is multiplied by it on the tape */
    int prefetch;               /* batches that the loader prepares ahead */
    bool anomaly;               /* check each update for NaN and infinity */
    bool carry;                 /* carry states from batch to batch */
    rv_source data;             /* all samples */
    rv_source part;             /* samples to train on */
    rv_source varied;           /* the same, augmented; {0} without augmentation */
    rv_source training;         /* `varied` if there is one, else `part`; borrowed */
    rv_source validation;       /* samples to validate on */
    bool validated;             /* samples to validate on are not those to train on */
    rv_source sample;           /* the first RV_TRAINING_SAMPLE samples of `part`, to measure */
    int64_t leaves;             /* of a batch, whose gradients are summed; 0: it is not cut */

    const rv_collective *collective; /* of more than one rank, borrowed; NULL: one rank */
} rv_setup;

/* Opens the data, looks up the names, and sets each unset field of *config to its default. `parts`
 * may be NULL. Errors name the option. Free the setup with rv_setup_free, also after a failure.
 * *config must outlive it. */
bool rv_setup_make(rv_setup *setup, rv_train_config *config, const rv_train_parts *parts,
                   rv_error *error);
void rv_setup_free(rv_setup *setup); /* accepts {0} */

/* Whether each option of the net and the optimizer that is set in `given`, the configuration before
 * rv_setup_make, changes the training step. RV_ERROR_ARGUMENT names the first that does not, such
 * as `kernel` for a cell that has sizes of its own. `config` is that of rv_setup_make, without
 * parts of your own. */
bool rv_setup_check_given(const rv_setup *setup, const rv_train_config *config,
                          const rv_train_config *given, rv_error *error);

/* Whether each data option that is set has a meaning for these data. */
bool rv_setup_check_data(const rv_train_config *config, const rv_train_parts *parts,
                         rv_error *error);

/* Opens a file of samples of the same kind as `like`, such as other data of a run, with the options
 * in *config. `labels`: the file of y, or NULL. Close the source before `like`. RV_ERROR_SHAPE when
 * they differ in kind. */
bool rv_setup_open(const rv_train_config *config, const rv_source *like, const char *path,
                   const char *labels, rv_source *source, rv_error *error);

/* An empty store with the configuration's seed and number of threads. Free it with rv_store_free.
 * NULL on failure. */
rv_store *rv_setup_store(const rv_train_config *config, rv_error *error);

/* The number of elements of all parameters in a store. */
int64_t rv_store_parameters(const rv_store *store);

/* The name of state s in the model's equations. NULL: it has none. */
const char *rv_state_symbol(const rv_model *model, int s);

/* Whether the data are a text, whose characters are predicted from those before them. */
bool rv_source_is_text(const rv_source *data);

/* Parses a list of digits such as "0,1", "0-9" or "0-3,7" and keeps its order. RV_ERROR_ARGUMENT
 * unless it has two or more digits, each once. */
enum { RV_DIGIT_CLASSES = 10 };
bool rv_classes_parse(const char *list, int classes[RV_DIGIT_CLASSES], int *count, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
