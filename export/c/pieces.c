/* Values that are computed in several loops: a concat, a sum of many terms, a scan. */
#include <string.h>

#include "export/c/collapse.h"
#include "export/c/describe.h"
#include "export/c/maker.h"
#include "ops/attributes_internal.h"

/* Starts loops over a shape. */
static void begin_piece(rv_c_maker *m, rv_shape shape, rv_index at[RV_MAX_RANK])
{
    rv_c_begin_group(m, rv_c_loops_of(shape));
    for (int64_t d = 0, loop = 0; d < shape.rank; d++)
        at[d] = shape.dim[d] == 1 ? rv_index_of(0) : m->at[loop++];
}

/* Writes, or adds, a value in these loops to the elements `at` of an array of another shape. */
static void end_piece(rv_c_maker *m, rv_term value, rv_shape shape, const rv_index *at,
                      const char *to, bool add)
{
    rv_element e = {.pool = &m->pool};
    rv_c_expression x = rv_c_start_expression(m, &m->pool);
    m->flat = rv_index_ravel(&e, shape, at);
    rv_c_write_paddings(m);
    rv_c_collapse(&m->pool, m->at, (int)m->rank, &m->flat);
    if (m->pool.failed) {
        m->f->body.failed = true;
        return;
    }
    rv_c_assign_sum(&x, m->at, (int)m->rank, value, to, &m->flat, add);
    rv_c_finish_expression(m, &x);
}

/* The inputs of a concat one after the other, or the terms of a sum. */
static void write_inputs(rv_c_maker *m, int32_t id, const char *to, bool add)
{
    const rv_node *node = rv_tape_node(m->plan.tape, id);
    bool sum = node->op == &rv_op_add;
    int64_t axis = sum ? 0 : ((const rv_concat_attr *)node->attr)->axis, start = 0;
    rv_c_element_context context = {m, id, 0};
    rv_element e = {.context = &context, .pool = &m->pool};
    rv_index at[RV_MAX_RANK];
    for (int k = 0; k < node->inputs; k++) {
        rv_shape shape = rv_tape_node(m->plan.tape, node->in[k])->type.shape;
        begin_piece(m, shape, at);
        rv_term value = rv_c_input(&e, k, at);
        if (!sum) at[axis] = rv_index_shift(at[axis], start);
        if (!sum) start += shape.dim[axis];
        end_piece(m, value, node->type.shape, at, to, sum && (k || add));
    }
}

/* y[t] = a[t] y[t - 1] + b[t] along an axis, first from the start, and then from the element
 * before. */
static void write_scan(rv_c_maker *m, int32_t id, const char *to)
{
    const rv_node *node = rv_tape_node(m->plan.tape, id);
    const rv_scan_attr *attr = node->attr;
    const int64_t axis = attr->axis, steps = node->type.shape.dim[axis];
    rv_c_element_context context = {m, id, 0};
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
                              : rv_c_input(&e, 2, at);
        at[axis] = t;
        rv_term of[] = {rv_c_input(&e, 0, at), before, rv_c_input(&e, 1, at)};
        end_piece(m, rv_term_apply(&e, "x * y + z", of, 3), node->type.shape, at, to, false);
    }
}

void rv_c_write_pieces(rv_c_maker *m, int32_t id)
{
    const rv_node *node = rv_tape_node(m->plan.tape, id);
    const rv_c_result *r = rv_c_result_of(&m->plan, id);
    bool sum = node->op == &rv_op_add, adds = r && r->add && rv_c_is_written(m, r);
    bool own = !r || r->last ||
               (adds && (!sum || m->plan.last_read[id] > m->plan.when[id] ||
                         rv_c_count_results(m, id) > 1));
    char text[2 * RV_C_NAME];
    const char *to = own || !adds ? rv_c_place(m, id, text) : r->array;
    if (own) rv_c_declare(m, id);
    rv_c_describe(&m->plan, &id, 1, &m->f->body);
    if (!strcmp(node->op->name, "scan"))
        write_scan(m, id, to);
    else
        write_inputs(m, id, to, !own && adds);
    if (own && adds)
        rv_write(&m->f->body, "    for (int i = 0; i < %lld; i++) %s[i] += %s[i];\n",
                 (long long)rv_shape_count(node->type.shape), r->array, to);
}
