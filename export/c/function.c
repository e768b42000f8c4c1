/* The loops that compute the stored values of a function. */
#include "export/c/function.h"

#include <stdio.h>
#include <string.h>

#include "autograd/element_internal.h"
#include "autograd/gradient.h"
#include "export/c/collapse.h"
#include "export/c/describe.h"
#include "export/c/expression.h"
#include "export/c/plan.h"
#include "ops/attributes_internal.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"

/* A copy of a stored value with zeros around it, so that loops over it need no conditions. */
typedef struct padding {
    int32_t of;
    int64_t before[RV_MAX_RANK], after[RV_MAX_RANK];
    bool written;
} padding;

typedef struct maker {
    rv_c_function *f;
    rv_c_plan plan;
    rv_error *error;
    bool *at_once; /* [nodes] of a result whose array is given: nothing reads the array later */
    rv_element_pool pool;
    padding *padding; /* in terms the stored values from the number of nodes on */
    size_t paddings, padding_room;

    /* the group of loops being made: nodes of one shape */
    int32_t *member; /* [nodes] */
    rv_term *value;  /* [nodes] of the members */
    int members;
    rv_index at[RV_MAX_RANK];
    int64_t rank; /* number of loops */
    rv_index flat;
    bool apart; /* a term reads a member at another index */
    int locals; /* local variables outside of loops */
} maker;

/* Whether the group of a result's node writes it: it is computed, and its array may be written at once. */
static bool is_written(const maker *m, const rv_c_result *r)
{
    int32_t id = r->value.id;
    return !rv_c_given_of(&m->plan, id) && rv_tape_node(m->plan.tape, id)->op->kind != RV_OP_LEAF &&
           rv_c_result_of(&m->plan, id) == r && (!r->last || m->at_once[id]);
}

/* ---- elements ---- */

static rv_term element(maker *m, int32_t id, const rv_index *at, int depth);

typedef struct element_context {
    maker *m;
    int32_t id;
    int depth;
} element_context;

static rv_term read(maker *m, rv_element *e, int32_t id, const rv_index *at)
{
    rv_index flat = rv_index_ravel(e, rv_tape_node(m->plan.tape, id)->type.shape, at);
    for (int i = 0; i < m->members; i++)
        if (m->member[i] == id && !rv_index_equal(&flat, &m->flat)) m->apart = true;
    return rv_term_read(e, id, flat);
}

static int32_t find_padding(maker *m, const padding *wanted)
{
    size_t p = 0;
    for (; p < m->paddings; p++) {
        const padding *seen = &m->padding[p];
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

static rv_shape padded_shape(const maker *m, const padding *p)
{
    rv_shape shape = rv_tape_node(m->plan.tape, p->of)->type.shape;
    for (int64_t d = 0; d < shape.rank; d++) shape.dim[d] += p->before[d] + p->after[d];
    return shape;
}

static bool read_padded(rv_element *e, int k, const rv_index *at, rv_term *x)
{
    const element_context *c = e->context;
    maker *m = c->m;
    padding wanted = {.of = rv_tape_node(m->plan.tape, c->id)->in[k]};
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
    *x = rv_term_read(e, stored, rv_index_ravel(e, padded_shape(m, &wanted), inside));
    return true;
}

static rv_term input(rv_element *e, int k, const rv_index *at)
{
    const element_context *c = e->context;
    double number;
    int32_t id = rv_tape_node(c->m->plan.tape, c->id)->in[k];
    if (rv_is_uniform((rv_var){(rv_tape *)(uintptr_t)c->m->plan.tape, id}, &number))
        return rv_term_number(e, number);
    if (c->m->plan.stored[id]) return read(c->m, e, id, at);
    return element(c->m, id, at, c->depth + 1);
}

/* The element of a node at an index, as its op says. Nesting is limited, as everywhere in the library. */
static rv_term element(maker *m, int32_t id, const rv_index *at, int depth)
{
    const rv_node *node = rv_tape_node(m->plan.tape, id);
    element_context context = {m, id, depth};
    rv_element e = {.attr = node->attr,
                    .inputs = node->inputs,
                    .out = node->type,
                    .at = at,
                    .input = input,
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

/* ---- groups of loops ---- */

/* The shape without its axes of size 1, of which there are no loops. */
static rv_shape loops_of(rv_shape shape)
{
    rv_shape loops = {0};
    for (int64_t d = 0; d < shape.rank; d++)
        if (shape.dim[d] != 1) loops.dim[loops.rank++] = shape.dim[d];
    return loops;
}

static void begin_group(maker *m, rv_shape loops)
{
    rv_element e = {.pool = &m->pool};
    rv_element_pool_free(&m->pool);
    m->members = 0;
    m->apart = false;
    m->rank = loops.rank;
    for (int64_t d = 0; d < loops.rank; d++) m->at[d] = rv_index_loop(&e, loops.dim[d]);
    m->flat = rv_index_ravel(&e, loops, m->at);
}

/* Makes the term of a node in the current group. */
static void join(maker *m, int32_t id)
{
    rv_shape shape = rv_tape_node(m->plan.tape, id)->type.shape;
    rv_index at[RV_MAX_RANK];
    for (int64_t d = 0, loop = 0; d < shape.rank; d++)
        at[d] = shape.dim[d] == 1 ? rv_index_of(0) : m->at[loop++];
    m->value[m->members] = element(m, id, at, 0);
    m->member[m->members++] = id;
}

static void write_group(maker *m);
static void write_pieces(maker *m, int32_t id);

static bool make_groups(maker *m)
{
    rv_shape shape = RV_SCALAR;
    bool open = false;
    for (int i = 0; i < m->plan.ordered; i++) {
        int32_t id = m->plan.order[i];
        const rv_node *node = rv_tape_node(m->plan.tape, id);
        bool same = open && !m->plan.products[id] && !m->plan.products[m->plan.order[i - 1]] &&
                    rv_shape_equal(shape, loops_of(node->type.shape));
        if (rv_c_has_pieces(&m->plan, id)) {
            if (open) write_group(m);
            open = false;
            write_pieces(m, id);
            continue;
        }
        if (same) {
            size_t terms = m->pool.terms;
            join(m, id);
            if (m->apart) { /* it needs the whole of a member: the next group */
                m->members--;
                m->pool.terms = terms;
                same = false;
            }
        }
        if (!same) {
            if (open) write_group(m);
            shape = loops_of(node->type.shape);
            begin_group(m, shape);
            join(m, id);
            open = true;
        }
        if (m->error->code || m->pool.failed)
            return m->error->code ? false : rv_fail_memory(m->error);
    }
    if (open) write_group(m);
    return true;
}

/* ---- arrays ---- */

static void declare(maker *m, int32_t id)
{
    long long count = rv_shape_count(rv_tape_node(m->plan.tape, id)->type.shape);
    rv_write(&m->f->fields, "    %s %s[%lld];\n", m->f->real, m->plan.name[id], count);
    m->f->work_count += (size_t)count;
}

/* Where a group's member is written to. */
static const char *place(const maker *m, int32_t id, char text[2 * RV_C_NAME])
{
    const rv_c_result *r = rv_c_result_of(&m->plan, id);
    if (r && is_written(m, r) && !r->add)
        snprintf(text, 2 * RV_C_NAME, "%.*s", 2 * RV_C_NAME - 1, r->array);
    else
        snprintf(text, 2 * RV_C_NAME, "%s%s", m->f->work, m->plan.name[id]);
    return text;
}

static const char *array(void *context, int32_t id, char text[2 * RV_C_NAME])
{
    const maker *m = context;
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
    return place(m, id, text);
}

/* The local variable of a member of the current group. */
static const char *local(void *context, int32_t id)
{
    const maker *m = context;
    for (int i = 0; i < m->members; i++)
        if (m->member[i] == id) return m->plan.name[id];
    return NULL;
}

/* Whether the current group reads a stored value; elsewhere: at another index than its own. */
static bool group_reads(const maker *m, int32_t id, bool elsewhere)
{
    for (size_t t = 0; t < m->pool.terms; t++) {
        const rv_term_node *term = &m->pool.term[t];
        if (term->kind == RV_TERM_READ && term->stored == id &&
            (!elsewhere || !rv_index_equal(&term->index, &m->flat)))
            return true;
    }
    return false;
}

/* Whether a member that replaces a given array may do so at the end of each round of the current loops: no other loops
 * read the array later, and these only at the round's own index. */
static bool may_replace(const maker *m, const rv_c_result *r)
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

static int count_results(const maker *m, int32_t id)
{
    int count = 0;
    for (int i = 0; i < m->f->results; i++) count += m->f->result[i].value.id == id;
    return count;
}

/* Whether a member needs an array of its own. */
static bool needs_array(const maker *m, int32_t id)
{
    const rv_c_result *r = rv_c_result_of(&m->plan, id);
    bool outside = m->plan.last_read[id] > m->plan.when[m->member[m->members - 1]];
    if (!r) return outside;
    if (!is_written(m, r)) return true;
    return r->add && (outside || count_results(m, id) > 1);
}

static void write_member(maker *m, rv_c_expression *x, int i)
{
    int32_t id = m->member[i];
    char text[2 * RV_C_NAME];
    const rv_c_result *r = rv_c_result_of(&m->plan, id);
    bool own = needs_array(m, id), adds = r && r->add, later = r && r->last && is_written(m, r);
    bool plain = r && !adds && !later && is_written(m, r);
    bool local = group_reads(m, id, false) || later || (own && adds);
    const char *name = local ? m->plan.name[id] : NULL;
    if (own) declare(m, id);
    if (own || plain)
        rv_c_assign(x, m->value[i], name, place(m, id, text), &m->flat, false);
    else
        rv_c_assign(x, m->value[i], name, adds ? r->array : NULL, &m->flat, adds);
    if (own && adds) rv_c_store(x, name, r->array, &m->flat, true);
}

/* ---- loops ---- */

static rv_c_expression start_expression(maker *m, rv_element_pool *pool)
{
    return (rv_c_expression){.pool = pool,
                             .out = &m->f->body,
                             .array = array,
                             .local = local,
                             .context = m,
                             .wide = -1,
                             .locals = m->locals};
}

static void finish_expression(maker *m, const rv_c_expression *x)
{
    if (!m->rank) m->locals = x->locals; /* their names are taken in the whole function */
    m->f->operations += x->operations;
    m->f->body.failed = m->f->body.failed || x->failed || m->pool.failed;
}

static void write_padding(maker *m, int number)
{
    padding *p = &m->padding[number];
    rv_shape inner = rv_tape_node(m->plan.tape, p->of)->type.shape, outer = padded_shape(m, p);
    rv_element_pool pool = {0};
    rv_element e = {.pool = &pool};
    rv_c_expression x = start_expression(m, &pool);
    rv_index at[RV_MAX_RANK], shifted[RV_MAX_RANK];
    for (int64_t d = 0; d < inner.rank; d++) {
        at[d] = rv_index_loop(&e, inner.dim[d]);
        shifted[d] = rv_index_shift(at[d], p->before[d]);
    }
    rv_index to = rv_index_ravel(&e, outer, shifted);
    rv_term value = rv_term_read(&e, p->of, rv_index_ravel(&e, inner, at));
    char text[2 * RV_C_NAME];
    const char *name = array(m, rv_tape_count(m->plan.tape) + number, text);
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

/* Writes the copies that the current group needs first. */
static void write_paddings(maker *m)
{
    for (size_t t = 0; t < m->pool.terms; t++) {
        const rv_term_node *term = &m->pool.term[t];
        int number = term->stored - rv_tape_count(m->plan.tape);
        if (term->kind == RV_TERM_READ && number >= 0 && !m->padding[number].written)
            write_padding(m, number);
    }
}

/* Writes the sums that are added in a product's value, each in loops of its own. */
static bool write_addends(maker *m, rv_c_expression *x)
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
    if (!r) declare(m, id);
    for (int k = count - 1; k >= 0; k--) {
        x->locals = m->locals;
        rv_c_assign_sum(x, m->at, (int)m->rank, addend[k], r ? r->array : place(m, id, text),
                        &m->flat, add);
        add = true;
    }
    return true;
}

static void write_loops(maker *m, rv_c_expression *x)
{
    rv_c_open_loops(x, m->at, (int)m->rank);
    for (int i = 0; i < m->members; i++) write_member(m, x, i);
    for (int i = 0; i < m->members; i++) {
        const rv_c_result *r = rv_c_result_of(&m->plan, m->member[i]);
        if (r && r->last && is_written(m, r))
            rv_c_store(x, m->plan.name[m->member[i]], r->array, &m->flat, r->add);
    }
    rv_c_close_loops(x);
}

static void write_group(maker *m)
{
    rv_c_expression x = start_expression(m, &m->pool);
    for (int i = 0; i < m->members; i++) {
        const rv_c_result *r = rv_c_result_of(&m->plan, m->member[i]);
        m->at_once[m->member[i]] = r && r->last && may_replace(m, r);
    }
    write_paddings(m);
    rv_c_describe(&m->plan, m->member, m->members, &m->f->body);
    rv_c_collapse(&m->pool, m->at, (int)m->rank, &m->flat);
    if (!write_addends(m, &x)) write_loops(m, &x);
    finish_expression(m, &x);
}

/* ---- pieces ---- */

/* Starts loops over a shape. */
static void begin_piece(maker *m, rv_shape shape, rv_index at[RV_MAX_RANK])
{
    begin_group(m, loops_of(shape));
    for (int64_t d = 0, loop = 0; d < shape.rank; d++)
        at[d] = shape.dim[d] == 1 ? rv_index_of(0) : m->at[loop++];
}

/* Writes, or adds, a value in these loops to the elements `at` of an array of another shape. */
static void end_piece(maker *m, rv_term value, rv_shape shape, const rv_index *at, const char *to,
                      bool add)
{
    rv_element e = {.pool = &m->pool};
    rv_c_expression x = start_expression(m, &m->pool);
    m->flat = rv_index_ravel(&e, shape, at);
    write_paddings(m);
    rv_c_collapse(&m->pool, m->at, (int)m->rank, &m->flat);
    if (m->pool.failed) {
        m->f->body.failed = true;
        return;
    }
    rv_c_assign_sum(&x, m->at, (int)m->rank, value, to, &m->flat, add);
    finish_expression(m, &x);
}

/* The inputs of a concat one after the other, or the terms of a sum. */
static void write_inputs(maker *m, int32_t id, const char *to, bool add)
{
    const rv_node *node = rv_tape_node(m->plan.tape, id);
    bool sum = node->op == &rv_op_add;
    int64_t axis = sum ? 0 : ((const rv_concat_attr *)node->attr)->axis, start = 0;
    element_context context = {m, id, 0};
    rv_element e = {.context = &context, .pool = &m->pool};
    rv_index at[RV_MAX_RANK];
    for (int k = 0; k < node->inputs; k++) {
        rv_shape shape = rv_tape_node(m->plan.tape, node->in[k])->type.shape;
        begin_piece(m, shape, at);
        rv_term value = input(&e, k, at);
        if (!sum) at[axis] = rv_index_shift(at[axis], start);
        if (!sum) start += shape.dim[axis];
        end_piece(m, value, node->type.shape, at, to, sum && (k || add));
    }
}

/* y[t] = a[t] y[t - 1] + b[t] along an axis, first from the start, and then from the element before. */
static void write_scan(maker *m, int32_t id, const char *to)
{
    const rv_node *node = rv_tape_node(m->plan.tape, id);
    const rv_scan_attr *attr = node->attr;
    const int64_t axis = attr->axis, steps = node->type.shape.dim[axis];
    element_context context = {m, id, 0};
    rv_element e = {.context = &context, .pool = &m->pool};
    for (int rest = 0; rest <= (steps > 1); rest++) {
        rv_shape shape = node->type.shape;
        rv_index at[RV_MAX_RANK];
        shape.dim[axis] = rest ? steps - 1 : 1;
        begin_piece(m, shape, at);
        rv_index t = attr->reverse ? rv_index_shift(rv_index_scale(at[axis], -1), steps - 1 - rest)
                                   : rv_index_shift(at[axis], rest);
        at[axis] = rest ? rv_index_shift(t, attr->reverse ? 1 : -1) : rv_index_of(0);
        rv_term before = rest ? rv_term_read(&e, id, rv_index_ravel(&e, node->type.shape, at))
                              : input(&e, 2, at);
        at[axis] = t;
        rv_term of[] = {input(&e, 0, at), before, input(&e, 1, at)};
        end_piece(m, rv_term_apply(&e, "x * y + z", of, 3), node->type.shape, at, to, false);
    }
}

static void write_pieces(maker *m, int32_t id)
{
    const rv_node *node = rv_tape_node(m->plan.tape, id);
    const rv_c_result *r = rv_c_result_of(&m->plan, id);
    bool sum = node->op == &rv_op_add, adds = r && r->add && is_written(m, r);
    bool own =
        !r || r->last ||
        (adds && (!sum || m->plan.last_read[id] > m->plan.when[id] || count_results(m, id) > 1));
    char text[2 * RV_C_NAME];
    const char *to = own || !adds ? place(m, id, text) : r->array;
    if (own) declare(m, id);
    rv_c_describe(&m->plan, &id, 1, &m->f->body);
    if (!strcmp(node->op->name, "scan"))
        write_scan(m, id, to);
    else
        write_inputs(m, id, to, !own && adds);
    if (own && adds)
        rv_write(&m->f->body, "    for (int i = 0; i < %lld; i++) %s[i] += %s[i];\n",
                 (long long)rv_shape_count(node->type.shape), r->array, to);
}

/* Writes the results that no group wrote: those whose arrays were given, and values that exist already. */
static void write_copies(maker *m)
{
    for (int i = 0; i < m->f->results; i++) {
        const rv_c_result *r = &m->f->result[i];
        char text[2 * RV_C_NAME], number[RV_NUMBER_TEXT];
        double value;
        if (is_written(m, r)) continue;
        bool uniform = rv_is_uniform(r->value, &value);
        const char *from = uniform ? rv_number_text(value, number) : array(m, r->value.id, text);
        long long count = rv_shape_count(rv_shape_of(r->value));
        const char *at = count > 1 ? "[i]" : "[0]";
        rv_write(&m->f->body, "    ");
        if (count > 1) rv_write(&m->f->body, "for (int i = 0; i < %lld; i++) ", count);
        rv_write(&m->f->body, "%s%s %s %s%s;\n", r->array, at, r->add ? "+=" : "=", from,
                 uniform ? "" : at);
    }
}

/* Constants that are not uniform, such as 0, 1, 2, .. of one_hot. */
static void write_constants(maker *m)
{
    for (int32_t id = 0; id < rv_tape_count(m->plan.tape); id++) {
        const rv_node *node = rv_tape_node(m->plan.tape, id);
        bool uniform;
        const void *data = m->plan.stored[id] ? rv_constant_data(node, &uniform) : NULL;
        if (!data || uniform) continue;
        rv_tensor tensor = {node->type.dtype, node->type.shape, (void *)(uintptr_t)data};
        rv_write(&m->f->constants, "    static const real %s[%lld] = {", m->plan.name[id],
                 (long long)rv_tensor_count(&tensor));
        for (int64_t i = 0; i < rv_tensor_count(&tensor); i++) {
            rv_write(&m->f->constants, i % 6 ? ", " : i ? ",\n        " : "\n        ");
            rv_c_write_number(&m->f->constants, rv_tensor_get(&tensor, i));
        }
        rv_write(&m->f->constants, "};\n");
    }
}

bool rv_c_function_write(rv_c_function *f, rv_error *error)
{
    maker m = {.f = f, .error = error};
    bool ok = rv_c_plan_make(&m.plan, f, error);
    size_t nodes = (size_t)rv_tape_count(f->result[0].value.tape);
    m.at_once = rv_alloc(nodes, sizeof *m.at_once);
    m.member = rv_alloc(nodes, sizeof *m.member);
    m.value = rv_alloc(nodes, sizeof *m.value);
    ok = ok && ((m.at_once && m.member && m.value) || rv_fail_memory(error));
    if (ok) {
        write_constants(&m);
        ok = make_groups(&m);
        write_copies(&m);
    }
    if (ok && (f->body.failed || f->fields.failed || f->constants.failed))
        ok = rv_fail_memory(error);
    rv_element_pool_free(&m.pool);
    rv_c_plan_free(&m.plan);
    rv_free(m.padding);
    rv_free(m.at_once);
    rv_free(m.member);
    rv_free(m.value);
    return ok;
}

void rv_c_function_free(rv_c_function *f)
{
    rv_free(f->body.at);
    rv_free(f->fields.at);
    rv_free(f->constants.at);
}
