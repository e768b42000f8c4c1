/* An optimizer of your own: write its update equations, and rv_minimize takes it like the others.
 *
 * This one is Lion (Chen et al. 2023): w' = w - r sign(a m + (1 - a) g);  m' = b m + (1 - b) g */
#include <stdio.h>

#include "recurve.h"

/* a x + (1 - a) y */
static rv_var mix(double a, rv_var x, rv_var y)
{
    return rv_add(rv_scale(x, a), rv_scale(y, 1 - a));
}

static rv_var lion(const rv_update *u)
{
    rv_var zero = rv_scalar(u->w.tape, 0), m = rv_moment(u, "m");
    rv_var direction = mix(u->optimizer->momentum, m, u->g);
    rv_var sign = rv_subtract(rv_less(zero, direction), rv_less(direction, zero));
    rv_remember(m, mix(u->optimizer->decay, m, u->g));
    return rv_subtract(u->w, rv_multiply(u->rate, sign));
}

/* The cost after 200 updates of 60 zeros and ones each; negative when something went wrong. */
static double train(rv_optimizer optimizer)
{
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_var x = rv_scale(rv_input(tape, "x", RV_SHAPE(60, 1, 8, 8)), 1.0 / 16);
    rv_var h = rv_unroll(rv_curnn, x, 2);
    rv_var logits = rv_linear(rv_flatten(h), "out", 1);
    rv_var cost = rv_sigmoid_cross_entropy(logits, rv_input(tape, "y", RV_SHAPE(60, 1)));
    rv_minimize(cost, optimizer);
    rv_program *step = rv_compile(tape, &cost, 1);
    rv_dataset digits = {0};
    bool ok = step != NULL && rv_digits(&digits, (int[]){0, 1}, 2, NULL);
    if (!ok) fprintf(stderr, "%s\n", rv_tape_error(tape)->text);
    for (int i = 0; ok && i < 200; i++) {
        rv_dataset_batch(&digits, NULL, i * 60, rv_program_input(step, "x"),
                         rv_program_input(step, "y"), NULL);
        rv_run(step);
    }
    double last = ok ? rv_value(step, 0) : -1;
    rv_dataset_free(&digits);
    rv_program_free(step);
    rv_tape_free(tape);
    rv_store_free(store);
    return last;
}

int main(void)
{
    rv_optimizer mine = {
        .name = "lion", .rule = lion, .rate = 1e-2, .momentum = 0.9, .decay = 0.99};
    double lion_cost = train(mine), adam_cost = train(rv_adam(1e-2));
    printf("cost after 200 updates: lion %.5f, adam %.5f\n", lion_cost, adam_cost);
    return lion_cost < 0 || adam_cost < 0;
}
