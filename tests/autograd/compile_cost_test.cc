/* What recording and compiling cost: time and memory linear in the number of time steps, on any
 * path. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>

#include "autograd/passes/pack.h"
#include "optim/optim.h"
#include "tensor/memory.h"
#include "tests/autograd/custom_ops.h"
#include "tests/tapes.h"

/* ---- counting what the library asks for ---- */

static int64_t calls = 0;
static size_t bytes = 0;

void *rv_memory_allocate(size_t size)
{
    calls++;
    bytes += size;
    return std::calloc(size, 1);
}

void rv_memory_release(void *memory, size_t) { std::free(memory); }

namespace {

/* The loss of h = tanh(a h + x_t b) after some steps: a [3], b [2,3], x [1,steps,2]. */
rv_var unrolled(Tape &t, int64_t steps)
{
    const rv_var x = t.input("x", RV_SHAPE(1, steps, 2)), a = t.parameter("a", RV_SHAPE(3)),
                 b = t.parameter("b", RV_SHAPE(2, 3));
    rv_var h = rv_full(t, RV_SHAPE(1, 3), 0);
    for (int64_t s = 0; s < steps; s++) {
        const rv_var now = rv_reshape(rv_slice_axis(x, 1, s, 1), RV_SHAPE(1, 2));
        h = rv_tanh(rv_add(rv_multiply(h, a), rv_matmul(now, b, false, false)));
    }
    return total(rv_square(h));
}

struct Cost {
    int64_t calls, nodes;
    size_t bytes;
    rv_program_stats stats;
};

Cost cost_of_training(int64_t steps)
{
    Tape t(RV_F32);
    const size_t bytes_before = bytes;
    const int64_t calls_before = calls;
    const rv_var loss = unrolled(t, steps);
    EXPECT_TRUE(rv_minimize(loss, rv_adam(1e-3))) << t.error();
    const Program p(t, {loss});
    return {calls - calls_before, t.count(), bytes - bytes_before, p.stats()};
}

TEST(CompileCost, GrowsLinearlyWithTheSteps)
{
    for (const int64_t steps : {8, 32, 128}) {
        const Cost one = cost_of_training(steps), two = cost_of_training(2 * steps),
                   four = cost_of_training(4 * steps);
        EXPECT_EQ(four.nodes - two.nodes, 2 * (two.nodes - one.nodes)) << steps;
        EXPECT_NEAR(static_cast<double>(four.stats.instructions - two.stats.instructions),
                    2 * static_cast<double>(two.stats.instructions - one.stats.instructions), 2)
            << steps << ": but for the last group of a run of pointwise ops, which may not be full";
        EXPECT_LE(static_cast<double>(four.calls), 4.2 * static_cast<double>(one.calls)) << steps;
        EXPECT_LE(static_cast<double>(four.bytes), 4.2 * static_cast<double>(one.bytes)) << steps;
        EXPECT_LE(static_cast<double>(four.stats.arena_bytes),
                  1.1 * static_cast<double>(four.stats.live_bytes))
            << steps;
    }
}

TEST(CompileCost, IsAFewKilobytesAStep)
{
    const Cost few = cost_of_training(100), many = cost_of_training(500);
    const double nodes = static_cast<double>(many.nodes - few.nodes);
    EXPECT_LE(static_cast<double>(many.bytes - few.bytes) / nodes, 2500) << "bytes a node";
    EXPECT_LE(static_cast<double>(many.calls - few.calls) / nodes, 2) << "allocations a node";
}

/* h = a h + x over 10,000 steps is x (1 + a + a^2 + ...); dh/da and dh/dx follow from the sum's
 * formula. */
TEST(CompileCost, LeavesRoomForTenThousandSteps)
{
    enum { STEPS = 10000 };
    Tape t(RV_F64);
    const rv_var a = t.input("a", RV_SHAPE(1)), x = t.input("x", RV_SHAPE(1));
    rv_var h = rv_full(t, RV_SHAPE(1), 0);
    for (int s = 0; s < STEPS; s++) h = rv_add(rv_multiply(a, h), x);
    const auto g = gradients(h, {a, x});
    Program p(t, {h, g[0], g[1]});
    const double at = 0.9995, of = 0.25, last = std::pow(at, STEPS), sum = (1 - last) / (1 - at);
    p.set("a", {at}).set("x", {of}).run();
    EXPECT_NEAR(p.value(0), of * sum, 1e-9 * sum);
    EXPECT_NEAR(p.value(2), sum, 1e-9 * sum);
    const double slope = (sum - STEPS * last / at) / (1 - at);
    EXPECT_NEAR(p.value(1), of * slope, 1e-9 * slope);
}

TEST(CompileCost, LeavesRoomForTenThousandStepsOfTraining)
{
    Tape t(RV_F32);
    const rv_var loss = unrolled(t, 10000);
    ASSERT_TRUE(rv_minimize(loss, rv_adam(1e-3))) << t.error();
    Program p(t, {loss});
    rv_init_fill(rv_program_input(p, "x"), rv_init_uniform(-1, 1), 1);
    const double first = p.run().value();
    EXPECT_LT(p.run().value(), first);
    EXPECT_LE(static_cast<double>(p.stats().arena_bytes),
              1.1 * static_cast<double>(p.stats().live_bytes));
}

int64_t asked = 0;

bool infer_counted(rv_inference *i)
{
    asked++;
    return infer_like_input(i);
}

TEST(CompileCost, IsNoFurtherQuestionToShapeRules)
{
    static rv_op op = cube_op("counted", nullptr);
    op.infer = infer_counted;
    Tape t;
    rv_var y = t.input("x", RV_SHAPE(3));
    for (int i = 0; i < 10; i++) y = record(op, y);
    EXPECT_EQ(asked, 10);
    Program p(t, {y});
    EXPECT_EQ(asked, 10);
}

TEST(CompileCost, OfManyTermsViewsInputsAndAssignmentsIsLinearToo)
{
    enum { MANY = 3000 };
    Tape t(RV_F32);
    std::vector<rv_var> terms, wrt;
    rv_var view = t.input("x", RV_SHAPE(2, 2));
    for (int i = 0; i < MANY; i++) {
        view = rv_reshape(view, i % 2 ? RV_SHAPE(2, 2) : RV_SHAPE(4));
        const std::string name = std::to_string(i);
        const rv_var w = t.parameter(("w" + name).c_str(), RV_SHAPE(4));
        const rv_var z = t.input(("z" + name).c_str(), RV_SHAPE(4));
        terms.push_back(rv_multiply(rv_multiply(rv_reshape(view, RV_SHAPE(4)), w), z));
        wrt.push_back(w);
    }
    const rv_var sum = total(rv_add_all(terms.data(), MANY));
    const auto g = gradients(sum, wrt);
    for (int i = 0; i < MANY; i++)
        rv_assign(wrt[static_cast<size_t>(i)], g[static_cast<size_t>(i)]);
    EXPECT_EQ(t.code(), RV_OK) << t.error();
    Program(t, {sum}).run();
}

/* ---- packing ---- */

std::vector<rv_buffer> random_buffers(int count, int moments, unsigned seed)
{
    std::mt19937 random(seed);
    std::vector<rv_buffer> all(static_cast<size_t>(count));
    for (rv_buffer &b : all) {
        const auto pick = [&] { return static_cast<int32_t>(random() % unsigned(moments)); };
        const int32_t a = pick(), c = random() % 2 ? pick() : a + pick() % 8;
        b.first = std::min({a, c, moments - 1});
        b.last = std::min(std::max(a, c), moments - 1);
        b.size = 64 * (random() % 3 ? random() % 4 : random() % 100);
    }
    return all;
}

bool apart(const rv_buffer &a, const rv_buffer &b)
{
    return a.last < b.first || b.last < a.first || a.offset + a.size <= b.offset ||
           b.offset + b.size <= a.offset;
}

TEST(Packing, KeepsApartWhatIsNeededAtOnce)
{
    for (unsigned seed = 1; seed <= 200; seed++) {
        std::vector<rv_buffer> all = random_buffers(1 + static_cast<int>(seed) / 2, 20, seed);
        rv_packing packing;
        ASSERT_TRUE(rv_pack(all.data(), static_cast<int32_t>(all.size()), 20, &packing));
        size_t live = 0;
        for (int32_t moment = 0; moment < 20; moment++) {
            size_t now = 0;
            for (const rv_buffer &b : all)
                now += b.first <= moment && moment <= b.last ? b.size : 0;
            live = std::max(live, now);
        }
        EXPECT_EQ(packing.live, live) << seed;
        EXPECT_GE(packing.bytes, live) << seed;
        for (const rv_buffer &a : all) {
            EXPECT_LE(a.offset + a.size, packing.bytes) << seed;
            for (const rv_buffer &b : all)
                ASSERT_TRUE(&a == &b || apart(a, b) || !a.size || !b.size) << seed;
        }
    }
}

/* Small ones side by side, then a large one, then small ones again: the same in either
 * direction. */
TEST(Packing, JoinsWhatIsGivenBackToItsFreeNeighbours)
{
    const std::vector<rv_buffer> from_the_left = {
        {64, 0, 0, 1}, {64, 0, 0, 2}, {128, 0, 3, 3}, {64, 0, 5, 6}, {64, 0, 4, 6}};
    const std::vector<rv_buffer> from_the_right = {
        {64, 0, 0, 2}, {64, 0, 0, 1}, {128, 0, 3, 3}, {64, 0, 4, 6}, {64, 0, 5, 6}};
    for (std::vector<rv_buffer> all : {from_the_left, from_the_right}) {
        rv_packing packing;
        ASSERT_TRUE(rv_pack(all.data(), 5, 7, &packing));
        EXPECT_EQ(packing.bytes, 128u);
    }
}

TEST(Packing, OfNothingIsNothing)
{
    rv_packing packing;
    ASSERT_TRUE(rv_pack(nullptr, 0, 1, &packing));
    EXPECT_EQ(packing.bytes, 0u);
    EXPECT_EQ(packing.live, 0u);
}

/* Every second buffer ends half-way, so that as many holes of all sizes lie apart when others
 * begin. */
TEST(Packing, FindsItsWayAmongAHundredThousandHoles)
{
    enum { HOLES = 100000 };
    std::vector<rv_buffer> all;
    for (int i = 0; i < 2 * HOLES; i++)
        all.push_back({64 + 64 * static_cast<size_t>(i % 1000), 0, 0, i % 2 ? 2 : 0});
    for (int i = 0; i < HOLES; i++)
        all.push_back({64 + 64 * static_cast<size_t>(2 * i % 1000), 0, 1, 2});
    rv_packing packing;
    ASSERT_TRUE(rv_pack(all.data(), 3 * HOLES, 3, &packing));
    EXPECT_EQ(packing.bytes, packing.live);
}

} // namespace
