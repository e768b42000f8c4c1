#include "tools/signals/signals.h"

#include <stdio.h>
#include <string.h>

#include "tensor/memory.h"

rv_setup signals_setup(const rv_setup *setup)
{
    rv_setup one = *setup;
    one.carry = false; /* start from the initial states */
    one.net.rnn.recompute = 0;
    one.net.rnn.stepwise = true;
    return one;
}

int64_t signals_steps(const rv_setup *setup, const rv_batch *batch)
{
    int64_t steps = setup->data.sequence ? setup->data.x.dim[0] : setup->net.steps;
    if (setup->data.lengths) steps = (int64_t)rv_tensor_get(&batch->length, 0);
    return steps > 1 ? steps : 1;
}

/* ---- nodes ---- */

/* The largest layer of a forward direction. Without a sequence, the net itself may say how many
 * steps there are. */
static void find_extent(cell_signals *s)
{
    for (int32_t i = 0; i < rv_tape_count(s->tape); i++) {
        const rv_origin *origin = rv_tape_node(s->tape, i)->origin;
        if (origin->direction == 0 && origin->layer > s->layer) s->layer = origin->layer;
        if (!s->setup->data.sequence && origin->step >= s->steps) s->steps = origin->step + 1;
    }
}

/* The time step, from 0, of a node of the top layer in the forward direction; -1 for other
 * nodes. */
static int64_t step_of(const cell_signals *s, const rv_node *node)
{
    bool top = node->origin->layer == s->layer && node->origin->direction == 0;
    return top ? node->origin->step : -1;
}

static bool is_function(const rv_node *node) { return node->inputs == 1 && node->op->pointwise; }

/* The first pointwise function that reads the node, directly or through sums; the node itself if
 * there is none. */
static int32_t function_of(const rv_tape *tape, int32_t id)
{
    int32_t at = id;
    for (int32_t i = id + 1; i < rv_tape_count(tape); i++) {
        const rv_node *node = rv_tape_node(tape, i);
        bool reads = false;
        for (int k = 0; k < node->inputs; k++) reads = reads || node->in[k] == at;
        if (!reads) continue;
        if (is_function(node)) return i;
        if (node->op != &rv_op_add || node->state || node->gate) return id;
        at = i;
    }
    return id;
}

/* The node of the signal that this node belongs to; -1: another signal's. */
static int32_t node_of(const cell_signals *s, const cell_signal *is, int32_t i)
{
    const rv_node *node = rv_tape_node(s->tape, i);
    if (is->state > 0) return node->state == is->state ? i : -1;
    if (*is->gate)
        return node->gate && strcmp(is->gate, node->gate) == 0 ? function_of(s->tape, i) : -1;
    return node->name && strcmp(is->name, node->name) == 0 ? i : -1;
}

/* ---- signals ---- */

/* The shape of one sample, at one time step if axis 1 is time. What has no axis of samples, such as
 * a drawn matrix, keeps its shape. */
static rv_shape sample_shape(rv_shape shape, bool moving)
{
    const int axes = moving ? 2 : shape.rank > 0 && shape.dim[0] == 1;
    rv_shape rest = {.rank = shape.rank - axes};
    for (int d = 0; d < rest.rank; d++) rest.dim[d] = shape.dim[d + axes];
    return rest;
}

static void add(cell_signals *s, const char *symbol, cell_signal kind)
{
    if (s->count == MOST_SIGNALS) return;
    snprintf(kind.symbol, sizeof kind.symbol, "%s", symbol);
    if (!kind.gate) kind.gate = "";
    if (!kind.name) kind.name = "";
    s->list[s->count++] = kind;
}

static void add_data(cell_signals *s, const char *symbol, signal_kind kind, rv_var data,
                     bool moving)
{
    add(s, symbol,
        (cell_signal){.kind = kind,
                      .data = data,
                      .shape = sample_shape(rv_shape_of(data), moving),
                      .moving = moving});
}

static void add_node(cell_signals *s, const char *symbol, int32_t id, cell_signal kind)
{
    const rv_node *node = rv_tape_node(s->tape, id);
    kind.shape = sample_shape(node->type.shape, false);
    kind.fraction = strcmp(node->op->name, "sigmoid") == 0;
    add(s, symbol, kind);
}

static bool is_state_symbol(const cell_signals *s, const char *symbol)
{
    for (int i = 0; i < RV_CELL_STATES; i++) {
        const char *state = rv_state_symbol(s->setup->model, i);
        if (state && strcmp(state, symbol) == 0) return true;
    }
    return false;
}

static bool has_name(const cell_signals *s, int32_t id)
{
    const rv_node *node = rv_tape_node(s->tape, id);
    return node->state || (node->name && !node->gate) || id >= s->net.loss.id ||
           id == s->net.output.id;
}

int32_t signals_equation(const cell_signals *s, int32_t id)
{
    while (!has_name(s, id)) {
        int32_t next = id;
        bool reads = false;
        while (!reads && ++next <= s->net.loss.id) {
            const rv_node *node = rv_tape_node(s->tape, next);
            for (int k = 0; k < node->inputs; k++) reads = reads || node->in[k] == id;
        }
        if (!reads) return id;
        id = next;
    }
    return id;
}

/* Adds the gates and candidates of the first step: values whose equations contain the argument of a
 * gate, and functions that an equation names. Where that is the equation of a state, the gate is
 * what a function makes of the argument; with the symbol of a state it is labelled "new" and the
 * symbol. */
static void find_gates(cell_signals *s)
{
    for (int32_t i = 0; i < rv_tape_count(s->tape); i++) {
        const rv_node *node = rv_tape_node(s->tape, i);
        if (step_of(s, node) != 0 || !(node->gate || (node->name && is_function(node)))) continue;
        const int32_t id = node->gate ? signals_equation(s, i) : i;
        const rv_node *is = rv_tape_node(s->tape, id);
        char symbol[SIGNAL_SYMBOL];
        if (is->name && !is->state && step_of(s, is) == 0) {
            const cell_signal gate = {.kind = SIGNAL_GATE, .name = is->name};
            if (signals_index(s, is->name) < 0 && !is_state_symbol(s, is->name))
                add_node(s, is->name, id, gate);
        } else if (node->gate && !rv_tape_node(s->tape, function_of(s->tape, i))->state) {
            const cell_signal gate = {.kind = SIGNAL_GATE, .gate = node->gate};
            snprintf(symbol, sizeof symbol, "%s%.19s",
                     is_state_symbol(s, node->gate)        ? "new "
                     : strspn(node->gate, "123456789") > 0 ? "d"
                                                           : "",
                     node->gate);
            if (signals_index(s, symbol) < 0) add_node(s, symbol, function_of(s->tape, i), gate);
        }
    }
}

static void find_states(cell_signals *s)
{
    for (int k = RV_CELL_STATES; k >= 1; k--) {
        const char *symbol = rv_state_symbol(s->setup->model, k - 1);
        int32_t i = 0;
        while (i < rv_tape_count(s->tape) &&
               (rv_tape_node(s->tape, i)->state != k || step_of(s, rv_tape_node(s->tape, i)) != 0))
            i++;
        if (symbol && i < rv_tape_count(s->tape))
            add_node(s, symbol, i, (cell_signal){.kind = SIGNAL_STATE, .state = k});
    }
}

/* Whether the node is a value of its own, with a name that no signal has: named by an equation, or
 * a constant that the net draws. */
static bool is_other_value(const cell_signals *s, const rv_node *node)
{
    const bool drawn = node->entry && node->entry->role == RV_STATE;
    return node->name && !node->state && !node->gate && (drawn || node->op->kind != RV_OP_LEAF) &&
           signals_index(s, node->name) < 0;
}

static void find_other_values(cell_signals *s)
{
    for (int32_t i = 0; i < rv_tape_count(s->tape); i++) {
        const rv_node *node = rv_tape_node(s->tape, i);
        if (!is_other_value(s, node)) continue;
        if (step_of(s, node) == 0)
            add_node(s, node->name, i, (cell_signal){.kind = SIGNAL_VALUE, .name = node->name});
        else if (node->origin->step < 0 && i != s->net.output.id && i != s->net.loss.id)
            add_data(s, node->name, SIGNAL_VALUE, (rv_var){s->tape, i}, false);
    }
}

static rv_var input_of(rv_tape *tape, const char *name)
{
    int32_t i = rv_tape_count(tape) - 1;
    while (i >= 0 && (rv_tape_node(tape, i)->op != &rv_op_input ||
                      strcmp(rv_tape_node(tape, i)->name, name) != 0))
        i--;
    return (rv_var){tape, i};
}

/* ---- nodes of all steps ---- */

/* Equal expressions of different steps are one node (invariant 5), so a signal missing at a step is
 * that of the step before. */
static bool find_nodes(cell_signals *s, rv_error *error)
{
    const int64_t all = s->steps * s->count;
    s->at = rv_alloc((size_t)all, sizeof *s->at);
    if (!s->at) return rv_fail_memory(error);
    for (int64_t i = 0; i < all; i++) {
        const rv_var data = s->list[i % s->count].data;
        s->at[i] = rv_is_null(data) ? (rv_var){s->tape, -1} : data;
    }
    for (int32_t i = 0; i < rv_tape_count(s->tape); i++) {
        const int64_t t = step_of(s, rv_tape_node(s->tape, i));
        for (int k = 0; t >= 0 && t < s->steps && k < s->count; k++) {
            const int32_t id = rv_is_null(s->list[k].data) ? node_of(s, &s->list[k], i) : -1;
            if (id >= 0) s->at[t * s->count + k].id = id;
        }
    }
    for (int64_t i = s->count; i < all; i++)
        if (rv_is_null(s->at[i])) s->at[i] = s->at[i - s->count];
    return true;
}

bool signals_find(cell_signals *s, const rv_setup *setup, rv_tape *tape, rv_net net, int64_t steps,
                  rv_error *error)
{
    const rv_source *data = &setup->data;
    *s = (cell_signals){.setup = setup, .tape = tape, .net = net, .steps = steps};
    find_extent(s);
    add_data(s, "input", SIGNAL_INPUT, input_of(tape, "x"), data->sequence);
    const int before = s->count;
    find_gates(s);
    find_states(s);
    if (s->count == before)
        return rv_fail(error, RV_ERROR_ARGUMENT, "the model \"%s\" shows no states",
                       setup->model->name);
    find_other_values(s);
    if (data->each_step && !data->classes) {
        add_data(s, "prediction", SIGNAL_PREDICTION, net.output, true);
        add_data(s, "target", SIGNAL_TARGET, input_of(tape, "y"), true);
    }
    return find_nodes(s, error);
}

void signals_free(cell_signals *s)
{
    rv_free(s->at);
    s->at = NULL;
}

int signals_index(const cell_signals *s, const char *symbol)
{
    for (int i = 0; i < s->count; i++)
        if (strcmp(s->list[i].symbol, symbol) == 0) return i;
    return -1;
}
