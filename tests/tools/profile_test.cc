/* What a profile says of a training step: its shares, its phases, its timeline. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/tools/command.h"

namespace {

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
    for (const char *arguments :
         {"", "curnn-blog", "gru --dtype f64 --classes 0-9",
          "conv-ugrnn --channels 2 --image-size 12 --batch-size 64 --threads 2"}) {
        SCOPED_TRACE(arguments);
        const Outcome outcome = recurve(std::string("profile --seconds 0.05 --json ") + arguments);
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        const Json json(outcome.out);
        const double seconds = json.number("instruction_seconds");
        EXPECT_GT(seconds, 0);
        EXPECT_GT(json.number("step_seconds"), 0);
        for (const char *list : {"instructions", "by_op", "by_phase"}) {
            EXPECT_NEAR(total(json, list, "fraction"), 1, 1e-9) << list;
            EXPECT_NEAR(total(json, list, "seconds"), seconds, 1e-9 * seconds) << list;
        }
        EXPECT_EQ(total(json, "by_op", "instructions"), length(json, "instructions"));
        EXPECT_EQ(total(json, "by_phase", "instructions"), length(json, "instructions"));
    }
}

/* Threads begin and end a run together, and what one steals it is busy with. */
TEST(Profile, SaysWhatEachThreadDoes)
{
    for (const int threads : {1, 2, 3}) {
        const Outcome outcome = recurve(
            "profile conv-ugrnn --channels 2 --image-size 12 --json --seconds 0.05 --threads " +
            std::to_string(threads));
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        const Json json(outcome.out);
        ASSERT_EQ(length(json, "by_thread"), threads);
        double run = 0, busy = 0;
        const cJSON *thread;
        cJSON_ArrayForEach(thread, cJSON_GetObjectItem(json.root(), "by_thread"))
        {
            const double own = Json::number(thread, "busy_seconds");
            const double all = own + Json::number(thread, "waiting_seconds");
            if (run == 0) run = all;
            EXPECT_NEAR(all, run, 1e-9 * run);
            EXPECT_GE(Json::number(thread, "waiting_seconds"), -1e-9 * run);
            EXPECT_LE(Json::number(thread, "stolen_seconds"), own);
            busy += own;
        }
        /* A line's time is that of its slowest thread, a median; the threads' are means. */
        EXPECT_GT(busy, 0.5 * json.number("instruction_seconds"));
        if (threads > 1) {
            EXPECT_GT(total(json, "instructions", "waiting_seconds"), 0);
        }
    }
}

/* A small step uses fewer threads than it may. */
TEST(Profile, SaysThatItUsesFewerThreads)
{
    const std::string arguments = "profile gru --units 2 --batch-size 1 --seconds 0.05 --threads ";
    const std::string fewer = "\nthe step uses 1 of 2 threads, which is faster\n";
    EXPECT_CONTAINS(recurve(arguments + "2").out, fewer);
    EXPECT_EQ(recurve(arguments + "1").out.find("the step uses"), std::string::npos);
    const Json json(recurve(arguments + "2 --json").out);
    EXPECT_EQ(json.number("threads"), 1);
    EXPECT_EQ(json.number("threads_asked"), 2);
}

/* If a step takes much longer than its instructions, other processes run. */
TEST(Profile, SaysWhenItWasDisturbed)
{
    const std::string text = recurve("profile gru --seconds 0.05").out;
    double step = 0, instructions = 0;
    const size_t at = text.find("\na step takes ");
    ASSERT_NE(at, std::string::npos) << text;
    ASSERT_EQ(std::sscanf(text.c_str() + at,
                          "\na step takes %lf us, its %*d instructions alone %lf", &step,
                          &instructions),
              2)
        << text;
    const bool said = text.find("\nother processes may have disturbed this; repeat it on an idle "
                                "machine\n") != std::string::npos;
    if (std::abs(step / instructions - 1.5) > 0.01) {
        EXPECT_EQ(said, step > 1.5 * instructions);
    }
}

/* Minimal filtering needs fewer multiplications than the limit counts. */
TEST(Profile, ExplainsWhatIsAboveTheLimit)
{
    const std::string net =
        "profile conv-ugrnn --units 32 --channels 32 --image-size 32 --batch-size 4 ";
    for (const std::string &arguments : {net, std::string("profile gru ")}) {
        const std::string text = recurve(arguments + "--seconds 0.05").out;
        const std::regex percentage("(FMA|L1|L2|L3|memory) +([0-9]+) %  ");
        int highest = 0;
        for (std::sregex_iterator at(text.begin(), text.end(), percentage), end; at != end; ++at)
            highest = std::max(highest, std::stoi((*at)[2]));
        EXPECT_GT(highest, 0) << text;
        EXPECT_EQ(text.find("\nabove 100 %: fewer operations than counted") != std::string::npos,
                  highest > 100)
            << text;
        if (arguments == net) {
            EXPECT_GT(highest, 100) << text;
        }
    }
}

TEST(Profile, LongestFirstOrInTheOrderTheyRun)
{
    const Json by_time(recurve("profile --seconds 0.05 --json").out);
    double before = 1;
    const cJSON *line;
    cJSON_ArrayForEach(line, cJSON_GetObjectItem(by_time.root(), "instructions"))
    {
        EXPECT_LE(Json::number(line, "fraction"), before);
        before = Json::number(line, "fraction");
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

/* Times in the table: of instructions, and of the line that stands for those left out. */
void read_table(const std::string &text, std::vector<double> *shown, double *others, int *count)
{
    static const std::regex row(
        "^ *([0-9.]+) +[0-9.]+ %  *[-0-9.]+ +[-0-9.]+  (FMA|L[123]|RAM|memory) .*");
    static const std::regex rest("^ *([0-9.]+) +[0-9.]+ %  the other ([0-9]+) instructions?; .*");
    std::istringstream in(text);
    std::smatch found;
    *others = *count = 0;
    for (std::string line; std::getline(in, line) && !line.empty();)
        if (std::regex_match(line, found, row)) {
            shown->push_back(std::stod(found[1]));
        } else if (std::regex_match(line, found, rest)) {
            *others = std::stod(found[1]);
            *count = std::stoi(found[2]);
        }
}

/* A table of some instructions says how many are left out and how long they take. */
TEST(Profile, ShowsTheLongestInstructionsAndCountsTheOthers)
{
    const struct {
        const char *options;
        size_t shown; /* 0: all */
    } cases[] = {{"", 20},
                 {" --top 3", 3},
                 {" --top 3 --sort order", 3},
                 {" --top 9999", 0},
                 {" --sort order", 0}};
    for (const auto &c : cases) {
        SCOPED_TRACE(c.options);
        const Outcome outcome = recurve(std::string("profile --seconds 0.05") + c.options);
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        std::vector<double> shown;
        double others, instructions;
        int count, all;
        read_table(outcome.out, &shown, &others, &count);
        const size_t at = outcome.out.find("us, its ");
        ASSERT_NE(at, std::string::npos) << outcome.out;
        ASSERT_EQ(std::sscanf(outcome.out.c_str() + at, "us, its %d instructions alone %lf", &all,
                              &instructions),
                  2);
        EXPECT_EQ(shown.size(), c.shown > 0 ? c.shown : static_cast<size_t>(all));
        EXPECT_EQ(shown.size() + static_cast<size_t>(count), static_cast<size_t>(all));
        const double sum = std::accumulate(shown.begin(), shown.end(), others);
        EXPECT_NEAR(sum, instructions, 0.005 * (static_cast<double>(shown.size()) + 2));
        if (count > 0) {
            EXPECT_LE(others,
                      count * *std::min_element(shown.begin(), shown.end()) + 0.005 * (count + 1));
        }
    }
    EXPECT_EQ(recurve("profile --seconds 0.05 --top 3 --json").status, 2);
}

TEST(Profile, AForwardPassHasNoGradientsAndNoUpdates)
{
    const Json json(recurve("profile --seconds 0.05 --forward --json").out);
    const cJSON *line;
    cJSON_ArrayForEach(line, cJSON_GetObjectItem(json.root(), "instructions"))
        EXPECT_EQ(Json::text(line, "phase"), "forward");
}

TEST(Profile, TheTimelineIsATraceWithASliceForEachThreadsPartOfAnInstruction)
{
    for (int threads : {1, 2}) {
        SCOPED_TRACE(threads);
        const std::string file = scratch_folder() + "/step.json";
        const Outcome outcome =
            recurve("profile --seconds 0.05 --batch-size 256 --units 4 --json --threads " +
                    std::to_string(threads) + " --timeline " + file);
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        const Json json(outcome.out), trace(slurp(file));
        EXPECT_EQ(json.number("threads"), threads);

        int instructions = 0;
        std::map<int, std::string> tracks;
        std::map<std::string, int> groups;
        std::string titles, equations;
        const cJSON *event;
        cJSON_ArrayForEach(event, cJSON_GetObjectItem(trace.root(), "traceEvents"))
        {
            const cJSON *arguments = cJSON_GetObjectItem(event, "args");
            const int track = static_cast<int>(Json::number(event, "tid"));
            if (Json::text(event, "ph") == "M") {
                if (Json::text(event, "name") == "thread_name")
                    tracks[track] = Json::text(arguments, "name");
                else
                    titles += Json::text(arguments, "name");
                continue;
            }
            ASSERT_EQ(Json::text(event, "ph"), "X");
            EXPECT_GE(Json::number(event, "ts"), 0);
            EXPECT_GE(Json::number(event, "dur"), 0);
            EXPECT_EQ(tracks.count(track), 1u);
            if (!arguments) {
                groups[Json::text(event, "name")]++;
                continue;
            }
            instructions++;
            equations += Json::text(arguments, "equation") + Json::text(arguments, "result") + "\n";
            const cJSON *percent = cJSON_GetObjectItem(arguments, "% of limit");
            EXPECT_TRUE(cJSON_IsNull(percent) || cJSON_GetNumberValue(percent) > 0);
            EXPECT_NE(Json::text(arguments, "limit"), "");
        }
        EXPECT_EQ(titles, "curnn, batch 256, training step");
        EXPECT_EQ(instructions, total(json, "instructions", "threads"));
        EXPECT_EQ(tracks.size(), static_cast<size_t>(threads));
        EXPECT_EQ(tracks[threads], "thread " + std::to_string(threads));
        for (const char *phase : {"forward", "gradient", "update"})
            EXPECT_TRUE(groups[phase] >= 1 && groups[phase] <= threads) << phase;
        EXPECT_GE(groups["step 2"], 2);
        EXPECT_CONTAINS(equations, "conv2d(multiply_add [256,4,4,4], Wrecg [4,4,3,3])[256,4,4,4]");
    }
}

/* Slices of a track nest or follow each other: that is how viewers stack them. */
TEST(Profile, SlicesOfTheTimelineNest)
{
    struct slice {
        double begin, end;
    };
    const std::string file = scratch_folder() + "/step.json";
    const Outcome outcome = recurve("profile --seconds 0.05 --threads 2 --timeline " + file);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const Json trace(slurp(file));
    std::map<double, std::vector<slice>> tracks;
    const cJSON *event;
    cJSON_ArrayForEach(event, cJSON_GetObjectItem(trace.root(), "traceEvents"))
    {
        if (Json::text(event, "ph") != "X") continue;
        const double begin = Json::number(event, "ts");
        tracks[Json::number(event, "tid")].push_back({begin, begin + Json::number(event, "dur")});
    }
    for (auto &[track, slices] : tracks) {
        std::stable_sort(slices.begin(), slices.end(),
                         [](const slice &a, const slice &b) { return a.begin < b.begin; });
        std::vector<double> ends;
        for (const slice &s : slices) {
            while (!ends.empty() && ends.back() <= s.begin + 1e-6) ends.pop_back();
            if (!ends.empty()) {
                EXPECT_LE(s.end, ends.back() + 1e-6) << track;
            }
            ends.push_back(s.end);
            EXPECT_LE(ends.size(), 3u); /* phase, scope, instruction */
        }
    }
}

TEST(Profile, WhatFailsIsSaid)
{
    const Outcome small = recurve("profile curnn --image-size 3");
    EXPECT_EQ(small.status, 1);
    EXPECT_EQ(small.out, "");
    EXPECT_CONTAINS(small.err, "conv2d");
    EXPECT_CONTAINS(recurve("profile curnn --size 3").err, "--image-size is the size of images");
    const Outcome unwritten = recurve("profile --seconds 0.05 --timeline /dev/null/step.json");
    EXPECT_EQ(unwritten.status, 1);
    EXPECT_EQ(unwritten.out, "");
    EXPECT_CONTAINS(unwritten.err, "/dev/null/step.json");
}

TEST(Profile, OfAStepThatGoesSliceBySliceIsOne)
{
    const Json json(recurve("profile curnn --batch-size 8192 --seconds 0.05 --json").out);
    EXPECT_EQ(json.number("threads"), 1);
    const cJSON *line;
    cJSON_ArrayForEach(line, cJSON_GetObjectItem(json.root(), "instructions"))
        EXPECT_EQ(Json::number(line, "threads"), 1);
}

} // namespace
