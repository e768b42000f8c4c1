/* Executes derivations: their lines, and the gradients that they state. */
#ifndef RV_LANG_RECORD_DERIVE_H
#define RV_LANG_RECORD_DERIVE_H

#include "lang/record/run.h"

enum { LANG_COTANGENT_NAME = 80 }; /* bytes */

/* "dC[2]". A negative time: "dC". */
const char *rv_lang_cotangent_name(const lang_block *derivation, int target, int64_t time,
                                   char text[LANG_COTANGENT_NAME]);

/* The symbol, and the time step or -1, of the value whose cotangent a line states. */
bool rv_lang_derived_value(lang_run *run, const lang_node *line, int *target, int64_t *time);

typedef bool (*lang_line_function)(lang_run *run, const lang_node *line);
typedef rv_var (*lang_cotangent_function)(lang_run *run, const lang_node *e, int target,
                                          int64_t time);

/* Executes the lines of a derivation of a recorded model: `line` takes each of them, `cotangent`
 * returns a cotangent that a line reads, and both find `context` in their run. False when out of
 * memory, which is reported. */
bool rv_lang_derive(const lang_run *model, const lang_block *derivation, lang_line_function line,
                    lang_cotangent_function cotangent, void *context);

/* A value equal to the loss of a recorded model whose gradient by each parameter is the cotangent
 * that the derivation states. Lines read the values that lines before them state. Null var, and
 * reported: a line has a mistake, or a parameter of the loss has no line. */
rv_var rv_lang_stated_loss(lang_run *model, const lang_block *derivation, rv_var loss);

#endif
