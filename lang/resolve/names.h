/* Resolves the names in a text. */
#ifndef RV_LANG_RESOLVE_NAMES_H
#define RV_LANG_RESOLVE_NAMES_H

#include "lang/resolve/scope.h"

/* Adds the tree's definitions to the scope and resolves its names: sets `symbol` of names, and `op` or `block` of calls. */
void rv_lang_resolve(lang_scope *scope, lang_node *tree);

#endif
