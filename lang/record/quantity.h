/* Evaluates names: parameters, states, values at time steps, slices. */
#ifndef RV_LANG_RECORD_QUANTITY_H
#define RV_LANG_RECORD_QUANTITY_H

#include "lang/record/run.h"
#include "lang/record/starts.h"

lang_value rv_lang_name(lang_run *run, const lang_node *e);
lang_value rv_lang_prime(lang_run *run, const lang_node *e);
lang_value rv_lang_index(lang_run *run, const lang_node *e);
/* Counts the numbers of an input or a parameter. False, and reported: there are too many. */
bool rv_lang_is_affordable(lang_run *run, lang_location location, rv_shape shape);
/* The parameter of a symbol with that shape. */
rv_var rv_lang_parameter(lang_run *run, const lang_node *at, int symbol, rv_shape shape);
/* A parameter with these sizes, or those of its declaration (NULL). */
lang_value rv_lang_use_parameter(lang_run *run, const lang_node *e, int symbol,
                                 const lang_node *sizes);
/* The shape and the initial values of a bias or a gain. False after a mistake, which is
 * reported. */
bool rv_lang_vector(lang_run *run, const lang_node *made, rv_shape *shape, lang_start *start);
/* Completes w's shape with the sizes that follow from its use, not positive where none does. In a
 * cell [5,5] is short for a kernel [_,_,5,5]. */
rv_var rv_lang_complete(lang_run *run, const lang_node *e, lang_value *w, rv_shape implied);
/* Whether it is a parameter of the cell: states that it multiplies are read with recurrent
 * dropout. */
bool rv_lang_is_weight(const lang_run *run, const lang_node *e);
/* The value of a symbol at a time step, which is -1 for symbols without steps. A null var if there
 * is no value. */
rv_var rv_lang_quantity(const lang_run *run, int symbol, int64_t time);

#endif
