#include "lang/syntax/tree.h"

#include <string.h>

bool rv_lang_same(const lang_node *a, const lang_node *b)
{
    bool equal = true;
    for (; equal && a && b; a = a->next, b = b->next) {
        equal = a->kind == b->kind && a->symbol == b->symbol && a->time == b->time &&
                (a->kind != LANG_NUMBER || a->number == b->number) && !a->name == !b->name &&
                (!a->name || !strcmp(a->name, b->name)) && (!a->word || !strcmp(a->word, b->word));
        for (int i = 0; equal && i < 3; i++) equal = rv_lang_same(a->child[i], b->child[i]);
    }
    return equal && !a && !b;
}
