/* Records expressions. */
#ifndef RV_LANG_RECORD_EVALUATE_H
#define RV_LANG_RECORD_EVALUATE_H

#include "lang/record/run.h"

lang_value rv_lang_evaluate(lang_run *run, const lang_node *e);
/* The same, converted to a tensor. */
rv_var rv_lang_evaluate_var(lang_run *run, const lang_node *e);
/* The same, of integers as numbers of the tape's dtype. */
rv_var rv_lang_evaluate_real(lang_run *run, const lang_node *e);
/* Evaluates a whole number from low to high. Returns false, and reports it, if it is not one. */
bool rv_lang_evaluate_whole(lang_run *run, const lang_node *e, int64_t low, int64_t high,
                            int64_t *number);
/* Evaluates the sizes in brackets. With `holes`, _ is allowed and becomes -1. */
bool rv_lang_evaluate_sizes(lang_run *run, const lang_node *list, bool holes, rv_shape *shape);

#endif
