/* What a profile says of a training step: its shares, its phases, its picture. */
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

/* One of the fields, summed over a list of objects. */
double total(const Json &json, const char *list, const char *field)
{
    double sum = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(json.root(), list)) sum +=
        Json::number(item, field);
    return sum;
}

int length(const Json &json, const char *list)
{
    return cJSON_GetArraySize(cJSON_GetObjectItem(json.root(), list));
}

TEST(Profile, SharesAddUpToTheStepInEveryTable)
{
    for (const char *arguments : {"", "curnn-blog", "gru --dtype f64 --classes 0-9",
                                  "conv-ugrnn --channels 2 --size 12 --batch 64 --threads 2"}) {
        SCOPED_TRACE(arguments);
        const Outcome outcome = recurve(std::string("profile --seconds 0.05 --json ") + arguments);
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        const Json json(outcome.out);
        const double seconds = json.number("instruction_seconds");
        EXPECT_GT(seconds, 0);
        EXPECT_GT(json.number("step_seconds"), 0);
        for (const char *list : {"instructions", "by_op", "by_phase"}) {
            EXPECT_NEAR(total(json, list, "share"), 1, 1e-9) << list;
            EXPECT_NEAR(total(json, list, "seconds"), seconds, 1e-9 * seconds) << list;
        }
        EXPECT_EQ(total(json, "by_op", "instructions"), length(json, "instructions"));
        EXPECT_EQ(total(json, "by_phase", "instructions"), length(json, "instructions"));
    }
}

TEST(Profile, LongestFirstOrInTheOrderTheyRun)
{
    const Json by_time(recurve("profile --seconds 0.05 --json").out);
    double before = 1;
    const cJSON *line;
    cJSON_ArrayForEach(line, cJSON_GetObjectItem(by_time.root(), "instructions"))
    {
        EXPECT_LE(Json::number(line, "share"), before);
        before = Json::number(line, "share");
    }
    const Outcome in_order = recurve("profile curnn --seconds 0.05 --sort order --steps 3");
    ASSERT_EQ(in_order.status, 0) << in_order.err;
    size_t at = 0;
    for (const char *part :
         {"forward   step 1 / conv2d(x, Wx", "forward   step 2 / conv2d(multiply_add, Wrec",
          "forward   step 3 / ", "forward   head / matmul(", "gradient  step 3 / ",
          "gradient  step 1 / conv2d_weight_gradient(x, ", "update    Wx"}) {
        at = in_order.out.find(part, at);
        ASSERT_NE(at, std::string::npos) << part << "\n" << in_order.out;
    }
}

TEST(Profile, AForwardPassHasNoGradientsAndNoUpdates)
{
    const Json json(recurve("profile --seconds 0.05 --forward --json").out);
    const cJSON *line;
    cJSON_ArrayForEach(line, cJSON_GetObjectItem(json.root(), "instructions"))
        EXPECT_EQ(Json::text(line, "phase"), "forward");
}

TEST(Profile, TheTimelineHasARectangleForEachThreadsPartOfAnInstruction)
{
    for (const char *threads : {"1", "2"}) {
        SCOPED_TRACE(threads);
        const std::string file = scratch_folder() + "/step.svg";
        const Outcome outcome =
            recurve(std::string("profile --seconds 0.05 --batch 256 --units 4 --json --threads ") +
                    threads + " --timeline " + file);
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        const Json json(outcome.out);
        const std::string svg = slurp(file);
        EXPECT_EQ(json.number("threads"), std::stoi(threads));
        EXPECT_EQ(count(svg, "class=\"instruction\""), total(json, "instructions", "threads"));
        EXPECT_EQ(count(svg, ">thread "), std::stoi(threads));
        EXPECT_EQ(count(svg, "<title>"), count(svg, "</title>"));
        for (const char *part :
             {"<svg ", "</svg>\n", ">forward<", ">gradient<", ">step 2<",
              "step 2 / conv2d(multiply_add [256,4,4,4], Wrecg [4,4,3,3]) [256,4,4,4]"})
            EXPECT_CONTAINS(svg, part);
    }
}

TEST(Profile, WhatFailsIsSaid)
{
    const Outcome small = recurve("profile curnn --size 3");
    EXPECT_EQ(small.status, 1);
    EXPECT_EQ(small.out, "");
    EXPECT_CONTAINS(small.err, "conv2d");
    const Outcome unwritten = recurve("profile --seconds 0.05 --timeline /dev/null/step.svg");
    EXPECT_EQ(unwritten.status, 1);
    EXPECT_EQ(unwritten.out, "");
    EXPECT_CONTAINS(unwritten.err, "/dev/null/step.svg");
}

TEST(Profile, OfAStepThatGoesSliceBySliceIsOne)
{
    const Json json(recurve("profile curnn --batch 8192 --seconds 0.05 --json").out);
    EXPECT_EQ(json.number("threads"), 1);
    const cJSON *line;
    cJSON_ArrayForEach(line, cJSON_GetObjectItem(json.root(), "instructions"))
        EXPECT_EQ(Json::number(line, "threads"), 1);
}

} // namespace
