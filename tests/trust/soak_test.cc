/* A million training steps, and thousands of recordings of varying shape, in constant memory. */
#include <atomic>
#include <cmath>
#include <cstdlib>

#include "tests/tapes.h"
#include "tests/trust/main_job.h"

namespace {

std::atomic<int64_t> held{0}, asked{0}; /* bytes; number of allocations */

} // namespace

void *rv_memory_allocate(size_t bytes)
{
    held += static_cast<int64_t>(bytes);
    asked++;
    return std::calloc(bytes, 1);
}

void rv_memory_release(void *memory, size_t bytes)
{
    held -= static_cast<int64_t>(bytes);
    std::free(memory);
}

namespace {

/* A small model: CURNN with one unit on one 8x8 image. */
rv_var small_loss(const Tape &t)
{
    rv_net_options options = {};
    options.rnn.units = 1;
    options.steps = 2;
    options.classes = 2;
    const rv_var x = rv_input(t, "x", RV_SHAPE(1, 1, 8, 8)),
                 y = rv_input_typed(t, "y", RV_I32, RV_SHAPE(1));
    return rv_model_record(rv_model_find("curnn"), &options, x, y).loss;
}

TEST(Soak, AMillionStepsAllocateNothing)
{
    const int steps = 1000000;
    Tape t(RV_F32, 1);
    const rv_var loss = small_loss(t);
    rv_minimize(loss, rv_adam(1e-3));
    Program p(t, {loss});
    rv_tensor *x = rv_program_input(p, "x");
    p.run();
    const double first = p.value();
    const int64_t before = held, calls = asked;
    for (int i = 0; i < steps; i++) {
        rv_tensor_set(x, i % 64, (i * 7 % 17) / 17.0);
        ASSERT_EQ(rv_run(p), RV_OK);
    }
    EXPECT_EQ(held, before);
    EXPECT_EQ(asked, calls);
    EXPECT_TRUE(std::isfinite(p.value()));
    EXPECT_LT(p.value(), first);
}

/* Changing batch sizes and lengths: more programs than a store keeps. */
TEST(Soak, RepeatedRecordingTakesOnlyTheCachedPrograms)
{
    const int recordings = 4000, kinds = 200;
    rv_store *store = rv_store_new(1);
    int64_t most = 0;
    for (int i = 0; i < recordings; i++) {
        const int kind = i * 37 % kinds;
        rv_tape *tape = rv_tape_new(store, RV_F32);
        rv_rnn_options o = {};
        o.units = 3;
        o.bias = true;
        const rv_var x = rv_input(tape, "x", RV_SHAPE(1 + kind % 20, 1 + kind / 20, 2));
        const rv_var h = rv_unroll_sequence(rv_zoo("gru"), x, o, nullptr);
        const rv_var loss = rv_sum(rv_square(h), RV_ALL_AXES, false);
        rv_minimize(loss, rv_adam(1e-3));
        rv_program *program = rv_compile(tape, &loss, 1);
        ASSERT_NE(program, nullptr) << rv_tape_error(tape)->text;
        EXPECT_EQ(rv_run(program), RV_OK);
        rv_program_free(program);
        rv_tape_free(tape);
        if (i < 2 * kinds) /* the cache is full, and has held every kind */
            most = held > most ? held.load() : most;
        else
            ASSERT_LE(held, most) << "recording " << i;
    }
    rv_store_free(store);
    EXPECT_EQ(held, 0);
}

/* Complete jobs in sequence: data, net, checkpoint, a new store. */
TEST(Soak, JobsDoNotLeak)
{
    const std::string path = testing::TempDir() + "/soak.safetensors";
    const int64_t before = held;
    for (int i = 0; i < 200; i++) {
        ASSERT_TRUE(do_main_job(path).done);
        ASSERT_EQ(held, before);
    }
}

} // namespace
