/* The optimizer's update of an exported net, with one parameter that stands for all. */
#include "export/c/update.h"

#include <stdio.h>
#include <string.h>

#include "autograd/gradient.h"
#include "autograd/tape_internal.h"
#include "ops/ops.h"
#include "tensor/memory.h"

static void name_memory(rv_c_memory *m)
{
    char name[RV_C_NAME];
    const char *from = m->entry->name, *slash = strchr(from, '/');
    snprintf(name, sizeof name, "%.60s", slash ? slash + 1 : from);
    char *end = strstr(name, "/p");
    if (end && end[2] == '\0') *end = '\0';
    rv_c_name(name, m->name);
}

static bool add_memory(rv_c_parts *p, const rv_node *node, int32_t id, rv_error *error)
{
    if (p->memories == (int)(sizeof p->memory / sizeof *p->memory))
        return rv_fail(error, RV_ERROR_LIMIT, "C code: the optimizer has too many states");
    rv_c_memory *m = &p->memory[p->memories++];
    m->entry = node->entry;
    m->all = !strcmp(node->entry->name, "p");
    m->before = m->after = (rv_var){p->update, id};
    if (node->assignment) m->after.id = rv_tape_node(p->update, node->assignment - 1)->in[1];
    name_memory(m);
    return true;
}

/* Whether the rule computes each element of a parameter by itself, so that one parameter can stand
 * for all. Clipping by norm is of all gradients together, and no part of a rule. */
static bool is_elementwise(const rv_optimizer *o, rv_error *error)
{
    rv_optimizer rule = *o;
    rule.clip_norm = 0;
    rv_store *store = rv_store_new(0);
    rv_tape *tape = store ? rv_tape_new(store, RV_F32) : NULL;
    bool whole = false;
    if (tape) {
        rv_shape matrix = RV_SHAPE(2, 2);
        rv_var w = rv_parameter(tape, "p", matrix, rv_init_constant(0));
        rv_minimize(rv_sum(rv_multiply(w, rv_input(tape, "g", matrix)), RV_ALL_AXES, false), rule);
    }
    for (int32_t id = 0; tape && id < rv_tape_count(tape); id++) {
        const rv_node *node = rv_tape_node(tape, id);
        bool element = node->op->value || node->op == &rv_op_add || node->op->rearranges ||
                       node->op->kind == RV_OP_LEAF || node->op->kind == RV_OP_EFFECT;
        whole = whole || (rv_phase_of(node) == RV_PHASE_UPDATE && !element);
    }
    bool ok = rv_tape_is_good(tape, error);
    rv_tape_free(tape);
    rv_store_free(store);
    return ok && (!whole || rv_fail(error, RV_ERROR_ARGUMENT,
                                    "C code: the optimizer %s looks at a whole parameter at once, "
                                    "which cannot be exported yet; use another `optimizer`",
                                    o->name));
}

bool rv_c_record_update(rv_c_parts *p, rv_error *error)
{
    const rv_optimizer *o = p->optimizer;
    if (o->accumulate > 1 || o->group[0].pattern)
        return rv_fail(
            error, RV_ERROR_ARGUMENT,
            "C code: an optimizer with groups of parameters or accumulated gradients cannot "
            "be exported yet; export the net without training");
    if (!is_elementwise(o, error)) return false;
    p->optimizer_store = rv_store_new(0);
    p->update = p->optimizer_store ? rv_tape_new(p->optimizer_store, RV_F32) : NULL;
    if (!p->update) return rv_fail_memory(error);
    rv_shape shape = RV_SHAPE(p->learned_count);
    p->all = rv_parameter(p->update, "p", shape, rv_init_constant(0));
    p->all_gradient = rv_input(p->update, "g", shape);
    p->scale = rv_input(p->update, "scale", RV_SCALAR);
    rv_minimize(
        rv_sum(rv_multiply(p->all, rv_multiply(p->all_gradient, p->scale)), RV_ALL_AXES, false),
        *o);
    if (!rv_tape_is_good(p->update, error)) return false;
    for (int32_t id = 0; id < rv_tape_count(p->update); id++) {
        const rv_node *node = rv_tape_node(p->update, id);
        if (node->op == &rv_op_parameter && !add_memory(p, node, id, error)) return false;
    }
    rv_var *at[3 + 2 * 16] = {&p->all, &p->all_gradient, &p->scale};
    int n = 3;
    for (int m = 0; m < p->memories; m++) {
        at[n++] = &p->memory[m].before;
        at[n++] = &p->memory[m].after;
    }
    return rv_tape_simplify(&p->update, at, n, error);
}
