/* Resolves unrolls: the names of cells and of their options. */
#ifndef RV_LANG_RESOLVE_UNROLLS_H
#define RV_LANG_RESOLVE_UNROLLS_H

#include "lang/resolve/symbols.h"

/* The cell that is called. Returns NULL, and reports it, if there is none. */
const lang_block *rv_lang_resolve_cell(lang_resolver *r, const lang_node *call);
/* Resolves the options of an unroll or an alias: those of nets and, with `states`, initial values
 * of states. */
bool rv_lang_resolve_options(lang_resolver *r, const lang_node *call, const lang_block *cell,
                             bool states);
/* Resolves a line NAME = unroll .. */
bool rv_lang_resolve_unroll(lang_resolver *r, lang_node *line);

/* Whether the store has an entry of the symbol's name. */
bool rv_lang_is_stored(const lang_symbol *s);
/* Whether two blocks have an entry of the same name in the store. */
bool rv_lang_share_a_name(const lang_block *a, const lang_block *b);

/* ---- a line of a cell that takes a step of another cell: h', c' = lstm(x, h, c) ---- */

/* Resolves such a line, with *ok. False if it is none. */
bool rv_lang_resolve_inner(lang_resolver *r, lang_node *line, bool *ok);
/* Names what is inside these lines, after the last line of the cell. */
void rv_lang_name_inner(lang_resolver *r);
/* Which input or state of the cell an argument is, the inputs first; -1: none. `position` counts
 * those without a name. */
int rv_lang_inner_argument(const lang_block *cell, const lang_node *a, int *position);

static inline bool rv_lang_is_inner(const lang_node *line)
{
    const lang_node *v = line->value;
    return v->kind == LANG_CALL && v->block && v->block->node->kind == LANG_CELL;
}

#endif
