/* Records statements. */
#ifndef RV_LANG_RECORD_STATEMENTS_H
#define RV_LANG_RECORD_STATEMENTS_H

#include "lang/record/run.h"

/* Gives the target of a definition a value. */
void rv_lang_assign(lang_run *run, const lang_node *s, lang_value v);
/* Records a list of statements. */
void rv_lang_statements(lang_run *run, const lang_node *s);

#endif
