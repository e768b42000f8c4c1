/* Resolves the names in a text. */
#ifndef RV_LANG_RESOLVE_NAMES_H
#define RV_LANG_RESOLVE_NAMES_H

#include "lang/resolve/scope.h"

/* Adds the tree's definitions to the scope and resolves its names: sets `symbol` of names, and `op`
 * or `block` of calls. */
void rv_lang_resolve(lang_scope *scope, lang_node *tree);

/* Adds symbols for the values and weights of unrolled cells to a derivation: a repair may need one
 * that the text does not mention. False: out of memory, which is reported. */
bool rv_lang_name_everything(lang_scope *scope, lang_block *derivation);

#endif
