/* Saving and loading in a training loop of your own; rv_trainer_resume (train_curnn.c) does all of
 * this for you. An interrupted run and an uninterrupted one end with the same bits, since the store
 * contains everything that training remembers: weights, moments, learning rates, the carried state
 * and the count of random numbers. */
#include <stdio.h>
#include <string.h>

#include "recurve.h"

/* INTERRUPTED: after so many updates, within an epoch. */
enum { BATCH = 16, STEPS = 12, EPOCHS = 4, INTERRUPTED = 23 };

/* A program for one update, recorded the same way by every run. NULL on error. */
static rv_program *record(rv_store *store)
{
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_var x = rv_input_typed(tape, "x", RV_I32, RV_SHAPE(BATCH, STEPS));
    rv_var y = rv_input_typed(tape, "y", RV_I32, RV_SHAPE(BATCH, STEPS));
    rv_net_options options = {
        .rnn = {.units = 16, .bias = true, .dropout = 0.1, .carry = "run"},
        .sequence = true,
        .each_step = true,
        .tokens = 10,
        .classes = 10,
    };
    rv_net net = rv_model_record(rv_model_find("lstm"), &options, x, y);
    rv_optimizer adam = rv_adam(1e-2);
    adam.clip_norm = 1;
    adam.schedule = rv_cosine_decay(100, 0.1);
    rv_minimize(net.loss, adam);
    rv_program *step = rv_compile(tape, &net.loss, 1);
    if (!step) fprintf(stderr, "%s\n", rv_tape_error(tape)->text);
    rv_tape_free(tape); /* the program does not need it */
    return step;
}

/* Updates first .. end-1 of the run, counted from 0. */
static bool run(rv_store *store, int64_t first, int64_t end, rv_error *error)
{
    rv_source source = {0};
    rv_loader *loader = NULL;
    rv_program *step = record(store);
    rv_task_options task = {.count = 160, .length = STEPS, .size = 3};
    rv_loader_options options = {.batch_size = BATCH, .contiguous = true};
    bool ok = step && rv_source_task(&source, "copy", &task, error) &&
              (loader = rv_loader_new(&source, &options, error));
    int64_t batches = ok ? rv_loader_batches(loader) : 1;
    for (int64_t i = first; ok && i < end; i++) {
        if (i == first || i % batches == 0)
            ok = rv_loader_start(loader, (uint64_t)(i / batches), i % batches, error);
        ok = ok && rv_feed_batch(step, rv_loader_next(loader, error), error);
        rv_run(step);
    }
    if (ok) printf("after %2d updates: loss %.6f\n", (int)end, rv_value(step, 0));
    rv_loader_free(loader);
    rv_source_close(&source);
    rv_program_free(step);
    return ok;
}

int main(int count, char **arguments)
{
    const char *path = count > 1 ? arguments[1] : "checkpoint.safetensors";
    char whole[RV_DIGEST_TEXT], resumed[RV_DIGEST_TEXT];
    rv_error error = {0};
    rv_store *store = rv_store_new(1), *other = rv_store_new(1);

    bool ok = run(store, 0, INTERRUPTED, &error) && rv_store_save(store, path, &error) &&
              run(store, INTERRUPTED, EPOCHS * 10, &error);
    if (ok) printf("uninterrupted: %s\n", rv_store_digest(store, whole));

    /* An empty store, as in a new process. It needs the same seed, which is not in the file: the
     * random numbers, for dropout, then continue where they were. */
    ok = ok && rv_store_load(other, path, &error) && run(other, INTERRUPTED, EPOCHS * 10, &error);
    if (ok) printf("resumed:       %s\n", rv_store_digest(other, resumed));

    ok = ok && strcmp(whole, resumed) == 0;
    puts(ok ? "the same bits" : "not the same");
    if (error.code != RV_OK) fprintf(stderr, "%s\n", error.text);
    rv_store_free(store);
    rv_store_free(other);
    return ok ? 0 : 1;
}
