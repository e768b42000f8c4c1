#include "export/c/parts.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "autograd/gradient.h"
#include "autograd/tape_internal.h"
#include "ops/ops.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"

/* ---- the step and the head ---- */

static rv_shape with_axes(rv_shape sample, bool each_step)
{
    rv_shape shape = {.rank = sample.rank + 1, .dim = {1}};
    for (int64_t d = 0; d < sample.rank; d++) shape.dim[d + 1] = sample.dim[d];
    if (each_step) shape.dim[1] = 1; /* one time step */
    return shape;
}

static rv_net record(rv_c_parts *p, rv_tape *tape, const rv_states *initial, rv_states *final,
                     rv_states *first)
{
    const rv_c_net *net = p->net;
    rv_net_options o = *net->options;
    o.steps = 1;
    o.rnn.dropout = o.rnn.recurrent_dropout = 0;
    o.rnn.lengths = (rv_var){tape, -1};
    o.rnn.carry = NULL;
    o.rnn.recompute = 0;
    o.rnn.probes = false;
    o.rnn.stepwise = true;
    o.rnn.initial = initial;
    o.rnn.final = final;
    o.rnn.first = first;
    p->x = rv_input_typed(tape, "x", net->x.dtype, with_axes(net->x.shape, o.sequence));
    p->y = rv_input_typed(tape, "y", net->y.dtype, with_axes(net->y.shape, o.each_step));
    if (o.each_step) o.y.dim[0] = 1;
    return rv_model_record(net->model, &o, net->scale != 1 ? rv_scale(p->x, net->scale) : p->x,
                           p->y);
}

static bool on_tape(const rv_tape *tape, rv_error *error)
{
    const rv_error *e = tape ? rv_tape_error(tape) : NULL;
    if (!tape) return rv_fail_memory(error);
    return e->code == RV_OK || rv_fail(error, e->code, "%-s", e->text);
}

int64_t rv_c_count(rv_var x) { return rv_shape_count(rv_shape_of(x)); }

static void name_state(rv_c_parts *p, int layer, int s)
{
    rv_c_state *state = &p->state[p->states];
    const rv_node *node = rv_tape_node(p->tape, state->after.id);
    char name[RV_C_NAME], plain[RV_C_NAME];
    snprintf(plain, sizeof plain, "h%d", s);
    rv_c_name(node->name && node->op->kind != RV_OP_LEAF ? node->name : plain, name);
    if (p->net->options->rnn.layers > 1)
        snprintf(state->name, RV_C_NAME, "layer%d_%.40s", layer, name);
    else
        memcpy(state->name, name, sizeof name);
    for (int i = 0; i < p->states; i++)
        if (!strcmp(p->state[i].name, state->name))
            snprintf(state->name, RV_C_NAME, "state%d", p->states);
}

/* Adds the states of a layer, which are inputs of the step. */
static bool add_states(rv_c_parts *p, int layer, const rv_states *before, const rv_states *after,
                       const rv_states *first, rv_error *error)
{
    for (int s = 0; s < RV_CELL_STATES; s++) {
        if (before->h[s].tape != p->tape || rv_is_null(before->h[s])) continue;
        if (p->states == RV_C_MOST_STATES)
            return rv_fail(error, RV_ERROR_LIMIT,
                           "C code: more than %d state(s) in all layers; use fewer `layers`",
                           RV_C_MOST_STATES);
        rv_c_state *state = &p->state[p->states];
        state->before = before->h[s];
        state->after = after->h[s];
        state->first = first->h[s];
        state->count = rv_c_count(state->before);
        name_state(p, layer, s);
        p->states++;
    }
    return true;
}

/* The states of all layers. */
typedef struct layers {
    int64_t count;
    rv_states *first, *unused, *before, *after;
} layers;

static void make_inputs(rv_c_parts *p, layers *l)
{
    for (int64_t k = 0; k < l->count; k++)
        for (int s = 0; s < RV_CELL_STATES; s++) {
            char name[48];
            rv_var first = l->first[k].h[s];
            snprintf(name, sizeof name, "state/%lld/%d", (long long)k, s);
            l->before[k].h[s] = first.tape == p->tape && !rv_is_null(first)
                                    ? rv_input(p->tape, name, rv_shape_of(first))
                                    : (rv_var){p->tape, -1};
        }
}

/* Records the first step, for the initial states, and then a step from states that are inputs. */
static bool record_step(rv_c_parts *p, rv_store *store, rv_error *error)
{
    layers l = {.count = p->net->options->rnn.layers ? p->net->options->rnn.layers : 1};
    rv_states *all = rv_alloc(4 * (size_t)l.count, sizeof *all);
    p->tape = rv_tape_new(store, RV_F32);
    bool ok = (all && p->tape) || rv_fail_memory(error);
    if (ok) {
        l.first = all;
        l.unused = all + l.count;
        l.before = all + 2 * l.count;
        l.after = all + 3 * l.count;
        record(p, p->tape, NULL, l.unused, l.first);
        make_inputs(p, &l);
        rv_net net = record(p, p->tape, l.before, l.after, NULL);
        p->output = net.output;
        p->loss = net.loss;
        ok = on_tape(p->tape, error);
    }
    for (int k = 0; ok && k < l.count; k++)
        ok = add_states(p, k, &l.before[k], &l.after[k], &l.first[k], error);
    rv_free(all);
    return ok;
}

/* Sets in[i] to whether y depends on node i of the tape by a way that does not lead through `cut`. */
static bool *reached(rv_var y, rv_var cut)
{
    bool *in = rv_alloc((size_t)rv_tape_count(y.tape), sizeof *in);
    if (in) in[y.id] = true;
    for (int32_t id = y.id; in && id >= 0; id--) {
        const rv_node *node = rv_tape_node(y.tape, id);
        if (!in[id] || id == cut.id) continue;
        for (int k = 0; k < node->inputs; k++) in[node->in[k]] = true;
    }
    return in;
}

/* What the head reads: the one value outside of its scope that it depends on. */
static bool find_top(rv_c_parts *p, rv_error *error)
{
    bool *used = reached(p->output, (rv_var){p->tape, -1});
    if (!used) return rv_fail_memory(error);
    p->top = (rv_var){p->tape, -1};
    bool one = true;
    for (int32_t id = 0; id < rv_tape_count(p->tape); id++) {
        const rv_node *node = rv_tape_node(p->tape, id);
        if (!used[id] || strcmp(node->origin->scope, "head")) continue;
        for (int k = 0; k < node->inputs; k++) {
            const rv_node *in = rv_tape_node(p->tape, node->in[k]);
            if (in->op->kind == RV_OP_LEAF || !strcmp(in->origin->scope, "head")) continue;
            one = one && (p->top.id < 0 || p->top.id == node->in[k]);
            p->top.id = node->in[k];
        }
    }
    rv_free(used);
    if (p->top.id < 0 || !one)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "C code: the head reads something else than the cell's output");
    for (;;) { /* reshape and concat of one value keep the order of its elements */
        const rv_node *node = rv_tape_node(p->tape, p->top.id);
        bool same = !strcmp(node->op->name, "reshape") || !strcmp(node->op->name, "concat");
        if (!same || node->inputs != 1) break;
        p->top.id = node->in[0];
    }
    p->top_state = -1;
    for (int s = 0; s < p->states; s++)
        if (p->state[s].after.id == p->top.id) p->top_state = s;
    return true;
}

/* ---- parameters ---- */

static bool add_parameter(rv_c_parts *p, rv_var value, rv_error *error)
{
    const rv_node *node = rv_tape_node(p->tape, value.id);
    rv_c_parameter *to = &p->parameter[p->parameters];
    char plain[RV_C_NAME];
    if (p->parameters == RV_C_MOST_PARAMETERS)
        return rv_fail(error, RV_ERROR_LIMIT,
                       "C code: more than %d parameter(s) with names; use fewer `layers`",
                       RV_C_MOST_PARAMETERS);
    to->entry = node->entry;
    to->count = rv_c_count(value);
    to->in_step = to->in_head = to->in_start = (rv_var){p->tape, -1};
    memcpy(plain, rv_c_name(node->entry->name, to->name), sizeof plain);
    for (int i = 0, number = 1; i < p->parameters; i++) {
        if (strcmp(p->parameter[i].name, to->name)) continue;
        snprintf(to->name, RV_C_NAME, "%.48s_%d", plain, ++number);
        i = -1;
    }
    p->parameter_count += to->count;
    p->parameters++;
    return true;
}

/* The learned ones come first: the update is of them alone. */
static bool find_parameters(rv_c_parts *p, rv_error *error)
{
    for (int pass = 0; pass < 2; pass++) {
        for (int32_t id = 0; id < rv_tape_count(p->tape); id++) {
            const rv_node *node = rv_tape_node(p->tape, id);
            bool learned = node->op == &rv_op_parameter && node->entry->role == RV_PARAMETER;
            if (node->op == &rv_op_parameter && learned == !pass &&
                !add_parameter(p, (rv_var){p->tape, id}, error))
                return false;
        }
        if (!pass) p->learned_count = p->parameter_count;
    }
    return true;
}

/* ---- gradients ---- */

static rv_var leaf_of(const rv_c_parts *p, const rv_entry *entry)
{
    for (int32_t id = 0; id < rv_tape_count(p->tape); id++)
        if (rv_tape_node(p->tape, id)->op == &rv_op_parameter &&
            rv_tape_node(p->tape, id)->entry == entry)
            return (rv_var){p->tape, id};
    return (rv_var){p->tape, -1};
}

/* d y / d wrt for the parameters that y depends on, not through `cut`, into that field of each; and for `more` values. */
static bool differentiate(rv_c_parts *p, rv_var y, rv_var cut, size_t field, const rv_var *more,
                          rv_var *at_more, int count, rv_error *error)
{
    enum { MOST = RV_C_MOST_PARAMETERS + RV_C_MOST_STATES };
    rv_var *wrt = rv_alloc(2 * MOST, sizeof *wrt), *gradient = wrt ? wrt + MOST : NULL;
    int *index = rv_alloc(MOST, sizeof *index), n = 0;
    bool *in = reached(y, cut), ok = (wrt && index && in) || rv_fail_memory(error);
    for (int i = 0; ok && i < p->parameters; i++) {
        rv_var leaf = leaf_of(p, p->parameter[i].entry);
        if (!in[leaf.id] || p->parameter[i].entry->role != RV_PARAMETER) continue;
        index[n] = i;
        wrt[n++] = leaf;
    }
    for (int i = 0; ok && i < count; i++) wrt[n + i] = more[i];
    ok = ok && (rv_gradient(y, wrt, n + count, gradient) || on_tape(p->tape, error));
    for (int i = 0; ok && i < n; i++)
        *(rv_var *)((char *)&p->parameter[index[i]] + field) = gradient[i];
    for (int i = 0; ok && i < count; i++) at_more[i] = gradient[n + i];
    rv_free(wrt);
    rv_free(index);
    rv_free(in);
    return ok;
}

/* The gradient of the states before a step from that of the states after it. */
static bool differentiate_step(rv_c_parts *p, rv_error *error)
{
    rv_var before[RV_C_MOST_STATES], gradient[RV_C_MOST_STATES], sum = rv_scalar(p->tape, 0);
    for (int s = 0; s < p->states; s++) {
        char name[RV_C_NAME + 8];
        snprintf(name, sizeof name, "d %s", p->state[s].name);
        p->state[s].cotangent = rv_input(p->tape, name, rv_shape_of(p->state[s].after));
        before[s] = p->state[s].before;
        sum = rv_add(
            sum, rv_sum(rv_multiply(p->state[s].after, p->state[s].cotangent), RV_ALL_AXES, false));
    }
    if (p->top_state < 0) {
        p->top_cotangent = rv_input(p->tape, "d top", rv_shape_of(p->top));
        sum = rv_add(sum, rv_sum(rv_multiply(p->top, p->top_cotangent), RV_ALL_AXES, false));
    }
    if (!differentiate(p, sum, (rv_var){p->tape, -1}, offsetof(rv_c_parameter, in_step), before,
                       gradient, p->states, error))
        return false;
    for (int s = 0; s < p->states; s++) p->state[s].at_before = gradient[s];
    return true;
}

/* The gradients of parameters that the initial states depend on. */
static bool differentiate_start(rv_c_parts *p, rv_error *error)
{
    rv_var sum = rv_scalar(p->tape, 0);
    for (int s = 0; s < p->states; s++)
        sum = rv_add(
            sum, rv_sum(rv_multiply(p->state[s].first, p->state[s].cotangent), RV_ALL_AXES, false));
    return differentiate(p, sum, (rv_var){p->tape, -1}, offsetof(rv_c_parameter, in_start), NULL,
                         NULL, 0, error);
}

static bool record_gradients(rv_c_parts *p, rv_error *error)
{
    /* a target for each step: the loss is the mean over the steps */
    if (p->net->options->each_step) p->loss = rv_scale(p->loss, 1.0 / (double)p->steps);
    return on_tape(p->tape, error) &&
           differentiate(p, p->loss, p->top, offsetof(rv_c_parameter, in_head), &p->top, &p->at_top,
                         1, error) &&
           differentiate_step(p, error) && differentiate_start(p, error);
}

/* ---- simplification ---- */

/* All values that functions read or write, to be found again on the simplified tape. */
static int collect(rv_c_parts *p, rv_var **at)
{
    int n = 0;
    rv_var *fixed[] = {&p->x, &p->y, &p->top, &p->output, &p->loss, &p->at_top, &p->top_cotangent};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) at[n++] = fixed[i];
    for (int s = 0; s < p->states; s++) {
        at[n++] = &p->state[s].first;
        at[n++] = &p->state[s].before;
        at[n++] = &p->state[s].after;
        at[n++] = &p->state[s].cotangent;
        at[n++] = &p->state[s].at_before;
    }
    for (int i = 0; i < p->parameters; i++) {
        at[n++] = &p->parameter[i].in_step;
        at[n++] = &p->parameter[i].in_head;
        at[n++] = &p->parameter[i].in_start;
    }
    return n;
}

static bool simplify(rv_tape **tape, rv_var **at, int count, rv_error *error)
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

static bool simplify_step(rv_c_parts *p, rv_error *error)
{
    int most = 7 + 5 * RV_C_MOST_STATES + 3 * RV_C_MOST_PARAMETERS;
    rv_var **at = rv_alloc((size_t)most, sizeof *at);
    bool ok = at || rv_fail_memory(error);
    ok = ok && simplify(&p->tape, at, collect(p, at), error);
    rv_free(at);
    return ok;
}

/* ---- the update ---- */

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

/* Whether the rule computes each element of a parameter by itself, so that one parameter can stand for all. Clipping by
 * norm is of all gradients together, and no part of a rule. */
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
    bool ok = on_tape(tape, error);
    rv_tape_free(tape);
    rv_store_free(store);
    return ok && (!whole || rv_fail(error, RV_ERROR_ARGUMENT,
                                    "C code: the optimizer %s looks at a whole parameter at once, "
                                    "which cannot be exported yet; use another `optimizer`",
                                    o->name));
}

static bool record_update(rv_c_parts *p, rv_error *error)
{
    const rv_optimizer *o = p->net->optimizer;
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
    if (!on_tape(p->update, error)) return false;
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
    return simplify(&p->update, at, n, error);
}

/* ---- identity ---- */

static void mix(rv_c_parts *p, const char *name, int64_t count)
{
    char text[RV_C_NAME + 32];
    int length = snprintf(text, sizeof text, "%.*s[%lld]", RV_C_NAME, name, (long long)count);
    p->identity = rv_hash_bytes(text, (size_t)length, p->identity).low;
}

static void find_identity(rv_c_parts *p)
{
    mix(p, p->net->model->name ? p->net->model->name : "", p->x_count);
    mix(p, "output", p->output_count);
    for (int i = 0; i < p->parameters; i++) mix(p, p->parameter[i].name, p->parameter[i].count);
    for (int s = 0; s < p->states; s++) mix(p, p->state[s].name, p->state[s].count);
    if (p->net->optimizer) mix(p, p->net->optimizer->name, p->memories);
}

/* ---- all ---- */

/* Whether a sample of this type can be an input of the net, with time as axis 0 if it has that. */
static bool check_type(const rv_type *type, bool time, const char *what, rv_error *error)
{
    enum { MOST_STEPS = 100000 };
    const rv_shape *s = &type->shape;
    bool fits = (type->dtype == RV_F32 || type->dtype == RV_I32) && s->rank >= time &&
                s->rank < RV_MAX_RANK && rv_shape_check(*s, 1, NULL, NULL) &&
                (!time || s->dim[0] <= MOST_STEPS);
    return fits ||
           rv_fail(error, RV_ERROR_SHAPE,
                   "C code: %s is no sample: expected f32 or i32, a rank of %d to %d%s; "
                   "take the type of a sample",
                   what, (int)time, RV_MAX_RANK - 1, time ? ", and time as the first axis" : "");
}

static bool check(const rv_c_net *net, rv_error *error)
{
    if (!RV_NEEDS(error, net) || !RV_NEEDS(error, net->model, net->options)) return false;
    if (!check_type(&net->x, net->options->sequence, "x", error) ||
        !check_type(&net->y, net->options->each_step, "y", error))
        return false;
    if (net->options->rnn.layers < 0 || net->options->rnn.layers > RV_C_MOST_STATES)
        return rv_fail(error, RV_ERROR_ARGUMENT,
                       "C code: %lld layer(s), expected 1 to %d; set `layers`",
                       (long long)net->options->rnn.layers, RV_C_MOST_STATES);
    char name[RV_C_NAME];
    const char *prefix = net->prefix ? net->prefix : "net";
    size_t length = strspn(prefix, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (strcmp(rv_c_name(prefix, name), prefix) || prefix[length] || length > 31)
        return rv_fail(error, RV_ERROR_NAME,
                       "C code: the name \"%.40s\" is no name in C, or too long; use at most 31 "
                       "small letters, digits and _, and no keyword",
                       prefix);
    const rv_net_options *o = net->options;
    const char *why = !net->model->step ? "the model is a whole net of equations, not a cell"
                      : o->rnn.bidirectional || o->rnn.reverse
                          ? "a net that reads backward in time needs the whole sequence"
                      : o->pool ? "the head reads the mean over all steps"
                                : NULL;
    return !why || rv_fail(error, RV_ERROR_ARGUMENT,
                           "C code: %s, so it cannot be computed step by step; use a cell in one "
                           "direction, without pool",
                           why);
}

bool rv_c_parts_make(rv_c_parts *p, const rv_c_net *net, rv_store *store, rv_error *error)
{
    enum { MOST_PARAMETERS = 1 << 22 };
    *p = (rv_c_parts){.net = net};
    if (!check(net, error)) return false;
    const rv_net_options *o = net->options;
    p->prefix = net->prefix ? net->prefix : "net";
    p->steps = o->sequence ? net->x.shape.dim[0] : o->steps ? o->steps : 1;
    if (!record_step(p, store, error) || !find_top(p, error) || !find_parameters(p, error))
        return false;
    if (p->parameter_count > MOST_PARAMETERS)
        return rv_fail(error, RV_ERROR_LIMIT,
                       "C code: %lld parameter(s), expected at most %d; use fewer `units`",
                       (long long)p->parameter_count, MOST_PARAMETERS);
    p->x_count = rv_c_count(p->x);
    p->y_count = rv_c_count(p->y);
    p->output_count = rv_c_count(p->output);
    if (net->optimizer && (!record_gradients(p, error) || !record_update(p, error))) return false;
    find_identity(p);
    return simplify_step(p, error);
}

void rv_c_parts_free(rv_c_parts *p)
{
    rv_tape_free(p->tape);
    rv_tape_free(p->update);
    rv_store_free(p->optimizer_store);
}
