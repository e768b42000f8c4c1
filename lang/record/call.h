/* Calls: of the cell's maps, of ops by name, of functions. */
#ifndef RV_LANG_RECORD_CALL_H
#define RV_LANG_RECORD_CALL_H

#include "lang/record/run.h"

lang_value rv_lang_call(lang_run *run, const lang_node *e);
lang_value rv_lang_map(lang_run *run, const lang_node *e);
lang_value rv_lang_list(lang_run *run, const lang_node *e);
lang_value rv_lang_over_loop(lang_run *run, const lang_node *e);

#endif
