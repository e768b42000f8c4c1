/* A derivation on a tape: its model, recorded so that the loss can be shaken anywhere, and its lines. */
#ifndef RV_LANG_PROOF_H
#define RV_LANG_PROOF_H

#include "lang/file.h"

enum { LANG_REPAIR = 400 };

/* A line of a derivation. */
typedef struct lang_line {
    const lang_node *statement;
    int target;
    int64_t time;
    rv_var value, leaf,
        truth; /* what the line says; where the loss is shaken; its gradient there */
    bool wrong;
    char repair[LANG_REPAIR]; /* what would make it right; "": not known */
} lang_line;

typedef struct lang_proof {
    const rv_lang *lang;
    const rv_lang_proof_options *options;
    const lang_block *model;
    lang_report *report; /* of mistakes */
    lang_work work;
    rv_store *store;
    rv_tape *tape;
    lang_run run; /* of the model */
    rv_var loss;
    int shaken; /* values that have got a zero */
    lang_line *lines;
    size_t count, capacity;
    size_t visible;          /* lines whose cotangents may be used */
    int64_t to_try;          /* work on variants of wrong lines */
    rv_named_tensor *inputs; /* drawn, and zeros */
    int input_count;
    int64_t left; /* work */
    rv_error *error;
} lang_proof;

/* Looks for a change of the line that makes it right, or two: another name, another sign, a factor or a term more or less,
 * a transpose. `run` is where the line stands. Sets repair if there is one. */
void rv_lang_repair(lang_proof *p, lang_run *run, lang_line *line);

#endif
