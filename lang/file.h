/* A text that has been read: the inside of rv_lang. */
#ifndef RV_LANG_FILE_H
#define RV_LANG_FILE_H

#include "lang/evaluate.h"
#include "lang/token.h"

/* A cell or a model as an rv_model. */
typedef struct lang_model {
    rv_model model; /* its `user` is this */
    lang_use use;   /* of a cell */
    const lang_block *block;
    rv_lang *lang;
} lang_model;

struct rv_lang {
    lang_arena arena;
    lang_report report;
    lang_scope scope;
    lang_source *source; /* the file itself first, then what it includes */
    lang_node *tree;     /* of the file itself */
    lang_tokens tokens;
    lang_model *model;
    int models;
    struct rv_lang *prelude; /* read when something in it is asked for */
    struct rv_lang *zoo;     /* built-in cells that were asked for, one after the other */
    struct rv_lang *next;    /* in a zoo */
};

/* ---- recording models ---- */

/* What an input is: given as a var, or as values whose shape alone matters. */
typedef struct lang_binding {
    const char *name;
    rv_var var;     /* null: made as an input of */
    rv_shape shape; /* this shape */
} lang_binding;

/* Records a model into a started run. False when anything failed. */
bool rv_lang_record_model(lang_run *run, const lang_binding *given, int count);

/* The shape that an input is recorded with, from its declaration and the run's sizes. */
const lang_node *rv_lang_declared_input(const lang_block *model, const char *name);

/* A model's inputs drawn as their declarations say, but for those given: for rv_lang_free_tensors. */
bool rv_lang_draw(const lang_run *run, const rv_named_tensor *given, int given_count, uint64_t seed,
                  rv_named_tensor **drawn, int *count, rv_error *error);
/* Copies what is given for an input or a parameter. */
bool rv_lang_give(rv_tensor *to, const rv_named_tensor *given, rv_error *error);
void rv_lang_free_tensors(rv_named_tensor *tensors, int count);

/* Whether a model of the text unrolls the cell, which is then checked there, and with a loss proved. */
bool rv_lang_is_unrolled(const rv_lang *lang, const lang_block *cell, bool for_loss);

/* Records a derivation once, to find what is wrong in it; takes from the work that is left. */
void rv_lang_check_derivation(rv_lang *lang, const lang_block *derivation, int64_t *left);
/* A store for checks: it keeps shapes, no values. */
rv_store *rv_lang_shapes(void);

/* Sets up what rv_models of the text's cells and models are. */
bool rv_lang_make_models(rv_lang *lang);

#endif
