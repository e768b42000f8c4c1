/* One layer of a net in one direction: the initial states, and the steps from them to the last
 * ones. */
#include "models/direction_internal.h"

#include <stdio.h>

#include "autograd/recompute.h"
#include "autograd/tape_internal.h"
#include "ops/ops.h"
#include "tensor/memory.h"
#include "tensor/text_internal.h"

/* ---- initial states ---- */

static const char *state_name(const rv_direction *a, int s)
{
    static const char *const names[RV_CELL_STATES] = {"h",   "h1",  "h2",  "h3", "h4",  "h5",
                                                      "h6",  "h7",  "h8",  "h9", "h10", "h11",
                                                      "h12", "h13", "h14", "h15"};
    const char *const *given = a->cell.options->state_name;
    return given && given[s] ? given[s] : names[s];
}

/* The shape in which an initial state is kept for all samples: as declared, or [1,..]. */
static rv_shape one_of(const rv_direction *a, int s)
{
    rv_shape one = a->known->shape[s];
    if (a->known->declared[s].shape.rank) return a->known->declared[s].shape;
    if (one.rank) one.dim[0] = 1;
    return one;
}

static rv_init init_of(const rv_direction *a, int s)
{
    return a->known->declared[s].declared ? a->known->declared[s].start : rv_init_constant(0);
}

static rv_var learned(rv_direction *a, int s)
{
    char name[16];
    snprintf(name, sizeof name, "h%d", s);
    return rv_cell_parameter(&a->cell, name, one_of(a, s), init_of(a, s));
}

/* Bytes of a state's name in the store: a prefix, a symbol and an ending. */
enum { STATE_NAME = RV_CELL_NAME + 116 };

static void name_start(const rv_direction *a, int s, char name[STATE_NAME])
{
    snprintf(name, STATE_NAME, "%s%.100s/start", a->prefix, state_name(a, s));
}

static rv_var constant(const rv_direction *a, int s)
{
    char name[STATE_NAME];
    const rv_init from = init_of(a, s);
    if (from.kind == RV_INIT_CONSTANT)
        return rv_full(a->cell.tape, a->known->shape[s], from.a * from.factor);
    name_start(a, s, name);
    return rv_state(a->cell.tape, name, one_of(a, s), from);
}

void rv_reset_state(const rv_store *store, rv_entry *carried)
{
    char name[RV_CELL_NAME + 8];
    snprintf(name, sizeof name, "%s/start", carried->name);
    const rv_entry *start = rv_store_find(store, name);
    int64_t one = start ? rv_tensor_count(&start->tensor) : 0;
    rv_tensor_fill(&carried->tensor, 0);
    for (int64_t i = 0; one && i < rv_tensor_count(&carried->tensor); i++)
        rv_tensor_set(&carried->tensor, i, rv_tensor_get(&start->tensor, i % one));
}

static rv_var carried(const rv_direction *a, int s)
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
    if (!known) rv_reset_state(store, rv_store_find(store, name));
    return h;
}

static void check_given(const rv_direction *a, int s, rv_var given)
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

static rv_var initial_state(rv_direction *a, int s)
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

static void check_dtype(const rv_direction *a, const char *what, int s, rv_var h)
{
    rv_tape *tape = a->cell.tape;
    if (!rv_is_null(h) && rv_dtype_of(h) != rv_tape_dtype(tape))
        rv_tape_fail(tape, RV_ERROR_DTYPE, "unroll: the %sstate \"%s\" is %s, expected %s; cast it",
                     what, state_name(a, s), rv_dtype_name(rv_dtype_of(h)),
                     rv_dtype_name(rv_tape_dtype(tape)));
}

static bool start(rv_direction *a, rv_states *h)
{
    rv_known_states *k = a->known;
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

/* ---- steps ---- */

static rv_var use_state(const rv_direction *a, int s, rv_var h)
{
    char name[RV_CELL_NAME + 100];
    snprintf(name, sizeof name, "%s%.100s", a->prefix, state_name(a, s));
    return rv_name_state(rv_probe(h, a->cell.taken), s, name);
}

static void push_step(rv_tape *tape, int64_t t)
{
    char name[32], digits[RV_DECIMAL];
    rv_origin origin = rv_current_origin(tape);
    rv_join(name, sizeof name, "step ", rv_decimal(t + 1, digits), NULL);
    origin.step = (int32_t)t;
    origin.scope = name;
    rv_origin_push(tape, origin);
}

rv_var rv_for_first_axis(rv_var mask, rv_var x)
{
    return rv_reshape(mask, rv_first_axes(rv_shape_of(x), 1));
}

static void check_next(const rv_direction *a, int s, rv_var next)
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

rv_shape rv_step_shape(rv_shape sequence)
{
    rv_shape one = {.rank = sequence.rank - 1, .dim = {sequence.dim[0]}};
    for (int64_t d = 1; d < one.rank; d++) one.dim[d] = sequence.dim[d + 1];
    return one;
}

rv_var rv_step_of(rv_var x, int64_t t)
{
    return rv_is_null(x) ? x : rv_reshape(rv_slice_axis(x, 1, t, 1), rv_step_shape(rv_shape_of(x)));
}

/* Replaces h by the states after a step on x[t]. Where the mask is 0, the states do not change. */
static bool take_step(rv_direction *a, int64_t t, int64_t taken, rv_states *h)
{
    const rv_rnn_options *o = a->cell.options;
    rv_tape *tape = a->cell.tape;
    rv_states next = *h;
    push_step(tape, t);
    a->cell.time = t;
    a->cell.taken = taken;
    for (int i = 0; i < o->input_count; i++)
        a->inputs[i] = o->inputs[i].whole ? o->inputs[i].x : rv_step_of(o->inputs[i].x, t);
    a->cell.inputs = a->inputs;
    rv_var x = rv_cell_drop(&a->cell, a->x[t], o->dropout, "x");
    rv_cell_take_step(&a->cell, a->step, x, next.h);
    for (int s = 0; s < a->known->count; s++) {
        check_next(a, s, next.h[s]);
        check_dtype(a, "", s, next.h[s]);
        if (a->mask)
            next.h[s] = rv_select(rv_for_first_axis(a->mask[t], h->h[s]), next.h[s], h->h[s]);
        h->h[s] = next.h[s];
        rv_name_state(h->h[s], s, state_name(a, s));
        if (a->cell.options->probes) h->h[s] = use_state(a, s, h->h[s]);
    }
    rv_scope_pop(tape);
    return !rv_tape_error(tape)->code;
}

/* Carries the states after the last step to the next run, and sets options.final. */
static void end(const rv_direction *a, const rv_states *h)
{
    const rv_rnn_options *o = a->cell.options;
    for (int s = 0; o->carry && s < a->known->count; s++)
        rv_assign(carried(a, s), rv_stop_gradient(h->h[s]));
    if (o->final) o->final[a->index] = *h;
}

/* Makes room for the states after each step, if they are wanted. */
static bool keep_history(rv_direction *a)
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

bool rv_unroll_by_steps(rv_direction *a, rv_var *y)
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

bool rv_unroll_at_once(rv_direction *a, rv_var x, rv_var mask, rv_var *y)
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
        h.h[s] = rv_step_of(after.h[s], a->backward ? 0 : a->steps - 1);
    }
    if (ok) end(a, &h);
    if (ok && a->cell.options->history) a->cell.options->history[a->index] = after;
    *y = after.h[0];
    return ok;
}
