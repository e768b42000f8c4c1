/* Recording marks the segments. Gradients record the segments again. */
#include "autograd/element_internal.h"
#include "autograd/recompute.h"

#include "autograd/gradient.h"
#include "autograd/replay_internal.h"
#include "tensor/memory.h"

/* ---- control dependency ---- */

static bool infer(rv_inference *i)
{
    i->out = i->in[0];
    return true;
}

static rv_var gradient(const rv_backward *b, int k) { return k ? (rv_var){b->dy.tape, -1} : b->dy; }

static const rv_sample samples[] = {
    {.in = {{2, {3, 5}}, {1, {4}}}, .low = -2, .high = 2},
};

static rv_var call(rv_arguments *a) { return rv_control_dependency(a->x[0], a->x[1]); }

static rv_term element(rv_element *e) { return rv_term_input(e, 0, e->at); }

const rv_op rv_op_control_dependency = {
    .name = "control_dependency",
    .args = "x z",
    .formula = "y = x",
    .doc = "x, computed only after z; no gradient to z",
    .inputs = 2,
    .infer = infer,
    .element = element,
    .reference = rv_copy_bytes,
    .select = rv_select_copy_bytes,
    .gradient = gradient,
    .linear = 1,
    .linear_jointly = true,
    .polynomial = true,
    .in_place = 1,
    .call = call,
    RV_SAMPLES(samples),
};

rv_var rv_control_dependency(rv_var x, rv_var z)
{
    return rv_record(NULL, &rv_op_control_dependency, NULL, 0, (rv_var[]){x, z}, 2);
}

/* ---- marking ---- */

void rv_recompute_push(rv_tape *tape)
{
    if (!tape) return;
    if (!tape->segment_depth++) rv_tape_add_bound(tape, tape->count);
}

void rv_recompute_pop(rv_tape *tape)
{
    if (!tape || !tape->segment_depth) return;
    if (!--tape->segment_depth) rv_tape_add_bound(tape, tape->count);
}

/* ---- recording again ---- */

/* Finds the segment that contains the node, by bisection. Returns false if there is none. */
static bool find_segment(const rv_tape *tape, int32_t id, int32_t *first, int32_t *end)
{
    size_t low = 0, high = tape->bounds.count / 2; /* ignores an open segment */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        *first = tape->bounds.id[2 * middle];
        *end = tape->bounds.id[2 * middle + 1];
        if (id < *first)
            high = middle;
        else if (id >= *end)
            low = middle + 1;
        else
            return true;
    }
    return false;
}

/* Whether a replay reads the node directly, without a control dependency. */
static bool fixed(const rv_node *node)
{
    return node->op == &rv_op_parameter || node->op == &rv_op_constant;
}

/* Records a node of the segment on the replayed inputs. Values from outside the segment get a
 * control dependency on dy, so that the second computation does not start before the backward pass
 * reaches the segment. */
static rv_var record_again(const rv_replay *r, rv_tape *tape, int32_t id, rv_var dy, rv_var *in)
{
    const rv_node node = tape->nodes[id]; /* a copy, because recording may reallocate the nodes */
    rv_origin origin = *node.origin;
    if (node.op != &rv_op_stop_gradient) /* it still stops a value of the forward pass */
        origin.phase = RV_PHASE_GRADIENT;
    if (!node.inputs || node.op->kind == RV_OP_EFFECT) return (rv_var){tape, id};
    rv_tape_set_origin(tape, origin);
    for (int k = 0; k < node.inputs; k++) {
        int32_t from = node.in[k];
        in[k] = (rv_var){tape, rv_replayed(r, from)};
        bool inside = from >= r->first && !(tape->nodes[from].op->kind == RV_OP_LEAF);
        if (!inside && !fixed(&tape->nodes[from])) in[k] = rv_control_dependency(in[k], dy);
    }
    return rv_record(tape, node.op, node.attr, node.attr_size, in, node.inputs);
}

bool rv_replay_for(rv_replay *r, rv_tape *tape, int32_t id, rv_var dy)
{
    int32_t first, end, most = 1;
    if (r->first <= id && id < r->end) return true;
    if (!find_segment(tape, id, &first, &end)) return true;
    if (!rv_reserve(&r->again, &r->capacity, (size_t)(end - first), sizeof *r->again))
        return rv_fail_memory(&tape->error);
    for (int32_t i = first; i < end; i++)
        if (tape->nodes[i].inputs > most) most = tape->nodes[i].inputs;
    rv_var *in = rv_alloc((size_t)most, sizeof *in);
    if (!in) return rv_fail_memory(&tape->error);
    r->first = r->end = first;
    rv_scope_push(tape, ""); /* record_again sets its origin */
    for (; r->end < end && !tape->error.code; r->end++)
        r->again[r->end - first] = record_again(r, tape, r->end, dy, in).id;
    rv_scope_pop(tape);
    rv_free(in);
    return !tape->error.code;
}
