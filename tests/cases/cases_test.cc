/* Runs every tests/cases/NAME.case: a transcript of a shell in a folder that holds the other files
 * of tests/cases.
 *
 *     # A comment.
 *     $ recurve check kink.rv --seed 5
 *     kink.rv:8: dV right*
 *     ...
 *     [1]
 *
 * After a command come the lines that it prints, stdout and stderr together, and its exit status
 * unless that is 0. A `*` stands for any text within a line, a line `...` for any lines, among them
 * empty lines and lines that start with "#" or "$ ". */
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/tools/command.h"
#include "tests/files.h"

namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

Lines lines_of(const std::string &text)
{
    Lines lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

/* Each `*` of the pattern stands for any characters. */
bool matches(const char *pattern, const char *text)
{
    if (*pattern == '*') return matches(pattern + 1, text) || (*text && matches(pattern, text + 1));
    return *pattern == *text && (!*text || matches(pattern + 1, text + 1));
}

/* Each line "..." of the patterns stands for any lines. */
bool matches(Lines::const_iterator pattern, Lines::const_iterator pattern_end,
             Lines::const_iterator line, Lines::const_iterator end)
{
    if (pattern == pattern_end) return line == end;
    if (*pattern == "...")
        return matches(pattern + 1, pattern_end, line, end) ||
               (line != end && matches(pattern, pattern_end, line + 1, end));
    return line != end && matches(pattern->c_str(), line->c_str()) &&
           matches(pattern + 1, pattern_end, line + 1, end);
}

const fs::path folder = "tests/cases";

class Case : public testing::TestWithParam<std::string> {};

TEST_P(Case, PrintsWhatItsTranscriptSays)
{
    const fs::path scratch = scratch_folder();
    for (const auto &entry : fs::directory_iterator(folder))
        fs::copy(entry.path(), scratch / entry.path().filename());
    const std::string in_scratch =
        "cd '" + scratch.string() + "' && PATH='" + fs::absolute("tools").string() + "':$PATH && ";

    const Lines transcript = lines_of(slurp((folder / (GetParam() + ".case")).string()));
    int commands = 0;
    for (auto line = transcript.begin(); line != transcript.end();) {
        if (line->rfind("$ ", 0) != 0) {
            EXPECT_TRUE(line->empty() || (*line)[0] == '#')
                << "not a comment or command: " << *line;
            ++line;
            continue;
        }
        const std::string command = line->substr(2);
        const auto begin = line + 1;
        line = std::find_if(begin, transcript.end(), [](const std::string &next) {
            return next.empty() || next[0] == '#' || next.rfind("$ ", 0) == 0;
        });
        const Outcome got = run_program("{ { " + in_scratch + command + "; } 2>&1; }");
        const std::string status = got.status == 0 ? "" : "[" + std::to_string(got.status) + "]\n";
        const Lines printed = lines_of(got.out + status);
        EXPECT_TRUE(matches(begin, line, printed.begin(), printed.end())) << "$ " << command << "\n"
                                                                          << got.out << status;
        commands++;
    }
    EXPECT_GT(commands, 0);
}

INSTANTIATE_TEST_SUITE_P(All, Case, testing::ValuesIn(stems(folder, ".case")),
                         [](const auto &info) { return info.param; });

} // namespace
