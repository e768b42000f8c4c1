/* The example programs do what their first lines say. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "tests/tools/command.h"

namespace {

Outcome example(const char *name)
{
    const Outcome outcome = run_program(std::string("tools/examples/") + name);
    EXPECT_EQ(outcome.status, 0) << name << ": " << outcome.err;
    EXPECT_EQ(outcome.err, "") << name;
    return outcome;
}

TEST(Examples, TrainCurnnGetsTheHeldOutDigitsRight)
{
    const Outcome outcome = example("train_curnn");
    double cost = 1, accuracy = 0;
    ASSERT_EQ(std::sscanf(outcome.out.c_str(), "held out: cost %lf, %lf %%", &cost, &accuracy), 2)
        << outcome.out;
    EXPECT_LT(cost, 0.01);
    EXPECT_EQ(accuracy, 100);
}

TEST(Examples, NewCellIsProvedAndLearnsTheDigits)
{
    const Outcome outcome = example("new_cell");
    EXPECT_CONTAINS(outcome.out, ", ok\n");
    double accuracy = 0;
    const size_t at = outcome.out.find("held out:");
    ASSERT_NE(at, std::string::npos) << outcome.out;
    ASSERT_EQ(std::sscanf(outcome.out.c_str() + at, "held out: %lf %%", &accuracy), 1);
    EXPECT_GE(accuracy, 95);
}

TEST(Examples, UpdateGateLearnsTheArticlesFiveSequences)
{
    const Outcome outcome = example("update_gate");
    double target = 0, answer = 0;
    int lines = 0;
    for (size_t at = 0; (at = outcome.out.find("target", at)) != std::string::npos; at++, lines++) {
        ASSERT_EQ(std::sscanf(outcome.out.c_str() + at, "target %lf, answer %lf", &target, &answer),
                  2);
        EXPECT_NEAR(answer, target, 0.2);
    }
    EXPECT_EQ(lines, 5);
}

TEST(Examples, NewOptimizerMinimizes)
{
    const Outcome outcome = example("new_optimizer");
    double signum = 1;
    ASSERT_EQ(std::sscanf(outcome.out.c_str(), "cost after 200 updates: signum %lf", &signum), 1)
        << outcome.out;
    EXPECT_LT(signum, 0.01);
}

/* The bar that the project sets itself. */
TEST(Examples, AWholeTrainingProgramHasAtMost25Lines)
{
    const std::string source = slurp("tools/examples/train_curnn.c");
    ASSERT_NE(source, "");
    EXPECT_LE(std::count(source.begin(), source.end(), '\n'), 25);
}

} // namespace
