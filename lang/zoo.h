/* The built-in cells and models, each the text models/NAME.rv, which is built into the library. */
#ifndef RV_LANG_ZOO_H
#define RV_LANG_ZOO_H

#include "models/models.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Steps for rv_unroll and its relatives; `recurve models` prints their equations. What a cell puts out is h[0]. */
void rv_simple_rnn(rv_cell *k, rv_var x, rv_var *h);
void rv_irnn(rv_cell *k, rv_var x, rv_var *h);
void rv_ugrnn(rv_cell *k, rv_var x, rv_var *h);
void rv_gru(rv_cell *k, rv_var x, rv_var *h);
void rv_lstm(rv_cell *k, rv_var x, rv_var *h); /* h[1] the memory */
void rv_lstm_peephole(rv_cell *k, rv_var x, rv_var *h);
void rv_intersection_rnn(rv_cell *k, rv_var x, rv_var *h); /* h[1] the state */
void rv_mgu(rv_cell *k, rv_var x, rv_var *h);
void rv_fastgrnn(rv_cell *k, rv_var x, rv_var *h);
void rv_sru(rv_cell *k, rv_var x, rv_var *h);  /* h[1] the memory */
void rv_qrnn(rv_cell *k, rv_var x, rv_var *h); /* h[1] the memory, h[2] the last x */
void rv_lem(rv_cell *k, rv_var x, rv_var *h);  /* h[0] is y, h[1] is z */
void rv_mingru(rv_cell *k, rv_var x, rv_var *h);
/* Convolutional, and not by maps; rv_curnn (models/models.h) is another: */
void rv_curnn_blog(rv_cell *k, rv_var x, rv_var *h);  /* x [n,1,8,8], h [n,1,4,4]; the article's */
void rv_update_gate(rv_cell *k, rv_var x, rv_var *h); /* four scalar weights; x, h [n,1] */

int rv_model_count(void);
const rv_model *rv_model_at(int index);
/* A dash is as good as an underscore. NULL when unknown. */
const rv_model *rv_model_find(const char *name);

#ifdef __cplusplus
}
#endif

#endif
