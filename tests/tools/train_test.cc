/* Training and evaluating as a user would: accuracy, determinism, and what is left on disk. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "recurve.h"
#include "tests/reference.h"
#include "tests/tools/command.h"

namespace {

TEST(Train, TellsEveryHeldOutZeroFromEveryOneByDefault)
{
    const Outcome outcome = recurve("train --json");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const Json json(outcome.out);
    EXPECT_EQ(json.text("model"), "curnn");
    EXPECT_EQ(json.text("optimizer"), "momentum");
    EXPECT_EQ(json.number("epochs"), 10);
    EXPECT_LT(json.number("loss"), 0.01);
    EXPECT_EQ(json.number("train_accuracy"), 1);
    EXPECT_EQ(json.number("validation_accuracy"), 1);
    EXPECT_GT(json.number("samples_per_second"), 0);
    EXPECT_EQ(json.text("digest").size(), 32u);
}

/* Trains in this process, as a C program does. */
std::string digest_in_c(const std::vector<std::pair<const char *, const char *>> &options)
{
    rv_error error = {};
    rv_train_config config = rv_train_config_new();
    for (const auto &[key, value] : options)
        EXPECT_TRUE(rv_train_config_set(&config, key, value, &error)) << error.text;
    const std::unique_ptr<rv_trainer, void (*)(rv_trainer *)> trainer(
        rv_trainer_new(&config, &error), rv_trainer_free);
    EXPECT_TRUE(trainer && rv_trainer_fit(trainer.get(), &error)) << error.text;
    return trainer ? rv_trainer_result(trainer.get())->digest : "";
}

TEST(Train, ACProgramAndTheCommandGiveTheSameDigest)
{
    const std::vector<std::vector<std::pair<const char *, const char *>>> runs = {
        {},
        {{"model", "gru"},
         {"classes", "0-4"},
         {"epochs", "2"},
         {"optimizer", "adam"},
         {"schedule", "cosine"},
         {"dropout", "0.2"},
         {"seed", "7"},
         {"threads", "2"}},
        {{"task", "adding"}, {"samples", "300"}, {"epochs", "2"}, {"dtype", "f64"}},
    };
    for (const auto &options : runs) {
        std::string arguments = "train --json";
        for (const auto &[key, value] : options)
            arguments += std::string(" --") + key + " " + value;
        SCOPED_TRACE(arguments);
        const Outcome outcome = recurve(arguments);
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        const std::string digest = Json(outcome.out).text("digest");
        EXPECT_EQ(digest.size(), 32u);
        EXPECT_EQ(digest_in_c(options), digest);
    }
}

TEST(Train, EveryClassifierAndOptimizerLearns)
{
    for (const char *arguments :
         {"--model ugrnn", "--model curnn-blog --epochs 3", "--optimizer adam --learning-rate 0.01",
          "--optimizer adamw --learning-rate 0.01", "--optimizer rmsprop --learning-rate 0.01",
          "--optimizer nesterov", "--optimizer sgd", "--dtype f64", "--classes 3,8 --epochs 20",
          "--batch-size 7", "--batch-size 1000 --epochs 60"}) {
        SCOPED_TRACE(arguments);
        const Outcome outcome = recurve(std::string("train --json ") + arguments);
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        EXPECT_GE(Json(outcome.out).number("validation_accuracy"), 0.95);
    }
}

TEST(Train, LearnsAllTenDigits)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    const std::string effort = "--epochs 3 --units 8";
    const double accuracy = 0.9;
#else
    const std::string effort;
    const double accuracy = 0.97;
#endif
    const Outcome outcome = recurve("train --classes 0-9 --optimizer adam --json " + effort);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_GE(Json(outcome.out).number("validation_accuracy"), accuracy);
}

TEST(Train, SameOptionsGiveTheSameParametersAndOthersDoNot)
{
    const auto digest = [](const std::string &arguments) {
        return Json(recurve("train --epochs 2 --json " + arguments).out).text("digest");
    };
    const std::string first = digest("");
    EXPECT_EQ(digest(""), first);
    EXPECT_EQ(digest("--output " + scratch_folder()), first);
    EXPECT_EQ(digest("--warm-up 0 --patience 0 --average 0 --clip-value 0"), first); /* none */
    EXPECT_NE(digest("--seed 2"), first);
    EXPECT_NE(digest("--learning-rate 0.04"), first);
}

TEST(Train, ZeroTurnsOffWhatAnOptimizerDoesByDefault)
{
    const auto digest = [](const std::string &arguments) {
        return Json(recurve("train --epochs 1 --json " + arguments).out).text("digest");
    };
    EXPECT_EQ(digest("--optimizer adamw --weight-decay 0"), digest("--optimizer adam"));
    EXPECT_NE(digest("--optimizer adamw"), digest("--optimizer adam"));
    EXPECT_EQ(digest("--clip-norm 0 --clip-value 0 --noise 0"), digest(""));
}

TEST(Train, AnyNumberOfThreadsGivesTheSameParameters)
{
    const std::string run =
        "train --epochs 1 --batch-size 128 --units 4 --classes 0-9 --json --threads ";
    const std::string folder = scratch_folder();
    const std::string digest = Json(recurve(run + "1 --output " + folder).out).text("digest");
    for (const char *threads : {"2", "3"})
        EXPECT_EQ(Json(recurve(run + threads).out).text("digest"), digest) << threads;
    const std::string evaluate = "evaluate --json --output " + folder;
    EXPECT_EQ(recurve(evaluate + " --threads 2").out, recurve(evaluate).out);
}

TEST(Train, TellsTheMachinesLimitOnRequest)
{
    const Json json(recurve("train --epochs 1 --limit --json").out);
    EXPECT_GT(json.number("fraction_of_limit"), 0);
    EXPECT_NEAR(json.number("fraction_of_limit") * json.number("limit_samples_per_second"),
                json.number("samples_per_second"), 1e-6 * json.number("samples_per_second"));
    EXPECT_CONTAINS(recurve("train --epochs 1 --limit").out, " MiB for an update\nat most ");
}

TEST(Train, ALineAnEpochOnStdoutAndNoProgressBarInAFile)
{
    const Outcome outcome = recurve("train --epochs 3");
    EXPECT_EQ(outcome.status, 0);
    size_t lines = 0;
    const std::string text = "\n" + outcome.out;
    for (size_t at = 0; (at = text.find("\nepoch ", at)) != std::string::npos; at++) lines++;
    EXPECT_EQ(lines, 3u);
    EXPECT_CONTAINS(outcome.out, " MiB for an update\ndigest ");
    EXPECT_EQ(outcome.err.find('\r'), std::string::npos);

    const Outcome quiet = recurve("train --epochs 3 --quiet");
    EXPECT_EQ(("\n" + quiet.out).find("\nepoch "), std::string::npos);
    EXPECT_EQ(quiet.out.find("validation 100.00 %"), 0u) << quiet.out;
    EXPECT_EQ(quiet.err, "");
}

TEST(Train, ACostThatIsNotFiniteStopsTheRunAndLeavesNoCheckpoint)
{
    const std::string folder = scratch_folder();
    const Outcome outcome = recurve("train --learning-rate 1e38 --output " + folder);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_CONTAINS(outcome.err, "the loss became");
    EXPECT_CONTAINS(outcome.err, "epoch 1");
    EXPECT_CONTAINS(outcome.err, "--learning-rate");
    EXPECT_EQ(run_program("ls", "-A " + folder).out, "config.json\nlog.csv\n");
}

TEST(Train, AFolderThatCannotBeWrittenIsFoundBeforeTraining)
{
    const std::string folder = scratch_folder();
    spit(folder + "/file", "");
    ASSERT_EQ(run_program("mkdir", "-p " + folder + "/taken/config.json").status, 0);
    for (const std::string &output : {folder + "/file", folder + "/file/run", folder + "/taken"}) {
        const Outcome outcome = recurve("train --output " + output);
        EXPECT_EQ(outcome.status, 1) << output;
        EXPECT_EQ(outcome.out, "");
        EXPECT_CONTAINS(outcome.err, "cannot");
        EXPECT_CONTAINS(outcome.err, folder);
    }
}

/* ---- the folder of a run, and evaluating it ---- */

/* A short run in a folder that was not there. */
std::string stored_run(const std::string &arguments, Outcome *outcome)
{
    const std::string folder = scratch_folder() + "/deep/run";
    *outcome = recurve("train --json --output " + folder + " " + arguments);
    EXPECT_EQ(outcome->status, 0) << outcome->err;
    return folder;
}

TEST(Train, OutputHoldsTheCheckpointTheOptionsAndALineAnEpoch)
{
    Outcome trained;
    const std::string folder =
        stored_run("--epochs 3 --learning-rate 0.04 --classes 3-4", &trained);
    EXPECT_EQ(run_program("ls", "-A " + folder).out,
              "best.safetensors\ncheckpoint.previous.safetensors\ncheckpoint.safetensors\n"
              "config.json\nlog.csv\n");
    const Json config(slurp(folder + "/config.json")), result(trained.out);
    EXPECT_EQ(config.text("model"), "curnn");
    EXPECT_EQ(config.text("classes"), "3-4");
    EXPECT_EQ(config.number("learning-rate"), 0.04);
    EXPECT_EQ(config.number("momentum"), 0.9);
    EXPECT_EQ(config.number("epochs"), 3);

    const std::string log = slurp(folder + "/log.csv");
    EXPECT_EQ(
        log.find("epoch,loss,validation_loss,validation_accuracy,validation_error,seconds\n1,"), 0u)
        << log;
    EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 4);
    double mean = 0, loss = 0, validation = 0;
    ASSERT_EQ(
        std::sscanf(log.c_str() + log.rfind("\n3,"), "\n3,%lf,%lf,%lf", &mean, &loss, &validation),
        3);
    EXPECT_NEAR(loss, result.number("validation_loss"), 1e-8 * loss);
    EXPECT_NEAR(validation, result.number("validation_accuracy"), 1e-8);
}

/* A long series with a row per time step is a table whose rows are no sequences. */
TEST(Train, SequencesOfASingleStepAreNoted)
{
    const std::string folder = scratch_folder(), note = "each sequence is a single time step";
    std::string series, windows;
    for (int i = 0; i < 20; i++) {
        series += std::to_string(i) + "," + std::to_string(i % 3) + "\n";
        windows += std::to_string(i) + "," + std::to_string(i + 1) + ",1\n";
    }
    spit(folder + "/series.csv", series);
    spit(folder + "/windows.csv", windows);
    const std::string data = " --numbers --data " + folder;
    const Outcome dry = recurve("train --dry-run --sequence" + data + "/series.csv");
    EXPECT_EQ(dry.status, 0);
    EXPECT_CONTAINS(dry.out, note);
    EXPECT_CONTAINS(recurve("train --epochs 1 --sequence" + data + "/series.csv").err, note);
    for (const std::string &other : {"--sequence" + data + "/windows.csv", data + "/series.csv"}) {
        const Outcome fine = recurve("train --dry-run " + other);
        EXPECT_EQ(fine.status, 0) << fine.err;
        EXPECT_EQ(fine.out.find(note), std::string::npos) << fine.out;
    }
}

TEST(Train, ABestEpochThatIsNotTheLastIsTold)
{
    Outcome trained;
    const std::string options = "--model gru --learning-rate 1 --epochs 4";
    const std::string folder = stored_run(options, &trained);
    const Json result(trained.out);
    const double best = result.number("best_validation_loss");
    std::istringstream log(slurp(folder + "/log.csv"));
    std::string line;
    std::getline(log, line);
    double least = INFINITY, epoch = 0;
    while (std::getline(log, line)) {
        double number = 0, mean = 0, loss = 0;
        ASSERT_EQ(std::sscanf(line.c_str(), "%lf,%lf,%lf", &number, &mean, &loss), 3) << line;
        epoch = loss < least ? number : epoch;
        least = std::min(least, loss);
    }
    EXPECT_NEAR(best, least, 1e-8 * least);
    EXPECT_EQ(result.number("best_epoch"), epoch);
    ASSERT_LT(epoch, 4) << "the last epoch is the best: this tests nothing";

    char text[96];
    std::snprintf(text, sizeof text, "\nbest: epoch %.0f, validation loss %.5g\n", epoch, best);
    EXPECT_CONTAINS(recurve("train " + options).out, text);
    std::snprintf(text, sizeof text, "\nbest: epoch %.0f, validation loss %.5g, in %s\n", epoch,
                  best, "FOLDER/best.safetensors");
    std::string kept = text;
    kept.replace(kept.find("FOLDER"), 6, folder);
    EXPECT_CONTAINS(recurve("train " + options + " --overwrite --output " + folder).out, kept);
    std::snprintf(text, sizeof text, " --epochs %.0f", epoch);
    EXPECT_EQ(recurve("train " + options + text).out.find("best:"), std::string::npos);
}

TEST(Evaluate, AgreesWithTheRunToTheLastBit)
{
    for (const char *arguments :
         {"--epochs 2", "--epochs 1 --model curnn-blog", "--epochs 1 --units 2 --classes 0-4",
          "--epochs 2 --dtype f64", "--epochs 2 --optimizer sgd"}) {
        SCOPED_TRACE(arguments);
        Outcome trained;
        const std::string folder = stored_run(arguments, &trained);
        const Outcome by_folder = recurve("evaluate --json --output " + folder);
        const Outcome by_file =
            recurve("evaluate --json --checkpoint " + folder + "/checkpoint.safetensors");
        ASSERT_EQ(by_folder.status, 0) << by_folder.err;
        EXPECT_EQ(by_file.out, by_folder.out);
        const Json before(trained.out), after(by_folder.out);
        const cJSON *train = cJSON_GetObjectItem(after.root(), "train");
        const cJSON *validation = cJSON_GetObjectItem(after.root(), "validation");
        EXPECT_EQ(after.text("digest"), before.text("digest"));
        EXPECT_EQ(Json::number(train, "loss"), before.number("loss"));
        EXPECT_EQ(Json::number(train, "accuracy"), before.number("train_accuracy"));
        EXPECT_EQ(Json::number(validation, "accuracy"), before.number("validation_accuracy"));

        double images = 0, right = 0;
        int row = 0;
        const cJSON *digit, *answer;
        cJSON_ArrayForEach(digit, cJSON_GetObjectItem(validation, "confusion"))
        {
            cJSON_ArrayForEach(answer, digit) images += answer->valuedouble;
            right += cJSON_GetArrayItem(digit, row++)->valuedouble;
        }
        EXPECT_EQ(images, Json::number(validation, "samples"));
        EXPECT_DOUBLE_EQ(right / images, Json::number(validation, "accuracy"));
    }
}

TEST(Evaluate, PrintsTheConfusionMatrix)
{
    Outcome trained;
    const std::string folder = stored_run("--epochs 5", &trained);
    const Outcome outcome = recurve("evaluate --output " + folder);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_CONTAINS(outcome.out, "(60 samples)");
    EXPECT_CONTAINS(outcome.out, "       0    1\n");
}

TEST(Evaluate, MissingDamagedOrForeignFilesAreNamed)
{
    Outcome trained;
    const std::string folder = stored_run("--epochs 1", &trained);
    const std::string good = slurp(folder + "/checkpoint.safetensors");
    const std::string config = slurp(folder + "/config.json");
    const auto expect_refused = [&](const std::string &arguments, const char *named) {
        const Outcome outcome = recurve("evaluate " + arguments);
        EXPECT_EQ(outcome.status, 1) << arguments;
        EXPECT_EQ(outcome.out, "");
        EXPECT_CONTAINS(outcome.err, named);
    };
    expect_refused("--output " + folder + "/none", "config.json");
    for (size_t size : {size_t(0), size_t(7), size_t(100), good.size() - 1}) {
        spit(folder + "/cut.safetensors", good.substr(0, size));
        expect_refused("--checkpoint " + folder + "/cut.safetensors", "cut.safetensors");
    }
    expect_refused("--output " + folder + " --checkpoint tests/data/curnn_blog.safetensors",
                   "curnn_blog.safetensors");
    expect_refused("--output " + folder + " --checkpoint " + folder + "/none", "none");

    const std::string batch = "\"batch-size\":\t10";
    ASSERT_NE(config.find(batch), std::string::npos) << config;
    const auto with_batch = [&](const char *value) {
        std::string changed = config;
        return changed.replace(config.find(batch), batch.size(), value);
    };
    for (const std::string &bad :
         {std::string(), std::string("[1]"), config.substr(0, config.size() / 2),
          with_batch("\"batch-size\": -1"), with_batch("\"batch-size\": 1e300"),
          with_batch("\"batch-size\": \"10\""), with_batch("\"bath\": 10")}) {
        spit(folder + "/config.json", bad);
        expect_refused("--output " + folder, "config.json");
    }
}

/* Resuming ends with the same bits from either checkpoint, measuring does not: the previous one
 * must be named. */
TEST(Evaluate, MeasuresThePreviousCheckpointOnlyWhenAsked)
{
    Outcome trained;
    const std::string folder = stored_run("--epochs 3", &trained);
    const std::string path = folder + "/checkpoint.safetensors";
    const std::string previous = folder + "/checkpoint.previous.safetensors";
    const std::string ended = Json(trained.out).text("digest");
    std::string bytes = slurp(path);
    bytes[bytes.size() / 2] ^= 4;
    spit(path, bytes);
    const Outcome damaged = recurve("evaluate --json --output " + folder);
    EXPECT_EQ(damaged.status, 1);
    EXPECT_EQ(damaged.out, "");
    EXPECT_CONTAINS(damaged.err, path);
    EXPECT_CONTAINS(damaged.err, "is damaged");
    const Outcome named = recurve("evaluate --json --checkpoint " + previous);
    ASSERT_EQ(named.status, 0) << named.err;
    EXPECT_NE(Json(named.out).text("digest"), ended);
    EXPECT_EQ(recurve("train --quiet --resume " + folder).status, 0);
    EXPECT_EQ(Json(recurve("evaluate --json --output " + folder).out).text("digest"), ended);
}

TEST(Train, AnomalyNamesTheOpAndWritesNoBadCheckpoint)
{
    const std::string folder = scratch_folder(), kept = "config.json\nlog.csv\n";
    const std::string wild = "train --task adding --length 10 --samples 300 --units 4 --quiet "
                             "--optimizer sgd --clip-norm 0 --epochs 2";
    const Outcome plain = recurve(wild + " --learning-rate 1e30 --output " + folder);
    EXPECT_EQ(plain.status, 1);
    EXPECT_CONTAINS(plain.err,
                    "the loss became infinite in epoch 1 at sample 50; try a lower "
                    "--learning-rate than 1e+30, or --anomaly to see where it comes from");
    EXPECT_EQ(run_program("ls", "-A " + folder).out, kept);
    const Outcome watched = recurve(wild + " --learning-rate 1e30 --anomaly --output " + folder);
    EXPECT_EQ(watched.status, 1);
    EXPECT_CONTAINS(watched.err, "epoch 1, batch 2: square: infinity in 50 of 50 elements of "
                                 "y = x^2, the first at [0,0] (x subtract#");
    EXPECT_CONTAINS(watched.err, ", in loss)");
    EXPECT_EQ(run_program("ls", "-A " + folder).out, kept);
}

TEST(Train, AnomalyOfAMeasurementNamesTheOpToo)
{
    const Outcome outcome =
        recurve("train --task adding --length 10 --samples 60 --units 4 --quiet "
                "--optimizer sgd --clip-norm 0 --learning-rate 1e30 --anomaly");
    EXPECT_EQ(outcome.status, 1);
    EXPECT_CONTAINS(outcome.err, "recurve train: measuring: square: infinity in ");
}

/* Adam's mean of squares overflows first, and W learns nothing from then on; a sum that is infinite
 * is added to W batches later. */
TEST(Train, AnomalyLooksAtTheStatesOfOptimizers)
{
    const std::string head = "model m(n=2)\n  input x[n, 1, 8, 8], y[n, 1] ~ integer(0, 1)\n"
                             "  output = flatten(x) @ W[_, 1]\n  loss = ";
    const struct {
        const char *loss, *options, *seen;
    } cases[] = {
        {"mean(square(1e12 * output))", "adam", "square: infinity in "},
        {"mean(sqrt(output - stop_gradient(output)))", "sgd --accumulate 3",
         "divide: infinity in "},
    };
    for (const auto &c : cases) {
        const std::string path = scratch_folder() + "/m.rv";
        spit(path, head + c.loss + "\n");
        const Outcome outcome = recurve("train " + path + " --quiet --clip-norm 0 --anomaly " +
                                        "--batch-size 10 --epochs 1 --optimizer " + c.options);
        EXPECT_EQ(outcome.status, 1) << outcome.out;
        EXPECT_CONTAINS(outcome.err, std::string("epoch 1, batch 1: ") + c.seen);
    }
}

TEST(Train, InitStartsFromTheGivenParametersAndIsStrictAboutThem)
{
    const std::string run = scratch_folder(),
                      init = "train --epochs 1 --digest --init " + run + "/best.safetensors";
    ASSERT_EQ(recurve("train --epochs 2 --output " + run).status, 0);
    const Outcome whole = recurve(init);
    EXPECT_EQ(whole.status, 0) << whole.err;
    EXPECT_NE(whole.out, recurve("train --epochs 1 --digest").out);
    EXPECT_EQ(whole.out, recurve(init + " --partial").out);

    const Outcome shape = recurve(init + " --head-units 7");
    EXPECT_EQ(shape.status, 1);
    EXPECT_CONTAINS(shape.err,
                    "\"fc1/weight\" in the file and in the net differ: [34,16] and [7,16]");
    const Outcome surplus = recurve(init + " --head-units 0");
    EXPECT_EQ(surplus.status, 1);
    EXPECT_CONTAINS(surplus.err, "differ");
    const Outcome lacking = recurve(init + " --learned-start");
    EXPECT_EQ(lacking.status, 1);
    EXPECT_CONTAINS(lacking.err, "the file lacks the parameter \"h0\"");
    EXPECT_EQ(recurve(init + " --learned-start --partial").status, 0);
    EXPECT_EQ(recurve(init + " --model gru --partial").status, 1);

    const Outcome folder = recurve("train --epochs 1 --init " + run);
    EXPECT_EQ(folder.status, 1);
    EXPECT_CONTAINS(folder.err, "is a folder; expected a safetensors file, such as best.safeten");
}

/* A tensor of a type that is not read is not a parameter that the file lacks. */
TEST(Train, InitDropsNoTensorOfATypeThatIsNotRead)
{
    const std::string path = scratch_folder() + "/eight_bits.safetensors";
    const std::string header = R"({"bg":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                               R"("Wxg":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[4,5]}})";
    spit(path, std::string(1, static_cast<char>(header.size())) + std::string(7, 0) + header +
                   std::string(5, 0));
    for (const char *partial : {"", " --partial"}) {
        const Outcome outcome = recurve("train --epochs 1 --init " + path + partial);
        EXPECT_EQ(outcome.status, 1);
        EXPECT_CONTAINS(outcome.err, "\"Wxg\": its type is not read; convert it to F32");
    }
}

const std::string article =
    " --data models/curnn_blog/digits.npz --divide 16 --in-order --validation 10 --init "
    "models/curnn_blog/start.safetensors --dtype f64 --quiet";

/* The sums over the 350 samples of the losses in the epochs of a run in a folder. */
std::vector<double> costs(const std::string &folder)
{
    std::vector<double> costs;
    std::istringstream log(slurp(folder + "/log.csv"));
    std::string line;
    for (std::getline(log, line); std::getline(log, line);)
        costs.push_back(350 * std::stod(line.substr(line.find(',') + 1)));
    return costs;
}

/* What the article's program printed in its first epochs. Later ones depend on how sums are
 * rounded. */
TEST(Train, ThePublishedDerivationGivesThePublishedCosts)
{
    const std::vector<double> published = Reference().f64("epoch_cost");
    for (const char *model : {"models/curnn_blog.rv", "curnn-blog"}) {
        const std::string folder = scratch_folder();
        const Outcome outcome =
            recurve(std::string("train ") + model + article +
                    " --gradients 'as published' --epochs 3 --output " + folder);
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        const std::vector<double> seen = costs(folder);
        ASSERT_EQ(seen.size(), 3u);
        for (size_t i = 0; i < 3; i++) EXPECT_NEAR(seen[i], published[i], 1e-6) << model;
    }
}

TEST(Train, TheCorrectedDerivationTrainsAsAutodiffDoes)
{
    std::vector<double> seen[2];
    for (int i = 0; i < 2; i++) {
        const std::string folder = scratch_folder();
        const Outcome outcome =
            recurve("train models/curnn_blog.rv" + article + " --epochs 3 --output " + folder +
                    " --gradients " + (i ? "corrected" : "autodiff"));
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        seen[i] = costs(folder);
        ASSERT_EQ(seen[i].size(), 3u);
    }
    for (size_t i = 0; i < 3; i++) EXPECT_NEAR(seen[1][i], seen[0][i], 1e-7);
    EXPECT_NEAR(seen[0][0], 18.200308, 1e-6);
}

TEST(Train, ARunOfADerivationResumesAndRepeats)
{
    const std::string folder = scratch_folder(), again = scratch_folder();
    const std::string run =
        "train models/curnn_blog.rv" + article + " --gradients 'as published' --epochs ";
    ASSERT_EQ(recurve(run + "2 --output " + folder).status, 0);
    EXPECT_CONTAINS(slurp(folder + "/config.json"), "\"gradients\":\t\"as published\"");
    EXPECT_CONTAINS(slurp(folder + "/config.json"), "\"in-order\":\ttrue");
    const Outcome resumed = recurve("train --resume " + folder + " --epochs 4 --digest");
    EXPECT_EQ(resumed.status, 0) << resumed.err;
    EXPECT_EQ(resumed.out, recurve(run + "4 --digest").out);
    EXPECT_EQ(resumed.out, recurve("train --config " + folder +
                                   "/config.json --epochs 4 --digest --init "
                                   "models/curnn_blog/start.safetensors")
                               .out);
    EXPECT_NE(resumed.out, recurve("train --config " + folder +
                                   "/config.json --epochs 4 --digest --init "
                                   "models/curnn_blog/start.safetensors --gradients corrected")
                               .out);
    EXPECT_EQ(recurve("evaluate --output " + folder).status, 0);
}

TEST(Train, ConfigIsAFileNotAFolder)
{
    const Outcome outcome = recurve("train --config " + scratch_folder());
    EXPECT_NE(outcome.status, 0);
    EXPECT_CONTAINS(outcome.err, "is a folder; expected a configuration, such as config.json");
}

TEST(Train, AnomalyOfAStateThatIsOlderThanTheRunIsNone)
{
    const std::string folder = scratch_folder();
    spit(folder + "/m.rv",
         "model m(n=2)\n  input x[n, 1, 8, 8], y[n, 1] ~ integer(0, 1)\n"
         "  output = flatten(x) @ W[_, 1]\n  loss = mean(square(1e12 * output))\n");
    const Outcome run = recurve("train " + folder + "/m.rv --quiet --clip-norm 0 --epochs 1 " +
                                "--optimizer adam --output " + folder + "/run");
    ASSERT_EQ(run.status, 0) << run.err;
    const Outcome watched = recurve("train --resume " + folder + "/run --epochs 2 --anomaly");
    EXPECT_EQ(watched.status, 0) << watched.err;
}

TEST(Train, WatchingChangesNoBit)
{
    const std::string run = "train --epochs 2 --optimizer adam --dropout 0.1 --digest";
    const Outcome plain = recurve(run),
                  watched = recurve(run + " --anomaly --norms --output " + scratch_folder());
    EXPECT_EQ(plain.out.size(), 33u) << plain.out;
    EXPECT_EQ(watched.out, plain.out);
}

/* Norms of averaged weights leave the others where they were. */
TEST(Train, UpdatesThatChangeNoParameterAreReportedOnce)
{
    const std::string line = "; try a higher --learning-rate than ";
    const Outcome outcome = recurve("train --epochs 3 --quiet --learning-rate 1e-30");
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.err,
              "recurve train: after 1 epoch all parameters are as before the first update" + line +
                  "1e-30, or look at --learning-rates, --clip-norm, --clip-value, --accumulate and "
                  "--freeze\n");
    for (const char *options : {"--learning-rates '*=0'", "--freeze 'W*' --learning-rates '*=0'",
                                "--clip-norm 1e-30 --digest", "--accumulate 30 --warm-up 9 --json"})
        EXPECT_CONTAINS(recurve(std::string("train --epochs 1 --quiet ") + options).err, line);
    for (const char *options : {"", "--schedule cosine", "--accumulate 40", "--freeze 'W*'"})
        EXPECT_EQ(recurve(std::string("train --epochs 2 --quiet ") + options).err, "") << options;
    const Outcome frozen = recurve("train --epochs 1 --freeze '*'");
    EXPECT_EQ(frozen.status, 1);
    EXPECT_CONTAINS(frozen.err, "all parameters are in groups that are frozen");
}

TEST(Train, NormsOfAResumedRunChangeNoBit)
{
    std::string digest[2];
    for (const bool norms : {false, true}) {
        const std::string folder = scratch_folder();
        ASSERT_EQ(recurve("train --epochs 1 --average 0.9 --quiet --output " + folder).status, 0);
        digest[norms] =
            recurve("train --resume " + folder + " --epochs 2 --digest" + (norms ? " --norms" : ""))
                .out;
    }
    EXPECT_EQ(digest[0].size(), 33u);
    EXPECT_EQ(digest[1], digest[0]);
}

TEST(Train, DigestIsThatOfAnyNumberOfThreads)
{
    for (const char *model : {"curnn", "lstm", "conv-gru"}) {
        const std::string run = std::string("train --model ") + model +
                                " --units 32 --batch-size 128 --epochs 1 --digest --threads ";
        const std::string alone = recurve(run + "1").out;
        EXPECT_EQ(alone.size(), 33u) << alone;
        for (const char *threads : {"2", "3", "4", "8"})
            EXPECT_EQ(recurve(run + threads).out, alone) << model << " on " << threads;
    }
}

TEST(Train, NormsOfStatesAreCalledAsInTheEquations)
{
    const Outcome table =
        recurve("train --task adding --length 8 --model lstm --units 3 --layers 2 "
                "--samples 60 --epochs 1 --norms --quiet");
    for (const char *name : {"\n  layer0/h ", "\n  layer0/c ", "\n  layer1/c ", "\n  layer1/Wi "})
        EXPECT_CONTAINS(table.out, name);
}

TEST(Train, NormsAreATableAFileAPictureAndJson)
{
    const std::string folder = scratch_folder();
    const std::string run = "train --task adding --length 12 --model rnn --units 4 --samples 100 "
                            "--epochs 1 --norms ";
    const Outcome table = recurve(run + "--quiet --plot --output " + folder);
    EXPECT_EQ(table.status, 0) << table.err;
    EXPECT_CONTAINS(table.out, "norms of the gradient at the start, 50 samples\n");
    EXPECT_CONTAINS(table.out, "norms of the gradient at the end, 50 samples\n");
    EXPECT_CONTAINS(table.out, "whole     step 1     step 6    step 12  a step back\n  h ");
    const std::string csv = slurp(folder + "/norms.csv");
    EXPECT_EQ(csv.find("name,kind,step,start,end\n"), 0u) << csv;
    EXPECT_CONTAINS(csv, "\nW,parameter,1,0,0\n");
    EXPECT_CONTAINS(csv, "\nh,state,12,");
    EXPECT_CONTAINS(slurp(folder + "/norms.svg"), "norms of the gradient");
    const Json json(recurve(run + "--json").out);
    const cJSON *rows = cJSON_GetObjectItem(json.root(), "norms");
    ASSERT_EQ(cJSON_GetArraySize(rows), 6);
    const cJSON *row;
    cJSON_ArrayForEach(row, rows)
    {
        EXPECT_EQ(cJSON_GetArraySize(cJSON_GetObjectItem(row, "start")), 13);
        EXPECT_EQ(cJSON_GetArraySize(cJSON_GetObjectItem(row, "end")), 13);
        if (!cJSON_IsTrue(cJSON_GetObjectItem(row, "state"))) continue;
        const double start = cJSON_GetArrayItem(cJSON_GetObjectItem(row, "start"), 12)->valuedouble;
        const double end = cJSON_GetArrayItem(cJSON_GetObjectItem(row, "end"), 12)->valuedouble;
        EXPECT_TRUE(start > 0 && end > 0 && start != end) << start << " " << end;
    }
}

TEST(Train, NormsSayWhatVanishes)
{
    const std::string run = "train --task adding --model rnn --units 4 --samples 60 --epochs 1 "
                            "--norms --quiet --length ";
    const std::string far = recurve(run + "300").out,
                      both = recurve(run + "40 --bidirectional").out;
    for (const std::string &out : {far, both}) {
        EXPECT_CONTAINS(out, ", vanishes\n");
        EXPECT_EQ(out.find("explodes"), std::string::npos) << out;
    }
}

TEST(Train, NormsTellTheFactorOfAStep)
{
    const std::string path = scratch_folder() + "/linear.rv";
    for (const auto &[factor, seen] : {std::pair("2", "  x 2, explodes\n"),
                                       {"0.5", "  x 0.5, vanishes\n"},
                                       {"0.9", "  x 0.9\n"}}) {
        spit(path,
             std::string("cell linear\n  state h\n  map W\n  h' = ") + factor + " * h + W x\n");
        const Outcome outcome =
            recurve("train " + path + " --task adding --length 15 --samples 60 " +
                    "--learning-rate 1e-9 --epochs 1 --norms --quiet");
        EXPECT_CONTAINS(outcome.out, seen);
    }
}

TEST(Train, NormsOfANetWithoutStepsAreThoseOfItsParameters)
{
    const std::string path = scratch_folder() + "/m.rv";
    spit(path, "model m(n=2)\n  input x[n, 1, 8, 8], y[n, 1] ~ integer(0, 1)\n"
               "  output = flatten(x) @ W[_, 1]\n  loss = mean(square(output))\n");
    const Outcome outcome = recurve("train " + path + " --norms --quiet --epochs 1");
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_CONTAINS(outcome.out, "     whole\n  W  ");
    EXPECT_EQ(outcome.out.find("step"), outcome.out.find("step\nnorms")) << outcome.out;
}

} // namespace
