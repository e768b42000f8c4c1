/* A program with its own allocator: rv_memory_allocate and rv_memory_release replace the library's
 * functions of the same names. These enforce a budget and count blocks; a pool or an arena could be
 * plugged in the same way. */
#include <stdio.h>
#include <stdlib.h>

#include "recurve_core.h"

static const size_t budget = 1 << 20;
static size_t held, most, blocks;

void *rv_memory_allocate(size_t bytes)
{
    void *memory = bytes <= budget - held ? calloc(1, bytes) : NULL;
    if (!memory) return NULL;
    held += bytes;
    most = held > most ? held : most;
    blocks++;
    return memory;
}

void rv_memory_release(void *memory, size_t bytes)
{
    held -= bytes;
    free(memory);
}

/* Trains with a batch of `samples`; false if it exceeds the budget. */
static bool train(int64_t samples)
{
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_var x = rv_input(tape, "x", RV_SHAPE(samples, 5, 2)),
           y = rv_input(tape, "y", RV_SHAPE(samples, 4));
    rv_rnn_options options = {.units = 4, .bias = true};
    rv_var h = rv_unroll_sequence(rv_zoo("lstm"), x, options, NULL),
           loss = rv_mean_squared_error(h, y);
    rv_minimize(loss, rv_adam(0.01));
    rv_program *step = rv_compile(tape, &loss, 1);
    if (step) {
        rv_tensor_fill(rv_program_input(step, "x"), 0.5);
        rv_tensor_fill(rv_program_input(step, "y"), 0.25);
        for (int i = 0; i < 100; i++) rv_run(step);
        printf("%d samples at a time: loss %.4f\n", (int)samples, rv_value(step, 0));
    } else {
        printf("%d samples at a time: %s\n", (int)samples, rv_tape_error(tape)->text);
    }
    rv_program_free(step);
    rv_tape_free(tape);
    rv_store_free(store);
    return step;
}

int main(void)
{
    bool small = train(8), large = train(1 << 15);
    printf("%zu blocks, at most %zu bytes, %zu bytes after the end\n", blocks, most, held);
    return small && !large && blocks > 0 && held == 0 ? 0 : 1;
}
