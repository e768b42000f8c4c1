#include "lang/resolve/unrolls.h"

#include <stdio.h>
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
        rv_guess g = {.seen = rv_lang_to_guess(r->scope->report, a->name)};
        bool known = rv_lang_net_option(a->name, &g) >= 0;
        for (int s = 0; states && s < cell->states; s++) {
            const char *state = cell->symbol[cell->state[s]].name;
            known = known || !strcmp(state, a->name);
            rv_guess_try(&g, state);
        }
        for (int i = 1; states && i < cell->inputs; i++) {
            const char *input = cell->symbol[cell->input[i]].name;
            known = known || !strcmp(input, a->name);
            rv_guess_try(&g, input);
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

/* Room for another item in an array of the arena, whose size is the power of two from `count`. NULL: out of memory, which is
 * reported. */
static void *with_room(lang_resolver *r, void *array, int count, size_t size)
{
    if (count & (count - 1)) return array; /* only 0, 1, 2, 4, .. are full */
    void *more = rv_lang_allocate(r->scope->arena, (2 * (size_t)count + 1) * size);
    if (!more) rv_lang_out_of_memory(r->scope->report);
    if (more && count) memcpy(more, array, (size_t)count * size);
    return more;
}

/* Adds an unroll to those of its cell. */
static bool add_cell(lang_resolver *r, const lang_node *line, int unroll)
{
    lang_block *b = r->block;
    const lang_block *cell = rv_lang_unrolled(b, unroll);
    for (int c = 0; c < b->cells; c++)
        if (b->cell[c].cell == cell) {
            if (b->cell[c].unroll[1] < 0) b->cell[c].unroll[1] = unroll;
            return true;
        }
    if (b->cells == LANG_MOST_CELLS)
        return rv_lang_misnamed(r, line->value->location,
                                "more than %d different cell(s) in one model; split the model",
                                LANG_MOST_CELLS);
    lang_unrolled_cell *more = with_room(r, b->cell, b->cells, sizeof *more);
    if (!more) return false;
    b->cell = more;
    b->cell[b->cells++] = (lang_unrolled_cell){cell, {unroll, -1}};
    return true;
}

/* Adds a line to the unrolls of the block. */
static bool add_unroll(lang_resolver *r, const lang_node *line)
{
    lang_block *b = r->block;
    const lang_node **more = with_room(r, b->unroll, b->unrolls, sizeof *more);
    if (!more) return false;
    b->unroll = more;
    line->value->symbol = b->unrolls;
    b->unroll[b->unrolls++] = line;
    return !line->value->call->block || add_cell(r, line, b->unrolls - 1);
}

/* Whether the call gives each input of the cell once: in order, or but for the first by name. */
static bool check_inputs(lang_resolver *r, const lang_node *call, const lang_block *cell)
{
    char expected[LANG_HINT] = "one input";
    size_t length = 0;
    bool fits = true;
    for (int i = 0; i < cell->inputs; i++) {
        const char *name = cell->symbol[cell->input[i]].name;
        int position = 0, given = 0;
        for (const lang_node *a = call->arguments; a; a = a->next)
            given += a->kind == LANG_OPTION ? i && !strcmp(a->name, name) : position++ == i;
        fits = fits && given == 1 && position <= cell->inputs;
        if (cell->inputs > 1 && length < sizeof expected)
            length += (size_t)snprintf(expected + length, sizeof expected - length, "%s%.63s",
                                       !i                     ? "the inputs "
                                       : i + 1 < cell->inputs ? ", "
                                                              : " and ",
                                       name);
    }
    return fits || rv_lang_count_wrong(r, call, expected);
}

bool rv_lang_resolve_unroll(lang_resolver *r, lang_node *line)
{
    lang_node *e = line->value;
    const lang_block *cell = rv_lang_resolve_cell(r, e->call);
    bool ok = cell && rv_lang_resolve_options(r, e->call, rv_lang_base(cell), true) &&
              (!e->steps || rv_lang_resolve_expression(r, e->steps));
    for (lang_node *a = e->call->arguments; a; a = a->next)
        if (a->kind != LANG_OPTION) ok = rv_lang_resolve_expression(r, a) && ok;
    if (cell && rv_lang_base(cell)) ok = check_inputs(r, e->call, rv_lang_base(cell)) && ok;
    if (r->block->node->kind != LANG_MODEL || r->loops)
        return rv_lang_misnamed(r, e->location, "unroll is only allowed in a model%s",
                                r->loops ? ", outside of loops" : "");
    if (line->target->kind != LANG_NAME)
        return rv_lang_misnamed(r, line->target->location,
                                "an unroll needs a name of its own, as in: h = unroll gru(x)");
    e->call->block = cell;
    return add_unroll(r, line) && ok;
}
