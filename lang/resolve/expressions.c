/* Names in expressions. */
#include "lang/resolve/expressions.h"

#include <stdio.h>
#include <string.h>

#include "lang/resolve/suggestions.h"
#include "lang/syntax/print.h"
#include "ops/ops.h"

extern const rv_op rv_op_conv2d, rv_op_conv2d_transpose;

bool rv_lang_resolve_each(lang_resolver *r, lang_node *list)
{
    bool ok = true;
    for (; list; list = list->next) ok = rv_lang_resolve_expression(r, list) && ok;
    return ok;
}

static const rv_option *find_option(const rv_op *op, const char *name)
{
    for (int i = 0; i < op->option_count; i++)
        if (!strcmp(op->options[i].name, name)) return &op->options[i];
    return NULL;
}

bool rv_lang_count_wrong(lang_resolver *r, const lang_node *e, const char *expected)
{
    r->block->wrong = true;
    return rv_lang_add_problem(r->scope->report, e->location, RV_ERROR_ARGUMENT, "%s takes %s",
                               e->name, expected);
}

static bool op_arguments(lang_resolver *r, lang_node *e, const rv_op *op)
{
    bool ok = true;
    int inputs = 0;
    for (lang_node *a = e->arguments; a; a = a->next) {
        const rv_option *option = NULL;
        if (a->kind == LANG_OPTION) {
            rv_guess g = {.seen = rv_lang_to_guess(r->scope->report, a->name)};
            option = find_option(op, a->name);
            for (int i = 0; !option && i < op->option_count; i++)
                rv_guess_try(&g, op->options[i].name);
            if (!option) ok = rv_lang_unknown_option(r, a, op->name, &g);
        } else if (op->inputs >= 0 && inputs >= op->inputs) {
            int position = inputs++ - op->inputs;
            option = position < op->option_count ? &op->options[position] : NULL;
            if (!strcmp(op->name, "max")) { /* elsewhere max(x, 0) is the larger of the two */
                rv_lang_misnamed(r, e->location, "max is the largest number over axes");
                rv_lang_add_hint(r->scope->report,
                                 "write max(x, axes=[0]), or of two maximum(x, y)");
                ok = false;
            }
        } else {
            inputs++;
        }
        lang_node *value = a->kind == LANG_OPTION ? a->value : a;
        bool word = option && option->kind == RV_OPTION_WORD && value->kind == LANG_NAME;
        if (!word) ok = rv_lang_resolve_expression(r, value) && ok;
    }
    if (inputs < (op->inputs < 0 ? 1 : op->inputs) ||
        (op->inputs >= 0 && inputs > op->inputs + op->option_count)) {
        char expected[200];
        snprintf(expected, sizeof expected, "%s%.40s: %.100s",
                 op->inputs < 0 ? "at least one value " : "", op->args, op->formula);
        ok = rv_lang_count_wrong(r, e, expected);
    }
    return ok;
}

static bool function_arguments(lang_resolver *r, lang_node *e)
{
    int count = 0;
    for (const lang_node *a = e->arguments; a; a = a->next, count++)
        if (a->kind == LANG_OPTION) {
            rv_guess g = {.seen = rv_lang_to_guess(r->scope->report, a->name)};
            return rv_lang_unknown_option(r, a, e->name, &g);
        }
    if (e->block->broken) {
        r->block->wrong = true;
        rv_lang_resolve_each(r, e->arguments);
        return false;
    }
    if (!rv_lang_resolve_each(r, e->arguments)) return false;
    if (count == e->block->arguments) return true;
    char expected[40];
    snprintf(expected, sizeof expected, "%d value%s", e->block->arguments,
             e->block->arguments == 1 ? "" : "s");
    return rv_lang_count_wrong(r, e, expected);
}

static const struct built_in {
    const char *name;
    int arguments;
    const char *expected;
} built_in[] = {
    {"size", 2, "a value and an axis, as in size(x, 0)"},
    {"grad", 2, "a number and a value, as in grad(loss, h)"},
    {"jvp", 3, "a value, another and a direction of that, as in jvp(y, x, v)"},
    {"hvp", 3, "a number, a value and a direction, as in hvp(loss, h, v)"},
};

static const struct built_in *find_built_in(const char *name)
{
    for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++)
        if (!strcmp(built_in[i].name, name)) return &built_in[i];
    return NULL;
}

bool rv_lang_built_in(const char *name) { return find_built_in(name); }

/* Whether an expression is the name of a value. Any other would be a new value, on which nothing
 * depends. */
static bool is_value(const lang_resolver *r, const lang_node *x)
{
    if (x->kind == LANG_INDEX && x->base->kind == LANG_NAME)
        return rv_lang_is_series(r->block, x->base->symbol);
    return x->kind == LANG_NAME || (x->kind == LANG_PRIME && x->symbol >= 0);
}

static bool built_in_call(lang_resolver *r, lang_node *e, const struct built_in *f)
{
    int count = 0;
    bool options = false;
    for (const lang_node *a = e->arguments; a; a = a->next, count++)
        options = options || a->kind == LANG_OPTION;
    if (!rv_lang_resolve_each(r, e->arguments)) return false;
    if (count != f->arguments || options) return rv_lang_count_wrong(r, e, f->expected);
    if (!strcmp(f->name, "size") || is_value(r, e->arguments->next)) return true;
    rv_lang_misnamed(r, e->arguments->next->location,
                     "%s differentiates by a value that has a name", f->name);
    rv_lang_add_hint(r->scope->report,
                     "name it on a line above, and use that name in what is differentiated");
    return false;
}

static bool call(lang_resolver *r, lang_node *e)
{
    const struct built_in *f = find_built_in(e->name);
    int own = rv_lang_find_symbol(r->block, e->name);
    lang_symbol_kind kind = own >= 0 ? r->block->symbol[own].kind : SYMBOL_VALUE;
    if (kind == SYMBOL_BROKEN) {
        rv_lang_resolve_each(r, e->arguments);
        return false;
    }
    if (kind == SYMBOL_MAP || kind == SYMBOL_FIT || kind == SYMBOL_ACTIVATION) {
        e->symbol = own;
        return rv_lang_resolve_each(r, e->arguments) &&
               ((e->arguments && !e->arguments->next && e->arguments->kind != LANG_OPTION) ||
                rv_lang_count_wrong(r, e, "one value"));
    }
    if (f) return built_in_call(r, e, f);
    e->block = rv_lang_find_own(r->scope, LANG_FUNCTION, e->name);
    if (!e->block) e->op = strcmp(e->name, "conv") ? rv_op_find(e->name) : &rv_op_conv2d;
    if (!e->block && !e->op) e->block = rv_lang_find(r->scope, LANG_FUNCTION, e->name);
    if (!e->block && !e->op && r->block->node->kind == LANG_FUNCTION &&
        !strcmp(e->name, r->block->name))
        return rv_lang_misnamed(
            r, e->sign, "\"%s\" calls itself; loops are written for t from 1 to 3", e->name);
    if (!e->block && !e->op) {
        rv_lang_resolve_each(r, e->arguments);
        return rv_lang_unknown_function(r, e);
    }
    bool convolves =
        e->op ? e->op == &rv_op_conv2d || e->op == &rv_op_conv2d_transpose : e->block->images;
    if (convolves) r->block->images = true;
    if (e->block && e->block->wrong && r->block->node->kind != LANG_MODEL) r->block->wrong = true;
    return e->op ? op_arguments(r, e, e->op) : function_arguments(r, e);
}

static bool apply(lang_resolver *r, lang_node *e)
{
    int own = rv_lang_find_symbol(r->block, e->name);
    lang_symbol_kind kind = own >= 0 ? r->block->symbol[own].kind : SYMBOL_VALUE;
    e->symbol = own;
    char of[40];
    if (own < 0) rv_lang_unknown_value(r, e);
    if (own < 0 || kind == SYMBOL_MAP || kind == SYMBOL_FIT || kind == SYMBOL_BROKEN)
        return rv_lang_resolve_expression(r, e->operand) && own >= 0 && kind != SYMBOL_BROKEN;
    int other =
        e->operand->kind == LANG_NAME ? rv_lang_find_symbol(r->block, e->operand->name) : -1;
    bool turned = other >= 0 && r->block->symbol[other].kind == SYMBOL_MAP;
    rv_lang_expression(e->operand, of, sizeof of);
    rv_lang_misnamed(r, e->sign, "\"%s\" is not a map", e->name);
    if (turned)
        rv_lang_add_hint(r->scope->report, "the map comes first: %s %s", of, e->name);
    else
        rv_lang_add_hint(r->scope->report, "a product is written %s.%s, one of matrices %s @ %s",
                         e->name, of, e->name, of);
    return false;
}

static bool may_declare(const lang_resolver *r)
{
    return r->block->node->kind == LANG_CELL || r->block->node->kind == LANG_MODEL;
}

/* W [h, x], a map of values that are joined. */
LANG_APART static bool indexes_map(lang_resolver *r, const lang_node *e)
{
    char joined[LANG_HINT / 2];
    lang_node call = {.kind = LANG_CALL, .name = "concat", .arguments = e->indices};
    size_t length = strlen(rv_lang_expression(&call, joined, sizeof joined));
    rv_lang_misnamed(r, e->location, "the map \"%s\" needs an argument behind it, as in: %s h",
                     e->base->name, e->base->name);
    if (!length || !e->indices->next) return false;
    joined[length - 1] = '\0';
    rv_lang_add_hint(r->scope->report, "join the values: %s %s, axis=1)", e->base->name, joined);
    return false;
}

static bool index_of(lang_resolver *r, lang_node *e)
{
    bool ok = rv_lang_resolve_each(r, e->indices);
    if (e->base->kind != LANG_NAME) return rv_lang_resolve_expression(r, e->base) && ok;
    if (rv_lang_look_up(r, e->base, rv_lang_form(e->indices))) {
        lang_symbol_kind kind = r->block->symbol[e->base->symbol].kind;
        return kind == SYMBOL_MAP || kind == SYMBOL_FIT ? indexes_map(r, e) : ok;
    }
    if (e->base->symbol >= 0) return false;
    if (!may_declare(r)) return rv_lang_unknown_value(r, e->base);
    e->base->symbol = rv_lang_add_symbol(r, e->base->name, SYMBOL_PARAMETER, e);
    return ok && e->base->symbol >= 0;
}

static bool name(lang_resolver *r, lang_node *e)
{
    if (!rv_lang_look_up(r, e, FORM_ALONE)) return e->symbol < 0 && rv_lang_unknown_value(r, e);
    switch (r->block->symbol[e->symbol].kind) {
    case SYMBOL_BROKEN: return false;
    case SYMBOL_MAP:
    case SYMBOL_FIT:
        return rv_lang_misnamed(r, e->location,
                                "the map \"%s\" needs an argument behind it, as in: %s h", e->name,
                                e->name);
    case SYMBOL_ACTIVATION:
        return rv_lang_misnamed(r, e->location,
                                "the activation \"%s\" needs an argument, as in: s(x)", e->name);
    default: return true;
    }
}

static bool prime(lang_resolver *r, lang_node *e)
{
    int own = e->operand->kind == LANG_NAME ? rv_lang_find_symbol(r->block, e->operand->name) : -1;
    if (own < 0 || r->block->symbol[own].kind != SYMBOL_STATE)
        return rv_lang_resolve_expression(r, e->operand);
    e->symbol = r->block->symbol[own].next;
    return e->symbol >= 0 || rv_lang_misnamed(r, e->location,
                                              "the next value of \"%s\" is not known yet; a line "
                                              "above must define it",
                                              e->operand->name);
}

/* The name of a loop's step, known from here on. */
bool rv_lang_resolve_loop_name(lang_resolver *r, lang_node *e)
{
    e->symbol = rv_lang_find_right(r->block, e->name);
    const lang_symbol *s = e->symbol >= 0 ? &r->block->symbol[e->symbol] : NULL;
    bool steps =
        s && s->definition && (s->definition->kind == LANG_FOR || s->definition->kind == LANG_OVER);
    if (s && !steps) return rv_lang_redefined(r, e, e->symbol);
    if (e->symbol < 0) e->symbol = rv_lang_add_symbol(r, e->name, SYMBOL_SIZE, e);
    return e->symbol >= 0;
}

/* Whether the terms of a loop may become arguments of this op. */
static bool is_variadic(const rv_op *op) { return op && op->inputs < 0 && op->linear_jointly; }

/* sum(t from 1 to T: term), or with an op of any number of values: stack, concat. */
LANG_APART static bool over_loop(lang_resolver *r, lang_node *e)
{
    bool ok = rv_lang_resolve_expression(r, e->from);
    ok = rv_lang_resolve_expression(r, e->to) && ok;
    ok = rv_lang_resolve_loop_name(r, e) && ok && rv_lang_resolve_expression(r, e->term);
    bool sums = !strcmp(e->word, "sum");
    lang_node call = {.kind = LANG_CALL, .name = e->word, .arguments = e->term};
    call.location = call.sign = e->location;
    call.sign.end = call.sign.start + (uint32_t)strlen(e->word);
    if (!sums && !is_variadic(rv_op_find(e->word))) {
        rv_lang_misnamed(r, call.sign, "%s does not go over a loop", e->word);
        rv_lang_add_hint(r->scope->report, "sum(t from 1 to 3: ..), stack and concat do");
        return false;
    }
    if (!sums) e->op = rv_op_find(e->word);
    for (const lang_node *a = e->term->next; a; a = a->next)
        if (sums || a->kind != LANG_OPTION) {
            rv_lang_misnamed(r, a->location, "expected %s after the value of each step",
                             sums ? "nothing" : "only options");
            if (sums)
                rv_lang_add_hint(r->scope->report,
                                 "sums over a loop and over axes are two: sum(sum(t from ..), ..)");
            return false;
        }
    return ok && (sums || op_arguments(r, &call, e->op));
}

bool rv_lang_resolve_expression(lang_resolver *r, lang_node *e)
{
    if (!e) return true;
    switch (e->kind) {
    case LANG_OVER: return over_loop(r, e);
    case LANG_NAME: return name(r, e);
    case LANG_CALL: return call(r, e);
    case LANG_APPLY: return apply(r, e);
    case LANG_INDEX: return index_of(r, e);
    case LANG_PRIME: return prime(r, e);
    case LANG_LIST: return rv_lang_resolve_each(r, e->items);
    case LANG_NUMBER:
    case LANG_TEXT:
    case LANG_HOLE: return true;
    default: {
        bool ok = rv_lang_resolve_expression(r, e->child[0]);
        return rv_lang_resolve_expression(r, e->child[1]) && ok;
    }
    }
}
