/* A user-defined optimizer: a function records its update equations, and rv_minimize combines it
 * with weight decay, clipping, schedules and averages as it does the built-in ones.
 *
 * This one is Signum (Bernstein et al. 2018): m' = b m + (1 - b) g;  w' = w - r sign(m') */
#include <stdio.h>

#include "recurve.h"

static rv_var signum(const rv_update *u)
{
    double b = u->optimizer->momentum;
    rv_var zero = rv_scalar(u->w.tape, 0), m = rv_moment(u, "m");
    m = rv_remember(u, m, rv_add(rv_scale(m, b), rv_scale(u->g, 1 - b)));
    rv_var sign = rv_subtract(rv_less(zero, m), rv_less(m, zero));
    return rv_subtract(u->w, rv_multiply(u->learning_rate, sign));
}

static const rv_optimizer mine = {
    .name = "signum", .rule = signum, .learning_rate = 5e-3, .momentum = 0.9};

/* Trains a net to tell the digits 0 and 1 apart, in 200 updates on batches of 60. Returns the last
 * loss; negative on error. */
static double train(rv_optimizer optimizer)
{
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_var h = rv_unroll(rv_curnn, rv_input(tape, "x", RV_SHAPE(60, 1, 8, 8)), 2);
    rv_var logits = rv_reshape(rv_linear(rv_flatten(h), "out", 1), RV_SHAPE(60));
    rv_var loss = rv_sigmoid_cross_entropy(logits, rv_input(tape, "y", RV_SHAPE(60)));
    rv_minimize(loss, optimizer);
    rv_program *step = rv_compile(tape, &loss, 1);
    rv_source digits = {0};
    bool ok = step && rv_source_digits(&digits, (int[]){0, 1}, 2, NULL);
    if (!ok) fprintf(stderr, "%s\n", rv_tape_error(tape)->text);
    rv_loader *loader = rv_loader_new(&digits, &(rv_loader_options){.batch_size = 60}, NULL);
    for (int i = 0; ok && i < 200; i++) {
        if (i % rv_loader_batches(loader) == 0) rv_loader_start(loader, (uint64_t)i, 0, NULL);
        rv_feed_batch(step, rv_loader_next(loader, NULL), NULL);
        rv_run(step);
    }
    double last = ok ? rv_value(step, 0) : -1;
    rv_loader_free(loader);
    rv_source_close(&digits);
    rv_program_free(step);
    rv_tape_free(tape);
    rv_store_free(store);
    return last;
}

int main(void)
{
    double signum_loss = train(mine), adam_loss = train(rv_adam(1e-2));
    printf("loss after 200 updates: signum %.5f, adam %.5f\n", signum_loss, adam_loss);
    return signum_loss < 0 || adam_loss < 0;
}
