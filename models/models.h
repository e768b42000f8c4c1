/* The models: cells, and around them the net that a task asks for. */
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

/* ---- the cells: `recurve models` prints their equations ---- */
void rv_simple_rnn(rv_cell *k, rv_var x, rv_var *h);
void rv_irnn(rv_cell *k, rv_var x, rv_var *h);
void rv_ugrnn(rv_cell *k, rv_var x, rv_var *h);
void rv_gru(rv_cell *k, rv_var x, rv_var *h);
void rv_lstm(rv_cell *k, rv_var x, rv_var *h); /* h[0] the output, h[1] the memory */
void rv_lstm_peephole(rv_cell *k, rv_var x, rv_var *h);
void rv_intersection_rnn(rv_cell *k, rv_var x, rv_var *h); /* h[0] the output, h[1] the state */
void rv_mgu(rv_cell *k, rv_var x, rv_var *h);
void rv_fastgrnn(rv_cell *k, rv_var x, rv_var *h);
void rv_sru(rv_cell *k, rv_var x, rv_var *h); /* h[0] the output, h[1] the memory */
void rv_qrnn(rv_cell *k, rv_var x,
             rv_var *h); /* h[0] the output, h[1] the memory, h[2] the last x */
void rv_lem(rv_cell *k, rv_var x, rv_var *h); /* h[0] is y, h[1] is z */
void rv_mingru(rv_cell *k, rv_var x, rv_var *h);
/* Convolutional, and not by maps: */
void rv_curnn(rv_cell *k, rv_var x, rv_var *h);       /* x [n,c,H,W], h [n,units,H-4,W-4] */
void rv_curnn_blog(rv_cell *k, rv_var x, rv_var *h);  /* x [n,1,8,8], h [n,1,4,4]; the article's */
void rv_update_gate(rv_cell *k, rv_var x, rv_var *h); /* four scalar weights; x, h [n,1] */

/* ---- the net around a cell ---- */

typedef enum rv_loss_kind {
    RV_LOSS_STANDARD, /* cross-entropy of labels, mean squared error of numbers */
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
    rv_var
        output; /* labels: logits [n,(steps,)classes], of two classes [n,(steps,)1]; else of y's shape */
    rv_var loss; /* []: the mean over the batch, and over the steps that count */
} rv_net;

/* One of your own needs a name and a step. */
typedef struct rv_model rv_model;
struct rv_model {
    const char *name;
    const char *formula; /* the cell's equations, one per line */
    const char *source;  /* where they come from */
    rv_cell_step step;
    int64_t kernel; /* of its maps, unless the options say otherwise; 0: dense */
    bool images; /* x must be images: the cell's maps are convolutions whatever the options say */

    /* The article's net has a head and a loss of its own; NULL: the common ones. */
    rv_var (*output)(const rv_net_options *options, rv_var x);
    rv_var (*loss)(rv_var output, rv_var target);
    /* The cost of a small fixed instance, made of inputs and parameters: for proofs and drawings; NULL: a common one. */
    rv_var (*specimen)(rv_tape *tape);
};

/* Records the model on x and its loss against y: labels i32, numbers of the tape's dtype. A null y: the output alone.
 * Null vars on error. */
rv_net rv_model_record(const rv_model *model, const rv_net_options *options, rv_var x, rv_var y);

/* The cost of a small fixed instance of the model, inputs "x" and "y". */
rv_var rv_model_specimen(const rv_model *model, rv_tape *tape);

int rv_model_count(void);
const rv_model *rv_model_at(int index);
const rv_model *rv_model_find(const char *name); /* NULL when unknown */

#ifdef __cplusplus
}
#endif

#endif
