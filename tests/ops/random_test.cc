/* Random numbers and dropout: how they depend on seed, name and run, and how a checkpoint keeps
 * them. */
#include <cmath>
#include <cstdio>
#include <set>

#include "autograd/gradcheck.h"
#include "tensor/checkpoint.h"
#include "tests/tapes.h"

namespace {

Values draw(rv_program *program)
{
    EXPECT_EQ(rv_run(program), RV_OK);
    return values_of(*rv_program_output(program, 0));
}

TEST(Random, IsAFunctionOfSeedNameAndRun)
{
    std::set<Values> seen;
    for (const uint64_t seed : {1, 2}) {
        for (const char *name : {"a", "b"}) {
            Tape tape(RV_F32, seed), twin(RV_F32, seed);
            const Program one(tape, {rv_random(tape, name, RV_SHAPE(3, 7))}),
                other(twin, {rv_random(twin, name, RV_SHAPE(3, 7))});
            for (int run = 0; run < 3; run++) {
                const Values values = draw(one);
                EXPECT_EQ(values, draw(other));
                EXPECT_TRUE(seen.insert(values).second) << "seen before: " << name << run;
            }
        }
    }
}

TEST(Random, IsOneNodePerNameAndOneCountPerTape)
{
    Tape tape;
    const rv_var a = rv_random(tape, "a", RV_SHAPE(5)), b = rv_random(tape, "b", RV_SHAPE(5));
    EXPECT_TRUE(same(a, rv_random(tape, "a", RV_SHAPE(5))));
    EXPECT_FALSE(same(a, b));
    const Program program(tape, {a, b});
    for (int run = 1; run <= 3; run++) {
        EXPECT_EQ(rv_run(program), RV_OK);
        EXPECT_NE(program.values(0), program.values(1));
        EXPECT_EQ(values_of(tape.stored("random/count")), (Values{double(run), 0}));
    }
}

TEST(Random, CountsInTwoDigitsThatAreExactInF32)
{
    Tape tape(RV_F32);
    const Program program(tape, {rv_random(tape, "a", RV_SHAPE(8))});
    set_values(&tape.stored("random/count"), {1048575, 3});
    const Values before = draw(program);
    EXPECT_EQ(values_of(tape.stored("random/count")), (Values{0, 4}));
    EXPECT_NE(draw(program), before);
    EXPECT_EQ(values_of(tape.stored("random/count")), (Values{1, 4}));
}

TEST(Random, ResumesFromACheckpoint)
{
    const std::string path = testing::TempDir() + "random_test.safetensors";
    Tape tape(RV_F32, 5), resumed(RV_F32, 5);
    const Program program(tape, {rv_random(tape, "a", RV_SHAPE(9))}),
        again(resumed, {rv_random(resumed, "a", RV_SHAPE(9))});
    for (int run = 0; run < 4; run++) draw(program);
    ASSERT_TRUE(rv_store_save(tape.store(), path.c_str(), nullptr));
    ASSERT_TRUE(rv_store_load(resumed.store(), path.c_str(), nullptr));
    std::remove(path.c_str());
    for (int run = 0; run < 3; run++) EXPECT_EQ(draw(program), draw(again));
}

TEST(Random, IsUniform)
{
    for (const rv_dtype dtype : {RV_F32, RV_F64}) {
        Tape tape(dtype);
        const int n = 1 << 18;
        const Program program(tape, {rv_random(tape, "a", RV_SHAPE(n))});
        double sum = 0, squares = 0, most = 0, least = 1;
        for (const double u : draw(program)) {
            sum += u, squares += u * u;
            most = std::fmax(most, u), least = std::fmin(least, u);
        }
        EXPECT_NEAR(sum / n, 0.5, 3e-3);
        EXPECT_NEAR(squares / n, 1.0 / 3, 3e-3);
        EXPECT_LT(most, 1);
        EXPECT_GT(most, 0.9999);
        EXPECT_GE(least, 0);
        EXPECT_LT(least, 1e-4);
    }
}

TEST(Random, RefusesNoNameAndABadShape)
{
    Tape nameless, shapeless;
    EXPECT_TRUE(rv_is_null(rv_random(nameless, nullptr, RV_SHAPE(2))));
    EXPECT_TRUE(contains(nameless.error(), "random: no name"));
    EXPECT_TRUE(rv_is_null(rv_random(shapeless, "a", RV_SHAPE(2, 0))));
    EXPECT_NE(shapeless.code(), RV_OK);
    EXPECT_TRUE(rv_is_null(rv_random(nullptr, "a", RV_SHAPE(2))));
}

TEST(Dropout, KeepsTheExpectation)
{
    Tape tape(RV_F32);
    const int n = 1 << 16;
    const rv_var x = rv_full(tape, RV_SHAPE(n), 1);
    const Program program(tape, {rv_dropout(x, 0.25, "drop")});
    double sum = 0;
    for (const double y : draw(program)) {
        EXPECT_TRUE(y == 0 || y == static_cast<double>(1 / 0.75F)) << y;
        sum += y;
    }
    EXPECT_NEAR(sum / n, 1, 0.02);
}

TEST(Dropout, GradientUsesTheSameMask)
{
    Tape tape;
    const rv_var x = tape.parameter("x", RV_SHAPE(6, 7)), y = rv_dropout(x, 0.5, "drop");
    const Program program(tape, {y, gradient(total(y), x)});
    for (int run = 0; run < 3; run++) {
        EXPECT_EQ(rv_run(program), RV_OK);
        for (size_t i = 0; i < 42; i++)
            EXPECT_EQ(program.values(1)[i], program.values(0)[i] == 0 ? 0 : 2);
    }
    const rv_var loss =
        rv_mean(rv_tanh(rv_square(rv_dropout(rv_tanh(y), 0.3, "again"))), RV_ALL_AXES, false);
    rv_gradcheck_result result;
    EXPECT_TRUE(rv_gradcheck(loss, &x, 1, nullptr, &result)) << result.reason;
}

TEST(Dropout, OfNothingIsNothing)
{
    Tape tape;
    const rv_var x = tape.input("x", RV_SHAPE(3));
    EXPECT_TRUE(same(x, rv_dropout(x, 0, "drop")));
    EXPECT_EQ(rv_store_find(tape.store(), "random/count"), nullptr);
}

TEST(Dropout, RefusesAnInvalidRate)
{
    for (const double rate : {-0.1, 1.0, 2.0, double{NAN}}) {
        Tape tape;
        EXPECT_TRUE(rv_is_null(rv_dropout(tape.input("x", RV_SHAPE(3)), rate, "drop")));
        EXPECT_TRUE(contains(tape.error(), "expected at least 0 and less than 1")) << tape.error();
    }
}

} // namespace
