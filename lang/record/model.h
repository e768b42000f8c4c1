/* Records whole models. */
#ifndef RV_LANG_RECORD_MODEL_H
#define RV_LANG_RECORD_MODEL_H

#include "lang/record/run.h"

/* A given input: a var, or a shape to make one of. */
typedef struct lang_binding {
    const char *name;
    rv_var var;     /* null: an input is made, of */
    rv_shape shape; /* this shape */
} lang_binding;

/* Records a model into a started run: its sizes, inputs and equations. False when anything
 * failed. */
bool rv_lang_record_model(lang_run *run, const lang_binding *given, int count);

/* The declaration of the input of that name, or of the first input if the name is NULL. NULL if
 * there is none. */
const lang_node *rv_lang_declared_input(const lang_block *model, const char *name);
/* Whether the input is declared as whole numbers. */
bool rv_lang_is_integer(const lang_node *declared);

#endif
