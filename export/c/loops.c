/* The loops of a group of equations, and the arrays that they read and write. */
#include <stdio.h>
#include <string.h>

#include "export/c/collapse.h"
#include "export/c/describe.h"
#include "export/c/maker.h"

bool rv_c_is_written(const rv_c_maker *m, const rv_c_result *r)
{
    int32_t id = r->value.id;
    return !rv_c_given_of(&m->plan, id) && rv_tape_node(m->plan.tape, id)->op->kind != RV_OP_LEAF &&
           rv_c_result_of(&m->plan, id) == r && (!r->last || m->at_once[id]);
}

rv_shape rv_c_loops_of(rv_shape shape)
{
    rv_shape loops = {0};
    for (int64_t d = 0; d < shape.rank; d++)
        if (shape.dim[d] != 1) loops.dim[loops.rank++] = shape.dim[d];
    return loops;
}

void rv_c_begin_group(rv_c_maker *m, rv_shape loops)
{
    rv_element e = {.pool = &m->pool};
    rv_element_pool_free(&m->pool);
    m->members = 0;
    m->apart = false;
    m->rank = loops.rank;
    for (int64_t d = 0; d < loops.rank; d++) m->at[d] = rv_index_loop(&e, loops.dim[d]);
    m->flat = rv_index_ravel(&e, loops, m->at);
}

/* ---- arrays ---- */

void rv_c_declare(rv_c_maker *m, int32_t id)
{
    long long count = rv_shape_count(rv_tape_node(m->plan.tape, id)->type.shape);
    rv_write(&m->f->fields, "    %s %s[%lld];\n", m->f->real, m->plan.name[id], count);
    m->f->work_count += (size_t)count;
}

const char *rv_c_place(const rv_c_maker *m, int32_t id, char text[2 * RV_C_NAME])
{
    const rv_c_result *r = rv_c_result_of(&m->plan, id);
    if (r && rv_c_is_written(m, r) && !r->add)
        snprintf(text, 2 * RV_C_NAME, "%.*s", 2 * RV_C_NAME - 1, r->array);
    else
        snprintf(text, 2 * RV_C_NAME, "%s%s", m->f->work, m->plan.name[id]);
    return text;
}

const char *rv_c_array_of(void *context, int32_t id, char text[2 * RV_C_NAME])
{
    const rv_c_maker *m = context;
    const rv_c_given *g = rv_c_given_of(&m->plan, id);
    if (id >= rv_tape_count(m->plan.tape)) {
        snprintf(text, 2 * RV_C_NAME, "%spadded%d", m->f->work,
                 id - rv_tape_count(m->plan.tape) + 1);
        return text;
    }
    if (g) {
        snprintf(text, 2 * RV_C_NAME, "%.*s", 2 * RV_C_NAME - 1, g->array);
        return text;
    }
    if (rv_tape_node(m->plan.tape, id)->op->kind == RV_OP_LEAF) return m->plan.name[id];
    return rv_c_place(m, id, text);
}

/* The local variable of a member of the current group. */
static const char *local(void *context, int32_t id)
{
    const rv_c_maker *m = context;
    for (int i = 0; i < m->members; i++)
        if (m->member[i] == id) return m->plan.name[id];
    return NULL;
}

/* Whether the current group reads a stored value; elsewhere: at another index than its own. */
static bool group_reads(const rv_c_maker *m, int32_t id, bool elsewhere)
{
    for (size_t t = 0; t < m->pool.terms; t++) {
        const rv_term_node *term = &m->pool.term[t];
        if (term->kind == RV_TERM_READ && term->stored == id &&
            (!elsewhere || !rv_index_equal(&term->index, &m->flat)))
            return true;
    }
    return false;
}

/* Whether a member that replaces a given array may do so at the end of each round of the current
 * loops: no other loops read the array later, and these only at the round's own index. */
static bool may_replace(const rv_c_maker *m, const rv_c_result *r)
{
    int32_t last = m->plan.when[m->member[m->members - 1]];
    for (int i = 0; i < m->f->givens; i++) {
        const rv_c_given *g = &m->f->given[i];
        if (strcmp(g->array, r->array)) continue;
        if (m->plan.last_read[g->value.id] > last || group_reads(m, g->value.id, true))
            return false;
    }
    return true;
}

int rv_c_count_results(const rv_c_maker *m, int32_t id)
{
    int count = 0;
    for (int i = 0; i < m->f->results; i++) count += m->f->result[i].value.id == id;
    return count;
}

/* Whether a member needs an array of its own. */
static bool needs_array(const rv_c_maker *m, int32_t id)
{
    const rv_c_result *r = rv_c_result_of(&m->plan, id);
    bool outside = m->plan.last_read[id] > m->plan.when[m->member[m->members - 1]];
    if (!r) return outside;
    if (!rv_c_is_written(m, r)) return true;
    return r->add && (outside || rv_c_count_results(m, id) > 1);
}

static void write_member(rv_c_maker *m, rv_c_expression *x, int i)
{
    int32_t id = m->member[i];
    char text[2 * RV_C_NAME];
    const rv_c_result *r = rv_c_result_of(&m->plan, id);
    bool own = needs_array(m, id), adds = r && r->add,
         later = r && r->last && rv_c_is_written(m, r);
    bool plain = r && !adds && !later && rv_c_is_written(m, r);
    bool local = group_reads(m, id, false) || later || (own && adds);
    const char *name = local ? m->plan.name[id] : NULL;
    if (own) rv_c_declare(m, id);
    if (own || plain)
        rv_c_assign(x, m->value[i], name, rv_c_place(m, id, text), &m->flat, false);
    else
        rv_c_assign(x, m->value[i], name, adds ? r->array : NULL, &m->flat, adds);
    if (own && adds) rv_c_store(x, name, r->array, &m->flat, true);
}

/* ---- loops ---- */

rv_c_expression rv_c_start_expression(rv_c_maker *m, rv_element_pool *pool)
{
    return (rv_c_expression){.pool = pool,
                             .out = &m->f->body,
                             .array = rv_c_array_of,
                             .local = local,
                             .context = m,
                             .wide = -1,
                             .locals = m->locals};
}

void rv_c_finish_expression(rv_c_maker *m, const rv_c_expression *x)
{
    if (!m->rank) m->locals = x->locals; /* their names are taken in the whole function */
    m->f->operations += x->operations;
    m->f->body.failed = m->f->body.failed || x->failed || m->pool.failed;
}

static void write_padding(rv_c_maker *m, int number)
{
    rv_c_padding *p = &m->padding[number];
    rv_shape inner = rv_tape_node(m->plan.tape, p->of)->type.shape, outer = rv_c_padded_shape(m, p);
    rv_element_pool pool = {0};
    rv_element e = {.pool = &pool};
    rv_c_expression x = rv_c_start_expression(m, &pool);
    rv_index at[RV_MAX_RANK], shifted[RV_MAX_RANK];
    for (int64_t d = 0; d < inner.rank; d++) {
        at[d] = rv_index_loop(&e, inner.dim[d]);
        shifted[d] = rv_index_shift(at[d], p->before[d]);
    }
    rv_index to = rv_index_ravel(&e, outer, shifted);
    rv_term value = rv_term_read(&e, p->of, rv_index_ravel(&e, inner, at));
    char text[2 * RV_C_NAME];
    const char *name = rv_c_array_of(m, rv_tape_count(m->plan.tape) + number, text);
    long long count = rv_shape_count(outer);
    rv_write(&m->f->body, "    /* padded%d = %s, with zeros around it */\n", number + 1,
             rv_c_shown_name(&m->plan, p->of));
    rv_write(&m->f->body, "    memset(%s, 0, sizeof %s);\n", name, name);
    rv_write(&m->f->fields, "    %s padded%d[%lld];\n", m->f->real, number + 1, count);
    m->f->work_count += (size_t)count;
    rv_c_collapse(&pool, at, (int)inner.rank, &to);
    rv_c_open_loops(&x, at, (int)inner.rank);
    rv_c_assign(&x, value, NULL, name, &to, false);
    rv_c_close_loops(&x);
    m->f->body.failed = m->f->body.failed || pool.failed || x.failed;
    rv_element_pool_free(&pool);
    p->written = true;
}

void rv_c_write_paddings(rv_c_maker *m)
{
    for (size_t t = 0; t < m->pool.terms; t++) {
        const rv_term_node *term = &m->pool.term[t];
        int number = term->stored - rv_tape_count(m->plan.tape);
        if (term->kind == RV_TERM_READ && number >= 0 && !m->padding[number].written)
            write_padding(m, number);
    }
}

/* Writes the sums that are added in a product's value, each in loops of its own. */
static bool write_addends(rv_c_maker *m, rv_c_expression *x)
{
    int32_t id = m->member[0];
    char text[2 * RV_C_NAME];
    const rv_c_result *r = rv_c_result_of(&m->plan, id);
    rv_term addend[RV_C_MOST_NESTED + 1], value = m->value[0];
    int count = 0;
    while (m->pool.term[value].kind == RV_TERM_APPLY &&
           !strcmp(m->pool.term[value].value, "x + y") && count < RV_C_MOST_NESTED) {
        addend[count++] = m->pool.term[value].of[1];
        value = m->pool.term[value].of[0];
    }
    addend[count++] = value;
    if (!m->plan.products[id] || (r && (r->last || needs_array(m, id)))) return false;
    bool add = r && r->add;
    if (!r) rv_c_declare(m, id);
    for (int k = count - 1; k >= 0; k--) {
        x->locals = m->locals;
        rv_c_assign_sum(x, m->at, (int)m->rank, addend[k], r ? r->array : rv_c_place(m, id, text),
                        &m->flat, add);
        add = true;
    }
    return true;
}

static void write_loops(rv_c_maker *m, rv_c_expression *x)
{
    rv_c_open_loops(x, m->at, (int)m->rank);
    for (int i = 0; i < m->members; i++) write_member(m, x, i);
    for (int i = 0; i < m->members; i++) {
        const rv_c_result *r = rv_c_result_of(&m->plan, m->member[i]);
        if (r && r->last && rv_c_is_written(m, r))
            rv_c_store(x, m->plan.name[m->member[i]], r->array, &m->flat, r->add);
    }
    rv_c_close_loops(x);
}

void rv_c_write_group(rv_c_maker *m)
{
    rv_c_expression x = rv_c_start_expression(m, &m->pool);
    for (int i = 0; i < m->members; i++) {
        const rv_c_result *r = rv_c_result_of(&m->plan, m->member[i]);
        m->at_once[m->member[i]] = r && r->last && may_replace(m, r);
    }
    rv_c_write_paddings(m);
    rv_c_describe(&m->plan, m->member, m->members, &m->f->body);
    rv_c_collapse(&m->pool, m->at, (int)m->rank, &m->flat);
    if (!write_addends(m, &x)) write_loops(m, &x);
    rv_c_finish_expression(m, &x);
}
