/* The drawings that the command makes of its models. */
#include <gtest/gtest.h>

#include <string>

#include "tests/tools/command.h"

namespace {

int count(const std::string &text, const std::string &part)
{
    int found = 0;
    for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at++) found++;
    return found;
}

TEST(Graph, TwoStepCurnnConvolvesTheInputOncePerKernel)
{
    const Outcome outcome = recurve("graph --model curnn");
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.out.find("digraph"), 0u);
    /* Wxg and Wxc once each; Wrecg and Wrecc at both steps. */
    EXPECT_EQ(count(outcome.out, "[label=\"conv2d\\n"), 2 + 4);
    EXPECT_EQ(count(outcome.out, "[label=\"x\\n[2,1,8,8]\""), 1);
    EXPECT_EQ(count(outcome.out, "label=\"gradient\""), 0);
}

TEST(Graph, TrainingTellsForwardGradientAndUpdateApart)
{
    const Outcome outcome = recurve("graph --training");
    EXPECT_EQ(outcome.status, 0);
    for (const char *part :
         {"label=\"forward\"", "label=\"gradient\"", "label=\"update\"", "assign\\nWxc\\n",
          "conv2d_weight_gradient", "optimizer/learning_rate"})
        EXPECT_CONTAINS(outcome.out, part);
}

TEST(Graph, EveryModelIsDrawnAndAFileHoldsTheSame)
{
    const Json models(recurve("models --json").out);
    const cJSON *model;
    cJSON_ArrayForEach(model, models.root())
    {
        const std::string arguments = "graph --training --model " + Json::text(model, "name");
        const std::string file = scratch_folder() + "/graph.dot";
        const Outcome printed = recurve(arguments);
        const Outcome stored = recurve(arguments + " --output " + file);
        EXPECT_EQ(printed.status, 0) << printed.err;
        EXPECT_EQ(stored.status, 0) << stored.err;
        EXPECT_EQ(stored.out, "");
        EXPECT_EQ(slurp(file), printed.out);
    }
    EXPECT_EQ(recurve("graph --output /dev/null/graph.dot").status, 1);
}

} // namespace
