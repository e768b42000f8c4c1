/* Runs a program of the project as a user would, and looks at what it leaves behind. */
#ifndef RV_TESTS_TOOLS_COMMAND_H
#define RV_TESTS_TOOLS_COMMAND_H

#include <cjson/cJSON.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "tests/files.h"

/* A fresh, empty folder of the running test. */
inline std::string scratch_folder()
{
    static int count = 0;
    const char *root = std::getenv("TEST_TMPDIR");
    const auto *test = testing::UnitTest::GetInstance()->current_test_info();
    const std::string path = std::string(root ? root : "/tmp") + "/" + test->test_suite_name() +
                             "." + test->name() + "." + std::to_string(count++);
    EXPECT_EQ(std::system(("rm -rf '" + path + "' && mkdir -p '" + path + "'").c_str()), 0);
    return path;
}

struct Outcome {
    int status; /* the exit status, or -1 when it did not exit by itself */
    std::string out, err;
};

/* `arguments` as typed into a shell; the program's path is the one in the repository. */
inline Outcome run_program(const std::string &program, const std::string &arguments = "")
{
    const std::string folder = scratch_folder();
    const int code = std::system(
        (program + " " + arguments + " </dev/null >'" + folder + "/out' 2>'" + folder + "/err'")
            .c_str());
    return {WIFEXITED(code) ? WEXITSTATUS(code) : -1, slurp(folder + "/out"),
            slurp(folder + "/err")};
}

inline Outcome recurve(const std::string &arguments)
{
    return run_program("tools/recurve", arguments);
}

/* A document that must be the whole text. */
class Json {
  public:
    explicit Json(const std::string &text)
    {
        const char *end = nullptr;
        root_.reset(cJSON_ParseWithOpts(text.c_str(), &end, true));
        EXPECT_NE(root_, nullptr) << "not one JSON document: " << text;
    }
    const cJSON *root() const { return root_.get(); }
    double number(const char *name) const { return number(root_.get(), name); }
    std::string text(const char *name) const { return text(root_.get(), name); }

    static double number(const cJSON *object, const char *name)
    {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
        EXPECT_TRUE(cJSON_IsNumber(item)) << name;
        return item ? cJSON_GetNumberValue(item) : 0;
    }
    static std::string text(const cJSON *object, const char *name)
    {
        const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
        EXPECT_NE(value, nullptr) << name;
        return value ? value : "";
    }

  private:
    std::unique_ptr<cJSON, void (*)(cJSON *)> root_{nullptr, cJSON_Delete};
};

#define EXPECT_CONTAINS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

#endif
