/* Profiles: every node of a program belongs to one instruction, timing one changes nothing, and
 * times rise. */
#include <gtest/gtest.h>

#include <set>

#include "autograd/profile.h"
#include "lang/zoo.h"
#include "models/models.h"
#include "optim/optim.h"
#include "tests/tapes.h"

namespace {

void check_profile(int threads)
{
    Tape t(RV_F32, 3), same(RV_F32, 3);
    rv_program *programs[2];
    for (Tape *tape : {&t, &same}) {
        EXPECT_TRUE(rv_set_threads(tape->store(), threads, nullptr));
        rv_var loss = rv_model_specimen(rv_model_find("curnn"), *tape);
        rv_minimize(loss, rv_momentum(0.1, 0.9));
        programs[tape == &same] = rv_compile_with(*tape, &loss, 1, RV_DEFAULT | RV_CUT);
        ASSERT_NE(programs[tape == &same], nullptr);
    }
    const rv_program_stats stats = rv_program_statistics(programs[0]);
    std::vector<rv_span> spans(static_cast<size_t>(stats.threads * stats.instructions));
    ASSERT_EQ(rv_run_timed(programs[0], spans.data()), RV_OK);
    ASSERT_EQ(rv_run(programs[1]), RV_OK);
    EXPECT_EQ(rv_value(programs[0], 0), rv_value(programs[1], 0));
    std::set<int32_t> seen;
    int64_t before[2] = {0, 0};
    for (int64_t i = 0; i < stats.instructions; i++) {
        const rv_instruction one = rv_program_instruction(programs[0], i);
        ASSERT_GT(one.nodes, 0);
        for (int n = 0; n < one.nodes; n++) EXPECT_TRUE(seen.insert(one.node[n]).second);
        EXPECT_GT(one.bytes, 0);
        int workers = 0;
        for (int worker = 0; worker < stats.threads; worker++) {
            const rv_span &span = spans[static_cast<size_t>(worker * stats.instructions + i)];
            if (!span.begin) continue;
            workers++;
            EXPECT_GE(span.begin, before[worker]);
            EXPECT_GE(span.end, span.begin);
            before[worker] = span.end;
        }
        EXPECT_EQ(workers, one.threads);
    }
    for (rv_program *program : programs) rv_program_free(program);
}

TEST(Profile, CoversAProgramOnOneThread) { check_profile(1); }
TEST(Profile, CoversAProgramOnTwoThreads) { check_profile(2); }

TEST(Profile, RefusesWhatIsNotThere)
{
    rv_span span;
    EXPECT_EQ(rv_run_timed(nullptr, &span), RV_ERROR_ARGUMENT);
    EXPECT_EQ(rv_program_instruction(nullptr, 0).nodes, 0);
}

/* What a group of pointwise ops reads is read once, and what stays inside is not counted. */
TEST(Profile, CountsTheBytesOfAGroupOnce)
{
    Tape t(RV_F32, 1);
    const rv_var x = t.input("x", RV_SHAPE(64)), z = t.input("z", RV_SHAPE(64));
    const rv_var y = rv_tanh(rv_add(rv_multiply(x, x), rv_multiply(z, x)));
    Program p(t, {y, rv_exp(y)});
    ASSERT_EQ(p.stats().instructions, 1);
    const rv_instruction one = rv_program_instruction(p, 0);
    EXPECT_EQ(one.nodes, 4);       /* multiply_add is one */
    EXPECT_EQ(one.bytes, 4 * 256); /* x, z, y and its exponential */
    EXPECT_EQ(one.operations, 4 * 64);
}

} // namespace
