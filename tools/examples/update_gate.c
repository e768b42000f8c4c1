/* Trains the update gate RNN with four scalar weights on the five sequences of Jae Duk Seo's "Only
 * Numpy" article. The loss is sum (h3 - y)^2 / 2, the optimizer is plain gradient descent on the
 * full batch. */
#include <stdio.h>
#include <string.h>

#include "recurve.h"

static const float sequences[5][3] = {
    {-.2f, -.2f, -.6f}, {-.3f, -.2f, 0}, {0, 0, 0}, {.1f, .1f, .3f}, {0, .5f, .5f}};
static const float targets[5] = {-1, -.5f, 0, .5f, 1};

int main(void)
{
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_var x = rv_input(tape, "x", RV_SHAPE(5, 3, 1)), y = rv_input(tape, "y", RV_SHAPE(5, 1));
    rv_var h = rv_unroll_sequence(rv_zoo("update-gate"), x, (rv_rnn_options){0}, NULL);
    rv_var loss = rv_scale(rv_sum(rv_square(rv_subtract(h, y)), RV_ALL_AXES, false), 0.5);
    rv_minimize(loss, rv_sgd(0.1));
    rv_var outputs[] = {loss, h};
    rv_program *step = rv_compile(tape, outputs, 2);
    if (!step) {
        fprintf(stderr, "%s\n", rv_tape_error(tape)->text);
        return 1;
    }

    memcpy(rv_program_input(step, "x")->data, sequences, sizeof sequences);
    memcpy(rv_program_input(step, "y")->data, targets, sizeof targets);
    for (int epoch = 0; epoch <= 2000; epoch++) {
        rv_run(step);
        if (epoch % 500 == 0) printf("epoch %4d: loss %.6f\n", epoch, rv_value(step, 0));
    }
    for (int n = 0; n < 5; n++)
        printf("target %5.2f, answer %5.2f\n", (double)targets[n],
               rv_tensor_get(rv_program_output(step, 1), n));

    rv_program_free(step);
    rv_tape_free(tape);
    rv_store_free(store);
}
