/* The command line: what it refuses, in which words, and with which exit status. */
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tensor/version.h"
#include "tests/tools/command.h"

namespace {

const std::vector<std::string> commands = {
    "train", "compare", "evaluate",   "profile", "gradcheck", "verify", "graph",
    "ops",   "models",  "optimizers", "check",   "run",       "fmt",    "sample",
    "tasks", "sweep",   "experiment", "import",  "export"};

TEST(Command, HelpNamesEveryCommandAndGoesToStdout)
{
    const Outcome help = recurve("--help");
    EXPECT_EQ(help.status, 0);
    EXPECT_EQ(help.err, "");
    for (const std::string &command : commands) EXPECT_CONTAINS(help.out, "    " + command);
}

TEST(Command, EveryCommandHasAManualPage)
{
    for (const std::string &command : commands) {
        const Outcome page = recurve(command + " --help");
        EXPECT_EQ(page.status, 0) << command;
        EXPECT_EQ(page.err, "") << command;
        for (const char *part : {"NAME\n", "SYNOPSIS\n", "DESCRIPTION\n", "OPTIONS\n",
                                 "EXIT STATUS\n", "EXAMPLE\n    recurve "})
            EXPECT_CONTAINS(page.out, part);
        std::istringstream in(page.out);
        for (std::string line; std::getline(in, line);)
            EXPECT_LE(line.size(), 100u) << command << ": " << line;
    }
}

/* In the example of a space, each comment begins in the same column. */
TEST(Command, CommentsOfASpaceAreAColumn)
{
    const std::string page = recurve("sweep --help").out;
    for (const char *comment :
         {"the same in every trial", "one of these", "each in turn: a grid", "from 8 to 64",
          "its logarithm is uniform", "drawn only where it is used"}) {
        const size_t at = page.find(comment);
        ASSERT_NE(at, std::string::npos) << comment;
        EXPECT_EQ(at - page.rfind('\n', at) - 1, 56u) << comment;
    }
}

/* An experiment has its own task. */
TEST(Command, ExperimentsTakeNoOptionsOfFiles)
{
    const std::string page = recurve("experiment --help").out;
    for (const char *option : {"--data", "--labels", "--header", "--cache", "--classes"})
        EXPECT_EQ(page.find("\n    " + std::string(option) + " "), std::string::npos) << option;
    EXPECT_CONTAINS(page, "\n    --optimizer ");
}

TEST(Command, VersionIsOneLine)
{
    const Outcome version = recurve("--version");
    EXPECT_EQ(version.status, 0);
    EXPECT_EQ(version.out, "recurve " RV_VERSION_TEXT "\n");
}

/* A command line that is refused, and what the message must say. */
const struct Refusal {
    const char *arguments;
    std::vector<const char *> words;
} refusals[] = {
    {"", {"no command"}},
    {"trian", {"unknown command \"trian\"", "did you mean \"train\"?\nTry"}},
    {"train --device cuda", {"--device", "no device but the CPU", "--threads N"}},
    {"check --gpu models/gru.rv", {"--gpu; there is no device but the CPU\nTry"}},
    {"train --learning-rate nan", {"--learning-rate", "\"nan\"", "finite number above 0"}},
    {"train --learning-rate -0.1", {"--learning-rate", "\"-0.1\"", "above 0"}},
    {"train --learning-rate 0", {"\"0\"", "above 0"}},
    {"train --learning-rate 1e999", {"\"1e999\"", "finite"}},
    {"train --learning-rate 0.1x", {"\"0.1x\""}},
    {"train --learning-rate", {"--learning-rate needs a value"}},
    {"train --momentum 1", {"--momentum", "\"1\"", "less than 1"}},
    {"train --optimizer sgd --momentum 0.5", {"sgd", "none"}},
    {"train --epochs -1", {"--epochs", "\"-1\"", "whole number from 1"}},
    {"train --epochs 2.5", {"\"2.5\""}},
    {"train --epochs 99999999999999999999", {"\"99999999999999999999\""}},
    {"train --batch-size 0", {"--batch-size", "\"0\""}},
    {"train --seed ''", {"--seed", "\"\""}},
    {"train --classes 0,0", {"\"0,0\"", "0 comes twice", "0,1 or 0-9"}},
    {"train --classes 0-12", {"\"0-12\"", "digits 0 to 9"}},
    {"train --classes 3-1", {"3-1 runs backwards"}},
    {"train --classes 7", {"\"7\"", "two or more"}},
    {"train --classes 0,1,", {"\"0,1,\""}},
    {"train --classes zero,one", {"\"zero,one\""}},
    {"train --classes ''", {"--classes"}},
    {"train --validation 360", {"--validation", "360 of 360"}},
    {"train --dtype f16", {"\"f16\"", "f32 or f64"}},
    {"train --model curn", {"\"curn\"", "did you mean \"curnn\"?\nTry"}},
    {"train --model update-gate", {"\"update-gate\" does not take these data", "\"x\" is [1,3,1]"}},
    {"train --task addding", {"\"addding\"; did you mean \"adding\"?"}},
    {"train --task zzz", {"\"zzz\"", "adding, arithmetic"}},
    {"train --task adding --classes 0-9", {"--classes", "digits"}},
    {"train --task adding --data /tmp/x.csv", {"--data", "--task adding", "one"}},
    {"train --task adding --loss mea", {"\"mea\"", "mse, mae or huber"}},
    {"train --loss mae", {"--loss mae", "labels"}},
    {"train --carry", {"--carry", "texts"}},
    {"train --schedule cosin", {"\"cosin\"", "one-cycle"}},
    {"train --data /nowhere.idx", {"--labels"}},
    {"train --labels x.idx", {"--labels names the labels of images"}},
    {"train --layers 2", {"smaller by 4", "2 --layers", "of 8"}},
    {"train --model conv-lstm --task adding", {"convolves images", "[100,2] over time", "gru"}},
    {"train --task adding --embedding 4", {"--embedding", "tokens"}},
    {"train --task adding --smoothing 0.1", {"--smoothing", "labels"}},
    {"train --task adding --steps 3", {"--steps", "sequences"}},
    {"train --dropout 1", {"--dropout", "\"1\""}},
    {"train --optimizer adma", {"\"adma\"", "did you mean \"adam\"?\nTry"}},
    {"train --modle curnn", {"\"--modle\"", "did you mean \"--model\"?"}},
    {"train --json=yes", {"--json=yes", "no value"}},
    {"train -q", {"-q"}},
    {"train --model LSTM", {"unknown model \"LSTM\"; did you mean \"lstm\"?\nTry"}},
    {"train now", {"unknown model \"now\"", "Known: curnn"}},
    {"train gru lstm", {"\"lstm\"", "unexpected argument"}},
    {"train gru --model lstm", {"\"gru\"", "\"lstm\""}},
    {"train models/gru.rv:gur", {"no model or cell \"gur\"", "did you mean \"gru\"?"}},
    {"evaluate now", {"\"now\"", "unexpected argument", "--output"}},
    {"sample now", {"\"now\"", "unexpected argument", "--output"}},
    {"compare gru,lstm", {"\"gru,lstm\"", "unexpected argument", "--models"}},
    {"export models --c x", {"\"models\" is a folder", "--output"}},
    {"train --threads 0", {"--threads", "\"0\"", "from 1 to 64"}},
    {"train --threads 65", {"--threads", "\"65\"", "from 1 to 64"}},
    {"evaluate --threads two", {"--threads", "\"two\""}},
    {"profile curn", {"\"curn\"", "did you mean \"curnn\"?"}},
    {"profile update-gate", {"does not take these data"}},
    {"profile curnn gru", {"\"gru\"", "unexpected argument"}},
    {"profile --sort size", {"--sort", "\"size\"", "time or order"}},
    {"profile --epochs 3", {"\"--epochs\""}},
    {"profile --image-size 0", {"--image-size", "\"0\""}},
    {"profile --top 3 --json", {"--top", "--json"}},
    {"profile gru --timeline gru.rv", {"--timeline", "gru.rv", "equations"}},
    {"graph --output models/gru.rv", {"--output", "gru.rv", "equations"}},
    {"run models/curnn_blog.rv --out gru.rv", {"--out", "gru.rv", "equations"}},
    {"export --model gru --onnx gru.rv", {"--onnx", "gru.rv", "equations"}},
    {"sweep --database none.sqlite --show --workers 2", {"--workers"}},
    {"profile --task adding --channels 3", {"--channels", "--task"}},
    {"train --samples 9", {"--samples", "synthetic tasks"}},
    {"train --kernel 3", {"--kernel", "changes nothing in model curnn"}},
    {"train --patience 3 --epochs 3", {"--patience", "3 --epochs"}},
    {"train --digest --json", {"--digest", "--json"}},
    {"profile --timeline ''", {"--timeline is empty", "FILE"}},
    {"evaluate", {"--output DIR", "--checkpoint FILE"}},
    {"gradcheck --op conv3d", {"\"conv3d\"", "did you mean \"conv2d\"?"}},
    {"gradcheck --op conv2d --all", {"give only one of"}},
    {"gradcheck --tolerance 0", {"--tolerance", "\"0\""}},
    {"verify", {"curnn-blog"}},
    {"verify curnn-blogs", {"\"curnn-blogs\"", "curnn-blog"}},
    {"graph --forward --training", {"give only one of"}},
    {"models grv", {"\"grv\"", "did you mean \"gru\"?"}},
    {"check", {"no FILE given"}},
    {"check models/gru.rv --tolerance 0", {"--tolerance", "\"0\""}},
    {"fmt", {"no FILE given"}},
    {"fmt models/gru.rv models/rnn.rv", {"several", "--check or --in-place"}},
    {"fmt models/gru.rv --check --in-place", {"give only one of"}},
    {"run", {"no FILE[:MODEL] given"}},
    {"run gru", {"\"gru\"", "FILE.rv"}},
    {"run models/gru.rv", {"\"gru\" is a cell", "unroll gru(x)"}},
    {"run models/update_gate.rv:net", {"no model or cell \"net\""}},
    {"run models/update_gate.rv --grad lss", {"\"lss\"", "did you mean \"loss\"?\nTry"}},
    {"run models/update_gate.rv --grad loss:w", {"value \"w\"", "w_xc"}},
    {"run models/update_gate.rv --grad output", {"\"output\" is [5,1]", "one number"}},
    {"run models/update_gate.rv --second", {"--second", "--grad"}},
    {"run models/update_gate.rv --dtype f16", {"\"f16\"", "f32 or f64"}},
    {"graph --model resnet", {"\"resnet\"", "Known: curnn"}},
};

TEST(Command, WhatCannotBeDoneIsRefusedWithStatus2NamingWhatWasSeenAndExpected)
{
    for (const Refusal &refusal : refusals) {
        SCOPED_TRACE(refusal.arguments);
        const Outcome outcome = recurve(refusal.arguments);
        EXPECT_EQ(outcome.status, 2);
        EXPECT_EQ(outcome.out, "");
        EXPECT_CONTAINS(outcome.err, "--help'");
        for (const char *words : refusal.words) EXPECT_CONTAINS(outcome.err, words);
    }
}

TEST(Command, ResultsThatCannotBeWrittenAreAnError)
{
    const std::string run = scratch_folder();
    ASSERT_EQ(recurve("train --epochs 1 --output " + run).status, 0);
    const std::vector<std::string> commands = {"train --epochs 1",
                                               "compare --models rnn --optimizers adam --epochs 1",
                                               "evaluate --output " + run,
                                               "evaluate --json --output " + run,
                                               "profile --batch-size 2",
                                               "gradcheck --model rnn",
                                               "verify curnn-blog",
                                               "check models/gru.rv",
                                               "run models/curnn_blog.rv",
                                               "fmt models/gru.rv",
                                               "graph",
                                               "ops",
                                               "models gru",
                                               "optimizers --json",
                                               "tasks",
                                               "--help",
                                               "--version",
                                               "train --help"};
    for (const std::string &command : commands) {
        const Outcome full = run_program("sh", "-c 'tools/recurve " + command + " >/dev/full'");
        EXPECT_EQ(full.status, 1) << command;
        EXPECT_CONTAINS(full.err, "cannot write to standard output: No space left on device");
    }
    const Outcome closed = run_program("sh", "-c 'tools/recurve models >&-'");
    EXPECT_EQ(closed.status, 1);
    EXPECT_CONTAINS(closed.err, "cannot write to standard output");
}

/* The command where no file may be longer than a kilobyte. */
Outcome recurve_limited(const std::string &arguments)
{
    return run_program("sh", "-c 'ulimit -f 2; tools/recurve " + arguments + "'");
}

TEST(Command, AFileThatCannotBeWrittenIsAnErrorAndTheOldOneStays)
{
    const std::string folder = scratch_folder(), old(2000, '#'),
                      text = slurp("models/curnn_blog.rv");
    for (const char *name : {"values.npz", "graph.dot", "step.json"})
        spit(folder + "/" + name, old);
    spit(folder + "/blog.rv", text + "\n\n");
    for (const char *command :
         {"run models/curnn_blog.rv --out values.npz", "graph --output graph.dot",
          "profile --batch-size 2 --timeline step.json", "fmt --in-place blog.rv"}) {
        std::string there = command;
        const size_t name = there.rfind(' ') + 1;
        const std::string path = folder + "/" + there.substr(name), before = slurp(path);
        const Outcome limited = recurve_limited(there.replace(name, std::string::npos, path));
        EXPECT_EQ(limited.status, 1) << command;
        EXPECT_CONTAINS(limited.err, "cannot write \"" + path + "\": File too large");
        EXPECT_EQ(slurp(path), before);
    }
    EXPECT_EQ(run_program("ls", folder).out, "blog.rv\ngraph.dot\nstep.json\nvalues.npz\n");
}

TEST(Command, ATrainingThatCannotSaveKeepsWhatWasSaved)
{
    const std::string run = scratch_folder();
    const Outcome first = recurve_limited("train --epochs 1 --output " + run);
    EXPECT_EQ(first.status, 1);
    EXPECT_CONTAINS(first.err, "File too large");

    ASSERT_EQ(recurve("train --epochs 2 --output " + run).status, 0);
    const std::string before = slurp(run + "/checkpoint.safetensors"),
                      measured = recurve("evaluate --output " + run).out;
    const Outcome on = recurve_limited("train --epochs 4 --resume " + run);
    EXPECT_EQ(on.status, 1);
    EXPECT_CONTAINS(on.err, "checkpoint.safetensors\": File too large");
    EXPECT_EQ(slurp(run + "/checkpoint.safetensors"), before);
    EXPECT_EQ(run_program("sh", "-c 'ls " + run + " | grep -c tmp'").out, "0\n");
    EXPECT_EQ(recurve("evaluate --output " + run).out, measured);
    EXPECT_EQ(recurve("train --epochs 4 --resume " + run).status, 0);
}

/* The list of things with name and formula, as text and as JSON. */
void expect_list(const char *command, const std::vector<const char *> &names)
{
    SCOPED_TRACE(command);
    const Outcome text = recurve(command), json = recurve(std::string(command) + " --json");
    EXPECT_EQ(text.status, 0);
    EXPECT_EQ(json.status, 0);
    const Json list(json.out);
    std::string all;
    const cJSON *item;
    cJSON_ArrayForEach(item, list.root())
    {
        EXPECT_NE(Json::text(item, "formula"), "");
        all += " " + Json::text(item, "name") + " ";
    }
    for (const char *name : names) {
        EXPECT_CONTAINS(text.out, name);
        EXPECT_CONTAINS(all, std::string(" ") + name + " ");
    }
}

TEST(Command, ListsGiveEveryNameItsFormula)
{
    expect_list("ops", {"conv2d", "sigmoid", "matmul", "softmax_cross_entropy"});
    expect_list("models", {"curnn", "curnn-blog", "ugrnn", "update-gate"});
    expect_list("optimizers", {"sgd", "momentum", "adam", "adamw"});
}

TEST(Command, ANamePrintsItsEntryOfAList)
{
    const std::pair<const char *, const char *> lists[] = {
        {"ops", "conv2d"}, {"models", "gru"}, {"optimizers", "adam"}, {"tasks", "adding"}};
    for (const auto &[command, name] : lists) {
        SCOPED_TRACE(command);
        const std::string one = std::string(command) + " " + name;
        const Outcome json = recurve(one + " --json"), text = recurve(one);
        const Json list(json.out);
        ASSERT_EQ(cJSON_GetArraySize(list.root()), 1);
        EXPECT_EQ(Json::text(cJSON_GetArrayItem(list.root(), 0), "name"), name);
        EXPECT_CONTAINS(text.out, name);
        EXPECT_LT(text.out.size(), recurve(command).out.size() / 3);

        const Outcome wrong = recurve(one + "x");
        EXPECT_EQ(wrong.status, 2);
        EXPECT_CONTAINS(wrong.err, std::string("did you mean \"") + name + "\"?");
        EXPECT_EQ(wrong.out, "");
    }
}

TEST(Command, ListsOpsAsTheyAreCalled)
{
    const Outcome text = recurve("ops");
    EXPECT_CONTAINS(text.out, "conv2d(x, w, stride=1, padding=0, dilation=1, groups=1)\n");
    EXPECT_CONTAINS(text.out, "sum(x, [axes=<list>], keep=false)\n");
    EXPECT_CONTAINS(text.out, "one_hot(labels, classes=<whole>)\n");
    EXPECT_CONTAINS(text.out, "concat(x, ..., axis=0)\n");
    const Json json(recurve("ops --json").out);
    const cJSON *op, *option;
    int options = 0;
    cJSON_ArrayForEach(op, json.root())
    {
        cJSON_ArrayForEach(option, cJSON_GetObjectItem(op, "options"))
        {
            EXPECT_NE(Json::text(option, "name"), "");
            EXPECT_NE(Json::text(option, "kind"), "");
            EXPECT_NE(Json::text(option, "doc"), "");
            EXPECT_TRUE(cJSON_IsBool(cJSON_GetObjectItem(option, "required")));
            options++;
        }
    }
    EXPECT_GT(options, 30);
}

TEST(Export, PrintsWhatANetTakes)
{
    const std::string folder = scratch_folder();
    const std::string command = "export --model gru --task adding --units 2 --c " + folder;
    const Outcome trains = recurve(command), infers = recurve(command + " --inference");
    for (const char *line :
         {"flash         132 bytes for the 33 parameters, plus the code\n",
          "saved         436 bytes, by net_save\n", " multiplications and additions per sample\n"})
        EXPECT_CONTAINS(trains.out, line);
    const Json json(recurve(command + " --json").out);
    const std::string least = std::to_string(static_cast<int>(json.number("inference_bytes"))),
                      most = std::to_string(static_cast<int>(json.number("training_bytes")));
    EXPECT_CONTAINS(trains.out,
                    "RAM           " + most + " bytes to train; with --inference, " + least + "\n");
    EXPECT_CONTAINS(infers.out,
                    "RAM           " + least + " bytes\nsaved         28 bytes, by net_save\n");
    EXPECT_NE(slurp(folder + "/net_test.c"), "");
}

/* A message with a line of the text ends like any other, and a list of names that does not fit is left out. */
TEST(Messages, EndOnce)
{
    const std::string file = scratch_folder() + "/cell.rv";
    spit(file, "cell a\n  state h\n  h' = k\n");
    const std::string err = recurve("train --task adding --model " + file).err;
    ASSERT_GT(err.size(), 2u);
    EXPECT_CONTAINS(err, "is not defined above");
    EXPECT_NE(err.substr(err.size() - 2), "\n\n");
    EXPECT_EQ(recurve("train --nonsense-option").err,
              "recurve train: unknown option \"--nonsense-option\"\nTry 'recurve train --help'.\n");
}

/* An option that would change nothing is refused: of the other kind of file, or beside a run. */
TEST(Export, RefusesWhatWouldChangeNothing)
{
    const std::string folder = scratch_folder(), run = folder + "/run";
    ASSERT_EQ(recurve("train --epochs 1 --quiet --output " + run).status, 0);
    const struct {
        std::string words;
        const char *message;
    } cases[] = {
        {"--train --c ", "--train belongs to --onnx; leave it out with --c"},
        {"--form scan --c ", "--form belongs to --onnx; leave it out with --c"},
        {"--batch-size 3 --c ", "--batch-size belongs to --onnx; leave it out with --c"},
        {"--inference --onnx ", "--inference belongs to --c; leave it out with --onnx"},
        {"--keep --onnx ", "--keep belongs to --c; leave it out with --onnx"},
        {"--name cell --onnx ", "--name belongs to --c; leave it out with --onnx"},
        {"--keep --inference --c ", "--keep is for training a net; leave it out with FILE and "
                                    "--inference"},
        {"--output " + run + " --model gru --c ",
         "--model describes an untrained net, and --output names a run, which has options of its "
         "own; leave one of them out"},
        {"--checkpoint " + run + "/checkpoint.safetensors --lr 0.1 --onnx ",
         "--learning-rate describes an untrained net, and --checkpoint names a run, which has "
         "options of its own; leave one of them out"},
    };
    for (const std::string &words : {"--output " + run + " --train --batch-size 2 --onnx ",
                                     "--checkpoint " + run + "/best.safetensors --keep --c "}) {
        const Outcome outcome = recurve("export " + words + folder + "/whole");
        EXPECT_EQ(outcome.status, 0) << outcome.err;
        std::filesystem::remove_all(folder + "/whole");
    }
    for (const auto &c : cases) {
        const Outcome outcome = recurve("export " + c.words + folder + "/new");
        EXPECT_EQ(outcome.status, 2) << c.words;
        EXPECT_CONTAINS(outcome.err, std::string("recurve export: ") + c.message + "\n");
        EXPECT_FALSE(std::filesystem::exists(folder + "/new")) << c.words;
    }
}

/* What is printed to a closed stream is lost, and is written into no file that the command opens. */
TEST(Command, AClosedStreamIsNoFile)
{
    const std::string folder = scratch_folder(), database = folder + "/sweep.sqlite",
                      run = folder + "/run", cell = folder + "/cell.rv";
    spit(folder + "/space.json", "{\"units\": [1, 2]}");
    spit(cell, slurp("models/gru.rv"));
    ASSERT_EQ(recurve("sweep " + folder + "/space.json --database " + database +
                      " --model gru --epochs 1 --trials 2 --quiet")
                  .status,
              0);
    const std::string before = slurp(database);
    for (const std::string streams : {">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"}) {
        SCOPED_TRACE(streams);
        const int lost = streams != "2>&-"; /* the status */
        const auto with = [&](const std::string &words) {
            return run_program("{ tools/recurve", words + " " + streams + "; }").status;
        };
        for (const char *shown : {"--csv", "--show", "--json", "--best"}) {
            EXPECT_EQ(with(std::string("sweep --database ") + database + " " + shown), lost);
            EXPECT_TRUE(slurp(database) == before) << shown;
        }
        EXPECT_EQ(with("train --epochs 1 --overwrite --output " + run), lost);
        EXPECT_EQ(recurve("evaluate --output " + run).status, 0);
        EXPECT_EQ(with("evaluate --output " + run), lost);
        EXPECT_EQ(slurp(run + "/log.csv").substr(0, 11), "epoch,loss,");
        EXPECT_FALSE(std::filesystem::exists(run + "/run.lock"));
        EXPECT_EQ(with("check " + cell), lost);
        EXPECT_EQ(slurp(cell), slurp("models/gru.rv"));
        EXPECT_EQ(with("export --c " + folder + "/c"), lost);
        EXPECT_EQ(slurp(folder + "/c/net.h").substr(0, 2), "/*");
    }
}

/* A command that could write nothing leaves no folder that it has made. */
TEST(Command, LeavesNoFolderWhenNothingCanBeWritten)
{
    const std::string folder = scratch_folder();
    std::filesystem::create_directory(folder + "/mine");
    for (const std::string words :
         {"train --epochs 1 --output ", "compare --models gru --epochs 1 --output ",
          "import tests/cases/torch_rnn.safetensors --task adding --model rnn --units 3 --output ",
          "export --c "})
        for (const std::string made : {"/new", "/new/er/", "/mine"}) {
            SCOPED_TRACE(words + made);
            const std::string out = run_program("{ (ulimit -f 0; exec tools/recurve",
                                                words + folder + made + ") 2>&1 | cat; }")
                                        .out;
            EXPECT_CONTAINS(out, "cannot write \"" + folder + made);
            EXPECT_FALSE(std::filesystem::exists(folder + "/new"));
            EXPECT_TRUE(std::filesystem::is_empty(folder + "/mine"));
        }
    spit(folder + "/file", "");
    for (const std::string &made :
         {std::string("/file/new"), std::string("/file"), "/new/" + std::string(300, 'x')}) {
        EXPECT_EQ(recurve("train --epochs 1 --quiet --output " + folder + made).status, 1);
        EXPECT_EQ(recurve("export --c " + folder + made).status, 1);
        EXPECT_FALSE(std::filesystem::exists(folder + "/new"));
    }
}

/* The three files belong together: none is written if one cannot be. */
TEST(Export, WritesAllFilesOrNone)
{
    const std::string folder = scratch_folder();
    const std::string words = "export --model gru --task adding --units 2 --c " + folder;
    for (const char *bad : {"net.h", "net.c", "net_test.c"}) {
        ASSERT_TRUE(std::filesystem::create_directory(folder + "/" + bad));
        const Outcome outcome = recurve(words);
        EXPECT_EQ(outcome.status, 1);
        EXPECT_EQ(outcome.err, "recurve export: cannot write \"" + folder + "/" + bad +
                                   "\": it is not a regular file\n");
        std::filesystem::remove(folder + "/" + bad);
        EXPECT_TRUE(std::filesystem::is_empty(folder)) << bad;
    }
}

} // namespace
