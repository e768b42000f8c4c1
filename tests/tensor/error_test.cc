/* Errors: the first is kept; the text is bounded and safe to print. */
#include "tensor/error.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace {

TEST(Error, KeepsTheFirst)
{
    rv_error error = {};
    EXPECT_FALSE(rv_fail(&error, RV_ERROR_SHAPE, "first %d", 1));
    EXPECT_FALSE(rv_fail(&error, RV_ERROR_NAME, "second"));
    EXPECT_EQ(error.code, RV_ERROR_SHAPE);
    EXPECT_STREQ(error.text, "first 1");
}

TEST(Error, MayBeNull)
{
    EXPECT_FALSE(rv_fail(nullptr, RV_ERROR_SHAPE, "ignored"));
    EXPECT_FALSE(rv_fail_memory(nullptr));
}

TEST(Error, TruncatesLongText)
{
    rv_error error = {};
    rv_fail(&error, RV_ERROR_NAME, "%s", std::string(5000, 'x').c_str());
    EXPECT_EQ(std::string(error.text), std::string(RV_ERROR_TEXT - 1, 'x'));
}

TEST(Error, ShowsControlCharacters)
{
    rv_error error = {};
    rv_fail(&error, RV_ERROR_NAME, "%s", "a\x1b[2Jb\x7f\nc");
    EXPECT_STREQ(error.text, "a\\x1b[2Jb\\x7f\\x0ac");
}

TEST(Error, CodesKeepTheirNumbers)
{
    EXPECT_EQ(RV_OK, 0);
    EXPECT_EQ(RV_ERROR_ARGUMENT, 1);
    EXPECT_EQ(RV_ERROR_SHAPE, 2);
    EXPECT_EQ(RV_ERROR_DTYPE, 3);
    EXPECT_EQ(RV_ERROR_NAME, 4);
    EXPECT_EQ(RV_ERROR_MEMORY, 5);
    EXPECT_EQ(RV_ERROR_IO, 6);
    EXPECT_EQ(RV_ERROR_FORMAT, 7);
    EXPECT_EQ(RV_ERROR_GRADIENT, 8);
    EXPECT_EQ(RV_ERROR_BUSY, 9);
    EXPECT_EQ(RV_ERROR_NUMBER, 10);
    EXPECT_EQ(RV_ERROR_LIMIT, 11);
}

TEST(Error, CodesHaveDistinctTexts)
{
    std::set<std::string> words;
    for (int code = RV_OK; code <= RV_ERROR_LIMIT + 1; code++)
        words.insert(rv_code_text(static_cast<rv_code>(code)));
    EXPECT_EQ(words.size(), RV_ERROR_LIMIT + 2u);
    EXPECT_EQ(words.count("an unknown error"), 1u);
    EXPECT_STREQ(rv_code_text(RV_ERROR_MEMORY), "out of memory");
    EXPECT_STREQ(rv_code_text(RV_ERROR_BUSY),
                 "another thread is using the store; give each thread its own");
}

TEST(Error, CountedNounsGetTheEndingOfTheirNumber)
{
    const auto text = [](const char *format, auto... values) {
        rv_error error = {RV_OK, ""};
        rv_fail(&error, RV_ERROR_ARGUMENT, format, values...);
        return std::string(error.text);
    };
    EXPECT_EQ(text("%d sample(s) of %d", 1, 2), "1 sample of 2");
    EXPECT_EQ(text("%d training sample(s), %d batch(es)", 2, 1), "2 training samples, 1 batch");
    EXPECT_EQ(text("%d step(s), %d step(s), %d step(s)", 11, 0, -1), "11 steps, 0 steps, -1 steps");
    EXPECT_EQ(text("x(s) of %s has %.1f byte(s)", "f(s)", 0.1), "x(s) of f(s) has 0.1 bytes");
    EXPECT_EQ(text("%s", "1 f(s)"), "1 f(s)");
}

} // namespace
