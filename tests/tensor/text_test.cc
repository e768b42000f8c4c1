#include <gtest/gtest.h>

#include <climits>
#include <cmath>
#include <clocale>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string>

extern "C" {
#include "tensor/text_internal.h"
#include "tensor/utf8_internal.h"
}

namespace {

#define ESCAPE "\x1b"
#define CUT "\xce"             /* half of a Greek letter */
#define CSI "\xc2\x9b"         /* U+009B, a control sequence in one character */
#define REVERSE "\xe2\x80\xae" /* U+202E, right to left from here */

std::string print_into(size_t size, const char *format, va_list arguments)
{
    std::string text(size + 8, '#');
    va_list again;
    va_copy(again, arguments);
    const int length = rv_format(&text[0], size, format, arguments);
    EXPECT_GE(rv_format(nullptr, 0, format, again), length);
    va_end(again);
    EXPECT_EQ(text.substr(size), "########");
    return text.c_str();
}

__attribute__((__format__(__printf__, 1, 2))) std::string print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const std::string text = print_into(2000, format, arguments);
    va_end(arguments);
    return text;
}

__attribute__((__format__(__printf__, 2, 3))) std::string print_short(size_t size,
                                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const std::string text = print_into(size, format, arguments);
    va_end(arguments);
    return text;
}

TEST(Text, ShowsTextFromOutsideOnOneLine)
{
    EXPECT_EQ(print("%s", ESCAPE "]52;c;aGk=\a"), "\\x1b]52;c;aGk=\\x07");
    EXPECT_EQ(print("%s", "a\nb\tc\rd\x7f"), "a\\x0ab\\x09c\\x0dd\\x7f");
    EXPECT_EQ(print("%s", CSI "31m"), "\\u009b31m");
    EXPECT_EQ(print("%s", "\x9b"
                          "31m"),
              "\\x9b31m");
    EXPECT_EQ(print("%s", "a" REVERSE "b\xe2\x81\xa6\xe2\x80\xa8"), "a\\u202eb\\u2066\\u2028");
    EXPECT_EQ(print("%s", CUT), "\\xce");
    EXPECT_EQ(print("%s", "\xed\xa0\x80\xc0\x80\xf5"), "\\xed\\xa0\\x80\\xc0\\x80\\xf5");
    EXPECT_EQ(print("%s", "\xef\xbf\xbe"), "\\ufffe");
    EXPECT_EQ(print("%c%c", '\x1b', '\x9b'), "\\x1b\\x9b");
}

TEST(Text, KeepsWhatIsHarmless)
{
    const char *text = "\xce\xb1 \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \"'\\&<>`$%@";
    EXPECT_EQ(print("%s", text), text);
    EXPECT_EQ(print("%s", print("%s", ESCAPE CUT).c_str()), "\\x1b\\xce") << "shown twice";
    EXPECT_EQ(print("a\n\t%s\n", "b"), "a\n\tb\n") << "the format is structure";
    EXPECT_EQ(print("%-s", "a\n\tb" ESCAPE), "a\n\tb\\x1b");
}

TEST(Text, WidthsCountCharactersAndLimitsKeepThemWhole)
{
    EXPECT_EQ(print("[%-4s]", "\xce\xb1"), "[\xce\xb1   ]");
    EXPECT_EQ(print("[%6s]", ESCAPE), "[  \\x1b]");
    EXPECT_EQ(print("[%*s]", -3, "a\n"), "[a\\x0a]");
    EXPECT_EQ(print("%.2s", "a\xce\xb1"), "a");
    EXPECT_EQ(print("%.3s", "a\xce\xb1"), "a\xce\xb1");
    EXPECT_EQ(print("%.*s", 3, "\xf0\x9f\x98\x80"), "");
    EXPECT_EQ(print_short(3, "a%s", "\xce\xb1"), "a") << "a text that does not fit";
    EXPECT_EQ(print_short(4, "a%s", "\xce\xb1"), "a\xce\xb1");
    EXPECT_EQ(print_short(4, "abcdef"), "abc");
    EXPECT_EQ(print_short(1, "abc"), "");
    char text[8];
    rv_print(text, 5, "%s", "\xce\xb1\xe2\x82\xac");
    EXPECT_STREQ(text, "\xce\xb1");
    rv_text to = {text, text + 5};
    rv_put(&to, "abc");
    rv_put(&to, "\xce\xb1");
    rv_put(&to, "%.*s", 3, "\xce\xb1\xce\xb1");
    EXPECT_STREQ(text, "abc");
}

TEST(Text, IsThatOfPrintfForNumbers)
{
    char expected[2000];
#define SAME(format, ...) \
    do { \
        snprintf(expected, sizeof expected, format, __VA_ARGS__); \
        EXPECT_EQ(print(format, __VA_ARGS__), expected); \
    } while (0)
    SAME("%d %i %5d|%-5d|%05d|%+d|% d", -1, 2, 3, 4, 5, 6, 7);
    SAME("%hhd %hd %ld %lld %zu %zd %td %jd", static_cast<signed char>(-3),
         static_cast<short>(-300), LONG_MIN, LLONG_MAX, SIZE_MAX, static_cast<ssize_t>(-3),
         static_cast<ptrdiff_t>(-4), INTMAX_MIN);
    SAME("%u %x %#X %o %08x %.3d %hhx %hx %lu %llx", UINT_MAX, 255u, 255u, 8u, 0xbeefu, 7,
         static_cast<unsigned char>(0xff), static_cast<unsigned short>(0xffff), ULONG_MAX,
         ULLONG_MAX);
    SAME("%f %.2f %e %.3g %G %a %*.*f|%-12.3e|%+.0f", 0.1, -2.345, 1e-300, 12345.6, 1e20, 1.5, 10,
         4, 3.25, 7.0, 0.5);
    SAME("%.300f %500d", 1e308, 1);
    SAME("%g %g %g%%", INFINITY, -INFINITY, -0.0);
    SAME("%p", static_cast<void *>(expected));
    SAME("%3c|%-3c|%5.2s|%-5.1s|%s", 'a', 'b', "abc", "def", "");
    SAME("(%d) (s", 1);
}

TEST(Text, JoinedTextsAreCutOffAtTheEndOfTheBuffer)
{
    const std::string whole = "one/two/three";
    for (size_t size = 0; size <= whole.size() + 2; size++) {
        std::string to(size + 8, '#');
        EXPECT_EQ(rv_join(&to[0], size, "one", "/", "", "two", "/three", nullptr), whole.size());
        EXPECT_EQ(to.substr(size), "########");
        if (size) {
            EXPECT_EQ(to.c_str(), whole.substr(0, size - 1));
        }
    }
    char text[4] = "abc";
    EXPECT_EQ(rv_join(text, sizeof text, "", nullptr), 0u);
    EXPECT_STREQ(text, "");
}

TEST(Text, WritesTheDigitsOfCounts)
{
    char text[RV_DECIMAL];
    for (const int64_t n : {int64_t{1}, int64_t{9}, int64_t{10}, int64_t{16384}, INT64_MAX})
        EXPECT_EQ(rv_decimal(n, text), std::to_string(n));
}

TEST(Text, NumbersAreThoseOfStrtod)
{
    const char *const texts[] = {"0",
                                 "7",
                                 "12",
                                 "12]",
                                 "007 ",
                                 "12abc",
                                 "12e",
                                 "12e3",
                                 "12E-2",
                                 "12.",
                                 "12.5",
                                 "0x1f",
                                 "0X",
                                 "-3",
                                 "+3",
                                 " 4",
                                 "",
                                 "x",
                                 "inf",
                                 "1_000",
                                 "3/4",
                                 "12e+",
                                 "12.e1",
                                 "9e999",
                                 "1\xc2\xb2",
                                 "999999999999999",
                                 "9999999999999999",
                                 "123456789012345678901",
                                 "000000000000000000001",
                                 "9007199254740993"};
    for (const char *text : texts) {
        char *end = nullptr, *seen = nullptr;
        const double expected = std::strtod(text, &end), number = rv_number(text, &seen);
        EXPECT_EQ(number, expected) << text;
        EXPECT_EQ(seen, end) << text;
        EXPECT_EQ(rv_number(text, nullptr), expected) << text;
    }
}

TEST(Text, EndingsFollowNumbersOfTheFormatAlone)
{
    EXPECT_EQ(print("%d sample(s)", 1), "1 sample");
    EXPECT_EQ(print("%d training sample(s), %d batch(es)", 2, 0), "2 training samples, 0 batches");
    EXPECT_EQ(print("%s has %d line(s)", "2 copy(s)", 1), "2 copy(s) has 1 line");
}

TEST(Text, EveryPairOfBytesBecomesValidTextWithoutControlCharacters)
{
    for (int a = 1; a < 256; a++)
        for (int b = 0; b < 256; b++) {
            const char pair[] = {static_cast<char>(a), static_cast<char>(b), '\0'};
            const std::string shown = print("%s", pair);
            ASSERT_TRUE(rv_utf8_valid(shown.data(), shown.size())) << a << " " << b;
            for (const char c : shown)
                ASSERT_FALSE((c >= 0 && c < ' ') || c == 127) << a << " " << b;
            ASSERT_EQ(shown.find("\xc2\x80"), std::string::npos);
            ASSERT_EQ(print("%s", shown.c_str()), shown);
        }
}

} // namespace
