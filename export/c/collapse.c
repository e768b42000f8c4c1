#include "export/c/collapse.h"

int64_t rv_c_factor_of(const rv_index *a, int32_t variable)
{
    for (int t = 0; t < a->terms; t++)
        if (a->variable[t] == variable) return a->factor[t];
    return 0;
}

/* Calls visit for each index that a term depends on; stops when it returns false. Terms refer only
 * to earlier ones, so all those of the pool are visited, in order. */
static bool each_index(rv_element_pool *pool, rv_index *flat, bool (*visit)(rv_index *, void *),
                       void *context)
{
    bool ok = visit(flat, context);
    for (size_t t = 0; ok && t < pool->terms; t++) {
        rv_term_node *term = &pool->term[t];
        if (term->kind == RV_TERM_READ || term->kind == RV_TERM_WITHIN)
            ok = visit(&term->index, context);
    }
    for (size_t v = 0; ok && v < pool->variables; v++)
        if (pool->variable[v].by) ok = visit(&pool->variable[v].of, context);
    return ok;
}

typedef struct pair {
    int32_t outer, inner;
    int64_t inner_size;
} pair;

/* Whether the index uses outer * inner_size + inner, or neither. */
static bool may_collapse(rv_index *a, void *context)
{
    const pair *p = context;
    return rv_c_factor_of(a, p->outer) == p->inner_size * rv_c_factor_of(a, p->inner);
}

static bool drop_outer(rv_index *a, void *context)
{
    const pair *p = context;
    for (int t = 0; t < a->terms; t++) {
        if (a->variable[t] != p->outer) continue;
        a->terms--;
        a->variable[t] = a->variable[a->terms];
        a->factor[t] = a->factor[a->terms];
    }
    return true;
}

static bool collapse(rv_element_pool *pool, rv_index *flat, int32_t outer, int32_t inner)
{
    rv_variable *in = &pool->variable[inner];
    pair p = {outer, inner, in->size};
    if (!each_index(pool, flat, may_collapse, &p)) return false;
    each_index(pool, flat, drop_outer, &p);
    in->size *= pool->variable[outer].size;
    return true;
}

void rv_c_collapse(rv_element_pool *pool, rv_index *at, int rank, rv_index *flat)
{
    int before = -1;
    for (int d = 0; d < rank; d++) {
        if (at[d].terms == 0) continue;
        if (before >= 0 && collapse(pool, flat, at[before].variable[0], at[d].variable[0]))
            at[before] = rv_index_of(0);
        before = d;
    }
    for (size_t t = 0; t < pool->terms; t++) {
        rv_term_node *outer = &pool->term[t], *inner = &pool->term[outer->of[0]];
        bool sum = outer->kind == RV_TERM_SUM || outer->kind == RV_TERM_MAX;
        if (sum && inner->kind == outer->kind && collapse(pool, flat, outer->loop, inner->loop))
            *outer = *inner;
    }
}
