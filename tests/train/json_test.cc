#include <gtest/gtest.h>

#include <cstring>
#include <string>

extern "C" {
#include "tensor/memory.h"
#include "tensor/utf8_internal.h"
#include "train/json_internal.h"
}

namespace {

std::string printed(const std::string &value, bool indented)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", value.c_str());
    char *text = rv_json_text(object, indented);
    const std::string copy = text ? text : "";
    rv_free(text);
    cJSON_Delete(object);
    return copy;
}

std::string read_back(const std::string &text)
{
    cJSON *object = cJSON_ParseWithOpts(text.c_str(), nullptr, true);
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItem(object, "name"));
    const std::string copy = value ? value : "(none)";
    cJSON_Delete(object);
    return copy;
}

TEST(Json, KeepsEveryTextThatIsUtf8AndControlsNothing)
{
    for (const std::string value :
         {"", "plain", "\xce\xb1 \xf0\x9f\x98\x80", "\x1b]52;c;aGk=\a\n\r\t\x7f",
          "\xc2\x9b"
          "31m",
          "\xe2\x80\xae\xe2\x81\xa9\xe2\x80\xa8\xef\xbf\xbf", "\"\\\"\\\\x1b\\u0000",
          "</script>'&"})
        for (const bool indented : {false, true}) {
            const std::string text = printed(value, indented);
            EXPECT_EQ(read_back(text), value) << text;
            EXPECT_TRUE(rv_utf8_valid(text.data(), text.size()));
            for (size_t at = 0; at < text.size();) {
                char shown[RV_VISIBLE];
                const size_t length = rv_visible(text.data() + at, text.size() - at, shown);
                EXPECT_TRUE(text.substr(at, length) == shown ||
                            (indented && strchr("\n\t", text[at])))
                    << text;
                at += length;
            }
        }
}

TEST(Json, BytesThatAreNoUtf8AreSpelledOut)
{
    EXPECT_EQ(read_back(printed("a\xff\xce", false)), "a\\xff\\xce");
    EXPECT_EQ(read_back(printed("\xed\xa0\x80", true)), "\\xed\\xa0\\x80");
}

} // namespace
