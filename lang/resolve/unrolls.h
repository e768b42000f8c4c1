/* Resolves unrolls: the names of cells and of their options. */
#ifndef RV_LANG_RESOLVE_UNROLLS_H
#define RV_LANG_RESOLVE_UNROLLS_H

#include "lang/resolve/symbols.h"

/* The cell that is called. Returns NULL, and reports it, if there is none. */
const lang_block *rv_lang_resolve_cell(lang_resolver *r, const lang_node *call);
/* Resolves the options of an unroll or an alias: those of nets and, with `states`, initial values of states. */
bool rv_lang_resolve_options(lang_resolver *r, const lang_node *call, const lang_block *cell,
                             bool states);
/* Resolves a line NAME = unroll .. */
bool rv_lang_resolve_unroll(lang_resolver *r, lang_node *line);

#endif
