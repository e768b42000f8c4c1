/* A growing list of verdicts. */
#ifndef RV_LANG_JUDGE_VERDICTS_H
#define RV_LANG_JUDGE_VERDICTS_H

#include "lang/lang.h"
#include "lang/resolve/scope.h"

/* Start it as {0}. */
typedef struct lang_verdicts {
    rv_lang_verdict *at;
    int count;
    size_t capacity;
} lang_verdicts;

/* A verdict on `name` at a location in a model or a derivation. NULL, with *error: out of
 * memory. */
rv_lang_verdict *rv_lang_add_verdict(lang_verdicts *v, const lang_block *block,
                                     lang_location location, const char *name, rv_error *error);

#endif
