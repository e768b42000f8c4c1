/* The gradients of a model's parameters against central differences. */
#ifndef RV_LANG_JUDGE_PARAMETERS_H
#define RV_LANG_JUDGE_PARAMETERS_H

#include "lang/judge/verdicts.h"
#include "lang/record/models.h"

/* A verdict for each parameter of a model with a loss, or of a cell that no such model unrolls.
 * False on error. */
bool rv_lang_prove_model(lang_file *file, const rv_lang_proof_options *options, const lang_model *m,
                         lang_verdicts *v, rv_error *error);

#endif
