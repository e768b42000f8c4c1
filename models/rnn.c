/* Unrolls cells over time, in layers and directions. */
#include "models/rnn.h"

#include <stdio.h>
#include <string.h>

#include "models/direction_internal.h"
#include "ops/ops.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"

/* ---- layers ---- */

typedef struct net {
    rv_tape *tape;
    rv_cell_step step;
    rv_rnn_options options;
    int64_t steps;
    rv_var sequence;     /* x [n,steps,..]; the null var if x is given step by step */
    const rv_var *given; /* [steps] otherwise */

    /* The output of the current layer at all steps [n,steps,..]; the null var if whole has it. */
    rv_var all;

    /* [steps], for unrolling step by step: x; the mask, if there are lengths; of the current layer
     * its input, the output of each direction, and its whole output */
    rv_var *x, *mask, *in, *out[2], *whole;
    bool spread; /* x and mask are filled */

    /* what all layers and directions have in common */
    rv_known_states known;
    rv_cell_memo memo;
} net;

static void name_direction(const net *n, int64_t layer, bool backward, char prefix[RV_CELL_NAME])
{
    const rv_rnn_options *o = &n->options;
    char number[32] = "";
    if (o->layers > 1) snprintf(number, sizeof number, "layer%lld/", (long long)layer);
    rv_join(prefix, RV_CELL_NAME, o->name ? o->name : "", o->name ? "/" : "", number,
            !o->bidirectional ? NULL
            : backward        ? "backward/"
                              : "forward/",
            NULL);
}

/* Opens the layer's scope, which is its parameter prefix: "name/layer0/forward". */
static void push_layer(rv_tape *tape, int64_t layer, bool backward, const char *prefix)
{
    char name[RV_CELL_NAME];
    rv_origin origin = rv_current_origin(tape);
    const size_t length = rv_join(name, sizeof name, prefix, NULL);
    if (length) name[length - 1] = '\0';
    origin.layer = (int32_t)layer;
    origin.direction = backward;
    origin.scope = name;
    rv_origin_push(tape, origin);
}

/* Unrolls a direction of a layer, the first or the second: at once over x [n,steps,..], with its
 * output in *y, or step by step over n->in if x is the null var. */
static bool run_direction(net *n, int64_t layer, bool second, rv_var x, rv_var mask, rv_var *y)
{
    bool at_once = !rv_is_null(x);
    rv_direction a = {.step = n->step,
                      .type = {rv_dtype_of(x), rv_step_shape(rv_shape_of(x))},
                      .x = n->in,
                      .mask = rv_is_null(n->options.lengths) ? NULL : n->mask,
                      .steps = n->steps,
                      .index = (int)(n->options.bidirectional ? 2 * layer + second : layer),
                      .backward = second || n->options.reverse};
    if (!at_once) a.type = (rv_type){rv_dtype_of(n->in[0]), rv_shape_of(n->in[0])};
    name_direction(n, layer, second, a.prefix);
    a.known = &n->known;
    a.cell =
        (rv_cell){.tape = n->tape, .options = &n->options, .prefix = a.prefix, .memo = &n->memo};
    push_layer(n->tape, layer, second, a.prefix);
    bool ok = at_once ? rv_unroll_at_once(&a, x, mask, y) : rv_unroll_by_steps(&a, n->out[second]);
    rv_scope_pop(n->tape);
    return ok;
}

/* ---- layers, all steps at once ---- */

/* mask [n,steps,1,..] of the rank of x: 1 for the sequences that have this step. The null var
 * without lengths. */
static rv_var mask_of(const net *n, rv_var x)
{
    if (rv_is_null(n->options.lengths)) return (rv_var){n->tape, -1};
    return rv_reshape(rv_sequence_mask(n->options.lengths, n->steps),
                      rv_first_axes(rv_shape_of(x), 2));
}

/* Whether nothing asks for the values of each step. */
static bool may_run_at_once(const net *n, int64_t layer)
{
    const rv_rnn_options *o = &n->options;
    bool masked = !rv_is_null(o->lengths) && (o->bidirectional || o->reverse || o->residual);
    for (int i = 0; i < o->input_count; i++)
        if (o->inputs[i].whole) return false;
    return !rv_is_null(layer ? n->all : n->sequence) && !o->stepwise && !o->probes &&
           !o->recompute && o->dropout == 0 && o->recurrent_dropout == 0 && !masked;
}

static bool run_layer_at_once(net *n, int64_t layer)
{
    const rv_rnn_options *o = &n->options;
    rv_var y[2], x = layer ? n->all : n->sequence;
    if (!may_run_at_once(n, layer)) return false;
    if (layer && o->skip) x = rv_concat((rv_var[]){x, n->sequence}, 2, 2);
    rv_var mask = mask_of(n, x);
    if (rv_is_null(x) || !run_direction(n, layer, false, x, mask, &y[0])) return false;
    if (o->bidirectional) {
        if (!run_direction(n, layer, true, x, mask, &y[1])) return false;
        y[0] = rv_concat(y, 2, 2);
    }
    bool adds = o->residual && rv_shape_equal(rv_shape_of(y[0]), rv_shape_of(x));
    n->all = adds ? rv_add(y[0], x) : y[0];
    return true;
}

/* ---- layers, step by step ---- */

/* Fills x and, if there are lengths, mask: mask[t] is 1 for the sequences that have a step t. */
static void spread(net *n)
{
    const rv_var lengths = n->options.lengths;
    if (n->spread) return;
    n->spread = true;
    for (int64_t t = 0; t < n->steps; t++)
        n->x[t] = n->given ? n->given[t] : rv_step_of(n->sequence, t);
    if (rv_is_null(lengths)) return;
    rv_shape along = rv_first_axes(rv_shape_of(n->x[0]), 1);
    rv_var count = rv_reshape(rv_cast(lengths, rv_tape_dtype(n->tape)), along);
    for (int64_t t = 0; t < n->steps; t++)
        n->mask[t] = rv_less(rv_scalar(n->tape, (double)t), count);
}

/* The current layer's output at step t. */
static rv_var output_at(const net *n, int64_t t)
{
    return rv_is_null(n->all) ? n->whole[t] : rv_step_of(n->all, t);
}

static void gather_outputs(net *n)
{
    bool masked = !rv_is_null(n->options.lengths);
    for (int64_t t = 0; t < n->steps; t++) {
        rv_var y = n->out[0][t];
        if (n->options.bidirectional) y = rv_concat((rv_var[]){y, n->out[1][t]}, 2, 1);
        rv_var before = t ? n->whole[t - 1] : y; /* y, as a sequence may have no steps */
        bool adds = n->options.residual && rv_shape_equal(rv_shape_of(y), rv_shape_of(n->in[t]));
        n->whole[t] = adds ? rv_add(y, n->in[t]) : y;
        if (masked && (adds || n->options.bidirectional || n->options.reverse))
            n->whole[t] = rv_select(rv_for_first_axis(n->mask[t], before), n->whole[t], before);
    }
    n->all = (rv_var){n->tape, -1};
}

static bool run_layer_by_steps(net *n, int64_t layer)
{
    const rv_var none = {n->tape, -1};
    spread(n);
    for (int64_t t = 0; t < n->steps; t++) {
        rv_var both[2] = {layer ? output_at(n, t) : none, n->x[t]};
        n->in[t] = !layer ? n->x[t] : n->options.skip ? rv_concat(both, 2, 1) : both[0];
    }
    bool ok = !rv_tape_error(n->tape)->code && run_direction(n, layer, false, none, none, NULL) &&
              (!n->options.bidirectional || run_direction(n, layer, true, none, none, NULL));
    if (ok) gather_outputs(n);
    return ok;
}

static bool run_layers(net *n)
{
    bool ok = true;
    for (int64_t layer = 0; ok && layer < n->options.layers; layer++)
        ok = run_layer_at_once(n, layer) ||
             (!rv_tape_error(n->tape)->code && run_layer_by_steps(n, layer));
    return ok && !rv_tape_error(n->tape)->code;
}

/* The top layer's output after the last step that is taken. With two directions, each half is taken
 * at its direction's last step. */
static rv_var end_of(const net *n)
{
    if (n->options.reverse) return output_at(n, 0);
    const rv_var last = output_at(n, n->steps - 1);
    if (!n->options.bidirectional) return last;
    if (rv_is_null(n->all) && !n->options.residual)
        return rv_concat((rv_var[]){n->out[0][n->steps - 1], n->out[1][0]}, 2, 1);
    int64_t half = rv_shape_of(last).dim[1] / 2;
    return rv_concat(
        (rv_var[]){rv_slice_axis(last, 1, 0, half), rv_slice_axis(output_at(n, 0), 1, half, half)},
        2, 1);
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
    else if ((o->bidirectional || o->reverse) && o->carry)
        rv_tape_fail(n->tape, RV_ERROR_ARGUMENT,
                     "unroll: the backward direction starts at the end: nothing can be carried on "
                     "to it; use the forward direction alone");
    else if (o->bidirectional && o->reverse)
        rv_tape_fail(n->tape, RV_ERROR_ARGUMENT,
                     "unroll: `bidirectional` has a backward direction already; leave out reverse");
    else if (name)
        rv_tape_fail(
            n->tape, RV_ERROR_ARGUMENT,
            "unroll: the %s \"%.40s...\" has %zu byte(s), expected at most 100; shorten it",
            name == o->name ? "name" : "carry", name, strlen(name));
    return !rv_tape_error(n->tape)->code;
}

static bool check_lengths(const net *n, int64_t samples)
{
    char text[RV_SHAPE_TEXT];
    rv_shape lengths = rv_shape_of(n->options.lengths);
    if (rv_is_null(n->options.lengths) || (lengths.rank == 1 && lengths.dim[0] == samples))
        return true;
    rv_tape_fail(n->tape, RV_ERROR_SHAPE,
                 "unroll: the lengths are %s, expected [%lld]; give one for each sequence",
                 rv_shape_text(lengths, text), (long long)samples);
    return false;
}

/* Reports further inputs that do not fit to x [n,..]. */
static bool check_inputs(const net *n, int64_t samples)
{
    const rv_rnn_options *o = &n->options;
    char text[RV_SHAPE_TEXT];
    if (o->input_count < 0 || o->input_count > RV_CELL_INPUTS || (o->input_count && !o->inputs))
        rv_tape_fail(n->tape, RV_ERROR_ARGUMENT,
                     "unroll: %d further input(s), expected an array of at most %d; set inputs",
                     o->input_count, RV_CELL_INPUTS);
    else
        for (int i = 0; i < o->input_count && !rv_tape_error(n->tape)->code; i++) {
            rv_shape s = rv_shape_of(o->inputs[i].x);
            bool fits = s.rank > 1 && s.dim[0] == samples && s.dim[1] == n->steps;
            if (rv_is_null(o->inputs[i].x) || o->inputs[i].x.tape != n->tape)
                rv_tape_fail(n->tape, RV_ERROR_ARGUMENT,
                             "unroll: the further input %d is no value of this tape; check what "
                             "made it",
                             i);
            else if (!fits && !o->inputs[i].whole)
                rv_tape_fail(n->tape, RV_ERROR_SHAPE,
                             "unroll: the further input %d is %s, expected [%lld,%lld,..], a value "
                             "for each of the steps; if every step reads all of it, set whole",
                             i, rv_shape_text(s, text), (long long)samples, (long long)n->steps);
        }
    return !rv_tape_error(n->tape)->code;
}

/* Returns the output at the last step. `outputs` [steps] and `all`, unless NULL, receive the
 * outputs at all steps. */
static rv_var unroll(net *n, rv_var *outputs, rv_var *all)
{
    rv_var first = n->given ? n->given[0] : n->sequence, result = {n->tape, -1};
    const int64_t samples = rv_shape_of(first).dim[0];
    if (rv_tape_error(n->tape)->code || !check_options(n) ||
        (!rv_is_null(first) && !(check_lengths(n, samples) && check_inputs(n, samples))))
        return result;
    rv_var *memory = rv_alloc((size_t)n->steps, 6 * sizeof *memory);
    if (!memory) return rv_tape_fail(n->tape, RV_ERROR_MEMORY, "unroll: out of memory");
    rv_var **arrays[] = {&n->x, &n->mask, &n->in, &n->out[0], &n->out[1], &n->whole};
    for (int i = 0; i < 6; i++) *arrays[i] = memory + i * n->steps;
    if (run_layers(n)) {
        result = end_of(n);
        for (int64_t t = 0; outputs && t < n->steps; t++) outputs[t] = output_at(n, t);
        if (all) *all = rv_is_null(n->all) ? rv_stack(n->whole, (int)n->steps, 1) : n->all;
    }
    rv_free(memory);
    if (n->memo.release) n->memo.release(n->memo.object);
    return result;
}

rv_var rv_unroll_steps(rv_cell_step step, const rv_var *x, int64_t steps, rv_rnn_options options,
                       rv_var *outputs)
{
    net n = {.tape = x && steps > 0 ? x[0].tape : NULL,
             .step = step,
             .options = options,
             .steps = steps,
             .given = x};
    if (!n.tape) return (rv_var){NULL, -1};
    n.sequence = n.all = (rv_var){n.tape, -1};
    return unroll(&n, outputs, NULL);
}

rv_var rv_unroll(rv_cell_step step, rv_var x, int64_t steps)
{
    return rv_unroll_with(step, x, steps, (rv_rnn_options){0});
}

rv_var rv_unroll_with(rv_cell_step step, rv_var x, int64_t steps, rv_rnn_options options)
{
    if (rv_is_null(x)) return x;
    if (steps < 1)
        return rv_tape_fail(x.tape, RV_ERROR_ARGUMENT,
                            "unroll: %lld step(s), expected at least 1; ask for more",
                            (long long)steps);
    rv_var *same = rv_alloc((size_t)steps, sizeof *same);
    if (!same) return rv_tape_fail(x.tape, RV_ERROR_MEMORY, "unroll: out of memory");
    for (int64_t t = 0; t < steps; t++) same[t] = x;
    rv_var y = rv_unroll_steps(step, same, steps, options, NULL);
    rv_free(same);
    return y;
}

static rv_var unroll_sequence(rv_cell_step step, rv_var x, rv_rnn_options options, rv_var *outputs,
                              rv_var *all)
{
    if (rv_is_null(x)) return x;
    if (rv_shape_of(x).rank < 2)
        return rv_tape_fail(x.tape, RV_ERROR_SHAPE,
                            "unroll: a sequence of rank %lld, expected [n,steps,...]; reshape it",
                            (long long)rv_shape_of(x).rank);
    net n = {.tape = x.tape,
             .step = step,
             .options = options,
             .steps = rv_shape_of(x).dim[1],
             .sequence = x,
             .all = {x.tape, -1}};
    return unroll(&n, outputs, all);
}

rv_var rv_unroll_sequence(rv_cell_step step, rv_var x, rv_rnn_options options, rv_var *outputs)
{
    return unroll_sequence(step, x, options, outputs, NULL);
}

rv_var rv_unroll_outputs(rv_cell_step step, rv_var x, rv_rnn_options options)
{
    rv_var all = {x.tape, -1};
    unroll_sequence(step, x, options, NULL, &all);
    return all;
}

void rv_reset_carried(rv_store *store, const char *carry)
{
    if (!store) return;
    char prefix[RV_CELL_NAME];
    int length = snprintf(prefix, sizeof prefix, "carry/%s/", carry ? carry : "");
    if (!carry || length >= (int)sizeof prefix) return;
    for (size_t i = 0; i < rv_store_count(store); i++) {
        rv_entry *entry = rv_store_at(store, i);
        size_t n = strlen(entry->name);
        bool start = n > 6 && !strcmp(entry->name + n - 6, "/start");
        if (!start && !strncmp(entry->name, prefix, (size_t)length)) rv_reset_state(store, entry);
    }
}
