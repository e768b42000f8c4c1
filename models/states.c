/* What a cell does to its states, found by recording a step on a separate tape: how many there are,
 * their shapes, and whether the step is linear in them. */

#include "autograd/tape_internal.h"
#include "models/direction_internal.h"
#include "autograd/tape_internal.h"
#include "ops/ops.h"
#include "tensor/memory.h"
#include "tensor/store_entries_internal.h"

/* A trial step on its own tape and store. */
typedef struct trial {
    rv_store *store;
    rv_tape *tape;
    int32_t x, before[RV_CELL_STATES]; /* the inputs */
    int32_t also[RV_CELL_INPUTS];      /* the further ones */
    int also_count;
    rv_var h[RV_CELL_STATES];    /* the states after the step */
    rv_declared_state *declared; /* [RV_CELL_STATES] */
} trial;

/* The type of a further input of a step, whose input x is of this type. */
static rv_type input_type(const rv_rnn_input *input, rv_type x)
{
    const rv_shape all = rv_shape_of(input->x);
    rv_shape one = rv_step_shape(all);
    one.dim[0] = x.shape.dim[0];
    return (rv_type){rv_dtype_of(input->x), input->whole ? all : one};
}

/* Records a step on x and the first `states` states. */
static void try_step(trial *t, rv_cell_step step, const rv_cell *cell, rv_type x, int states,
                     const rv_shape *shape)
{
    enum { NODES = 64 }; /* of most steps with their inputs */
    t->store = rv_store_new_shapes(PTRDIFF_MAX);
    t->tape = rv_tape_new(t->store, rv_tape_dtype(cell->tape));
    if (t->tape) rv_tape_reserve(t->tape, NODES);
    rv_cell probe = {.tape = t->tape,
                     .options = cell->options,
                     .prefix = "",
                     .probe = true,
                     .declared = t->declared,
                     .memo = cell->memo};
    static const char *const names[RV_CELL_STATES] = {"h0",  "h1",  "h2",  "h3", "h4",  "h5",
                                                      "h6",  "h7",  "h8",  "h9", "h10", "h11",
                                                      "h12", "h13", "h14", "h15"};
    for (int s = 0; s < RV_CELL_STATES; s++) {
        t->declared[s] = (rv_declared_state){0};
        t->h[s] = s < states ? rv_input(t->tape, names[s], shape[s]) : (rv_var){t->tape, -1};
    }
    rv_var input = rv_input_typed(t->tape, "x", x.dtype, x.shape);
    t->x = input.id;
    rv_var inputs[RV_CELL_INPUTS];
    t->also_count = cell->options->input_count;
    for (int i = 0; i < t->also_count; i++) {
        char name[] = {'z', (char)('0' + i), '\0'};
        rv_type type = input_type(&cell->options->inputs[i], x);
        inputs[i] = rv_input_typed(t->tape, name, type.dtype, type.shape);
        t->also[i] = inputs[i].id;
    }
    probe.inputs = inputs;
    rv_cell_take_step(&probe, step, input, t->h);
    for (int s = 0; s < RV_CELL_STATES; s++) t->before[s] = probe.before.h[s].id;
}

static void end_trial(trial *t)
{
    rv_tape_free(t->tape);
    rv_store_free(t->store);
}

/* The states are those that the step declares or replaces. Shapes that are not declared are a fixed
 * point: the shapes that a step leaves unchanged. The search starts with size 1 on the axes after
 * the channels, because it broadcasts: the first step yields the sizes that the input
 * determines. */
int rv_find_states(rv_cell_step step, const rv_cell *cell, rv_type x, rv_shape *shape,
                   rv_declared_state *declared)
{
    enum { TRIES = 4 };
    int states = 0;
    bool settled = false, failed = false;
    rv_shape before = {0}, after = {0};
    for (int s = 0; s < RV_CELL_STATES; s++) {
        shape[s] = x.shape;
        for (int64_t d = 1; d < shape[s].rank; d++)
            shape[s].dim[d] = d == 1 ? cell->options->units : 1;
    }
    for (int attempt = 0; attempt < TRIES && !settled && !failed; attempt++) {
        trial t = {.declared = declared};
        try_step(&t, step, cell, x, states ? states : RV_CELL_STATES, shape);
        const rv_error *why = rv_tape_error(t.tape);
        failed = why->code;
        settled = !failed;
        for (int s = 0; s < RV_CELL_STATES && !failed; s++) {
            if (t.h[s].id == t.before[s] && !declared[s].declared) continue;
            bool known = declared[s].shape.rank;
            rv_var h = known ? (rv_var){t.tape, t.before[s]} : t.h[s];
            states = s + 1;
            if (settled && !known && !rv_shape_equal(rv_shape_of(h), shape[s])) {
                settled = false;
                before = shape[s];
                after = rv_shape_of(h);
            }
            shape[s] = rv_shape_of(h);
        }
        if (failed)
            rv_tape_fail(
                cell->tape, why->code,
                "unroll: the shape of the state could not be worked out: %-s; fix the cell",
                why->text);
        end_trial(&t);
    }
    if (settled && states) return states;
    char made[RV_SHAPE_TEXT], of[RV_SHAPE_TEXT];
    if (settled)
        rv_tape_fail(
            cell->tape, RV_ERROR_SHAPE,
            "unroll: the shape of the state could not be worked out, the step changes none; "
            "fix the cell");
    else if (!failed)
        rv_tape_fail(
            cell->tape, RV_ERROR_SHAPE,
            "unroll: the shape of the state could not be worked out: each step makes %s of %s; "
            "fix the cell",
            rv_shape_text(after, made), rv_shape_text(before, of));
    return 0;
}

/* ---- linear cells ---- */

/* How a value depends on the inputs of the step. */
typedef struct dependence {
    /* Bit s: it is a.h[s] + b, element by element, where a and b do not depend on h[s]. */
    unsigned linear;
    unsigned other; /* bit s: it depends on h[s] in another way */
    bool rows;      /* on x or a state; row i of it depends on their rows i alone */
} dependence;

/* Whether a node is linear in h[s], which inputs of it are. */
static bool stays_linear(const rv_node *node, const dependence *of, int s)
{
    int through = 0, last = 0;
    if (!node->op->pointwise || !node->op->gradient) return false;
    for (int k = 0; k < node->inputs; k++)
        if (of[node->in[k]].linear >> s & 1) through++, last = k;
    return node->op->linear_jointly || (through == 1 && node->op->linear >> last & 1);
}

static bool by_rows(const rv_tape *tape, const rv_node *node, const dependence *of)
{
    enum { MOST = 8 };
    rv_type type[MOST];
    if (node->op->pointwise) return true;
    if (!node->op->by_rows || node->inputs > MOST) return false;
    for (int k = 0; k < node->inputs; k++) type[k] = rv_tape_node(tape, node->in[k])->type;
    for (int k = 0; k < node->inputs; k++)
        if (of[node->in[k]].rows && !node->op->by_rows(node->attr, type, k)) return false;
    return true;
}

/* Sets of[id]. False if the step cannot be run on all time steps at once: rows depend on each
 * other, it assigns, or it reads what may differ from step to step. */
static bool find_dependence(const trial *t, int32_t id, dependence *of)
{
    const rv_node *node = rv_tape_node(t->tape, id);
    dependence d = {.rows = id == t->x};
    if (!node->inputs && node->entry && node->entry->role != RV_PARAMETER) return false;
    if (node->op->kind == RV_OP_EFFECT) return false;
    for (int i = 0; i < t->also_count; i++) d.rows = d.rows || id == t->also[i];
    for (int s = 0; s < RV_CELL_STATES; s++)
        if (id == t->before[s]) d = (dependence){1u << s, 0, true};
    for (int k = 0; k < node->inputs; k++) {
        d.linear |= of[node->in[k]].linear;
        d.other |= of[node->in[k]].other;
        d.rows = d.rows || of[node->in[k]].rows;
    }
    if (node->inputs && d.rows && !by_rows(t->tape, node, of)) return false;
    for (int s = 0; node->inputs && s < RV_CELL_STATES; s++)
        if (d.linear >> s & 1 && !stays_linear(node, of, s)) d.other |= 1u << s;
    d.linear &= ~d.other;
    of[id] = d;
    return true;
}

/* A state that depends on itself, linearly, and on known states alone; -1: there is none. */
static int next_state(const trial *t, const dependence *of, int states, unsigned known)
{
    for (int s = 0; s < states; s++) {
        dependence d = of[t->h[s].id];
        if (known >> s & 1) continue;
        if (!((d.other | (d.linear & ~(1u << s))) & ~known)) return s;
    }
    return -1;
}

bool rv_find_recurrence(rv_cell_step step, const rv_cell *cell, rv_type x, const rv_shape *shape,
                        int states, rv_recurrence *found)
{
    rv_declared_state declared[RV_CELL_STATES];
    trial t = {.declared = declared};
    unsigned known = 0;
    *found = (rv_recurrence){.states = states};
    try_step(&t, step, cell, x, states, shape);
    const rv_code code = rv_tape_error(t.tape)->code;
    int32_t count = rv_tape_count(t.tape);
    dependence *of = code ? NULL : rv_alloc((size_t)count, sizeof *of);
    bool ok = of;
    if (code == RV_ERROR_MEMORY || (!code && !of))
        rv_tape_fail(cell->tape, RV_ERROR_MEMORY, "unroll: out of memory");
    for (int32_t id = 0; ok && id < count; id++) ok = find_dependence(&t, id, of);
    for (int s = 0; s < states; s++)
        ok = ok && !rv_is_null(t.h[s]) && t.h[s].tape == t.tape &&
             rv_shape_equal(rv_shape_of(t.h[s]), shape[s]) &&
             rv_dtype_of(t.h[s]) == rv_tape_dtype(t.tape);
    for (int i = 0; ok && i < states; i++) {
        int s = next_state(&t, of, states, known);
        ok = s >= 0;
        if (!ok) break;
        found->order[i] = s;
        found->itself[s] = of[t.h[s].id].linear >> s & 1;
        known |= 1u << s;
    }
    rv_free(of);
    end_trial(&t);
    return ok;
}
