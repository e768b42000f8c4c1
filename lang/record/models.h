/* The cells and models of a text as rv_models. */
#ifndef RV_LANG_RECORD_MODELS_H
#define RV_LANG_RECORD_MODELS_H

#include "lang/record/step.h"
#include "lang/resolve/file.h"
#include "models/models.h"

typedef struct lang_model lang_model;
struct lang_model {
    rv_model model; /* its `user` is this, or for a cell `use` */
    lang_use use;   /* of a cell */
    const lang_block *block;
    const lang_block *derivation; /* which states its gradients; NULL: they are recorded */
    lang_model *derived; /* the same model with each of its derivations, linked by `next` */
    lang_model *next;
    const rv_lang_limits *limits;
    int64_t parameters,
        values; /* numbers in its parameters, and in all its values; set by a check */
};

/* Makes the models of a file, in its order and in its arena, and behind them those with the
 * gradients of derivations. False when out of memory, which is reported. */
bool rv_lang_make_models(lang_file *file, lang_model **models, int *count);

/* Sets the options of an alias. Mistakes go to the report, or to the tape if the report is NULL. */
void rv_lang_apply_alias(const lang_block *alias, rv_tape *tape, lang_report *report,
                         rv_rnn_options *options);

#endif
