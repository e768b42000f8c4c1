/* A source of your own, with sequences of different lengths. The task: at each time step, is the
 * sum of the numbers before it less than the sum of the numbers after it? A net that reads forward
 * only cannot know. Two bidirectional layers of GRUs can. */
#include <stdio.h>

#include "recurve.h"

enum { STEPS = 16, SHORTEST = 6, SAMPLES = 64 * 40 };

/* ---- the source ---- */

/* Sample `index` of epoch `epoch`: a pure function of both, since threads read samples in any
 * order. */
static bool read_sums(const rv_source *source, uint64_t epoch, int64_t index, void *x, void *y,
                      int32_t *length, rv_error *error)
{
    uint64_t seed = rv_seed(epoch, source->name), at = (uint64_t)index * (STEPS + 1);
    float *number = x;
    int32_t *label = y;
    double sum = 0, before = 0;
    (void)error; /* for rv_fail when a sample cannot be read */
    *length = SHORTEST + (int32_t)((STEPS - SHORTEST + 1) * rv_random_uniform(seed, at));
    for (int t = 0; t < STEPS; t++) {
        number[t] = t < *length ? (float)rv_random_uniform(seed, at + 1 + (uint64_t)t) : 0;
        sum += (double)number[t];
    }
    for (int t = 0; t < STEPS; t++) {
        double after = sum - before - (double)number[t];
        label[t] = before < after;
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

/* ---- training ---- */

/* Prints the fraction of right answers for new samples: validation reads epoch 0, training the
 * epochs from 1. The trainer leaves out the time steps beyond the end of a sequence. */
static bool train(const char *name, bool bidirectional, rv_error *error)
{
    rv_train_config config = rv_train_config_new();
    rv_train_parts parts = {.data = &sums, .validation = &sums};
    config.net.model = "gru";
    config.net.units = 16;
    config.net.layers = 2;
    config.net.dropout = 0.05;
    config.net.bidirectional = bidirectional;
    config.optimizer.learning_rate = 1e-2;
    config.loop.epochs = 4;
    config.loop.batch_size = 64;
    rv_trainer *trainer = rv_trainer_new_with(&config, &parts, error);
    bool ok = trainer && rv_trainer_fit(trainer, error);
    if (ok)
        printf("%s: %.2f %% right\n", name, 100 * rv_trainer_result(trainer)->validation.accuracy);
    rv_trainer_free(trainer);
    return ok;
}

int main(void)
{
    rv_error error = {0};
    if (train("forward", false, &error) && train("both directions", true, &error)) return 0;
    fprintf(stderr, "%s\n", error.text);
    return 1;
}
