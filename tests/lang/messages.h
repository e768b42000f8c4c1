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

inline void expect_messages(const std::vector<Mistake> &mistakes)
{
    for (const Mistake &m : mistakes) {
        rv_error error = {};
        rv_lang *lang = rv_lang_read(m.text.data(), m.text.size(), "my.rv", nullptr, &error);
        ASSERT_NE(lang, nullptr) << error.text;
        EXPECT_EQ(rv_lang_check(lang), m.message.empty()) << m.text;
        char *message = rv_lang_problem_text(lang);
        EXPECT_EQ(message, m.message) << m.text;
        rv_free(message);
        rv_lang_free(lang);
    }
}

#endif
