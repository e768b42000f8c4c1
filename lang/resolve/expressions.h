/* Names in expressions. */
#ifndef RV_LANG_RESOLVE_EXPRESSIONS_H
#define RV_LANG_RESOLVE_EXPRESSIONS_H

#include "lang/resolve/symbols.h"

/* Resolves the names in an expression, which may be NULL. Returns false after a mistake, which is
 * reported. */
bool rv_lang_resolve_expression(lang_resolver *r, lang_node *e);
/* The same for each expression of a list. */
bool rv_lang_resolve_each(lang_resolver *r, lang_node *list);
/* The name of a loop's time step, known from here on. */
bool rv_lang_resolve_loop_name(lang_resolver *r, lang_node *e);

/* Whether the name is that of a function that is a part of the language, and not an op or a
 * text's. */
bool rv_lang_built_in(const char *name);

/* Reports that a call has the wrong number of values. Returns false. */
bool rv_lang_count_wrong(lang_resolver *r, const lang_node *e, const char *expected);

#endif
