/* Schedules: their factors as numbers, and the plateau. (trajectories_test.cc holds their training
 * to PyTorch.) */
#include <gtest/gtest.h>

#include <cmath>

#include "optim/optim.h"
#include "optim/plateau.h"
#include "tests/tapes.h"

namespace {

/* The factors at updates 0 .. count-1. */
Values factors(const rv_schedule &s, int count, rv_dtype dtype = RV_F64)
{
    Tape t(dtype);
    const rv_var at = t.input("t", RV_SCALAR), factor = rv_schedule_factor(&s, at);
    Program p(t, {factor});
    Values all;
    for (int i = 0; i < count; i++) {
        p.set("t", {static_cast<double>(i)});
        all.push_back(p.run().value());
    }
    return all;
}

void expect_near(const Values &seen, const Values &want)
{
    ASSERT_EQ(seen.size(), want.size());
    for (size_t i = 0; i < seen.size(); i++) EXPECT_NEAR(seen[i], want[i], 1e-14) << "update " << i;
}

TEST(Schedule, OfNothingIsOne) { EXPECT_EQ(factors({}, 3), (Values{1, 1, 1})); }

TEST(Schedule, StepsDownEverySoManyUpdates)
{
    expect_near(factors(rv_step_decay(3, 0.5), 8), {1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25});
    for (const rv_dtype dtype : {RV_F32, RV_F64}) {
        const Values long_run = factors(rv_step_decay(7, 0.9), 300, dtype);
        for (size_t i = 0; i < 300; i++)
            EXPECT_NEAR(long_run[i], std::pow(0.9, static_cast<double>(i / 7)), 1e-6) << i;
    }
}

TEST(Schedule, FallsAlongHalfACosineAndStaysThere)
{
    const double root = std::sqrt(0.5);
    expect_near(factors(rv_cosine_decay(4, 0), 7),
                {1, (1 + root) / 2, 0.5, (1 - root) / 2, 0, 0, 0});
    expect_near(factors(rv_cosine_decay(2, 0.2), 4), {1, 0.6, 0.2, 0.2});
}

TEST(Schedule, WarmsUpBeforeAnyOther)
{
    expect_near(factors(rv_warm_up(2, rv_exponential_decay(0.5)), 5), {0, 0.5, 1, 0.5, 0.25});
    rv_schedule s = rv_warm_up(4, {});
    s.warm_up_start = 0.2;
    expect_near(factors(s, 6), {0.2, 0.4, 0.6, 0.8, 1, 1});
}

TEST(Schedule, OneCycleEndsLow)
{
    const Values all = factors(rv_one_cycle(100), 120);
    EXPECT_NEAR(all[0], 0.04, 1e-14);
    EXPECT_NEAR(all[29], 1, 1e-14);
    EXPECT_NEAR(all[99], 4e-6, 1e-14);
    EXPECT_NEAR(all[119], 4e-6, 1e-14);
}

TEST(Schedule, MayBeACurveOfOnesOwn)
{
    rv_schedule s = {};
    s.factor = 3;
    s.curve = [](rv_var t, const rv_schedule *own) {
        return rv_divide(rv_scalar(t.tape, own->factor), rv_shift(t, own->factor));
    };
    expect_near(factors(s, 4), {1, 0.75, 0.6, 0.5});
}

TEST(Schedule, LeavesTheRateAndCountsTheUpdates)
{
    Tape t;
    const rv_var w = t.parameter("w", RV_SCALAR);
    set_values(&t.stored("w"), {0});
    rv_optimizer o = rv_sgd(1);
    o.schedule = rv_exponential_decay(0.5);
    ASSERT_TRUE(rv_minimize(w, o)) << t.error();
    Program p(t, {});
    p.run().run();
    EXPECT_TRUE(rv_set_learning_rate(t.store(), nullptr, 4));
    p.run();
    EXPECT_NEAR(values_of(t.stored("w"))[0], -1 - 0.5 - 4 * 0.25, 1e-14);
    EXPECT_EQ(values_of(t.stored("optimizer/learning_rate")), (Values{4}));
    EXPECT_EQ(values_of(t.stored("optimizer/step")), (Values{3}));
}

/* ---- the plateau ---- */

struct Rates : Tape {
    Rates()
    {
        state("optimizer/learning_rate", RV_SCALAR, 1);
        state("optimizer/learning_rate/fc*", RV_SCALAR, 0.5);
        state("optimizer/rates", RV_SCALAR, 7);
    }
    double value(const char *name) { return values_of(stored(name))[0]; }
};

TEST(Plateau, LowersAllRatesWhenPatienceIsAtAnEnd)
{
    Rates t;
    rv_error error = {};
    const rv_plateau p = {0.5, 1, 0.1, false, 0, 0.2};
    const auto lowers = [&](double loss) {
        bool lowered;
        EXPECT_TRUE(rv_plateau_observe(&p, t.store(), loss, &lowered, &error)) << error.text;
        return lowered;
    };
    EXPECT_FALSE(lowers(1));
    EXPECT_FALSE(lowers(0.95)) << "not enough better: bad";
    EXPECT_FALSE(lowers(0.8));
    EXPECT_FALSE(lowers(0.8));
    EXPECT_TRUE(lowers(NAN));
    EXPECT_EQ(t.value("optimizer/learning_rate"), 0.5);
    EXPECT_EQ(t.value("optimizer/learning_rate/fc*"), 0.25);
    EXPECT_EQ(t.value("optimizer/rates"), 7);
    EXPECT_FALSE(lowers(0.9));
    EXPECT_TRUE(lowers(0.9));
    EXPECT_EQ(t.value("optimizer/learning_rate"), 0.25);
    EXPECT_EQ(t.value("optimizer/learning_rate/fc*"), 0.2) << "the least";
}

/* The same distances from the best loss, whatever its sign; the first loss is always an
 * improvement. */
TEST(Plateau, TheThresholdIsAFractionOfTheMagnitude)
{
    for (const bool absolute : {false, true}) {
        for (const double best : {8.0, -8.0}) {
            const double margin = absolute ? 0.25 : 2;
            for (const double by : {margin + 0.125, margin - 0.125}) {
                Rates t;
                rv_error error = {};
                const rv_plateau p = {0.5, 0, 0.25, absolute, 0, 0};
                bool lowered = true;
                ASSERT_TRUE(rv_plateau_observe(&p, t.store(), best, &lowered, &error));
                EXPECT_FALSE(lowered);
                ASSERT_TRUE(rv_plateau_observe(&p, t.store(), best - by, &lowered, &error));
                EXPECT_EQ(lowered, by < margin) << "best " << best << ", better by " << by;
            }
        }
    }
}

TEST(PlateauError, AFieldOutOfRangeIsOne)
{
    const rv_plateau bad[] = {{0, 1, 0, false, 0, 0},    {1, 1, 0, false, 0, 0},
                              {NAN, 1, 0, false, 0, 0},  {0.5, -1, 0, false, 0, 0},
                              {0.5, 1, -1, false, 0, 0}, {0.5, 1, 0, false, -1, 0},
                              {0.5, 1, 0, false, 0, -1}};
    for (const rv_plateau &p : bad) {
        Rates t;
        rv_error error = {};
        EXPECT_FALSE(rv_plateau_observe(&p, t.store(), 1, nullptr, &error));
        EXPECT_EQ(error.code, RV_ERROR_ARGUMENT);
        EXPECT_TRUE(contains(error.text, "plateau: ")) << error.text;
    }
}

} // namespace
