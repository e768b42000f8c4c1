/* Unrolls cells over time, in layers and directions. */
#include "models/rnn.h"

#include <stdio.h>
#include <string.h>

#include "autograd/gradient.h"
#include "autograd/recompute.h"
#include "autograd/tape_internal.h"
#include "models/cell_internal.h"
#include "ops/ops.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"

/* ---- initial states ---- */

/* The states of a step on an x of this type, as rv_find_states has found them. */
typedef struct known_states {
    rv_type x;
    int count; /* 0: not known yet */
    rv_shape shape[RV_CELL_STATES];
    rv_declared_state declared[RV_CELL_STATES];
} known_states;

/* One layer in one direction. */
typedef struct strand {
    rv_cell cell;
    rv_cell_step step;
    rv_type type;    /* of the input of a step */
    const rv_var *x; /* [steps] */
    /* [steps] of [n,1,..] of the rank of x: 1 where the sequence has this step. NULL: no masking. */
    const rv_var *mask;
    rv_var inputs[RV_CELL_INPUTS]; /* at the current step */
    int64_t steps;
    int index; /* among all layers and directions, as in options.initial */
    bool backward;
    known_states *known;
    rv_var *history; /* [states][steps]; NULL: not wanted */
    char prefix[RV_CELL_NAME];
} strand;

static const char *state_name(const strand *a, int s)
{
    static const char *const names[RV_CELL_STATES] = {"h",   "h1",  "h2",  "h3", "h4",  "h5",
                                                      "h6",  "h7",  "h8",  "h9", "h10", "h11",
                                                      "h12", "h13", "h14", "h15"};
    const char *const *given = a->cell.options->state_name;
    return given && given[s] ? given[s] : names[s];
}

/* The shape in which an initial state is kept for all samples: as declared, or [1,..]. */
static rv_shape one_of(const strand *a, int s)
{
    rv_shape one = a->known->shape[s];
    if (a->known->declared[s].shape.rank) return a->known->declared[s].shape;
    if (one.rank) one.dim[0] = 1;
    return one;
}

static rv_init init_of(const strand *a, int s)
{
    return a->known->declared[s].declared ? a->known->declared[s].start : rv_init_constant(0);
}

static rv_var learned(strand *a, int s)
{
    char name[16];
    snprintf(name, sizeof name, "h%d", s);
    return rv_cell_parameter(&a->cell, name, one_of(a, s), init_of(a, s));
}

/* Bytes of a state's name in the store: a prefix, a symbol and an ending. */
enum { STATE_NAME = RV_CELL_NAME + 116 };

static void name_start(const strand *a, int s, char name[STATE_NAME])
{
    snprintf(name, STATE_NAME, "%s%.100s/start", a->prefix, state_name(a, s));
}

static rv_var constant(const strand *a, int s)
{
    char name[STATE_NAME];
    const rv_init from = init_of(a, s);
    if (from.kind == RV_INIT_CONSTANT)
        return rv_full(a->cell.tape, a->known->shape[s], from.a * from.factor);
    name_start(a, s, name);
    return rv_state(a->cell.tape, name, one_of(a, s), from);
}

/* Sets a carried state to the initial state of one sample, "NAME/start" in the store, or to zeros. */
static void reset(const rv_store *store, rv_entry *carried)
{
    char name[RV_CELL_NAME + 8];
    snprintf(name, sizeof name, "%s/start", carried->name);
    const rv_entry *start = rv_store_find(store, name);
    int64_t one = start ? rv_tensor_count(&start->tensor) : 0;
    rv_tensor_fill(&carried->tensor, 0);
    for (int64_t i = 0; one && i < rv_tensor_count(&carried->tensor); i++)
        rv_tensor_set(&carried->tensor, i, rv_tensor_get(&start->tensor, i % one));
}

static rv_var carried(const strand *a, int s)
{
    char name[RV_CELL_NAME], start[RV_CELL_NAME + 8], drawn[STATE_NAME];
    const rv_init from = init_of(a, s);
    rv_tape *tape = a->cell.tape;
    rv_store *store = rv_tape_store(tape);
    snprintf(name, sizeof name, "carry/%s/layer%d/h%d", a->cell.options->carry, a->index, s);
    bool known = rv_store_find(store, name);
    bool zero = from.kind == RV_INIT_CONSTANT && from.a * from.factor == 0;
    rv_var h = rv_state(tape, name, a->known->shape[s], rv_init_constant(0));
    if (zero || rv_is_null(h)) return h;
    snprintf(start, sizeof start, "%s/start", name);
    name_start(a, s, drawn);
    rv_state(tape, start, one_of(a, s), rv_init_shared(from, drawn));
    if (!known) reset(store, rv_store_find(store, name));
    return h;
}

static void check_given(const strand *a, int s, rv_var given)
{
    char seen[RV_SHAPE_TEXT], expected[RV_SHAPE_TEXT];
    rv_shape from = rv_shape_of(given), to = a->known->shape[s];
    bool fits = from.rank <= to.rank;
    for (int64_t d = 1; fits && d <= from.rank; d++)
        fits = from.dim[from.rank - d] == 1 || from.dim[from.rank - d] == to.dim[to.rank - d];
    if (fits) return;
    rv_tape_fail(a->cell.tape, RV_ERROR_SHAPE,
                 "unroll: the initial state \"%s\" is %s, expected %s; reshape it",
                 state_name(a, s), rv_shape_text(from, seen), rv_shape_text(to, expected));
}

static rv_var initial_state(strand *a, int s)
{
    const rv_rnn_options *o = a->cell.options;
    const rv_var *given = o->initial ? &o->initial[a->index].h[s] : NULL;
    if (given && !rv_is_null(*given)) check_given(a, s, *given);
    return rv_broadcast(given && !rv_is_null(*given) ? *given
                        : o->carry                   ? carried(a, s)
                        : o->learned_start           ? learned(a, s)
                                                     : constant(a, s),
                        a->known->shape[s]);
}

static void check_dtype(const strand *a, const char *what, int s, rv_var h)
{
    rv_tape *tape = a->cell.tape;
    if (!rv_is_null(h) && rv_dtype_of(h) != rv_tape_dtype(tape))
        rv_tape_fail(tape, RV_ERROR_DTYPE, "unroll: the %sstate \"%s\" is %s, expected %s; cast it",
                     what, state_name(a, s), rv_dtype_name(rv_dtype_of(h)),
                     rv_dtype_name(rv_tape_dtype(tape)));
}

static bool start(strand *a, rv_states *h)
{
    known_states *k = a->known;
    if (k->x.dtype != a->type.dtype || !rv_shape_equal(k->x.shape, a->type.shape)) k->count = 0;
    k->x = a->type;
    if (!k->count) k->count = rv_find_states(a->step, &a->cell, a->type, k->shape, k->declared);
    for (int s = 0; s < k->count; s++) {
        h->h[s] = initial_state(a, s);
        check_dtype(a, "initial ", s, h->h[s]);
    }
    if (a->cell.options->first) a->cell.options->first[a->index] = *h;
    return k->count && !rv_tape_error(a->cell.tape)->code;
}

/* ---- one direction ---- */

static rv_var use_state(const strand *a, int s, rv_var h)
{
    char name[RV_CELL_NAME + 100];
    snprintf(name, sizeof name, "%s%.100s", a->prefix, state_name(a, s));
    return rv_name_state(rv_probe(h, a->cell.taken), s, name);
}

static const char *decimal(int64_t n, char digits[24])
{
    char *at = digits + 23;
    for (*at = '\0'; n; n /= 10) *--at = (char)('0' + n % 10);
    return at;
}

static void push_step(rv_tape *tape, int64_t t)
{
    char name[32], digits[24];
    rv_origin origin = rv_current_origin(tape);
    rv_join(name, sizeof name, "step ", decimal(t + 1, digits), NULL);
    origin.step = (int32_t)t;
    origin.scope = name;
    rv_origin_push(tape, origin);
}

/* A mask of samples [n,1,..] with the rank of x. */
static rv_var for_first_axis(rv_var mask, rv_var x)
{
    return rv_reshape(mask, rv_first_axes(rv_shape_of(x), 1));
}

static void check_next(const strand *a, int s, rv_var next)
{
    char seen[RV_SHAPE_TEXT], expected[RV_SHAPE_TEXT];
    if (rv_is_null(next))
        rv_tape_fail(a->cell.tape, RV_ERROR_ARGUMENT,
                     "unroll: the step left h[%d] a null var; check the cell", s);
    else if (!rv_shape_equal(rv_shape_of(next), a->known->shape[s]))
        rv_tape_fail(a->cell.tape, RV_ERROR_SHAPE,
                     "unroll: the state \"%s\" becomes %s, but is declared as %s; fix the cell",
                     state_name(a, s), rv_shape_text(rv_shape_of(next), seen),
                     rv_shape_text(a->known->shape[s], expected));
}

/* The shape of a step of a sequence [n,steps,..]. */
static rv_shape step_shape(rv_shape sequence)
{
    rv_shape one = {.rank = sequence.rank - 1, .dim = {sequence.dim[0]}};
    for (int64_t d = 1; d < one.rank; d++) one.dim[d] = sequence.dim[d + 1];
    return one;
}

static rv_var step_of(rv_var x, int64_t t)
{
    return rv_is_null(x) ? x : rv_reshape(rv_slice_axis(x, 1, t, 1), step_shape(rv_shape_of(x)));
}

/* Replaces h by the states after a step on x[t]. Where the mask is 0, the states do not change. */
static bool take_step(strand *a, int64_t t, int64_t taken, rv_states *h)
{
    const rv_rnn_options *o = a->cell.options;
    rv_tape *tape = a->cell.tape;
    rv_states next = *h;
    push_step(tape, t);
    a->cell.time = t;
    a->cell.taken = taken;
    for (int i = 0; i < o->input_count; i++)
        a->inputs[i] = o->inputs[i].whole ? o->inputs[i].x : step_of(o->inputs[i].x, t);
    a->cell.inputs = a->inputs;
    rv_var x = rv_cell_drop(&a->cell, a->x[t], o->dropout, "x");
    rv_cell_take_step(&a->cell, a->step, x, next.h);
    for (int s = 0; s < a->known->count; s++) {
        check_next(a, s, next.h[s]);
        check_dtype(a, "", s, next.h[s]);
        if (a->mask) next.h[s] = rv_select(for_first_axis(a->mask[t], h->h[s]), next.h[s], h->h[s]);
        h->h[s] = next.h[s];
        rv_name_state(h->h[s], s, state_name(a, s));
        if (a->cell.options->probes) h->h[s] = use_state(a, s, h->h[s]);
    }
    rv_scope_pop(tape);
    return !rv_tape_error(tape)->code;
}

/* Carries the states after the last step to the next run, and sets options.final. */
static void end(const strand *a, const rv_states *h)
{
    const rv_rnn_options *o = a->cell.options;
    for (int s = 0; o->carry && s < a->known->count; s++)
        rv_assign(carried(a, s), rv_stop_gradient(h->h[s]));
    if (o->final) o->final[a->index] = *h;
}

/* Makes room for the states after each step, if they are wanted. */
static bool keep_history(strand *a)
{
    if (!a->cell.options->history) return true;
    a->history = rv_alloc((size_t)a->steps, (size_t)a->known->count * sizeof *a->history);
    if (!a->history) rv_tape_fail(a->cell.tape, RV_ERROR_MEMORY, "unroll: out of memory");
    return a->history;
}

/* Makes room for the steps to come, and for as many nodes of a gradient. */
static void expect_steps(rv_tape *tape, int64_t steps, int32_t nodes)
{
    enum { MOST = 1 << 15 };
    const int64_t more = nodes ? 2 * (steps < MOST / nodes ? steps * nodes : MOST) : 0;
    if (!rv_tape_error(tape)->code) rv_tape_reserve(tape, rv_tape_count(tape) + (int32_t)more);
}

/* Unrolls one layer in one direction: y[t] is the output at step t. */
static bool run(strand *a, rv_var *y)
{
    const rv_rnn_options *o = a->cell.options;
    rv_tape *tape = a->cell.tape;
    rv_states h = {{{0}}};
    bool ok = start(a, &h) && keep_history(a);
    for (int64_t i = 0; ok && i < a->steps; i++) {
        int64_t t = a->backward ? a->steps - 1 - i : i;
        if (o->recompute > 0 && i % o->recompute == 0) rv_recompute_push(tape);
        const int32_t before = rv_tape_count(tape);
        ok = take_step(a, t, i, &h);
        if (i == 0) expect_steps(tape, a->steps - 1, rv_tape_count(tape) - before);
        y[t] = h.h[0];
        for (int s = 0; a->history && s < a->known->count; s++)
            a->history[s * a->steps + t] = h.h[s];
        if (o->recompute > 0 && (i + 1 == a->steps || (i + 1) % o->recompute == 0))
            rv_recompute_pop(tape);
    }
    if (ok) end(a, &h);
    for (int s = 0; ok && a->history && s < a->known->count; s++)
        o->history[a->index].h[s] = rv_stack(a->history + s * a->steps, (int)a->steps, 1);
    rv_free(a->history);
    return ok;
}

/* The same over all steps at once, if the cell allows it: from x [n,steps,..], with a mask [n,steps,1,..] or the null
 * var, to y [n,steps,..]. Otherwise false. */
static bool run_at_once(strand *a, rv_var x, rv_var mask, rv_var *y)
{
    rv_states h = {{{0}}}, after = {{{0}}};
    rv_shape shape[RV_CELL_STATES];
    rv_recurrence r;
    rv_type rows = a->type;
    bool ok = start(a, &h);
    rows.shape.dim[0] *= a->steps;
    for (int s = 0; s < RV_CELL_STATES; s++) {
        shape[s] = a->known->shape[s];
        shape[s].dim[0] *= a->steps;
        ok = ok && shape[s].rank < RV_MAX_RANK;
    }
    ok = ok && rv_find_recurrence(a->step, &a->cell, rows, shape, a->known->count, &r) &&
         rv_unroll_linear(&a->cell, a->step, &r, x, mask, a->backward, &h, &after);
    for (int s = 0; ok && s < a->known->count; s++) {
        rv_name_state(after.h[s], s, state_name(a, s));
        h.h[s] = step_of(after.h[s], a->backward ? 0 : a->steps - 1);
    }
    if (ok) end(a, &h);
    if (ok && a->cell.options->history) a->cell.options->history[a->index] = after;
    *y = after.h[0];
    return ok;
}

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

    /* [steps], for unrolling step by step: x; the mask, if there are lengths; of the current layer its input, the output
     * of each direction, and its whole output */
    rv_var *x, *mask, *in, *out[2], *whole;
    bool spread; /* x and mask are filled */

    /* what all layers and directions have in common */
    known_states known;
    rv_cell_memo memo;
} net;

static void name_strand(const net *n, int64_t layer, bool backward, char prefix[RV_CELL_NAME])
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

/* Unrolls a direction of a layer, the first or the second: at once over x [n,steps,..], with its output in *y, or step by
 * step over n->in if x is the null var. */
static bool run_direction(net *n, int64_t layer, bool second, rv_var x, rv_var mask, rv_var *y)
{
    bool at_once = !rv_is_null(x);
    strand a = {.step = n->step,
                .type = {rv_dtype_of(x), step_shape(rv_shape_of(x))},
                .x = n->in,
                .mask = rv_is_null(n->options.lengths) ? NULL : n->mask,
                .steps = n->steps,
                .index = (int)(n->options.bidirectional ? 2 * layer + second : layer),
                .backward = second || n->options.reverse};
    if (!at_once) a.type = (rv_type){rv_dtype_of(n->in[0]), rv_shape_of(n->in[0])};
    name_strand(n, layer, second, a.prefix);
    a.known = &n->known;
    a.cell =
        (rv_cell){.tape = n->tape, .options = &n->options, .prefix = a.prefix, .memo = &n->memo};
    push_layer(n->tape, layer, second, a.prefix);
    bool ok = at_once ? run_at_once(&a, x, mask, y) : run(&a, n->out[second]);
    rv_scope_pop(n->tape);
    return ok;
}

/* ---- layers, all steps at once ---- */

/* mask [n,steps,1,..] of the rank of x: 1 for the sequences that have this step. The null var without lengths. */
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
        n->x[t] = n->given ? n->given[t] : step_of(n->sequence, t);
    if (rv_is_null(lengths)) return;
    rv_shape along = rv_first_axes(rv_shape_of(n->x[0]), 1);
    rv_var count = rv_reshape(rv_cast(lengths, rv_tape_dtype(n->tape)), along);
    for (int64_t t = 0; t < n->steps; t++)
        n->mask[t] = rv_less(rv_scalar(n->tape, (double)t), count);
}

/* The current layer's output at step t. */
static rv_var output_at(const net *n, int64_t t)
{
    return rv_is_null(n->all) ? n->whole[t] : step_of(n->all, t);
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
            n->whole[t] = rv_select(for_first_axis(n->mask[t], before), n->whole[t], before);
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

/* The top layer's output after the last step that is taken. With two directions, each half is taken at its direction's
 * last step. */
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

/* Returns the output at the last step. `outputs` [steps] and `all`, unless NULL, receive the outputs at all steps. */
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
        if (!start && !strncmp(entry->name, prefix, (size_t)length)) reset(store, entry);
    }
}
