/* From top to bottom: a name stands for what is above it. */
#include "lang/names.h"

#include <stdio.h>
#include <string.h>

#include "lang/options.h"
#include "lang/symbols.h"
#include "ops/descriptors_internal.h"
#include "ops/ops.h"
#include "tensor/memory.h"
#include "tensor/name_internal.h"

/* ---- did you mean ---- */

static void guess_symbols(rv_guess *g, const lang_block *b)
{
    for (int i = 0; b && i < b->symbols; i++)
        if (b->symbol[i].kind != SYMBOL_BROKEN) rv_guess_try(g, b->symbol[i].name);
}

static bool unknown_value(lang_resolver *r, const lang_node *e)
{
    rv_guess g = {.seen = e->name};
    rv_lang_misnamed(r, e->sign, "nothing above is called \"%s\"", e->name);
    if (r->scope->report->more) return false;
    guess_symbols(&g, r->block);
    for (int u = 0; u < r->block->unrolls; u++) guess_symbols(&g, r->unrolled[u]);
    if (g.nearest)
        rv_lang_advise(r->scope->report, "did you mean \"%s\"?", g.nearest);
    else if (r->sizes)
        rv_lang_advise(r->scope->report,
                       r->block->node->kind == LANG_MODEL ? "a size is declared: model %s(%s=2)"
                                                          : "a size is a number, or units",
                       r->block->name, e->name);
    else if (r->block->node->kind == LANG_CELL)
        rv_lang_advise(r->scope->report, "a weight is declared: map %s, bias %s, ..", e->name,
                       e->name);
    else if (r->block->node->kind == LANG_MODEL)
        rv_lang_advise(r->scope->report, "a parameter has a shape: %s[3,4]", e->name);
    rv_lang_keep_quiet(r, e->name);
    return false;
}

static bool unknown_function(lang_resolver *r, const lang_node *e)
{
    rv_guess g = {.seen = e->name};
    rv_lang_misnamed(r, e->sign, "there is no op and no function \"%s\"", e->name);
    if (r->scope->report->more) return false;
    for (int i = 0; i < rv_op_count(); i++) rv_guess_try(&g, rv_op_at(i)->name);
    for (const lang_block *b = r->scope->first; b; b = b->next)
        if (b->node->kind == LANG_FUNCTION) rv_guess_try(&g, b->name);
    static const char *const usual[] = {"conv", "true_conv", "full_conv", "flatten",
                                        "pad1", "rot180",    "size"};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) rv_guess_try(&g, usual[i]);
    if (r->block->node->kind == LANG_CELL) guess_symbols(&g, r->block);
    if (g.nearest)
        rv_lang_advise(r->scope->report, "did you mean \"%s\"?", g.nearest);
    else if (rv_lang_find_symbol(r->block, e->name) >= 0)
        rv_lang_advise(r->scope->report, "a product is written %s.(..)", e->name);
    rv_lang_keep_quiet(r, e->name);
    return false;
}

/* ---- expressions ---- */

static bool expression(lang_resolver *r, lang_node *e);

static bool each(lang_resolver *r, lang_node *list)
{
    bool ok = true;
    for (; list; list = list->next) ok = expression(r, list) && ok;
    return ok;
}

static const rv_option *find_option(const rv_op *op, const char *name)
{
    for (int i = 0; i < op->option_count; i++)
        if (!strcmp(op->options[i].name, name)) return &op->options[i];
    return NULL;
}

static bool unknown_option(lang_resolver *r, const lang_node *o, const char *of, rv_guess *g)
{
    r->block->wrong = true;
    rv_lang_complain(r->scope->report, o->sign, RV_ERROR_NAME, "%s has no option \"%s\"", of,
                     o->name);
    if (g->nearest) rv_lang_advise(r->scope->report, "did you mean \"%s\"?", g->nearest);
    return false;
}

static bool count_wrong(lang_resolver *r, const lang_node *e, const char *expected)
{
    r->block->wrong = true;
    return rv_lang_complain(r->scope->report, e->place, RV_ERROR_ARGUMENT, "%s takes %s", e->name,
                            expected);
}

static bool op_arguments(lang_resolver *r, lang_node *e, const rv_op *op)
{
    bool ok = true;
    int inputs = 0;
    for (lang_node *a = e->a; a; a = a->next) {
        const rv_option *option = NULL;
        if (a->kind == LANG_OPTION) {
            rv_guess g = {.seen = a->name};
            for (int i = 0; i < op->option_count; i++) rv_guess_try(&g, op->options[i].name);
            option = find_option(op, a->name);
            if (!option) ok = unknown_option(r, a, op->name, &g);
        } else if (op->inputs >= 0 && inputs >= op->inputs) {
            int place = inputs++ - op->inputs;
            option = place < op->option_count ? &op->options[place] : NULL;
        } else {
            inputs++;
        }
        lang_node *value = a->kind == LANG_OPTION ? a->a : a;
        bool word = option && option->kind == RV_OPTION_WORD && value->kind == LANG_NAME;
        if (!word) ok = expression(r, value) && ok;
    }
    if (inputs < (op->inputs < 0 ? 1 : op->inputs) ||
        (op->inputs >= 0 && inputs > op->inputs + op->option_count)) {
        char expected[200];
        snprintf(expected, sizeof expected, "%s%.40s: %.100s",
                 op->inputs < 0 ? "at least one value " : "", op->args, op->formula);
        ok = count_wrong(r, e, expected);
    }
    return ok;
}

static bool function_arguments(lang_resolver *r, lang_node *e)
{
    int count = 0;
    for (const lang_node *a = e->a; a; a = a->next, count++)
        if (a->kind == LANG_OPTION) {
            rv_guess g = {.seen = a->name};
            return unknown_option(r, a, e->name, &g);
        }
    if (e->block->broken) {
        r->block->wrong = true;
        each(r, e->a);
        return false;
    }
    char expected[40];
    snprintf(expected, sizeof expected, "%d value%s", e->block->arguments,
             e->block->arguments == 1 ? "" : "s");
    return each(r, e->a) && (count == e->block->arguments || count_wrong(r, e, expected));
}

static bool call(lang_resolver *r, lang_node *e)
{
    int own = rv_lang_find_symbol(r->block, e->name);
    lang_symbol_kind kind = own >= 0 ? r->block->symbol[own].kind : SYMBOL_VALUE;
    if (kind == SYMBOL_BROKEN) {
        each(r, e->a);
        return false;
    }
    if (kind == SYMBOL_MAP || kind == SYMBOL_FIT || kind == SYMBOL_ACTIVATION) {
        e->symbol = own;
        return each(r, e->a) && ((e->a && !e->a->next && e->a->kind != LANG_OPTION) ||
                                 count_wrong(r, e, "one value"));
    }
    if (!strcmp(e->name, "size"))
        return each(r, e->a) && ((e->a && e->a->next && !e->a->next->next) ||
                                 count_wrong(r, e, "a value and an axis, as in size(x, 0)"));
    e->block = rv_lang_find_own(r->scope, LANG_FUNCTION, e->name);
    if (!e->block) e->op = rv_op_find(e->name);
    if (!e->block && !e->op) e->block = rv_lang_find(r->scope, LANG_FUNCTION, e->name);
    if (!e->block && !e->op && r->block->node->kind == LANG_FUNCTION &&
        !strcmp(e->name, r->block->name))
        return rv_lang_misnamed(
            r, e->sign, "\"%s\" calls itself; loops are written for t from 1 to 3", e->name);
    if (!e->block && !e->op) {
        each(r, e->a);
        return unknown_function(r, e);
    }
    if (e->op ? e->op == &rv_op_conv2d : e->block->images) r->block->images = true;
    if (e->block && e->block->wrong && r->block->node->kind != LANG_MODEL) r->block->wrong = true;
    return e->op ? op_arguments(r, e, e->op) : function_arguments(r, e);
}

static bool apply(lang_resolver *r, lang_node *e)
{
    int own = rv_lang_find_symbol(r->block, e->name);
    lang_symbol_kind kind = own >= 0 ? r->block->symbol[own].kind : SYMBOL_VALUE;
    e->symbol = own;
    char of[40];
    if (own < 0) unknown_value(r, e);
    if (own < 0 || kind == SYMBOL_MAP || kind == SYMBOL_FIT || kind == SYMBOL_BROKEN)
        return expression(r, e->a) && own >= 0 && kind != SYMBOL_BROKEN;
    int other = e->a->kind == LANG_NAME ? rv_lang_find_symbol(r->block, e->a->name) : -1;
    bool turned = other >= 0 && r->block->symbol[other].kind == SYMBOL_MAP;
    rv_lang_expression(e->a, of, sizeof of);
    rv_lang_misnamed(r, e->sign, "\"%s\" is no map", e->name);
    if (turned)
        rv_lang_advise(r->scope->report, "the map comes first: %s %s", of, e->name);
    else
        rv_lang_advise(r->scope->report, "a product is written %s.%s, one of matrices %s @ %s",
                       e->name, of, e->name, of);
    return false;
}

static bool may_declare(const lang_resolver *r)
{
    return r->block->node->kind == LANG_CELL || r->block->node->kind == LANG_MODEL;
}

static bool index_of(lang_resolver *r, lang_node *e)
{
    bool ok = each(r, e->b);
    if (e->a->kind != LANG_NAME) return expression(r, e->a) && ok;
    if (rv_lang_look_up(r, e->a, true)) return ok;
    if (!may_declare(r)) return unknown_value(r, e->a);
    e->a->symbol = rv_lang_add_symbol(r, e->a->name, SYMBOL_PARAMETER, e);
    return ok && e->a->symbol >= 0;
}

static bool name(lang_resolver *r, lang_node *e)
{
    if (!rv_lang_look_up(r, e, false)) return e->symbol < 0 && unknown_value(r, e);
    switch (r->block->symbol[e->symbol].kind) {
    case SYMBOL_BROKEN: return false;
    case SYMBOL_MAP:
    case SYMBOL_FIT:
        return rv_lang_misnamed(r, e->place, "the map \"%s\" has no argument; as in: W h", e->name);
    case SYMBOL_ACTIVATION:
        return rv_lang_misnamed(r, e->place, "the activation \"%s\" has no argument; as in: s(x)",
                                e->name);
    default: return true;
    }
}

static bool prime(lang_resolver *r, lang_node *e)
{
    int own = e->a->kind == LANG_NAME ? rv_lang_find_symbol(r->block, e->a->name) : -1;
    if (own < 0 || r->block->symbol[own].kind != SYMBOL_STATE) return expression(r, e->a);
    e->symbol = r->block->symbol[own].next;
    return e->symbol >= 0 || rv_lang_misnamed(r, e->place,
                                              "the next value of \"%s\" is not known yet; it is "
                                              "what a line above must define",
                                              e->a->name);
}

/* The name of a loop's step, known from here on. */
static bool loop_name(lang_resolver *r, lang_node *e)
{
    e->symbol = rv_lang_find_right(r->block, e->name);
    const lang_symbol *s = e->symbol >= 0 ? &r->block->symbol[e->symbol] : NULL;
    bool steps = s && s->made && (s->made->kind == LANG_FOR || s->made->kind == LANG_SUM);
    if (s && !steps) return rv_lang_second(r, e, e->symbol);
    if (e->symbol < 0) e->symbol = rv_lang_add_symbol(r, e->name, SYMBOL_SIZE, e);
    return e->symbol >= 0;
}

static bool expression(lang_resolver *r, lang_node *e)
{
    if (!e) return true;
    switch (e->kind) {
    case LANG_SUM: {
        bool ok = expression(r, e->a);
        ok = expression(r, e->b) && ok;
        return loop_name(r, e) && expression(r, e->c) && ok;
    }
    case LANG_NAME: return name(r, e);
    case LANG_CALL: return call(r, e);
    case LANG_APPLY: return apply(r, e);
    case LANG_INDEX: return index_of(r, e);
    case LANG_PRIME: return prime(r, e);
    case LANG_LIST: return each(r, e->a);
    case LANG_NUMBER:
    case LANG_TEXT:
    case LANG_HOLE: return true;
    default: {
        bool ok = expression(r, e->a);
        return expression(r, e->b) && ok;
    }
    }
}

/* ---- unrolling ---- */

static const lang_block *base_of(const lang_block *cell)
{
    while (cell && cell->same) cell = cell->same;
    return cell;
}

/* The options of an unroll or an alias: those of nets, and in an unroll the states. */
static bool net_options(lang_resolver *r, const lang_node *call, const lang_block *cell,
                        bool states)
{
    bool ok = true;
    for (lang_node *a = call->a; a; a = a->next) {
        if (a->kind != LANG_OPTION) continue;
        rv_guess g = {.seen = a->name};
        bool known = rv_lang_net_option(a->name, &g) >= 0;
        for (int s = 0; states && s < cell->states; s++) {
            const char *state = cell->symbol[cell->state[s]].name;
            known = known || !strcmp(state, a->name);
            rv_guess_try(&g, state);
        }
        ok = (known || unknown_option(r, a, call->name, &g)) && expression(r, a->a) && ok;
    }
    return ok;
}

static const lang_block *find_cell(lang_resolver *r, const lang_node *call)
{
    const lang_block *cell = rv_lang_find(r->scope, LANG_CELL, call->name);
    if (cell && cell != r->block) return cell;
    rv_guess g = {.seen = call->name};
    rv_lang_misnamed(r, call->sign, "there is no cell \"%s\"", call->name);
    for (const lang_block *b = r->scope->first; b; b = b->next)
        if (b->node->kind == LANG_CELL && b != r->block) rv_guess_try(&g, b->name);
    rv_lang_guess_zoo(&g);
    if (g.nearest) rv_lang_advise(r->scope->report, "did you mean \"%s\"?", g.nearest);
    return NULL;
}

static bool unroll(lang_resolver *r, lang_node *e)
{
    lang_block *b = r->block;
    const lang_block *cell = find_cell(r, e->a);
    bool ok = cell && net_options(r, e->a, base_of(cell), true) && (!e->b || expression(r, e->b));
    int inputs = 0;
    for (lang_node *a = e->a->a; a; a = a->next)
        if (a->kind != LANG_OPTION) {
            inputs++;
            ok = expression(r, a) && ok;
        }
    if (inputs != 1) ok = count_wrong(r, e->a, "one input");
    if (b->node->kind != LANG_MODEL || r->loops)
        return rv_lang_misnamed(r, e->place, "unroll belongs into a model%s",
                                r->loops ? ", and not into a loop" : "");
    const lang_block **more =
        rv_lang_take(r->scope->arena, ((size_t)b->unrolls + 1) * sizeof *more);
    if (!more) return rv_lang_no_memory(r->scope->report);
    if (b->unrolls) memcpy(more, r->unrolled, (size_t)b->unrolls * sizeof *more);
    more[b->unrolls] = base_of(cell);
    r->unrolled = more;
    e->a->block = cell;
    e->symbol = b->unrolls++;
    return ok;
}

/* ---- statements ---- */

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
    bool distribution = d->b && d->b->kind == LANG_CALL &&
                        (!strcmp(d->b->name, "uniform") || !strcmp(d->b->name, "normal") ||
                         !strcmp(d->b->name, "integer"));
    bool word = d->b && d->b->kind == LANG_NAME &&
                (kind == SYMBOL_ACTIVATION || !strcmp(d->b->name, "identity"));
    r->sizes = true;
    bool ok = !d->a || each(r, d->a->a);
    r->sizes = false;
    if (distribution)
        ok = each(r, d->b->a) && ok;
    else if (d->b && !word && d->number == 0)
        ok = expression(r, d->b) && ok;
    if (d->number != 0 && !distribution)
        ok = rv_lang_misnamed(r, d->b->place,
                              "expected uniform(low, high), normal(mean, deviation) or "
                              "integer(low, high) behind ~%s",
                              "");
    if (kind == SYMBOL_ACTIVATION && !(word && rv_op_find(d->b->name))) {
        rv_guess g = {.seen = word ? d->b->name : ""};
        ok = rv_lang_misnamed(
            r, d->place, "the activation \"%s\" needs an op, as in: activation s = tanh", d->name);
        for (int i = 0; i < rv_op_count(); i++) rv_guess_try(&g, rv_op_at(i)->name);
        if (g.nearest) rv_lang_advise(r->scope->report, "did you mean \"%s\"?", g.nearest);
    }
    if ((kind == SYMBOL_INPUT || kind == SYMBOL_CONSTANT) && !d->a)
        ok = rv_lang_misnamed(r, d->place, "\"%s\" needs a shape, as in: x[2,8]", d->name);
    if (first >= 0) return rv_lang_second(r, d, first);
    int symbol = rv_lang_add_symbol(r, d->name, kind, d);
    d->symbol = symbol;
    if (symbol < 0 || kind != SYMBOL_STATE) return ok && symbol >= 0;
    if (r->block->states == RV_CELL_STATES)
        return rv_lang_misnamed(r, d->place, "\"%s\" is one state too many; a cell has at most 4",
                                d->name);
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
        for (lang_node *d = s->a; d; d = d->next)
            ok = declaration(r, d, declarations[i].symbol) && ok;
        return ok;
    }
    rv_lang_misnamed(r, s->sign, "\"%s\" does not belong here", s->name);
    for (size_t i = 0; i < sizeof declarations / sizeof *declarations; i++)
        if (!strcmp(declarations[i].keyword, s->name))
            rv_lang_advise(r->scope->report, "it belongs into a %s",
                           declarations[i].where == LANG_CELL ? "cell" : "model");
    for (const lang_node *d = s->a; d; d = d->next) rv_lang_keep_quiet(r, d->name);
    return false;
}

/* The next value of a state. */
static bool define_next(lang_resolver *r, lang_node *s)
{
    lang_node *of = s->a->a;
    int state = rv_lang_find_symbol(r->block, of->name);
    if (state >= 0 && r->block->symbol[state].kind == SYMBOL_BROKEN) return false;
    if (state < 0 || r->block->symbol[state].kind != SYMBOL_STATE) {
        rv_guess g = {.seen = of->name};
        r->block->broken = true; /* it is perhaps what another state lacks */
        rv_lang_misnamed(r, s->a->place, "\"%s\" is no state", of->name);
        for (int i = 0; i < r->block->states; i++)
            rv_guess_try(&g, r->block->symbol[r->block->state[i]].name);
        if (g.nearest)
            rv_lang_advise(r->scope->report, "did you mean %s'?", g.nearest);
        else if (r->block->node->kind == LANG_CELL)
            rv_lang_advise(r->scope->report, "declare it: state %s", of->name);
        return false;
    }
    if (r->block->symbol[state].next >= 0)
        return rv_lang_second(r, of, r->block->symbol[state].next);
    int next = rv_lang_add_symbol(r, of->name, SYMBOL_NEXT, s);
    if (next < 0) return false;
    r->block->symbol[state].next = next;
    s->a->symbol = next;
    return true;
}

/* What a line of a derivation is the cotangent of. */
static bool define_cotangent(lang_resolver *r, lang_node *s)
{
    lang_node *base = s->a->kind == LANG_INDEX ? s->a->a : s->a;
    if (s->a->kind == LANG_PRIME)
        return rv_lang_misnamed(r, s->a->place, "%s' is a next state, and belongs into a cell",
                                s->a->a->name);
    if (s->c) { /* name of quantity */
        lang_node *of = s->c->kind == LANG_INDEX ? s->c->a : s->c;
        int own = rv_lang_find_right(r->block, s->a->name ? s->a->name : "");
        if (s->a->kind != LANG_NAME || of->kind != LANG_NAME)
            return rv_lang_misnamed(r, s->a->place, "expected names, as in: d3 of f2 = ..%s", "");
        if (own >= 0) return rv_lang_second(r, s->a, own);
        if (!rv_lang_look_up(r, of, s->c->kind == LANG_INDEX))
            return of->symbol < 0 && unknown_value(r, of);
        if (!rv_lang_has_cotangent(&r->block->symbol[of->symbol]))
            return rv_lang_misnamed(r, of->place, "\"%s\" has no cotangent", of->name);
        const lang_node *at = s->c->kind == LANG_INDEX ? s->c->b : NULL;
        if (s->c->kind == LANG_INDEX && !rv_lang_is_series(r->block, of->symbol))
            return rv_lang_misnamed(r, s->c->place, "\"%s\" has no time steps", of->name);
        if (s->c->kind == LANG_INDEX &&
            (!at || at->next || at->kind != LANG_NUMBER || at->number != (int)at->number))
            return rv_lang_misnamed(
                r, s->c->place, "the time step of \"%s\" must be a whole number here", of->name);
        int alias = rv_lang_add_symbol(r, s->a->name, SYMBOL_COTANGENT, s);
        if (alias < 0) return false;
        r->block->symbol[alias].target = of->symbol;
        r->block->symbol[alias].time = at ? (int)at->number : of->time;
        s->a->symbol = alias;
        return true;
    }
    int own = rv_lang_find_right(r->block, base->name);
    if (own >= 0 && r->block->symbol[own].kind != SYMBOL_COTANGENT)
        return rv_lang_second(r, base, own);
    bool index = s->a->kind == LANG_INDEX;
    if (index && !each(r, s->a->b)) return false;
    base->symbol = rv_lang_find_cotangent(r, base->name, index, &base->time);
    if (base->symbol >= 0) return true;
    rv_lang_misnamed(r, s->a->place, "\"%s\" is not the cotangent of anything", base->name);
    rv_lang_advise(r->scope->report, "write dg for g, or say it: %s of g = .., or: let %s = ..",
                   base->name, base->name);
    return false;
}

static bool define(lang_resolver *r, lang_node *s)
{
    lang_kind where = r->block->node->kind;
    bool ok = s->b->kind == LANG_UNROLL ? unroll(r, s->b) : expression(r, s->b);
    lang_node *base = s->a->kind == LANG_NAME ? s->a : s->a->a;
    bool let = s->number != 0;
    if (s->c && where != LANG_DERIVE)
        return rv_lang_misnamed(r, s->c->place, "\"of\" belongs into a derivation%s", "");
    if (where == LANG_DERIVE && !let) return define_cotangent(r, s) && ok;
    if (s->a->kind == LANG_PRIME) return define_next(r, s) && ok;
    if (s->a->kind == LANG_INDEX) {
        if (where != LANG_MODEL && where != LANG_DERIVE)
            return rv_lang_misnamed(r, s->a->place, "\"%s\" with a time step belongs into a model",
                                    base->name);
        if (!each(r, s->a->b)) return false;
        base->symbol = -1;
        int first = where == LANG_DERIVE ? r->block->model->symbols : 0; /* not the model's */
        for (int i = first; i < r->block->symbols; i++)
            if (r->block->symbol[i].kind == SYMBOL_SERIES &&
                !strcmp(r->block->symbol[i].name, base->name))
                base->symbol = i;
        if (base->symbol < 0) base->symbol = rv_lang_add_symbol(r, base->name, SYMBOL_SERIES, s);
        return ok && base->symbol >= 0;
    }
    int own = rv_lang_find_right(r->block, base->name);
    if (own >= 0 && r->block->symbol[own].kind == SYMBOL_STATE) {
        r->block->broken = true; /* its next value is what is missing, which is told here */
        rv_lang_misnamed(r, base->place, "\"%s\" is a state, and is read only", base->name);
        rv_lang_advise(r->scope->report, "its next value is %s' = ..", base->name);
        return false;
    }
    if (own >= 0 && !rv_lang_is_series(r->block, own)) return rv_lang_second(r, base, own);
    base->symbol = rv_lang_add_symbol(r, base->name, SYMBOL_VALUE, s);
    return ok && base->symbol >= 0;
}

static bool statements(lang_resolver *r, lang_node *s);

static bool loop(lang_resolver *r, lang_node *s)
{
    if (r->block->node->kind != LANG_MODEL && r->block->node->kind != LANG_DERIVE) {
        r->block->broken = true;
        return rv_lang_misnamed(r, s->sign,
                                "a loop over \"%s\" belongs into a model or a derivation", s->name);
    }
    bool ok = expression(r, s->a);
    ok = expression(r, s->b) && ok;
    ok = loop_name(r, s) && ok;
    r->loops++;
    ok = statements(r, s->c) && ok;
    r->loops--;
    return ok;
}

/* What a line that could not be read would have defined is known, but nothing is said of it. */
static bool broken(lang_resolver *r, const lang_node *s)
{
    r->block->broken = true;
    for (const lang_node *n = s->a; n; n = n->next) {
        int own = rv_lang_find_symbol(r->block, n->name);
        rv_lang_keep_quiet(r, n->name);
        if (n->number == 0 || own < 0 || r->block->symbol[own].kind != SYMBOL_STATE) continue;
        int next = rv_lang_add_symbol(r, n->name, SYMBOL_NEXT, s);
        r->block->symbol[own].next = next; /* the array may have moved */
    }
    r->block->wrong = true;
    statements(r, s->c);
    return false;
}

static bool statements(lang_resolver *r, lang_node *s)
{
    bool ok = true;
    for (; s && !r->scope->report->out_of_memory; s = s->next) {
        if (rv_lang_is_full(r)) return false;
        bool right = s->kind == LANG_DECLARE  ? declare(r, s)
                     : s->kind == LANG_DEFINE ? define(r, s)
                     : s->kind == LANG_FOR    ? loop(r, s)
                     : s->kind == LANG_BROKEN ? broken(r, s)
                     : r->block->node->kind != LANG_FUNCTION
                         ? rv_lang_misnamed(r, s->place, "return belongs into a function%s", "")
                         : expression(r, s->a);
        ok = right && ok;
    }
    return ok;
}

/* ---- blocks ---- */

static void built_in(lang_resolver *r, const char *name)
{
    rv_lang_add_symbol(r, name, SYMBOL_SIZE, NULL);
}

static void function(lang_scope *scope, lang_node *n)
{
    lang_block made = {.node = n, .name = n->name};
    lang_resolver r = {.scope = scope, .block = &made};
    for (lang_node *a = n->a; a; a = a->next, made.arguments++) {
        int first = rv_lang_find_symbol(&made, a->name);
        if (first >= 0) rv_lang_second(&r, a, first);
        rv_lang_add_symbol(&r, a->name, SYMBOL_VALUE, a);
    }
    built_in(&r, "true");
    built_in(&r, "false");
    if (!strcmp(n->name, "size"))
        rv_lang_misnamed(&r, n->place, "\"%s\" is built in; use another name", n->name);
    if (n->b) expression(&r, n->b);
    statements(&r, n->c);
    bool returns = n->b;
    for (const lang_node *s = n->c; s; s = s->next) returns = returns || s->kind == LANG_RETURN;
    made.wrong = made.wrong || n->broken;
    made.broken = made.broken || n->broken;
    if (!returns && !made.broken)
        rv_lang_misnamed(&r, n->place, "the function \"%s\" returns nothing; end it with return ..",
                         n->name);
    lang_block *b = rv_lang_add_block(scope, n, n->name); /* known from here on: no recursion */
    if (!b) {
        rv_free(made.symbol);
        return;
    }
    lang_block *next = b->next;
    *b = made;
    b->next = next;
}

static void alias(lang_resolver *r, lang_node *n)
{
    if (n->broken) return;
    if (n->b->kind != LANG_CALL) {
        rv_lang_misnamed(r, n->b->place, "expected a cell with options, as in: gru(kernel=3)%s",
                         "");
        return;
    }
    r->block->same = find_cell(r, n->b);
    if (r->block->same && (r->block->same->wrong || !net_options(r, n->b, r->block->same, false)))
        r->block->wrong = true;
    if (!r->block->same) return;
    r->block->images = r->block->same->images;
    r->block->aliases = r->block->same->aliases + 1;
    if (r->block->aliases <= LANG_MOST_ALIASES) return;
    rv_lang_misnamed(r, n->b->place, "more than %s cells that stand for each other", "100");
    r->block->same = NULL;
}

static void cell(lang_scope *scope, lang_node *n)
{
    lang_resolver r = {.scope = scope, .block = rv_lang_add_block(scope, n, n->name)};
    if (!r.block) return;
    built_in(&r, "true");
    built_in(&r, "false");
    if (n->b) {
        alias(&r, n);
        return;
    }
    built_in(&r, "units");
    built_in(&r, "forget");
    rv_lang_add_symbol(&r, n->a ? n->a->name : "x", SYMBOL_INPUT, n->a);
    statements(&r, n->c);
    for (int s = 0; s < r.block->states; s++) {
        const lang_symbol *state = &r.block->symbol[r.block->state[s]];
        if (state->next >= 0 || r.block->broken) continue;
        rv_lang_misnamed(&r, state->made->place, "the state \"%s\" never gets its next value",
                         state->name);
        rv_lang_advise(scope->report, "write %s' = ..", state->name);
    }
    if (!r.block->states && !r.block->broken)
        rv_lang_misnamed(&r, n->place, "the cell \"%s\" has no state; declare one: state h",
                         n->name);
}

static const lang_block **unrolled_of(lang_scope *scope, const lang_block *model);

static void model(lang_scope *scope, lang_node *n)
{
    lang_resolver r = {.scope = scope, .block = rv_lang_add_block(scope, n, n->name)};
    if (!r.block) return;
    built_in(&r, "true");
    built_in(&r, "false");
    for (lang_node *a = n->a; a; a = a->next) {
        int first = rv_lang_find_symbol(r.block, a->name);
        expression(&r, a->a);
        if (first >= 0) rv_lang_second(&r, a, first);
        a->symbol = rv_lang_add_symbol(&r, a->name, SYMBOL_SIZE, a);
    }
    statements(&r, n->c);
}

/* The cells of a model's unrolls, again from its equations. */
static const lang_block **unrolled_of(lang_scope *scope, const lang_block *model)
{
    const lang_block **cells =
        rv_lang_take(scope->arena, ((size_t)model->unrolls + 1) * sizeof *cells);
    if (!cells) {
        rv_lang_no_memory(scope->report);
        return NULL;
    }
    for (const lang_node *s = model->node->c; s; s = s->next)
        if (s->kind == LANG_DEFINE && s->b->kind == LANG_UNROLL && s->b->symbol >= 0)
            cells[s->b->symbol] = base_of(s->b->a->block);
    return cells;
}

/* Symbols for all values and weights of unrolled cells: a line may lack one that the text does not mention. */
static void name_everything(lang_resolver *r)
{
    for (int u = 0; u < r->block->unrolls; u++)
        for (int i = 0; r->unrolled[u] && i < r->unrolled[u]->symbols; i++) {
            const lang_symbol *s = &r->unrolled[u]->symbol[i];
            if (rv_lang_is_traced(s)) rv_lang_find_series(r, s->name);
            if (rv_lang_is_cell_weight(s) && rv_lang_find_symbol(r->block, s->name) < 0)
                rv_lang_find_inside(r, s->name, SYMBOL_WEIGHT);
        }
}

static void derive(lang_scope *scope, lang_node *n)
{
    const lang_block *model = NULL;
    for (const lang_block *b = scope->first; b; b = b->next)
        if (b->node->kind == LANG_MODEL && (!n->b || !strcmp(b->name, n->b->name))) model = b;
    lang_resolver r = {.scope = scope,
                       .block = rv_lang_add_block(scope, n, n->name ? n->name : "")};
    if (!r.block) return;
    if (!model) {
        rv_lang_misnamed(&r, n->b ? n->b->place : n->place,
                         n->b ? "there is no model \"%s\" above" : "there is no model above%s",
                         n->b ? n->b->name : "");
        return;
    }
    r.block->model = model;
    r.unrolled = unrolled_of(scope, model);
    if (!r.unrolled) return;
    for (int i = 0; i < model->symbols; i++) {
        int at = rv_lang_add_symbol(&r, model->symbol[i].name, model->symbol[i].kind,
                                    model->symbol[i].made);
        if (at < 0) return;
        r.block->symbol[at] = model->symbol[i];
    }
    r.block->unrolls = model->unrolls;
    if (model->wrong || n->broken) { /* what it lacks is told there */
        r.block->wrong = true;
        return;
    }
    expression(&r, n->a);
    statements(&r, n->c);
    name_everything(&r);
}

void rv_lang_resolve(lang_scope *scope, lang_node *tree)
{
    for (lang_node *n = tree; n && !scope->report->out_of_memory; n = n->next) {
        if (scope->blocks > LANG_MOST_NAMES) return;
        if (n->kind == LANG_FUNCTION) function(scope, n);
        if (n->kind == LANG_CELL) cell(scope, n);
        if (n->kind == LANG_MODEL) model(scope, n);
        if (n->kind == LANG_DERIVE) derive(scope, n);
    }
}
