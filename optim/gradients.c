/* Accumulation over runs, and clipping. */
#include "optim/gradients_internal.h"

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

/* min(1, c / (|g| + 1e-6)), as torch.nn.utils.clip_grad_norm_. */
static rv_var clip_factor(double clip, const rv_var *g, int count)
{
    rv_tape *tape = g[0].tape;
    rv_var squares = rv_scalar(tape, 0);
    for (int i = 0; i < count; i++)
        squares = rv_add(squares, rv_sum(rv_square(g[i]), RV_ALL_AXES, false));
    rv_var factor = rv_divide(rv_scalar(tape, clip), rv_shift(rv_sqrt(squares), 1e-6));
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
