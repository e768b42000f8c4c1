/* The table of built-in models, which zoo_table makes of models/NAME.rv. */
#ifndef RV_LANG_ZOO_INTERNAL_H
#define RV_LANG_ZOO_INTERNAL_H

#include "models/models.h"

typedef struct lang_zoo_row {
    rv_model model;
    rv_cell_step step; /* the cell's, also of a model with a net of its own */
} lang_zoo_row;

extern const lang_zoo_row rv_lang_zoo[];
extern const int rv_lang_zoo_count;

/* A step of the cell in the text of that name. */
void rv_lang_zoo_step(rv_cell *k, rv_var x, rv_var *h, const char *name);
/* For a cell that stands for another: sets the options that its text gives. */
void rv_lang_zoo_prepare(const rv_model *model, rv_tape *tape, rv_rnn_options *options);
/* For a model with a net of its own: the model in its text. */
rv_net rv_lang_zoo_record(const rv_model *model, const rv_net_options *options, rv_var x, rv_var y);
rv_var rv_lang_zoo_specimen(const rv_model *model, rv_tape *tape);

#endif
