/* The documents: their C compiles, or this test would not build, and the examples that they name
 * are there. */
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <string>

namespace {

std::string slurp(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void expect_examples(const std::string &document, const std::string &pattern)
{
    const std::string text = slurp(document);
    const std::regex name(pattern);
    int found = 0;
    for (std::sregex_iterator i(text.begin(), text.end(), name), end; i != end; ++i, found++)
        EXPECT_NE(slurp("tools/examples/" + (*i)[1].str()), "") << document << ": " << i->str();
    EXPECT_GT(found, 2) << document;
}

TEST(Documents, NameExamplesThatThereAre)
{
    expect_examples("docs/guide.md", "`([a-z_]+\\.c)`");
    expect_examples("README.md", "`([a-z_]+\\.c)`");
}

} // namespace
