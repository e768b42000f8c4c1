/* Names as values: parameters, states, values at time steps, parts of tensors. */
#ifndef RV_LANG_RECORD_QUANTITY_H
#define RV_LANG_RECORD_QUANTITY_H

#include "lang/record/run.h"

lang_value rv_lang_name(lang_run *run, const lang_node *e);
lang_value rv_lang_prime(lang_run *run, const lang_node *e);
lang_value rv_lang_index(lang_run *run, const lang_node *e);
/* A parameter of the block, of that shape. */
rv_var rv_lang_parameter(lang_run *run, const lang_node *at, int symbol, rv_shape shape);
/* A parameter with these sizes, or those of its declaration (NULL). */
lang_value rv_lang_use_parameter(lang_run *run, const lang_node *e, int symbol,
                                 const lang_node *sizes);
/* Fills in what an x of this shape tells of w's: in x @ w the rows, in a convolution of x the channels. */
rv_var rv_lang_complete(lang_run *run, const lang_node *e, lang_value *w, rv_shape in,
                        bool convolution);
/* Whether it is a parameter of the cell: what meets it is read with dropout. */
bool rv_lang_is_weight(const lang_run *run, const lang_node *e);
/* What a quantity is at a time step (-1: it is no series). Null var: none. */
rv_var rv_lang_quantity(const lang_run *run, int symbol, int64_t time);

#endif
