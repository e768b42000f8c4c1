/* How well a run does, as the page says it. */
#include "tests/playground/page.h"

namespace {

class MeasureTest : public ::testing::Test {
  protected:
    static void open(const std::string &settings)
    {
        const Answer opened("open", R"({"run": 0, "text": "", "settings": )" + settings + "}");
        ASSERT_EQ(opened.error(), "");
    }
    static Answer trained()
    {
        EXPECT_EQ(Answer("train", R"({"run": 0})").error(), "");
        return Answer("measure", R"({"run": 0})");
    }
    void TearDown() override { page_close(); }
};

TEST_F(MeasureTest, LabelsHaveAnAccuracyAConfusionAndABaseline)
{
    open(R"({"model": "curnn"})");
    const Answer a = trained();
    ASSERT_EQ(a.error(), "");
    for (const auto &[name, samples] : {std::pair("training", 300), std::pair("validation", 60)}) {
        const cJSON *measured = a.list(name);
        EXPECT_EQ(Answer::number(measured, "samples"), samples);
        EXPECT_EQ(Answer::number(measured, "accuracy"), 1);
        EXPECT_LT(Answer::number(measured, "loss"), 0.01);
        EXPECT_TRUE(cJSON_IsNull(cJSON_GetObjectItem(measured, "error")));
        const cJSON *confusion = cJSON_GetObjectItem(measured, "confusion");
        ASSERT_EQ(cJSON_GetArraySize(confusion), 2);
        double right = 0;
        for (int i = 0; i < 2; i++)
            right += cJSON_GetArrayItem(cJSON_GetArrayItem(confusion, i), i)->valuedouble;
        EXPECT_EQ(right, samples);
    }
    EXPECT_EQ(Answer::text(a.list("baseline"), "text"), "the most frequent label");
    EXPECT_NEAR(Answer::number(a.list("baseline"), "accuracy"), 0.55, 1e-12);
}

TEST_F(MeasureTest, NumbersHaveAnErrorAndABaseline)
{
    open(R"({"model": "gru", "task": "adding", "length": "5", "samples": "60", "epochs": "1"})");
    const Answer a = trained();
    ASSERT_EQ(a.error(), "");
    const cJSON *measured = a.list("validation");
    EXPECT_TRUE(cJSON_IsNull(cJSON_GetObjectItem(measured, "accuracy")));
    EXPECT_GT(Answer::number(measured, "error"), 0);
    EXPECT_EQ(cJSON_GetArraySize(cJSON_GetObjectItem(measured, "confusion")), 0);
    EXPECT_TRUE(cJSON_IsNull(cJSON_GetObjectItem(a.list("baseline"), "accuracy")));
    EXPECT_GT(Answer::number(a.list("baseline"), "loss"), 0);
}

TEST_F(MeasureTest, ARunThatIsNotOpenIsAnError)
{
    EXPECT_NE(Answer("measure", R"({"run": 1})").error(), "");
}

} // namespace
