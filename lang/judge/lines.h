/* Executing the lines of a derivation: once to record them, and again for each search that changes
 * them. */
#ifndef RV_LANG_JUDGE_LINES_H
#define RV_LANG_JUDGE_LINES_H

#include "lang/judge/proof.h"

/* Records the lines into a proof whose model is recorded. False: the error is in the report, or in
 * the proof's error. */
bool rv_lang_record_lines(lang_proof *p, const lang_block *derivation);
/* Finds the helpers that make judged lines wrong. False on error. */
bool rv_lang_trace_lines(lang_proof *p, const lang_block *derivation);
/* Finds repairs of the wrong lines. False on error. */
bool rv_lang_repair_lines(lang_proof *p, const lang_block *derivation);

/* Whether no wrong line of the same statement is before this one. */
bool rv_lang_is_first(const lang_proof *p, const lang_line *line);

#endif
