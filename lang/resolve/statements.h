/* Names in the bodies of cells, models, functions and derivations. */
#ifndef RV_LANG_RESOLVE_STATEMENTS_H
#define RV_LANG_RESOLVE_STATEMENTS_H

#include "lang/resolve/symbols.h"

/* Resolves statements from top to bottom. Returns false after a mistake, which is reported. */
bool rv_lang_resolve_statements(lang_resolver *r, lang_node *s);

#endif
