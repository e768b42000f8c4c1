/* Unrolls cells over time, in layers and directions. */
#include "models/rnn.h"

#include <stdio.h>
#include <string.h>

#include "autograd/gradient.h"
#include "autograd/recompute.h"
#include "models/cell_internal.h"
#include "ops/ops.h"
#include "tensor/memory.h"

/* ---- initial states ---- */

/* One layer in one direction. */
typedef struct strand {
    rv_cell cell;
    rv_cell_step step;
    const rv_var *x; /* [steps] */
    /* [steps] of [n,1,..]: 1 where the sequence has this step. NULL: no masking. */
    const rv_var *mask;
    int64_t steps;
    int index; /* among all layers and directions, as in options.initial */
    bool backward;
    int states;
    char prefix[RV_CELL_NAME];
} strand;

static rv_var carried(const strand *a, int s, rv_shape shape)
{
    char name[RV_CELL_NAME];
    snprintf(name, sizeof name, "carry/%s/layer%d/h%d", a->cell.options->carry, a->index, s);
    return rv_state(a->cell.tape, name, shape, rv_init_constant(0));
}

static rv_var learned(strand *a, int s, rv_shape shape)
{
    rv_shape one = shape;
    one.dim[0] = 1;
    char name[] = {'h', (char)('0' + s), '\0'};
    return rv_broadcast(rv_cell_parameter(&a->cell, name, one, rv_init_constant(0)), shape);
}

static bool start(strand *a, rv_states *h)
{
    const rv_rnn_options *o = a->cell.options;
    rv_shape shape[RV_CELL_STATES];
    a->states = rv_find_states(a->step, &a->cell, a->x[0], shape);
    for (int s = 0; s < a->states; s++) {
        const rv_var *given = o->initial ? &o->initial[a->index].h[s] : NULL;
        h->h[s] = given && !rv_is_null(*given) ? *given
                  : o->carry                   ? carried(a, s, shape[s])
                  : o->learned_start           ? learned(a, s, shape[s])
                                               : rv_full(a->cell.tape, shape[s], 0);
    }
    return a->states;
}

/* ---- one direction ---- */

static const char *state_name(const strand *a, int s)
{
    static const char *const names[RV_CELL_STATES] = {"h", "h1", "h2", "h3"};
    const char *const *given = a->cell.options->state_name;
    return given && given[s] ? given[s] : names[s];
}

static rv_var use_state(const strand *a, int s, rv_var h)
{
    char name[RV_CELL_NAME + 100];
    snprintf(name, sizeof name, "%s%.100s", a->prefix, state_name(a, s));
    return rv_name_state(rv_probe(h, a->cell.taken), s, name);
}

static void push_step(rv_tape *tape, int64_t t)
{
    char name[32];
    rv_origin origin = rv_current_origin(tape);
    snprintf(name, sizeof name, "step %lld", (long long)t + 1);
    origin.step = (int32_t)t;
    origin.scope = name;
    rv_origin_push(tape, origin);
}

/* Replaces h by the states after a step on x[t]. Where the mask is 0, the states do not change. */
static bool take_step(strand *a, int64_t t, int64_t taken, rv_states *h)
{
    rv_tape *tape = a->cell.tape;
    rv_states next = *h;
    push_step(tape, t);
    a->cell.time = t;
    a->cell.taken = taken;
    rv_var x = rv_cell_drop(&a->cell, a->x[t], a->cell.options->dropout, "x");
    rv_cell_take_step(&a->cell, a->step, x, next.h);
    for (int s = 0; s < a->states; s++) {
        if (rv_is_null(next.h[s]))
            rv_tape_fail(tape, RV_ERROR_ARGUMENT,
                         "unroll: the step left h[%d] a null var; check the cell", s);
        h->h[s] = a->mask ? rv_select(a->mask[t], next.h[s], h->h[s]) : next.h[s];
        rv_name_state(h->h[s], s, state_name(a, s));
        if (a->cell.options->probes) h->h[s] = use_state(a, s, h->h[s]);
    }
    rv_scope_pop(tape);
    return !rv_tape_error(tape)->code;
}

/* Unrolls one layer in one direction: y[t] is the output at step t. Sets options.final. */
static bool run(strand *a, rv_var *y)
{
    const rv_rnn_options *o = a->cell.options;
    rv_tape *tape = a->cell.tape;
    rv_states h = {{{0}}};
    bool ok = start(a, &h);
    for (int64_t i = 0; ok && i < a->steps; i++) {
        int64_t t = a->backward ? a->steps - 1 - i : i;
        if (o->recompute > 0 && i % o->recompute == 0) rv_recompute_push(tape);
        ok = take_step(a, t, i, &h);
        y[t] = h.h[0];
        if (o->recompute > 0 && (i + 1 == a->steps || (i + 1) % o->recompute == 0))
            rv_recompute_pop(tape);
    }
    for (int s = 0; ok && o->carry && s < a->states; s++)
        rv_assign(carried(a, s, rv_shape_of(h.h[s])), rv_stop_gradient(h.h[s]));
    if (ok && o->final) o->final[a->index] = h;
    return ok;
}

/* ---- layers ---- */

typedef struct net {
    rv_tape *tape;
    rv_cell_step step;
    rv_rnn_options options;
    int64_t steps;
    const rv_var *x; /* [steps] */
    rv_var *mask;    /* [steps], or NULL */

    /* [steps] of the current layer: its input, the output of each direction, and its whole output */
    rv_var *in, *out[2], *whole;
} net;

static void name_strand(const net *n, int64_t layer, bool backward, char prefix[RV_CELL_NAME])
{
    const rv_rnn_options *o = &n->options;
    char number[32] = "";
    if (o->layers > 1) snprintf(number, sizeof number, "layer%lld/", (long long)layer);
    snprintf(prefix, RV_CELL_NAME, "%s%s%s%s", o->name ? o->name : "", o->name ? "/" : "", number,
             !o->bidirectional ? ""
             : backward        ? "backward/"
                               : "forward/");
}

/* Opens the layer's scope, which is its parameter prefix: "name/layer0/forward". */
static void push_layer(rv_tape *tape, int64_t layer, bool backward, const char *prefix)
{
    char name[RV_CELL_NAME];
    size_t length = strlen(prefix);
    rv_origin origin = rv_current_origin(tape);
    snprintf(name, sizeof name, "%.*s", length ? (int)length - 1 : 0, prefix);
    origin.layer = (int32_t)layer;
    origin.direction = backward;
    origin.scope = name;
    rv_origin_push(tape, origin);
}

static bool run_direction(net *n, int64_t layer, bool backward)
{
    strand a = {.step = n->step,
                .x = n->in,
                .mask = n->mask,
                .steps = n->steps,
                .index = (int)(n->options.bidirectional ? 2 * layer + backward : layer),
                .backward = backward};
    name_strand(n, layer, backward, a.prefix);
    rv_cell_memo memo = {0};
    a.cell = (rv_cell){.tape = n->tape, .options = &n->options, .prefix = a.prefix, .memo = &memo};
    push_layer(n->tape, layer, backward, a.prefix);
    bool ok = run(&a, n->out[backward]);
    rv_scope_pop(n->tape);
    if (memo.release) memo.release(memo.object);
    return ok;
}

static void gather_outputs(net *n)
{
    for (int64_t t = 0; t < n->steps; t++) {
        rv_var y = n->out[0][t];
        if (n->options.bidirectional) y = rv_concat((rv_var[]){y, n->out[1][t]}, 2, 1);
        rv_var before = t ? n->whole[t - 1] : y; /* y, as a sequence may have no steps */
        bool adds = n->options.residual && rv_shape_equal(rv_shape_of(y), rv_shape_of(n->in[t]));
        n->whole[t] = adds ? rv_add(y, n->in[t]) : y;
        if (n->mask && (adds || n->options.bidirectional))
            n->whole[t] = rv_select(n->mask[t], n->whole[t], before);
    }
}

/* The top layer's output at the last step. With two directions, each half is taken at its direction's last step. */
static rv_var end_of(const net *n)
{
    const rv_var first = n->whole[0], last = n->whole[n->steps - 1];
    if (!n->options.bidirectional) return last;
    rv_var ends[2] = {n->out[0][n->steps - 1], n->out[1][0]};
    if (n->options.residual) {
        int64_t half = rv_shape_of(ends[0]).dim[1];
        ends[0] = rv_slice_axis(last, 1, 0, half);
        ends[1] = rv_slice_axis(first, 1, half, rv_shape_of(first).dim[1] - half);
    }
    return rv_concat(ends, 2, 1);
}

static bool run_layers(net *n)
{
    bool ok = true;
    for (int64_t layer = 0; ok && layer < n->options.layers; layer++) {
        for (int64_t t = 0; t < n->steps; t++) {
            rv_var both[2] = {n->whole[t], n->x[t]};
            n->in[t] = !layer ? n->x[t] : n->options.skip ? rv_concat(both, 2, 1) : n->whole[t];
        }
        ok = run_direction(n, layer, false) &&
             (!n->options.bidirectional || run_direction(n, layer, true));
        if (ok) gather_outputs(n);
    }
    return ok && !rv_tape_error(n->tape)->code;
}

/* ---- masks ---- */

/* mask[t] is 1 for the sequences that have a step t. It has the rank of the states, so that it broadcasts. */
static bool make_masks(net *n)
{
    const rv_var lengths = n->options.lengths;
    rv_shape x = rv_shape_of(n->x[0]), along = rv_first_axes(x, 1);
    char text[RV_SHAPE_TEXT];
    if (rv_is_null(lengths)) {
        n->mask = NULL;
        return true;
    }
    if (rv_shape_of(lengths).rank != 1 || rv_shape_of(lengths).dim[0] != x.dim[0])
        rv_tape_fail(n->tape, RV_ERROR_SHAPE,
                     "unroll: the lengths are %s, expected [%lld]; give one for each sequence",
                     rv_shape_text(rv_shape_of(lengths), text), (long long)x.dim[0]);
    rv_var count = rv_reshape(rv_cast(lengths, rv_tape_dtype(n->tape)), along);
    for (int64_t t = 0; t < n->steps; t++)
        n->mask[t] = rv_less(rv_scalar(n->tape, (double)t), count);
    return !rv_tape_error(n->tape)->code;
}

/* ---- unrolling ---- */

/* Longer names would be truncated, and two of them could become equal. */
static bool too_long(const char *name) { return name && strlen(name) > 100; }

/* Fills in defaults. False, and an error, for invalid options. */
static bool check_options(net *n)
{
    rv_rnn_options *o = &n->options;
    const char *name = too_long(o->name) ? o->name : too_long(o->carry) ? o->carry : NULL;
    if (!o->units) o->units = 1;
    if (!o->layers) o->layers = 1;
    if (!n->step)
        rv_tape_fail(n->tape, RV_ERROR_ARGUMENT, "unroll: the step is NULL; give a cell");
    else if (o->units < 1)
        rv_tape_fail(n->tape, RV_ERROR_ARGUMENT,
                     "unroll: %lld unit(s), expected at least 1; set `units`", (long long)o->units);
    else if (o->layers < 1 || o->layers > 1000)
        rv_tape_fail(n->tape, RV_ERROR_ARGUMENT,
                     "unroll: %lld layer(s), expected 1 to 1000; set `layers`",
                     (long long)o->layers);
    else if (o->recompute < 0)
        rv_tape_fail(n->tape, RV_ERROR_ARGUMENT,
                     "unroll: recompute is %lld, expected a number of steps; use 0 to keep all",
                     (long long)o->recompute);
    else if (o->bidirectional && o->carry)
        rv_tape_fail(n->tape, RV_ERROR_ARGUMENT,
                     "unroll: the backward direction starts at the end: nothing can be carried on "
                     "to it; use one direction");
    else if (name)
        rv_tape_fail(
            n->tape, RV_ERROR_ARGUMENT,
            "unroll: the %s \"%.40s...\" has %zu byte(s), expected at most 100; shorten it",
            name == o->name ? "name" : "carry", name, strlen(name));
    return !rv_tape_error(n->tape)->code;
}

rv_var rv_unroll_steps(rv_cell_step step, const rv_var *x, int64_t steps, rv_rnn_options options,
                       rv_var *outputs)
{
    net n = {x && steps > 0 ? x[0].tape : NULL, step, options, steps, x, NULL, NULL, {NULL}, NULL};
    rv_var result = {n.tape, -1};
    if (!n.tape || rv_tape_error(n.tape)->code || !check_options(&n)) return result;
    rv_var *memory = rv_alloc((size_t)steps, 5 * sizeof *memory);
    if (!memory) return rv_tape_fail(n.tape, RV_ERROR_MEMORY, "unroll: out of memory");
    n.mask = memory;
    n.in = memory + steps;
    n.out[0] = memory + 2 * steps;
    n.out[1] = memory + 3 * steps;
    n.whole = memory + 4 * steps;
    if (make_masks(&n) && run_layers(&n)) {
        result = end_of(&n);
        for (int64_t t = 0; outputs && t < steps; t++) outputs[t] = n.whole[t];
    }
    rv_free(memory);
    return result;
}

rv_var rv_unroll(rv_cell_step step, rv_var x, int64_t steps)
{
    return rv_unroll_with(step, x, steps, (rv_rnn_options){0});
}

/* An array of x[t] for each step. The caller frees it with rv_free. */
static rv_var *each_step(rv_var x, int64_t steps, bool sequence)
{
    rv_var *all = steps > 0 ? rv_alloc((size_t)steps, sizeof *all) : NULL;
    rv_shape shape = rv_shape_of(x), one = {.rank = shape.rank - 1, .dim = {shape.dim[0]}};
    for (int64_t d = 1; d < one.rank; d++) one.dim[d] = shape.dim[d + 1];
    for (int64_t t = 0; all && t < steps; t++)
        all[t] = sequence ? rv_reshape(rv_slice_axis(x, 1, t, 1), one) : x;
    return all;
}

static rv_var unroll(rv_cell_step step, rv_var x, int64_t steps, bool sequence,
                     rv_rnn_options options, rv_var *outputs)
{
    if (rv_is_null(x)) return x;
    if (steps < 1)
        return rv_tape_fail(x.tape, RV_ERROR_ARGUMENT,
                            "unroll: %lld step(s), expected at least 1; ask for more",
                            (long long)steps);
    rv_var *all = each_step(x, steps, sequence);
    if (!all) return rv_tape_fail(x.tape, RV_ERROR_MEMORY, "unroll: out of memory");
    rv_var y = rv_unroll_steps(step, all, steps, options, outputs);
    rv_free(all);
    return y;
}

rv_var rv_unroll_with(rv_cell_step step, rv_var x, int64_t steps, rv_rnn_options options)
{
    return unroll(step, x, steps, false, options, NULL);
}

rv_var rv_unroll_sequence(rv_cell_step step, rv_var x, rv_rnn_options options, rv_var *outputs)
{
    if (rv_is_null(x)) return x;
    if (rv_shape_of(x).rank < 2)
        return rv_tape_fail(x.tape, RV_ERROR_SHAPE,
                            "unroll: a sequence of rank %lld, expected [n,steps,...]; reshape it",
                            (long long)rv_shape_of(x).rank);
    return unroll(step, x, rv_shape_of(x).dim[1], true, options, outputs);
}

void rv_reset_carried(rv_store *store, const char *carry)
{
    if (!store) return;
    char prefix[RV_CELL_NAME];
    int length = snprintf(prefix, sizeof prefix, "carry/%s/", carry ? carry : "");
    if (!carry || length >= (int)sizeof prefix) return;
    for (size_t i = 0; i < rv_store_count(store); i++) {
        rv_entry *entry = rv_store_at(store, i);
        if (!strncmp(entry->name, prefix, (size_t)length)) rv_tensor_fill(&entry->tensor, 0);
    }
}
