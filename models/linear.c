/* Unrolls a cell that is linear in its states over all time steps at once. With h[t] = a[t].h[t-1]
 * + b[t], the coefficients of all steps come from one step on a batch of n * steps rows, and the
 * states from a scan. */
#include "autograd/gradient.h"
#include "models/cell_internal.h"
#include "ops/ops.h"

/* [n,steps,..] as one batch [n steps,..], and back. */
static rv_var as_rows(rv_var x)
{
    rv_shape s = rv_shape_of(x), rows = {.rank = s.rank - 1, .dim = {s.dim[0] * s.dim[1]}};
    for (int64_t d = 1; d < rows.rank; d++) rows.dim[d] = s.dim[d + 1];
    return rv_is_null(x) ? x : rv_reshape(x, rows);
}

static rv_var as_steps(rv_var x, int64_t steps)
{
    rv_shape s = rv_shape_of(x), all = {.rank = s.rank + 1, .dim = {s.dim[0] / steps, steps}};
    for (int64_t d = 1; d < s.rank; d++) all.dim[d + 1] = s.dim[d];
    return rv_is_null(x) ? x : rv_reshape(x, all);
}

/* The states before each step, from those after it. */
static rv_var delay(rv_var after, rv_var start, bool backward)
{
    int64_t kept = rv_shape_of(after).dim[1] - 1;
    rv_var before[2] = {start, start};
    if (!kept) return start;
    before[!backward] = rv_slice_axis(after, 1, backward, kept);
    return rv_concat(before, 2, 1);
}

/* Records the step with h[s] = 0, and sets *a and *b so that it is a.h[s] + b. */
static void find_coefficients(rv_cell *k, rv_cell_step step, rv_var x, const rv_states *before,
                              int s, bool itself, rv_var *a, rv_var *b)
{
    rv_states h = *before;
    rv_shape shape = rv_shape_of(h.h[s]);
    /* A node that no layer below reads, since their x is another one, and the same if this layer is
     * recorded again. */
    rv_var at = h.h[s] = rv_probe(h.h[s], (int64_t)x.id * RV_CELL_STATES + s);
    rv_cell_take_step(k, step, x, h.h);
    *a = rv_full(k->tape, shape, 0);
    *b = h.h[s];
    if (itself) rv_vjp(h.h[s], rv_full(k->tape, shape, 1), &at, 1, a);
}

bool rv_unroll_linear(const rv_cell *cell, rv_cell_step step, const rv_recurrence *r, rv_var x,
                      rv_var mask, bool backward, const rv_states *start, rv_states *after)
{
    rv_tape *tape = cell->tape;
    rv_cell k = *cell;
    rv_var inputs[RV_CELL_INPUTS];
    for (int i = 0; i < k.options->input_count; i++) inputs[i] = as_rows(k.options->inputs[i].x);
    k.inputs = inputs;
    int64_t steps = rv_shape_of(x).dim[1];
    rv_states before = {{{0}}};
    for (int s = 0; s < r->states; s++) {
        rv_shape rows = rv_shape_of(start->h[s]);
        rows.dim[0] *= steps;
        before.h[s] = rv_full(tape, rows, 0);
    }
    for (int i = 0; i < r->states && !rv_tape_error(tape)->code; i++) {
        int s = r->order[i];
        rv_var a, b, first = as_steps(start->h[s], 1);
        find_coefficients(&k, step, as_rows(x), &before, s, r->itself[s], &a, &b);
        a = as_steps(a, steps);
        b = as_steps(b, steps);
        if (!rv_is_null(mask)) {
            rv_var valid = rv_reshape(mask, rv_first_axes(rv_shape_of(b), 2));
            a = rv_select(valid, a, rv_scalar(tape, 1));
            b = rv_select(valid, b, rv_scalar(tape, 0));
        }
        bool scans = r->itself[s] || !rv_is_null(mask);
        after->h[s] = scans ? rv_scan(a, b, first, 1, backward) : b;
        before.h[s] = as_rows(delay(after->h[s], first, backward));
    }
    return !rv_tape_error(tape)->code;
}
