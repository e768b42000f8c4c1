/* Text sources: windows of characters. */
#include <gtest/gtest.h>

#include "data/files.h"
#include "tests/data/sources.h"

namespace {

class Text : public WithFolder {
  protected:
    bool open(Source *source, const std::string &text, rv_text_options options)
    {
        rv_source_close(&source->s);
        source->error = {};
        return rv_source_text(&source->s, file("text", text).c_str(), &options, &source->error);
    }
    static std::string read(const Source &source, const std::vector<double> &tokens)
    {
        std::string text;
        for (double token : tokens)
            text += static_cast<char>(source.s.alphabet[static_cast<size_t>(token)]);
        return text;
    }
};

TEST_F(Text, WindowsAreConsecutive)
{
    for (uint64_t cache : {0, 1}) {
        Source source;
        ASSERT_TRUE(open(&source, "hello, world", {cache, 4, nullptr, 0})) << source.error.text;
        EXPECT_EQ(source.s.count, 2) << "the twelfth character occurs only in y";
        EXPECT_EQ(source.s.tokens, 9);
        EXPECT_EQ(source.s.classes, 9);
        EXPECT_TRUE(source.s.each_step && source.s.sequence);
        EXPECT_EQ(std::string(source.s.alphabet, source.s.alphabet + 9), " ,dehlorw");
        EXPECT_EQ(read(source, sample(source.s, 0).x), "hell");
        EXPECT_EQ(read(source, sample(source.s, 0).y), "ello");
        EXPECT_EQ(read(source, sample(source.s, 1).x), "o, w");
        EXPECT_EQ(read(source, sample(source.s, 1).y), ", wo");
    }
}

TEST_F(Text, LongWindowsAndAllBytes)
{
    std::string text;
    for (int i = 0; i < 60001; i++) text += static_cast<char>(i * 7);
    for (uint64_t cache : {0, 1}) {
        Source source;
        ASSERT_TRUE(open(&source, text, {cache, 20000, nullptr, 0})) << source.error.text;
        EXPECT_EQ(source.s.count, 3);
        EXPECT_EQ(source.s.tokens, 256);
        EXPECT_EQ(read(source, sample(source.s, 2).x), text.substr(40000, 20000));
        EXPECT_EQ(read(source, sample(source.s, 2).y), text.substr(40001, 20000));
    }
}

TEST_F(Text, AcceptsAnAlphabet)
{
    const auto *letters = reinterpret_cast<const unsigned char *>("cbad");
    Source source;
    ASSERT_TRUE(open(&source, "abc", {0, 2, letters, 4})) << source.error.text;
    EXPECT_EQ(source.s.tokens, 4);
    EXPECT_NE(source.s.alphabet, letters);
    EXPECT_EQ(sample(source.s, 0).x, (std::vector<double>{2, 1}));
    EXPECT_FALSE(open(&source, "abcx", {0, 2, letters, 4}));
    expect_refused(source, RV_ERROR_FORMAT,
                   {"the character \"x\" (byte 120) at offset 3", "alphabet"});
    EXPECT_FALSE(open(&source, "abc", {0, 2, reinterpret_cast<const unsigned char *>("aba"), 3}));
    expect_refused(source, RV_ERROR_ARGUMENT, {"97", "twice"});
    EXPECT_FALSE(open(&source, "abc", {0, 2, letters, 0}));
    EXPECT_FALSE(open(&source, "abc", {0, 2, nullptr, 3}));
    EXPECT_FALSE(open(&source, "abc", {0, 2, letters, 257}));
}

TEST_F(Text, RefusesTextsThatDoNotExceedAWindow)
{
    Source source;
    EXPECT_FALSE(open(&source, "abc", {0, 3, nullptr, 0}));
    expect_refused(source, RV_ERROR_FORMAT, {"3 bytes", "window of 3"});
    EXPECT_FALSE(open(&source, "", {0, 3, nullptr, 0}));
    expect_refused(source, RV_ERROR_FORMAT, {"empty"});
    for (int64_t window : {INT64_C(0), INT64_C(-1), INT64_MAX}) {
        EXPECT_FALSE(open(&source, "abc", {0, window, nullptr, 0}));
        expect_refused(source, RV_ERROR_ARGUMENT, {"window"});
    }
    EXPECT_FALSE(rv_source_text(&source.s, path("").c_str(), nullptr, nullptr));
}

} // namespace
