/* One thread or all: the faster way, also after the machine has changed, and few runs the slower
 * way. */
#include <gtest/gtest.h>

extern "C" {
#include "autograd/program/pace.h"
}

namespace {

/* Runs that take `all` or `alone` milliseconds, one in seven 50 times as long. Returns the fraction
 * that ran alone. */
double fraction_alone(rv_pace *pace, int runs, double all, double alone)
{
    int count = 0;
    for (int i = 0; i < runs; i++) {
        count += pace->alone;
        rv_pace_note(pace, 1e-3 * (pace->alone ? alone : all) * (i % 7 == 3 ? 50 : 1));
    }
    return static_cast<double>(count) / runs;
}

TEST(Pace, StartsOnAllThreads)
{
    rv_pace pace = {};
    EXPECT_EQ(fraction_alone(&pace, RV_PACE_RUNS, 1, 1), 0);
}

TEST(Pace, SettlesOnTheFasterWay)
{
    rv_pace threads = {}, alone = {};
    fraction_alone(&threads, 1000, 1, 1.1);
    EXPECT_LT(fraction_alone(&threads, 10000, 1, 1.1), 0.02);
    fraction_alone(&alone, 1000, 1.1, 1);
    EXPECT_GT(fraction_alone(&alone, 10000, 1.1, 1), 0.98);
}

TEST(Pace, TriesASlowProgramOnce)
{
    rv_pace pace = {};
    EXPECT_EQ(fraction_alone(&pace, 10, 1000, 1800), 0.1);
}

/* Two threads began while other processes had the cores, and were idle soon after. */
TEST(Pace, ALongProgramLeavesTheSlowWayAfterAFewRuns)
{
    rv_pace pace = {};
    fraction_alone(&pace, 10, 200, 100);
    EXPECT_TRUE(pace.alone);
    EXPECT_LT(fraction_alone(&pace, 100, 50, 100), 0.15);
}

TEST(Pace, NoticesThatTheMachineHasBecomeBusyOrIdle)
{
    rv_pace pace = {};
    fraction_alone(&pace, 10000, 1, 1.5);
    EXPECT_GT(fraction_alone(&pace, 100, 3, 1.5), 0.8);
    fraction_alone(&pace, 10000, 1, 1.5);
    EXPECT_LT(fraction_alone(&pace, 1000, 1, 1.5), 0.05);
}

} // namespace
