/* What would make a wrong line of a derivation right. */
#ifndef RV_LANG_JUDGE_REPAIR_H
#define RV_LANG_JUDGE_REPAIR_H

#include "lang/judge/proof.h"

/* Looks for a change of the line that makes it right, or two: another name, another sign, a factor or a term more or less,
 * a transpose. `run` is where the line stands. Sets repair if there is one. */
void rv_lang_repair(lang_proof *p, lang_run *run, lang_line *line);

#endif
