/* Resolves the blocks of a text from top to bottom: a name stands for a definition above it. */
#include "lang/resolve/names.h"

#include <string.h>

#include "lang/resolve/expressions.h"
#include "lang/resolve/statements.h"
#include "lang/resolve/unrolls.h"
#include "tensor/memory.h"

static void built_in(lang_resolver *r, const char *name)
{
    rv_lang_add_symbol(r, name, SYMBOL_SIZE, NULL);
}

static void function(lang_scope *scope, lang_node *n)
{
    lang_block made = {.node = n, .name = n->name};
    lang_resolver r = {.scope = scope, .block = &made};
    for (lang_node *a = n->arguments; a; a = a->next, made.arguments++) {
        int first = rv_lang_find_symbol(&made, a->name);
        if (first >= 0) rv_lang_redefined(&r, a, first);
        rv_lang_add_symbol(&r, a->name, SYMBOL_VALUE, a);
    }
    built_in(&r, "true");
    built_in(&r, "false");
    if (rv_lang_built_in(n->name))
        rv_lang_misnamed(&r, n->location, "\"%s\" is built in; use another name", n->name);
    if (n->value) rv_lang_resolve_expression(&r, n->value);
    rv_lang_resolve_statements(&r, n->body);
    bool returns = n->value;
    for (const lang_node *s = n->body; s; s = s->next) returns = returns || s->kind == LANG_RETURN;
    made.wrong = made.wrong || n->broken;
    made.broken = made.broken || n->broken;
    if (!returns && !made.broken)
        rv_lang_misnamed(&r, n->location,
                         "the function \"%s\" returns nothing; end it with return ..", n->name);
    lang_block *b = rv_lang_add_block(
        scope, n, n->name); /* known from here on, so a function cannot call itself */
    if (!b) {
        rv_free(made.symbol);
        rv_name_table_free(&made.names);
        return;
    }
    made.next = b->next;
    made.same = b->same;
    *b = made;
}

static void alias(lang_resolver *r, lang_node *n)
{
    if (n->broken) return;
    if (n->alias->kind != LANG_CALL) {
        rv_lang_misnamed(r, n->alias->location,
                         "expected a cell with options, as in: gru(kernel=3)");
        return;
    }
    r->block->alias_of = rv_lang_resolve_cell(r, n->alias);
    if (r->block->alias_of && (r->block->alias_of->wrong ||
                               !rv_lang_resolve_options(r, n->alias, r->block->alias_of, false)))
        r->block->wrong = true;
    if (!r->block->alias_of) return;
    r->block->images = r->block->alias_of->images;
    r->block->aliases = r->block->alias_of->aliases + 1;
    if (r->block->aliases <= LANG_MOST_ALIASES) return;
    rv_lang_misnamed(r, n->alias->location, "more than %d cell(s), each an alias of the next",
                     LANG_MOST_ALIASES);
    r->block->alias_of = NULL;
}

static void cell_input(lang_resolver *r, const char *name, lang_node *made)
{
    int first = rv_lang_find_symbol(r->block, name);
    if (first >= 0) {
        rv_lang_redefined(r, made, first);
    } else if (r->block->inputs > RV_CELL_INPUTS) {
        rv_lang_misnamed(r, made->location, "a cell has at most %d inputs", RV_CELL_INPUTS + 1);
    } else if ((first = rv_lang_add_symbol(r, name, SYMBOL_INPUT, made)) >= 0) {
        r->block->input[r->block->inputs++] = first;
    }
}

static void cell(lang_scope *scope, lang_node *n)
{
    lang_resolver r = {.scope = scope, .block = rv_lang_add_block(scope, n, n->name)};
    if (!r.block) return;
    built_in(&r, "true");
    built_in(&r, "false");
    if (n->alias) {
        alias(&r, n);
        return;
    }
    built_in(&r, "units");
    built_in(&r, "forget");
    cell_input(&r, n->input ? n->input->name : "x", n->input);
    for (lang_node *more = n->input ? n->input->next : NULL; more; more = more->next)
        cell_input(&r, more->name, more);
    rv_lang_resolve_statements(&r, n->body);
    rv_lang_name_inner(&r);
    for (int s = 0; s < r.block->states; s++) {
        const lang_symbol *state = &r.block->symbol[r.block->state[s]];
        if (state->next >= 0 || r.block->broken) continue;
        rv_lang_misnamed(&r, state->definition->location,
                         "the state \"%s\" never gets its next value", state->name);
        rv_lang_add_hint(scope->report, "write %s' = ..", state->name);
    }
    if (!r.block->states && !r.block->broken)
        rv_lang_misnamed(&r, n->location, "the cell \"%s\" has no state; declare one: state h",
                         n->name);
    rv_lang_note_unrolls(scope, r.block);
}

static void model(lang_scope *scope, lang_node *n)
{
    lang_resolver r = {.scope = scope, .block = rv_lang_add_block(scope, n, n->name)};
    if (!r.block) return;
    built_in(&r, "true");
    built_in(&r, "false");
    for (lang_node *a = n->arguments; a; a = a->next) {
        int first = rv_lang_find_symbol(r.block, a->name);
        rv_lang_resolve_expression(&r, a->value);
        if (first >= 0) rv_lang_redefined(&r, a, first);
        a->symbol = rv_lang_add_symbol(&r, a->name, SYMBOL_SIZE, a);
    }
    rv_lang_resolve_statements(&r, n->body);
    rv_lang_note_unrolls(scope, r.block);
}

bool rv_lang_name_everything(lang_scope *scope, lang_block *derivation)
{
    lang_resolver r = {.scope = scope, .block = derivation};
    for (int u = 0; u < derivation->unrolls; u++) {
        const lang_block *cell = rv_lang_unrolled(derivation, u);
        for (int i = 0; cell && i < cell->symbols; i++) {
            if (derivation->symbols + 1 >= LANG_MOST_NAMES ||
                scope->symbols + 1 >= LANG_MOST_SYMBOLS)
                return true;
            if (rv_lang_is_traced(&cell->symbol[i])) rv_lang_enter(&r, u, i, SYMBOL_TRACE);
            if (rv_lang_is_cell_weight(&cell->symbol[i])) rv_lang_enter(&r, u, i, SYMBOL_WEIGHT);
        }
    }
    return !scope->report->out_of_memory;
}

static void derive(lang_scope *scope, lang_node *n)
{
    lang_block *model = n->model ? rv_lang_find_model(scope, n->model->name) : scope->model;
    lang_resolver r = {.scope = scope,
                       .block = rv_lang_add_block(scope, n, n->name ? n->name : "")};
    if (!r.block) return;
    if (!model) {
        if (n->model)
            rv_lang_misnamed(&r, n->model->location, "there is no model \"%s\" above",
                             n->model->name);
        else
            rv_lang_misnamed(&r, n->location, "there is no model above");
        return;
    }
    r.block->model = model;
    if (model->derivations++ == LANG_MOST_DERIVATIONS) {
        rv_lang_misnamed(&r, n->location, "more than %d derivation(s) of one model; split the file",
                         LANG_MOST_DERIVATIONS);
        return;
    }
    if (model->derivations > LANG_MOST_DERIVATIONS) {
        r.block->wrong = true;
        return;
    }
    for (int i = 0; i < model->symbols; i++) {
        int at = rv_lang_add_symbol(&r, model->symbol[i].name, model->symbol[i].kind,
                                    model->symbol[i].definition);
        if (at < 0) return;
        r.block->symbol[at] = model->symbol[i];
    }
    for (int u = 0; u < model->unrolls; u++) model->unroll[u]->value->entered = true;
    r.block->unroll = model->unroll;
    r.block->unrolls = model->unrolls;
    r.block->cell = model->cell;
    r.block->cells = model->cells;
    if (model->wrong || n->broken) { /* reported there */
        r.block->wrong = true;
        return;
    }
    rv_lang_resolve_expression(&r, n->loss);
    rv_lang_resolve_statements(&r, n->body);
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
