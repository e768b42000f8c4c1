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
        printf("worst gradient: %s, error %.1e, %s %s\n", worst.name, worst.max_relative_error,
               rv_verdict_name(worst.verdict), worst.reason);
    rv_tape_free(tape);
    rv_store_free(store);
    return ok;
}

static bool train(void)
{
    rv_error error = {0};
    rv_model model = {.name = "minimal-gate", .step = minimal_gate, .images = true};
    rv_train_config config = rv_train_config_new();
    config.data.classes = "0-9";
    config.net.units = 8;
    config.optimizer.learning_rate = 5e-3;
    config.loop.epochs = 20;
    config.loop.batch_size = 64;
    rv_trainer *trainer = rv_trainer_new_with(&config, &(rv_train_parts){.model = &model}, &error);
    bool ok = trainer && rv_trainer_fit(trainer, &error);
    if (ok)
        printf("validation: %.2f %% right\n",
               100 * rv_trainer_result(trainer)->validation.accuracy);
    if (!ok) fprintf(stderr, "%s\n", error.text);
    rv_trainer_free(trainer);
    return ok;
}

int main(void) { return prove() && train() ? 0 : 1; }
