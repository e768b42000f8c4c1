/* The example programs do what their first lines say. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "recurve.h"
#include "tests/tools/command.h"

namespace {

Outcome example(const char *name, const std::string &arguments = "")
{
    const Outcome outcome = run_program(std::string("tools/examples/") + name, arguments);
    EXPECT_EQ(outcome.status, 0) << name << ": " << outcome.err;
    EXPECT_EQ(outcome.err, "") << name;
    return outcome;
}

TEST(Examples, OpenRunTrainsAKeptRunFurtherAsResumingDoes)
{
    const std::string folder = scratch_folder(), other = scratch_folder();
    for (const std::string &run : {folder, other})
        ASSERT_EQ(recurve("train --epochs 2 --output " + run).status, 0);
    const Outcome outcome = example("open_run", folder + " 4");
    EXPECT_EQ(recurve("train --resume " + other + " --epochs 4 --quiet").status, 0);
    EXPECT_EQ(slurp(folder + "/best.safetensors"), slurp(other + "/best.safetensors"));
    double loss = 1, output = 0;
    EXPECT_EQ(std::sscanf(outcome.out.c_str(), "validation loss %lf\noutput %lf", &loss, &output),
              2)
        << outcome.out;
    EXPECT_LT(loss, 0.5);
}

TEST(Examples, TrainCurnnGetsTheValidationDigitsRightAndResumes)
{
    const std::string folder = scratch_folder();
    const Outcome outcome = example("train_curnn", folder);
    double loss = 1, accuracy = 0;
    ASSERT_EQ(std::sscanf(outcome.out.c_str(), "validation: loss %lf, %lf %%", &loss, &accuracy), 2)
        << outcome.out;
    EXPECT_LT(loss, 0.01);
    EXPECT_EQ(accuracy, 100);
    const std::string checkpoint = slurp(folder + "/checkpoint.safetensors");
    EXPECT_EQ(example("train_curnn", folder).out, outcome.out);
    EXPECT_TRUE(slurp(folder + "/checkpoint.safetensors") == checkpoint) << "trained again";
}

TEST(Examples, NewCellIsProvedAndLearnsTheDigits)
{
    const Outcome outcome = example("new_cell");
    EXPECT_CONTAINS(outcome.out, ", right");
    double accuracy = 0;
    const size_t at = outcome.out.find("validation:");
    ASSERT_NE(at, std::string::npos) << outcome.out;
    ASSERT_EQ(std::sscanf(outcome.out.c_str() + at, "validation: %lf %%", &accuracy), 1);
    EXPECT_GE(accuracy, 95);
}

TEST(Examples, TextCellIsProvedAndLearnsToAdd)
{
    const Outcome outcome = example("text_cell");
    EXPECT_CONTAINS(outcome.out, ", right");
    double error = 1;
    const size_t at = outcome.out.find("validation:");
    ASSERT_NE(at, std::string::npos) << outcome.out;
    ASSERT_EQ(std::sscanf(outcome.out.c_str() + at, "validation: squared error %lf", &error), 1);
    EXPECT_LT(error, 0.02); /* baseline: 0.17 */
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

TEST(Examples, RtrlIsTheGradientOfBackPropagationThroughTimeAndOthersPointInItsDirection)
{
    const Outcome outcome = example("rtrl");
    std::istringstream lines(outcome.out);
    std::string line, name;
    int parameters = 0;
    for (; std::getline(lines, line) && line.find("largest") != std::string::npos; parameters++) {
        double gradient = 0, difference = 1;
        ASSERT_EQ(std::sscanf(line.c_str(), "%*s %*s largest gradient %lf, largest difference %lf",
                              &gradient, &difference),
                  2)
            << line;
        EXPECT_GT(gradient, 1e-4) << line;
        EXPECT_LE(difference, 1e-12) << line;
    }
    EXPECT_EQ(parameters, 2 * 9); /* by RTRL and by e-prop */
    std::vector<double> cosines;
    for (; std::getline(lines, line);) {
        const size_t at = line.find("cosine ");
        if (at != std::string::npos) cosines.push_back(std::stod(line.substr(at + 7)));
    }
    ASSERT_EQ(cosines.size(), 5u) << outcome.out; /* RTRL, e-prop, truncated to 6, 3 and 1 steps */
    EXPECT_EQ(cosines[0], 1);
    EXPECT_GT(cosines[1], 0.95);
    EXPECT_LT(cosines[1], 0.9999);
    for (size_t i = 2; i < 5; i++) {
        EXPECT_GT(cosines[i], 0.5);
        EXPECT_LT(cosines[i], cosines[i - 1]);
    }
}

/* The last validation error or loss that a command prints. */
double trained(const std::string &arguments, const std::string &field)
{
    const Outcome outcome = recurve("train --json " + arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.status ? 1e9 : Json(outcome.out).number(field.c_str());
}

TEST(Examples, TheGradientPenaltyTrainsByItsDerivationAsByAutodiff)
{
    const std::string penalty = "tools/examples/gradient_penalty.rv --epochs 3 --dtype f64";
    const double loss = trained(penalty, "validation_loss");
    EXPECT_LT(loss, 0.1);
    EXPECT_NEAR(trained(penalty + " --gradients loss", "validation_loss"), loss, 1e-9);
}

/* Sines of random amplitudes and phases: five points, and a sixth. Their variance is 1.3. */
TEST(Examples, MetaLearningLearnsSinesFromFivePoints)
{
    const std::string data = scratch_folder() + "/sines.csv";
    std::string rows;
    for (uint64_t task = 0; task < 2000; task++) {
        const auto random = [&](uint64_t k) {
            return rv_random_uniform(rv_seed(1, "sines"), 8 * task + k);
        };
        std::string inputs, targets;
        double u = 0, v = 0;
        for (uint64_t k = 0; k < 6; k++) {
            u = 6 * random(k) - 3;
            v = (0.5 + 2 * random(6)) * std::sin(u + 6.28 * random(7));
            inputs += (k == 5 ? targets : "") + std::to_string(u) + ",";
            targets += std::to_string(v) + ",";
        }
        rows += inputs + std::to_string(v) + "\n";
    }
    spit(data, rows);
    EXPECT_LT(trained("tools/examples/meta_learning.rv --numbers --epochs 40 --data " + data,
                      "validation_error"),
              0.7);
}

TEST(Examples, TestTimeTrainingLearnsToAdd)
{
    for (const char *cell : {"ttt", "descent"})
        EXPECT_LT(trained(std::string("tools/examples/test_time_training.rv:") + cell +
                              " --task adding --length 10 --units 16 --samples 2000 --epochs 12",
                          "validation_error"),
                  0.1) /* baseline: 0.17 */
            << cell;
}

TEST(Examples, NewOptimizerMinimizes)
{
    const Outcome outcome = example("new_optimizer");
    double signum = 1;
    ASSERT_EQ(std::sscanf(outcome.out.c_str(), "loss after 200 updates: signum %lf", &signum), 1)
        << outcome.out;
    EXPECT_LT(signum, 0.01);
}

TEST(Examples, OwnMemoryIsAllThatTheLibraryGets)
{
    const Outcome outcome = example("own_memory");
    EXPECT_CONTAINS(outcome.out, ", 0 bytes after the end\n");
    EXPECT_CONTAINS(outcome.out, "32768 samples at a time: out of memory");
}

TEST(Examples, NewOpsAreProvedAndGiveTheSameBitsOnSeveralThreads)
{
    const Outcome outcome = example("new_op");
    EXPECT_CONTAINS(outcome.out, "softsign: y = x / (1 + |x|), proved\n");
    EXPECT_CONTAINS(outcome.out, "roll: y[.., (i + by) mod n] = x[.., i], proved\n");
    double loss[2] = {9, 9};
    char digest[2][33] = {"", "-"};
    const size_t one = outcome.out.find("1 thread:"), two = outcome.out.find("2 threads:");
    ASSERT_NE(one, std::string::npos) << outcome.out;
    ASSERT_NE(two, std::string::npos) << outcome.out;
    ASSERT_EQ(std::sscanf(outcome.out.c_str() + one, "1 thread: loss %lf, parameters %32s",
                          &loss[0], digest[0]),
              2);
    ASSERT_EQ(std::sscanf(outcome.out.c_str() + two, "2 threads: loss %lf, parameters %32s",
                          &loss[1], digest[1]),
              2);
    EXPECT_LT(loss[0], 0.4); /* baseline: ln 10 = 2.3 */
    EXPECT_STREQ(digest[0], digest[1]);
}

TEST(Examples, CharacterModelLearnsToWrite)
{
    const Outcome outcome = example("character_model");
    double unigram = 0, bits = 9;
    ASSERT_EQ(std::sscanf(outcome.out.c_str(), "constant probabilities: %lf", &unigram), 1)
        << outcome.out;
    const size_t unseen = outcome.out.find("text it has not seen:");
    ASSERT_NE(unseen, std::string::npos) << outcome.out;
    ASSERT_EQ(std::sscanf(outcome.out.c_str() + unseen, "text it has not seen: %lf", &bits), 1);
    EXPECT_GT(unigram, 4);
    EXPECT_LT(bits, unigram / 4);

    /* What it writes are words of the text, which the program's source lists. */
    const std::string source = slurp("tools/examples/character_model.c");
    int words = 0, known = 0, lines = 0;
    std::istringstream out(outcome.out);
    for (std::string line; std::getline(out, line);) {
        if (line.rfind("writes: ", 0) != 0) continue;
        std::istringstream in(line.substr(8));
        lines++;
        for (std::string word; in >> word; words++) {
            while (!word.empty() && std::ispunct(static_cast<unsigned char>(word.back())))
                word.pop_back();
            known += source.find("\"" + word + " \"") != std::string::npos ||
                     source.find(" " + word) != std::string::npos ||
                     source.find("\"" + word + "\"") != std::string::npos;
        }
    }
    EXPECT_EQ(lines, 3);
    EXPECT_GE(words, 9) << outcome.out;
    EXPECT_GE(known, 0.8 * words) << outcome.out;
}

TEST(Examples, VideoPredictsBetterThanWithoutANet)
{
    const std::string strip = scratch_folder() + "/strip.pgm";
    const Outcome outcome = example("video", "3 " + strip);
    double error = 9, baseline = 0; /* the better of the mean and the last frame */
    const size_t at = outcome.out.find("new frames:");
    ASSERT_NE(at, std::string::npos) << outcome.out;
    ASSERT_EQ(std::sscanf(outcome.out.c_str() + at,
                          "new frames: mean squared error %lf; the mean: %lf", &error, &baseline),
              2);
    EXPECT_LT(error, 0.75 * baseline);

    /* Frames to come above, predictions below: bright where the digits are. */
    const std::string image = slurp(strip), header = "P5 96 32 255\n";
    ASSERT_EQ(image.size(), header.size() + 96 * 32);
    EXPECT_EQ(image.substr(0, header.size()), header);
    double on = 0, off = 0, on_count = 0, off_count = 0;
    for (size_t i = 0; i < 96 * 16; i++) {
        const auto truth = static_cast<unsigned char>(image[header.size() + i]);
        const auto seen = static_cast<unsigned char>(image[header.size() + 96 * 16 + i]);
        (truth > 127 ? on : off) += seen;
        (truth > 127 ? on_count : off_count)++;
    }
    EXPECT_GT(on / on_count, 2 * off / off_count);
}

TEST(Examples, SequencesNeedBothDirections)
{
    const Outcome outcome = example("sequences");
    double forward = 0, both = 0;
    ASSERT_EQ(std::sscanf(outcome.out.c_str(),
                          "forward: %lf %% right\nboth directions: %lf %% right", &forward, &both),
              2)
        << outcome.out;
    EXPECT_GT(forward, 75);
    EXPECT_LT(forward, 92);
    EXPECT_GT(both, 95);
}

TEST(Examples, CheckpointResumesBitForBit)
{
    const Outcome outcome = example("checkpoint", scratch_folder() + "/run.safetensors");
    EXPECT_CONTAINS(outcome.out, "the same bits\n");
    char whole[33] = "", resumed[33] = "-";
    const size_t first = outcome.out.find("uninterrupted:"), second = outcome.out.find("resumed:");
    ASSERT_NE(first, std::string::npos) << outcome.out;
    ASSERT_NE(second, std::string::npos) << outcome.out;
    ASSERT_EQ(std::sscanf(outcome.out.c_str() + first, "uninterrupted: %32s", whole), 1);
    ASSERT_EQ(std::sscanf(outcome.out.c_str() + second, "resumed: %32s", resumed), 1);
    EXPECT_STREQ(whole, resumed);
}

/* The bar that the project sets itself. */
TEST(Examples, AWholeTrainingProgramHasAtMost25Lines)
{
    const std::string source = slurp("tools/examples/train_curnn.c");
    ASSERT_NE(source, "");
    EXPECT_LE(std::count(source.begin(), source.end(), '\n'), 25);
}

} // namespace
