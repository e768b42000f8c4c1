/* The runs of the page are those of the trainer: slices of training, changes, added samples,
 * files. */
#include <cmath>

#include "tests/playground/page.h"

namespace {

const std::string digits =
    R"({"run": 0, "text": "", "settings": {"model": "curnn", "epochs": "3"}})";

class Session : public ::testing::Test {
  protected:
    void TearDown() override { page_close(); }

    static void open(const std::string &arguments)
    {
        const Answer opened("open", arguments);
        ASSERT_EQ(opened.error(), "");
    }
    static std::string digest(int run = 0)
    {
        const Answer a("digest", "{\"run\": " + std::to_string(run) + "}");
        return Answer::text(a.result(), "digest");
    }
    static void train(int updates, int run = 0)
    {
        const Answer a("train", "{\"run\": " + std::to_string(run) +
                                    ", \"updates\": " + std::to_string(updates) + "}");
        ASSERT_EQ(Answer::text(a.result(), "error"), "");
    }
};

std::string digest_of_trainer()
{
    rv_error error = {};
    rv_train_config config = rv_train_config_new();
    config.net.model = "curnn";
    config.loop.epochs = 3;
    rv_trainer *t = rv_trainer_new(&config, &error);
    EXPECT_TRUE(t && rv_trainer_fit(t, &error)) << error.text;
    const std::string digest = rv_trainer_result(t)->digest;
    rv_trainer_free(t);
    return digest;
}

TEST_F(Session, SlicesOfTrainingGiveTheBitsOfTheTrainer)
{
    open(digits);
    train(1);
    int updates = 1, epochs = 0;
    for (bool finished = false; !finished;) {
        const Answer a("train", R"({"run": 0, "updates": 7})");
        finished = cJSON_IsTrue(cJSON_GetObjectItem(a.result(), "finished"));
        EXPECT_EQ(cJSON_GetArraySize(a.list("losses")), finished ? 5 : 7);
        epochs += cJSON_GetArraySize(a.list("epochs"));
        updates = (int)a.number("updates");
    }
    EXPECT_EQ(updates, 3 * 30);
    EXPECT_EQ(epochs, 3);
    EXPECT_EQ(digest(), digest_of_trainer());
}

TEST_F(Session, LossesOfALongSliceAreThinnedEvenly)
{
    open(
        R"({"run": 0, "text": "", "settings": {"model": "rnn", "epochs": "100", "batch-size": "1"}})");
    const Answer a("train", R"({"run": 0, "updates": 2500})");
    const int kept = cJSON_GetArraySize(a.list("losses"));
    EXPECT_EQ(kept, 625); /* each fourth */
}

TEST_F(Session, AChangeKeepsTheParameters)
{
    open(digits);
    train(40);
    const std::string before = digest();
    const Answer changed(
        "change", R"({"run": 0, "settings": {"optimizer": "adam", "learning-rate": "0.25"}})");
    ASSERT_EQ(changed.error(), "");
    EXPECT_EQ(Answer::text(changed.list("settings"), "learning-rate"), "0.25");
    EXPECT_EQ(digest(), before);
    train(1);
    EXPECT_NE(digest(), before);
}

/* With a tiny learning rate, only the velocity moves the parameters. */
TEST_F(Session, AnOptimizerKeepsItsMomentsWhenOptionsChange)
{
    open(digits);
    train(20);
    const std::string before = digest();
    const Answer changed("change", R"({"run": 0, "settings": {"learning-rate": "1e-30"}})");
    ASSERT_EQ(changed.error(), "");
    train(1);
    EXPECT_NE(digest(), before);
    const Answer other("change", R"({"run": 0, "settings": {"optimizer": "nesterov"}})");
    ASSERT_EQ(other.error(), "");
    const std::string without = digest();
    train(1);
    EXPECT_EQ(digest(), without);
}

TEST_F(Session, AChangeThatFailsChangesNothing)
{
    open(digits);
    train(5);
    const std::string before = digest();
    const Answer refused("change", R"({"run": 0, "settings": {"optimizer": "adm"}})");
    EXPECT_NE(refused.error().find("did you mean \"adam\""), std::string::npos) << refused.error();
    EXPECT_EQ(digest(), before);
    const Answer changed("change", R"({"run": 0, "settings": {"learning-rate": "0.01"}})");
    EXPECT_EQ(Answer::text(changed.list("settings"), "optimizer"), "momentum");
}

TEST_F(Session, AnOpenThatFailsKeepsTheRunBefore)
{
    open(
        R"({"run": 0, "text": "cell a\n  state h\n  map W, U\n  h' = tanh(W h + U x)\n", "settings": {"epochs": "3"}})");
    train(5);
    const std::string before = digest();
    const Answer refused("open", R"({"run": 0, "text": "cell b", "settings": {"units": "0"}})");
    EXPECT_FALSE(refused.error().empty());
    EXPECT_EQ(digest(), before);
    const Answer changed("change", R"({"run": 0, "settings": {"learning-rate": "0.01"}})");
    EXPECT_EQ(changed.error(), "");
    EXPECT_EQ(digest(), before);
}

TEST_F(Session, BothRunsAreApart)
{
    open(digits);
    open(R"({"run": 1, "text": "", "settings": {"model": "curnn", "epochs": "3"}})");
    train(20, 1);
    const std::string of_1 = digest(1);
    train(20, 0);
    EXPECT_EQ(digest(0), of_1);
    const Answer closed("closeRun", R"({"run": 1})");
    EXPECT_EQ(digest(0), of_1);
    const Answer a("train", R"({"run": 1})");
    EXPECT_EQ(a.error(), "run 1 is not open; open it first");
}

std::string list(const std::vector<double> &numbers)
{
    std::string text = "[";
    for (size_t i = 0; i < numbers.size(); i++) text += (i ? "," : "") + std::to_string(numbers[i]);
    return text + "]";
}

TEST_F(Session, APredictionIsThatOfTheSample)
{
    open(digits);
    train(30);
    const Answer a("samples", R"({"run": 0, "from": 5, "count": 3, "validation": true})");
    EXPECT_EQ(a.number("total"), 60);
    ASSERT_EQ(cJSON_GetArraySize(a.list("samples")), 3);
    const cJSON *sample;
    cJSON_ArrayForEach(sample, a.list("samples"))
    {
        const auto output = a.numbers(sample, "output");
        ASSERT_EQ(output.size(), 2u); /* probabilities of 0 and 1 */
        EXPECT_NEAR(output[0] + output[1], 1, 1e-6);
        EXPECT_GT(output[(size_t)Answer::number(sample, "label")], 0.5);
        const Answer again("predict", R"({"run": 0, "x": )" + list(a.numbers(sample, "x")) + "}");
        EXPECT_NEAR(again.numbers(again.result(), "output")[0], output[0], 1e-5);
    }
    const Answer none("samples", R"({"run": 0, "from": 60, "count": 3, "validation": true})");
    EXPECT_EQ(cJSON_GetArraySize(none.list("samples")), 0);
    const Answer part("samples", R"({"run": 0, "from": 58, "count": 1e300, "validation": true})");
    EXPECT_EQ(cJSON_GetArraySize(part.list("samples")), 2);
    const Answer wrong("predict", R"({"run": 0, "x": [1, 2]})");
    EXPECT_EQ(wrong.error(), "x has 2 numbers, a sample of this run 64");
}

TEST_F(Session, AddedSamplesAreTrainedOn)
{
    open(digits);
    train(30);
    const std::vector<double> x(64, 0.5);
    for (int i = 0; i < 40; i++) { /* a grey square is a 0 */
        const Answer added("add", R"({"run": 0, "y": [0], "x": )" + list(x) + "}");
        ASSERT_EQ(added.error(), "");
        EXPECT_EQ(added.number("trainingSamples"), 301 + i);
    }
    train(100);
    const Answer grey("predict", R"({"run": 0, "x": )" + list(x) + "}");
    EXPECT_GT(grey.numbers(grey.result(), "output")[0], 0.9);
    const Answer last("samples", R"({"run": 0, "from": 339, "count": 1})");
    EXPECT_EQ(last.numbers(cJSON_GetArrayItem(last.list("samples"), 0), "x"), x);

    const std::string before = digest();
    for (const char *y : {"[2]", "[0.5]", "[-1]", "[]", "[0, 1]"}) {
        const Answer refused("add",
                             std::string(R"({"run": 0, "y": )") + y + R"(, "x": )" + list(x) + "}");
        EXPECT_NE(refused.error(), "") << y;
    }
    EXPECT_EQ(digest(), before);
    const Answer changed("change", R"({"run": 0, "settings": {"learning-rate": "0.01"}})");
    EXPECT_EQ(changed.number("trainingSamples"), 340);
}

/* The run keeps the samples to validate on, which belong to the trainer before the user's
 * samples. */
TEST_F(Session, WeightsThatDoNotFitLeaveARunWithAddedSamplesAsItWas)
{
    open(R"({"run": 1, "text": "", "settings": {"model": "curnn", "units": "2"}})");
    ASSERT_EQ(Answer("save", R"({"run": 1})").error(), "");
    open(digits);
    const std::string x = list(std::vector<double>(64, 0.5));
    ASSERT_EQ(Answer("add", R"({"run": 0, "y": [0], "x": )" + x + "}").error(), "");
    const std::string before = digest();
    for (const char *path : {"run1/checkpoint.safetensors", "absent.safetensors"}) {
        const Answer refused("load", std::string(R"({"run": 0, "path": ")") + path + "\"}");
        EXPECT_NE(refused.error(), "") << path;
    }
    EXPECT_EQ(digest(), before);
    train(100); /* validates after each epoch */
    ASSERT_EQ(Answer("add", R"({"run": 0, "y": [0], "x": )" + x + "}").error(), "");
    train(40);
}

TEST_F(Session, ASavedRunIsOneOfTheCommand)
{
    open(R"({"run": 0, "text": "cell mine\n  state h\n  map W, U\n  h' = tanh(W x + U h)\n",
             "settings": {"model": ":mine", "epochs": "3"}})");
    train(47);
    const Answer saved("save", R"({"run": 0})");
    ASSERT_EQ(saved.error(), "");
    const std::string folder = Answer::text(saved.result(), "folder");
    rv_error error = {};
    rv_trainer *t = rv_trainer_open(folder.c_str(), 0, &error);
    ASSERT_NE(t, nullptr) << error.text;
    char text[RV_DIGEST_TEXT];
    EXPECT_EQ(rv_store_digest(rv_trainer_store(t), text), digest());
    ASSERT_TRUE(rv_trainer_fit(t, &error)) << error.text; /* resumes in the second epoch */
    train(1000);
    EXPECT_EQ(rv_store_digest(rv_trainer_store(t), text), digest());
    rv_trainer_free(t);

    open(
        R"({"run": 1, "text": "cell mine\n  state h\n  map W, U\n  h' = tanh(W x + U h)\n", "settings": {"model": ""}})");
    const Answer loaded("load", R"({"run": 1, "path": "run0/checkpoint.safetensors"})");
    EXPECT_EQ(loaded.error(), "");
    EXPECT_EQ(Answer::text(loaded.result(), "model"), "mine");
}

TEST_F(Session, ANetIsWrittenAsC)
{
    open(digits);
    const Answer c("exportC", R"({"run": 0, "name": "my_net"})");
    ASSERT_EQ(c.error(), "");
    EXPECT_EQ(Answer::text(cJSON_GetArrayItem(c.list("files"), 1), "name"), "my_net.c");
    const Answer refused("exportC", R"({"run": 0, "name": "int"})");
    EXPECT_NE(refused.error(), "");
}

TEST_F(Session, ANetIsWrittenAsOnnx)
{
    open(digits);
    const Answer onnx("exportOnnx", R"({"run": 0})");
    ASSERT_EQ(onnx.error(), "");
    EXPECT_NE(file(Answer::text(onnx.result(), "path")).find("output"), std::string::npos);
}

TEST_F(Session, ADivergingRunSaysSoAndStays)
{
    open(
        R"({"run": 0, "text": "", "settings": {"model": "rnn", "task": "adding", "learning-rate": "1e30", "optimizer": "sgd"}})");
    const Answer a("train", R"({"run": 0, "updates": 1000})");
    EXPECT_NE(Answer::text(a.result(), "error").find("the loss became"), std::string::npos);
    EXPECT_EQ(digest().size(), 32u);
    open(digits);
}

TEST_F(Session, MistakesAreErrors)
{
    for (const char *arguments : {"", "[]", "{", R"({"run": 2})", R"({"run": -0.5})",
                                  R"({"run": 0, "settings": {"modell": "gru"}})",
                                  R"({"run": 0, "settings": {"model": "gruu"}})",
                                  R"({"run": 0, "settings": {"model": ""}})",
                                  R"({"run": 0, "text": "cell (", "settings": {"model": ""}})",
                                  R"({"run": 0, "settings": {"units": "-3"}})"}) {
        const Answer a("open", arguments);
        EXPECT_NE(a.error(), "") << arguments;
    }
    const Answer unknown("opne", "{}");
    EXPECT_EQ(unknown.error(), "the module has no function \"opne\"");
}

} // namespace
