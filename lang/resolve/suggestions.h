/* Reports unknown names, with a hint: did you mean another? */
#ifndef RV_LANG_RESOLVE_SUGGESTIONS_H
#define RV_LANG_RESOLVE_SUGGESTIONS_H

#include "lang/resolve/symbols.h"
#include "tensor/name_internal.h"

/* Each reports a node's name as unknown, once for each name. Returns false. */
bool rv_lang_unknown_value(lang_resolver *r, const lang_node *e);
bool rv_lang_unknown_function(lang_resolver *r, const lang_node *e);
bool rv_lang_unknown_cell(lang_resolver *r, const lang_node *call);
/* The same for an option of `of`. The guess has tried the options that exist. */
bool rv_lang_unknown_option(lang_resolver *r, const lang_node *o, const char *of, rv_guess *guess);

#endif
