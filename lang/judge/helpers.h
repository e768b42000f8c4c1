/* What the helpers of a derivation stand for. */
#ifndef RV_LANG_JUDGE_HELPERS_H
#define RV_LANG_JUDGE_HELPERS_H

#include "lang/judge/proof.h"

/* Looks for a helper in a wrong line that makes it wrong: with a value or a cotangent of the model
 * in its place, the line is right. That is then the helper's truth, the helper is wrong, and the
 * line right. */
bool rv_lang_trace_helper(lang_proof *p, lang_run *run, lang_line *line);

/* A line states another value, because a helper that it reads has been corrected. */
void rv_lang_restate(lang_proof *p, lang_line *line, rv_var value);

#endif
