/* Gradients: of anything by anything, to any order, or an error that says why not. */
#include "autograd/gradient.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "autograd/recompute.h"
#include "tests/autograd/custom_ops.h"
#include "tests/tapes.h"

namespace {

void expect_close(const Values &seen, const Values &want, double tolerance = 1e-12)
{
    ASSERT_EQ(seen.size(), want.size());
    for (size_t i = 0; i < seen.size(); i++)
        EXPECT_NEAR(seen[i], want[i], tolerance * std::fmax(1, std::fabs(want[i]))) << i;
}

/* ---- what the gradient is of, and by ---- */

TEST(Gradient, OfASharedSubexpressionCountsEveryUse)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), s = rv_square(x);
    /* x^2 x^2 + 3 x^2 + x: 4 x^3 + 6 x + 1 */
    const rv_var y = rv_add(rv_add(rv_multiply(s, s), rv_scale(s, 3)), x);
    Program p(t, {gradient(total(y), x)});
    p.set("x", {2, -0.5}).run();
    EXPECT_EQ(p.values(), (Values{45, -2.5}));
}

TEST(Gradient, OfThousandsOfUsesIsTheirSumInOneNode)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2));
    std::vector<rv_var> terms;
    double sum = 0;
    for (int i = 1; i <= 5000; i++) {
        terms.push_back(rv_scale(x, i));
        sum += i;
    }
    const rv_var g = gradient(total(rv_add_all(terms.data(), 5000)), x);
    EXPECT_EQ(rv_tape_node(t, g.id)->inputs, 5000);
    Program p(t, {g});
    p.set("x", {1, 2}).run();
    EXPECT_EQ(p.values(), (Values{sum, sum}));
}

TEST(Gradient, CotangentsAreSummedInTheOrderOfTheUses)
{
    Tape t;
    const rv_var x = t.input("x", RV_SCALAR);
    const rv_var uses[] = {rv_scale(x, 1e16), rv_scale(x, 1), rv_scale(x, -1e16)};
    Program p(t, {gradient(rv_add_all(uses, 3), x)});
    p.set("x", {1}).run();
    EXPECT_EQ(p.value(), (1e16 + 1) + -1e16) << "not 1, as in another order";
}

TEST(Gradient, ByWhatYDoesNotDependOnIsZeros)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), unused = t.input("unused", RV_SHAPE(3, 2));
    const rv_var y = total(rv_tanh(x)), later = rv_square(y);
    const auto g = gradients(y, {unused, x, later, rv_scalar(t, 3)});
    double value = 1;
    EXPECT_TRUE(rv_is_uniform(g[0], &value));
    EXPECT_EQ(value, 0);
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(g[0]), RV_SHAPE(3, 2)));
    EXPECT_TRUE(rv_is_uniform(g[2], &value) && value == 0) << "by what was recorded after y";
    EXPECT_TRUE(rv_is_uniform(g[3], &value) && value == 0) << "by a constant";
    EXPECT_FALSE(rv_is_uniform(g[1], nullptr));
}

TEST(Gradient, ByAnUnusedF32ValueOnAnF64TapeIsF32Zeros)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), f32 = rv_input_typed(t, "f", RV_F32, RV_SHAPE(3));
    const rv_var g = gradient(total(x), f32);
    EXPECT_EQ(rv_dtype_of(g), RV_F32);
    Program p(t, {g});
    EXPECT_EQ(p.run().values(), (Values{0, 0, 0}));
}

TEST(Gradient, ByIntermediateValuesAndLeavesAtOnce)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), h = rv_square(x), y = total(rv_multiply(h, x));
    Program p(t, gradients(y, {h, x, h, y}));
    p.set("x", {3, 5}).run();
    EXPECT_EQ(p.values(0), (Values{3, 5})) << "h fixed for nobody: d(h x)/dh = x";
    EXPECT_EQ(p.values(1), (Values{27, 75})) << "and still 3 x^2 through h";
    EXPECT_EQ(p.values(2), p.values(0));
    EXPECT_EQ(p.value(3), 1);
}

TEST(Gradient, OfAValueByItselfIsOne)
{
    Tape t;
    const rv_var x = t.input("x", RV_SCALAR);
    double value = 0;
    EXPECT_TRUE(rv_is_uniform(gradient(x, x), &value));
    EXPECT_EQ(value, 1);
    const rv_var one_by_one = t.input("z", RV_SHAPE(1, 1));
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(gradient(one_by_one, one_by_one)), RV_SHAPE(1, 1)));
}

TEST(Gradient, StopsAtStopGradient)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), stopped = rv_stop_gradient(rv_square(x));
    Program p(t, {gradient(total(rv_multiply(stopped, x)), x), gradient(total(stopped), x),
                  gradient(total(stopped), stopped)});
    p.set("x", {3, 5}).run();
    EXPECT_EQ(p.values(0), (Values{9, 25}));
    EXPECT_EQ(p.values(1), (Values{0, 0}));
    EXPECT_EQ(p.values(2), (Values{1, 1})) << "by the stopped value itself";
}

TEST(Gradient, DoesNotFlowThroughIntegers)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), whole = rv_cast(rv_cast(x, RV_I32), RV_F64);
    Program p(t, {gradient(total(rv_multiply(whole, x)), x), gradient(total(whole), x)});
    p.set("x", {3.7, -5.2}).run();
    EXPECT_EQ(p.values(0), (Values{3, -5}));
    EXPECT_EQ(p.values(1), (Values{0, 0}));
}

TEST(Gradient, FlowsThroughFloatsOfAnotherDtype)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), f32 = rv_cast(x, RV_F32);
    const rv_var y = total(rv_cast(rv_multiply(f32, f32), RV_F64));
    Program p(t, {gradient(y, x)});
    p.set("x", {3, -5}).run();
    EXPECT_EQ(p.values(), (Values{6, -10}));
}

TEST(Gradient, UndoesBroadcasting)
{
    Tape t;
    const rv_var a = t.input("a", RV_SHAPE(3, 1)), b = t.input("b", RV_SHAPE(4)),
                 s = t.input("s", RV_SCALAR);
    const rv_var y = total(rv_multiply(rv_multiply(a, b), s));
    Program p(t, gradients(y, {a, b, s}));
    p.set("a", {1, 2, 3}).set("b", {1, 10, 100, 1000}).set("s", {2}).run();
    EXPECT_EQ(p.values(0), (Values{2222, 2222, 2222}));
    EXPECT_EQ(p.values(1), (Values{12, 12, 12, 12}));
    EXPECT_EQ(p.values(2), (Values{6666}));
}

TEST(Gradient, OfASelectTakesTheChosenPathOnly)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2));
    const rv_var y = rv_select(rv_less(rv_scalar(t, 0), x), rv_sqrt(x), rv_square(x));
    Program p(t, {gradient(total(y), x)});
    p.set("x", {4, -3}).run();
    EXPECT_EQ(p.values()[0], 0.25);
}

/* ---- higher orders, against closed forms ---- */

/* y and its first four derivatives at x, elementwise. */
std::vector<Values> four_derivatives(rv_var (*f)(rv_var), const Values &at)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(static_cast<int64_t>(at.size())));
    std::vector<rv_var> order = {f(x)};
    for (int n = 0; n < 4; n++) order.push_back(gradient(total(order.back()), x));
    Program p(t, order);
    p.set("x", at).run();
    std::vector<Values> values;
    for (int n = 0; n <= 4; n++) values.push_back(p.values(n));
    return values;
}

const Values points = {-2.25, -1, -0.3, 0, 0.125, 0.7, 1.9};

TEST(GradientOfGradient, OfTheFifthPower)
{
    const auto fifth = [](rv_var x) { return rv_multiply(rv_square(rv_square(x)), x); };
    const auto d = four_derivatives(fifth, points);
    for (size_t i = 0; i < points.size(); i++) {
        const double x = points[i];
        expect_close({d[1][i], d[2][i], d[3][i], d[4][i]},
                     {5 * std::pow(x, 4), 20 * std::pow(x, 3), 60 * x * x, 120 * x});
    }
}

TEST(GradientOfGradient, OfTanh)
{
    const auto d = four_derivatives(rv_tanh, points);
    for (size_t i = 0; i < points.size(); i++) {
        const double y = std::tanh(points[i]), y1 = 1 - y * y, y2 = -2 * y * y1,
                     y3 = -2 * (y1 * y1 + y * y2), y4 = -2 * (3 * y1 * y2 + y * y3);
        expect_close({d[1][i], d[2][i], d[3][i], d[4][i]}, {y1, y2, y3, y4});
    }
}

TEST(GradientOfGradient, OfSigmoid)
{
    const auto d = four_derivatives(rv_sigmoid, points);
    for (size_t i = 0; i < points.size(); i++) {
        const double s = 1 / (1 + std::exp(-points[i])), s1 = s * (1 - s), s2 = s1 * (1 - 2 * s),
                     s3 = s2 * (1 - 2 * s) - 2 * s1 * s1, s4 = s3 * (1 - 2 * s) - 6 * s1 * s2;
        expect_close({d[1][i], d[2][i], d[3][i], d[4][i]}, {s1, s2, s3, s4});
    }
}

TEST(GradientOfGradient, OfExpIsItselfToEveryOrder)
{
    Tape t;
    const rv_var x = t.input("x", RV_SCALAR);
    rv_var y = rv_exp(x);
    const rv_var first = y;
    for (int n = 0; n < 30; n++) y = gradient(y, x);
    Program p(t, {first, y});
    p.set("x", {0.7}).run();
    EXPECT_EQ(p.value(0), p.value(1));
}

TEST(GradientOfGradient, TheHessianIsSymmetric)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(1, 1, 4, 4)), w = t.parameter("w", RV_SHAPE(2, 1, 3, 3)),
                 m = t.parameter("m", RV_SHAPE(8, 3)), u = t.input("u", RV_SHAPE(1, 1, 4, 4)),
                 v = t.input("v", RV_SHAPE(1, 1, 4, 4));
    const rv_var h = rv_flatten(rv_tanh(rv_conv2d(x, w, {})));
    const rv_var y = total(rv_softmax(rv_square(rv_matmul(h, m, false, false)), 1));
    const rv_var z = rv_add(y, total(rv_log(rv_shift(rv_square(h), 1))));
    const rv_var g = gradient(z, x);
    const rv_var hu = gradient(total(rv_multiply(g, u)), x),
                 hv = gradient(total(rv_multiply(g, v)), x);
    Program p(t, {total(rv_multiply(hu, v)), total(rv_multiply(hv, u))});
    const Values at = {0.3,  -1,  0.5,  0.2,  1.1, -0.4, 0.9, 0.1,
                       -0.6, 0.8, 0.25, -0.2, 1,   0,    2,   -1.5};
    Values reversed(at.rbegin(), at.rend()), squared;
    for (const double e : at) squared.push_back(e * e - 0.5);
    p.set("x", at).set("u", reversed).set("v", squared).run();
    EXPECT_NE(p.value(0), 0);
    EXPECT_NEAR(p.value(0), p.value(1), 1e-12 * std::fabs(p.value(0)));
}

/* ---- pulling back any cotangent ---- */

TEST(PullBack, IsLinearInTheCotangent)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3, 4)), w = t.parameter("w", RV_SHAPE(4, 5)),
                 a = t.input("a", RV_SHAPE(3, 5)), b = t.input("b", RV_SHAPE(3, 5));
    const rv_var y = rv_tanh(rv_matmul(x, w, false, false)), wrt[] = {x, w};
    rv_var of_a[2], of_b[2], of_both[2];
    ASSERT_TRUE(rv_vjp(y, a, wrt, 2, of_a));
    ASSERT_TRUE(rv_vjp(y, b, wrt, 2, of_b));
    ASSERT_TRUE(rv_vjp(y, rv_add(rv_scale(a, 2), rv_scale(b, -3)), wrt, 2, of_both));
    Program p(t, {of_a[0], of_b[0], of_both[0], of_a[1], of_b[1], of_both[1]});
    Values values;
    for (int i = 0; i < 15; i++) values.push_back(std::sin(i + 1));
    p.set("a", values).set("b", Values(values.rbegin(), values.rend()));
    p.set("x", Values(values.begin(), values.begin() + 12)).run();
    for (const int k : {0, 3}) {
        Values want;
        for (size_t i = 0; i < p.values(k).size(); i++)
            want.push_back(2 * p.values(k)[i] - 3 * p.values(k + 1)[i]);
        expect_close(p.values(k + 2), want);
    }
}

TEST(PullBack, OfAnotherTypeThanYIsAnError)
{
    Tape t, other;
    const rv_var x = t.input("x", RV_SHAPE(2, 3)), y = rv_tanh(x);
    rv_var g;
    for (const rv_var dy : {rv_full(t, RV_SHAPE(3, 2), 1), rv_full(t, RV_SCALAR, 1),
                            rv_cast(rv_full(t, RV_SHAPE(2, 3), 1), RV_F32)}) {
        Tape u;
        const rv_var ux = u.input("x", RV_SHAPE(2, 3)), uy = rv_tanh(ux);
        const rv_var udy =
            rv_dtype_of(dy) == RV_F32 ? rv_cast(uy, RV_F32) : rv_full(u, rv_shape_of(dy), 1);
        EXPECT_FALSE(rv_vjp(uy, udy, &ux, 1, &g));
        EXPECT_EQ(u.code(), RV_ERROR_SHAPE);
        EXPECT_TRUE(contains(u.error(), "gradient: the cotangent is") &&
                    contains(u.error(), "y is f64 [2,3]"))
            << u.error();
        EXPECT_TRUE(rv_is_null(g));
    }
    EXPECT_FALSE(rv_vjp(y, rv_full(other, RV_SHAPE(2, 3), 1), &x, 1, &g));
    EXPECT_TRUE(contains(t.error(), "on another tape")) << t.error();
    EXPECT_EQ(other.code(), RV_OK);
}

/* ---- forward mode ---- */

TEST(Jvp, IsTheDerivativeInADirection)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3)), z = t.input("z", RV_SCALAR);
    /* y = x^3 z: dy = 3 x^2 z dx + x^3 dz */
    const rv_var y = rv_multiply(rv_multiply(rv_square(x), x), z), wrt[] = {x, z},
                 v[] = {t.input("dx", RV_SHAPE(3)), t.input("dz", RV_SCALAR)};
    Program p(t, {rv_jvp(y, wrt, v, 2), rv_jvp(y, wrt, v, 1), rv_jvp(y, wrt, v, 0)});
    p.set("x", {1, 2, -3}).set("z", {2}).set("dx", {1, 0.5, 1}).set("dz", {10}).run();
    EXPECT_EQ(p.values(0), (Values{6 + 10, 12 + 80, 54 - 270}));
    EXPECT_EQ(p.values(1), (Values{6, 12, 54}));
    EXPECT_EQ(p.values(2), (Values{0, 0, 0}));
}

TEST(Jvp, OfAJvpIsTheSecondDerivative)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), v = t.input("v", RV_SHAPE(2));
    const rv_var y = rv_multiply(rv_square(x), rv_square(x)); /* x^4: 12 x^2 v^2 */
    const rv_var once = rv_jvp(y, &x, &v, 1);
    Program p(t, {rv_jvp(once, &x, &v, 1), rv_jvp(x, &x, &v, 1), rv_jvp(v, &x, &v, 1)});
    p.set("x", {1, -2}).set("v", {3, 0.5}).run();
    EXPECT_EQ(p.values(0), (Values{108, 12}));
    EXPECT_EQ(p.values(1), (Values{3, 0.5})) << "of the identity";
    EXPECT_EQ(p.values(2), (Values{0, 0})) << "of what does not depend on x";
}

TEST(Jvp, KnowsTheZerosOfTheModelFromItsOwn)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), v = t.input("v", RV_SHAPE(2));
    const rv_var zeros = rv_full(t, RV_SHAPE(2), 0); /* as a starting state */
    const rv_var y = rv_multiply(rv_add(x, zeros), rv_exp(zeros));
    Program p(t, {rv_jvp(y, &x, &v, 1)});
    p.set("x", {1, -2}).set("v", {3, 0.5}).run();
    EXPECT_EQ(p.values(0), (Values{3, 0.5}));
}

TEST(Jvp, IsTheAdjointOfTheVjpThroughARecomputedNet)
{
    for (const bool recompute : {false, true}) {
        Tape t;
        const rv_var x = t.input("x", RV_SHAPE(2, 3)), w = t.parameter("w", RV_SHAPE(3, 3)),
                     u = t.input("u", RV_SHAPE(2, 3)), dx = t.input("dx", RV_SHAPE(2, 3)),
                     dw = t.input("dw", RV_SHAPE(3, 3)), wrt[] = {x, w}, v[] = {dx, dw};
        rv_var h = x;
        for (int step = 0; step < 3; step++) {
            if (recompute) rv_recompute_push(t);
            h = rv_tanh(rv_matmul(h, w, false, false));
            if (recompute) rv_recompute_pop(t);
        }
        rv_var g[2];
        ASSERT_TRUE(rv_vjp(h, u, wrt, 2, g));
        const rv_var left = total(rv_multiply(rv_jvp(h, wrt, v, 2), u));
        const rv_var right = rv_add(total(rv_multiply(g[0], dx)), total(rv_multiply(g[1], dw)));
        Program p(t, {left, right});
        const Values six = {0.3, -1, 0.5, 0.2, 1.1, -0.4};
        p.set("x", six).set("u", Values(six.rbegin(), six.rend())).set("dx", {1, 2, 3, 4, 5, 6});
        p.set("dw", {1, -1, 2, -2, 3, -3, 4, -4, 5}).run();
        EXPECT_GT(std::fabs(p.value(0)), 0.01);
        EXPECT_NEAR(p.value(0), p.value(1), 1e-12 * std::fabs(p.value(0)));
    }
}

TEST(Hvp, IsTheGradientOfTheGradientInADirection)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), z = t.input("z", RV_SHAPE(2)), wrt[] = {x, z},
                 v[] = {t.input("dx", RV_SHAPE(2)), t.input("dz", RV_SHAPE(2))};
    /* sum x^2 z: H v = (2 z dx + 2 x dz, 2 x dx) */
    rv_var product[2];
    ASSERT_TRUE(rv_hvp(total(rv_multiply(rv_square(x), z)), wrt, v, 2, product));
    Program p(t, {product[0], product[1]});
    p.set("x", {1, 2}).set("z", {3, 4}).set("dx", {1, -1}).set("dz", {0.5, 2}).run();
    EXPECT_EQ(p.values(0), (Values{6 + 1, -8 + 8}));
    EXPECT_EQ(p.values(1), (Values{2, -4}));
}

TEST(ForwardMode, ReportsADirectionOfAnotherType)
{
    Tape t, u, w;
    const rv_var x = t.input("x", RV_SHAPE(2, 3));
    EXPECT_TRUE(rv_is_null(rv_jvp(rv_tanh(x), &x, std::array{rv_full(t, RV_SCALAR, 1)}.data(), 1)));
    EXPECT_TRUE(contains(t.error(), "the direction is f64 [], wrt is f64 [2,3]")) << t.error();
    const rv_var y = u.input("y", RV_SCALAR), never = {u, -1};
    rv_var product = y;
    EXPECT_FALSE(rv_hvp(rv_square(y), &y, &never, 1, &product));
    EXPECT_TRUE(contains(u.error(), "the direction is a null var")) << u.error();
    EXPECT_TRUE(rv_is_null(product));
    const rv_var z = w.input("z", RV_SHAPE(2));
    EXPECT_FALSE(rv_hvp(rv_square(z), &z, &z, 1, &product));
    EXPECT_TRUE(contains(w.error(), "sum it first")) << w.error();
}

/* ---- errors ---- */

TEST(GradientError, YMustHaveOneElement)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 3));
    rv_var g = x;
    EXPECT_FALSE(rv_gradient(rv_tanh(x), &x, 1, &g));
    EXPECT_EQ(t.code(), RV_ERROR_SHAPE);
    EXPECT_TRUE(contains(t.error(), "y has shape [2,3]") && contains(t.error(), "sum it first"))
        << t.error();
    EXPECT_TRUE(rv_is_null(g));
}

TEST(GradientError, YMustBeOfTheTapesDtype)
{
    for (const rv_dtype dtype : {RV_F32, RV_I32}) {
        Tape t;
        const rv_var x = t.input("x", RV_SCALAR);
        rv_var g;
        EXPECT_FALSE(rv_gradient(rv_cast(x, dtype), &x, 1, &g));
        EXPECT_EQ(t.code(), RV_ERROR_DTYPE);
        EXPECT_TRUE(contains(t.error(), rv_dtype_name(dtype)) && contains(t.error(), "cast"))
            << t.error();
    }
}

TEST(GradientError, ByIntegersIsOne)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), n = rv_input_typed(t, "n", RV_I32, RV_SHAPE(2));
    rv_var g;
    EXPECT_FALSE(rv_gradient(total(rv_multiply(x, rv_cast(n, RV_F64))), &n, 1, &g));
    EXPECT_EQ(t.code(), RV_ERROR_DTYPE);
    EXPECT_TRUE(contains(t.error(), "dtype i32")) << t.error();
}

TEST(GradientError, OfANullVarOrByOneIsOne)
{
    Tape t;
    const rv_var x = t.input("x", RV_SCALAR), never = {t, -1};
    rv_var g = x;
    EXPECT_FALSE(rv_gradient(never, &x, 1, &g));
    EXPECT_TRUE(contains(t.error(), "y is a null var")) << t.error();
    Tape v;
    const rv_var w = v.input("w", RV_SCALAR);
    EXPECT_FALSE(rv_vjp(rv_square(w), rv_var{v, -1}, &w, 1, &g));
    EXPECT_TRUE(contains(v.error(), "the cotangent is a null var")) << v.error();
    Tape u, other;
    const rv_var y = u.input("y", RV_SCALAR), elsewhere = other.input("x", RV_SCALAR);
    EXPECT_FALSE(rv_gradient(y, &elsewhere, 1, &g));
    EXPECT_TRUE(contains(u.error(), "wrt[0] is not a value of this tape")) << u.error();
}

TEST(GradientError, AnOpWithoutARuleIsNamedWhenARuleIsNeeded)
{
    static const rv_op cube = cube_op("ruleless_cube", nullptr);
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), z = t.input("z", RV_SHAPE(2));
    rv_var g;
    const rv_var stopped = total(rv_multiply(z, rv_stop_gradient(record(cube, x))));
    EXPECT_TRUE(rv_gradient(stopped, &z, 1, &g)) << t.error();
    const rv_var y = total(rv_multiply(z, record(cube, x)));
    EXPECT_TRUE(rv_gradient(y, &z, 1, &g)) << "no path to z leads through it; " << t.error();
    EXPECT_FALSE(rv_gradient(y, &x, 1, &g));
    EXPECT_EQ(t.code(), RV_ERROR_GRADIENT);
    EXPECT_TRUE(contains(t.error(), "ruleless_cube has no gradient rule") &&
                contains(t.error(), "rv_stop_gradient"))
        << t.error();
}

TEST(GradientError, ARuleThatGivesAnotherShapeIsNamed)
{
    static const rv_op cube = cube_op(
        "summed_cube", [](const rv_backward *b, int) { return rv_sum(b->dy, RV_ALL_AXES, false); });
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 3));
    rv_var g;
    EXPECT_FALSE(rv_gradient(total(record(cube, x)), &x, 1, &g));
    EXPECT_EQ(t.code(), RV_ERROR_GRADIENT);
    EXPECT_TRUE(contains(t.error(), "the rule of summed_cube gives input 0 a cotangent f64 []") &&
                contains(t.error(), "f64 [2,3]") && contains(t.error(), "fix the rule"))
        << t.error();
}

TEST(GradientError, ARuleThatGivesAnotherDtypeOrTapeIsNamed)
{
    static rv_tape *elsewhere;
    static const rv_op rounded =
        cube_op("rounded_cube", [](const rv_backward *b, int) { return rv_cast(b->dy, RV_F32); });
    static const rv_op foreign = cube_op("foreign_cube", [](const rv_backward *, int) {
        return rv_full(elsewhere, RV_SHAPE(2), 1);
    });
    Tape t, u, other;
    elsewhere = other;
    rv_var g;
    const rv_var x = t.input("x", RV_SHAPE(2)), z = u.input("x", RV_SHAPE(2));
    EXPECT_FALSE(rv_gradient(total(record(rounded, x)), &x, 1, &g));
    EXPECT_TRUE(contains(t.error(), "rounded_cube") && contains(t.error(), "f32 [2]")) << t.error();
    EXPECT_FALSE(rv_gradient(total(record(foreign, z)), &z, 1, &g));
    EXPECT_TRUE(contains(u.error(), "foreign_cube") && contains(u.error(), "another tape"))
        << u.error();
}

TEST(Gradient, ARuleMayGiveTheNullVarForZero)
{
    static const rv_op flat = cube_op("flat_cube", [](const rv_backward *b, int) {
        return rv_var{b->y.tape, -1};
    });
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2));
    Program p(
        t, {gradient(total(rv_add(record(flat, x), x)), x), gradient(total(record(flat, x)), x)});
    p.set("x", {3, 4}).run();
    EXPECT_EQ(p.values(0), (Values{1, 1}));
    EXPECT_EQ(p.values(1), (Values{0, 0}));
}

TEST(GradientError, OfARuleIsTheGradients)
{
    static const rv_op clumsy = cube_op(
        "clumsy_cube", [](const rv_backward *b, int) { return rv_reshape(b->dy, RV_SHAPE(1000)); });
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2));
    rv_var g;
    EXPECT_FALSE(rv_gradient(total(record(clumsy, x)), &x, 1, &g));
    EXPECT_TRUE(contains(t.error(), "do not fill [1000]") && contains(t.error(), "in gradient"))
        << t.error();
    EXPECT_TRUE(rv_is_null(g));
}

/* ---- the tape that gradients leave ---- */

TEST(Gradient, IsLabelledByWhatItIsTheGradientOf)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2));
    rv_origin origin = rv_current_origin(t);
    origin.layer = 2;
    origin.direction = 1;
    origin.step = 0;
    origin.scope = "step 1";
    rv_origin_push(t, origin);
    const rv_var h = rv_exp(x);
    rv_scope_pop(t);
    const rv_var y = total(rv_tanh(h)), g = gradient(y, x);
    const rv_origin *of = rv_tape_node(t, g.id)->origin;
    char text[RV_ORIGIN_TEXT];
    EXPECT_EQ(of->phase, RV_PHASE_GRADIENT);
    EXPECT_EQ(of->layer, 2);
    EXPECT_EQ(of->direction, 1);
    EXPECT_EQ(of->step, 0);
    EXPECT_STREQ(rv_origin_text(of, text), "gradient/step 1");
    of = rv_tape_node(t, gradient(y, h).id)->origin;
    EXPECT_EQ(of->step, -1);
    EXPECT_STREQ(rv_origin_text(of, text), "gradient");
    of = rv_tape_node(t, rv_square(h).id)->origin;
    EXPECT_EQ(of->phase, RV_PHASE_FORWARD);
    EXPECT_STREQ(rv_origin_text(of, text), "") << "and the scope is as it was";
}

TEST(Gradient, TakenTwiceRecordsNothingNew)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(4)), y = total(rv_tanh(rv_square(x)));
    const rv_var g = gradient(y, x);
    const int32_t count = t.count();
    EXPECT_TRUE(same(g, gradient(y, x)));
    EXPECT_EQ(t.count(), count);
}

TEST(Gradient, OfAHundredThousandNodesTakesAFewTimesAsMany)
{
    enum { LENGTH = 100000 };
    Tape t;
    const rv_var x = t.input("x", RV_SCALAR);
    rv_var y = x;
    for (int i = 0; i < LENGTH; i++) y = rv_sigmoid(y);
    ASSERT_EQ(t.count(), LENGTH + 1);
    const rv_var g = gradient(y, x);
    EXPECT_LE(t.count(), 5 * LENGTH);
    Program p(t, {y, g}, RV_VALUES);
    p.set("x", {0.5}).run();
    EXPECT_NEAR(p.value(0), 0.659046068407, 1e-9) << "the fixed point of the sigmoid";
    EXPECT_EQ(p.value(1), 0) << "0.22 to the 100000th";
}

TEST(Gradient, OfAnAlternationOfScopesStaysLinear)
{
    enum { LENGTH = 20000 };
    Tape t;
    const rv_var x = t.input("x", RV_SCALAR);
    rv_var y = x;
    for (int i = 0; i < LENGTH; i++) {
        rv_scope_push(t, i % 2 ? "odd" : "even");
        y = rv_negate(y);
        rv_scope_pop(t);
    }
    Program p(t, {gradient(y, x)});
    p.set("x", {0.5}).run();
    EXPECT_EQ(p.value(), 1);
    EXPECT_LE(t.count(), 2 * LENGTH + 10);
}

} // namespace
