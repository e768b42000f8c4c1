/* Names in the bodies of cells, models, functions and derivations. */
#ifndef RV_LANG_RESOLVE_STATEMENTS_H
#define RV_LANG_RESOLVE_STATEMENTS_H

#include "lang/resolve/symbols.h"

/* From top to bottom: a name stands for what is above it. False, and reported: something is wrong. */
bool rv_lang_resolve_statements(lang_resolver *r, lang_node *s);

#endif
