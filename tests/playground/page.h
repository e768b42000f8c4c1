/* Calls of the playground's module, as the page makes them. */
#ifndef RV_TESTS_PLAYGROUND_PAGE_H
#define RV_TESTS_PLAYGROUND_PAGE_H

#include <cjson/cJSON.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

extern "C" {
#include "tools/playground/module/session.h"
}

/* What a call returns: its JSON, and the numbers beside it. */
class Answer {
  public:
    Answer(const std::string &name, const std::string &arguments)
        : root_(cJSON_Parse(page_call(name.c_str(), arguments.c_str())), cJSON_Delete),
          numbers_(page_numbers(), page_numbers() + page_number_count())
    {
        EXPECT_NE(root_, nullptr);
    }
    const cJSON *result() const { return cJSON_GetObjectItem(root_.get(), "result"); }
    std::string error() const
    {
        const cJSON *error = cJSON_GetObjectItem(root_.get(), "error");
        return error ? cJSON_GetStringValue(cJSON_GetObjectItem(error, "text")) : "";
    }
    const cJSON *list(const char *name) const { return cJSON_GetObjectItem(result(), name); }
    double number(const char *name) const { return number(result(), name); }
    static double number(const cJSON *object, const char *name)
    {
        const cJSON *item = cJSON_GetObjectItem(object, name);
        EXPECT_TRUE(cJSON_IsNumber(item)) << name;
        return item ? item->valuedouble : 0;
    }
    static std::string text(const cJSON *object, const char *name)
    {
        const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
        EXPECT_NE(text, nullptr) << name;
        return text ? text : "";
    }
    /* The numbers that a member [start, count] refers to; none if there is no such member. */
    std::vector<double> numbers(const cJSON *object, const char *name) const
    {
        const cJSON *range = cJSON_GetObjectItem(object, name);
        if (!range) return {};
        const auto start = cJSON_GetArrayItem(range, 0)->valueint;
        const auto count = cJSON_GetArrayItem(range, 1)->valueint;
        return {numbers_.begin() + start, numbers_.begin() + start + count};
    }
    /* The element of a list with this name. */
    const cJSON *named(const char *list_name, const std::string &name) const
    {
        const cJSON *item = nullptr;
        cJSON_ArrayForEach(item, list(list_name)) if (text(item, "name") == name) return item;
        ADD_FAILURE() << list_name << " has no " << name;
        return nullptr;
    }

  private:
    std::unique_ptr<cJSON, void (*)(cJSON *)> root_;
    std::vector<float> numbers_;
};

/* A text as JSON. */
inline std::string as_json(const std::string &text)
{
    std::unique_ptr<cJSON, void (*)(cJSON *)> item(cJSON_CreateString(text.c_str()), cJSON_Delete);
    char *json = cJSON_PrintUnformatted(item.get());
    std::string result = json;
    cJSON_free(json);
    return result;
}

inline std::string file(const std::string &path)
{
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    EXPECT_NE(text.str(), "") << path;
    return text.str();
}

#endif
