/* What is made from the tables of commands: the completion for bash and zsh, which complete command
 * lines with it here, and manual pages. */
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/tools/command.h"

extern "C" {
#include "tools/cli/options.h"
#include "tools/command/commands.h"
#include "tools/mpi/pages.h"
}

namespace {

using Words = std::vector<std::string>;

/* The path of a copy of what is installed. */
const std::string &script()
{
    static const std::string path = [] {
        const std::string file = scratch_folder() + "/recurve";
        spit(file, run_program("tools/manual/manual", "--bash").out +
                       slurp("tools/manual/completion.bash"));
        return file;
    }();
    return path;
}

Words lines_of(const std::string &text)
{
    std::istringstream in(text);
    Words lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

/* What bash offers for the last word of each line, in a folder; lines are followed by "--". */
Words offers(const Words &lines, const std::string &folder = ".")
{
    std::string text = "cd '" + folder + "'\nsource '" + script() + "'\n";
    for (const std::string &line : lines)
        text += "COMP_WORDS=(" + line + ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_recurve\n" +
                "printf '%s\\n' \"${COMPREPLY[@]}\" --\n";
    const std::string file = scratch_folder() + "/lines";
    spit(file, text);
    const Outcome outcome = run_program("bash", "--norc " + file);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return lines_of(outcome.out);
}

/* The same of one line, sorted. */
Words offer(const std::string &line, const std::string &folder = ".")
{
    Words words = offers({line}, folder);
    EXPECT_FALSE(words.empty()) << line;
    if (!words.empty()) words.pop_back();
    words.erase(std::remove(words.begin(), words.end(), ""), words.end());
    std::sort(words.begin(), words.end());
    return words;
}

TEST(Completion, Subcommands)
{
    EXPECT_EQ(offer("recurve tr"), Words({"train"}));
    EXPECT_EQ(offer("recurve ''").size(), static_cast<size_t>(command_count) + 2);
    EXPECT_EQ(offer("recurve --v"), Words({"--version"}));
    EXPECT_EQ(offer("recurve none -"), Words());
}

/* recurve-mpi has some of them. */
TEST(Completion, SubcommandsOfRanks)
{
    Words expected = {"--help", "--version"};
    for (const mpi_page &page : mpi_pages) expected.push_back(page.of->name);
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(offer("recurve-mpi ''"), expected);
    EXPECT_EQ(offer("/opt/bin/recurve-mpi tr"), Words({"train"}));
    EXPECT_EQ(offer("recurve-mpi train --leav"), Words({"--leaves"}));
    EXPECT_EQ(offer("recurve-mpi train --schedule co"), Words({"constant", "cosine"}));
    EXPECT_EQ(offer("recurve-mpi compare --"), Words());
}

TEST(Completion, EachOptionOfEachCommand)
{
    Words lines, expected;
    for (int i = 0; i < command_count; i++) {
        const option_table table = options_of(commands[i]);
        for (int k = 0; k < table.count; k++)
            for (const char *key : {table.row[k]->key, table.row[k]->alias})
                if (key) {
                    lines.push_back(std::string("recurve ") + commands[i]->name + " --" + key);
                    expected.push_back(std::string("--") + key);
                }
    }
    const Words found = offers(lines);
    auto at = found.begin();
    for (size_t i = 0; i < lines.size(); i++) {
        const auto end = std::find(at, found.end(), "--");
        EXPECT_NE(std::find(at, end, expected[i]), end) << lines[i];
        ASSERT_NE(end, found.end()) << lines[i];
        at = end + 1;
    }
    EXPECT_EQ(offer("recurve fmt --in-place --ch"), Words({"--check"}));
}

TEST(Completion, Words)
{
    EXPECT_EQ(offer("recurve train --schedule co"), Words({"constant", "cosine"}));
    EXPECT_EQ(offer("recurve train --schedule = ex"), Words({"exponential"}));
    EXPECT_EQ(offer("recurve train --dtype ="), Words({"f32", "f64"}));
    EXPECT_EQ(offer("recurve train --task moving"), Words({"moving-digits"}));
    EXPECT_EQ(offer("recurve train --task di"), Words({"digits"}));
    EXPECT_EQ(offer("recurve sweep --objective bits_"), Words({"bits_per_parameter"}));
    EXPECT_EQ(offer("recurve train --optimizer adamw"), Words({"adamw"}));
    EXPECT_EQ(offer("recurve gradcheck --op conv2d_t"), Words({"conv2d_transpose"}));
    EXPECT_EQ(offer("recurve train --hidden-size 1"), Words());
}

TEST(Completion, Lists)
{
    EXPECT_EQ(offer("recurve compare --models mingr"), Words({"mingru"}));
    EXPECT_EQ(offer("recurve compare --models gru,curnn,mingr"), Words({"gru,curnn,mingru"}));
    EXPECT_EQ(offer("recurve compare --optimizers sgd,adamw"), Words({"sgd,adamw"}));
}

TEST(Completion, FilesWhereFilesAreExpected)
{
    const std::string folder = scratch_folder();
    std::filesystem::create_directory(folder + "/my runs");
    for (const char *name : {"my cell.rv", "my data.csv"}) spit(folder + "/" + name, "");
    EXPECT_EQ(offer("recurve train --output my", folder), Words({"my runs"}));
    EXPECT_EQ(offer("recurve train --data my", folder),
              Words({"my cell.rv", "my data.csv", "my runs"}));
    EXPECT_EQ(offer("recurve train my", folder), Words({"my cell.rv", "my runs"}));
    EXPECT_EQ(offer("recurve train --model 'my c'", folder), Words({"my cell.rv"}));
    EXPECT_EQ(offer("recurve check my.rv my", folder).size(), 3u);
    EXPECT_EQ(offer("recurve run --out my", folder).size(), 3u);
    EXPECT_EQ(offer("recurve tasks my", folder), Words());
}

/* What zsh offers for the last word of each line, in a folder: a zsh completes as a person would
 * see it, in a terminal of its own, and each word that is added to what it offers is written to a
 * file. Lines are followed by "--". */
Words zsh_offers(const Words &lines, const std::string &folder = ".")
{
    const std::string scratch = scratch_folder(), out = scratch + "/offers";
    spit(scratch + "/_recurve",
         run_program("tools/manual/manual", "--zsh").out + slurp("tools/manual/completion.zsh"));
    spit(scratch + "/start", "PS1= LISTMAX=100000 fpath=('" + scratch + "' $fpath)\n" + R"(
setopt no_auto_list no_auto_menu no_beep
autoload -Uz compinit
compinit -D -u
compadd()
{
    local -a hits
    if [[ -z ${@[(r)-[OAD]]} ]]; then
        builtin compadd -O hits "$@"
        (($#hits == 0)) || print -rl -- $hits >>$OUT
    fi
    builtin compadd "$@"
}
cd $FOLDER
stty kill undef # else ^U would erase what is typed before the line editor reads it
print -r -- -- >>$OUT
)");
    std::string text = "export OUT='" + out + "' FOLDER='" + folder + "'\n: >$OUT\n" +
                       R"(zmodload zsh/zpty zsh/zselect
zpty z zsh -f -i
wait_for()
{
    for ((i = 0; i < 2000 && $(grep -c '^--$' $OUT) < $1; i++)) zselect -t 1
}
zpty -w z "source )" + scratch +
                       "/start\"\nwait_for 1\nn=1\n";
    for (const std::string &line : lines)
        text += "zpty -w -n z '" + line + "'$'\\t\\x15'\nzpty -w z 'print -r -- -- >>$OUT'\n" +
                "wait_for $((++n))\n";
    spit(scratch + "/complete", text);
    const Outcome outcome = run_program("zsh", "-f " + scratch + "/complete");
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    Words words = lines_of(slurp(out));
    if (!words.empty()) words.erase(words.begin());
    return words;
}

TEST(Completion, OfZsh)
{
    const std::string folder = scratch_folder();
    for (const char *name : {"my.rv", "my.csv"}) spit(folder + "/" + name, "");
    EXPECT_EQ(zsh_offers({"recurve tr", "recurve train --schedule co",
                          "recurve train --dtype=", "recurve train --optimizer=adamw",
                          "recurve compare --models gru,mingr", "recurve fmt --in-place --ch",
                          "recurve train my", "recurve none -", "recurve run --out my",
                          "recurve train --seq", "recurve sweep --objective bits_",
                          "recurve train --task di", "recurve-mpi s", "recurve-mpi com",
                          "recurve-mpi train --leav", "recurve-mpi compare --s"},
                         folder),
              Words({"train",
                     "--",
                     "constant",
                     "cosine",
                     "--",
                     "f32",
                     "f64",
                     "--",
                     "adamw",
                     "--",
                     "mingru",
                     "--",
                     "--check",
                     "--",
                     "my.rv",
                     "--",
                     "--",
                     "my.csv",
                     "my.rv",
                     "--",
                     "--sequence",
                     "--",
                     "bits_per_parameter",
                     "--",
                     "digits",
                     "--",
                     "sweep",
                     "--",
                     "--",
                     "--leaves",
                     "--",
                     "--"}));
}

TEST(Manual, OfRanksHasWhatItsHelpHas)
{
    EXPECT_CONTAINS(run_program("tools/manual/manual", "--pages").out, "\nrecurve-mpi\n");
    std::string page = run_program("tools/manual/manual", "--page recurve-mpi").out;
    page.erase(std::remove(page.begin(), page.end(), '\\'), page.end());
    for (const mpi_page &p : mpi_pages) {
        EXPECT_CONTAINS(page, p.summary);
        EXPECT_CONTAINS(page, std::string("recurve-") + p.of->name + " (1)");
    }
    for (const char *section :
         {"NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"})
        EXPECT_CONTAINS(page, std::string("\n.SH ") + section + "\n");
}

/* The installed page of a command, too, indents the lines of a block as its text does. */
TEST(Manual, KeepsIndentation)
{
    const std::string page = run_program("tools/manual/manual", "--page recurve-sweep").out;
    EXPECT_CONTAINS(page, "\n.EX\n{\"task\": \"adding\",");
    EXPECT_CONTAINS(page, "\n \"layers\": {\"each\": [1, 2]},");
    EXPECT_CONTAINS(page, "\n              \"when\": {\"optimizer\": \"momentum\"}}}\n.EE\n");
}

} // namespace
