/* Records operators as ops. */
#ifndef RV_LANG_RECORD_ARITHMETIC_H
#define RV_LANG_RECORD_ARITHMETIC_H

#include "lang/record/run.h"

lang_value rv_lang_arithmetic(lang_run *run, const lang_node *e);
lang_value rv_lang_matmul(lang_run *run, const lang_node *e);
/* The sizes of b in a @ b that follow from a's shape; -1 elsewhere. */
rv_shape rv_lang_factor_shape(rv_shape a, bool transpose_a, bool transpose_b);
lang_value rv_lang_negate(lang_run *run, const lang_node *e);

#endif
