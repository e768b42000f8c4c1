/* Unknown names, and the hint: did you mean another? */
#ifndef RV_LANG_RESOLVE_SUGGESTIONS_H
#define RV_LANG_RESOLVE_SUGGESTIONS_H

#include "lang/resolve/symbols.h"
#include "tensor/name_internal.h"

/* Each reports a node's name as unknown, once for each name. Always false. */
bool rv_lang_unknown_value(lang_resolver *r, const lang_node *e);
bool rv_lang_unknown_function(lang_resolver *r, const lang_node *e);
bool rv_lang_unknown_cell(lang_resolver *r, const lang_node *call);
/* `of` has no option `o`; the guess has tried those that it has. */
bool rv_lang_unknown_option(lang_resolver *r, const lang_node *o, const char *of, rv_guess *guess);

#endif
