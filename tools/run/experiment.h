/* What settings amount to: data, a net, an optimizer. */
#ifndef RV_TOOLS_RUN_EXPERIMENT_H
#define RV_TOOLS_RUN_EXPERIMENT_H

#include "recurve.h"
#include "tools/run/settings.h"

enum { MEASURED_OF_TRAINING = 10000 /* samples, at most */, PATTERN_TEXT = 128 };

typedef struct experiment {
    const rv_model *model;
    rv_lang *text;      /* that the model is from, or NULL */
    rv_net_options net; /* without lengths, which belong to a tape */
    rv_optimizer optimizer;
    char patterns[RV_PARAMETER_GROUPS][PATTERN_TEXT]; /* of its groups */
    rv_plateau plateau;                               /* factor 0: none */
    rv_dtype dtype;
    char alphabet[2 * 256 + 1];    /* of a text, in hexadecimal digits */
    double scale;                  /* of x, on the tape */
    int ahead;                     /* batches prepared meanwhile */
    bool anomaly;                  /* updates are watched for NaN and infinity */
    bool carry;                    /* batches follow each other */
    rv_source whole, part, varied; /* the data; those to train on; varied anew each epoch */
    rv_source train, held_out,
        seen; /* views: to learn from; to measure on; of training data, to measure on */
} experiment;

/* Looks up the names, sets what is unset to its default, and opens the data. For
 * experiment_free, either way. */
bool experiment_make(settings *s, experiment *e, rv_error *error);
void experiment_free(experiment *e);

/* What equations call state s; NULL: it has no name. */
const char *state_symbol(const experiment *e, int s);

/* Whether the data are characters, each to be predicted from those before it. */
bool is_text(const rv_source *data);

/* An empty store for the run's parameters, whose programs run on its threads. */
rv_store *experiment_store(const settings *s, rv_error *error);

#endif
