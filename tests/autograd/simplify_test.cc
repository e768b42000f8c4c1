/* Simplifying: what is computed at compile time, what is left out, and what must stay. */
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/autograd/custom_ops.h"
#include "autograd/profile.h"
#include "tests/tapes.h"

namespace {

rv_program_stats stats_of(Tape &t, rv_var y, unsigned flags = RV_VALUES)
{
    return Program(t, {y}, flags).stats();
}

TEST(Simplify, ComputesConstantsOnce)
{
    Tape t;
    const rv_var c = t.constant(RV_SHAPE(2, 2), {1, 2, 3, 4}), u = rv_full(t, RV_SHAPE(2, 2), 0.5);
    const rv_var y = rv_sum(rv_tanh(rv_add(rv_matmul(c, c, false, true), u)), 1, false);
    EXPECT_EQ(stats_of(t, y).instructions, 0);
    EXPECT_EQ(stats_of(t, y, 0).instructions, 4);
    EXPECT_EQ(Program(t, {y}, RV_VALUES).run().bytes(), Program(t, {y}, 0).run().bytes());
}

TEST(Simplify, RemovesTheZeroStateOfTheFirstStep)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(1, 1, 8, 8)), w = t.parameter("w", RV_SHAPE(1, 1, 5, 5)),
                 u = t.parameter("u", RV_SHAPE(1, 1, 3, 3)),
                 h = rv_full(t, RV_SHAPE(1, 1, 4, 4), 0);
    const rv_var y = rv_tanh(rv_add(rv_conv2d(x, w, {}), rv_conv2d(rv_pad2d(h, 1), u, {})));
    EXPECT_EQ(stats_of(t, y).instructions, 2) << "a convolution and its tanh";
}

TEST(Simplify, RemovesUnits)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3)), one = rv_full(t, RV_SHAPE(3), 1),
                 zero = rv_full(t, RV_SHAPE(3), 0), terms[] = {zero, x, zero, zero};
    const std::vector<rv_var> same_as_x = {
        rv_add(x, zero),     rv_add(zero, x),     rv_subtract(x, zero),
        rv_multiply(x, one), rv_multiply(one, x), rv_divide(x, one),
        rv_scale(x, 1),      rv_shift(x, 0),      rv_add_all(terms, 4)};
    EXPECT_EQ(Program(t, same_as_x, RV_VALUES).stats().instructions, 0);
    EXPECT_EQ(stats_of(t, rv_subtract(zero, x)).instructions, 1) << "0 - x is not x";
    EXPECT_EQ(stats_of(t, rv_divide(one, x)).instructions, 1) << "1 / x is not x";
    EXPECT_EQ(stats_of(t, rv_multiply(zero, x)).instructions, 0);
    EXPECT_EQ(stats_of(t, rv_divide(x, zero)).instructions, 1);
}

TEST(Simplify, TakesZeroTimesAnythingForZeroAndAddsNothingElse)
{
    const double infinity = std::numeric_limits<double>::infinity();
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3)), zero = rv_full(t, RV_SHAPE(3), 0);
    Program p(t, {rv_multiply(x, zero), rv_add(x, zero), rv_divide(x, zero), rv_exp(zero)});
    p.set("x", {infinity, -infinity, NAN}).run();
    EXPECT_EQ(p.values(0), (Values{0, 0, 0})) << "as documented";
    EXPECT_EQ(p.values(1)[0], infinity);
    EXPECT_TRUE(std::isnan(p.values(1)[2]));
    EXPECT_EQ(p.values(2)[1], -infinity);
    EXPECT_EQ(p.values(3), (Values{1, 1, 1}));
}

TEST(Simplify, MergesWhatHasBecomeEqual)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3));
    const rv_var y = rv_multiply(rv_tanh(rv_shift(x, 0)), rv_tanh(rv_scale(x, 1)));
    EXPECT_EQ(stats_of(t, y, RV_SIMPLIFY).instructions, 2);
    EXPECT_EQ(stats_of(t, y, 0).instructions, 5);
}

TEST(Simplify, LeavesLargeConstantsToTheRun)
{
    Tape t;
    Values many(300 * 300);
    for (size_t i = 0; i < many.size(); i++) many[i] = static_cast<double>(i % 91);
    const rv_var c = t.constant(RV_SHAPE(300, 300), many);
    EXPECT_EQ(stats_of(t, rv_transpose(c, nullptr)).instructions, 1);
    const rv_var uniform = rv_full(t, RV_SHAPE(300, 300), 2);
    EXPECT_EQ(stats_of(t, rv_tanh(rv_transpose(rv_square(uniform), nullptr))).instructions, 0);
}

TEST(Simplify, KeepsTheTypeWhereAUnitMeetsABroadcastingOp)
{
    static const rv_op plus_rows = [] {
        rv_op op = cube_op("plus_rows", nullptr); /* y[i,j] = x[j] + z[i,j] */
        op.args = "x z";
        op.inputs = 2;
        op.zero_is_unit = 3;
        op.infer = [](rv_inference *i) {
            i->out = i->in[1];
            return true;
        };
        op.reference = [](const rv_call *c) {
            rv_tensor x = rv_call_in(c, 0), z = rv_call_in(c, 1), y = rv_call_out(c);
            for (int64_t i = 0; i < rv_tensor_count(&y); i++)
                rv_tensor_set(&y, i, rv_tensor_get(&z, i) + rv_tensor_get(&x, i % 2));
        };
        return op;
    }();
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), in[] = {x, rv_full(t, RV_SHAPE(3, 2), 0)};
    Program p(t, {rv_record(t, &plus_rows, nullptr, 0, in, 2)});
    p.set("x", {1, 2}).run();
    EXPECT_EQ(p.values(), (Values{1, 2, 1, 2, 1, 2}));
}

TEST(Simplify, FoldsIntegersAndCasts)
{
    Tape t;
    const rv_var n = t.constant(RV_SHAPE(3), {1, 2, 3}, RV_I32);
    const rv_var both[] = {n, t.constant(RV_SHAPE(3), {0, 0, 0}, RV_I32)};
    Program p(t, {rv_cast(n, RV_F64), rv_add_all(both, 2), rv_flip(n, 1)});
    EXPECT_EQ(p.stats().instructions, 0);
    p.run();
    EXPECT_EQ(p.values(0), (Values{1, 2, 3}));
    EXPECT_EQ(p.values(1), (Values{1, 2, 3}));
    EXPECT_EQ(p.values(2), (Values{3, 2, 1}));
}

TEST(Simplify, MakesZerosAroundAnImageTheConvolutionsOwn)
{
    for (const int64_t batch : {1, 20}) {
        Tape t;
        const int64_t before[] = {0, 0, 1, 2}, after[] = {0, 0, 2, 0};
        const rv_var x = t.input("x", RV_SHAPE(batch, 2, 4, 5)),
                     w = t.parameter("w", RV_SHAPE(3, 2, 3, 3)),
                     v = t.parameter("v", RV_SHAPE(3, 2, 3, 3)),
                     padded = rv_pad(x, before, after, nullptr);
        const rv_conv2d_options plain = {};
        const rv_var y =
            rv_tanh(rv_multiply(rv_conv2d(padded, w, plain), rv_conv2d(padded, v, plain)));
        std::vector<rv_var> all = gradients(total(y), {x, w, v});
        all.push_back(y);
        Program simple(t, all, RV_VALUES), plainly(t, all, RV_VALUES & ~RV_SIMPLIFY);
        for (Program *p : {&simple, &plainly}) {
            rv_init_fill(rv_program_input(*p, "x"), rv_init_uniform(-1, 1), 5);
            p->run();
        }
        for (int k = 0; k < 4; k++)
            for (size_t i = 0; i < simple.values(k).size(); i++)
                ASSERT_NEAR(simple.values(k)[i], plainly.values(k)[i], 1e-13) << k;
        for (int64_t i = 0; i < simple.stats().instructions; i++) {
            const rv_instruction one = rv_program_instruction(simple, i);
            EXPECT_STRNE(rv_tape_node(one.tape, one.node[0])->op->name, "pad");
        }
        /* what is not zeros on all sides of the last two axes stays as it is */
        const int64_t in[] = {0, 0, -1, 0}, out[] = {0, 0, 1, 1}, deep[] = {0, 1, 1, 1},
                      none[] = {0, 0, 0, 0};
        const rv_var shifted = rv_conv2d(rv_pad(x, in, out, NULL), w, plain),
                     spread = rv_conv2d(rv_pad(x, none, none, out), w, plain),
                     channels =
                         rv_conv2d(rv_slice_axis(rv_pad(x, deep, none, NULL), 1, 1, 2), w, plain);
        Program kept(t, {shifted, spread, channels}, RV_VALUES),
            bare(t, {shifted, spread, channels}, 0);
        for (Program *p : {&kept, &bare}) {
            rv_init_fill(rv_program_input(*p, "x"), rv_init_uniform(-1, 1), 5);
            p->run();
        }
        for (int k = 0; k < 3; k++) EXPECT_EQ(kept.values(k), bare.values(k)) << k;
    }
}

TEST(Simplify, LeavesZerosThatAreMoreThanAConvolutionsPaddingMayBe)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(1, 1, 1, 4)), w = t.parameter("w", RV_SHAPE(1, 1, 1, 2));
    const int64_t before[] = {0, 0, 0, 1 << 20}, after[] = {0, 0, 0, 0};
    rv_conv2d_options o = {};
    o.left = 1, o.stride[1] = 1 << 20;
    const rv_var y = rv_conv2d(rv_pad(x, before, after, nullptr), w, o);
    Program p(t, {y, gradient(total(y), x)}, RV_VALUES);
    p.set("x", {3, 5, 7, 9}).run();
    EXPECT_EQ(p.values(0), (Values{0, 3 * rv_tensor_get(&t.stored("w"), 1)}));
    EXPECT_EQ(p.values(1), (Values{rv_tensor_get(&t.stored("w"), 1), 0, 0, 0}));
}

} // namespace
