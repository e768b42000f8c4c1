/* Records unrolls. */
#ifndef RV_LANG_RECORD_UNROLL_H
#define RV_LANG_RECORD_UNROLL_H

#include "lang/record/run.h"

/* Records a line NAME, .. = unroll .. */
void rv_lang_unroll(lang_run *run, const lang_node *line);

/* Sets the options that a call of a cell gives. */
bool rv_lang_call_options(lang_run *run, const lang_node *call, rv_rnn_options *options);
/* Sets the options of a chain of aliases, those of the base first. */
bool rv_lang_alias_options(lang_run *run, const lang_block *cell, rv_rnn_options *options);

#endif
