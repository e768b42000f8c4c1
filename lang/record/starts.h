/* Evaluates initial values. */
#ifndef RV_LANG_RECORD_STARTS_H
#define RV_LANG_RECORD_STARTS_H

#include "lang/record/run.h"
#include "tensor/init.h"

enum { LANG_MOST_BLOCKS = 16 };

/* The init may point to the blocks, so a start stays where it is. */
typedef struct lang_start {
    rv_init init;
    rv_init block[LANG_MOST_BLOCKS];
} lang_start;

/* Evaluates the initial value of a declaration, `= value` or `~ distribution`; without either it is
 * `otherwise`. Returns false after a mistake, which is reported. */
bool rv_lang_evaluate_start(lang_run *run, const lang_node *declared, rv_init otherwise,
                            lang_start *start);

/* Checks that a tensor of this shape can start so, and spends the work of drawing its values.
 * Returns false after a mistake, which is reported. */
bool rv_lang_check_start(lang_run *run, const lang_node *declared, const rv_init *init,
                         rv_shape shape);

#endif
