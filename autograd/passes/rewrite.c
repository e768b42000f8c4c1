/* Prune and rewrite: records the live nodes again, in order, on a new tape, where hash-consing
 * merges the nodes that have become equal. */
#include <string.h>

#include "autograd/passes/passes.h"
#include "autograd/tape_internal.h"
#include "tensor/memory.h"

void rv_pass_prune(const rv_tape *tape, const int32_t *outputs, int count, unsigned flags,
                   bool *live)
{
    for (int i = 0; i < count; i++) live[outputs[i]] = true;
    for (size_t i = 0; i < tape->inputs.count; i++) live[tape->inputs.id[i]] = true;
    if (flags & RV_EFFECTS)
        for (size_t i = 0; i < tape->effects.count; i++) live[tape->effects.id[i]] = true;
    for (int32_t id = tape->count - 1; id >= 0; id--)
        for (int k = 0; live[id] && k < tape->nodes[id].inputs; k++)
            live[tape->nodes[id].in[k]] = true;
}

static bool note(rv_tape *to, const rv_node *node, rv_var made)
{
    rv_node *copy = &to->nodes[made.id];
    if (node->entry) copy->entry = node->entry;
    if (node->name && !copy->name && !(copy->name = rv_tape_string(to, node->name))) return false;
    if (node->gate && !copy->gate && !(copy->gate = rv_tape_string(to, node->gate))) return false;
    if (!copy->state) copy->state = node->state;
    if (node->op == &rv_op_input) return rv_tape_add_input(to, made.id);
    if (node->op == &rv_op_assign) return rv_tape_add_assignment(to, made.id);
    return true;
}

static void copy_origin(rv_tape *to, const rv_origin *from)
{
    rv_origin copy = *from;
    copy.scope = rv_tape_string(to, from->scope);
    if (copy.scope) rv_tape_set_origin(to, copy);
}

static bool rewrite_nodes(const rv_tape *from, const bool *live, rv_rule rule, void *context,
                          rv_tape *to, int32_t *in_to)
{
    const rv_origin *origin = &rv_origin_top;
    size_t capacity = 0;
    rv_var *in = NULL;
    for (int32_t id = 0; id < from->count && !to->error.code; id++) {
        if (!live[id]) continue;
        const rv_node *node = &from->nodes[id];
        if (!rv_reserve(&in, &capacity, (size_t)node->inputs + 1, sizeof *in)) {
            rv_fail_memory(&to->error);
            break;
        }
        for (int k = 0; k < node->inputs; k++) in[k] = (rv_var){to, in_to[node->in[k]]};
        if (node->origin != origin) copy_origin(to, origin = node->origin);
        rv_var made = {to, -1};
        if (rule) made = rule(context, to, id, node, in);
        if (made.id < 0 && !to->error.code) {
            made = rv_tape_copy(to, node, in);
            if (made.id >= 0) note(to, node, made);
        }
        in_to[id] = made.id;
    }
    rv_free(in);
    return !to->error.code;
}

static bool reserve(rv_tape *to, const rv_tape *from, const bool *live, int32_t more)
{
    int32_t count = more;
    for (int32_t id = 0; id < from->count; id++) count += live[id];
    return rv_tape_reserve(to, count);
}

rv_tape *rv_pass_rewrite(const rv_tape *from, int32_t *outputs, int count, unsigned flags,
                         rv_rule rule, void *context, int32_t more, rv_error *error)
{
    size_t nodes = (size_t)from->count + 1;
    bool *live = rv_alloc(nodes, sizeof *live);
    int32_t *in_to = rv_alloc(nodes, sizeof *in_to);
    rv_tape *to = rv_tape_new(from->store, from->dtype);
    bool ok = live && in_to && to;
    if (!ok) {
        rv_fail_memory(error);
    } else {
        rv_pass_prune(from, outputs, count, flags, live);
        ok = reserve(to, from, live, more) && rewrite_nodes(from, live, rule, context, to, in_to);
        for (int i = 0; ok && i < count; i++) outputs[i] = in_to[outputs[i]];
        if (!ok) rv_fail(error, to->error.code, "%-s", to->error.text);
    }
    rv_free(live);
    rv_free(in_to);
    if (ok) return to;
    rv_tape_free(to);
    return NULL;
}
