/* Gradients as values: grad(y, x), jvp(y, x, v), hvp(y, x, v). */
#ifndef RV_LANG_RECORD_GRADIENT_H
#define RV_LANG_RECORD_GRADIENT_H

#include "lang/record/run.h"

lang_value rv_lang_gradient(lang_run *run, const lang_node *call);

#endif
