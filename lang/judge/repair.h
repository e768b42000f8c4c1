/* What would make a wrong line of a derivation right. */
#ifndef RV_LANG_JUDGE_REPAIR_H
#define RV_LANG_JUDGE_REPAIR_H

#include "lang/judge/proof.h"

/* Looks for one or two changes that make the line right. Adds what it finds to the proposals for
 * the line's statement. `run` is the run of the derivation up to the line. */
void rv_lang_propose(lang_proof *p, lang_run *run, const lang_line *line);

/* A proposal must be right at all time steps at which its statement has a value: records the
 * proposals for the statement of a line there. After all lines, refutes those that are wrong
 * somewhere. False on error. */
bool rv_lang_try_proposals(lang_proof *p, lang_run *run, const lang_line *line);
bool rv_lang_judge_proposals(lang_proof *p);

/* The first proposal for a statement that is not refuted, as text; "": none. */
const char *rv_lang_repair_of(const lang_proof *p, const lang_node *statement);

#endif
