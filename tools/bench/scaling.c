#include "tools/bench/scaling.h"

#include <stdio.h>

#include "recurve.h"
#include "tools/machine/timing.h"

enum { SEED = 1 };

/* x [1,steps,2], h [1,4], one number */
static rv_var record(rv_tape *tape, int64_t steps)
{
    rv_rnn_options options = {.units = 4, .bias = true};
    rv_var x = rv_input(tape, "x", RV_SHAPE(1, steps, 2));
    rv_var h = rv_unroll_sequence(rv_zoo("gru"), x, options, NULL);
    rv_var loss = rv_mean(rv_square(rv_linear(h, "fc", 1)), RV_ALL_AXES, false);
    rv_minimize(loss, rv_adam(1e-3));
    return loss;
}

static void run(void *program) { rv_run(program); }

/* One line of the table: the parameters are there already, so only record and compile are timed. */
static bool print_line(rv_store *store, int64_t steps)
{
    double start = seconds_now();
    rv_tape *tape = rv_tape_new(store, RV_F32);
    rv_var loss = record(tape, steps);
    double recorded = seconds_now();
    rv_program *program = rv_compile(tape, &loss, 1);
    double compiled = seconds_now();
    if (!program) fprintf(stderr, "bench: %s\n", rv_tape_error(tape)->text);
    if (program) {
        enum { MOST = 1024 };
        double seconds[MOST];
        samples s = {.seconds = seconds, .capacity = MOST};
        rv_init_fill(rv_program_input(program, "x"), rv_init_uniform(-1, 1), SEED);
        samples_take(&s, (task){run, program}, 0.05);
        rv_program_stats stats = rv_program_statistics(program);
        printf("%8lld %10d %11.3f %11.3f %11.2f %11.0f %7.3f %11.2f\n", (long long)steps,
               (int)rv_tape_count(tape), 1e3 * (recorded - start), 1e3 * (compiled - recorded),
               1e6 * (compiled - start) / (double)steps, (double)stats.arena_bytes / 1024,
               (double)stats.arena_bytes / (double)stats.live_bytes, 1e6 * samples_median(&s));
    }
    bool ok = program;
    rv_program_free(program);
    rv_tape_free(tape);
    return ok;
}

bool print_scaling(void)
{
    rv_store *store = rv_store_new(SEED);
    rv_tape *tape =
        rv_tape_new(store, RV_F32); /* makes the parameters and the optimizer's states */
    record(tape, 1);
    rv_tape_free(tape);
    printf("%8s %10s %11s %11s %11s %11s %7s %11s\n", "steps", "nodes", "record ms", "compile ms",
           "us/step", "arena KiB", "x live", "run us");
    bool ok = store;
    for (int64_t steps = 1; ok && steps <= 10000; steps *= 10) ok = print_line(store, steps);
    rv_store_free(store);
    return ok;
}
