/* Trains a convolutional update gate RNN to tell handwritten zeros from ones. */
#include <stdio.h>
#include "recurve.h"
int main(void)
{
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_var x = rv_input(tape, "x", RV_SHAPE(60, 1, 8, 8)), y = rv_input(tape, "y", RV_SHAPE(60, 1));
    rv_var h = rv_linear(rv_flatten(rv_unroll(rv_curnn, x, 2)), "fc1", 34);
    rv_var p = rv_linear(rv_tanh(h), "fc2", 1), right = rv_equal(rv_less(rv_scalar(tape, 0), p), y);
    rv_var out[] = {rv_sigmoid_cross_entropy(p, y), rv_mean(right, RV_ALL_AXES, false)};
    rv_minimize(out[0], rv_momentum(0.05, 0.9));
    rv_program *step = rv_compile(tape, out, 2);
    rv_source digits = {0};
    if (!step || !rv_source_digits(&digits, (int[]){0, 1}, 2, NULL))
        return fprintf(stderr, "%s\n", rv_tape_error(tape)->text), 1;
    rv_loader *loader = rv_loader_new(&digits, &(rv_loader_options){.batch_size = 60}, NULL);
    for (int i = 0; i <= 200; i++) { /* batch 0 is held out: the last run measures it */
        if (i % 5 == 0) rv_loader_start(loader, 0, i < 200, NULL);
        rv_feed_batch(step, rv_loader_next(loader, NULL), NULL), rv_run(step);
    }
    printf("held out: cost %.4f, %g %% right\n", rv_value(step, 0), 100 * rv_value(step, 1));
    rv_loader_free(loader), rv_source_close(&digits);
    rv_program_free(step), rv_tape_free(tape), rv_store_free(store);
}
