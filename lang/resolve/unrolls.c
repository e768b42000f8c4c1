#include "lang/resolve/unrolls.h"

#include <stdio.h>
#include <string.h>

#include "lang/resolve/expressions.h"
#include "lang/resolve/net_options.h"
#include "lang/resolve/suggestions.h"
#include "ops/ops.h"
#include "tensor/text_internal.h"

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

/* Room for another item in an array of the arena, whose size is the power of two from `count`.
 * NULL: out of memory, which is reported. */
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
static bool add_line(lang_resolver *r, const lang_node *line)
{
    lang_block *b = r->block;
    const lang_node **more = with_room(r, b->unroll, b->unrolls, sizeof *more);
    if (!more) return false;
    b->unroll = more;
    b->unroll[b->unrolls++] = line;
    return true;
}

static bool add_unroll(lang_resolver *r, const lang_node *line)
{
    lang_block *b = r->block;
    line->value->symbol = b->unrolls;
    return add_line(r, line) && (!line->value->call->block || add_cell(r, line, b->unrolls - 1));
}

/* Whether the call gives each input of the cell once: in order, or but for the first by name. */
static bool check_inputs(lang_resolver *r, const lang_node *call, const lang_block *cell)
{
    char expected[LANG_HINT] = "one input";
    rv_text to = {expected, expected + sizeof expected};
    bool fits = true;
    for (int i = 0; i < cell->inputs; i++) {
        const char *name = cell->symbol[cell->input[i]].name;
        int position = 0, given = 0;
        for (const lang_node *a = call->arguments; a; a = a->next)
            given += a->kind == LANG_OPTION ? i && !strcmp(a->name, name) : position++ == i;
        fits = fits && given == 1 && position <= cell->inputs;
        if (cell->inputs > 1)
            rv_put(&to, "%s%s", !i ? "the inputs " : i + 1 < cell->inputs ? ", " : " and ", name);
    }
    return fits || rv_lang_count_wrong(r, call, expected);
}

/* Whether the cell has a state for each name on the left. */
static bool check_targets(lang_resolver *r, const lang_node *line, const lang_node *call,
                          const lang_block *cell)
{
    int targets = 0;
    for (const lang_node *t = line->target; t; t = t->next) targets++;
    return !cell || targets <= cell->states ||
           rv_lang_misnamed(r, line->target->location,
                            "%s has %d state(s), but %d name(s) are given", call->name,
                            cell->states, targets);
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
    for (const lang_node *t = line->target; t; t = t->next)
        if (t->kind != LANG_NAME)
            return rv_lang_misnamed(r, t->location,
                                    "an unroll needs a name of its own, as in: h = unroll gru(x)");
    ok = check_targets(r, line, e->call, rv_lang_base(cell)) && ok;
    e->call->block = cell;
    return add_unroll(r, line) && ok;
}

/* ---- names of parameters ---- */

bool rv_lang_is_stored(const lang_symbol *s)
{
    return rv_lang_is_cell_weight(s) || s->kind == SYMBOL_CONSTANT ||
           (s->kind == SYMBOL_STATE && s->definition->drawn);
}

bool rv_lang_share_a_name(const lang_block *a, const lang_block *b)
{
    for (int i = 0; i < a->symbols; i++) {
        int other =
            rv_lang_is_stored(&a->symbol[i]) ? rv_lang_find_symbol(b, a->symbol[i].name) : -1;
        if (other >= 0 && rv_lang_is_stored(&b->symbol[other])) return true;
    }
    return false;
}

/* ---- cells inside cells ---- */

static bool is_inner(lang_resolver *r, const lang_node *call)
{
    if (call->kind != LANG_CALL || r->block->node->kind != LANG_CELL) return false;
    return rv_lang_find_symbol(r->block, call->name) < 0 && strcmp(call->name, "size") != 0 &&
           !rv_op_find(call->name) && !rv_lang_find(r->scope, LANG_FUNCTION, call->name) &&
           rv_lang_find(r->scope, LANG_CELL, call->name);
}

/* The name of input or state i of a cell, the inputs first. */
static const char *argument_name(const lang_block *cell, int i)
{
    return cell->symbol[i < cell->inputs ? cell->input[i] : cell->state[i - cell->inputs]].name;
}

int rv_lang_inner_argument(const lang_block *cell, const lang_node *a, int *position)
{
    int all = cell->inputs + cell->states, i = a->kind == LANG_OPTION ? 0 : (*position)++;
    while (a->kind == LANG_OPTION && i < all && strcmp(argument_name(cell, i), a->name)) i++;
    return i < all ? i : -1;
}

/* Whether the call gives each input and each state once. */
static bool check_arguments(lang_resolver *r, lang_node *call, const lang_block *cell)
{
    enum { MOST = RV_CELL_INPUTS + 1 + RV_CELL_STATES };
    char expected[LANG_HINT] = "";
    int given[MOST] = {0}, position = 0, all = cell->inputs + cell->states;
    rv_text to = {expected, expected + sizeof expected};
    bool ok = true, fits = true;
    for (lang_node *a = call->arguments; a; a = a->next) {
        int i = rv_lang_inner_argument(cell, a, &position);
        rv_guess g = {.seen = rv_lang_to_guess(r->scope->report, a->name)};
        if (i >= 0) given[i]++;
        bool option = i < 0 && a->kind == LANG_OPTION;
        int known = option ? rv_lang_net_option(a->name, &g) : -1;
        if (option && known < 0)
            ok = rv_lang_unknown_option(r, a, call->name, &g);
        else if (option && !rv_lang_is_cell_option(known))
            ok = rv_lang_misnamed(r, a->location, "\"%s\" is an option of unroll, not of a step",
                                  a->name);
        if (option && !strcmp(a->name, "name") && a->value->kind == LANG_TEXT)
            call->word = a->value->name;
        ok = rv_lang_resolve_expression(r, a->kind == LANG_OPTION ? a->value : a) && ok;
    }
    for (int i = 0; i < all; i++) {
        fits = fits && given[i] == 1 && position <= all;
        rv_put(&to, "%s%s", !i ? "its inputs and states: " : ", ", argument_name(cell, i));
    }
    return (fits || (ok && rv_lang_count_wrong(r, call, expected))) && ok && fits;
}

bool rv_lang_resolve_inner(lang_resolver *r, lang_node *line, bool *ok)
{
    lang_node *call = line->value;
    if (!is_inner(r, call)) return false;
    if (rv_lang_find(r->scope, LANG_CELL, call->name) == r->block) {
        rv_lang_resolve_each(r, call->arguments);
        *ok = rv_lang_misnamed(r, call->sign, "the cell \"%s\" would be inside itself", call->name);
        return true;
    }
    const lang_block *cell = rv_lang_resolve_cell(r, call), *base = rv_lang_base(cell);
    *ok = base && check_arguments(r, call, base);
    *ok = check_targets(r, line, call, base) && *ok;
    call->block = base ? cell : NULL;
    if (!base || base->wrong) r->block->wrong = true;
    if (!base) return true;
    r->block->images = r->block->images || base->images;
    if (r->block->unrolls == LANG_MOST_CELLS) {
        *ok = rv_lang_misnamed(r, call->location, "more than %d cell(s) inside one; split it",
                               LANG_MOST_CELLS);
        return true;
    }
    call->time = r->block->unrolls;
    r->scope->symbols += base->symbols;
    *ok = !rv_lang_is_full(r) && add_line(r, line) && *ok;
    return true;
}

/* The first name on the left. */
static const char *target_name(const lang_node *line)
{
    const lang_node *t = line->target;
    return (t->kind == LANG_NAME ? t : t->child[0])->name;
}

/* Whether the cell itself or another line has a parameter with the name of one inside line u. */
static bool clashes(const lang_block *b, int u)
{
    const lang_block *cell = rv_lang_unrolled(b, u);
    bool clash = rv_lang_share_a_name(cell, b);
    for (int v = 0; !clash && v < b->unrolls; v++)
        clash = v != u && rv_lang_share_a_name(cell, rv_lang_unrolled(b, v));
    return clash;
}

/* Sets what is before the names of the parameters inside each line. */
static void set_prefixes(lang_resolver *r)
{
    lang_block *b = r->block;
    for (int u = 0; u < b->unrolls; u++) {
        lang_node *call = b->unroll[u]->value;
        bool named = call->word || !clashes(b, u);
        if (!named) call->word = target_name(b->unroll[u]);
        for (int v = 0; !named && v < u; v++) {
            if (!b->unroll[v]->value->word || strcmp(b->unroll[v]->value->word, call->word))
                continue;
            rv_lang_misnamed(r, call->location,
                             "the parameters of two cells would be called \"%s/..\"", call->word);
            rv_lang_add_hint(r->scope->report, "give each a name: %s(.., name=\"%s2\")", call->name,
                             call->word);
            break;
        }
    }
}

static bool is_visible(const lang_symbol *s)
{
    return s->kind == SYMBOL_VALUE || s->kind == SYMBOL_CONSTANT || rv_lang_is_cell_weight(s);
}

/* Whether another line has the name, too. */
static bool is_elsewhere(const lang_block *b, int u, const char *name)
{
    for (int v = 0; v < b->unrolls; v++) {
        const lang_block *cell = rv_lang_unrolled(b, v);
        int i = v != u ? rv_lang_find_symbol(cell, name) : -1;
        if (i >= 0 && is_visible(&cell->symbol[i])) return true;
    }
    return false;
}

/* A text of the arena: before, sign, after. */
static const char *joined(lang_resolver *r, const char *before, char sign, const char *after)
{
    char text[256];
    snprintf(text, sizeof text, "%.120s%c%.120s", before, sign, after);
    const char *kept = rv_lang_copy(r->scope->arena, text, strlen(text));
    if (!kept) rv_lang_out_of_memory(r->scope->report);
    return kept;
}

/* Makes a value or parameter inside line u known in the cell, so that it can be named in
 * derivations. */
static bool enter_inner(lang_resolver *r, int u, int inner)
{
    lang_block *b = r->block;
    const lang_block *cell = rv_lang_unrolled(b, u);
    const lang_symbol *s = &cell->symbol[inner];
    const char *prefix = b->unroll[u]->value->word, *stored = s->stored ? s->stored : s->name,
               *name = s->name;
    bool taken = rv_lang_find_symbol(b, name) >= 0 || is_elsewhere(b, u, name);
    if (taken) name = joined(r, target_name(b->unroll[u]), '_', name);
    if (prefix) stored = joined(r, prefix, '/', stored);
    if (!name || !stored || rv_lang_find_symbol(b, name) >= 0) return name && stored;
    int i = rv_lang_add_symbol(r, name, s->kind, s->definition);
    if (i < 0) return false;
    b->symbol[i].stored = stored;
    b->symbol[i].line = u;
    b->symbol[i].inner = inner;
    return true;
}

void rv_lang_name_inner(lang_resolver *r)
{
    lang_block *b = r->block;
    if (b->wrong) return;
    set_prefixes(r);
    for (int u = 0; u < b->unrolls; u++) {
        const lang_block *cell = rv_lang_unrolled(b, u);
        for (int i = 0; i < cell->symbols; i++)
            if (is_visible(&cell->symbol[i]) &&
                (b->symbols + 1 >= LANG_MOST_NAMES || !enter_inner(r, u, i)))
                return;
    }
}
