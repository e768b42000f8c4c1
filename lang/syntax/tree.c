#include "lang/syntax/tree.h"

#include <string.h>

bool rv_lang_same(const lang_node *a, const lang_node *b)
{
    if (!a || !b) return a == b;
    bool equal = a->kind == b->kind && a->symbol == b->symbol && a->time == b->time &&
                 (a->kind != LANG_NUMBER || a->number == b->number) && !a->name == !b->name &&
                 (!a->name || !strcmp(a->name, b->name)) && rv_lang_same(a->next, b->next);
    for (int i = 0; equal && i < 3; i++) equal = rv_lang_same(a->child[i], b->child[i]);
    return equal;
}
