/* Initial values, as in: W ~ orthogonal, b = [0, forget, 0, 0]. */
#ifndef RV_LANG_RESOLVE_STARTS_H
#define RV_LANG_RESOLVE_STARTS_H

#include "lang/resolve/names.h"
#include "lang/resolve/symbols.h"
#include "tensor/init.h"

typedef struct lang_distribution {
    const char *name, *usage;
    rv_init_kind kind;
    int least, most;   /* numbers in brackets */
    double missing[2]; /* the numbers that are not written */
} lang_distribution;

/* The distribution, or `identity`, that an expression names, with or without brackets. NULL if it
 * names none. */
const lang_distribution *rv_lang_distribution(const lang_node *e);
/* Whether e is integer(low, high). */
bool rv_lang_draws_integers(const lang_node *e);

/* Resolves the initial value of a declaration. */
bool rv_lang_resolve_start(lang_resolver *r, lang_node *declared, lang_symbol_kind kind);

#endif
