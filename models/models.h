/* Models: a cell, and around it the net that a task asks for. */
#ifndef RV_MODELS_MODELS_H
#define RV_MODELS_MODELS_H

#include <stdbool.h>
#include <stdint.h>

#include "autograd/tape.h"
#include "models/cell.h"
#include "models/rnn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* CURNN, the Convolutional Update Gate RNN: x [n,c,H,W], h [n,units,H-4,W-4]. The other cells are texts: lang/zoo.h. */
void rv_curnn(rv_cell *k, rv_var x, rv_var *h);

/* ---- the net around a cell ---- */

typedef enum rv_loss_kind {
    RV_LOSS_DEFAULT, /* cross-entropy of labels, mean squared error of numbers */
    RV_LOSS_MAE,
    RV_LOSS_HUBER
} rv_loss_kind;

typedef struct rv_net_options {
    /* the net */
    rv_rnn_options rnn;
    int64_t steps;     /* how often x is shown, if it is no sequence; 0: 1 */
    int64_t hidden;    /* units of the head's tanh layer; 0: none */
    int64_t embedding; /* numbers that stand for a token, learned; 0: one-hot */
    bool pool;         /* the head reads the mean over all steps that count, not the last output */
    rv_loss_kind loss;
    double smoothing; /* of labels */

    /* what the data ask for */
    bool sequence;   /* x [n,steps,...]; else x [n,...] */
    bool each_step;  /* an answer for each step: y [n,steps,...]; else y [n,...] */
    int64_t tokens;  /* x are whole numbers 0 .. tokens-1, [n,steps]; 0: numbers */
    int64_t classes; /* y are labels 0 .. classes-1, i32; 0: numbers */
    rv_shape y;      /* of one sample */
} rv_net_options;

typedef struct rv_net {
    /* Of labels: logits [n,(steps,)classes], of two classes [n,(steps,)1]. Of numbers: y's shape. */
    rv_var output;
    rv_var loss; /* []: the mean over the batch, and over the steps that count */
} rv_net;

/* One of your own needs a name and a step. */
typedef struct rv_model rv_model;
struct rv_model {
    const char *name;

    /* In the equation language (lang/lang.h), with a comment that cites the source; or NULL. */
    const char *text;

    rv_cell_step step;
    const void *user; /* the options' `user`, for the step; NULL: theirs stays */

    /* Sets options that the model has by itself; or NULL. */
    void (*prepare)(const rv_model *model, rv_tape *tape, rv_rnn_options *options);

    const char *state[RV_CELL_STATES]; /* what equations call the states; NULL: "h", and no name */
    int64_t kernel;                    /* of its maps, unless the options say otherwise; 0: dense */
    bool images; /* x must be images: the cell's maps are convolutions whatever the options say */

    /* A net with a head and a loss of its own has this instead of a step. */
    rv_net (*record)(const rv_model *model, const rv_net_options *options, rv_var x, rv_var y);
    /* The cost of a small fixed instance, made of inputs and parameters: for proofs and drawings; NULL: a common one. */
    rv_var (*specimen)(const rv_model *model, rv_tape *tape);
};

/* Records the model on x and its loss against y: labels i32, numbers of the tape's dtype. A null y: the output alone.
 * Null vars on error. */
rv_net rv_model_record(const rv_model *model, const rv_net_options *options, rv_var x, rv_var y);

/* The cost of a small fixed instance of the model, inputs "x" and "y". */
rv_var rv_model_specimen(const rv_model *model, rv_tape *tape);

#ifdef __cplusplus
}
#endif

#endif
