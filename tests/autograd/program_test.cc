/* Programs: what goes in, what comes out, and what is assigned, however they are compiled. */
#include "autograd/program.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/autograd/custom_ops.h"
#include "tests/tapes.h"

namespace {

constexpr unsigned all_flags[] = {
    RV_EFFECTS,
    RV_EFFECTS | RV_SIMPLIFY,
    RV_EFFECTS | RV_MERGE,
    RV_EFFECTS | RV_FUSE,
    RV_EFFECTS | RV_REUSE,
    RV_EFFECTS | RV_IN_PLACE,
    RV_EFFECTS | RV_IN_PLACE | RV_REUSE,
    RV_EFFECTS | RV_IN_PLACE | RV_REUSE | RV_FUSE,
    RV_DEFAULT,
    RV_DEFAULT | RV_REFERENCE,
    RV_EFFECTS | RV_REFERENCE,
};

/* A claim that holds however a program is compiled. */
class Compiled : public testing::TestWithParam<unsigned> {
  protected:
    unsigned flags() const { return GetParam(); }
};
class Outputs : public Compiled {};
class Inputs : public Compiled {};
class Assignments : public Compiled {};
INSTANTIATE_TEST_SUITE_P(Flags, Outputs, testing::ValuesIn(all_flags));
INSTANTIATE_TEST_SUITE_P(Flags, Inputs, testing::ValuesIn(all_flags));
INSTANTIATE_TEST_SUITE_P(Flags, Assignments, testing::ValuesIn(all_flags));

/* ---- outputs ---- */

TEST_P(Outputs, MayBeLeavesViewsAndDuplicates)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 2)), w = t.parameter("w", RV_SHAPE(2)),
                 c = t.constant(RV_SHAPE(3), {1, 2, 3}), u = rv_full(t, RV_SHAPE(2, 3), 7);
    const rv_var view = rv_reshape(x, RV_SHAPE(4)), h = rv_square(x),
                 hview = rv_reshape(rv_stop_gradient(h), RV_SHAPE(4, 1)),
                 wide = rv_broadcast(rv_sum(x, RV_ALL_AXES, false), RV_SHAPE(2, 2));
    set_values(&t.stored("w"), {5, 6});
    Program p(t, {x, w, c, u, view, h, hview, h, rv_reshape(w, RV_SHAPE(2, 1)), wide, x}, flags());
    p.set("x", {1, 2, 3, 4}).run();
    const std::vector<Values> want = {
        {1, 2, 3, 4},  {5, 6},        {1, 2, 3}, {7, 7, 7, 7, 7, 7}, {1, 2, 3, 4}, {1, 4, 9, 16},
        {1, 4, 9, 16}, {1, 4, 9, 16}, {5, 6},    {10, 10, 10, 10},   {1, 2, 3, 4}};
    for (size_t k = 0; k < want.size(); k++) EXPECT_EQ(p.values(static_cast<int>(k)), want[k]) << k;
    EXPECT_TRUE(rv_shape_equal(p.tensor(6).shape, RV_SHAPE(4, 1)));
    EXPECT_TRUE(rv_shape_equal(p.tensor(3).shape, RV_SHAPE(2, 3)));
    EXPECT_EQ(rv_program_output(p, -1), nullptr);
    EXPECT_EQ(rv_program_output(p, static_cast<int>(want.size())), nullptr);
    EXPECT_TRUE(std::isnan(rv_value(p, 99)));
}

TEST_P(Outputs, OfIntegersAndOtherFloatsAreOfTheirDtype)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3)), n = rv_input_typed(t, "n", RV_I32, RV_SHAPE(2));
    Program p(t,
              {rv_cast(x, RV_I32), n, rv_cast(n, RV_F32), t.constant(RV_SHAPE(2), {7, 7}, RV_I32)},
              flags());
    p.set("x", {1.9, -2.9, 1e20}).set("n", {3, -4}).run();
    EXPECT_EQ(p.tensor(0).dtype, RV_I32);
    EXPECT_EQ(p.values(0), (Values{1, -2, 2147483647}));
    EXPECT_EQ(p.values(1), (Values{3, -4}));
    EXPECT_EQ(p.tensor(2).dtype, RV_F32);
    EXPECT_EQ(p.values(2), (Values{3, -4}));
    EXPECT_EQ(p.values(3), (Values{7, 7}));
}

TEST_P(Outputs, ThatAreAllDifferentDoNotShareMemory)
{
    Tape t;
    rv_var y = t.input("x", RV_SHAPE(5));
    std::vector<rv_var> chain;
    for (int i = 0; i < 20; i++) chain.push_back(y = rv_shift(y, 1));
    Program p(t, chain, flags());
    p.set("x", {0, 10, 20, 30, 40}).run();
    for (int i = 0; i < 20; i++)
        EXPECT_EQ(p.values(i), (Values{i + 1., i + 11., i + 21., i + 31., i + 41.}));
}

TEST(Program, WithoutOutputsRunsTheAssignments)
{
    Tape t;
    const rv_var w = t.state("w", RV_SHAPE(2), 1);
    rv_assign(w, rv_scale(w, 3));
    Program p(t, {});
    p.run().run();
    EXPECT_EQ(values_of(t.stored("w")), (Values{9, 9}));
    EXPECT_EQ(rv_program_output(p, 0), nullptr);
}

TEST(Program, ThatIsNoneIsHarmless)
{
    EXPECT_EQ(rv_run(nullptr), RV_ERROR_ARGUMENT);
    EXPECT_EQ(rv_program_input(nullptr, "x"), nullptr);
    EXPECT_EQ(rv_program_output(nullptr, 0), nullptr);
    EXPECT_TRUE(std::isnan(rv_value(nullptr, 0)));
    EXPECT_EQ(rv_program_statistics(nullptr).instructions, 0);
    rv_program_free(nullptr);
}

TEST(Program, OutlivesItsTape)
{
    rv_store *store = rv_store_new(1);
    rv_tape *tape = rv_tape_new(store, RV_F64);
    const rv_var x = rv_name(rv_input(tape, "x", RV_SHAPE(2)), "x"), y = rv_tanh(x);
    rv_program *program = rv_compile(tape, &y, 1);
    rv_tape_free(tape);
    ASSERT_NE(program, nullptr);
    set_values(rv_program_input(program, "x"), {0, 1});
    rv_run(program);
    EXPECT_EQ(values_of(*rv_program_output(program, 0))[0], 0);
    EXPECT_NEAR(values_of(*rv_program_output(program, 0))[1], std::tanh(1.0), 1e-15);
    rv_program_free(program);
    rv_store_free(store);
}

TEST(Program, OfAnOpWithoutAnyKernelIsAnError)
{
    static const rv_op hollow = [] {
        rv_op op = cube_op("hollow_cube", nullptr);
        op.reference = nullptr;
        return op;
    }();
    Tape t;
    const rv_var y = record(hollow, t.input("x", RV_SHAPE(2)));
    EXPECT_EQ(rv_compile(t, &y, 1), nullptr);
    EXPECT_EQ(t.code(), RV_ERROR_ARGUMENT);
    EXPECT_TRUE(contains(t.error(), "(\"hollow_cube\") has no kernel; set it")) << t.error();
    EXPECT_EQ(rv_compile(t, &y, 1), nullptr) << "and it stays one";
}

TEST(Program, RunsACustomOpByItsReference)
{
    static const rv_op cube = cube_op("plain_cube", nullptr);
    Tape t;
    Program p(t, {record(cube, t.input("x", RV_SHAPE(2)))});
    p.set("x", {2, -3}).run();
    EXPECT_EQ(p.values(), (Values{8, -27}));
}

/* ---- inputs ---- */

TEST_P(Inputs, KeepTheirContentBetweenRuns)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3)), y = t.input("y", RV_SHAPE(3));
    const rv_var chain = rv_square(rv_exp(rv_negate(rv_add(x, y))));
    Program p(t, {rv_sum(chain, RV_ALL_AXES, false)}, flags());
    p.set("x", {0.5, 1, 2}).set("y", {1, 2, 3});
    const void *memory = rv_program_input(p, "x")->data;
    p.run();
    const double first = p.value();
    for (int i = 0; i < 3; i++) p.run();
    EXPECT_EQ(p.value(), first);
    EXPECT_EQ(values_of(*rv_program_input(p, "x")), (Values{0.5, 1, 2}));
    EXPECT_EQ(values_of(*rv_program_input(p, "y")), (Values{1, 2, 3}));
    EXPECT_EQ(rv_program_input(p, "x")->data, memory);
}

TEST_P(Inputs, ThatNothingUsesHaveMemoryToo)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), unused = t.input("unused", RV_SHAPE(100));
    const rv_var folded = rv_multiply(t.input("folded", RV_SHAPE(2)), rv_full(t, RV_SHAPE(2), 0));
    (void)unused;
    Program p(t, {rv_add(x, folded)}, flags());
    p.set("x", {1, 2}).set("unused", Values(100, 5)).set("folded", {3, 4}).run();
    EXPECT_EQ(p.values(), (Values{1, 2}));
    EXPECT_EQ(values_of(*rv_program_input(p, "unused")), Values(100, 5));
    EXPECT_EQ(values_of(*rv_program_input(p, "folded")), (Values{3, 4}));
}

TEST_P(Inputs, AreFoundByNameAndStartAsZeros)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 3)), n = rv_input_typed(t, "n", RV_I32, RV_SHAPE(4));
    t.parameter("w", RV_SHAPE(2));
    (void)n;
    Program p(t, {x}, flags());
    EXPECT_EQ(rv_program_input(p, "n")->dtype, RV_I32);
    EXPECT_TRUE(rv_shape_equal(rv_program_input(p, "x")->shape, RV_SHAPE(2, 3)));
    EXPECT_EQ(values_of(*rv_program_input(p, "x")), Values(6, 0));
    EXPECT_EQ(rv_program_input(p, "w"), nullptr) << "a parameter is none";
    EXPECT_EQ(rv_program_input(p, "X"), nullptr);
}

/* ---- assignments ---- */

/* States a, b, c of two elements, filled with 1 2, 3 4, 5 6. */
struct ThreeStates : Tape {
    ThreeStates()
        : a(state("a", RV_SHAPE(2))), b(state("b", RV_SHAPE(2))), c(state("c", RV_SHAPE(2)))
    {
        set_values(&stored("a"), {1, 2});
        set_values(&stored("b"), {3, 4});
        set_values(&stored("c"), {5, 6});
    }
    void expect(const Values &va, const Values &vb, const Values &vc)
    {
        EXPECT_EQ(values_of(stored("a")), va);
        EXPECT_EQ(values_of(stored("b")), vb);
        EXPECT_EQ(values_of(stored("c")), vc);
    }
    rv_var a, b, c;
};

TEST_P(Assignments, ExchangeTwo)
{
    ThreeStates t;
    rv_assign(t.a, t.b);
    rv_assign(t.b, t.a);
    Program p(t, {}, flags());
    p.run();
    t.expect({3, 4}, {1, 2}, {5, 6});
    p.run();
    t.expect({1, 2}, {3, 4}, {5, 6});
}

TEST_P(Assignments, RotateThreeThroughViews)
{
    ThreeStates t;
    const auto view = [](rv_var x) {
        return rv_reshape(rv_stop_gradient(rv_reshape(x, RV_SHAPE(2, 1))), RV_SHAPE(2));
    };
    rv_assign(t.a, view(t.b));
    rv_assign(t.b, view(t.c));
    rv_assign(t.c, view(t.a));
    Program(t, {}, flags()).run();
    t.expect({3, 4}, {5, 6}, {1, 2});
}

TEST_P(Assignments, SeeTheOldValuesOfEachOther)
{
    ThreeStates t;
    rv_assign(t.a, rv_shift(t.b, 10)); /* a' = b + 10; b' = 2 a; c' = a b */
    rv_assign(t.b, rv_scale(t.a, 2));
    rv_assign(t.c, rv_multiply(t.a, t.b));
    Program(t, {}, flags()).run();
    t.expect({13, 14}, {2, 4}, {3, 8});
}

TEST_P(Assignments, AreNotSeenByWhatIsRecordedAfterThem)
{
    ThreeStates t;
    rv_assign(t.a, rv_shift(t.a, 1));
    const rv_var late = rv_scale(t.a, 100);
    rv_assign(t.b, late);
    Program p(t, {late}, flags());
    p.run();
    EXPECT_EQ(p.values(), (Values{100, 200}));
    t.expect({2, 3}, {100, 200}, {5, 6});
}

TEST_P(Assignments, GiveManyTheSameValue)
{
    ThreeStates t;
    const rv_var sum = rv_add(t.a, t.b);
    rv_assign(t.a, sum);
    rv_assign(t.b, sum);
    rv_assign(t.c, rv_reshape(sum, RV_SHAPE(2)));
    Program p(t, {sum}, flags());
    p.run();
    EXPECT_EQ(p.values(), (Values{4, 6}));
    t.expect({4, 6}, {4, 6}, {4, 6});
}

TEST_P(Assignments, OfInputsConstantsAndThemselves)
{
    ThreeStates t;
    rv_assign(t.a, t.input("x", RV_SHAPE(2)));
    rv_assign(t.b, rv_full(t, RV_SHAPE(2), 7));
    rv_assign(t.c, t.c);
    Program p(t, {}, flags());
    p.set("x", {8, 9}).run();
    t.expect({8, 9}, {7, 7}, {5, 6});
    EXPECT_EQ(values_of(*rv_program_input(p, "x")), (Values{8, 9}));
}

TEST_P(Assignments, OfARepeatedElementAreWrittenInFull)
{
    ThreeStates t;
    const rv_var s = t.state("s", RV_SCALAR, 2);
    const rv_var wide = rv_broadcast(s, RV_SHAPE(2));
    rv_assign(t.a, wide);
    rv_assign(t.b, rv_add(t.b, wide));
    rv_assign(s, rv_shift(s, 1));
    Program p(t, {wide}, flags());
    p.run();
    EXPECT_EQ(p.values(), (Values{2, 2}));
    t.expect({2, 2}, {5, 6}, {5, 6});
    p.run();
    t.expect({3, 3}, {8, 9}, {5, 6});
}

TEST_P(Assignments, AreCarriedOutAfterTheOutputsAreComputed)
{
    ThreeStates t;
    const rv_var next = rv_shift(t.a, 1);
    rv_assign(t.a, next);
    rv_assign(t.b, t.c);
    Program p(
        t,
        {t.a, next, rv_reshape(t.a, RV_SHAPE(1, 2)), rv_scale(t.b, 1), t.c, rv_stop_gradient(t.b)},
        flags());
    p.run();
    EXPECT_EQ(p.values(0), (Values{1, 2})) << "an output that is assigned shows what it was";
    EXPECT_EQ(p.values(1), (Values{2, 3}));
    EXPECT_EQ(p.values(2), (Values{1, 2}));
    EXPECT_EQ(p.values(3), (Values{3, 4}));
    EXPECT_EQ(p.values(4), (Values{5, 6}));
    EXPECT_EQ(p.values(5), (Values{3, 4}));
    t.expect({2, 3}, {5, 6}, {5, 6});
    p.run();
    EXPECT_EQ(p.values(0), (Values{2, 3}));
    EXPECT_EQ(p.values(5), (Values{5, 6}));
}

TEST_P(Assignments, LeaveTheGradientsThatReadTheOldValuesAlone)
{
    Tape t;
    const rv_var w = t.parameter("w", RV_SHAPE(3, 3)), x = t.input("x", RV_SHAPE(2, 3));
    set_values(&t.stored("w"), {1, 2, 3, 4, 5, 6, 7, 8, 9});
    const rv_var y = total(rv_square(rv_matmul(x, w, false, false)));
    const rv_var g = gradient(y, w);
    rv_assign(w, rv_subtract(w, rv_scale(g, 0.5)));
    Program p(t, {g, gradient(y, x)}, flags());
    p.set("x", {1, 0, 0, 0, 1, 0}).run();
    EXPECT_EQ(p.values(0), (Values{2, 4, 6, 8, 10, 12, 0, 0, 0}));
    EXPECT_EQ(p.values(1), (Values{28, 64, 100, 64, 154, 244}));
    EXPECT_EQ(values_of(t.stored("w")), (Values{0, 0, 0, 0, 0, 0, 7, 8, 9}));
}

TEST(Program, CompiledForValuesChangesNothing)
{
    ThreeStates t;
    rv_assign(t.a, rv_shift(t.a, 1));
    Program p(t, {rv_square(t.a)}, RV_VALUES);
    p.run();
    EXPECT_EQ(p.values(), (Values{1, 4}));
    t.expect({1, 2}, {3, 4}, {5, 6});
}

TEST(Program, UpdatesInPlaceWithoutACopyOfTheParameter)
{
    Tape t;
    const rv_var w = t.parameter("w", RV_SHAPE(1000)), x = t.input("x", RV_SHAPE(1000));
    rv_assign(w, rv_subtract(w, rv_multiply(rv_scalar(t, 0.1), x)));
    const rv_program_stats in_place = Program(t, {}).stats();
    const rv_program_stats copied = Program(t, {}, RV_DEFAULT & ~RV_IN_PLACE).stats();
    EXPECT_EQ(in_place.instructions, 1); /* product and difference are one group */
    EXPECT_EQ(copied.instructions, 2);
    EXPECT_LT(in_place.arena_bytes + 8000 - 64, copied.arena_bytes);
}

} // namespace
