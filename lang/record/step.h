/* Records a cell of a text as the step of a recurrent net. */
#ifndef RV_LANG_RECORD_STEP_H
#define RV_LANG_RECORD_STEP_H

#include "lang/record/run.h"

/* The `user` of the options of a net whose step is rv_lang_step. */
typedef struct lang_use {
    const lang_block *cell;  /* the base, not an alias */
    lang_work *work;         /* NULL: the step counts its own */
    lang_trace *trace;       /* NULL: not wanted */
    lang_run *around;        /* of the cell that this step is inside, or NULL */
    int line;                /* there */
    const lang_block *alias; /* the alias that names the cell, or NULL */
} lang_use;

void rv_lang_step(rv_cell *k, rv_var x, rv_var *h);
/* The same step, with the use as an argument. */
void rv_lang_take_step(const lang_use *use, rv_cell *k, rv_var x, rv_var *h);

#endif
