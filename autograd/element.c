#include "autograd/element_internal.h"

#include <string.h>

#include "tensor/memory.h"

void rv_element_pool_free(rv_element_pool *pool)
{
    rv_free(pool->variable);
    rv_free(pool->term);
    *pool = (rv_element_pool){0};
}

/* ---- indices ---- */

static rv_index variable(rv_element *e, rv_variable v)
{
    rv_element_pool *p = e->pool;
    if (!rv_reserve(&p->variable, &p->variable_room, p->variables + 1, sizeof v)) {
        p->failed = true;
        return rv_index_of(0);
    }
    p->variable[p->variables] = v;
    return (rv_index){.terms = 1, .variable = {(int32_t)p->variables++}, .factor = {1}};
}

rv_index rv_index_of(int64_t constant) { return (rv_index){.constant = constant}; }

rv_index rv_index_loop(rv_element *e, int64_t size)
{
    if (size == 1) return rv_index_of(0);
    return variable(e, (rv_variable){.kind = RV_VARIABLE_LOOP, .size = size});
}

rv_index rv_index_shift(rv_index a, int64_t offset)
{
    a.constant += offset;
    return a;
}

rv_index rv_index_scale(rv_index a, int64_t factor)
{
    if (factor == 0) return rv_index_of(0);
    a.constant *= factor;
    for (int t = 0; t < a.terms; t++) a.factor[t] *= factor;
    return a;
}

static void drop(rv_index *a, int t)
{
    a->terms--;
    memmove(a->variable + t, a->variable + t + 1, (size_t)(a->terms - t) * sizeof *a->variable);
    memmove(a->factor + t, a->factor + t + 1, (size_t)(a->terms - t) * sizeof *a->factor);
}

static bool add(rv_index *a, const rv_index *b)
{
    a->constant += b->constant;
    for (int t = 0; t < b->terms; t++) {
        int same = 0;
        while (same < a->terms && a->variable[same] != b->variable[t]) same++;
        if (same == RV_INDEX_TERMS) return false;
        if (same == a->terms) {
            a->variable[a->terms] = b->variable[t];
            a->factor[a->terms++] = 0;
        }
        a->factor[same] += b->factor[t];
        if (!a->factor[same]) drop(a, same);
    }
    return true;
}

/* Takes f n (x / n) + f (x % n) out of a; it is *part = f x. */
static bool take_division(const rv_element_pool *pool, rv_index *a, rv_index *part)
{
    for (int q = 0; q < a->terms; q++)
        for (int r = 0; r < a->terms; r++) {
            const rv_variable *quotient = &pool->variable[a->variable[q]];
            const rv_variable *rest = &pool->variable[a->variable[r]];
            if (quotient->kind != RV_VARIABLE_DIVIDED || rest->kind != RV_VARIABLE_REST ||
                quotient->by != rest->by || a->factor[q] != a->factor[r] * rest->by ||
                !rv_index_equal(&quotient->of, &rest->of))
                continue;
            *part = rv_index_scale(rest->of, a->factor[r]);
            drop(a, q > r ? q : r);
            drop(a, q > r ? r : q);
            return true;
        }
    return false;
}

rv_index rv_index_plus(rv_element *e, rv_index a, rv_index b)
{
    do {
        if (!add(&a, &b)) e->pool->failed = true;
    } while (!e->pool->failed && take_division(e->pool, &a, &b));
    return a;
}

bool rv_index_equal(const rv_index *a, const rv_index *b)
{
    bool equal = a->constant == b->constant && a->terms == b->terms;
    for (int t = 0; equal && t < a->terms; t++) {
        int same = 0;
        while (same < b->terms && b->variable[same] != a->variable[t]) same++;
        equal = same < b->terms && b->factor[same] == a->factor[t];
    }
    return equal;
}

bool rv_index_range(const rv_element_pool *pool, const rv_index *a, int64_t *low, int64_t *high)
{
    *low = *high = a->constant;
    for (int t = 0; t < a->terms; t++) {
        const rv_variable *v = &pool->variable[a->variable[t]];
        if (v->kind == RV_VARIABLE_VALUE) return false;
        *(a->factor[t] < 0 ? low : high) += a->factor[t] * (v->size - 1);
    }
    return true;
}

/* Splits a = by * quotient + rest with 0 <= rest < by, if its terms show how. */
static bool split(const rv_element_pool *pool, const rv_index *a, int64_t by, rv_index *quotient,
                  rv_index *rest)
{
    int64_t low, high, down = a->constant / by - (a->constant % by < 0);
    *quotient = rv_index_of(down);
    *rest = rv_index_of(a->constant - down * by);
    for (int t = 0; t < a->terms; t++) {
        bool whole = a->factor[t] % by == 0;
        rv_index *to = whole ? quotient : rest;
        to->variable[to->terms] = a->variable[t];
        to->factor[to->terms++] = whole ? a->factor[t] / by : a->factor[t];
    }
    return rv_index_range(pool, rest, &low, &high) && low >= 0 && high < by;
}

rv_index rv_index_divide(rv_element *e, rv_index a, int64_t by)
{
    rv_index quotient, rest;
    int64_t low = 0, high = INT64_MAX - by;
    if (by == 1 || split(e->pool, &a, by, &quotient, &rest)) return by == 1 ? a : quotient;
    rv_index_range(e->pool, &a, &low, &high);
    return variable(e, (rv_variable){RV_VARIABLE_DIVIDED, high / by + 1, a, by, 0});
}

rv_index rv_index_rest(rv_element *e, rv_index a, int64_t by)
{
    rv_index quotient, rest;
    if (by == 1) return rv_index_of(0);
    if (split(e->pool, &a, by, &quotient, &rest)) return rest;
    return variable(e, (rv_variable){RV_VARIABLE_REST, by, a, by, 0});
}

rv_index rv_index_value(rv_element *e, rv_term value)
{
    return variable(e, (rv_variable){.kind = RV_VARIABLE_VALUE, .value = value});
}

rv_index rv_index_ravel(rv_element *e, rv_shape shape, const rv_index *at)
{
    rv_index flat = rv_index_of(0);
    for (int64_t d = 0; d < shape.rank; d++)
        flat = rv_index_plus(e, rv_index_scale(flat, shape.dim[d]), at[d]);
    return flat;
}

void rv_index_unravel(rv_element *e, rv_shape shape, rv_index flat, rv_index *at)
{
    int64_t count = rv_shape_count(shape);
    for (int64_t d = 0; d < shape.rank; d++) {
        count /= shape.dim[d];
        at[d] = shape.dim[d] == 1 ? rv_index_of(0) : rv_index_divide(e, flat, count);
        flat = rv_index_rest(e, flat, count);
    }
}

/* ---- terms ---- */

static rv_term term(rv_element *e, rv_term_node node)
{
    rv_element_pool *p = e->pool;
    if (!rv_reserve(&p->term, &p->term_room, p->terms + 1, sizeof node)) {
        p->failed = true;
        return 0;
    }
    p->term[p->terms] = node;
    return (rv_term)p->terms++;
}

rv_term rv_term_input(rv_element *e, int k, const rv_index *at) { return e->input(e, k, at); }

bool rv_term_padded(rv_element *e, int k, const rv_index *at, rv_term *x)
{
    if (e->padded && e->padded(e, k, at, x)) return true;
    *x = rv_term_input(e, k, at);
    return false;
}

rv_term rv_term_number(rv_element *e, double number)
{
    return term(e, (rv_term_node){.kind = RV_TERM_NUMBER, .number = number});
}

rv_term rv_term_read(rv_element *e, int32_t stored, rv_index flat)
{
    return term(e, (rv_term_node){.kind = RV_TERM_READ, .stored = stored, .index = flat});
}

rv_term rv_term_apply(rv_element *e, const char *value, const rv_term *of, int count)
{
    rv_term_node node = {.kind = RV_TERM_APPLY, .value = value, .count = count};
    for (int k = 0; k < count; k++) node.of[k] = of[k];
    return term(e, node);
}

rv_term rv_term_plus(rv_element *e, rv_term a, rv_term b)
{
    return rv_term_apply(e, "x + y", (rv_term[]){a, b}, 2);
}

static rv_term reduce(rv_element *e, rv_term_kind kind, const rv_index *loops, int count,
                      rv_term of)
{
    for (int i = count - 1; i >= 0; i--)
        if (loops[i].terms) /* a loop of one round is the constant 0 */
            of = term(e, (rv_term_node){.kind = kind, .loop = loops[i].variable[0], .of = {of}});
    return of;
}

rv_term rv_term_sum(rv_element *e, const rv_index *loops, int count, rv_term of)
{
    return reduce(e, RV_TERM_SUM, loops, count, of);
}

rv_term rv_term_max(rv_element *e, const rv_index *loops, int count, rv_term of)
{
    return reduce(e, RV_TERM_MAX, loops, count, of);
}

rv_term rv_term_within(rv_element *e, rv_index index, int64_t size, rv_term of)
{
    int64_t low, high;
    bool known = rv_index_range(e->pool, &index, &low, &high);
    if (known && low >= 0 && high < size) return of;
    if (known && (high < 0 || low >= size)) return rv_term_number(e, 0);
    return term(e,
                (rv_term_node){.kind = RV_TERM_WITHIN, .index = index, .size = size, .of = {of}});
}

rv_term rv_term_where_zero(rv_element *e, rv_index index, rv_term of)
{
    if (!index.terms) return index.constant ? rv_term_number(e, 0) : of;
    return term(e, (rv_term_node){.kind = RV_TERM_WITHIN, .index = index, .of = {of}});
}
