/* A whole training run: epochs, measuring, stopping early, the best parameters so far. */
#ifndef RV_TOOLS_RUN_TRAINING_H
#define RV_TOOLS_RUN_TRAINING_H

#include "tools/run/baseline.h"
#include "tools/run/learning.h"

typedef struct epoch_row {
    int64_t epoch;
    double cost;                                             /* the mean over the epoch's updates */
    double held_out_cost, held_out_accuracy, held_out_error; /* NaN: not of these data */
    double seconds;                                          /* of learning, since the start */
} epoch_row;

typedef struct training {
    epoch_row *rows; /* [epochs], for training_free */
    int64_t epochs;  /* done */
    int64_t best;    /* the epoch after which the cost held out was least */
    run_place at;    /* where it goes on */
    run_place saved; /* where its checkpoint.safetensors goes on; epoch 0: there is none */
    measurement train, held_out; /* at the end */
    baseline without_skill;      /* on the data held out */
    double samples_per_second;
    size_t program_bytes; /* memory of the training step's program: its arena */
    bool diverged;        /* a cost was not finite, which is the error then */
    int stopped; /* the signal that ended it early, all saved; then only at and saved are of use */
    char digest[RV_DIGEST_TEXT];
} training;

/* What a run lets be seen of itself. */
typedef struct training_view {
    bool lines;        /* one an epoch, on stdout */
    bool bar;          /* of progress, on stderr if that is a terminal */
    const char *title; /* before the bar; NULL: none */
} training_view;

/* Trains into the store from t->at on, which {0} makes the start. With an output folder the run is kept there as it goes
 * on, and the best parameters so far. */
bool training_run(const settings *s, const experiment *e, training_view view, rv_store *store,
                  training *t, rv_error *error);
void training_free(training *t);

/* "98.00 %" of labels, "2.31 bits per character" of a text, or "error 0.0012", the mean squared one. */
enum { SCORE_TEXT = 64 };
const char *score_text(const rv_source *data, double cost, double accuracy, double error,
                       char text[SCORE_TEXT]);

#endif
