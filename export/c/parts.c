#include "export/c/parts.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "autograd/gradient.h"
#include "autograd/tape_internal.h"
#include "export/c/kept.h"
#include "export/c/update.h"
#include "export/c/values.h"
#include "ops/ops.h"
#include "tensor/memory.h"
#include "tensor/needs_internal.h"

/* ---- the step and the head ---- */

int64_t rv_c_count(rv_var x) { return rv_shape_count(rv_shape_of(x)); }

static void name_state(rv_c_parts *p, const rv_step_state *from, char name[RV_C_NAME])
{
    char plain[RV_C_NAME];
    rv_c_name(from->symbol, plain);
    if (p->net->options->rnn.layers > 1)
        snprintf(name, RV_C_NAME, "layer%d_%.40s", from->layer, plain);
    else
        memcpy(name, plain, sizeof plain);
    for (int i = 0, number = p->states; i < p->states; i++) {
        if (strcmp(p->state[i].name, name)) continue;
        snprintf(name, RV_C_NAME, "state%d", number++);
        i = -1;
    }
}

static bool record_step(rv_c_parts *p, rv_store *store, rv_error *error)
{
    rv_step step;
    bool ok = rv_step_record(&step, "C code", "", p->net, 1, store, error);
    p->tape = step.tape;
    if (!ok) return false;
    p->x = step.x;
    p->y = step.y;
    p->output = step.output;
    p->loss = step.loss;
    p->top = step.top;
    p->top_state = -1;
    for (int s = 0; s < step.states; s++) {
        const rv_step_state *from = &step.state[s];
        rv_c_state *to = &p->state[s];
        *to = (rv_c_state){.first = from->first, .before = from->before, .after = from->after};
        to->count = rv_c_count(from->before);
        name_state(p, from, to->name);
        p->states++;
        if (from->after.id == step.top.id) p->top_state = s;
    }
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
    to->in_step = to->in_head = to->in_start = to->in_prepared = to->in_loss =
        (rv_var){p->tape, -1};
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

/* ---- what all steps need of x ---- */

static bool multiplies(const rv_op *op)
{
    return !strcmp(op->name, "matmul") || !strcmp(op->name, "conv2d");
}

static int cuts_of(const rv_c_parts *p, rv_var cut[RV_C_MOST_PREPARED])
{
    for (int i = 0; i < p->prepared; i++) cut[i] = p->prepare[i].value;
    return p->prepared;
}

/* Whether a parameter is read on both sides: its two gradients would count the same way twice. */
static bool is_shared(const rv_c_parts *p, bool *shared, rv_error *error)
{
    rv_var cut[RV_C_MOST_PREPARED], all[RV_C_MOST_STATES + 1];
    int cuts = cuts_of(p, cut);
    for (int s = 0; s < p->states; s++) all[s] = p->state[s].after;
    all[p->states] = p->top;
    bool *before = rv_tape_reached(p->tape, cut, cuts, NULL, 0);
    bool *after = rv_tape_reached(p->tape, all, p->states + 1, cut, cuts);
    *shared = false;
    for (int32_t id = 0; before && after && id < rv_tape_count(p->tape); id++)
        if (rv_tape_node(p->tape, id)->op == &rv_op_parameter && before[id] && after[id])
            *shared = true;
    bool ok = (before && after) || rv_fail_memory(error);
    rv_free(before);
    rv_free(after);
    return ok;
}

static void add_prepared(rv_c_parts *p, int32_t id)
{
    for (int i = 0; i < p->prepared; i++)
        if (p->prepare[i].value.id == id) return;
    if (p->prepared == RV_C_MOST_PREPARED) return;
    rv_c_prepared *to = &p->prepare[p->prepared++];
    *to = (rv_c_prepared){
        .value = {p->tape, id}, .in_step = {p->tape, -1}, .cotangent = {p->tape, -1}};
    to->count = rv_c_count(to->value);
    snprintf(to->name, sizeof to->name, "x%d", p->prepared);
}

/* The products of x that values of a step read which depend on a state. */
static bool find_prepared(rv_c_parts *p, rv_error *error)
{
    enum { OF_X = 1, OF_STATE = 2, PRODUCT = 4 };
    if (p->net->options->sequence) return true;
    unsigned char *is = rv_alloc((size_t)rv_tape_count(p->tape), sizeof *is);
    for (int32_t id = 0; is && id < rv_tape_count(p->tape); id++) {
        const rv_node *node = rv_tape_node(p->tape, id);
        is[id] = id == p->x.id ? OF_X : multiplies(node->op) ? PRODUCT : 0;
        for (int s = 0; s < p->states; s++)
            if (p->state[s].before.id == id) is[id] = OF_STATE;
        for (int k = 0; k < node->inputs; k++) is[id] |= is[node->in[k]];
        for (int k = 0; k < node->inputs && (is[id] & OF_STATE); k++)
            if (is[node->in[k]] == (OF_X | PRODUCT)) add_prepared(p, node->in[k]);
    }
    bool shared = false, ok = (is || rv_fail_memory(error)) && is_shared(p, &shared, error);
    if (shared) p->prepared = 0;
    rv_free(is);
    return ok;
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

/* d y / d wrt for the parameters that y depends on, not through one of `cut`, into that field of
 * each; and for `more` values. */
static bool differentiate(rv_c_parts *p, rv_var y, const rv_var *cut, int cuts, size_t field,
                          const rv_var *more, rv_var *at_more, int count, rv_error *error)
{
    enum { MOST = RV_C_MOST_PARAMETERS + RV_C_MOST_STATES + RV_C_MOST_PREPARED };
    rv_var *wrt = rv_alloc(2 * MOST, sizeof *wrt), *gradient = wrt ? wrt + MOST : NULL;
    int *index = rv_alloc(MOST, sizeof *index), n = 0;
    bool *in = rv_tape_reached(p->tape, &y, 1, cut, cuts),
         ok = (wrt && index && in) || rv_fail_memory(error);
    for (int i = 0; ok && i < p->parameters; i++) {
        rv_var leaf = leaf_of(p, p->parameter[i].entry);
        if (!in[leaf.id] || p->parameter[i].entry->role != RV_PARAMETER) continue;
        index[n] = i;
        wrt[n++] = leaf;
    }
    for (int i = 0; ok && i < count; i++) wrt[n + i] = more[i];
    ok = ok && (rv_gradient(y, wrt, n + count, gradient) || rv_tape_is_good(p->tape, error));
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
    rv_var wrt[RV_C_MOST_STATES + RV_C_MOST_PREPARED],
        gradient[RV_C_MOST_STATES + RV_C_MOST_PREPARED];
    rv_var sum = rv_scalar(p->tape, 0), *cut = wrt + p->states;
    for (int s = 0; s < p->states; s++) {
        char name[RV_C_NAME + 8];
        snprintf(name, sizeof name, "d %s", p->state[s].name);
        p->state[s].cotangent = rv_input(p->tape, name, rv_shape_of(p->state[s].after));
        wrt[s] = p->state[s].before;
        sum = rv_add(
            sum, rv_sum(rv_multiply(p->state[s].after, p->state[s].cotangent), RV_ALL_AXES, false));
    }
    if (p->top_state < 0) {
        p->top_cotangent = rv_input(p->tape, "d top", rv_shape_of(p->top));
        sum = rv_add(sum, rv_sum(rv_multiply(p->top, p->top_cotangent), RV_ALL_AXES, false));
    }
    int cuts = cuts_of(p, cut);
    if (!differentiate(p, sum, cut, cuts, offsetof(rv_c_parameter, in_step), wrt, gradient,
                       p->states + cuts, error))
        return false;
    for (int s = 0; s < p->states; s++) p->state[s].at_before = gradient[s];
    for (int i = 0; i < cuts; i++) p->prepare[i].in_step = gradient[p->states + i];
    return true;
}

/* The gradients of parameters that prepared values depend on. */
static bool differentiate_prepared(rv_c_parts *p, rv_error *error)
{
    rv_var sum = rv_scalar(p->tape, 0);
    for (int i = 0; i < p->prepared; i++) {
        rv_c_prepared *of = &p->prepare[i];
        char name[RV_C_NAME + 8];
        snprintf(name, sizeof name, "d %s", of->name);
        of->cotangent = rv_input(p->tape, name, rv_shape_of(of->value));
        sum = rv_add(sum, rv_sum(rv_multiply(of->value, of->cotangent), RV_ALL_AXES, false));
    }
    return differentiate(p, sum, NULL, 0, offsetof(rv_c_parameter, in_prepared), NULL, NULL, 0,
                         error);
}

/* The gradients of parameters that the initial states depend on. */
static bool differentiate_start(rv_c_parts *p, rv_error *error)
{
    rv_var sum = rv_scalar(p->tape, 0);
    for (int s = 0; s < p->states; s++)
        sum = rv_add(
            sum, rv_sum(rv_multiply(p->state[s].first, p->state[s].cotangent), RV_ALL_AXES, false));
    return differentiate(p, sum, NULL, 0, offsetof(rv_c_parameter, in_start), NULL, NULL, 0, error);
}

static bool record_gradients(rv_c_parts *p, rv_error *error)
{
    /* a target for each step: the loss is the mean over the steps */
    if (p->net->options->each_step) p->loss = rv_scale(p->loss, 1.0 / (double)p->steps);
    return rv_tape_is_good(p->tape, error) &&
           differentiate(p, p->loss, &p->top, 1, offsetof(rv_c_parameter, in_head), &p->top,
                         &p->at_top, 1, error) &&
           differentiate_step(p, error) && differentiate_start(p, error) &&
           differentiate_prepared(p, error);
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
        at[n++] = &p->parameter[i].in_prepared;
        at[n++] = &p->parameter[i].in_loss;
    }
    for (int i = 0; i < p->inputs; i++) at[n++] = &p->input[i].value;
    for (int i = 0; i < p->outputs; i++) at[n++] = &p->output_value[i].value;
    for (int i = 0; i < p->prepared; i++) {
        at[n++] = &p->prepare[i].value;
        at[n++] = &p->prepare[i].in_step;
        at[n++] = &p->prepare[i].cotangent;
    }
    return n;
}

static bool simplify_step(rv_c_parts *p, rv_error *error)
{
    int most = 7 + 5 * RV_C_MOST_STATES + 5 * RV_C_MOST_PARAMETERS + 3 * RV_C_MOST_PREPARED +
               2 * RV_C_MOST_ARGUMENTS;
    rv_var **at = rv_alloc((size_t)most, sizeof *at);
    bool ok = at || rv_fail_memory(error);
    ok = ok && rv_tape_simplify(&p->tape, at, collect(p, at), error);
    rv_free(at);
    return ok;
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
    mix(p, p->model, p->x_count);
    mix(p, "output", p->output_count);
    for (int i = 0; i < p->parameters; i++) mix(p, p->parameter[i].name, p->parameter[i].count);
    for (int s = 0; s < p->states; s++) mix(p, p->state[s].name, p->state[s].count);
    if (p->optimizer) mix(p, p->optimizer->name, p->memories);
}

/* ---- all ---- */

static bool check(const rv_c_parts *p, rv_dtype dtype, rv_error *error)
{
    char name[RV_C_NAME];
    size_t length = strspn(p->prefix, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (strcmp(rv_c_name(p->prefix, name), p->prefix) || p->prefix[length] || length > 31)
        return rv_fail(
            error, RV_ERROR_NAME,
            "C code: the name \"%.40s\" is not a valid C identifier, or too long; use at "
            "most 31 lower-case letters, digits and _, no digit first, and no keyword",
            p->prefix);
    return dtype == RV_F32 ||
           rv_fail(error, RV_ERROR_DTYPE, "C code: the net is %s, expected f32; train it with that",
                   rv_dtype_name(dtype));
}

static const char *prefix_of(const rv_c_options *o) { return o && o->prefix ? o->prefix : "net"; }

static bool check_size(const rv_c_parts *p, rv_error *error)
{
    enum { MOST_PARAMETERS = 1 << 22, MOST_NODES = 1 << 15 };
    if (p->parameter_count > MOST_PARAMETERS)
        return rv_fail(error, RV_ERROR_LIMIT,
                       "C code: %lld parameter(s), expected at most %d; use fewer `units`",
                       (long long)p->parameter_count, MOST_PARAMETERS);
    return rv_tape_count(p->tape) <= MOST_NODES ||
           rv_fail(
               error, RV_ERROR_LIMIT,
               "C code: a net without time steps, and so with code for each, has %d equation(s), "
               "expected at most %d; shorten its sequence",
               (int)rv_tape_count(p->tape), MOST_NODES);
}

bool rv_c_parts_make(rv_c_parts *p, const rv_exported_net *net, const rv_c_options *options,
                     rv_store *store, rv_error *error)
{
    *p = (rv_c_parts){.net = net, .prefix = prefix_of(options)};
    if (!rv_exported_check("C code", net, error) || !check(p, net->dtype, error)) return false;
    const rv_net_options *o = net->options;
    p->model = net->model->name ? net->model->name : "";
    p->optimizer = net->optimizer;
    p->steps = o->sequence ? net->x.shape.dim[0] : o->steps ? o->steps : 1;
    if (!record_step(p, store, error) || !find_parameters(p, error) || !find_prepared(p, error) ||
        !check_size(p, error))
        return false;
    p->x_count = rv_c_count(p->x);
    p->y_count = rv_c_count(p->y);
    p->output_count = rv_c_count(p->output);
    if (p->optimizer && (!record_gradients(p, error) || !rv_c_record_update(p, error)))
        return false;
    find_identity(p);
    return simplify_step(p, error) &&
           (!p->optimizer || !options || !options->keep || rv_c_find_kept(p, error));
}

bool rv_c_parts_of_values(rv_c_parts *p, const rv_exported_values *values, const char *why,
                          const rv_c_options *options, rv_error *error)
{
    *p = (rv_c_parts){.prefix = prefix_of(options), .whole = why};
    if (options && options->keep)
        return rv_fail(
            error, RV_ERROR_ARGUMENT,
            "C code: keep is for loops over time steps, and there are none: %s; leave it "
            "out",
            why);
    if (!RV_NEEDS(error, values) || !RV_NEEDS(error, values->output, values->output_name))
        return false;
    if (!rv_c_values_check(values, error) || !rv_tape_is_good(values->output[0].tape, error) ||
        !check(p, rv_tape_dtype(values->output[0].tape), error))
        return false;
    p->model = values->name ? values->name : "";
    p->optimizer = rv_is_null(values->loss) ? NULL : values->optimizer;
    if (!rv_c_values_copy(p, values, error) || !find_parameters(p, error)) return false;
    if (!p->learned_count) p->optimizer = NULL;
    if (p->optimizer && !(differentiate(p, p->loss, NULL, 0, offsetof(rv_c_parameter, in_loss),
                                        NULL, NULL, 0, error) &&
                          rv_c_record_update(p, error)))
        return false;
    find_identity(p);
    return simplify_step(p, error) && check_size(p, error);
}

void rv_c_parts_free(rv_c_parts *p)
{
    rv_tape_free(p->tape);
    rv_tape_free(p->update);
    rv_store_free(p->optimizer_store);
}
