/* The documents: their C compiles, or this test would not build; the examples that they name are
 * there; files that they show contain what is shown; and commands print what is shown. */
#include <gtest/gtest.h>

#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/tools/command.h"

namespace {

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

/* In a block whose first line is "# PATH.rv", all other lines are in that file, in their order.
 * Comments may be left out. */
void expect_files_shown(const std::string &document)
{
    static const std::regex path("# ([a-z_/]+\\.rv)");
    std::istringstream in(slurp(document));
    std::smatch match;
    int found = 0;
    for (std::string line; std::getline(in, line);) {
        if (!std::regex_match(line, match, path)) continue;
        const std::string name = match[1].str();
        std::istringstream file(slurp(name));
        for (std::string kept; std::getline(in, line) && line != "```";) {
            const auto is_shown = [&] {
                return kept == line || kept.compare(0, line.size() + 3, line + "  #") == 0;
            };
            while (std::getline(file, kept) && !is_shown()) continue;
            ASSERT_TRUE(file) << document << " shows what is not in " << name << ", or not here:\n"
                              << line;
        }
        found++;
    }
    EXPECT_GT(found, 0) << document;
}

TEST(Documents, ShowLinesOfFiles)
{
    expect_files_shown("docs/guide.md");
    expect_files_shown("README.md");
}

/* A command in an indented block, and the lines of its output that are shown, in their order. A
 * line that ends in ".." is the beginning of one. */
struct Shown {
    std::string command;
    std::vector<std::string> lines;
};

std::vector<Shown> commands_shown(const std::string &document)
{
    static const std::regex runs("    \\$ recurve (check .*|train gallery/.*)");
    std::vector<Shown> found;
    std::istringstream in(slurp(document));
    std::smatch match;
    bool inside = false;
    for (std::string line; std::getline(in, line);) {
        if (line.rfind("    $ ", 0) == 0) {
            inside = std::regex_match(line, match, runs);
            if (inside) found.push_back({match[1].str(), {}});
        } else if (line.rfind("    ", 0) != 0) {
            inside = false;
        } else if (inside && line != "    ...") {
            found.back().lines.push_back(line.substr(4));
        }
    }
    return found;
}

bool shows(const std::string &shown, const std::string &printed)
{
    const size_t size = shown.size();
    if (size < 2 || shown.compare(size - 2, 2, "..") != 0) return shown == printed;
    return printed.compare(0, size - 2, shown, 0, size - 2) == 0;
}

class Transcripts : public testing::TestWithParam<const char *> {};

TEST_P(Transcripts, ArePrinted)
{
    const std::vector<Shown> commands = commands_shown(GetParam());
    EXPECT_FALSE(commands.empty());
    for (const Shown &shown : commands) {
        EXPECT_FALSE(shown.lines.empty()) << shown.command;
        const Outcome outcome = recurve(shown.command);
        std::istringstream printed(outcome.out + outcome.err);
        std::string line;
        for (const std::string &expected : shown.lines) {
            bool found = false;
            while (!found && std::getline(printed, line)) found = shows(expected, line);
            EXPECT_TRUE(found) << "recurve " << shown.command << " does not print, or not here:\n"
                               << expected << "\n\n"
                               << outcome.out << outcome.err;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Documents, Transcripts,
                         testing::Values("docs/gallery.md", "docs/guide.md", "docs/language.md"),
                         [](const auto &info) {
                             std::string name = info.param;
                             return name.substr(5, name.find('.') - 5);
                         });

} // namespace
