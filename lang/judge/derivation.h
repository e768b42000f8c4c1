/* Judging the lines of a derivation against recorded gradients. */
#ifndef RV_LANG_JUDGE_DERIVATION_H
#define RV_LANG_JUDGE_DERIVATION_H

#include "lang/judge/verdicts.h"
#include "lang/resolve/file.h"

/* Records a derivation once, to find mistakes; subtracts from the work that is left. */
void rv_lang_check_derivation(lang_file *file, const lang_block *derivation, int64_t *left);
/* A verdict for each line. False on error. */
bool rv_lang_prove_derivation(lang_file *file, const rv_lang_proof_options *options,
                              lang_block *derivation, lang_verdicts *v, rv_error *error);

#endif
