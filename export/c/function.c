/* Puts the stored values of a function into groups of loops, and has them written. */
#include "export/c/function.h"

#include "autograd/gradient.h"
#include "export/c/maker.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"

/* Makes the term of a node in the current group. */
static void join(rv_c_maker *m, int32_t id)
{
    rv_shape shape = rv_tape_node(m->plan.tape, id)->type.shape;
    rv_index at[RV_MAX_RANK];
    for (int64_t d = 0, loop = 0; d < shape.rank; d++)
        at[d] = shape.dim[d] == 1 ? rv_index_of(0) : m->at[loop++];
    m->value[m->members] = rv_c_element(m, id, at, 0);
    m->member[m->members++] = id;
}

static bool make_groups(rv_c_maker *m)
{
    rv_shape shape = RV_SCALAR;
    bool open = false;
    for (int i = 0; i < m->plan.ordered; i++) {
        int32_t id = m->plan.order[i];
        const rv_node *node = rv_tape_node(m->plan.tape, id);
        bool same = open && !m->plan.products[id] && !m->plan.products[m->plan.order[i - 1]] &&
                    rv_shape_equal(shape, rv_c_loops_of(node->type.shape));
        if (rv_c_has_pieces(&m->plan, id)) {
            if (open) rv_c_write_group(m);
            open = false;
            rv_c_write_pieces(m, id);
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
            if (open) rv_c_write_group(m);
            shape = rv_c_loops_of(node->type.shape);
            rv_c_begin_group(m, shape);
            join(m, id);
            open = true;
        }
        if (m->error->code || m->pool.failed)
            return m->error->code ? false : rv_fail_memory(m->error);
    }
    if (open) rv_c_write_group(m);
    return true;
}

/* Writes the results that no group wrote: those whose arrays were given, and values that exist
 * already. */
static void write_copies(rv_c_maker *m)
{
    for (int i = 0; i < m->f->results; i++) {
        const rv_c_result *r = &m->f->result[i];
        char text[2 * RV_C_NAME], number[RV_NUMBER_TEXT];
        double value;
        if (rv_c_is_written(m, r)) continue;
        bool uniform = rv_is_uniform(r->value, &value);
        const char *from =
            uniform ? rv_number_text(value, number) : rv_c_array_of(m, r->value.id, text);
        long long count = rv_shape_count(rv_shape_of(r->value));
        const char *at = count > 1 ? "[i]" : "[0]";
        rv_write(&m->f->body, "    ");
        if (count > 1) rv_write(&m->f->body, "for (int i = 0; i < %lld; i++) ", count);
        rv_write(&m->f->body, "%s%s %s %s%s;\n", r->array, at, r->add ? "+=" : "=", from,
                 uniform ? "" : at);
    }
}

/* Constants that are not uniform, such as 0, 1, 2, .. of one_hot. */
static void write_constants(rv_c_maker *m)
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
    rv_c_maker m = {.f = f, .error = error};
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
