#include "lang/resolve/suggestions.h"

#include <string.h>

#include "lang/texts/texts.h"
#include "ops/ops.h"

static void guess_symbols(rv_guess *g, const lang_block *b)
{
    for (int i = 0; b && i < b->symbols; i++)
        if (b->symbol[i].kind != SYMBOL_BROKEN) rv_guess_try(g, b->symbol[i].name);
}

bool rv_lang_unknown_value(lang_resolver *r, const lang_node *e)
{
    rv_guess g = {.seen = rv_lang_to_guess(r->scope->report, e->name)};
    rv_lang_misnamed(r, e->sign, "\"%s\" is not defined above", e->name);
    if (r->scope->report->more) return false;
    guess_symbols(&g, r->block);
    for (int u = 0; u < r->block->unrolls; u++) guess_symbols(&g, rv_lang_unrolled(r->block, u));
    if (rv_lang_suggest(r->scope->report, e->sign, g.nearest)) {
        rv_lang_silence(r, e->name);
        return false;
    }
    if (r->sizes)
        rv_lang_add_hint(r->scope->report,
                         r->block->node->kind == LANG_MODEL ? "declare a size: model %s(%s=2)"
                                                            : "a size is a number, or units",
                         r->block->name, e->name);
    else if (r->block->node->kind == LANG_CELL)
        rv_lang_add_hint(r->scope->report, "declare a weight: map %s, bias %s, ..", e->name,
                         e->name);
    else if (r->block->node->kind == LANG_MODEL)
        rv_lang_add_hint(r->scope->report, "a parameter has a shape: %s[3,4]", e->name);
    rv_lang_silence(r, e->name);
    return false;
}

static void guess_cells(rv_guess *g, const lang_resolver *r)
{
    for (const lang_block *b = r->scope->first; b; b = b->next)
        if (b->node->kind == LANG_CELL && b != r->block) rv_guess_try(g, b->name);
    for (const lang_text *t = rv_lang_texts; t->name; t++)
        if (strcmp(t->name, "prelude") != 0) rv_guess_try(g, t->name);
}

bool rv_lang_unknown_function(lang_resolver *r, const lang_node *e)
{
    rv_guess g = {.seen = rv_lang_to_guess(r->scope->report, e->name)};
    rv_lang_misnamed(r, e->sign, "there is no op or function \"%s\"", e->name);
    if (r->scope->report->more) return false;
    for (int i = 0; i < rv_op_count(); i++) rv_guess_try(&g, rv_op_at(i)->name);
    for (const lang_block *b = r->scope->first; b; b = b->next)
        if (b->node->kind == LANG_FUNCTION) rv_guess_try(&g, b->name);
    static const char *const usual[] = {"conv",  "true_conv", "full_conv", "flatten", "split_heads",
                                        "outer", "matvec",    "vecdot",    "pad1",    "rot180",
                                        "size",  "grad",      "jvp",       "hvp"};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) rv_guess_try(&g, usual[i]);
    if (r->block->node->kind == LANG_CELL) guess_symbols(&g, r->block);
    if (r->block->node->kind == LANG_CELL && e->arguments && e->arguments->next) guess_cells(&g, r);
    if (r->block->node->kind == LANG_CELL && rv_lang_find(r->scope, LANG_CELL, e->name))
        rv_lang_add_hint(r->scope->report, "a cell stands alone in its line, as in: y = %s(x, h)",
                         e->name);
    else if (rv_lang_find(r->scope, LANG_CELL, e->name))
        rv_lang_add_hint(r->scope->report, "a cell is applied at each step: unroll %s(x)", e->name);
    else if (!rv_lang_suggest(r->scope->report, e->sign, g.nearest) &&
             rv_lang_find_symbol(r->block, e->name) >= 0)
        rv_lang_add_hint(r->scope->report, "a product is written %s.(..)", e->name);
    rv_lang_silence(r, e->name);
    return false;
}

bool rv_lang_unknown_cell(lang_resolver *r, const lang_node *call)
{
    rv_guess g = {.seen = rv_lang_to_guess(r->scope->report, call->name)};
    rv_lang_misnamed(r, call->sign, "there is no cell \"%s\"", call->name);
    if (!g.seen) return false;
    guess_cells(&g, r);
    rv_lang_suggest(r->scope->report, call->sign, g.nearest);
    return false;
}

bool rv_lang_unknown_option(lang_resolver *r, const lang_node *o, const char *of, rv_guess *g)
{
    r->block->wrong = true;
    rv_lang_add_problem(r->scope->report, o->sign, RV_ERROR_NAME, "%s has no option \"%s\"", of,
                        o->name);
    rv_lang_suggest(r->scope->report, o->sign, g->nearest);
    return false;
}
