#include "lang/resolve/scope.h"

#include <string.h>

#include "lang/resolve/file.h"
#include "tensor/memory.h"

/* The latest block of a name that is not a derivation, or NULL. */
static lang_block *latest(const lang_scope *scope, const char *name)
{
    size_t at = rv_name_table_find(&scope->names, name);
    return at == SIZE_MAX ? NULL : (lang_block *)at;
}

static lang_block *find_own(const lang_scope *scope, lang_kind kind, const char *name)
{
    lang_block *b = latest(scope, name);
    while (b && b->node->kind != kind) b = b->same;
    return b;
}

const lang_block *rv_lang_find_own(const lang_scope *scope, lang_kind kind, const char *name)
{
    return find_own(scope, kind, name);
}

lang_block *rv_lang_find_model(const lang_scope *scope, const char *name)
{
    return find_own(scope, LANG_MODEL, name);
}

const lang_block *rv_lang_find(lang_scope *scope, lang_kind kind, const char *name)
{
    const lang_block *own = rv_lang_find_own(scope, kind, name);
    return own ? own : rv_lang_find_built_in(scope, kind, name);
}

int rv_lang_latest(const lang_block *block, const char *name)
{
    size_t at = rv_name_table_find(&block->names, name);
    return at == SIZE_MAX ? -1 : (int)at;
}

int rv_lang_find_value(const lang_block *block, const char *name)
{
    int i = rv_lang_latest(block, name);
    while (i >= 0 && block->symbol[i].kind != SYMBOL_VALUE) i = block->symbol[i].same;
    return i;
}

void rv_lang_free_blocks(lang_scope *scope)
{
    for (lang_block *b = scope->first; b; b = b->next) {
        rv_free(b->symbol);
        rv_name_table_free(&b->names);
    }
    rv_name_table_free(&scope->names);
    scope->first = scope->last = NULL;
}

lang_block *rv_lang_add_block(lang_scope *scope, const lang_node *node, const char *name)
{
    lang_block *b = rv_lang_allocate(scope->arena, sizeof *b);
    if (!b || !rv_name_table_reserve(&scope->names, (size_t)scope->blocks + 1)) {
        rv_lang_out_of_memory(scope->report);
        return NULL;
    }
    if (scope->blocks++ == LANG_MOST_NAMES) {
        rv_lang_add_problem(scope->report, node->location, RV_ERROR_NAME,
                            "more than %d function(s), cells and models; split the file",
                            LANG_MOST_NAMES);
        return NULL;
    }
    const lang_block *other = find_own(scope, node->kind, name);
    if (other && node->kind != LANG_DERIVE) {
        b->wrong = true;
        rv_lang_add_problem(scope->report, node->sign, RV_ERROR_NAME,
                            "\"%s\" is already defined on line %d", name,
                            rv_lang_line(other->node->location));
    } else if (node->kind != LANG_DERIVE) {
        b->same = latest(scope, name);
        rv_name_table_add(&scope->names, name, (size_t)b);
    }
    if (node->kind == LANG_MODEL) scope->model = b;
    b->node = node;
    b->name = name;
    b->broken = node->broken;
    b->wrong = b->wrong || node->broken;
    if (scope->last)
        scope->last->next = b;
    else
        scope->first = b;
    scope->last = b;
    return b;
}

const lang_block *rv_lang_base(const lang_block *cell)
{
    while (cell && cell->alias_of) cell = cell->alias_of;
    return cell;
}

const lang_block *rv_lang_unrolled(const lang_block *block, int unroll)
{
    const lang_node *value = block->unroll[unroll]->value;
    return rv_lang_base(value->kind == LANG_UNROLL ? value->call->block : value->block);
}

void rv_lang_note_unrolls(lang_scope *scope, const lang_block *user)
{
    bool cell = user->node->kind == LANG_CELL, loss = cell || rv_lang_find_value(user, "loss") >= 0;
    for (int u = 0; !user->wrong && u < user->unrolls; u++) {
        const lang_node *value = user->unroll[u]->value;
        for (const lang_block *used = cell ? value->block : value->call->block; used;
             used = used->alias_of) {
            lang_block *own = find_own(scope, LANG_CELL, used->name);
            if (own != used) continue;
            own->unrolled = true;
            own->for_loss = own->for_loss || loss;
        }
    }
}
