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
    rv_gradcheck_result worst;
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F64);
    rv_var h = rv_unroll(minimal_gate, rv_input(tape, "x", RV_SHAPE(2, 1, 8, 8)), 3);
    bool ok = rv_gradcheck(rv_sum(rv_square(h), RV_ALL_AXES, false), NULL, 0, NULL, &worst);
    if (rv_tape_error(tape)->code != RV_OK)
        fprintf(stderr, "%s\n", rv_tape_error(tape)->text);
    else
        printf("worst gradient: %s, error %.1e, %s\n", worst.name, worst.max_relative_error,
               worst.reason);
    rv_tape_free(tape);
    rv_store_free(store);
    return ok;
}

enum { BATCH = 64, EPOCHS = 20, HELD_OUT = 320 };

/* One pass over the loader's batches; the mean of the program's first output. */
static double run_epoch(rv_program *program, rv_loader *loader, uint64_t epoch)
{
    double sum = 0;
    rv_loader_start(loader, epoch, 0, NULL);
    while (rv_feed_batch(program, rv_loader_next(loader, NULL), NULL)) {
        rv_run(program);
        sum += rv_value(program, 0);
    }
    return sum / (double)rv_loader_batches(loader);
}

static bool train(void)
{
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_var x = rv_input(tape, "x", RV_SHAPE(BATCH, 1, 8, 8));
    rv_var y = rv_input_typed(tape, "y", RV_I32, RV_SHAPE(BATCH));
    rv_var h = rv_unroll_with(minimal_gate, x, 2, (rv_rnn_options){.units = 8});
    rv_var logits = rv_linear(rv_flatten(h), "out", 10);
    rv_var cost = rv_softmax_cross_entropy(logits, y);
    rv_var best = rv_equal(logits, rv_max(logits, RV_LAST_AXIS, true));
    rv_var right =
        rv_scale(rv_sum(rv_multiply(best, rv_one_hot(y, 10)), RV_ALL_AXES, false), 1.0 / BATCH);
    rv_minimize(cost, rv_adam(5e-3));
    rv_program *step = rv_compile(tape, &cost, 1);
    rv_program *measure = rv_compile_with(tape, &right, 1, RV_VALUES);

    rv_source digits = {0}, train = {0}, held_out = {0};
    bool ok = step && measure && rv_source_digits(&digits, NULL, 0, NULL) &&
              rv_source_subset(&held_out, &digits, (rv_subset){.count = HELD_OUT}, NULL) &&
              rv_source_subset(&train, &digits, (rv_subset){.first = HELD_OUT}, NULL);
    if (!ok) fprintf(stderr, "%s\n", rv_tape_error(tape)->text);
    rv_loader_options options = {.batch_size = BATCH, .drop_last = true};
    rv_loader *learn = rv_loader_new(&train, &options, NULL);
    rv_loader *test = rv_loader_new(&held_out, &options, NULL);
    for (uint64_t epoch = 1; ok && epoch <= EPOCHS; epoch++) {
        double mean = run_epoch(step, learn, epoch);
        if (epoch % 5 == 0) printf("epoch %d: cost %.4f\n", (int)epoch, mean);
    }
    if (ok) printf("held out: %.2f %% right\n", 100 * run_epoch(measure, test, 0));

    rv_loader_free(learn);
    rv_loader_free(test);
    rv_source_close(&train);
    rv_source_close(&held_out);
    rv_source_close(&digits);
    rv_program_free(step);
    rv_program_free(measure);
    rv_tape_free(tape);
    rv_store_free(store);
    return ok;
}

int main(void) { return prove() && train() ? 0 : 1; }
