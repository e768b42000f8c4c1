/* Cells inside cells. */
#ifndef RV_LANG_RECORD_INNER_H
#define RV_LANG_RECORD_INNER_H

#include "lang/record/run.h"

/* Records a line such as h', c' = lstm(x, h, c) of a cell: a step of the other cell. */
void rv_lang_inner(lang_run *run, const lang_node *line);

#endif
