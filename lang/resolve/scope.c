#include "lang/resolve/scope.h"

#include <string.h>

#include "lang/resolve/file.h"
#include "tensor/memory.h"

const lang_block *rv_lang_find_own(const lang_scope *scope, lang_kind kind, const char *name)
{
    const lang_block *b = scope->first;
    while (b && (b->node->kind != kind || strcmp(b->name, name) != 0)) b = b->next;
    return b;
}

const lang_block *rv_lang_find(lang_scope *scope, lang_kind kind, const char *name)
{
    const lang_block *own = rv_lang_find_own(scope, kind, name);
    return own ? own : rv_lang_find_built_in(scope, kind, name);
}

int rv_lang_find_value(const lang_block *block, const char *name)
{
    int i = block->symbols - 1;
    while (i >= 0 && (block->symbol[i].kind != SYMBOL_VALUE || strcmp(block->symbol[i].name, name)))
        i--;
    return i;
}

void rv_lang_free_blocks(lang_scope *scope)
{
    for (lang_block *b = scope->first; b; b = b->next) rv_free(b->symbol);
    scope->first = scope->last = NULL;
}

lang_block *rv_lang_add_block(lang_scope *scope, const lang_node *node, const char *name)
{
    lang_block *b = rv_lang_allocate(scope->arena, sizeof *b);
    if (!b) {
        rv_lang_out_of_memory(scope->report);
        return NULL;
    }
    if (scope->blocks++ == LANG_MOST_NAMES) {
        rv_lang_add_problem(scope->report, node->location, RV_ERROR_NAME,
                            "more than %d function(s), cells and models; split the file",
                            LANG_MOST_NAMES);
        return NULL;
    }
    for (lang_block *other = scope->first; other && node->kind != LANG_DERIVE; other = other->next)
        if (!strcmp(other->name, name) && other->node->kind == node->kind) {
            b->wrong = true;
            rv_lang_add_problem(scope->report, node->sign, RV_ERROR_NAME,
                                "\"%s\" is already defined on line %d", name,
                                rv_lang_line(other->node->location));
            break;
        }
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
    return rv_lang_base(block->unroll[unroll]->value->call->block);
}

static bool unrolls(const lang_block *model, const lang_block *cell)
{
    for (int u = 0; u < model->unrolls; u++)
        for (const lang_block *used = model->unroll[u]->value->call->block; used;
             used = used->alias_of)
            if (used == cell) return true;
    return false;
}

bool rv_lang_is_unrolled(const lang_scope *scope, const lang_block *cell, bool for_loss)
{
    for (const lang_block *b = scope->first; b; b = b->next) {
        if (b->node->kind != LANG_MODEL || b->wrong) continue;
        if (for_loss && rv_lang_find_value(b, "loss") < 0) continue;
        if (unrolls(b, cell)) return true;
    }
    return false;
}
