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

    /* If the name that was looked up last is in two unrolls: the name, and their lines. Otherwise
     * NULL. */
    const char *unclear;
    const lang_node *inside[2];
} lang_resolver;

/* Reports a problem with a name. Returns false. */
bool rv_lang_misnamed(const lang_resolver *r, lang_location location, const char *format, ...)
    RV_PRINTF(3, 4);
/* Reports that the name of `at` is already defined, as the symbol `first`. Returns false. */
bool rv_lang_redefined(lang_resolver *r, const lang_node *at, int first);

/* Whether the block can take no more names, which is reported. */
bool rv_lang_is_full(lang_resolver *r);
/* Adds a symbol and returns its index. Returns -1, and reports it, if there are too many, or when
 * out of memory. */
int rv_lang_add_symbol(lang_resolver *r, const char *name, lang_symbol_kind kind,
                       const lang_node *made);
/* The same for a cotangent of the symbol `target`; time -1: of no time step. */
int rv_lang_add_cotangent(lang_resolver *r, const char *name, int target, int time,
                          const lang_node *made);
/* Suppresses further reports about the name. */
void rv_lang_silence(lang_resolver *r, const char *name);

/* The latest symbol of that name in the block, or -1. Next values (h'), cotangents without a
 * definition (dC) and names inside unrolls are not found. */
int rv_lang_find_symbol(const lang_block *b, const char *name);
/* The same, but -1 for a name whose definition has a mistake. */
int rv_lang_find_right(const lang_block *b, const char *name);
/* The same without series: the value h if there are h and h[1]. */
int rv_lang_find_single(const lang_block *b, const char *name);
/* The latest series of that name, or -1. */
int rv_lang_find_series(const lang_block *b, const char *name);

/* What follows a name: nothing; one index, which may be a time step; several indices or a range. */
typedef enum lang_form { FORM_ALONE, FORM_AT_TIME, FORM_SLICED } lang_form;

/* The form of a name with these indices. */
lang_form rv_lang_form(const lang_node *indices);

/* Resolves a name in an expression: first as a name of the block, then as a value or a parameter
 * inside an unroll, then as a cotangent. If it returns false, either the name has no meaning and
 * e->symbol is -1, or a problem is reported. */
bool rv_lang_look_up(lang_resolver *r, lang_node *e, lang_form form);
/* The symbol of dX, the cotangent of X, or -1. Sets *time to the time step in a name like dC2,
 * otherwise to -1. */
int rv_lang_find_cotangent(lang_resolver *r, const char *name, lang_form form, int *time);
/* Reports that the name that was looked up last is in two unrolls. Returns false then, otherwise
 * true. */
bool rv_lang_is_clear(const lang_resolver *r, lang_location location);

/* Finds or adds the block's symbol for the cell's symbol `inner` in an unroll. Errors are those of
 * rv_lang_add_symbol. */
int rv_lang_enter(lang_resolver *r, int unroll, int inner, lang_symbol_kind kind);
/* The name of the cell's symbol `inner` in the block: "g", or "a_g" if g is also another name of
 * the block. */
enum { LANG_INSIDE_NAME = 2 * LANG_MOST_NAME + 2 };
const char *rv_lang_inside_name(const lang_block *b, int unroll, int inner,
                                char text[LANG_INSIDE_NAME]);

bool rv_lang_is_series(const lang_block *b, int symbol);
bool rv_lang_is_traced(const lang_symbol *s);
bool rv_lang_is_cell_weight(const lang_symbol *s);
bool rv_lang_has_cotangent(const lang_symbol *s);

#endif
