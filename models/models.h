/* Models: a cell, and the net around it that a task needs. */
#ifndef RV_MODELS_MODELS_H
#define RV_MODELS_MODELS_H

#include <stdbool.h>
#include <stdint.h>

#include "../autograd/tape.h"
#include "cell.h"
#include "rnn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* CURNN, the Convolutional Update Gate RNN: x [n,c,H,W], h [n,units,H-4,W-4]. The other cells are
 * written in the equation language (lang/zoo.h). */
void rv_curnn(rv_cell *k, rv_var x, rv_var *h);

/* ---- the net around a cell ---- */

typedef enum rv_loss_kind {
    RV_LOSS_DEFAULT, /* cross-entropy for labels, mean squared error for numbers */
    RV_LOSS_MAE,
    RV_LOSS_HUBER
} rv_loss_kind;

typedef struct rv_net_options {
    /* the net */
    rv_rnn_options rnn;
    int64_t steps;     /* number of steps on the same x, if it is not a sequence; 0: 1 */
    int64_t hidden;    /* units of the head's tanh layer; 0: none */
    int64_t embedding; /* size of the learned embedding of tokens; 0: one-hot */
    bool pool;         /* the head reads the mean over all valid steps, not the last output */
    rv_loss_kind loss;
    double smoothing; /* label smoothing, 0 to below 1 */

    /* the form of the data */
    bool sequence;   /* x [n,steps,...]; else x [n,...] */
    bool each_step;  /* a target for each step: y [n,steps,...]; else y [n,...] */
    int64_t tokens;  /* x holds tokens 0 .. tokens-1, [n,steps]; 0: numbers */
    int64_t classes; /* y holds labels 0 .. classes-1, i32; 0: numbers */
    rv_shape y;      /* of one sample */
} rv_net_options;

typedef struct rv_net {
    /* For labels, logits [n,(steps,)classes], of two classes also [n,(steps,)1]; see rv_net_logit.
     * For numbers, the shape of y. */
    rv_var output;
    rv_var loss; /* [] the mean over the batch and the valid steps */
} rv_net;

/* A user-defined model needs at least a name and a step. */
typedef struct rv_model rv_model;
struct rv_model {
    const char *name;

    /* Its text in the equation language (lang/lang.h), with a comment that cites the source; or
     * NULL. */
    const char *text;

    rv_cell_step step;
    const void *user; /* for the step; replaces `user` of the options unless NULL */

    /* Sets options that the model defines itself; or NULL. */
    void (*prepare)(const rv_model *model, rv_tape *tape, rv_rnn_options *options);

    /* The symbols of the states in the equations. NULL: "h" for the first state, no name for the
     * others. */
    const char *state[RV_CELL_STATES];
    int64_t kernel; /* default kernel size of its maps; 0: dense */
    bool images;    /* x must be images: the cell always uses convolutions */

    /* Records a whole net, head and loss included. It replaces the step. */
    rv_net (*record)(const rv_model *model, const rv_net_options *options, rv_var x, rv_var y);

    /* Records the loss of a small fixed instance for proofs and drawings. NULL: a common
     * instance. */
    rv_var (*specimen)(const rv_model *model, rv_tape *tape);
};

/* Records the model on x and its loss against y: i32 labels, or numbers of the tape's dtype. With a
 * null y, only the output is recorded. Null vars on error. */
rv_net rv_model_record(const rv_model *model, const rv_net_options *options, rv_var x, rv_var y);

/* The logit of class k in row `row` of an output with `width` numbers per row. A single number is
 * the logit of class 1 of two; that of class 0 is then 0. */
double rv_net_logit(const rv_tensor *output, int64_t width, int64_t row, int64_t k);

/* Records the loss of a small fixed instance of the model with inputs "x" and "y". */
rv_var rv_model_specimen(const rv_model *model, rv_tape *tape);

#ifdef __cplusplus
}
#endif

#endif
