#include "export/step_internal.h"

#include <stdio.h>
#include <string.h>

#include "autograd/tape_internal.h"
#include "ops/ops.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"

/* ---- tapes ---- */

bool rv_tape_is_good(const rv_tape *tape, rv_error *error)
{
    const rv_error *e = tape ? rv_tape_error(tape) : NULL;
    if (!tape) return rv_fail_memory(error);
    return e->code == RV_OK || rv_fail(error, e->code, "%-s", e->text);
}

bool rv_tape_simplify(rv_tape **tape, rv_var **at, int count, rv_error *error)
{
    rv_var *values = rv_alloc((size_t)count, sizeof *values);
    int *which = rv_alloc((size_t)count, sizeof *which), n = 0;
    bool ok = (values && which) || rv_fail_memory(error);
    for (int i = 0; ok && i < count; i++) {
        if (at[i]->tape != *tape || at[i]->id < 0) continue;
        which[n] = i;
        values[n++] = *at[i];
    }
    rv_tape *simple = ok ? rv_tape_simplified(*tape, values, n, error) : NULL;
    for (int i = 0; i < count && simple; i++) *at[i] = (rv_var){simple, -1};
    for (int i = 0; i < n && simple; i++) *at[which[i]] = values[i];
    rv_free(values);
    rv_free(which);
    if (!simple) return false;
    rv_tape_free(*tape);
    *tape = simple;
    return true;
}

bool *rv_tape_reached(const rv_tape *tape, const rv_var *y, int count, const rv_var *cut, int cuts)
{
    bool *in = rv_alloc((size_t)rv_tape_count(tape), sizeof *in);
    for (int i = 0; in && i < count; i++)
        if (!rv_is_null(y[i])) in[y[i].id] = true;
    for (int32_t id = rv_tape_count(tape) - 1; in && id >= 0; id--) {
        const rv_node *node = rv_tape_node(tape, id);
        bool ends = !in[id];
        for (int i = 0; i < cuts; i++) ends = ends || cut[i].id == id;
        for (int k = 0; k < node->inputs && !ends; k++) in[node->in[k]] = true;
    }
    return in;
}

/* ---- the net ---- */

/* Whether a sample of this type can be an input of the net, with time as axis 0 if it has that. */
static bool check_type(const rv_exported_net *net, const rv_type *type, bool time, const char *x,
                       const char *what, rv_error *error)
{
    enum { MOST_STEPS = 100000 };
    const rv_shape *s = &type->shape;
    bool fits = (type->dtype == net->dtype || type->dtype == RV_I32) && s->rank >= time &&
                s->rank < RV_MAX_RANK && rv_shape_check(*s, 1, NULL, NULL) &&
                (!time || s->dim[0] <= MOST_STEPS);
    return fits || rv_fail(error, RV_ERROR_SHAPE,
                           "%s: %s is no sample: expected %s or i32, a rank of %d to %d%s; "
                           "take the type of a sample",
                           what, x, rv_dtype_name(net->dtype), (int)time, RV_MAX_RANK - 1,
                           time ? ", and time as the first axis" : "");
}

bool rv_exported_check(const char *what, const rv_exported_net *net, rv_error *error)
{
    if (!RV_NEEDS(error, net) || !RV_NEEDS(error, net->model, net->options)) return false;
    if (net->dtype != RV_F32 && net->dtype != RV_F64)
        return rv_fail(error, RV_ERROR_DTYPE,
                       "%s: the dtype of the net is no float; set it to that of the store", what);
    if (!check_type(net, &net->x, net->options->sequence, "x", what, error) ||
        !check_type(net, &net->y, net->options->each_step, "y", what, error))
        return false;
    return (net->options->rnn.layers >= 0 && net->options->rnn.layers <= RV_STEP_STATES) ||
           rv_fail(error, RV_ERROR_ARGUMENT, "%s: %lld layer(s), expected 1 to %d; set `layers`",
                   what, (long long)net->options->rnn.layers, RV_STEP_STATES);
}

rv_net_options rv_exported_options(const rv_exported_net *net, rv_tape *tape)
{
    rv_net_options o = *net->options;
    o.rnn.dropout = o.rnn.recurrent_dropout = 0;
    o.rnn.lengths = (rv_var){tape, -1};
    o.rnn.carry = NULL;
    o.rnn.recompute = 0;
    o.rnn.probes = false;
    o.rnn.initial = NULL;
    o.rnn.final = o.rnn.first = o.rnn.history = NULL;
    return o;
}

/* ---- the step ---- */

const char *rv_exported_whole(const rv_exported_net *net)
{
    const rv_net_options *o = net->options;
    return !net->model->step ? "the model is a whole net of equations, not a cell"
           : o->rnn.bidirectional || o->rnn.reverse
               ? "a net that reads backward in time needs the whole sequence"
           : o->pool ? "the head reads the mean over all steps"
                     : NULL;
}

static bool has_steps(const char *what, const char *instead, const rv_exported_net *net,
                      rv_error *error)
{
    const char *why = rv_exported_whole(net);
    return !why || rv_fail(error, RV_ERROR_ARGUMENT,
                           "%s: %s, so it cannot be computed step by step; use a cell in one "
                           "direction, without pool%s",
                           what, why, instead);
}

/* A sample, or a time step of it, as one of n samples. */
static rv_shape for_samples(rv_shape sample, bool each_step, int64_t n)
{
    rv_shape shape = {.rank = 1, .dim = {n}};
    for (int64_t d = each_step; d < sample.rank; d++) shape.dim[shape.rank++] = sample.dim[d];
    return shape;
}

/* With an axis of time, of one step, or without it. */
static rv_var with_time(rv_var x)
{
    rv_shape s = rv_shape_of(x), shape = {.rank = s.rank + 1, .dim = {s.dim[0], 1}};
    for (int64_t d = 1; d < s.rank; d++) shape.dim[d + 1] = s.dim[d];
    return rv_reshape(x, shape);
}

static rv_var without_time(rv_var x)
{
    rv_shape s = rv_shape_of(x), shape = {.rank = s.rank - 1, .dim = {s.dim[0]}};
    for (int64_t d = 1; d < shape.rank; d++) shape.dim[d] = s.dim[d + 1];
    return rv_is_null(x) ? x : rv_reshape(x, shape);
}

/* The states of all layers. */
typedef struct layers {
    int64_t count;
    rv_states *first, *unused, *before, *after;
} layers;

static void record(rv_step *step, const rv_exported_net *net, const rv_states *initial,
                   rv_states *final, rv_states *first)
{
    rv_net_options o = rv_exported_options(net, step->tape);
    o.steps = 1;
    o.rnn.stepwise = true;
    o.rnn.initial = initial;
    o.rnn.final = final;
    o.rnn.first = first;
    if (o.each_step) o.y.dim[0] = 1;
    rv_var x = net->scale != 1 ? rv_scale(step->x, net->scale) : step->x;
    rv_net made = rv_model_record(net->model, &o, o.sequence ? with_time(x) : x,
                                  o.each_step ? with_time(step->y) : step->y);
    step->output = o.each_step ? without_time(made.output) : made.output;
    step->loss = made.loss;
}

static void make_inputs(rv_step *step, layers *l)
{
    for (int64_t k = 0; k < l->count; k++)
        for (int s = 0; s < RV_CELL_STATES; s++) {
            char name[48];
            rv_var first = l->first[k].h[s];
            snprintf(name, sizeof name, "state/%lld/%d", (long long)k, s);
            l->before[k].h[s] = first.tape == step->tape && !rv_is_null(first)
                                    ? rv_input(step->tape, name, rv_shape_of(first))
                                    : (rv_var){step->tape, -1};
        }
}

/* Adds the states of a layer, which are inputs of the step. */
static bool add_states(rv_step *step, const char *what, int layer, const layers *l, rv_error *error)
{
    for (int s = 0; s < RV_CELL_STATES; s++) {
        rv_var before = l->before[layer].h[s];
        if (before.tape != step->tape || rv_is_null(before)) continue;
        if (step->states == RV_STEP_STATES)
            return rv_fail(error, RV_ERROR_LIMIT,
                           "%s: more than %d state(s) in all layers; use fewer `layers`", what,
                           RV_STEP_STATES);
        rv_step_state *state = &step->state[step->states++];
        state->before = before;
        state->after = l->after[layer].h[s];
        state->first = l->first[layer].h[s];
        state->layer = layer;
        const rv_node *node = rv_tape_node(step->tape, state->after.id);
        if (node->name && node->op->kind != RV_OP_LEAF)
            snprintf(state->symbol, sizeof state->symbol, "%s", node->name);
        else
            snprintf(state->symbol, sizeof state->symbol, "h%d", s);
    }
    return true;
}

/* Records the first step, for the initial states, and then a step from states that are inputs. */
static bool record_both(rv_step *step, const char *what, const rv_exported_net *net,
                        rv_error *error)
{
    layers l = {.count = net->options->rnn.layers ? net->options->rnn.layers : 1};
    rv_states *all = rv_alloc(4 * (size_t)l.count, sizeof *all);
    if (!all) return rv_fail_memory(error);
    l.first = all;
    l.unused = all + l.count;
    l.before = all + 2 * l.count;
    l.after = all + 3 * l.count;
    record(step, net, NULL, l.unused, l.first);
    make_inputs(step, &l);
    record(step, net, l.before, l.after, NULL);
    bool ok = rv_tape_is_good(step->tape, error);
    for (int k = 0; ok && k < l.count; k++) ok = add_states(step, what, k, &l, error);
    rv_free(all);
    return ok;
}

/* What the head reads: the one value outside of its scope that it depends on. */
static bool find_top(rv_step *step, const char *what, rv_error *error)
{
    bool *used = rv_tape_reached(step->tape, &step->output, 1, NULL, 0);
    if (!used) return rv_fail_memory(error);
    step->top = (rv_var){step->tape, -1};
    bool one = true;
    for (int32_t id = 0; id < rv_tape_count(step->tape); id++) {
        const rv_node *node = rv_tape_node(step->tape, id);
        if (!used[id] || strcmp(node->origin->scope, "head")) continue;
        for (int k = 0; k < node->inputs; k++) {
            const rv_node *in = rv_tape_node(step->tape, node->in[k]);
            if (in->op->kind == RV_OP_LEAF || !strcmp(in->origin->scope, "head")) continue;
            one = one && (step->top.id < 0 || step->top.id == node->in[k]);
            step->top.id = node->in[k];
        }
    }
    rv_free(used);
    if (step->top.id < 0 || !one)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "%s: the head reads something else than the cell's output", what);
    for (;;) { /* reshape and concat of one value keep the order of its elements */
        const rv_node *node = rv_tape_node(step->tape, step->top.id);
        bool same = !strcmp(node->op->name, "reshape") || !strcmp(node->op->name, "concat");
        if (!same || node->inputs != 1) return true;
        step->top.id = node->in[0];
    }
}

bool rv_step_record(rv_step *step, const char *what, const char *instead,
                    const rv_exported_net *net, int64_t n, rv_store *store, rv_error *error)
{
    *step = (rv_step){0};
    if (!rv_exported_check(what, net, error) || !has_steps(what, instead, net, error)) return false;
    step->tape = rv_tape_new(store, net->dtype);
    if (!step->tape) return rv_fail_memory(error);
    const rv_net_options *o = net->options;
    step->x =
        rv_input_typed(step->tape, "x", net->x.dtype, for_samples(net->x.shape, o->sequence, n));
    step->y =
        rv_input_typed(step->tape, "y", net->y.dtype, for_samples(net->y.shape, o->each_step, n));
    return record_both(step, what, net, error) && find_top(step, what, error);
}

/* ---- the whole sequence ---- */

bool rv_sequence_record(rv_sequence *q, const rv_exported_net *net, int64_t n, rv_store *store,
                        rv_error *error)
{
    *q = (rv_sequence){.tape = rv_tape_new(store, net->dtype)};
    if (!q->tape) return rv_fail_memory(error);
    rv_net_options o = rv_exported_options(net, q->tape);
    o.rnn.stepwise = true;
    q->x = rv_input_typed(q->tape, "x", net->x.dtype, for_samples(net->x.shape, false, n));
    q->y = rv_input_typed(q->tape, "y", net->y.dtype, for_samples(net->y.shape, false, n));
    rv_net made =
        rv_model_record(net->model, &o, net->scale != 1 ? rv_scale(q->x, net->scale) : q->x, q->y);
    q->output = made.output;
    q->loss = made.loss;
    return rv_tape_is_good(q->tape, error);
}
