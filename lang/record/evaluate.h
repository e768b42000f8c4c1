/* Recording expressions. */
#ifndef RV_LANG_RECORD_EVALUATE_H
#define RV_LANG_RECORD_EVALUATE_H

#include "lang/record/run.h"

lang_value rv_lang_evaluate(lang_run *run, const lang_node *e);
/* The same as a tensor. */
rv_var rv_lang_evaluate_var(lang_run *run, const lang_node *e);
/* A whole number from low to high. False, and reported: it is none. */
bool rv_lang_evaluate_whole(lang_run *run, const lang_node *e, int64_t low, int64_t high,
                            int64_t *number);
/* The sizes in brackets; with `holes`, _ is allowed and becomes -1. */
bool rv_lang_evaluate_sizes(lang_run *run, const lang_node *list, bool holes, rv_shape *shape);
/* The initial value that a declaration gives by `= value` or `~ distribution`; without either *init stays. */
bool rv_lang_evaluate_init(lang_run *run, const lang_node *declared, rv_init *init);

#endif
