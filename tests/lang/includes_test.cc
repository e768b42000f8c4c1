/* What a text may include: files below its folder and below the folders that are opened to it. */
#include <gtest/gtest.h>
#include <unistd.h>

#include <random>

#include "lang/lang.h"
#include "tensor/memory.h"
#include "tests/files.h"

namespace {

const char cell[] = "cell c\n  state h\n  h' = tanh(x + h)\n";

/* Files beside, below and above the folder "work" of the text, with links between them. */
class Includes : public WithFolder {
  protected:
    void SetUp() override
    {
        WithFolder::SetUp();
        for (const char *folder : {"work/sub", "work2", "more/deep"})
            std::filesystem::create_directories(path(folder));
        for (const char *name : {"x.rv", "work/x.rv", "work/sub/x.rv", "work2/x.rv", "more/x.rv"})
            file(name, cell);
        file("more/deep/y.rv", "include \"../x.rv\"\n");
        link("..", "work/up");
        link("sub", "work/down");
        link("../x.rv", "work/out.rv");
        link("sub/x.rv", "work/in.rv");
    }

    /* The problems of a text that includes `name`; "": none. */
    std::string problems(const std::string &name, const std::string &folders = "")
    {
        const std::string main = file("work/main.rv", "include \"" + name + "\"\n");
        return told(
            rv_lang_open(main.c_str(), folders.empty() ? nullptr : folders.c_str(), &error_));
    }

    std::string told(rv_lang *lang)
    {
        EXPECT_NE(lang, nullptr) << error_.text;
        if (!lang) return "";
        char *text = rv_lang_problem_text(lang);
        const std::string problems = text;
        rv_free(text);
        rv_lang_free(lang);
        return problems;
    }

    rv_error error_ = {};

  private:
    void link(const char *to, const char *name) { ASSERT_EQ(symlink(to, path(name).c_str()), 0); }
};

bool contains(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

TEST_F(Includes, FilesBelowTheFolderAreRead)
{
    for (const char *name : {"x.rv", "./x.rv", "sub/x.rv", "sub/../x.rv", "in.rv", "down/x.rv",
                             "../work/x.rv", "up/work/sub/x.rv"})
        EXPECT_EQ(problems(name), "") << name;
    EXPECT_EQ(problems(path("work/sub/x.rv")), "");
}

TEST_F(Includes, APathWithoutAFolderIsInTheWorkingFolder)
{
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(path("work"));
    file("work/main.rv", "include \"sub/x.rv\"\n");
    EXPECT_EQ(told(rv_lang_open("main.rv", nullptr, &error_)), "");
    file("work/main.rv", "include \"../x.rv\"\n");
    EXPECT_NE(told(rv_lang_open("main.rv", nullptr, &error_)), "");
    EXPECT_EQ(told(rv_lang_open("main.rv", "..", &error_)), "");
    std::filesystem::current_path(before);
}

TEST_F(Includes, OthersAreNot)
{
    for (const std::string &name :
         {std::string("../x.rv"), std::string("sub/../../x.rv"), std::string("out.rv"),
          std::string("up/x.rv"), std::string("../work2/x.rv"), path("x.rv")})
        EXPECT_TRUE(contains(problems(name), "main.rv:1:1: error: there is no \"" + name +
                                                 "\" that this text may include"))
            << problems(name);
}

/* The message does not say whether a file outside the folder exists. */
TEST_F(Includes, AFileThatMayNotBeIncludedIsLikeOneThatIsMissing)
{
    std::string missing = problems("../none.rv");
    const std::string refused = problems("../x.rv");
    for (size_t at; (at = missing.find("none.rv")) != std::string::npos;)
        missing.replace(at, 7, "x.rv");
    EXPECT_EQ(missing.substr(0, missing.find("\n")), refused.substr(0, refused.find("\n")));
}

TEST_F(Includes, FoldersOpenWhatIsBelowThem)
{
    EXPECT_EQ(problems("../work2/x.rv", path("work2")), "");
    EXPECT_NE(problems("../x.rv", path("work2")), "");
    EXPECT_EQ(problems("../x.rv", path("more") + ":" + path("")), "");
    EXPECT_EQ(problems(path("x.rv"), path("")), "");
    EXPECT_EQ(problems("deep/y.rv", path("more")), "")
        << "looked up there, and includes from there";
    EXPECT_NE(problems("deep/y.rv", path("more/deep")), "") << "more/x.rv is not below";
    EXPECT_NE(problems("../x.rv", ":" + path("none") + "::"), "");
    EXPECT_EQ(problems("../x.rv", "/"), "");
}

TEST_F(Includes, ATextInMemoryIncludesFromFoldersOnly)
{
    const std::string text = "include \"x.rv\"\n", name = path("work/main.rv");
    EXPECT_TRUE(
        contains(told(rv_lang_read(text.data(), text.size(), name.c_str(), nullptr, &error_)),
                 "a text that is not a file can include none"));
    EXPECT_EQ(
        told(rv_lang_read(text.data(), text.size(), name.c_str(), path("work").c_str(), &error_)),
        "");
    EXPECT_NE(told(rv_lang_read(text.data(), text.size(), name.c_str(), path("work/none").c_str(),
                                &error_)),
              "");
}

/* All paths of a few components: a file is included if what it leads to is below the folder. */
TEST_F(Includes, RandomPaths)
{
    const char *const parts[] = {"..", ".", "sub", "down", "up", "work", "work2", "more", ""};
    const char *const ends[] = {"x.rv", "in.rv", "out.rv", "none.rv"};
    std::mt19937 random(7);
    const std::string below = std::filesystem::canonical(path("work")).string() + "/";
    int included = 0;
    for (int i = 0; i < 400; i++) {
        std::string name = random() % 8 ? "" : path("");
        for (size_t k = random() % 6; k > 0; k--) name += parts[random() % 9] + std::string("/");
        if (*name.c_str() == '/' && !contains(name, path(""))) continue; /* the root's */
        name += ends[random() % 4];
        std::error_code missing;
        const auto real =
            std::filesystem::canonical(name[0] == '/' ? name : path("work") + "/" + name, missing);
        const bool expected = !missing && real.string().compare(0, below.size(), below) == 0;
        EXPECT_EQ(problems(name) == "", expected) << name;
        included += expected;
    }
    EXPECT_GT(included, 20);
}

TEST_F(Includes, TheSameFileCountsOnce)
{
    const std::string main = file("work/main.rv", "include \"x.rv\"\n"
                                                  "include \"sub/../x.rv\"\n"
                                                  "include \"down/x.rv\"\n"
                                                  "include \"main.rv\"\n");
    file("work/sub/x.rv", "include \"../main.rv\"\n");
    EXPECT_EQ(told(rv_lang_open(main.c_str(), nullptr, &error_)), "");
}

/* A file that is no text of equations may hold secrets. */
TEST_F(Includes, AnotherFileIsNotShown)
{
    for (const char *secret :
         {"secret:x:0:0::/:/bin/sh\n", "# comment\n\nsecret = 1\n", "modelled secret\n",
          "\"secret\"\n", "cells secret", "\n\n  function_secret()\n"}) {
        file("work/other", secret);
        const std::string text = problems("other");
        EXPECT_TRUE(contains(text, "is not a text of equations")) << text;
        EXPECT_FALSE(contains(text, "secret")) << text;
    }
    for (const std::string &none : {std::string(), std::string("# only a comment\n"),
                                    "\xef\xbb\xbf# marked\n" + std::string(cell)}) {
        file("work/other", none);
        EXPECT_EQ(problems("other"), "") << none;
    }
}

TEST_F(Includes, MistakesInATextAreShown)
{
    file("work/other.rv", "cell c\n  state h\n  h' = tnah(x)\n");
    EXPECT_TRUE(contains(problems("other.rv"), "    3 |   h' = tnah(x)\n"));
}

} // namespace
