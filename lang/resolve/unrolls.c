#include "lang/resolve/unrolls.h"

#include <string.h>

#include "lang/resolve/expressions.h"
#include "lang/resolve/net_options.h"
#include "lang/resolve/suggestions.h"

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

/* Adds a line to the unrolls of the block. */
static bool add_unroll(lang_resolver *r, const lang_node *line)
{
    lang_block *b = r->block;
    if (!(b->unrolls & (b->unrolls - 1))) { /* 0, 1, 2, 4, .. are full */
        const lang_node **more =
            rv_lang_allocate(r->scope->arena, (2 * (size_t)b->unrolls + 1) * sizeof *more);
        if (!more) return rv_lang_out_of_memory(r->scope->report);
        if (b->unrolls) memcpy(more, b->unroll, (size_t)b->unrolls * sizeof *more);
        b->unroll = more;
    }
    line->value->symbol = b->unrolls;
    b->unroll[b->unrolls++] = line;
    return true;
}

bool rv_lang_resolve_unroll(lang_resolver *r, lang_node *line)
{
    lang_node *e = line->value;
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
    if (r->block->node->kind != LANG_MODEL || r->loops)
        return rv_lang_misnamed(r, e->location, "unroll is only allowed in a model%s",
                                r->loops ? ", outside of loops" : "");
    if (line->target->kind != LANG_NAME)
        return rv_lang_misnamed(r, line->target->location,
                                "an unroll needs a name of its own, as in: h = unroll gru(x)");
    e->call->block = cell;
    return add_unroll(r, line) && ok;
}
