/* No option is dropped without a word. Each option of each command is added to command lines of that command: it must
 * change what the command prints or writes, or be refused by a message that names it. The options and their values come
 * from the table that the command itself parses with. */
#include <gtest/gtest.h>

#include <algorithm>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/tools/command.h"

extern "C" {
#include "tools/cli/options.h"
#include "tools/command/commands.h"
}

namespace {

namespace fs = std::filesystem;

/* A command line, run in a folder with the files that prepare() makes, and the options that it is for; none: all. */
struct Context {
    std::string line;
    std::set<std::string> only;
};
const std::vector<Context> contexts = {
    {"train --model rnn --units 2 --head-units 2 --epochs 1", {}},
    {"train --model curnn --epochs 1 --output out",
     {"plot", "pictures", "pictures-of", "norms", "units", "layers", "kernel", "activation",
      "forget", "pool"}},
    {"train --model rnn --units 2 --epochs 4 --learning-rate 9 --optimizer sgd", {"patience"}},
    {"train --task adding --samples 24 --length 6 --learning-rate 1e30 --optimizer sgd",
     {"anomaly"}},
    {"train --epochs 3", {"resume"}},
    {"train --model rnn --units 2 --epochs 1 --output run", {"overwrite"}},
    {"train --model rnn --units 2 --learned-start --epochs 1 --init run/best.safetensors",
     {"partial"}},
    {"train --model gru --units 2 --layers 2 --dropout 0.5 --epochs 1",
     {"skip", "residual", "same-dropout"}},
    {"train --model rnn --units 2 --epochs 1 --digest",
     {"json", "limit", "norms", "plot", "pictures", "pictures-of", "quiet"}},
    {"train --model rnn --units 2 --epochs 1 --json", {"limit", "norms", "plot", "digest"}},
    {"train --model gru --units 8 --task adding --samples 24 --length 24 --epochs 1 --json",
     {"recompute"}},
    {"train --model rnn --task adding --samples 24 --length 4 --epochs 1", {"parameters"}},
    {"train --model mingru --units 2 --task adding --samples 24 --length 24 --epochs 1",
     {"stepwise"}},
    {"train --model gru --units 2 --task adding --samples 24 --length 6 --batch-size 4 --epochs 1",
     {}},
    {"train --model gru --units 2 --task copy --samples 24 --length 12 --size 3 --batch-size 4 "
     "--epochs 1",
     {}},
    {"train --task capacity --samples 24 --length 3 --epochs 1", {"validation", "shift", "size"}},
    {"train --task arithmetic --samples 24 --size 1 --epochs 1", {"length", "size", "noise"}},
    {"train --model conv-gru --units 1 --task moving-digits --samples 6 --length 2 --epochs 1",
     {"shift", "loss", "kernel", "size", "pictures", "pictures-of"}},
    {"train --model gru --units 2 --data table.csv --batch-size 4 --epochs 1", {}},
    {"train --model gru --units 1 --data wide.csv --cache 4 --epochs 1", {"cache"}},
    {"train --model gru --units 2 --data images.idx --labels labels.idx --batch-size 4 --epochs 1",
     {"task", "data", "labels", "classes", "alphabet", "samples", "length", "size", "sequence",
      "numbers", "label", "validation", "shift", "noise", "steps", "divide", "validation-labels"}},
    {"train --model gru --units 2 --data steps.npz --batch-size 4 --epochs 1", {"targets"}},
    {"train --model gru --units 2 --data table.csv --sequence --batch-size 4 --epochs 1",
     {"shape"}},
    {"train --model gru --units 2 --data text.txt --length 8 --batch-size 4 --epochs 1",
     {"task", "data", "labels", "classes", "alphabet", "samples", "length", "size", "sequence",
      "numbers", "label", "validation", "shift", "noise", "steps", "carry", "bidirectional"}},
    {"train --model own.rv --task memory --samples 24 --length 3 --size 1 --batch-size 4 --epochs "
     "1",
     {}},
    {"train --resume run --epochs 3", {}},
    {"train --config run/config.json", {}},
    {"compare --models rnn,gru --units 2 --head-units 2 --epochs 1 --json", {}},
    {"compare --models gru --task adding --samples 24 --length 6 --epochs 2",
     {"seeds", "json", "quiet", "models", "optimizers", "size"}},
    {"compare --models rnn,gru --units 2 --task adding --samples 24 --length 6 --epochs 1",
     {"sort"}},
    {"compare --models rnn --units 2 --epochs 4 --learning-rate 9 --optimizers sgd --json",
     {"patience"}},
    {"compare --models gru --units 1 --data wide.csv --cache 4 --epochs 1", {"cache"}},
    {"compare --models rnn --units 2 --epochs 1 --output out", {"plot"}},
    {"compare --models own.rv --task memory --samples 24 --length 3 --size 1 --batch-size 4 "
     "--epochs 1 --json",
     {"gradients"}},
    {"evaluate --output run", {}},
    {"sample --output written --length 9", {}},
    {"profile --model rnn --units 2 --head-units 2 --batch-size 2 --seconds 0.01 --json", {}},
    {"profile --task copy --seconds 0.01",
     {"length", "channels", "image-size", "json", "sort", "top"}},
    {"profile --model gru --units 1 --data wide.csv --cache 4 --seconds 0.01", {"cache"}},
    {"export --output run --c out", {}},
    {"export --output run --onnx out.onnx", {}},
    {"export --model gru --units 2 --layers 2 --classes 0-3 --c out", {}},
    {"export --model gru --units 2 --c out --inference",
     {"optimizer", "learning-rate", "momentum", "schedule", "freeze", "smoothing", "loss"}},
    {"export --model gru --units 2 --onnx out.onnx",
     {"optimizer", "learning-rate", "weight-decay", "average", "smoothing"}},
    {"export --model gru --units 2 --classes 0-3 --onnx out.onnx --train", {}},
    {"export own.rv --c out",
     {"outputs", "onnx", "output", "checkpoint", "keep", "units", "task", "optimizer"}},
    {"gradcheck", {"op", "model"}},
    {"gradcheck --op add", {}},
    {"verify curnn-blog", {}},
    {"check own.rv", {}},
    {"run own.rv", {"second", "json", "out"}},
    {"run own.rv --grad loss --json", {}},
    {"fmt own.rv", {}},
    {"graph --model rnn", {}},
    {"ops", {}},
    {"models", {}},
    {"models gru", {}},
    {"optimizers", {}},
    {"tasks", {}},
};

/* The values of a text option that is not one of a few words. A new one needs a row. */
const std::map<std::string, std::vector<std::string>> texts = {
    {"task", {"parity --samples 24", "copy --samples 24"}},
    {"data", {"table.csv", "text.txt"}},
    {"labels", {"labels.idx", "others.idx"}},
    {"shape", {"3,2", "4,1"}},
    {"separator", {";"}},
    {"validation-data", {"table.csv"}},
    {"validation-labels", {"others.idx --validation-data images.idx"}},
    {"classes", {"2,3"}},
    {"alphabet", {"6162630a"}},
    {"model", {"lstm"}},
    {"models", {"lstm"}},
    {"optimizer", {"rmsprop"}},
    {"optimizers", {"rmsprop"}},
    {"gradients", {"decay"}},
    {"learning-rates", {"*=0.004"}},
    {"freeze", {"*"}},
    {"output", {"elsewhere"}},
    {"config", {"run/config.json", "written/config.json"}},
    {"resume", {"run", "written"}},
    {"init", {"run/best.safetensors", "fit.safetensors"}},
    {"checkpoint", {"run/best.safetensors", "written/checkpoint.safetensors"}},
    {"start", {"ab"}},
    {"timeline", {"step.json"}},
    {"op", {"multiply"}},
    {"in", {"in.npz"}},
    {"out", {"out.npz"}},
    {"grad", {"loss:x"}},
    {"show", {"x"}},
    {"pictures-of", {"h"}},
    {"include-path", {"run"}},
    {"c", {"other"}},
    {"onnx", {"other.onnx"}},
    {"name", {"cell"}},
    {"outputs", {"loss"}},
};

/* Options that matter only in some circumstances: accepted without effect in other contexts. */
const std::set<std::string> circumstantial = {
    "anomaly",  /* when a number is not finite */
    "patience", /* when the validation loss rises */
    "sort",     /* when the scores differ */
    "clip-norm",
    "clip-value", /* when a gradient is large */
    "recompute",  /* memory, which the summary rounds */
    "quiet",      /* not with --json and --digest, which print no more anyway */
    "shape",      /* of a row, for a cell that reads the row whole */
    "cache",      /* when a file is larger, which is then refused or read from disk */
    "all",
    "forward",        /* the names of the defaults */
    "include-path",   /* when a file includes another */
    "accept-changes", /* when the data or the cell of a run have changed */
};

/* Options without an effect to be seen. */
const std::set<std::string> never_seen = {"cache",
                                          "all",
                                          "forward",
                                          "include-path" /* lang/includes_test */,
                                          "accept-changes" /* tools/folders_test */,
                                          "threads" /* models/threads_test */};

void prepare(const fs::path &folder)
{
    const auto file = [&](const char *name, const std::string &text) {
        spit((folder / name).string(), text);
    };
    std::string table, wide, letters, pixels, labels;
    for (int i = 0; i < 24; i++) {
        for (int k = 0; k < 6; k++) table += std::to_string((i * 7 + k * 5) % 11) + ",";
        table += std::to_string(i % 3) + "\n";
        letters += "abc cab\n";
        for (int k = 0; k < 36; k++) pixels += static_cast<char>(i * k);
        labels += static_cast<char>(i % 3);
    }
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 70000; k++) wide += k % 2 ? "0,5," : "0.25,";
        wide += std::to_string(i % 2) + "\n";
    }
    file("table.csv", table);
    file("wide.csv", wide);
    file("text.txt", letters);
    file("images.idx", std::string("\0\0\x8\3\0\0\0\x18\0\0\0\6\0\0\0\6", 16) + pixels);
    file("labels.idx", std::string("\0\0\x8\1\0\0\0\x18", 8) + labels);
    std::reverse(labels.begin(), labels.end());
    file("others.idx", std::string("\0\0\x8\1\0\0\0\x18", 8) + labels);
    file("own.rv", slurp("models/update_gate.rv") +
                       "\nderive loss \"decay\"\n  dw_xc = w_xc\n  dw_recc = w_recc\n"
                       "  dw_xg = w_xg\n  dw_recg = w_recg\n");
}

const std::string &folder()
{
    static const std::string path = [] {
        const std::string made = scratch_folder();
        prepare(made);
        return made;
    }();
    return path;
}

struct Seen {
    int status;
    std::string shown, message;
    bool operator==(const Seen &other) const
    {
        return status == other.status && shown == other.shown;
    }
};

/* What differs from run to run. */
std::string without_times(const std::string &text)
{
    static const std::regex times(
        "[-+.e0-9]+( samples per second| *$)|\"[a-z_]*(per_second|seconds|peak_bytes|operations|"
        "fraction[a-z_]*|runs)\":\t[-+.e0-9]+|\"(limit|L1|L2|L3|RAM)\":\t[^,\n]*");
    return std::regex_replace(text, times, "");
}

std::vector<std::string> words_of(const std::string &line)
{
    std::istringstream in(line);
    return {std::istream_iterator<std::string>(in), {}};
}

const command *command_of(const std::string &line)
{
    return command_find(words_of(line)[0].c_str());
}

/* Runs a command line in a child process, in the current folder. */
int run_child(const std::string &line, const fs::path &out, const fs::path &err)
{
    std::vector<std::string> words = words_of(line);
    std::vector<char *> argv;
    for (std::string &word : words) argv.push_back(&word[0]);
    argv.push_back(nullptr);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);
        if (!freopen(out.c_str(), "w", stdout) || !freopen(err.c_str(), "w", stderr)) _exit(99);
        const int status = finish_output(
            run_command(command_of(line), static_cast<int>(words.size()), argv.data()));
        fflush(stderr);
        _exit(status);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Whether the content of a file counts as well as its name. */
bool is_exported(const fs::path &name)
{
    static const std::set<std::string> endings = {".c", ".h", ".onnx"};
    return endings.count(name.extension().string()) > 0;
}

/* Runs a command line in a fresh copy of the folder. */
Seen see(const std::string &line)
{
    static const fs::path work = scratch_folder(), at = work / "at";
    fs::remove_all(at);
    fs::create_directory(at);
    for (const auto &entry : fs::directory_iterator(folder())) {
        const fs::path copy = at / entry.path().filename();
        if (entry.is_directory())
            fs::copy(entry.path(), copy);
        else if (entry.path().filename() == "wide.csv") /* large */
            fs::create_symlink(entry.path(), copy);
        else
            fs::copy_file(entry.path(), copy);
    }
    fs::current_path(at);
    const int status = run_child(line, work / "out", work / "err");
    std::set<std::string> names;
    for (const auto &entry : fs::recursive_directory_iterator(at))
        names.insert(entry.path().string());
    std::string shown = without_times(slurp(work / "out"));
    const std::string message = slurp(work / "err");
    for (const std::string &name : names)
        shown += name + (is_exported(name) ? ": " + slurp(name) : "") + "\n";
    if (status != 0) shown += message;
    static const std::regex one(
        "(^|[^-0-9.,a-z])1 ((training|validation|time) )?[a-z]*([^su]s)\\b");
    static const std::regex verb(".*1 (is|was|has|does|runs|comes|takes|differs|keeps)$");
    const std::string all = slurp(work / "out") + message;
    for (std::sregex_iterator at(all.begin(), all.end(), one), end; at != end; ++at)
        EXPECT_TRUE(std::regex_match(at->str(), verb)) << line << "\n" << at->str();
    return {status, shown, message};
}

std::vector<std::string> values_of(const rv_config_row *row)
{
    std::vector<std::string> values;
    switch (row->kind) {
    case RV_CONFIG_FLAG: return {""};
    case RV_CONFIG_TEXT: {
        std::istringstream in(row->argument); /* "f32|f64" */
        for (std::string word; std::getline(in, word, '|');) values.push_back(word);
        if (values.size() > 1) return values;
        values.clear();
        const auto found = texts.find(row->key);
        EXPECT_NE(found, texts.end()) << "--" << row->key << " needs a value here";
        return found == texts.end() ? values : found->second;
    }
    case RV_CONFIG_WHOLE:
        if (std::string(row->key) == "parameters") return {"60"};
        for (int64_t value : {3, 2, 1})
            if (value >= row->low && value <= row->high) values.push_back(std::to_string(value));
        return values;
    default: return {"0.37", "0.0001", "1e-30"};
    }
}

/* Whether the message names the option. Options that bring others with them may be refused for the sake of another
 * word of the command line. */
bool is_refused(const Seen &seen, const std::string &key, const std::string &line)
{
    static const std::set<std::string> bring_others = {
        "task", "data", "model", "config", "resume", "length", "size", "validation-labels"};
    const auto named = [&](const std::string &word) {
        return seen.message.find(word) != std::string::npos;
    };
    const std::vector<std::string> words = words_of(line);
    return seen.status == 2 &&
           (named("--" + key) ||
            (bring_others.count(key) && std::any_of(words.begin() + 1, words.end(), named)));
}

void make_runs()
{
    fs::current_path(folder());
    for (const char *line : {
             "train --model rnn --units 2 --epochs 2 --seed 5 --output run",
             "train --model gru --units 2 --data text.txt --length 8 --epochs 1 --output written",
         })
        EXPECT_EQ(run_child(line, "/dev/null", "/dev/null"), 0) << line;
    rv_named_tensor x = {"x", {}};
    ASSERT_TRUE(rv_tensor_new(&x.tensor, RV_F64, RV_SHAPE(5, 3, 1), nullptr));
    rv_archive given = {};
    given.tensors = &x;
    given.tensor_count = 1;
    EXPECT_TRUE(rv_npz_write("in.npz", &given, nullptr));
    rv_tensor_free(&x.tensor);
    rv_named_tensor steps[] = {{"x", {}}, {"y", {}}};
    for (int k = 0; k < 2; k++) {
        const rv_shape shape = k == 0 ? RV_SHAPE(24, 4, 1) : RV_SHAPE(24, 4);
        ASSERT_TRUE(rv_tensor_new(&steps[k].tensor, RV_F64, shape, nullptr));
        for (int64_t i = 0; i < 96; i++)
            rv_tensor_set(&steps[k].tensor, i, static_cast<double>(i * 7 % 11) / 11);
    }
    given.tensors = steps;
    given.tensor_count = 2;
    EXPECT_TRUE(rv_npz_write("steps.npz", &given, nullptr));
    for (rv_named_tensor &array : steps) rv_tensor_free(&array.tensor);
}

/* A command that leaves out the first option under a heading, or replaces it, keeps the heading above the others. */
TEST(Options, StandUnderTheirHeading)
{
    std::map<std::string, std::string> headings;
    const char *last = "";
    for (int i = 0; i < rv_config_row_count(); i++) {
        const rv_config_row *row = rv_config_row_at(i);
        headings[row->key] = last = row->group ? row->group : last;
    }
    int seen = 0;
    for (int c = 0; c < command_count; c++) {
        const option_table table = options_of(commands[c]);
        std::set<std::string> used;
        std::string heading;
        for (int i = 0; i < table.count && commands[c]->configures; i++) {
            const std::string key = table.row[i]->key,
                              where = std::string(commands[c]->name) + " --" + key;
            if (table.heading[i]) {
                heading = table.heading[i];
                EXPECT_TRUE(used.insert(heading).second) << where << ": twice";
            }
            const bool shared = headings.count(key) > 0;
            if (shared) {
                EXPECT_EQ(heading, headings[key]) << where;
            }
            seen += shared;
        }
    }
    EXPECT_GT(seen, 200);
}

TEST(Options, EachWordIsAnotherValue)
{
    const std::map<std::string, std::string> lines = {
        {"activation", "train --model rnn --units 2 --epochs 1 --digest"},
        {"dtype", "train --model rnn --units 2 --epochs 1 --digest"},
        {"loss",
         "train --model gru --units 2 --task adding --samples 24 --length 6 --epochs 2 --digest"},
        {"schedule", "train --model rnn --units 2 --epochs 2 --digest"},
    };
    for (const auto &[key, line] : lines) {
        const rv_config_row *row = rv_config_row_find(key.c_str(), nullptr);
        ASSERT_NE(row, nullptr);
        std::set<std::string> seen;
        for (const std::string &word : values_of(row)) {
            if (word == "plateau") continue; /* as constant, until the loss stops falling */
            const Seen run = see(line + " --" + key + " " + word);
            EXPECT_EQ(run.status, 0) << run.message;
            EXPECT_TRUE(seen.insert(run.shown).second) << key << " " << word << " changes nothing";
        }
        const Seen refused = see(line + " --" + key + " tan");
        EXPECT_EQ(refused.status, 2);
        for (const std::string &word : values_of(row)) EXPECT_CONTAINS(refused.message, word);
    }
}

TEST(Options, EachChangesWhatIsSeenOrIsRefusedByName)
{
    std::map<std::string, bool> effective; /* "train --units": in one context at least */
    make_runs();
    for (const auto &[line, only] : contexts) {
        const Seen base = see(line);
        EXPECT_NE(base.status, 2) << line << "\n" << base.message;
        const command *page = command_of(line);
        const option_table table = options_of(page);
        for (int i = 0; i < table.count; i++) {
            const rv_config_row *row = table.row[i];
            const std::string key = row->key, option = " --" + key;
            const bool given = (line + " ").find(option + " ") < line.size();
            if (key == "threads" || (!only.empty() && !only.count(key)) ||
                (given && row->kind == RV_CONFIG_FLAG))
                continue;
            bool differs = false, effect = false;
            std::string tried;
            for (const std::string &value : values_of(row)) {
                if (effect) break;
                tried = line + option + " " + value;
                const Seen seen = see(tried);
                EXPECT_FALSE(seen.status == 2 && !is_refused(seen, key, line))
                    << tried << "\nis refused without" << option << ":\n"
                    << seen.message;
                EXPECT_NE(seen.status, -1) << tried;
                differs = differs || !(seen == base);
                effect = !(seen == base) && seen.status != 2;
            }
            EXPECT_TRUE(differs || circumstantial.count(key)) << tried << "\nchanges nothing";
            const bool own = row >= page->options && row < page->options + page->option_count;
            if (own || page == &command_train) {
                bool &ever = effective[std::string(page->name) + option];
                ever = ever || effect || never_seen.count(key);
            }
        }
    }
    for (const auto &[option, effect] : effective)
        EXPECT_TRUE(effect) << option << " has no effect in any context";
}

} // namespace
