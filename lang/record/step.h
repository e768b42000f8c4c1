/* A cell's text as the step of a recurrent net. */
#ifndef RV_LANG_RECORD_STEP_H
#define RV_LANG_RECORD_STEP_H

#include "lang/record/run.h"

/* rnn options' `user` for rv_lang_step. */
typedef struct lang_use {
    const lang_block *cell;  /* the base: no alias */
    lang_work *work;         /* NULL: its own */
    lang_trace *trace;       /* NULL: not wanted */
    const lang_block *alias; /* what stands for the cell, with options; NULL: nothing */
} lang_use;

void rv_lang_step(rv_cell *k, rv_var x, rv_var *h);
/* A step of any use. */
void rv_lang_take_step(const lang_use *use, rv_cell *k, rv_var x, rv_var *h);

#endif
