/* Text from outside cannot control a terminal, forge a line or make a result unreadable. Names full
 * of escape sequences, quotes and damaged UTF-8 are given to each option of each command, from the
 * tables that the commands parse with, and to files of each format. Every output must be text
 * without control characters, and every file must be read by a parser of its format:
 * tests/tools/parse. */
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/tools/command.h"

extern "C" {
#include "tensor/utf8_internal.h"
#include "tools/cli/options.h"
#include "tools/command/commands.h"
#include "tools/plot/gnuplot.h"
}

namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

/* A title for a terminal, its clipboard, a line of an error, and what ends or starts something in
 * some format. Valid UTF-8. */
const std::string hostile = "\x1b]52;c;aGk=\a\x1b[31m\nforged: error\r\x7f\xc2\x9b"
                            "2J\xe2\x80\xae\xe2\x80\xa8"
                            "\xef\xbf\xbf'''\"\"\\&lt;<b>,;`touch run`$(touch run)%s%n\xce\xb1";
/* The same with an invalid byte, a control character in one byte, and half of a character. */
const std::string damaged = "\xff\x9b" + hostile + "\xce";

/* ---- running ---- */

const command *command_of(const Words &words) { return command_find(words[0].c_str()); }

std::string shown(const Words &words)
{
    std::string text;
    for (const std::string &word : words) text += word + " ";
    return text;
}

void expect_harmless(const std::string &text, const std::string &what)
{
    EXPECT_TRUE(rv_utf8_valid(text.data(), text.size())) << what << "\n" << text;
    for (size_t at = 0, length; at < text.size(); at += length) {
        char visible[RV_VISIBLE];
        length = rv_visible(text.data() + at, text.size() - at, visible);
        const bool same = text.substr(at, length) == visible;
        EXPECT_TRUE(same || text[at] == '\n' || text[at] == '\t') << what << "\nprints " << visible;
        if (!same && text[at] != '\n' && text[at] != '\t') return;
    }
    EXPECT_NE(text.find("forged"), 0u) << what;
    EXPECT_EQ(text.find("\nforged"), std::string::npos) << what << "\nforges a line:\n" << text;
}

const fs::path &folder()
{
    static const fs::path path = scratch_folder();
    return path;
}

/* Where the test starts: it then works in folder(). */
const fs::path &root()
{
    static const fs::path path = fs::current_path();
    return path;
}

std::vector<fs::path> documents; /* for the parser */

int runs = 0;

/* Runs a command line in a child process. Looks at what it prints, and keeps a JSON document for
 * the parser. */
int run(const Words &words)
{
    const fs::path out = folder() / "out" / std::to_string(runs), err = folder() / "err";
    fs::create_directories(out.parent_path());
    runs++;
    Words copy = words;
    std::vector<char *> argv;
    for (std::string &word : copy) argv.push_back(&word[0]);
    argv.push_back(nullptr);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);
        if (!freopen(out.c_str(), "w", stdout) || !freopen(err.c_str(), "w", stderr)) _exit(99);
        const int status = finish_output(
            run_command(command_of(words), static_cast<int>(words.size()), argv.data()));
        fflush(stderr);
        _exit(status);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) < 99) << shown(words);
    expect_harmless(slurp(out.string()), shown(words) + "(output)");
    expect_harmless(slurp(err.string()), shown(words) + "(errors)");
    bool json = false;
    for (const std::string &word : words) json = json || word == "--json";
    if (json && fs::file_size(out) > 0) {
        fs::rename(out, out.string() + ".json");
        documents.push_back(out.string() + ".json");
    }
    return WEXITSTATUS(status);
}

Words operator+(Words words, const Words &more)
{
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

/* A command line that must succeed, with and without --json if the command has it. */
void expect_success(const Words &words)
{
    EXPECT_EQ(run(words), 0) << shown(words) << slurp((folder() / "err").string());
    Words again = words + Words{"--json"};
    bool json = false;
    const option_table options = options_of(command_of(words));
    for (int i = 0; i < options.count; i++) {
        const std::string key = options.row[i]->key;
        json = json || key == "json";
        const bool kept = std::find(words.begin(), words.end(), "--output") != words.end();
        if (key == "overwrite" && kept) again.push_back("--overwrite");
    }
    if (json) {
        EXPECT_EQ(run(again), 0) << shown(again) << slurp((folder() / "err").string());
    }
}

/* ---- files ---- */

std::string table(const std::string &header)
{
    std::string text;
    for (const char c : header) text += strchr("\n\r,\"", c) ? '?' : c;
    text += ",b,c\n";
    for (int i = 0; i < 24; i++)
        text += std::to_string(i * 7 % 11) + "," + std::to_string(i * 5 % 7) + "," +
                std::to_string(i % 2) + "\n";
    return text;
}

const char *const equations =
    "model m\n  input x[3]\n  parameter  w[3]\n  loss = sum(tanh(w).x)\n\n"
    "derive loss \"a title\"\n  dw = x.(1 - tanh(w)^2) + x\n";
const char *const cell = "cell own\n  state h\n  bias b\n  map W, U\n  h' = tanh(W x + U h + b)\n";

/* An archive of an array x, and one of another name, which the writer would refuse: it replaces one
 * of the same length. */
void write_npz(const fs::path &path, const std::string &name)
{
    const std::string stand_in(name.size(), 'w');
    rv_named_tensor arrays[] = {{"x", {}}, {stand_in.c_str(), {}}};
    for (rv_named_tensor &array : arrays)
        ASSERT_TRUE(rv_tensor_new(&array.tensor, RV_F64, RV_SHAPE(3), nullptr));
    rv_archive archive = {};
    archive.tensors = arrays;
    archive.tensor_count = 2;
    rv_error error = {};
    EXPECT_TRUE(rv_npz_write(path.c_str(), &archive, &error)) << error.text;
    for (rv_named_tensor &array : arrays) rv_tensor_free(&array.tensor);
    std::string bytes = slurp(path.string());
    for (size_t at = 0; (at = bytes.find(stand_in + ".npy", at)) != std::string::npos;
         at += name.size())
        bytes.replace(at, name.size(), name);
    spit(path.string(), bytes);
}

std::string safetensors(const std::string &name)
{
    std::string header =
        "{\"" + name + "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    while (header.size() % 8) header += ' ';
    std::string size(8, '\0');
    for (int i = 0; i < 8; i++) size[i] = static_cast<char>(header.size() >> 8 * i);
    return size + header + std::string(4, '\0');
}

/* ---- the tests ---- */

class Sinks : public testing::Test {
  protected:
    void SetUp() override
    {
        root();
        fs::current_path(folder());
    }
};

TEST_F(Sinks, EachOptionOfEachCommand)
{
    spit("plain.rv", equations);
    for (int k = 0; k < command_count; k++) {
        const command *page = commands[k];
        const option_table options = options_of(page);
        const bool text = page == &command_check || page == &command_run || page == &command_fmt;
        const Words base = Words{page->name} + (text ? Words{"plain.rv"} : Words{});
        for (int i = 0; i < options.count; i++) {
            const rv_config_row *row = options.row[i];
            const std::string option = std::string("--") + row->key;
            run(row->kind == RV_CONFIG_FLAG ? base + Words{option + "=" + damaged}
                                            : base + Words{option, damaged});
        }
        EXPECT_EQ(run({page->name, "--" + damaged}), 2);
        EXPECT_EQ(run({page->name, "-" + damaged}), 2);
        run({page->name, damaged});
        run({page->name, damaged, damaged});
    }
}

TEST_F(Sinks, EachFile)
{
    for (const std::string &name : {hostile, damaged}) {
        spit(name + ".csv", table(name));
        spit(name + ".rv", std::string(equations) + "\n" + cell);
        spit(name + ".txt", [] {
            std::string all = "it's ";
            for (int i = 0; i < 255 * 4; i++) all += static_cast<char>(i % 255 + 1);
            return all;
        }());
        write_npz(name + ".npz", "w");
        const bool kept = name == hostile; /* config.json needs UTF-8 */
        const Words small = {"--units",      "2", "--epochs", "1",
                             "--batch-size", "4", "--model",  name + ".rv:own"};
        const Words tables = {"--data", name + ".csv", "--separator", ","},
                    texts = {"--data", name + ".txt", "--length", "8"};
        const Words pictures = {"--output", name, "--plot", "--norms", "--pictures"};
        if (kept) {
            expect_success(Words{"train"} + small + texts + pictures);
            expect_success({"sample", "--output", name, "--length", "300"});
            expect_success({"evaluate", "--output", name});
            std::string listed; /* a comma separates models */
            for (const char c : name) listed += c == ',' ? '.' : c;
            fs::copy(name + ".rv", listed + ".rv");
            expect_success(Words{"compare", "--models", listed + ".rv:own,rnn", "--units", "2",
                                 "--epochs", "1", "--output", name + "/compare", "--plot"} +
                           tables);
        } else {
            EXPECT_EQ(run(Words{"train"} + small + tables + Words{"--output", "kept"}), 2);
            expect_success(Words{"train"} + small + tables);
        }
        expect_success(Words{"train", "--dry-run"} + small + tables);
        expect_success({"profile", "--model", name + ".rv:own", "--seconds", "0.001", "--timeline",
                        name + ".json"});
        documents.push_back(folder() / (name + ".json"));
        expect_success({"graph", "--training", "--model", name + ".rv:own"});
        expect_success({"gradcheck", "--model", name + ".rv:own"});
        expect_success({"run", name + ".rv", "--in", name + ".npz", "--out", name + ".out.npz"});
        EXPECT_EQ(run({"check", name + ".rv"}), 1);
        EXPECT_EQ(run({"check", name + ".rv", "--json"}), 1);
        EXPECT_EQ(run({"fmt", "--check", name + ".rv"}), 1);
        EXPECT_EQ(run({"train", "--resume", name + ".csv"}), 1);
    }
    for (const auto &entry : fs::recursive_directory_iterator(folder() / hostile))
        documents.push_back(entry.path());
    EXPECT_FALSE(fs::exists("run")) << "a shell ran what a name says";
}

TEST_F(Sinks, NamesInFiles)
{
    std::string escaped;
    for (const char c : damaged) {
        char digits[8];
        snprintf(digits, sizeof digits, "\\u%04x", static_cast<unsigned char>(c));
        escaped += digits;
    }
    for (const std::string &name : {hostile, damaged, escaped}) {
        spit("names.rv", "model m\n  input x[3]\n  loss = sum(x." + name + ")\n");
        EXPECT_EQ(run({"check", "names.rv"}), 1);
        spit("names.rv",
             std::string(
                 "model m\n  input x[3]\n  parameter  w[3]\n  loss = sum(w.x)\nderive loss \"") +
                 name + "\"\n  dw = x + x\n");
        for (const char *with : {"check", "run", "fmt"})
            EXPECT_EQ(run({with, "names.rv"}), name == escaped && *with != 'c' ? 0 : 1);
        spit("names.rv", "# " + name + "\n" + equations + "\ninclude \"" + name + "\"\n");
        EXPECT_EQ(run({"check", "names.rv"}), 1);
        write_npz("names.npz", name);
        run({"run", "plain.rv", "--in", "names.npz"});
        run({"train", "--data", "names.npz"});
        spit("names.safetensors", safetensors(name));
        run({"run", "plain.rv", "--in", "names.safetensors"});
        run({"train", "--init", "names.safetensors", "--epochs", "1"});
        spit("config.json", "{\"model\": \"" + name + "\"}");
        run({"train", "--config", "config.json"});
        spit("config.json", "{\"" + name + "\": 1}");
        run({"train", "--config", "config.json"});
        spit("names.csv", table(name) + name + ",1,0\n");
        run({"train", "--data", "names.csv"});
    }
}

/* Names of characters of two bytes, longer than what messages and titles show of one: a cut falls
 * between characters. */
TEST_F(Sinks, NoCharacterIsCut)
{
    const auto whole = [](const Words &words, int expected) {
        EXPECT_EQ(run(words), expected) << shown(words) << slurp((folder() / "err").string());
        const std::string last = std::to_string(runs - 1),
                          out = slurp((folder() / "out" / last).string()) +
                                slurp((folder() / "out" / (last + ".json")).string()),
                          err = slurp((folder() / "err").string());
        EXPECT_EQ((out + err).find("\\xc"), std::string::npos) << shown(words) << out << err;
    };
    for (const char *pad : {"", "a"}) {
        std::string name = pad, symbol = pad;
        for (int i = 0; i < 60; i++) name += "\xce\xb1";
        for (int i = 0; i < 31; i++) symbol += "\xce\xb1";
        spit(name + ".rv", std::string(equations) + "\n" + cell);
        spit(name + ".csv", table(name));
        spit("config.json", "{\"model\": " + name + "}");
        whole({"train", "--config", "config.json"}, 1);
        spit("model.rv", "model m\n  input x[3]\n  loss = sum(x." + symbol + ")\n");
        whole({"check", "model.rv"}, 1);
        spit("model.rv", "model m\n  input x[3]\n  loss = sum(x) " + name + "\n");
        whole({"check", "model.rv"}, 1);
        spit("model.rv", "model m\n  input x[3]\n  parameter " + symbol + "[3]\n  loss = sum(" +
                             symbol + ".x)\nderive loss \"" + name + "\"\n  d" + symbol +
                             " = x + x\n");
        for (const Words &how : {Words{}, Words{"--json"}})
            whole(Words{"check", "model.rv"} + how, 1);
        spit("model.rv", std::string("# ") + name + "\n" + equations);
        whole({"run", "model.rv", "--show", name}, 2);
        const Words small = {"--data",   name + ".csv", "--separator",  ",", "--units", "2",
                             "--epochs", "1",           "--batch-size", "4"};
        whole(Words{"train", "--model", name + ".rv:own", "--map", name + "=" + name, "--init",
                    "plain.safetensors"} +
                  small,
              2);
        whole(Words{"train", "--model", name + ".rv:own", "--freeze", name} + small, 1);
        whole(Words{"compare", "--models", name + ".rv:own,rnn", "--output",
                    std::string("cut") + pad, "--plot"} +
                  small,
              0);
        for (const auto &entry :
             fs::recursive_directory_iterator(folder() / (std::string("cut") + pad))) {
            const std::string path = entry.path().string();
            EXPECT_TRUE(rv_utf8_valid(path.data(), path.size())) << path;
            documents.push_back(entry.path());
            if (entry.path().extension() == ".svg") {
                EXPECT_EQ(slurp(path).find("\\xc"), std::string::npos) << path;
            }
        }
    }
}

TEST_F(Sinks, ACommandThatDoesNotExist)
{
    std::string quoted;
    for (const char c : damaged) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    const Outcome outcome = run_program((root() / "tools/recurve").string(), "'" + quoted + "'");
    EXPECT_EQ(outcome.status, 2);
    expect_harmless(outcome.err, "recurve");
}

/* After the others: what they wrote. */
TEST_F(Sinks, EveryDocumentIsReadByAParserOfItsFormat)
{
    ASSERT_GT(documents.size(), 20u);
    std::string list;
    for (const fs::path &path : documents) list += path.string() + std::string(1, '\0');
    spit("list", list);
    const Outcome outcome =
        run_program("/usr/bin/python3", (root() / "tests/tools/parse.py").string() + " list");
    EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
    EXPECT_CONTAINS(outcome.out, "json"); /* how many of each format */
    for (const char *format : {".json", ".svg", ".csv"}) EXPECT_CONTAINS(outcome.out, format);
}

/* Only say.c and json.c print; all others call them. */
TEST_F(Sinks, NothingElseWritesText)
{
    const char *const archives = std::getenv("COMMANDS");
    ASSERT_NE(archives, nullptr);
    const Outcome outcome =
        run_program("cd '" + root().string() + "' && nm -AuP",
                    std::string(archives) +
                        " | grep -vE '\\[(say|json)(\\.pic)?\\.o\\]' | "
                        "grep -E ' (__)?(v?f?printf(_chk)?|puts|fputs|fwrite|dprintf|perror)[ @]'");
    EXPECT_EQ(outcome.err, "");
    EXPECT_EQ(outcome.out, "") << "prints text that say() has not made safe";
}

/* ---- gnuplot ---- */

TEST_F(Sinks, GnuplotThatHangsIsStopped)
{
    spit("gnuplot", "#!/bin/sh\nexec sleep 100\n");
    fs::permissions("gnuplot", fs::perms::owner_all);
    const std::string path = std::getenv("PATH");
    setenv("PATH", (folder().string() + ":" + path).c_str(), 1);
    gnuplot_picture picture = {};
    picture.width = picture.height = 100;
    picture.body = "plot x\n";
    picture.seconds = 1;
    rv_error error = {};
    EXPECT_FALSE(gnuplot_draw_png(&picture, "hanging", &error));
    EXPECT_STREQ(error.text, "gnuplot did not finish within 1 second and was stopped");
    EXPECT_FALSE(fs::exists("hanging.png"));
    setenv("PATH", path.c_str(), 1);
}

} // namespace
