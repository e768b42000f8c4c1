/* Names in the bodies of cells, models, functions and derivations. */
#include "lang/resolve/statements.h"

#include <string.h>

#include "lang/resolve/expressions.h"
#include "lang/resolve/starts.h"
#include "lang/resolve/suggestions.h"
#include "lang/resolve/unrolls.h"
#include "ops/ops.h"

static const struct {
    const char *keyword;
    lang_symbol_kind symbol;
    lang_kind where;
} declarations[] = {
    {"state", SYMBOL_STATE, LANG_CELL},
    {"map", SYMBOL_MAP, LANG_CELL},
    {"fit", SYMBOL_FIT, LANG_CELL},
    {"bias", SYMBOL_BIAS, LANG_CELL},
    {"gain", SYMBOL_GAIN, LANG_CELL},
    {"activation", SYMBOL_ACTIVATION, LANG_CELL},
    {"parameter", SYMBOL_PARAMETER, LANG_CELL},
    {"parameter", SYMBOL_PARAMETER, LANG_MODEL},
    {"input", SYMBOL_INPUT, LANG_MODEL},
    {"constant", SYMBOL_CONSTANT, LANG_MODEL},
    {"constant", SYMBOL_CONSTANT, LANG_CELL},
};

static bool declaration(lang_resolver *r, lang_node *d, lang_symbol_kind kind)
{
    int first = rv_lang_find_right(r->block, d->name);
    bool word = kind == SYMBOL_ACTIVATION && d->start && d->start->kind == LANG_NAME;
    r->sizes = true;
    bool ok = !d->sizes || rv_lang_resolve_each(r, d->sizes->items);
    r->sizes = false;
    if (d->start && !word) ok = rv_lang_resolve_start(r, d, kind) && ok;
    if (word) d->start->op = rv_op_find(d->start->name);
    if (kind == SYMBOL_ACTIVATION && !(word && d->start->op)) {
        rv_guess g = {.seen = rv_lang_to_guess(r->scope->report, word ? d->start->name : "")};
        ok = rv_lang_misnamed(r, d->location,
                              "the activation \"%s\" needs an op, as in: activation s = tanh",
                              d->name);
        for (int i = 0; i < rv_op_count(); i++) rv_guess_try(&g, rv_op_at(i)->name);
        if (word) rv_lang_suggest(r->scope->report, d->start->sign, g.nearest);
    }
    if ((kind == SYMBOL_INPUT || kind == SYMBOL_CONSTANT) && !d->sizes)
        ok = rv_lang_misnamed(r, d->location, "\"%s\" needs a shape, as in: x[2,8]", d->name);
    if (first >= 0) return rv_lang_redefined(r, d, first);
    int symbol = rv_lang_add_symbol(r, d->name, kind, d);
    d->symbol = symbol;
    if (symbol < 0 || kind != SYMBOL_STATE) return ok && symbol >= 0;
    if (r->block->states == RV_CELL_STATES)
        return rv_lang_misnamed(r, d->location,
                                "\"%s\" is one state too many; a cell has at most %d", d->name,
                                RV_CELL_STATES);
    r->block->state[r->block->states++] = symbol;
    return ok;
}

static bool declare(lang_resolver *r, lang_node *s)
{
    bool ok = true;
    for (size_t i = 0; i < sizeof declarations / sizeof *declarations; i++) {
        if (strcmp(declarations[i].keyword, s->name) ||
            declarations[i].where != r->block->node->kind)
            continue;
        for (lang_node *d = s->declared; d; d = d->next)
            ok = declaration(r, d, declarations[i].symbol) && ok;
        return ok;
    }
    rv_lang_misnamed(r, s->sign, "\"%s\" cannot be declared here", s->name);
    for (size_t i = 0; i < sizeof declarations / sizeof *declarations; i++)
        if (!strcmp(declarations[i].keyword, s->name))
            rv_lang_add_hint(r->scope->report, "only a %s declares it",
                             declarations[i].where == LANG_CELL ? "cell" : "model");
    for (const lang_node *d = s->declared; d; d = d->next) rv_lang_silence(r, d->name);
    return false;
}

/* The next value of a state. */
static bool define_next(lang_resolver *r, lang_node *s)
{
    lang_node *of = s->target->operand;
    int state = rv_lang_find_symbol(r->block, of->name);
    if (state >= 0 && r->block->symbol[state].kind == SYMBOL_BROKEN) return false;
    if (state < 0 || r->block->symbol[state].kind != SYMBOL_STATE) {
        rv_guess g = {.seen = rv_lang_to_guess(r->scope->report, of->name)};
        r->block->broken = true; /* perhaps it was meant for another state */
        rv_lang_misnamed(r, s->target->location, "\"%s\" is not a state", of->name);
        for (int i = 0; i < r->block->states; i++)
            rv_guess_try(&g, r->block->symbol[r->block->state[i]].name);
        if (!rv_lang_suggest(r->scope->report, of->sign, g.nearest) &&
            r->block->node->kind == LANG_CELL)
            rv_lang_add_hint(r->scope->report, "declare it: state %s", of->name);
        return false;
    }
    if (r->block->symbol[state].next >= 0)
        return rv_lang_redefined(r, of, r->block->symbol[state].next);
    if (r->loops) {
        r->block->broken = true;
        rv_lang_misnamed(r, s->target->location, "%s' has one value in each step, and no loop",
                         of->name);
        rv_lang_add_hint(r->scope->report, "write y[k] = .. in the loop, and %s' = y[3] below it",
                         of->name);
        return false;
    }
    int next = rv_lang_add_symbol(r, of->name, SYMBOL_NEXT, s);
    if (next < 0) return false;
    r->block->symbol[state].next = next;
    s->target->symbol = next;
    return true;
}

/* Resolves the target of a line of a derivation: the quantity whose cotangent it states. */
static bool define_cotangent(lang_resolver *r, lang_node *s)
{
    lang_node *base = s->target->kind == LANG_INDEX ? s->target->base : s->target;
    if (s->target->kind == LANG_PRIME)
        return rv_lang_misnamed(r, s->target->location,
                                "%s' is a next state, which only a cell has",
                                s->target->operand->name);
    if (s->quantity) { /* name of quantity */
        lang_node *of = s->quantity->kind == LANG_INDEX ? s->quantity->base : s->quantity;
        int own = rv_lang_find_right(r->block, s->target->name ? s->target->name : "");
        if (s->target->kind != LANG_NAME || of->kind != LANG_NAME)
            return rv_lang_misnamed(r, s->target->location, "expected names, as in: d3 of f2 = ..");
        if (own >= 0) return rv_lang_redefined(r, s->target, own);
        if (!rv_lang_look_up(r, of,
                             s->quantity->kind == LANG_INDEX ? rv_lang_form(s->quantity->indices)
                                                             : FORM_ALONE))
            return of->symbol < 0 && rv_lang_unknown_value(r, of);
        if (!rv_lang_has_cotangent(&r->block->symbol[of->symbol]))
            return rv_lang_misnamed(r, of->location, "\"%s\" has no cotangent", of->name);
        const lang_node *at = s->quantity->kind == LANG_INDEX ? s->quantity->indices : NULL;
        if (s->quantity->kind == LANG_INDEX && !rv_lang_is_series(r->block, of->symbol))
            return rv_lang_misnamed(r, s->quantity->location, "\"%s\" has no time steps", of->name);
        if (s->quantity->kind == LANG_INDEX &&
            (!at || at->next || at->kind != LANG_NUMBER || at->number != (int)at->number))
            return rv_lang_misnamed(r, s->quantity->location,
                                    "the time step of \"%s\" must be a whole number here",
                                    of->name);
        s->target->symbol = rv_lang_add_cotangent(r, s->target->name, of->symbol,
                                                  at ? (int)at->number : of->time, s);
        return s->target->symbol >= 0;
    }
    int own = rv_lang_find_right(r->block, base->name);
    if (own >= 0 && r->block->symbol[own].kind != SYMBOL_COTANGENT)
        return rv_lang_redefined(r, base, own);
    bool index = s->target->kind == LANG_INDEX;
    if (index && !rv_lang_resolve_each(r, s->target->indices)) return false;
    base->symbol = rv_lang_find_cotangent(
        r, base->name, index ? rv_lang_form(s->target->indices) : FORM_ALONE, &base->time);
    if (base->symbol >= 0) return rv_lang_is_clear(r, base->location);
    rv_lang_misnamed(r, s->target->location, "\"%s\" is not the cotangent of anything", base->name);
    rv_lang_add_hint(r->scope->report, "write dg for g, or name it: %s of g = .., or: let %s = ..",
                     base->name, base->name);
    return false;
}

/* Resolves what a line defines. */
static bool define_target(lang_resolver *r, lang_node *s, bool ok)
{
    lang_kind where = r->block->node->kind;
    lang_node *base = s->target->kind == LANG_NAME ? s->target : s->target->base;
    bool let = s->helper;
    if (s->quantity && where != LANG_DERIVE)
        return rv_lang_misnamed(r, s->quantity->location, "\"of\" is only allowed in a derivation");
    if (where == LANG_DERIVE && !let) return define_cotangent(r, s) && ok;
    if (s->target->kind == LANG_PRIME) return define_next(r, s) && ok;
    if (s->target->kind == LANG_INDEX) {
        if (where == LANG_FUNCTION)
            return rv_lang_misnamed(
                r, s->target->location,
                "\"%s\" with a time step is only allowed in a cell, a model or a "
                "derivation",
                base->name);
        if (!rv_lang_resolve_each(r, s->target->indices)) return false;
        int other = where == LANG_CELL ? rv_lang_find_single(r->block, base->name) : -1;
        if (other >= 0) return rv_lang_redefined(r, base, other);
        int first = where == LANG_DERIVE ? r->block->model->symbols : 0; /* not the model's */
        base->symbol = rv_lang_find_series(r->block, base->name);
        if (base->symbol < first)
            base->symbol = rv_lang_add_symbol(r, base->name, SYMBOL_SERIES, s);
        return ok && base->symbol >= 0;
    }
    int own = rv_lang_find_single(r->block, base->name);
    if (own >= 0 && r->block->symbol[own].kind == SYMBOL_BROKEN) own = -1;
    if (own >= 0 && r->block->symbol[own].kind == SYMBOL_STATE) {
        r->block->broken = true; /* so the missing next value is not reported again */
        rv_lang_misnamed(r, base->location, "\"%s\" is a state, and is read only", base->name);
        rv_lang_add_hint(r->scope->report, "its next value is %s' = ..", base->name);
        return false;
    }
    if (own >= 0) return rv_lang_redefined(r, base, own);
    base->symbol = rv_lang_add_symbol(r, base->name, SYMBOL_VALUE, s);
    return ok && base->symbol >= 0;
}

static bool define(lang_resolver *r, lang_node *s)
{
    bool ok = true;
    if (s->value->kind == LANG_UNROLL)
        ok = rv_lang_resolve_unroll(r, s);
    else if (!rv_lang_resolve_inner(r, s, &ok))
        ok = rv_lang_resolve_expression(r, s->value);
    if (s->target->next && s->value->kind != LANG_UNROLL && !rv_lang_is_inner(s) && ok)
        ok = rv_lang_misnamed(r, s->target->next->location,
                              "several names on the left stand for the states of a cell, as in: "
                              "h, c = unroll lstm(x)");
    ok = define_target(r, s, ok);
    for (lang_node *t = s->target->next; t; t = t->next) {
        lang_node *line = rv_lang_allocate(r->scope->arena, sizeof *line); /* outlives this call */
        if (!line) return rv_lang_out_of_memory(r->scope->report);
        *line = *s;
        line->target = t;
        ok = define_target(r, line, ok);
    }
    return ok;
}

static bool loop(lang_resolver *r, lang_node *s)
{
    if (r->block->node->kind == LANG_FUNCTION) {
        r->block->broken = true;
        return rv_lang_misnamed(
            r, s->sign, "a loop over \"%s\" is only allowed in a cell, a model or a derivation",
            s->name);
    }
    bool ok = rv_lang_resolve_expression(r, s->from);
    ok = rv_lang_resolve_expression(r, s->to) && ok;
    ok = rv_lang_resolve_loop_name(r, s) && ok;
    r->loops++;
    ok = rv_lang_resolve_statements(r, s->body) && ok;
    r->loops--;
    return ok;
}

/* The names that a line with a syntax error would have defined count as defined, so that they are
 * not reported again. */
static bool broken(lang_resolver *r, const lang_node *s)
{
    r->block->broken = true;
    for (const lang_node *n = s->names; n; n = n->next) {
        int own = rv_lang_find_symbol(r->block, n->name);
        rv_lang_silence(r, n->name);
        if (!n->primed || own < 0 || r->block->symbol[own].kind != SYMBOL_STATE ||
            r->block->symbol[own].next >= 0)
            continue;
        int next = rv_lang_add_symbol(r, n->name, SYMBOL_NEXT, s);
        r->block->symbol[own].next = next; /* the array may have moved */
    }
    r->block->wrong = true;
    rv_lang_resolve_statements(r, s->body);
    return false;
}

static bool misplaced_return(lang_resolver *r, const lang_node *s)
{
    rv_lang_misnamed(r, s->location, "return is only allowed in a function");
    if (r->block->states)
        rv_lang_add_hint(r->scope->report, "the result of a cell is its first state: %s' = ..",
                         r->block->symbol[r->block->state[0]].name);
    return false;
}

bool rv_lang_resolve_statements(lang_resolver *r, lang_node *s)
{
    bool ok = true;
    for (; s && !r->scope->report->out_of_memory; s = s->next) {
        if (rv_lang_is_full(r)) return false;
        bool right = s->kind == LANG_DECLARE  ? declare(r, s)
                     : s->kind == LANG_DEFINE ? define(r, s)
                     : s->kind == LANG_FOR    ? loop(r, s)
                     : s->kind == LANG_BROKEN ? broken(r, s)
                     : r->block->node->kind != LANG_FUNCTION
                         ? misplaced_return(r, s)
                         : rv_lang_resolve_expression(r, s->value);
        ok = right && ok;
    }
    return ok;
}
