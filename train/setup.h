/* What a configuration amounts to: data, a net, an optimizer. */
#ifndef RV_TRAIN_SETUP_H
#define RV_TRAIN_SETUP_H

#include "data/source.h"
#include "lang/lang.h"
#include "models/models.h"
#include "optim/optim.h"
#include "optim/plateau.h"
#include "train/config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Parts of your own in place of those that the configuration names. NULL: as configured. Each is used as long as the setup
 * is, and stays yours. */
typedef struct rv_train_parts {
    const rv_source *data;         /* samples to train on */
    const rv_source *validation;   /* samples to validate on; NULL: set aside from `data` */
    const rv_model *model;         /* a name and a step are enough */
    const rv_optimizer *optimizer; /* options of the configuration that are set change a copy */
} rv_train_parts;

enum { RV_TRAINING_SAMPLE = 10000, RV_RATE_PATTERN = 128 };

typedef struct rv_setup {
    const rv_model *model;
    rv_lang *text;      /* the file that the model is from, or NULL */
    rv_net_options net; /* without lengths, which belong to a tape */
    rv_optimizer optimizer;
    char patterns[RV_PARAMETER_GROUPS][RV_RATE_PATTERN]; /* of the optimizer's groups */
    rv_plateau plateau;                                  /* factor 0: none */
    rv_dtype dtype;
    char alphabet[2 * 256 + 1]; /* of a text, in hexadecimal digits */
    double scale;               /* that x is multiplied by on the tape */
    int prefetch;               /* batches that loaders prepare meanwhile */
    bool anomaly;               /* updates are checked for NaN and infinity */
    bool carry;                 /* states are carried from batch to batch */
    rv_source data;             /* everything */
    rv_source part, varied;     /* samples to train on; the same, augmented */
    rv_source training;         /* `varied`, or else `part`: borrowed */
    rv_source validation;       /* samples to measure on */
    rv_source sample;           /* the first RV_TRAINING_SAMPLE samples of `part`, to measure on */
} rv_setup;

/* Opens the data, looks up the names, and sets what is unset in *config to its default. `parts` may be NULL. Error texts name
 * the option. For rv_setup_free, on failure too; *config must outlive it. */
bool rv_setup_make(rv_setup *setup, rv_train_config *config, const rv_train_parts *parts,
                   rv_error *error);
void rv_setup_free(rv_setup *setup);

/* An empty store of the configuration's seed and number of threads. NULL on failure. */
rv_store *rv_setup_store(const rv_train_config *config, rv_error *error);

/* What equations call state s of the model; NULL: it has no name. */
const char *rv_state_symbol(const rv_model *model, int s);

/* Whether the data are characters, each predicted from those before it. */
bool rv_source_is_text(const rv_source *data);

/* The digits of a list such as "0,1", "0-9" or "0-3,7", in its order: two or more, each once. */
enum { RV_DIGIT_CLASSES = 10 };
bool rv_classes_parse(const char *list, int classes[RV_DIGIT_CLASSES], int *count, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
