/* Save, load, go on: a run that was stopped and one that was not end with the very same bits,
 * since all that a run remembers, weights, moments, rates, the carried state and the count of
 * random numbers, is in the store. */
#include <stdio.h>
#include <string.h>

#include "recurve.h"

enum { BATCH = 16, STEPS = 12, EPOCHS = 4, STOP = 23 /* after so many updates, inside an epoch */ };

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
    rv_tape_free(tape); /* a program needs its tape no more */
    return step;
}

/* Updates number first .. end-1 of the run. */
static bool run(rv_store *store, int64_t first, int64_t end, rv_error *error)
{
    rv_source source = {0};
    rv_loader *loader = NULL;
    rv_program *step = record(store);
    rv_task_options task = {.count = 160, .steps = STEPS, .size = 3};
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
    if (ok) printf("after %2d updates: cost %.6f\n", (int)end, rv_value(step, 0));
    rv_loader_free(loader);
    rv_source_close(&source);
    rv_program_free(step);
    return ok;
}

int main(int count, char **arguments)
{
    const char *path = count > 1 ? arguments[1] : "checkpoint.safetensors";
    char straight[RV_DIGEST_TEXT], resumed[RV_DIGEST_TEXT];
    rv_error error = {0};
    rv_store *store = rv_store_new(1), *other = rv_store_new(1);

    bool ok = run(store, 0, STOP, &error) && rv_store_save(store, path, &error) &&
              run(store, STOP, EPOCHS * 10, &error);
    if (ok) printf("straight on: %s\n", rv_store_digest(store, straight));

    /* An empty store, as another process would start with. The seed is not in the file: random
     * numbers, dropout among them, go on where they were if the store is made with the same one. */
    ok = ok && rv_store_load(other, path, &error) && run(other, STOP, EPOCHS * 10, &error);
    if (ok) printf("resumed:     %s\n", rv_store_digest(other, resumed));

    ok = ok && strcmp(straight, resumed) == 0;
    puts(ok ? "the same bits" : "not the same");
    if (error.code != RV_OK) fprintf(stderr, "%s\n", error.text);
    rv_store_free(store);
    rv_store_free(other);
    return ok ? 0 : 1;
}
