/* Accumulation over runs, and clipping. */
#include "optim/gradients_internal.h"

#include <math.h>

#include "ops/ops.h"
#include "optim/parameters_internal.h"

/* run' = (run + 1) mod runs;  sum' = sum + g, and 0 after the run that updates. */
rv_var rv_gradients_accumulate(int runs, const rv_var *w, rv_var *g, int count)
{
    rv_tape *tape = w[0].tape;
    rv_var zero = rv_scalar(tape, 0), size = rv_scalar(tape, runs);
    rv_var run = rv_state(tape, "optimizer/run", RV_SCALAR, rv_init_constant(0));
    rv_var due = rv_equal(run, rv_scalar(tape, runs - 1));
    rv_scope_push(tape, "accumulate");
    rv_assign(run, rv_select(due, zero, rv_shift(run, 1)));
    for (int i = 0; i < count; i++) {
        rv_var sum = rv_moment(&(rv_update){.name = rv_parameter_name(w[i]), .w = w[i]}, "sum");
        rv_var total = rv_add(sum, g[i]);
        rv_assign(sum, rv_select(due, zero, total));
        g[i] = rv_divide(total, size);
    }
    rv_scope_pop(tape);
    return due;
}

/* The norm of all elements times `scale`. */
static rv_var norm_scaled(const rv_var *g, int count, double scale)
{
    rv_var squares = rv_scalar(g[0].tape, 0);
    for (int i = 0; i < count; i++)
        squares = rv_add(squares, rv_sum(rv_square(rv_scale(g[i], scale)), RV_ALL_AXES, false));
    return rv_sqrt(squares);
}

/* min(1, c / (|g| + 1e-6)), as torch.nn.utils.clip_grad_norm_. In f32 squares are infinite from
 * 2^64 on, in f64 from 2^512 on; c and |g| are then both multiplied by a power of two. */
static rv_var clip_factor(double clip, const rv_var *g, int count)
{
    rv_tape *tape = g[0].tape;
    const double scale = rv_tape_dtype(tape) == RV_F64 ? 0x1p-768 : 0x1p-96;
    rv_var norm = norm_scaled(g, count, 1), small = norm_scaled(g, count, scale);
    rv_var fits = rv_less(norm, rv_scalar(tape, INFINITY));
    rv_var limit = rv_select(fits, rv_scalar(tape, clip), rv_scalar(tape, clip * scale));
    rv_var factor = rv_divide(limit, rv_select(fits, rv_shift(norm, 1e-6), small));
    return rv_minimum(factor, rv_scalar(tape, 1));
}

void rv_gradients_clip(const rv_optimizer *o, rv_var *g, int count)
{
    rv_scope_push(g[0].tape, "clip");
    for (int i = 0; o->clip_value > 0 && i < count; i++)
        g[i] = rv_clamp(g[i], -o->clip_value, o->clip_value);
    if (o->clip_norm > 0) {
        rv_var factor = clip_factor(o->clip_norm, g, count);
        for (int i = 0; i < count; i++) g[i] = rv_multiply(g[i], factor);
    }
    rv_scope_pop(g[0].tape);
}
