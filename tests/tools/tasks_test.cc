/* Training on every kind of data: generated tasks, files, films, texts; repeated, resampled,
 * stopped early. */
#include <map>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "tests/tools/command.h"

namespace {

Json train(const std::string &arguments)
{
    const Outcome outcome = recurve("train --json " + arguments);
    EXPECT_EQ(outcome.status, 0) << arguments << ": " << outcome.err;
    return Json(outcome.status == 0 ? outcome.out : "{}");
}

class EveryGatedCell : public testing::TestWithParam<const char *> {
  protected:
    // What is left of the error that an answer without skill makes.
    double left(const std::string &arguments)
    {
        const Json json = train(std::string("--model ") + GetParam() + " " + arguments);
        return json.number("validation_loss") / json.number("baseline_loss");
    }
};

TEST_P(EveryGatedCell, LearnsToAdd)
{
    EXPECT_LT(
        left("--task adding --length 10 --samples 3000 --units 24 --epochs 14 --batch-size 25"),
        0.25);
}

TEST_P(EveryGatedCell, LearnsToCountParentheses)
{
    EXPECT_LT(left("--task parentheses --size 2 --length 16 --samples 2000 --units 24 --epochs 8"),
              0.4);
}

TEST_P(EveryGatedCell, LearnsArithmetic)
{
    EXPECT_LT(left("--task arithmetic --size 1 --samples 3000 --units 48 --epochs 16"), 0.3);
}

/* Sanitizers need not see every cell learn. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
const char *const learners[] = {"lstm", "qrnn"};
#else
const char *const learners[] = {"ugrnn",  "gru",      "lstm",  "lstm-peephole", "intersection-rnn",
                                "mgu",    "fastgrnn", "sru",   "qrnn",          "lem",
                                "mingru", "minlstm",  "janet", "torch-gru",     "cfc",
                                "slstm",  "mlstm"};
#endif

INSTANTIATE_TEST_SUITE_P(Zoo, EveryGatedCell, testing::ValuesIn(learners), [](const auto &info) {
    std::string name = info.param;
    for (char &c : name) c = c == '-' ? '_' : c;
    return name;
});

TEST(Train, ConvolutionalCellsPredictFilmsBetterThanTheLastFrame)
{
    for (const char *model : {"curnn", "conv-ugrnn", "conv-lstm"}) {
        const Json json = train(std::string("--task moving-digits --length 8 --samples 800 "
                                            "--units 6 --epochs 4 --model ") +
                                model);
        EXPECT_LT(json.number("validation_error"), 0.85 * json.number("baseline_error")) << model;
    }
}

TEST(Train, OtherTasksRun)
{
    for (const char *arguments :
         {"--task copy --length 12 --size 2", "--task parity --length 4", "--task memory --size 4",
          "--task capacity --samples 60", "--task random-function --samples 60"}) {
        const Json json = train(std::string(arguments) + " --epochs 2 --units 8");
        EXPECT_TRUE(std::isfinite(json.number("validation_loss"))) << arguments;
    }
}

TEST(Train, LearnsByHeartWhatHasNoRule)
{
    const Json json =
        train("--task capacity --size 32 --samples 60 --epochs 60 --units 32 --learning-rate 0.01");
    EXPECT_GE(json.number("validation_accuracy"), 0.95);
    EXPECT_EQ(json.number("validation_accuracy"), json.number("train_accuracy"));
}

TEST(Train, TakesEveryOptionOfTheNetAndTheOptimizer)
{
    for (const char *arguments : {"--layers 2 --residual",
                                  "--layers 2 --skip",
                                  "--bidirectional --pool",
                                  "--layer-norm --learned-start",
                                  "--dropout 0.2 --recurrent-dropout 0.1 --same-dropout",
                                  "--recompute 3",
                                  "--activation relu --forget 0",
                                  "--loss huber",
                                  "--weight-decay 0.01 --optimizer adamw",
                                  "--clip-value 0.5 --clip-norm 2",
                                  "--schedule one-cycle",
                                  "--schedule cosine --warm-up 10",
                                  "--schedule plateau",
                                  "--schedule step",
                                  "--schedule exponential",
                                  "--accumulate 3",
                                  "--average 0.9",
                                  "--learning-rates 'fc*=0.01' --freeze 'bc,bu'",
                                  "--head-units 7",
                                  "--patience 1"}) {
        const Json json = train(std::string("--task adding --length 8 --samples 600 --epochs 4 "
                                            "--units 12 --learning-rate 0.01 ") +
                                arguments);
        EXPECT_LT(json.number("validation_loss"), 1.5 * json.number("baseline_loss")) << arguments;
    }
}

TEST(Train, RecomputingTakesLessMemoryAndLearnsTheSame)
{
    const std::string run = "--task adding --length 40 --samples 200 --epochs 1 --units 32 ";
    const Json kept = train(run), less = train(run + "--recompute 6");
    EXPECT_LT(less.number("step_bytes"), 0.5 * kept.number("step_bytes"));
    EXPECT_NEAR(less.number("loss"), kept.number("loss"), 1e-4 * kept.number("loss"));
}

TEST(Train, StopsEarlyWhenNothingGetsBetter)
{
    const Json json = train("--task random-function --samples 40 --epochs 200 --patience 2 "
                            "--units 4 --learning-rate 1");
    EXPECT_LT(json.number("epochs"), 200);
    EXPECT_EQ(json.number("epochs") - json.number("best_epoch"), 2);
}

TEST(Train, AConfigurationRepeatsTheRunAndOptionsCountMore)
{
    const std::string folder = scratch_folder();
    const std::string run =
        "--task adding --length 8 --samples 400 --epochs 2 --units 8 --dropout 0.1 "
        "--bidirectional --seed 3 --noise 0.01 ";
    const std::string digest = train(run + "--output " + folder).text("digest");
    const std::string config = "--config " + folder + "/config.json";
    EXPECT_EQ(train(config).text("digest"), digest);
    EXPECT_NE(train(config + " --seed 4").text("digest"), digest);
    EXPECT_EQ(train(config + " --model lstm").text("model"), "lstm");
    const Outcome missing = recurve("train --config " + folder + "/none.json");
    EXPECT_EQ(missing.status, 1);
    EXPECT_CONTAINS(missing.err, "none.json");
}

TEST(Train, AMistakeInAConfigurationIsLocated)
{
    const std::string path = scratch_folder() + "/config.json", at = "\" line 1, column ";
    const std::map<std::string, std::string> messages = {
        {"", at + "1: the file is empty, expected a JSON object: {..}\n"},
        {" \n", "\" line 2, column 1: the file is empty, expected a JSON object: {..}\n"},
        {"[1]", "\" is a list, expected a JSON object: {..}\n"},
        {"{\"model\":\"gru\"", at + "15: the text ends, but its JSON object does not\n"},
        {"{\"model\":\"gru\"} {}", at + "17: got {}, expected the end of the text\n"},
        {"{\"model\":\"gru\",\n  \"unit\": 3}",
         "\" line 2, column 3: unknown option \"unit\"; did you mean \"units\"?\n"},
        {"{\"task\": \"\\\"{\", \"units\": \"3\"}",
         at + "17: units: got \"3\", expected a number\n"}};
    for (const auto &[text, message] : messages) {
        spit(path, text);
        const Outcome outcome = recurve("train --config " + path);
        EXPECT_EQ(outcome.status, 1) << text;
        EXPECT_EQ(outcome.err, "recurve train: \"" + path + message);
    }
}

/* Labels beyond a sequence's end are not judged: the answers add up to the lengths alone. */
TEST(Evaluate, CountsTheStepsOfASequenceOnly)
{
    const std::string folder = scratch_folder();
    const Json trained =
        train("--task arithmetic --size 2 --samples 400 --epochs 1 --units 4 --output " + folder);
    const Json evaluated(recurve("evaluate --json --output " + folder).out);
    const cJSON *validation = cJSON_GetObjectItem(evaluated.root(), "validation"), *row, *cell;
    double all = 0, most = 0;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(validation, "confusion"))
    {
        double label = 0;
        cJSON_ArrayForEach(cell, row) label += cell->valuedouble;
        all += label;
        most = std::max(most, label);
    }
    EXPECT_LT(all, 67 * 8);
    EXPECT_DOUBLE_EQ(most / all, trained.number("baseline_accuracy"));
}

/* ---- texts ---- */

std::string text_file(const std::string &folder)
{
    std::string text;
    for (int i = 0; i < 400; i++)
        text += "the " + std::string(i % 3 ? "gate opens" : "state stays") + " and " +
                std::to_string(i % 7) + " steps go by\n";
    spit(folder + "/text.txt", text);
    return folder + "/text.txt";
}

TEST(Train, LearnsATextFarBelowItsUnigramEntropyAndWritesOne)
{
    const std::string folder = scratch_folder(), text = text_file(folder);
    const Json json = train("--data " + text +
                            " --model gru --units 32 --length 32 --epochs 12 "
                            "--learning-rate 0.01 --carry --batch-size 8 --output " +
                            folder + "/run");
    EXPECT_LT(json.number("validation_loss"), 0.3 * json.number("baseline_loss"));
    const std::string sample = "sample --length 200 --start 'the ' --output " + folder + "/run";
    const Outcome first = recurve(sample), again = recurve(sample),
                  other = recurve(sample + " --seed 2");
    EXPECT_EQ(first.status, 0) << first.err;
    EXPECT_EQ(first.out.find("the "), 0u);
    EXPECT_EQ(first.out.size(), 4 + 200 + 1u);
    EXPECT_EQ(again.out, first.out);
    EXPECT_NE(other.out, first.out);
    EXPECT_CONTAINS(first.out, " steps go by\nthe ");
    EXPECT_CONTAINS(recurve(sample + " --temperature 0.05").out, "gate opens and ");
    const Outcome unknown = recurve("sample --start '#' --output " + folder + "/run");
    EXPECT_EQ(unknown.status, 1);
    EXPECT_CONTAINS(unknown.err, "knows no \"#\"");
    const Outcome both = recurve("train --bidirectional --data " + text);
    EXPECT_EQ(both.status, 2);
    EXPECT_CONTAINS(both.err, "characters that are to be predicted");
    EXPECT_EQ(recurve("evaluate --json --output " + folder + "/run").status, 0);
    EXPECT_EQ(recurve("evaluate --json --checkpoint " + folder + "/run/best.safetensors").status,
              0);
}

/* Columns are as wide as the largest count, and a character that cannot be seen has its name in
 * C. */
TEST(Evaluate, NamesTheCharactersOfATextInColumnsThatStayApart)
{
    const std::string folder = scratch_folder();
    std::string text;
    for (int i = 0; i < 125000; i++) text += "a \n\xff";
    spit(folder + "/text", text);
    train("--data " + folder + "/text --length 64 --validation 7700 --epochs 1 --units 1 " +
          "--learning-rate 1e-30 --optimizer sgd --model rnn --output " + folder + "/run");
    const std::string out = recurve("evaluate --output " + folder + "/run").out;
    EXPECT_CONTAINS(out, "\n           \\n    ' '      a   \\xff\n");
    for (const char *row :
         {"\n    \\n      .", "\n   ' '      .", "\n     a      .", "\n  \\xff      ."})
        EXPECT_CONTAINS(out, row);
    EXPECT_CONTAINS(out, " 123200\n");
}

TEST(Sample, OfATextThatHasChangedIsAnError)
{
    const std::string folder = scratch_folder(), run = folder + "/run";
    std::string text;
    for (int i = 0; i < 200; i++) text += i % 3 ? "abc" : "cab";
    spit(folder + "/text", text);
    train("--data " + folder + "/text --length 16 --epochs 1 --units 4 --output " + run);
    EXPECT_EQ(Json(slurp(run + "/config.json")).text("alphabet"), "616263");
    spit(folder + "/text", "x" + text);
    const Outcome outcome = recurve("sample --output " + run);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_CONTAINS(outcome.err, "not in the alphabet");
    EXPECT_EQ(recurve("train --epochs 1 --length 5 --samples 50 --task adding --config " + run +
                      "/config.json")
                  .status,
              0);
}

TEST(Train, EachEpochOfATextBeginsWithoutAState)
{
    const std::string folder = scratch_folder();
    train("--data " + text_file(folder) +
          " --units 4 --length 32 --epochs 2 --learning-rate 1e-30 --carry "
          "--batch-size 8 --output " +
          folder);
    double first = 0, second = 1;
    const std::string log = slurp(folder + "/log.csv");
    ASSERT_EQ(std::sscanf(log.c_str() + log.find('\n'), "\n1,%lf", &first), 1) << log;
    ASSERT_EQ(std::sscanf(log.c_str() + log.find("\n2,"), "\n2,%lf", &second), 1) << log;
    EXPECT_EQ(first, second);
}

TEST(Sample, NeedsARunOfAText)
{
    EXPECT_EQ(recurve("sample").status, 2);
    const std::string folder = scratch_folder();
    train("--epochs 1 --output " + folder);
    const Outcome outcome = recurve("sample --output " + folder);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.err, "recurve sample: this run was trained on digits, not on text; `recurve "
                           "train --data TEXT` does that\n");
}

/* ---- files ---- */

std::string big_endian(uint32_t number)
{
    return {static_cast<char>(number >> 24), static_cast<char>(number >> 16),
            static_cast<char>(number >> 8), static_cast<char>(number)};
}

/* Images with a bright row or a bright column, in IDX format. */
void write_idx(const std::string &folder, uint32_t count, uint32_t side)
{
    std::string images =
        big_endian(0x803) + big_endian(count) + big_endian(side) + big_endian(side);
    std::string labels = big_endian(0x801) + big_endian(count);
    for (uint32_t i = 0; i < count; i++) {
        std::string image(side * side, '\0');
        const uint32_t place = i * 7 % side;
        for (uint32_t j = 0; j < side; j++)
            image[i % 2 ? place * side + j : j * side + place] = static_cast<char>(0xff);
        images += image;
        labels += static_cast<char>(i % 2);
    }
    spit(folder + "/images.idx", images);
    spit(folder + "/labels.idx", labels);
}

TEST(Train, ReadsIdxFilesLargerThanTheCacheFromTheDisk)
{
    const std::string folder = scratch_folder();
    write_idx(folder, 60000, 28); /* as many and as large as MNIST's: 45 MiB */
    const std::string files =
        "--data " + folder + "/images.idx --labels " + folder + "/labels.idx --validation 500 ";
    const std::string net =
        "--model rnn --units 4 --steps 1 --epochs 1 --batch-size 100 --head-units 4 ";
    const Json streamed = train(files + net + "--cache 1"), cached = train(files + net);
    EXPECT_EQ(streamed.text("digest"), cached.text("digest"));
    EXPECT_EQ(streamed.number("validation_accuracy"), 1);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LT(streamed.number("peak_bytes"), 24 << 20);
    EXPECT_GT(cached.number("peak_bytes"), 45 << 20);
#endif
}

/* As MNIST comes: two files to train on, two to validate on. */
TEST(Train, ValidatesOnFilesOfTheirOwn)
{
    const std::string folder = scratch_folder(), others = scratch_folder();
    write_idx(folder, 200, 8);
    write_idx(others, 40, 8);
    const std::string run = "--data " + folder + "/images.idx --labels " + folder +
                            "/labels.idx --epochs 2 --model rnn --units 4 --steps 1 ",
                      more = others + "/images.idx", labels = "labels " + others + "/labels.idx ";
    const Json json = train(run + "--validation-data " + more + " --validation-" + labels +
                            "--output " + folder + "/run");
    const cJSON *data = cJSON_GetObjectItem(json.root(), "data");
    EXPECT_EQ(Json::number(data, "training"), 200);
    EXPECT_EQ(Json::number(data, "validation"), 40);
    EXPECT_EQ(Json::number(data, "divisor"), 255);
    const Json measured(
        recurve("evaluate --json --output " + folder + "/run --data " + more + " --" + labels).out);
    EXPECT_EQ(Json::number(cJSON_GetObjectItem(measured.root(), "metrics"), "loss"),
              json.number("validation_loss"));
    const Outcome lacking = recurve("train " + run + "--validation-data " + more);
    EXPECT_EQ(lacking.status, 2);
    EXPECT_CONTAINS(lacking.err, "name their file with --validation-labels");
}

TEST(Train, ReadsTables)
{
    const std::string folder = scratch_folder();
    std::string table = "a,b,c,kind\n";
    for (int i = 0; i < 300; i++) {
        const double a = std::sin(i), b = std::cos(3 * i), c = std::sin(5 * i);
        table += std::to_string(a) + "," + std::to_string(b) + "," + std::to_string(c) + "," +
                 (a + b > c ? "1" : "0") + "\n";
    }
    spit(folder + "/table.csv", table);
    const Json json =
        train("--data " + folder + "/table.csv --epochs 60 --learning-rate 0.01 --steps 1");
    EXPECT_GE(json.number("validation_accuracy"), 0.85);
}

TEST(Train, NothingIsDroppedOrSmoothedWhenItMeasures)
{
    const std::string idle = "--task copy --length 12 --size 2 --samples 200 --epochs 1 --units 8 "
                             "--optimizer sgd --learning-rate 1e-30";
    const Json plain = train(idle),
               dropped = train(idle + " --dropout 0.5 --recurrent-dropout 0.5 --smoothing 0.5");
    EXPECT_EQ(plain.number("validation_loss"), dropped.number("validation_loss"));
}

TEST(Train, BadDataAreNamedWithFileAndPlace)
{
    const std::string folder = scratch_folder();
    const struct {
        const char *name, *content, *words;
    } files[] = {{"ragged.csv", "1,2,0\n1,2,3,0\n", "ragged.csv\" line 2"},
                 {"nan.csv", "1,nan,0\n1,2,0\n", "nan.csv\" line 1"},
                 {"empty.csv", "", "empty.csv"},
                 {"empty.txt", "", "empty.txt"},
                 {"bad.npz", "PK no archive", "bad.npz"},
                 {"alike.csv", "1,2,0\n1,3,0\n1,4,0\n", "nothing to tell apart"},
                 {"one.csv", "1,2,1\n", "1 sample, expected at least 2"},
                 {"labels.csv", "1,2,0\n1,2,-1\n", "labels.csv\" line 2"}};
    for (const auto &file : files) {
        spit(folder + "/" + file.name, file.content);
        const Outcome outcome = recurve("train --data " + folder + "/" + file.name);
        EXPECT_NE(outcome.status, 0) << file.name;
        EXPECT_CONTAINS(outcome.err, file.words);
        EXPECT_EQ(outcome.out, "");
    }
    spit(folder + "/short.idx", big_endian(0x803) + big_endian(10) + big_endian(2) + big_endian(2));
    spit(folder + "/magic.idx", "GIF89a..");
    spit(folder + "/labels.idx", big_endian(0x801) + big_endian(1) + std::string(1, '\0'));
    for (const char *name : {"short.idx", "magic.idx", "none.idx"}) {
        const Outcome outcome =
            recurve("train --data " + folder + "/" + name + " --labels " + folder + "/labels.idx");
        EXPECT_NE(outcome.status, 0);
        EXPECT_CONTAINS(outcome.err, name);
    }
}

} // namespace
