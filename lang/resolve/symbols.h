/* Finding and adding symbols while names are resolved. */
#ifndef RV_LANG_RESOLVE_SYMBOLS_H
#define RV_LANG_RESOLVE_SYMBOLS_H

#include "lang/resolve/scope.h"

/* The state of resolving one block. */
typedef struct lang_resolver {
    lang_scope *scope;
    lang_block *block;
    bool sizes; /* now resolving sizes */
    int loops;  /* around this line */

    /* The name that was looked up last if it is inside two unrolls, and their lines; NULL: it is clear. */
    const char *unclear;
    const lang_node *inside[2];
} lang_resolver;

/* Reports what is wrong with a name. Always false. */
bool rv_lang_misnamed(const lang_resolver *r, lang_location location, const char *format, ...)
    RV_PRINTF(3, 4);
/* Reports that the name of `at` is already defined, as the symbol `first`. Always false. */
bool rv_lang_redefined(lang_resolver *r, const lang_node *at, int first);

/* Whether there are too many names already, which is reported. */
bool rv_lang_is_full(lang_resolver *r);
/* Adds a symbol. Its index; -1, and reported: too many, or out of memory. */
int rv_lang_add_symbol(lang_resolver *r, const char *name, lang_symbol_kind kind,
                       const lang_node *made);
/* Nothing more is reported about the name from here on. */
void rv_lang_silence(lang_resolver *r, const char *name);

/* The latest symbol that the block itself gives the name, -1: none. A next value is h', dC has a meaning by its target's
 * name, and names inside unrolls are found by rv_lang_look_up. */
int rv_lang_find_symbol(const lang_block *b, const char *name);
/* The same, but -1 for a name whose definition has a mistake. */
int rv_lang_find_right(const lang_block *b, const char *name);
/* The same without series: in h beside h[1]. */
int rv_lang_find_single(const lang_block *b, const char *name);

/* What follows a name: nothing; one index, which may be a time step; other indices, of which some are ranges. */
typedef enum lang_form { FORM_ALONE, FORM_AT_TIME, FORM_SLICED } lang_form;

/* The form of a name with these indices. */
lang_form rv_lang_form(const lang_node *indices);

/* Sets what a name in an expression stands for: a name of the block itself, then a value at a time step or a parameter
 * inside an unroll, then a cotangent. False and no symbol: nothing. False and a symbol: reported. */
bool rv_lang_look_up(lang_resolver *r, lang_node *e, lang_form form);
/* dX, the cotangent of X; *time its time step if the name has one. -1: none. */
int rv_lang_find_cotangent(lang_resolver *r, const char *name, lang_form form, int *time);
/* Whether the name that was looked up last is inside one unroll alone; else reports it. */
bool rv_lang_is_clear(const lang_resolver *r, lang_location location);

/* The symbol of the cell's symbol `inner` inside an unroll. -1, and reported: too many, or out of memory. */
int rv_lang_enter(lang_resolver *r, int unroll, int inner, lang_symbol_kind kind);
/* What lines below all unrolls call it: "g", or "a_g" if g is something else, too. */
enum { LANG_INSIDE_NAME = 2 * LANG_MOST_NAME + 2 };
const char *rv_lang_inside_name(const lang_block *b, int unroll, int inner,
                                char text[LANG_INSIDE_NAME]);

bool rv_lang_is_series(const lang_block *b, int symbol);
bool rv_lang_is_traced(const lang_symbol *s);
bool rv_lang_is_cell_weight(const lang_symbol *s);
bool rv_lang_has_cotangent(const lang_symbol *s);

#endif
