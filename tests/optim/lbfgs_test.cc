/* L-BFGS: known minima to tight tolerances, the reasons it stops for, and what it refuses. */
#include <gtest/gtest.h>

#include <cmath>

#include "optim/lbfgs.h"
#include "optim/optim.h"
#include "tests/tapes.h"

namespace {

/* sum over i of 100 (w[i+1] - w[i]^2)^2 + (1 - w[i])^2; its minimum is 0 at 1, ..., 1. */
rv_var rosenbrock(Tape *t, int64_t n)
{
    const rv_var w = t->parameter("w", RV_SHAPE(n)), a = rv_slice_axis(w, 0, 0, n - 1),
                 b = rv_slice_axis(w, 0, 1, n - 1);
    Values start;
    for (int64_t i = 0; i < n; i++) start.push_back(i % 2 ? 1 : -1.2);
    set_values(&t->stored("w"), start);
    return rv_add(rv_scale(total(rv_square(rv_subtract(b, rv_square(a)))), 100),
                  total(rv_square(rv_one_minus(a))));
}

TEST(Lbfgs, FindsTheMinimumOfRosenbrocksValley)
{
    for (const int64_t n : {2, 10}) {
        Tape t;
        const rv_var loss = rosenbrock(&t, n);
        rv_lbfgs_options o = {};
        o.gradient_tolerance = 1e-11;
        rv_lbfgs_result r;
        ASSERT_TRUE(rv_lbfgs(loss, &o, &r)) << t.error();
        EXPECT_EQ(r.reason, RV_LBFGS_GRADIENT);
        EXPECT_LE(r.gradient, 1e-11);
        EXPECT_LT(r.iterations, n == 2 ? 50 : 100);
        EXPECT_LT(r.evaluations, 2 * r.iterations);
        EXPECT_LT(r.loss, 1e-22);
        for (const double w : values_of(t.stored("w"))) EXPECT_NEAR(w, 1, 1e-11);
    }
}

TEST(Lbfgs, MinimizesInF32AsFarAsItGoes)
{
    Tape t(RV_F32);
    const rv_var loss = rosenbrock(&t, 2);
    rv_lbfgs_options o = {};
    o.gradient_tolerance = 1e-30;
    rv_lbfgs_result r;
    ASSERT_TRUE(rv_lbfgs(loss, &o, &r)) << t.error();
    EXPECT_NE(r.reason, RV_LBFGS_ITERATIONS);
    for (const double w : values_of(t.stored("w"))) EXPECT_NEAR(w, 1, 1e-5);
}

double feature(int n, int i) { return ((37 * n * n + 11 * n * i + 7 * i * i) % 23) / 11.5 - 1; }
double target(int n) { return ((5 * n * n + 3 * n) % 17) / 8.0 - 1; }

bool fill(rv_program *program, void *context)
{
    rv_tensor *x = rv_program_input(program, "x"), *y = rv_program_input(program, "y");
    for (int n = 0; n < 30; n++) {
        for (int i = 0; i < 4; i++) rv_tensor_set(x, n * 4 + i, feature(n, i));
        rv_tensor_set(y, n, target(n));
    }
    ++*static_cast<int *>(context);
    return true;
}

/* The normal equations X'X w = X'y by elimination. */
Values solve()
{
    double a[4][5] = {};
    for (int n = 0; n < 30; n++)
        for (int i = 0; i < 4; i++) {
            for (int k = 0; k < 4; k++) a[i][k] += feature(n, i) * feature(n, k);
            a[i][4] += feature(n, i) * target(n);
        }
    for (int i = 0; i < 4; i++)
        for (int row = 0; row < 4; row++) {
            const double factor = a[row][i] / a[i][i];
            for (int k = i; row != i && k < 5; k++) a[row][k] -= factor * a[i][k];
        }
    Values w;
    for (int i = 0; i < 4; i++) w.push_back(a[i][4] / a[i][i]);
    return w;
}

TEST(Lbfgs, SolvesLeastSquaresWithInputsAndTwoParameters)
{
    Tape t;
    const rv_var a = t.parameter("a", RV_SHAPE(2, 1)), b = t.parameter("b", RV_SHAPE(2, 1)),
                 both[] = {a, b}, w = rv_concat(both, 2, 0), x = t.input("x", RV_SHAPE(30, 4)),
                 y = t.input("y", RV_SHAPE(30, 1));
    const rv_var loss = rv_mean_squared_error(rv_matmul(x, w, false, false), y);
    int filled = 0;
    rv_lbfgs_options o = {};
    o.gradient_tolerance = 1e-13;
    o.fill = fill;
    o.context = &filled;
    rv_lbfgs_result r;
    ASSERT_TRUE(rv_lbfgs(loss, &o, &r)) << t.error();
    EXPECT_EQ(filled, 1);
    EXPECT_LT(r.iterations, 20);
    const Values want = solve();
    Values seen = values_of(t.stored("a"));
    for (const double value : values_of(t.stored("b"))) seen.push_back(value);
    for (size_t i = 0; i < 4; i++) EXPECT_NEAR(seen[i], want[i], 1e-11);
}

TEST(Lbfgs, SaysWhyItStops)
{
    Tape t;
    const rv_var loss = rosenbrock(&t, 2);
    rv_lbfgs_options o = {};
    rv_lbfgs_result r;
    o.iterations = 3;
    ASSERT_TRUE(rv_lbfgs(loss, &o, &r));
    EXPECT_EQ(r.reason, RV_LBFGS_ITERATIONS);
    EXPECT_EQ(r.iterations, 3);
    const double after_three = r.loss;
    EXPECT_LT(after_three, 24.2);
    o.iterations = 0;
    o.loss_tolerance = 0.5;
    ASSERT_TRUE(rv_lbfgs(loss, &o, &r));
    EXPECT_EQ(r.reason, RV_LBFGS_LOSS);
    EXPECT_LT(r.loss, after_three);
    ASSERT_TRUE(rv_lbfgs(loss, nullptr, nullptr));
    ASSERT_TRUE(rv_lbfgs(loss, nullptr, &r));
    EXPECT_EQ(r.reason, RV_LBFGS_GRADIENT);
    EXPECT_EQ(r.iterations, 0);
    EXPECT_EQ(r.evaluations, 1);
}

TEST(Lbfgs, FindsItsWayAroundWhatIsNotFinite)
{
    Tape t;
    const rv_var w = t.parameter("w", RV_SHAPE(1));
    set_values(&t.stored("w"), {0.01}); /* log w - 1 + 1 / w has its minimum at 1, none at w <= 0 */
    const rv_var loss = total(rv_add(rv_log(w), rv_divide(rv_scalar(t, 1), w)));
    rv_lbfgs_result r;
    ASSERT_TRUE(rv_lbfgs(loss, nullptr, &r)) << t.error();
    EXPECT_EQ(r.reason, RV_LBFGS_GRADIENT);
    EXPECT_NEAR(values_of(t.stored("w"))[0], 1, 1e-7);
}

TEST(Lbfgs, GoesDownAPlaneWithoutLearningACurvature)
{
    Tape t;
    const rv_var w = t.parameter("w", RV_SHAPE(2));
    set_values(&t.stored("w"), {1, 2});
    rv_lbfgs_options o = {};
    o.iterations = 3;
    rv_lbfgs_result r;
    ASSERT_TRUE(rv_lbfgs(total(w), &o, &r)) << t.error();
    EXPECT_EQ(r.reason, RV_LBFGS_ITERATIONS);
    EXPECT_EQ(r.iterations, 3);
    EXPECT_LT(r.loss, -1e3);
    EXPECT_EQ(r.loss, values_of(t.stored("w"))[0] + values_of(t.stored("w"))[1]);
}

/* -w for w > 2, with the slope of w. */
rv_var misleading(rv_var w) { return rv_subtract(w, rv_stop_gradient(rv_scale(w, 2))); }

TEST(Lbfgs, StopsWhereItIsWhenGradientsMislead)
{
    for (const bool from_the_start : {true, false}) {
        Tape t;
        const rv_var w = t.parameter("w", RV_SHAPE(1)), far = rv_shift(w, -3);
        set_values(&t.stored("w"), {5});
        /* Without: a bowl around 3 whose slope changes its sign near 4. */
        const rv_var bowl = rv_square(rv_square(far)),
                     loss = from_the_start
                                ? misleading(w)
                                : rv_select(rv_less(rv_scalar(t, 1), far), bowl, misleading(far));
        rv_lbfgs_result r;
        ASSERT_TRUE(rv_lbfgs(total(loss), nullptr, &r)) << t.error();
        EXPECT_EQ(r.reason, RV_LBFGS_LINE_SEARCH);
        const double at = values_of(t.stored("w"))[0];
        if (from_the_start) {
            EXPECT_EQ(at, 5);
        } else {
            EXPECT_LT(at, 5);
        }
        Program p(t, {total(loss)});
        EXPECT_EQ(p.run().value(), r.loss);
    }
}

TEST(Lbfgs, CarriesOutNoAssignments)
{
    Tape t;
    const rv_var loss = rosenbrock(&t, 2);
    ASSERT_TRUE(rv_minimize(loss, rv_momentum(0.1, 0.9)));
    ASSERT_TRUE(rv_lbfgs(loss, nullptr, nullptr)) << t.error();
    EXPECT_EQ(values_of(t.stored("optimizer/v/w")), (Values{0, 0}));
}

TEST(LbfgsError, WhatItRefusesIsAnErrorOnTheTape)
{
    rv_lbfgs_result r;
    rv_lbfgs_options o = {};
    EXPECT_FALSE(rv_lbfgs(rv_var{}, nullptr, &r));
    {
        Tape t;
        EXPECT_FALSE(rv_lbfgs(total(t.input("x", RV_SHAPE(2))), nullptr, &r));
        EXPECT_TRUE(contains(t.error(), "lbfgs: the loss depends on no parameter")) << t.error();
        EXPECT_EQ(r.reason, RV_LBFGS_FAILED);
    }
    {
        Tape t;
        o.history = -1;
        EXPECT_FALSE(rv_lbfgs(rosenbrock(&t, 2), &o, &r));
        EXPECT_TRUE(contains(t.error(), "lbfgs: history -1")) << t.error();
    }
    {
        Tape t;
        o = {};
        o.gradient_tolerance = NAN;
        EXPECT_FALSE(rv_lbfgs(rosenbrock(&t, 2), &o, &r));
        EXPECT_EQ(t.code(), RV_ERROR_ARGUMENT);
    }
    {
        Tape t;
        const rv_var w = t.parameter("w", RV_SHAPE(1));
        set_values(&t.stored("w"), {-1});
        EXPECT_FALSE(rv_lbfgs(total(rv_log(w)), nullptr, &r));
        EXPECT_TRUE(contains(t.error(), "at the start")) << t.error();
        EXPECT_EQ(values_of(t.stored("w")), (Values{-1}));
    }
    {
        Tape t;
        o = {};
        o.fill = [](rv_program *, void *) { return false; };
        EXPECT_FALSE(rv_lbfgs(rosenbrock(&t, 2), &o, &r));
        EXPECT_TRUE(contains(t.error(), "inputs could not be filled")) << t.error();
    }
    {
        Tape t;
        EXPECT_FALSE(rv_lbfgs(t.parameter("w", RV_SHAPE(2)), nullptr, &r));
        EXPECT_EQ(t.code(), RV_ERROR_SHAPE) << t.error();
    }
}

} // namespace
