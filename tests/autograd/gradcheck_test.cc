/* The gradient checker: it finds what is wrong, says what it is, and leaves everything as it
 * was. */
#include "autograd/gradcheck.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/recompute.h"
#include "tests/autograd/custom_ops.h"
#include "tests/tapes.h"

namespace {

struct Check {
    bool ok;
    std::vector<rv_gradcheck_result> result;
};

Check check(rv_var loss, const std::vector<rv_var> &wrt, const rv_gradcheck_options &options = {})
{
    Check c{false, std::vector<rv_gradcheck_result>(wrt.size())};
    c.ok = rv_gradcheck(loss, wrt.data(), static_cast<int>(wrt.size()), &options, c.result.data());
    return c;
}

/* The verdict on sum(op(x)) at x = 0.5, 1, -2 by x, for an op y = x^3 with this rule. */
rv_gradcheck_result verdict(const rv_op &op, double tolerance = 0)
{
    static Values at = {0.5, 1, -2};
    static const rv_named_tensor inputs[] = {{"x", {RV_F64, RV_SHAPE(3), at.data()}}};
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3));
    rv_gradcheck_options options = {};
    options.inputs = inputs;
    options.input_count = 1;
    options.tolerance = tolerance;
    const Check c = check(total(record(op, x)), {x}, options);
    EXPECT_EQ(t.code(), RV_OK) << t.error();
    EXPECT_EQ(c.ok, c.result[0].verdict == RV_RIGHT);
    EXPECT_STREQ(c.result[0].name, "x");
    rv_gradcheck_result result = c.result[0];
    result.name = "x"; /* the tape's own is gone soon */
    return result;
}

rv_var right_rule(const rv_backward *b, int)
{
    return rv_multiply(b->dy, rv_scale(rv_square(b->x[0]), 3));
}

/* ---- verdicts ---- */

TEST(Gradcheck, PassesARightRule)
{
    static const rv_op cube = cube_op("right_cube", right_rule);
    const rv_gradcheck_result r = verdict(cube);
    EXPECT_EQ(r.verdict, RV_RIGHT);
    EXPECT_STREQ(r.reason, "");
    EXPECT_LT(r.max_relative_error, 1e-9);
    EXPECT_NEAR(r.cosine, 1, 1e-9);
    EXPECT_NEAR(r.ratio, 1, 1e-9);
}

TEST(Gradcheck, SaysWrongSign)
{
    static const rv_op cube = cube_op(
        "negative_cube", [](const rv_backward *b, int k) { return rv_negate(right_rule(b, k)); });
    const rv_gradcheck_result r = verdict(cube);
    EXPECT_EQ(r.verdict, RV_WRONG);
    EXPECT_TRUE(contains(r.reason, "wrong sign")) << r.reason;
    EXPECT_NEAR(r.cosine, -1, 1e-9);
}

TEST(Gradcheck, SaysWrongLength)
{
    static const rv_op cube = cube_op(
        "double_cube", [](const rv_backward *b, int k) { return rv_scale(right_rule(b, k), 2); });
    const rv_gradcheck_result r = verdict(cube);
    EXPECT_EQ(r.verdict, RV_WRONG);
    EXPECT_TRUE(contains(r.reason, "wrong length: a factor is missing")) << r.reason;
    EXPECT_NEAR(r.ratio, 2, 1e-9);
    EXPECT_NEAR(r.cosine, 1, 1e-9);
}

TEST(Gradcheck, SaysAMissingPath)
{
    static const rv_op cube = cube_op("flat_cube", [](const rv_backward *b, int) {
        return rv_var{b->y.tape, -1};
    });
    const rv_gradcheck_result r = verdict(cube);
    EXPECT_EQ(r.verdict, RV_WRONG);
    EXPECT_TRUE(contains(r.reason, "a path is missing")) << r.reason;
    EXPECT_EQ(r.analytic, 0);
}

TEST(Gradcheck, SaysAGradientWhereTheLossDoesNotChange)
{
    static const rv_op constant = [] {
        rv_op op = cube_op("constant_cube", right_rule);
        op.reference = [](const rv_call *c) {
            rv_tensor y = rv_call_out(c);
            rv_tensor_fill(&y, 1);
        };
        return op;
    }();
    const rv_gradcheck_result r = verdict(constant);
    EXPECT_EQ(r.verdict, RV_WRONG);
    EXPECT_TRUE(contains(r.reason, "where the loss does not change")) << r.reason;
}

TEST(Gradcheck, SaysWrongDirectionAndWhere)
{
    static const rv_op cube = cube_op("linear_cube", [](const rv_backward *b, int) {
        return rv_multiply(b->dy, rv_scale(b->x[0], 1.5)); /* right at 0.5 only */
    });
    const rv_gradcheck_result r = verdict(cube);
    EXPECT_EQ(r.verdict, RV_WRONG);
    EXPECT_STREQ(r.reason, "wrong direction");
    EXPECT_EQ(r.index, 2);
    EXPECT_NEAR(r.analytic, -3, 1e-9);
    EXPECT_NEAR(r.numeric, 12, 1e-6);
    EXPECT_NEAR(r.max_relative_error, 15.0 / 12, 1e-6);
}

TEST(Gradcheck, SaysThatTheGradientIsNotFinite)
{
    static const rv_op cube = cube_op("nan_cube", [](const rv_backward *b, int) {
        return rv_log(rv_subtract(b->x[0], rv_scalar(b->y.tape, 5)));
    });
    const rv_gradcheck_result r = verdict(cube);
    EXPECT_EQ(r.verdict, RV_WRONG);
    EXPECT_TRUE(contains(r.reason, "gradient is not finite")) << r.reason;
}

TEST(Gradcheck, SaysThatTheDifferencesAreNotFinite)
{
    static const rv_op cube = [] {
        rv_op op = cube_op("infinite_cube", right_rule);
        op.reference = [](const rv_call *c) {
            rv_tensor y = rv_call_out(c);
            rv_tensor_fill(&y, INFINITY);
        };
        return op;
    }();
    const rv_gradcheck_result r = verdict(cube);
    EXPECT_EQ(r.verdict, RV_UNDECIDED);
    EXPECT_TRUE(contains(r.reason, "the loss is not finite near this point")) << r.reason;
}

/* ---- kinks and steep slopes ---- */

rv_gradcheck_result verdict_at(const Values &at, rv_var (*f)(rv_var x))
{
    const rv_named_tensor inputs[] = {
        {"x",
         {RV_F64, RV_SHAPE(static_cast<int64_t>(at.size())), const_cast<double *>(at.data())}}};
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(static_cast<int64_t>(at.size())));
    rv_gradcheck_options options = {};
    options.inputs = inputs;
    options.input_count = 1;
    return check(total(f(x)), {x}, options).result[0];
}

TEST(Gradcheck, StepsThatCrossAKinkBecomeFiner)
{
    for (const double at : {9e-4, 2e-4, 1e-5, -1e-6, 3e-7}) {
        const rv_gradcheck_result r = verdict_at({0.5, at, -2}, rv_relu);
        EXPECT_EQ(r.verdict, RV_RIGHT) << at << " " << r.reason;
        EXPECT_STREQ(r.reason, "") << at;
        EXPECT_NEAR(r.cosine, 1, 1e-12) << at;
    }
}

TEST(Gradcheck, AtAKinkTheGradientLiesBetweenTheSlopes)
{
    for (const double at : {0.0, 1e-12, -1e-9}) {
        const rv_gradcheck_result r = verdict_at({0.5, at, -2}, rv_relu);
        EXPECT_EQ(r.verdict, RV_RIGHT) << r.reason;
        EXPECT_TRUE(at != 0 || contains(r.reason, "relu#1 [3] has a kink at this point; the "
                                                  "gradient lies between the slopes on both sides"))
            << r.reason;
    }
    const auto beyond = [](rv_var x) { return rv_add(rv_relu(x), rv_multiply(x, rv_less(x, x))); };
    EXPECT_EQ(verdict_at({0.0}, beyond).verdict, RV_RIGHT);
}

/* relu(x) - relu(-x) is x, but its recorded slope at 0 is 0. */
TEST(Gradcheck, WhereKinksCancelItCannotTell)
{
    const auto cancel = [](rv_var x) {
        const rv_var up = rv_name(rv_relu(x), "up");
        return rv_name(rv_subtract(up, rv_relu(rv_negate(x))), "both");
    };
    EXPECT_EQ(verdict_at({0.3, -0.3}, cancel).verdict, RV_RIGHT);
    const rv_gradcheck_result r = verdict_at({0.3, 0}, cancel);
    EXPECT_EQ(r.verdict, RV_UNDECIDED);
    EXPECT_STREQ(r.reason, "relu in \"up\" has a kink at this point");
    EXPECT_EQ(r.index, 1);
    EXPECT_EQ(r.analytic, 0);
    EXPECT_NEAR(r.numeric, 1, 1e-6);
}

TEST(Gradcheck, AtAJumpItCannotTell)
{
    const auto step = [](rv_var x) { return rv_add(x, rv_less(rv_scalar(x.tape, 0), x)); };
    EXPECT_EQ(verdict_at({0.3, 1e-5}, step).verdict, RV_RIGHT);
    const rv_gradcheck_result r = verdict_at({0.3, 0}, step);
    EXPECT_EQ(r.verdict, RV_UNDECIDED);
    EXPECT_TRUE(contains(r.reason, "less#") && contains(r.reason, "jumps at this point"))
        << r.reason;
}

/* At the kink the slopes are 0 and 1, and the recorded one is 5. Away from it that is wrong. */
TEST(Gradcheck, BeyondTheSlopesOfAKinkItCannotTell)
{
    static const rv_op cube = cube_op("shifted_cube", [](const rv_backward *b, int k) {
        return rv_add(right_rule(b, k), rv_scale(b->dy, 5));
    });
    const auto shifted = [](rv_var x) { return rv_add(record(cube, x), rv_relu(x)); };
    EXPECT_EQ(verdict_at({0}, shifted).verdict, RV_UNDECIDED);
    EXPECT_EQ(verdict_at({0.1}, shifted).verdict, RV_WRONG);
}

/* A wrong rule next to a kink is wrong all the same. */
TEST(Gradcheck, AKinkHidesNoMistake)
{
    static const rv_op cube = cube_op(
        "bent_cube", [](const rv_backward *b, int k) { return rv_scale(right_rule(b, k), 1.01); });
    const auto bent = [](rv_var x) { return rv_add(record(cube, x), rv_relu(x)); };
    for (const Values &at : {Values{0, 0.5}, Values{1e-5, 0.5}, Values{0.5, 2e-4, 0}})
        EXPECT_EQ(verdict_at(at, bent).verdict, RV_WRONG);
}

TEST(Gradcheck, SteepSlopesAreComparedByFinerSteps)
{
    EXPECT_EQ(verdict_at({0.3, 0.7}, [](rv_var x) { return rv_sin(rv_scale(x, 1e3)); }).verdict,
              RV_RIGHT);
    EXPECT_EQ(verdict_at({0.3, 0.7}, [](rv_var x) { return rv_tanh(rv_scale(x, 1e5)); }).verdict,
              RV_RIGHT);
    EXPECT_EQ(verdict_at({0.3, 1e-4}, [](rv_var x) { return rv_log(x); }).verdict, RV_RIGHT);
    const rv_gradcheck_result r =
        verdict_at({0.3}, [](rv_var x) { return rv_sin(rv_scale(x, 1e9)); });
    EXPECT_EQ(r.verdict, RV_UNDECIDED) << "no step resolves it";
    EXPECT_STREQ(r.reason, "the loss is too steep for differences");
}

/* tanh(30 x) is nearly 1, so that its rounding is large beside what it changes by. */
TEST(Gradcheck, RoundingInsideTheLossIsNoMistake)
{
    const auto saturated = [](rv_var x) { return rv_sin(rv_scale(rv_tanh(rv_scale(x, 30)), 1e5)); };
    for (double at = 0.2; at < 0.8; at += 0.01)
        EXPECT_NE(verdict_at({at, at + 0.003, at + 0.007}, saturated).verdict, RV_WRONG) << at;
}

/* ---- stopped gradients ---- */

TEST(Gradcheck, StoppedValuesAreHeld)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3)), w = t.parameter("w", RV_SHAPE(3)),
                 y = rv_tanh(rv_multiply(x, w)), target = rv_stop_gradient(rv_exp(y)),
                 again = rv_stop_gradient(rv_multiply(target, x));
    const rv_var loss =
        rv_add(total(rv_square(rv_subtract(y, target))), total(rv_multiply(w, again)));
    const Check c = check(loss, {x, w});
    EXPECT_TRUE(c.ok) << c.result[0].reason << ", " << c.result[1].reason;
    EXPECT_LT(c.result[1].max_relative_error, 1e-8);
}

/* In the second derivative, too, and in a segment that is computed again. */
TEST(Gradcheck, StoppedValuesAreHeldInGradientsOfGradients)
{
    for (const bool again : {false, true}) {
        Tape t;
        const rv_var x = t.input("x", RV_SHAPE(3)), w = t.parameter("w", RV_SHAPE(3));
        if (again) rv_recompute_push(t);
        const rv_var y = rv_multiply(rv_tanh(rv_multiply(x, w)), rv_stop_gradient(rv_exp(w))),
                     z = rv_sin(rv_multiply(y, x));
        if (again) rv_recompute_pop(t);
        const std::vector<rv_var> g = gradients(total(rv_square(z)), {x, w});
        const Check c = check(rv_add(total(rv_square(g[0])), total(rv_tanh(g[1]))), {x, w});
        EXPECT_TRUE(c.ok) << again << c.result[0].reason << ", " << c.result[1].reason;
    }
}

TEST(Gradcheck, AStopInAGradientRuleIsAMistake)
{
    static const rv_op cube = cube_op("stopping_cube", [](const rv_backward *b, int) {
        return rv_multiply(b->dy, rv_stop_gradient(rv_scale(rv_square(b->x[0]), 3)));
    });
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3)), g = gradient(total(record(cube, x)), x);
    EXPECT_EQ(check(total(rv_square(g)), {x}).result[0].verdict, RV_WRONG);
}

TEST(Gradcheck, HidesNothingBehindAStop)
{
    static const rv_op cube = cube_op("passing_cube", [](const rv_backward *b, int k) {
        return rv_add(right_rule(b, k), rv_stop_gradient(b->x[0]));
    });
    EXPECT_EQ(verdict_at({0.5, 1},
                         [](rv_var x) { return rv_multiply(record(cube, x), rv_stop_gradient(x)); })
                  .verdict,
              RV_WRONG);
}

TEST(Gradcheck, PassesGradientsThatAreZero)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3)), unused = t.parameter("unused", RV_SHAPE(2)),
                 stopped = t.input("stopped", RV_SHAPE(3));
    const rv_var loss = total(rv_add(rv_square(x), rv_multiply(stopped, rv_scalar(t, 0))));
    const Check c = check(loss, {unused, stopped, x});
    EXPECT_TRUE(c.ok) << c.result[0].reason << ", " << c.result[1].reason;
    EXPECT_EQ(c.result[0].max_relative_error, 0);
    EXPECT_EQ(c.result[0].cosine, 1);
    EXPECT_EQ(c.result[0].ratio, 1);
}

TEST(Gradcheck, WarnsOfALeafThatTheLossDoesNotDependOn)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3)), unused = t.input("unused", RV_SHAPE(3)),
                 mask = t.constant(RV_SHAPE(3), {0, 1, 0});
    const Check c = check(total(rv_multiply(x, mask)), {x, unused});
    EXPECT_TRUE(c.ok);
    EXPECT_STREQ(c.result[0].reason, "") << "it depends on one element";
    EXPECT_STREQ(c.result[1].reason, "the gradient and the differences are 0");
    EXPECT_TRUE(c.result[1].zero && !c.result[0].zero);
}

TEST(Gradcheck, JudgesEachLeafOnItsOwn)
{
    static const rv_op cube = cube_op(
        "halved_cube", [](const rv_backward *b, int k) { return rv_scale(right_rule(b, k), 0.5); });
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3)), w = t.parameter("w", RV_SHAPE(2)),
                 s = t.state("s", RV_SHAPE(2), 0.5);
    const rv_var loss =
        rv_add(total(rv_square(w)), rv_add(total(record(cube, x)), total(rv_exp(s))));
    const Check c = check(loss, {w, x, s});
    EXPECT_FALSE(c.ok);
    EXPECT_EQ(c.result[0].verdict, RV_RIGHT);
    EXPECT_EQ(c.result[1].verdict, RV_WRONG);
    EXPECT_EQ(c.result[2].verdict, RV_RIGHT);
    EXPECT_STREQ(c.result[0].name, "w");
    EXPECT_STREQ(c.result[1].name, "x");
    EXPECT_STREQ(c.result[2].name, "s");
}

TEST(Gradcheck, IsAsStrictAsItsTolerance)
{
    static const rv_op cube = cube_op("rough_cube", [](const rv_backward *b, int k) {
        return rv_scale(right_rule(b, k), 1 + 1e-5);
    });
    EXPECT_EQ(verdict(cube).verdict, RV_WRONG);
    EXPECT_EQ(verdict(cube, 0.9e-5).verdict, RV_WRONG);
    EXPECT_EQ(verdict(cube, 1.1e-5).verdict, RV_RIGHT);
}

TEST(Gradcheck, ProvesGradientsOfGradients)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 3)), w = t.parameter("w", RV_SHAPE(3, 4));
    const rv_var y = total(rv_sigmoid(rv_matmul(x, w, false, false)));
    const std::vector<rv_var> g = gradients(y, {x, w});
    const rv_var second = rv_add(total(rv_square(g[0])), total(rv_tanh(g[1])));
    const Check c = check(second, {x, w});
    EXPECT_TRUE(c.ok) << c.result[0].reason << ", " << c.result[1].reason;
}

TEST(Gradcheck, WarnsOnAnF32Tape)
{
    Tape t(RV_F32);
    const rv_var x = t.input("x", RV_SHAPE(5)), w = t.parameter("w", RV_SHAPE(5));
    const Check c = check(total(rv_tanh(rv_multiply(x, w))), {x, w});
    EXPECT_TRUE(c.ok) << c.result[0].reason;
    for (const rv_gradcheck_result &r : c.result) EXPECT_TRUE(contains(r.reason, "f32"));
}

TEST(Gradcheck, IsTheSameForTheSameSeed)
{
    const auto numeric = [](uint64_t seed) {
        Tape t;
        const rv_var x = t.input("x", RV_SHAPE(5));
        rv_gradcheck_options options = {};
        options.seed = seed;
        return check(total(rv_exp(x)), {x}, options).result[0].numeric;
    };
    EXPECT_EQ(numeric(3), numeric(3));
    EXPECT_NE(numeric(3), numeric(4));
}

/* ---- what it leaves behind ---- */

TEST(Gradcheck, LeavesParametersAndStatesAsTheyWere)
{
    for (const rv_dtype dtype : {RV_F32, RV_F64}) {
        Tape t(dtype);
        const rv_var w = t.parameter("w", RV_SHAPE(50)), s = t.state("s", RV_SHAPE(3), 1.0 / 3);
        set_values(&t.stored("s"), {0.1, -0.0, 1e-30});
        const std::string before = bytes_of(t.stored("w")) + bytes_of(t.stored("s"));
        check(rv_add(total(rv_tanh(w)), total(rv_square(s))), {w, s});
        EXPECT_EQ(bytes_of(t.stored("w")) + bytes_of(t.stored("s")), before);
    }
}

TEST(Gradcheck, LeavesTheInputsOfCompiledProgramsAsTheyWere)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3)), y = t.input("y", RV_SHAPE(3)),
                 loss = total(rv_multiply(rv_tanh(x), y)), g = gradient(loss, x);
    Program values(t, {loss}, RV_VALUES), both(t, {loss, g}, RV_VALUES), step(t, {loss});
    for (const Program *p : {&values, &both, &step}) {
        set_values(rv_program_input(*p, "x"), {1, 2, 3});
        set_values(rv_program_input(*p, "y"), {4, 5, 6});
    }
    const double before = values.run().value();
    EXPECT_TRUE(check(loss, {x}).ok);
    for (const Program *p : {&values, &both, &step}) {
        EXPECT_EQ(values_of(*rv_program_input(*p, "x")), (Values{1, 2, 3}));
        EXPECT_EQ(values_of(*rv_program_input(*p, "y")), (Values{4, 5, 6}));
    }
    EXPECT_EQ(values.value(), before) << "nor did it run what is not its own";
}

TEST(Gradcheck, CarriesOutNoAssignment)
{
    Tape t;
    const rv_var w = t.parameter("w", RV_SHAPE(4));
    const rv_var loss = total(rv_square(w));
    rv_assign(w, rv_shift(w, 1));
    const std::string before = bytes_of(t.stored("w"));
    EXPECT_TRUE(check(loss, {w}).ok);
    EXPECT_EQ(bytes_of(t.stored("w")), before);
    Program(t, {loss}).run();
    EXPECT_NE(bytes_of(t.stored("w")), before) << "and the tape still has it";
}

/* ---- inputs of the check ---- */

TEST(Gradcheck, TakesTheInputsItIsGiven)
{
    Values at = {0.25, 4};
    int32_t labels[] = {1, 0, 2};
    const rv_named_tensor inputs[] = {{"x", {RV_F64, RV_SHAPE(2), at.data()}},
                                      {"n", {RV_I32, RV_SHAPE(3), labels}}};
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), n = rv_input_typed(t, "n", RV_I32, RV_SHAPE(3));
    const rv_var loss =
        rv_multiply(total(rv_sqrt(x)), rv_sum(rv_cast(n, RV_F64), RV_ALL_AXES, false));
    rv_gradcheck_options options = {};
    options.inputs = inputs;
    options.input_count = 2;
    const Check c = check(loss, {x}, options);
    EXPECT_TRUE(c.ok);
    EXPECT_NEAR(c.result[0].index ? c.result[0].analytic : c.result[0].analytic / 4, 0.75, 1e-12);
}

TEST(GradcheckError, AnInputOfAnotherShapeOrNameIsNamed)
{
    Values three = {1, 2, 3};
    for (const char *name : {"x", "typo"}) {
        const rv_named_tensor inputs[] = {{name, {RV_F64, RV_SHAPE(3), three.data()}}};
        Tape t;
        const rv_var x = t.input("x", RV_SHAPE(2));
        rv_gradcheck_options options = {};
        options.inputs = inputs;
        options.input_count = 1;
        EXPECT_FALSE(check(total(x), {x}, options).ok);
        EXPECT_NE(t.code(), RV_OK);
        EXPECT_TRUE(contains(t.error(), "gradcheck: ") &&
                    contains(t.error(), '"' + std::string(name) + '"'))
            << t.error();
    }
}

TEST(GradcheckError, OnlyFloatLeavesOfTheTapeCanBeChecked)
{
    Tape other;
    const rv_var elsewhere = other.input("x", RV_SHAPE(2));
    const std::vector<std::pair<const char *, rv_var (*)(Tape &, rv_var)>> wrong = {
        {"tanh", [](Tape &, rv_var x) { return rv_tanh(x); }},
        {"constant", [](Tape &t, rv_var) { return rv_scalar(t, 1); }},
        {"input", [](Tape &t, rv_var) { return rv_input_typed(t, "n", RV_I32, RV_SHAPE(2)); }},
        {"input", [](Tape &t, rv_var) { return rv_input_typed(t, "f", RV_F32, RV_SHAPE(2)); }},
        {"not of this tape", [](Tape &, rv_var) { return rv_var{}; }},
    };
    for (const auto &[what, make] : wrong) {
        Tape t;
        const rv_var x = t.input("x", RV_SHAPE(2));
        EXPECT_FALSE(check(total(x), {x, make(t, x)}).ok);
        EXPECT_EQ(t.code(), RV_ERROR_ARGUMENT);
        EXPECT_TRUE(contains(t.error(), "gradcheck: wrt[1] is " + std::string(what))) << t.error();
    }
    Tape t;
    EXPECT_FALSE(check(total(t.input("x", RV_SHAPE(2))), {elsewhere}).ok);
    EXPECT_TRUE(contains(t.error(), "not of this tape")) << t.error();
}

TEST(GradcheckError, OfTheGradientIsTheChecks)
{
    static const rv_op cube = cube_op("ruleless_cube", nullptr);
    Tape t, u, v;
    const rv_var x = t.input("x", RV_SHAPE(2));
    EXPECT_FALSE(check(rv_tanh(x), {x}).ok);
    EXPECT_TRUE(contains(t.error(), "expected one element")) << t.error();
    const rv_var y = u.input("x", RV_SHAPE(2));
    EXPECT_FALSE(check(total(record(cube, y)), {y}).ok);
    EXPECT_TRUE(contains(u.error(), "has no gradient rule")) << u.error();
    EXPECT_FALSE(check(rv_var{v, -1}, {v.input("x", RV_SHAPE(2))}).ok);
    EXPECT_NE(v.code(), RV_OK) << "a check that could not be made says why";
    EXPECT_FALSE(check(rv_var{}, {x}).ok);
}

TEST(GradcheckError, LeavesResultsThatSayNotChecked)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2));
    const Check c = check(rv_tanh(x), {x, x});
    EXPECT_FALSE(c.ok);
    for (const rv_gradcheck_result &r : c.result) {
        EXPECT_EQ(r.verdict, RV_UNDECIDED);
        EXPECT_STREQ(r.reason, "not checked");
    }
}

TEST(Gradcheck, ByNothingInParticularChecksAllParameters)
{
    Tape t;
    const rv_var a = t.parameter("a", RV_SHAPE(2)), b = t.parameter("b", RV_SHAPE(2));
    const rv_var right = total(rv_multiply(rv_tanh(a), rv_exp(b)));
    rv_gradcheck_result worst;
    EXPECT_TRUE(rv_gradcheck(right, nullptr, 0, nullptr, &worst)) << worst.reason;
    EXPECT_TRUE(rv_gradcheck(right, nullptr, 0, nullptr, nullptr));
    static const rv_op cube = cube_op("flat_cube_of_b", [](const rv_backward *b, int) {
        return rv_var{b->y.tape, -1};
    });
    const rv_var wrong = rv_add(right, total(record(cube, b)));
    EXPECT_FALSE(rv_gradcheck(wrong, nullptr, 0, nullptr, &worst));
    EXPECT_STREQ(worst.name, "b");
    EXPECT_FALSE(rv_gradcheck(total(t.input("x", RV_SHAPE(2))), nullptr, 0, nullptr, &worst));
    EXPECT_TRUE(contains(t.error(), "depends on no parameter")) << t.error();
}

} // namespace
