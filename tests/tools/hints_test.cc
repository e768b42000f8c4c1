/* No message asks for an option that the command at hand does not have. The messages are the
 * strings in the object files. The library writes an option as `key`, which each command prints as
 * --key where it has that option; a command writes only options of its own, or those in a command
 * line: "recurve train --data FILE". */
#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/files.h"

extern "C" {
#include "tools/cli/options.h"
#include "tools/command/commands.h"
}

namespace {

using Strings = std::vector<std::string>;

/* The printable texts of at least four characters in a file. */
Strings strings_of(const std::string &bytes)
{
    Strings strings(1);
    for (const char c : bytes) {
        if (std::isprint(static_cast<unsigned char>(c)) || c == '\n' || c == '\t')
            strings.back() += c;
        else if (strings.back().size() >= 4)
            strings.emplace_back();
        else
            strings.back().clear();
    }
    return strings;
}

/* The strings of each member of an archive, by the name of its source: "train". */
std::map<std::string, Strings> members_of(const std::string &path)
{
    std::map<std::string, Strings> members;
    std::string names; /* those that a header has no room for */
    const std::string archive = slurp(path);
    EXPECT_EQ(archive.substr(0, 8), "!<arch>\n") << path;
    for (size_t at = 8; at + 60 <= archive.size();) {
        std::string name = archive.substr(at, 16);
        const size_t size = std::stoul(archive.substr(at + 48, 10));
        const std::string content = archive.substr(at + 60, size);
        at += 60 + size + size % 2;
        if (name.substr(0, 2) == "//") names = content;
        if (name[0] == '/' && std::isdigit(name[1]))
            name = names.substr(std::stoul(name.substr(1)));
        name = name.substr(0, name.find_first_of("./ "));
        if (!name.empty()) members[name] = strings_of(content);
    }
    return members;
}

Strings paths_in(const char *variable)
{
    std::istringstream in(std::getenv(variable));
    return {std::istream_iterator<std::string>(in), {}};
}

void for_each(const std::string &text, const std::regex &regex,
              const std::function<void(const std::smatch &)> &visit)
{
    for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) visit(*at);
}

const std::regex spelled("--([a-z][a-z-]+)");

TEST(Hints, TheLibraryWritesOptionsAsKeys)
{
    std::string keys = "step"; /* of rv_gradcheck, which no command sets */
    for (int i = 0; i < rv_config_row_count(); i++) {
        const std::string key = rv_config_row_at(i)->key;
        if (key != "numbers") keys += (keys.empty() ? "" : "|") + key; /* a word of any message */
    }
    const std::regex quoted("`([a-z][a-z-]*)`"),
        unquoted("\\b(give|use|lower|raise|set|add|try|reduce|increase)( (a|an|the|"
                 "another|more|fewer|larger|smaller|lower|higher|option))* (" +
                 keys + ")\\b");
    int seen = 0;
    for (const std::string &path : paths_in("LIBRARY"))
        for (const auto &[member, strings] : members_of(path))
            for (const std::string &text : strings) {
                SCOPED_TRACE(path + " " + member + ": " + text.substr(0, 300));
                for_each(text, spelled, [](const std::smatch &m) {
                    ADD_FAILURE() << m.str() << " is a spelling of the command line";
                });
                for_each(text, quoted, [&](const std::smatch &m) {
                    EXPECT_TRUE(rv_config_row_find(m[1].str().c_str(), nullptr) ||
                                m[1] == "limit-numbers" ||          // of the commands on texts
                                m[1] == "map" || m[1] == "partial") // of import
                        << m.str() << " is no option";
                    seen++;
                });
                for_each(text, unquoted, [](const std::smatch &m) {
                    ADD_FAILURE() << "\"" << m.str() << "\" names an option without backquotes";
                });
            }
    EXPECT_GT(seen, 30);
}

/* "%d sample(s)": rv_fail and its like give the noun the right ending. */
TEST(Hints, CountedNounsOfTheLibraryHaveBothEndings)
{
    const std::regex counted(
        "%[-+0-9.*]*(l|ll|z|j)?[du] ((training|validation|time|more) )?([a-z]+s)\\b(?!\\()");
    const std::set<std::string> others = {"is",    "was",     "has",   "as",    "this",
                                          "its",   "differs", "does",  "us",    "runs",
                                          "comes", "plus",    "minus", "always"};
    for (const std::string &path : paths_in("LIBRARY"))
        for (const auto &[member, strings] : members_of(path))
            for (const std::string &text : strings)
                for_each(text, counted, [&, &member = member](const std::smatch &m) {
                    EXPECT_TRUE(others.count(m[4]))
                        << member << ": \"" << m.str() << "\" in " << text;
                });
}

bool has(const command *page, const std::string &key)
{
    if (!page) return key == "help";
    const option_table table = options_of(page);
    for (int i = 0; i < table.count; i++)
        if (key == table.row[i]->key || (table.row[i]->alias && key == table.row[i]->alias))
            return true;
    return key == "help";
}

TEST(Hints, ACommandNamesOptionsThatItHas)
{
    /* The commands that print the strings of a file which is no command's own; other such files
     * name no option. */
    const std::map<std::string, Strings> shared = {{"comparison", {"compare"}},
                                                   {"saved", {"evaluate", "sample"}},
                                                   {"merge", {"sweep"}},
                                                   {"sweep_report", {"sweep"}},
                                                   {"search", {"sweep"}},
                                                   {"equations", {"check", "run"}},
                                                   {"plan", {"sweep"}},
                                                   {"crew", {"sweep", "experiment"}},
                                                   {"objective", {"sweep"}},
                                                   {"pictures", {"train"}},
                                                   {"reading", {"train", "compare"}},
                                                   {"experiment_plan", {"experiment"}}};
    const std::regex option("(recurve ([a-z]+)[^`\n]*?)?--([a-z][a-z-]+)");
    int seen = 0;
    for (const std::string &path : paths_in("COMMANDS"))
        for (const auto &[member, strings] : members_of(path)) {
            if (member == "gnuplot") continue; /* its options */
            if (member == "options") continue; /* names them if the command has them */
            const auto found = shared.find(member);
            const Strings pages = found == shared.end() ? Strings{member} : found->second;
            for (const std::string &text : strings)
                for_each(text, option, [&](const std::smatch &m) {
                    for (const std::string &page : m[2].matched ? Strings{m[2]} : pages)
                        EXPECT_TRUE(has(command_find(page.c_str()), m[3]))
                            << "recurve " << page << " has no --" << m[3] << ": " << text;
                    seen++;
                });
        }
    EXPECT_GT(seen, 50);
}

} // namespace
