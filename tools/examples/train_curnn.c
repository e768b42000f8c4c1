/* Trains a convolutional update gate RNN to tell handwritten zeros from ones. */
#include <stdio.h>
#include "recurve.h"
int main(void)
{
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_var x = rv_input(tape, "x", RV_SHAPE(60, 1, 8, 8)), y = rv_input(tape, "y", RV_SHAPE(60, 1));
    rv_var h = rv_unroll(rv_curnn, rv_scale(x, 1.0 / 16), 2);
    rv_var p = rv_linear(rv_tanh(rv_linear(rv_flatten(h), "fc1", 34)), "fc2", 1);
    rv_var right = rv_equal(rv_less(rv_scalar(tape, 0), p), y);
    rv_var out[] = {rv_sigmoid_cross_entropy(p, y), rv_mean(right, RV_ALL_AXES, false)};
    rv_minimize(out[0], rv_momentum(0.05, 0.9));
    rv_program *step = rv_compile(tape, out, 2);
    rv_tensor *image = rv_program_input(step, "x"), *label = rv_program_input(step, "y");
    rv_dataset digits;
    if (step == NULL || !rv_digits(&digits, (int[]){0, 1}, 2, NULL))
        return fprintf(stderr, "%s\n", rv_tape_error(tape)->text), 1;
    for (int i = 0; i <= 200; i++) { /* the last run measures the 60 images that the others skip */
        rv_dataset_batch(&digits, NULL, i < 200 ? 60 + i % 5 * 60 : 0, image, label, NULL);
        rv_run(step);
    }
    printf("held out: cost %.4f, %g %% right\n", rv_value(step, 0), 100 * rv_value(step, 1));
    rv_dataset_free(&digits), rv_program_free(step), rv_tape_free(tape), rv_store_free(store);
}
