/* What would make a wrong line of a derivation right. */
#ifndef RV_LANG_JUDGE_REPAIR_H
#define RV_LANG_JUDGE_REPAIR_H

#include "lang/judge/proof.h"

/* Looks for one or two changes that make the line right: another name or sign, a factor or term more or less, a
 * transpose. `run` is the run of the derivation up to the line. Sets line->repair if one is found. */
void rv_lang_repair(lang_proof *p, lang_run *run, lang_line *line);

#endif
