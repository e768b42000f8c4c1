/* The element of a value at an index, as a term of elements of stored values. */
#include <string.h>

#include "autograd/element_internal.h"
#include "autograd/gradient.h"
#include "export/c/maker.h"
#include "tensor/memory.h"

static rv_term read(rv_c_maker *m, rv_element *e, int32_t id, const rv_index *at)
{
    rv_index flat = rv_index_ravel(e, rv_tape_node(m->plan.tape, id)->type.shape, at);
    for (int i = 0; i < m->members; i++)
        if (m->member[i] == id && !rv_index_equal(&flat, &m->flat)) m->apart = true;
    return rv_term_read(e, id, flat);
}

static int32_t find_padding(rv_c_maker *m, const rv_c_padding *wanted)
{
    size_t p = 0;
    for (; p < m->paddings; p++) {
        const rv_c_padding *seen = &m->padding[p];
        if (seen->of == wanted->of && !memcmp(seen->before, wanted->before, sizeof seen->before) &&
            !memcmp(seen->after, wanted->after, sizeof seen->after))
            return (int32_t)p;
    }
    if (!rv_reserve(&m->padding, &m->padding_room, p + 1, sizeof *wanted)) {
        m->pool.failed = true;
        return 0;
    }
    m->padding[m->paddings++] = *wanted;
    return (int32_t)p;
}

rv_shape rv_c_padded_shape(const rv_c_maker *m, const rv_c_padding *p)
{
    rv_shape shape = rv_tape_node(m->plan.tape, p->of)->type.shape;
    for (int64_t d = 0; d < shape.rank; d++) shape.dim[d] += p->before[d] + p->after[d];
    return shape;
}

static bool read_padded(rv_element *e, int k, const rv_index *at, rv_term *x)
{
    const rv_c_element_context *c = e->context;
    rv_c_maker *m = c->m;
    rv_c_padding wanted = {.of = rv_tape_node(m->plan.tape, c->id)->in[k]};
    rv_shape shape = rv_tape_node(m->plan.tape, wanted.of)->type.shape;
    rv_index inside[RV_MAX_RANK];
    bool outside = false;
    for (int64_t d = 0; d < shape.rank; d++) {
        int64_t low, high;
        if (!rv_index_range(&m->pool, &at[d], &low, &high)) return false;
        if (low < 0) wanted.before[d] = -low;
        if (high >= shape.dim[d]) wanted.after[d] = high - shape.dim[d] + 1;
        inside[d] = rv_index_shift(at[d], wanted.before[d]);
        outside = outside || wanted.before[d] || wanted.after[d];
    }
    if (!outside || !m->plan.stored[wanted.of]) return false;
    for (int i = 0; i < m->members; i++) m->apart = m->apart || m->member[i] == wanted.of;
    int32_t stored = rv_tape_count(m->plan.tape) + find_padding(m, &wanted);
    *x = rv_term_read(e, stored, rv_index_ravel(e, rv_c_padded_shape(m, &wanted), inside));
    return true;
}

rv_term rv_c_input(rv_element *e, int k, const rv_index *at)
{
    const rv_c_element_context *c = e->context;
    double number;
    int32_t id = rv_tape_node(c->m->plan.tape, c->id)->in[k];
    if (rv_is_uniform((rv_var){(rv_tape *)(uintptr_t)c->m->plan.tape, id}, &number))
        return rv_term_number(e, number);
    if (c->m->plan.stored[id]) return read(c->m, e, id, at);
    return rv_c_element(c->m, id, at, c->depth + 1);
}

/* Nesting is limited, as everywhere in the library. */
rv_term rv_c_element(rv_c_maker *m, int32_t id, const rv_index *at, int depth)
{
    const rv_node *node = rv_tape_node(m->plan.tape, id);
    rv_c_element_context context = {m, id, depth};
    rv_element e = {.attr = node->attr,
                    .inputs = node->inputs,
                    .out = node->type,
                    .at = at,
                    .input = rv_c_input,
                    .padded = read_padded,
                    .context = &context,
                    .pool = &m->pool};
    bool deep = depth > RV_C_MOST_NESTED;
    if (deep || (!node->op->value && !node->op->element)) {
        rv_fail(m->error, RV_ERROR_ARGUMENT,
                deep ? "C code: an equation with %s is too large; give its parts names"
                     : "C code: the op %s cannot be written as loops; use other ops in this model",
                node->op->name);
        return 0;
    }
    if (node->op->value) {
        rv_term of[3] = {0};
        for (int k = 0; k < node->inputs; k++) of[k] = rv_term_input(&e, k, at);
        return rv_term_apply(&e, node->op->value, of, node->inputs);
    }
    rv_type *in = rv_alloc((size_t)node->inputs, sizeof *in);
    if (!in) m->pool.failed = true;
    for (int k = 0; in && k < node->inputs; k++)
        in[k] = rv_tape_node(m->plan.tape, node->in[k])->type;
    e.in = in;
    rv_term term = in ? node->op->element(&e) : 0;
    rv_free(in);
    return term;
}
