/* Comparing cells and optimizers: a row for each pair, and each run that of `recurve train`. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/tools/command.h"

namespace {

const std::string small = " --epochs 2 --units 4 --head-units 6";

/* The part of the list for a model with an optimizer. */
const cJSON *find_pair(const Json &list, const std::string &model, const std::string &optimizer)
{
    const cJSON *pair;
    cJSON_ArrayForEach(pair, list.root())
    {
        if (Json::text(pair, "model") == model && Json::text(pair, "optimizer") == optimizer)
            return pair;
    }
    return nullptr;
}

const cJSON *run_of(const cJSON *pair, int k)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItem(pair, "runs"), k);
}

TEST(Compare, MarksAllThatAreWithinTwoStandardErrorsOfTheBest)
{
    const Json json(recurve("compare --models gru,rnn,fastgrnn --optimizers adam,sgd --seeds 3 "
                            "--json" +
                            small)
                        .out);
    const auto number = [](const cJSON *pair, const char *name) {
        return Json::number(pair, name);
    };
    const cJSON *pair, *first = json.root()->child;
    cJSON_ArrayForEach(pair, json.root()) if (number(pair, "best_accuracy") >
                                              number(first, "best_accuracy")) first = pair;
    int marked = 0, others = 0;
    cJSON_ArrayForEach(pair, json.root())
    {
        const double error = std::hypot(number(first, "best_accuracy_spread"),
                                        number(pair, "best_accuracy_spread")) /
                             std::sqrt(3);
        const bool within =
            number(first, "best_accuracy") - number(pair, "best_accuracy") <= 2 * error;
        EXPECT_EQ(cJSON_IsTrue(cJSON_GetObjectItem(pair, "best")), within);
        (within ? marked : others)++;
    }
    EXPECT_GE(marked, 2);
    EXPECT_GE(others, 1);
}

TEST(Compare, PrintsARowForEachPair)
{
    const Outcome outcome =
        recurve("compare --models curnn,gru --optimizers momentum,adam" + small);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    size_t from = 0;
    for (const char *row : {"model ", "curnn             momentum ", "curnn             adam ",
                            "gru               momentum ", "gru               adam "}) {
        const size_t at = outcome.out.find(row, from);
        ASSERT_NE(at, std::string::npos) << row << "\n" << outcome.out;
        from = at;
    }
    EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 6);
    EXPECT_CONTAINS(outcome.out, "baseline: the most frequent label ");
    EXPECT_EQ(outcome.out.find("  best\n"), std::string::npos) << "one seed shows no noise";
    EXPECT_CONTAINS(outcome.err,
                    "digits 0,1: 360 images [1,8,8]; target: one of 2 classes; 300 for training, "
                    "60 for validation\n4 runs, seed 1\n");
    EXPECT_EQ(outcome.err.find('\r'), std::string::npos);
    EXPECT_EQ(recurve("compare --quiet --models gru" + small).err, "");
}

TEST(Compare, EachRunIsThatOfTrain)
{
    const Outcome outcome = recurve(
        "compare --json --models curnn,lstm --optimizers momentum,adam --seeds 2 --seed 3" + small);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    const Json list(outcome.out);
    EXPECT_EQ(cJSON_GetArraySize(list.root()), 4);
    for (const char *model : {"curnn", "lstm"})
        for (const char *optimizer : {"momentum", "adam"}) {
            SCOPED_TRACE(std::string(model) + " " + optimizer);
            const cJSON *pair = find_pair(list, model, optimizer);
            ASSERT_NE(pair, nullptr);
            EXPECT_GT(Json::number(pair, "parameters"), 0);
            double best = 0;
            for (int k = 0; k < 2; k++) {
                const std::string seed = std::to_string(3 + k);
                const Json alone(recurve("train --json --model " + std::string(model) +
                                         " --optimizer " + optimizer + " --seed " + seed + small)
                                     .out);
                const cJSON *run = run_of(pair, k);
                EXPECT_EQ(Json::number(run, "seed"), 3 + k);
                EXPECT_EQ(Json::text(run, "digest"), alone.text("digest"));
                EXPECT_EQ(Json::number(run, "validation_loss"), alone.number("validation_loss"));
                best += Json::number(run, "best_epoch") / 2;
            }
            EXPECT_DOUBLE_EQ(Json::number(pair, "epochs_to_best"), best);
            EXPECT_GE(Json::number(pair, "best_accuracy_spread"), 0);
        }
}

/* Each cell gets the units with which it is nearest, and its run is that of `train` with as
 * many. */
TEST(Compare, CellsCanHaveEqualNumbersOfParameters)
{
    const std::string task = " --task adding --length 4 --samples 60 --epochs 1 --json";
    const Json json(recurve("compare --models gru,lstm,conv-gru --kernel 3 --task moving-digits "
                            "--length 4 --samples 12 --epochs 1 --parameters 2000 --json")
                        .out),
        dense(recurve("compare --models rnn,gru,lstm,lru --parameters 1500" + task).out);
    for (const Json *list : {&json, &dense}) {
        const double target = list == &json ? 2000 : 1500;
        const cJSON *row;
        cJSON_ArrayForEach(row, list->root())
            EXPECT_NEAR(Json::number(row, "parameters"), target, 0.1 * target);
    }
    const cJSON *lstm = find_pair(dense, "lstm", "adam");
    const auto with = [&](double units) {
        return Json(
            recurve("compare --models lstm --units " + std::to_string(int(units)) + task).out);
    };
    EXPECT_EQ(Json(recurve("train --model lstm --parameters 1500" + task).out).number("parameters"),
              Json::number(lstm, "parameters"));
    const double units = Json::number(lstm, "units");
    const auto off = [](const cJSON *row) {
        return std::abs(Json::number(row, "parameters") - 1500);
    };
    const Json same = with(units), less = with(units - 1), more = with(units + 1);
    EXPECT_EQ(Json::text(run_of(lstm, 0), "digest"),
              Json::text(run_of(same.root()->child, 0), "digest"));
    EXPECT_LE(off(lstm), std::min(off(less.root()->child), off(more.root()->child)));
}

TEST(Compare, RefusesNumbersOfParametersThatNoNetHas)
{
    const Outcome few = recurve("compare --models lstm --task adding --parameters 10");
    EXPECT_EQ(few.status, 2);
    EXPECT_CONTAINS(few.err,
                    "lstm with the default optimizer, seed 1: --parameters: got 10, but the "
                    "nearest number that a "
                    "net of lstm has is 18, with 1 --units; expected a number within 10 %");
    EXPECT_CONTAINS(recurve("train --units 7 --parameters 300").err,
                    "--units 7 and --parameters 300: which of the two? Give one");
    EXPECT_CONTAINS(recurve("train --model curnn-blog --parameters 300").err,
                    "--parameters: model \"curnn-blog\" has sizes of its own; leave it out");
}

TEST(Compare, ARateGoesToAllOthersHaveTheirOwn)
{
    const auto digest = [](const std::string &arguments) {
        const Outcome outcome = recurve(arguments);
        EXPECT_EQ(outcome.status, 0) << outcome.err;
        const Json json(outcome.out);
        return cJSON_IsArray(json.root())
                   ? Json::text(run_of(cJSON_GetArrayItem(json.root(), 0), 0), "digest")
                   : json.text("digest");
    };
    const std::string rest = " --json --learning-rate 0.02" + small;
    EXPECT_EQ(digest("compare --models gru --optimizers adam" + rest),
              digest("train --model gru --optimizer adam" + rest));
    EXPECT_EQ(digest("compare --models gru" + rest), digest("train --model gru" + rest));
    EXPECT_EQ(digest("compare --optimizers adam" + rest), digest("train --optimizer adam" + rest));
}

TEST(Compare, WritesEachRunTheTableAndThePictures)
{
    const std::string folder = scratch_folder() + "/with 'quotes'";
    const Outcome outcome = recurve("compare --models ugrnn,gru --seeds 2 --plot --sort score" +
                                    small + " --output \"" + folder + "\"");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(run_program("ls", "-A \"" + folder + "\"").out,
              "compare.csv\ncompare.png\ncompare.svg\ngru-momentum-1\ngru-momentum-2\n"
              "ugrnn-momentum-1\nugrnn-momentum-2\n");
    EXPECT_EQ(run_program("ls", "-A \"" + folder + "/gru-momentum-2\"").out,
              "best.safetensors\ncheckpoint.previous.safetensors\ncheckpoint.safetensors\nconfig."
              "json\ncurves.png\ncurves.svg\n"
              "log.csv\n");
    EXPECT_EQ(Json(slurp(folder + "/gru-momentum-2/config.json")).number("seed"), 2);
    const std::string table = slurp(folder + "/compare.csv");
    EXPECT_EQ(table.find("model,optimizer,gradients,seeds,parameters,best_accuracy,"), 0u) << table;
    EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 3);
    EXPECT_EQ(slurp(folder + "/compare.png").substr(1, 3), "PNG");
    const std::string svg = slurp(folder + "/compare.svg");
    EXPECT_CONTAINS(svg, "<svg");
    EXPECT_CONTAINS(svg, "ugrnn");
    EXPECT_CONTAINS(outcome.out, " +- ");
    const Outcome again = recurve("evaluate --json --output \"" + folder + "/gru-momentum-1\"");
    EXPECT_EQ(again.status, 0) << again.err;
}

/* The article's net, with its derivation, the corrected one, and without any. */
TEST(Compare, DerivationsStandBesideAutodiff)
{
    const std::string folder = scratch_folder();
    const std::string rest = " --data models/curnn_blog/digits.npz --divide 16 --in-order --init "
                             "models/curnn_blog/start.safetensors --dtype f64 --epochs 2 --json";
    const std::string model = "models/curnn_blog.rv";
    const Outcome outcome =
        recurve("compare --models " + model + " --gradients 'as published,corrected,autodiff'" +
                rest + " --plot --output " + folder);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const Json json(outcome.out);
    ASSERT_EQ(cJSON_GetArraySize(json.root()), 3);
    double loss[3];
    for (int i = 0; i < 3; i++) {
        const cJSON *row = cJSON_GetArrayItem(json.root(), i);
        const std::string title = Json::text(row, "gradients");
        const Json alone(recurve("train " + model + " --gradients '" + title + "'" + rest).out);
        EXPECT_EQ(Json::text(run_of(row, 0), "digest"), alone.text("digest")) << title;
        loss[i] = Json::number(run_of(row, 0), "validation_loss");
    }
    EXPECT_NEAR(loss[1], loss[2], 1e-9);
    EXPECT_GT(loss[0], 2 * loss[2]);
    const std::string table = slurp(folder + "/compare.csv"), svg = slurp(folder + "/compare.svg");
    EXPECT_CONTAINS(table, model + ",momentum,as published,1,646,");
    EXPECT_CONTAINS(svg, "as published");
    EXPECT_CONTAINS(svg, "corrected");
    EXPECT_CONTAINS(slurp(folder + "/models_curnn_blog.rv-momentum-as_published/config.json"),
                    "\"as published\"");
}

TEST(Compare, NumbersAndTextsHaveTheirOwnScores)
{
    const Json adding(recurve("compare --json --models rnn,gru --task adding --length 5 "
                              "--samples 200" +
                              small)
                          .out);
    EXPECT_GT(Json::number(find_pair(adding, "gru", "adam"), "best_error"), 0);
    const std::string text = scratch_folder() + "/words";
    std::string words;
    for (int i = 0; i < 200; i++) words += "to be or not to be\n";
    spit(text, words);
    const Json spoken(recurve("compare --json --models gru --length 8 --data " + text + small).out);
    EXPECT_GT(Json::number(find_pair(spoken, "gru", "adam"), "best_bits_per_character"), 0);
}

/* Errors around 1e16 that differ by 1e7: no square of one holds the difference. */
TEST(Compare, TheSpreadOfLargeScoresIsThatOfTheirDeviations)
{
    const std::string table = scratch_folder() + "/large.csv";
    std::string rows;
    for (int i = 0; i < 60; i++) rows += "0." + std::to_string(i + 10) + ",100000000\n";
    spit(table, rows);
    const Json json(recurve("compare --json --models gru --optimizers sgd --seeds 3 --numbers "
                            "--dtype f64 --learning-rate 1e-20 --epochs 1 --data " +
                            table)
                        .out);
    const cJSON *pair = find_pair(json, "gru", "sgd");
    ASSERT_NE(pair, nullptr);
    double mean = 0, squares = 0;
    for (int k = 0; k < 3; k++) mean += Json::number(run_of(pair, k), "validation_loss") / 3;
    for (int k = 0; k < 3; k++)
        squares += std::pow(Json::number(run_of(pair, k), "validation_loss") - mean, 2);
    const double spread = std::sqrt(squares / 2);
    EXPECT_GT(spread, 1e6);
    EXPECT_NEAR(Json::number(pair, "last_error_spread"), spread, 1e-4 * spread);
}

/* Steps as large as these take the weights to some thousands: to the power of the sequence's length
 * a plain net's states have them, a gated one's are bounded. */
TEST(Compare, ADivergedRunIsARowAndTheOthersGoOn)
{
    const std::string wild = " --optimizers sgd --learning-rate 1000 --task adding --length 30 "
                             "--samples 300 --plot" +
                             small + " --output " + scratch_folder();
    const Outcome all = recurve("compare --models irnn" + wild);
    EXPECT_EQ(all.status, 1);
    EXPECT_CONTAINS(all.out, "diverged\n");
    EXPECT_CONTAINS(all.err, "every run diverged");

    const std::string folder = scratch_folder();
    const Outcome some =
        recurve("compare --models irnn,gru --sort score" + wild + " --output " + folder);
    ASSERT_EQ(some.status, 0) << some.out << some.err;
    EXPECT_LT(some.out.find("gru "), some.out.find("irnn "));
    EXPECT_CONTAINS(some.out, "diverged\n");
    EXPECT_CONTAINS(slurp(folder + "/compare.csv"), "irnn,sgd,autodiff,1,,diverged,");
    EXPECT_EQ(slurp(folder + "/compare.png").substr(1, 3), "PNG");
    EXPECT_EQ(slurp(folder + "/compare.svg").find("irnn"), std::string::npos);
    EXPECT_CONTAINS(recurve("compare --overwrite --json --models irnn,gru" + wild).out,
                    "\"diverged\":\ttrue");
}

TEST(Compare, RefusesWhatTrainRefusesAndNamesTheRun)
{
    const struct {
        const char *arguments;
        std::vector<const char *> words;
    } refusals[] = {
        {"", {"--models MODEL,.."}},
        {"--models curnn,gur", {"\"gur\"", "did you mean \"gru\"?"}},
        {"--models curnn,,gru", {"unknown model \"\""}},
        {"--models gru --optimizers adma", {"\"adma\"", "did you mean \"adam\"?"}},
        {"--models gru,lstm,gru", {"--models", "gru comes twice"}},
        {"--models gru --plot", {"--output DIR"}},
        {"--models gru --sort best", {"--sort", "given or score"}},
        {"--models gru --seeds 0", {"--seeds", "\"0\""}},
        {"--models gru,update-gate", {"update-gate with", "does not take these data"}},
        {"--models gru --optimizers adam,sgd --momentum 0.5", {"gru with sgd, seed 1", "none"}},
        {"--modles gru", {"\"--modles\"", "did you mean \"--models\"?"}},
        {"--models gru --pictures", {"\"--pictures\""}},
    };
    for (const auto &refusal : refusals) {
        SCOPED_TRACE(refusal.arguments);
        const Outcome outcome = recurve(std::string("compare ") + refusal.arguments);
        EXPECT_EQ(outcome.status, 2);
        EXPECT_EQ(outcome.out, "");
        for (const char *words : refusal.words) EXPECT_CONTAINS(outcome.err, words);
    }
}

} // namespace
