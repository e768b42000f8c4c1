/* Sequences of different lengths from a source of your own. The task: at each step, is the sum
 * of the numbers before it less than that of the numbers behind it? Who reads in one direction
 * alone cannot know. Two layers of GRUs, each in both directions, can; steps beyond a sequence's
 * end neither count nor teach. */
#include <stdio.h>

#include "recurve.h"

enum { STEPS = 16, SHORTEST = 6, BATCH = 64, SAMPLES = 64 * 150 };

/* ---- the source ---- */

/* Sample `index` of epoch `epoch`: a pure function of both, since threads may ask in any order. */
static bool read_sums(const rv_source *source, uint64_t epoch, int64_t index, void *x, void *y,
                      int32_t *length, rv_error *error)
{
    uint64_t seed = rv_seed(epoch, source->name), at = (uint64_t)index * (STEPS + 1);
    float *number = x;
    int32_t *label = y;
    double sum = 0, before = 0;
    (void)error; /* rv_fail(error, ...) here when a sample cannot be read */
    *length = SHORTEST + (int32_t)((STEPS - SHORTEST + 1) * rv_random_uniform(seed, at));
    for (int t = 0; t < STEPS; t++) {
        number[t] = t < *length ? (float)rv_random_uniform(seed, at + 1 + (uint64_t)t) : 0;
        sum += (double)number[t];
    }
    for (int t = 0; t < STEPS; t++) {
        double behind = sum - before - (double)number[t];
        label[t] = before < behind;
        before += (double)number[t];
    }
    return true;
}

static const rv_source sums = {
    .name = "sums",
    .count = SAMPLES,
    .x_type = RV_F32,
    .y_type = RV_I32,
    .x = {.rank = 2, .dim = {STEPS, 1}},
    .y = {.rank = 1, .dim = {STEPS}},
    .sequence = true,
    .each_step = true,
    .lengths = true,
    .classes = 2,
    .read = read_sums,
};

/* ---- the net ---- */

/* The loss, and the share of right answers, over the steps that count. The `name` of the cells
 * tells two nets of one store apart. */
static rv_program *record(rv_store *store, const char *name, bool bidirectional, bool learn)
{
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_var x = rv_input(tape, "x", RV_SHAPE(BATCH, STEPS, 1));
    rv_var y = rv_input(tape, "y", RV_SHAPE(BATCH, STEPS)); /* labels, fed as numbers */
    rv_var length = rv_input_typed(tape, "length", RV_I32, RV_SHAPE(BATCH));
    rv_rnn_options options = {
        .name = name,
        .units = 16,
        .bias = true,
        .layers = 2,
        .bidirectional = bidirectional,
        .lengths = length,
        .dropout = learn ? 0.05 : 0,
    };
    rv_var h[STEPS];
    rv_unroll_sequence(rv_zoo("gru"), x, options, h);
    rv_var rows = rv_reshape(rv_stack(h, STEPS, 1), RV_SHAPE(BATCH * STEPS, -1));
    rv_var logits = rv_reshape(rv_linear(rows, name, 1), RV_SHAPE(BATCH, STEPS));

    rv_var counts = rv_sequence_mask(length, STEPS); /* [n,steps]: 1 before the end */
    rv_var steps = rv_sum(counts, RV_ALL_AXES, false);
    rv_var off = rv_subtract(rv_softplus(logits), rv_multiply(y, logits)); /* cross-entropy */
    rv_var right = rv_equal(rv_less(rv_scalar(tape, 0), logits), y);
    rv_var out[] = {rv_divide(rv_sum(rv_multiply(off, counts), RV_ALL_AXES, false), steps),
                    rv_divide(rv_sum(rv_multiply(right, counts), RV_ALL_AXES, false), steps)};
    if (learn) rv_minimize(out[0], rv_adam(1e-2));
    rv_program *program = rv_compile(tape, out, 2);
    if (!program) fprintf(stderr, "%s\n", rv_tape_error(tape)->text);
    rv_tape_free(tape);
    return program;
}

/* One epoch; the mean of right answers, or -1. */
static double run_epoch(rv_program *program, rv_loader *loader, uint64_t epoch, rv_error *error)
{
    double right = 0;
    if (!rv_loader_start(loader, epoch, 0, error)) return -1;
    while (rv_feed_batch(program, rv_loader_next(loader, error), error)) {
        rv_run(program);
        right += rv_value(program, 1);
    }
    return error->code == RV_OK ? right / (double)rv_loader_batches(loader) : -1;
}

/* Learns from epoch 0 and answers epoch 1, whose samples are new. */
static double train(rv_store *store, rv_loader *loader, const char *name, bool bidirectional,
                    rv_error *error)
{
    rv_program *learn = record(store, name, bidirectional, true);
    rv_program *measure = record(store, name, bidirectional, false);
    run_epoch(learn, loader, 0, error);
    double right = run_epoch(measure, loader, 1, error);
    rv_program_free(learn);
    rv_program_free(measure);
    return right;
}

int main(void)
{
    rv_error error = {0};
    rv_store *store = rv_store_new(1);
    rv_loader *loader = rv_loader_new(&sums, &(rv_loader_options){.batch_size = BATCH}, &error);
    double one = train(store, loader, "forward", false, &error);
    double both = train(store, loader, "both", true, &error);
    if (error.code == RV_OK)
        printf("right answers: forward %.2f %%, in both directions %.2f %%\n", 100 * one,
               100 * both);
    else
        fprintf(stderr, "%s\n", error.text);
    rv_loader_free(loader);
    rv_store_free(store);
    return error.code != RV_OK;
}
