/* The models: cells and, around them, what makes a classifier of images. */
#ifndef RV_MODELS_MODELS_H
#define RV_MODELS_MODELS_H

#include <stdbool.h>
#include <stdint.h>

#include "autograd/tape.h"
#include "models/cell.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the cells; "map" is rv_cell_map, dense or convolutional ---- */
void rv_curnn(rv_cell *k, rv_var x, rv_var *h); /* x [n,c,H,W], 5x5 "valid"; h [n,units,H-4,W-4] */
void rv_curnn_blog(rv_cell *k, rv_var x,
                   rv_var *h);                  /* the article's: true convolution, arctan gate */
void rv_ugrnn(rv_cell *k, rv_var x, rv_var *h); /* by maps */
void rv_gru(rv_cell *k, rv_var x, rv_var *h);   /* by maps */
void rv_lstm(rv_cell *k, rv_var x, rv_var *h);  /* by maps; two states, output and memory */
void rv_update_gate(rv_cell *k, rv_var x, rv_var *h); /* four scalar weights; x, h [n,1] */

/* ---- the models ---- */
typedef struct rv_model_options {
    int64_t units;   /* channels or hidden units of the cell */
    int64_t steps;   /* how often the image is shown */
    int64_t hidden;  /* units of the head's hidden layer */
    int64_t outputs; /* 1: yes or no (one logit); else one logit per class */
} rv_model_options;

typedef struct rv_model rv_model;
struct rv_model {
    const char *name;
    const char *formula; /* the cell's equations, one per line */
    const char *source;  /* where they come from */
    rv_model_options defaults;

    /* Records the model on x [n,c,h,w] and returns the logits [n,outputs]. NULL: a cell without a
     * classifier around it. */
    rv_var (*logits)(const rv_model_options *options, rv_var x);
    /* The cost of one batch [], from logits and targets (outputs 1: [n,1] of 0 or 1; else [n] i32).
     * The mean over the batch. */
    rv_var (*loss)(rv_var logits, rv_var target);
    /* The cost of a small fixed instance, made of inputs and parameters: for proofs and drawings. */
    rv_var (*specimen)(rv_tape *tape);
};

int rv_model_count(void);
const rv_model *rv_model_at(int index);
const rv_model *rv_model_find(const char *name); /* NULL when unknown */

#ifdef __cplusplus
}
#endif

#endif
