#include "lang/resolve/unrolls.h"

#include <string.h>

#include "lang/resolve/expressions.h"
#include "lang/resolve/net_options.h"
#include "lang/resolve/suggestions.h"

/* The options of an unroll or an alias: those of nets, and in an unroll the states. */
bool rv_lang_resolve_options(lang_resolver *r, const lang_node *call, const lang_block *cell,
                             bool states)
{
    bool ok = true;
    for (lang_node *a = call->arguments; a; a = a->next) {
        if (a->kind != LANG_OPTION) continue;
        rv_guess g = {.seen = a->name};
        bool known = rv_lang_net_option(a->name, &g) >= 0;
        for (int s = 0; states && s < cell->states; s++) {
            const char *state = cell->symbol[cell->state[s]].name;
            known = known || !strcmp(state, a->name);
            rv_guess_try(&g, state);
        }
        ok = (known || rv_lang_unknown_option(r, a, call->name, &g)) &&
             rv_lang_resolve_expression(r, a->value) && ok;
    }
    return ok;
}

const lang_block *rv_lang_resolve_cell(lang_resolver *r, const lang_node *call)
{
    const lang_block *cell = rv_lang_find(r->scope, LANG_CELL, call->name);
    if (cell && cell != r->block) return cell;
    rv_lang_unknown_cell(r, call);
    return NULL;
}

bool rv_lang_resolve_unroll(lang_resolver *r, lang_node *e)
{
    lang_block *b = r->block;
    const lang_block *cell = rv_lang_resolve_cell(r, e->call);
    bool ok = cell && rv_lang_resolve_options(r, e->call, rv_lang_base(cell), true) &&
              (!e->steps || rv_lang_resolve_expression(r, e->steps));
    int inputs = 0;
    for (lang_node *a = e->call->arguments; a; a = a->next)
        if (a->kind != LANG_OPTION) {
            inputs++;
            ok = rv_lang_resolve_expression(r, a) && ok;
        }
    if (inputs != 1) ok = rv_lang_count_wrong(r, e->call, "one input");
    if (b->node->kind != LANG_MODEL || r->loops)
        return rv_lang_misnamed(r, e->location, "unroll is only allowed in a model%s",
                                r->loops ? ", outside of loops" : "");
    const lang_block **more =
        rv_lang_allocate(r->scope->arena, ((size_t)b->unrolls + 1) * sizeof *more);
    if (!more) return rv_lang_out_of_memory(r->scope->report);
    if (b->unrolls) memcpy(more, r->unrolled, (size_t)b->unrolls * sizeof *more);
    more[b->unrolls] = rv_lang_base(cell);
    r->unrolled = more;
    e->call->block = cell;
    e->symbol = b->unrolls++;
    return ok;
}
