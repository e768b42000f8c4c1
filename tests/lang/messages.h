// Texts with mistakes, and what is reported of them. A text without a message is right.
#ifndef RV_TESTS_LANG_MESSAGES_H
#define RV_TESTS_LANG_MESSAGES_H

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lang/lang.h"
#include "tensor/memory.h"

struct Mistake {
    std::string text, message;
};

// The text with what a problem says to write, or "" if it says nothing. *old is what is replaced.
inline std::string repaired(const std::string &text, const rv_lang_problem &problem,
                            std::string *old = nullptr)
{
    if (!problem.fix) return "";
    size_t at = 0;
    for (int line = 1; line < problem.wrong.line; line++) at = text.find('\n', at) + 1;
    const auto skip = [&](int characters) { // from `at`
        size_t to = at;
        for (; characters > 0 && to < text.size(); characters--) do
                to++;
            while ((static_cast<unsigned char>(text[to]) & 0xC0) == 0x80);
        return to;
    };
    const size_t from = skip(problem.wrong.column - 1),
                 to = skip(problem.wrong.column - 1 + problem.wrong.length);
    if (old) *old = text.substr(from, to - from);
    return text.substr(0, from) + problem.fix + text.substr(to);
}

// The number of problems of a text with this hint on this line.
inline int count_hints(const std::string &text, int line, const std::string &hint)
{
    rv_lang *lang = rv_lang_read(text.data(), text.size(), "my.rv", nullptr, nullptr);
    int found = 0;
    rv_lang_check(lang);
    for (size_t i = 0; i < rv_lang_problems(lang); i++) {
        const rv_lang_problem p = rv_lang_problem_at(lang, i);
        found += p.hint && p.at.line == line && p.hint == hint;
    }
    rv_lang_free(lang);
    return found;
}

// Each problem says where it is, and what a "did you mean" says to write helps.
inline void expect_fixes(const std::string &text, const rv_lang *lang)
{
    for (size_t i = 0; i < rv_lang_problems(lang); i++) {
        const rv_lang_problem p = rv_lang_problem_at(lang, i);
        if (!p.message) continue; // not listed
        EXPECT_TRUE(p.at.line >= 1 && p.at.column >= 1 && p.at.length >= 0) << text;
        const std::string hint = p.hint;
        if (hint.compare(0, 12, "did you mean") == 0) {
            ASSERT_NE(p.fix, nullptr) << hint << text;
            EXPECT_EQ(hint, "did you mean \"" + std::string(p.fix) + "\"?");
            std::string old;
            repaired(text, p, &old);
            EXPECT_FALSE(old.empty());
            EXPECT_EQ(old.find_first_of(" ()[],='"), std::string::npos) << old; // one name
        }
        if (p.fix) {
            EXPECT_LT(count_hints(repaired(text, p), p.at.line, hint),
                      count_hints(text, p.at.line, hint))
                << repaired(text, p);
        }
    }
}

inline void expect_messages(const std::vector<Mistake> &mistakes)
{
    for (const Mistake &m : mistakes) {
        rv_error error = {};
        rv_lang *lang = rv_lang_read(m.text.data(), m.text.size(), "my.rv", nullptr, &error);
        ASSERT_NE(lang, nullptr) << error.text;
        EXPECT_EQ(rv_lang_check(lang), m.message.empty()) << m.text;
        char *message = rv_lang_problem_text(lang);
        EXPECT_EQ(message, m.message) << m.text;
        expect_fixes(m.text, lang);
        rv_free(message);
        rv_lang_free(lang);
    }
}

#endif
