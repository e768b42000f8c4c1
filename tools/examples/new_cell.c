/* A cell of your own: write its equations, prove its gradients, train it on the ten digits.
 *
 * The cell is the minimal gated unit of Zhou et al. 2016, with convolutions for its products:
 *     f  = sigmoid(x * Uf + pad1(h) * Wf)
 *     c  = tanh(x * Uc + pad1(f . h) * Wc)
 *     h' = (1 - f) . h + f . c                                                                   */
#include <stdio.h>

#include "recurve.h"

static void minimal_gate(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var f =
        rv_sigmoid(rv_add(rv_cell_conv(k, x, "Uf", 5), rv_cell_conv(k, rv_pad2d(*h, 1), "Wf", 3)));
    rv_var fh = rv_pad2d(rv_multiply(f, *h), 1);
    rv_var c = rv_tanh(rv_add(rv_cell_conv(k, x, "Uc", 5), rv_cell_conv(k, fh, "Wc", 3)));
    *h = rv_lerp(*h, c, f);
}

/* Every element of every gradient against central differences, in double precision. */
static bool prove(void)
{
    static const char *const names[] = {"Uf", "Wf", "Uc", "Wc"};
    rv_gradcheck_result result[4];
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F64);
    rv_var h = rv_unroll(minimal_gate, rv_input(tape, "x", RV_SHAPE(2, 1, 8, 8)), 3);
    rv_var weight[4];
    for (int i = 0; i < 4; i++) {
        const rv_entry *entry = rv_store_find(store, names[i]);
        rv_shape shape = entry ? entry->tensor.shape : RV_SCALAR;
        weight[i] = rv_parameter(tape, names[i], shape, rv_init_constant(0));
    }
    bool ok = rv_gradcheck(rv_sum(rv_square(h), RV_ALL_AXES, false), weight, 4, NULL, result);
    if (rv_tape_error(tape)->code != RV_OK) fprintf(stderr, "%s\n", rv_tape_error(tape)->text);
    for (int i = 0; i < 4 && rv_tape_error(tape)->code == RV_OK; i++)
        printf("%s: error %.1e, %s\n", result[i].name, result[i].max_relative_error,
               result[i].reason);
    rv_tape_free(tape);
    rv_store_free(store);
    return ok;
}

static bool train(void)
{
    enum { BATCH = 64, STEPS = 400, HELD_OUT = 320 };
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_var x = rv_scale(rv_input(tape, "x", RV_SHAPE(BATCH, 1, 8, 8)), 1.0 / 16);
    rv_var y = rv_input(tape, "y", RV_SHAPE(BATCH, 10)); /* one-hot */
    rv_var h = rv_unroll_with(minimal_gate, x, 2, (rv_cell_options){.units = 8});
    rv_var logits = rv_linear(rv_flatten(h), "out", 10);
    rv_var cost = rv_softmax_cross_entropy(logits, y);
    rv_var best = rv_equal(logits, rv_max(logits, RV_LAST_AXIS, true));
    rv_var right = rv_scale(rv_sum(rv_multiply(best, y), RV_ALL_AXES, false), 1.0 / BATCH);
    rv_minimize(cost, rv_adam(5e-3));
    rv_program *step = rv_compile(tape, &cost, 1);
    rv_program *measure = rv_compile_with(tape, &right, 1, RV_VALUES);
    rv_dataset all = {0}, images = {0}, held_out = {0};
    bool ok = step != NULL && measure != NULL && rv_digits(&all, NULL, 0, NULL) &&
              rv_dataset_split(&all, HELD_OUT, 1, &images, &held_out, NULL);
    if (!ok) fprintf(stderr, "%s\n", rv_tape_error(tape)->text);

    for (int i = 0; ok && i < STEPS; i++) {
        rv_dataset_batch(&images, NULL, i * BATCH, rv_program_input(step, "x"),
                         rv_program_input(step, "y"), NULL);
        rv_run(step);
        if (i % 100 == 99) printf("step %d: cost %.4f\n", i + 1, rv_value(step, 0));
    }
    double accuracy = 0;
    for (int i = 0; ok && i < HELD_OUT; i += BATCH) {
        rv_dataset_batch(&held_out, NULL, i, rv_program_input(measure, "x"),
                         rv_program_input(measure, "y"), NULL);
        rv_run(measure);
        accuracy += rv_value(measure, 0) * BATCH / HELD_OUT;
    }
    if (ok) printf("held out: %.2f %% right\n", 100 * accuracy);

    rv_dataset_free(&all);
    rv_dataset_free(&images);
    rv_dataset_free(&held_out);
    rv_program_free(step);
    rv_program_free(measure);
    rv_tape_free(tape);
    rv_store_free(store);
    return ok;
}

int main(void) { return prove() && train() ? 0 : 1; }
