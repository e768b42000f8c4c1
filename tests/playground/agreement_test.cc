/* The article's derivation agrees better with the recorded gradients with each of its mistakes
 * fixed. */
#include <utility>

#include "tests/playground/page.h"

namespace {

class ArticleTest : public ::testing::Test {
  protected:
    void open(const std::string &title)
    {
        const Answer opened(
            "open",
            R"({"run": 1, "text": )" + as_json(text) +
                R"(, "settings": {"model": "", "classes": "0,1", "batch-size": "1", "validation": "10")" +
                (title.empty() ? "" : R"(, "gradients": )" + as_json(title)) + "}}");
        ASSERT_EQ(opened.error(), "");
    }
    void TearDown() override { page_close(); }
    std::string text = file("models/curnn_blog.rv");
};

const std::string ask = R"({"run": 1, "samples": 40})";

TEST_F(ArticleTest, IsRightForTheHeadAloneAsPublished)
{
    open("as published");
    const Answer a("agreement", ask);
    ASSERT_EQ(a.error(), "");
    EXPECT_EQ(a.number("samples"), 40);
    for (const char *name : {"W1", "W2"}) {
        EXPECT_NEAR(Answer::number(a.named("rows", name), "cosine"), 1, 1e-9);
        EXPECT_NEAR(Answer::number(a.named("rows", name), "ratio"), 1, 1e-5);
    }
    for (const char *name : {"Wxc", "Wrecc", "Wxg", "Wrecg"})
        EXPECT_LT(Answer::number(a.named("rows", name), "cosine"), 0.99) << name;
    EXPECT_LT(a.number("cosine"), 0.5);
    EXPECT_GT(a.number("ratio"), 100);
}

TEST_F(ArticleTest, IsRightForAllCorrected)
{
    open("corrected");
    const Answer a("agreement", ask);
    ASSERT_EQ(a.error(), "");
    EXPECT_NEAR(a.number("cosine"), 1, 1e-9);
    EXPECT_NEAR(a.number("ratio"), 1, 1e-5);
}

TEST_F(ArticleTest, AgreesBetterWithEachFix)
{
    const std::pair<std::string, std::string> fixes[] = {
        {"dC2 = (1 - g2).dh2 / (1 + C2^2)", "dC2 = (1 - g2).dh2.(1 - c2^2)"},
        {"crop1(dhp2) + g2 ", "crop1(dhp2) + g2.dh2 "},
        {"dC1 = (1 - g2).dh1 / (1 + C1^2)", "dC1 = (1 - g1).dh1.(1 - c1^2)"},
        {"dG1 = dh1.(h0.c1)", "dG1 = dh1.(h0 - c1)"},
        {"full_conv(Wrecc, rot180(dC2)) + full_conv(Wrecg, rot180(dG2))",
         "rot180(full_conv(Wrecc, rot180(dC2)) + full_conv(Wrecg, rot180(dG2)))"}};
    const std::string all = R"({"run": 1, "samples": 350})";
    open("as published");
    double before = Answer("agreement", all).number("cosine");
    for (const auto &[wrong, right] : fixes) {
        SCOPED_TRACE(right);
        const size_t at = text.find(wrong);
        ASSERT_NE(at, std::string::npos);
        text.replace(at, wrong.size(), right);
        open("as published");
        const double after = Answer("agreement", all).number("cosine");
        EXPECT_GT(after, before);
        before = after;
    }
    EXPECT_NEAR(before, 1, 1e-9);
}

TEST_F(ArticleTest, NeedsADerivation)
{
    open("");
    EXPECT_EQ(Answer("agreement", ask).error(),
              "the run trains with recorded gradients; set \"gradients\" to the title of a "
              "derivation");
}

} // namespace
