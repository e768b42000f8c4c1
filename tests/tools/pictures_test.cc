/* The pictures of a run: that they are there, what kind of file they are, and what happens without
 * gnuplot. */
#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/tools/command.h"

namespace {

const std::string small = " --epochs 2 --units 3 --head-units 6 --quiet";

/* A number of four bytes, the first the highest. */
uint32_t number_at(const std::string &bytes, size_t at)
{
    uint32_t number = 0;
    for (size_t i = at; i < at + 4 && i < bytes.size(); i++)
        number = number << 8 | static_cast<unsigned char>(bytes[i]);
    return number;
}

void expect_png(const std::string &path)
{
    SCOPED_TRACE(path);
    const std::string bytes = slurp(path);
    ASSERT_GT(bytes.size(), 1000u);
    EXPECT_EQ(bytes.substr(0, 8), "\x89PNG\r\n\x1a\n");
    for (size_t at : {16, 20}) { /* width and height */
        EXPECT_GE(number_at(bytes, at), 300u);
        EXPECT_LE(number_at(bytes, at), 6000u);
    }
}

void expect_svg(const std::string &path)
{
    SCOPED_TRACE(path);
    const std::string text = slurp(path);
    EXPECT_EQ(text.find("<?xml"), 0u) << text.substr(0, 80);
    EXPECT_CONTAINS(text, "<svg");
    EXPECT_CONTAINS(text, "</svg>");
    EXPECT_CONTAINS(text, "validation");
}

TEST(Pictures, LearningCurvesComeWithTheRun)
{
    const std::string folder = scratch_folder();
    for (const char *run : {"", "--task adding --length 4 --samples 100"}) {
        const Outcome outcome =
            recurve("train --plot --overwrite --output " + folder + small + " " + std::string(run));
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        EXPECT_EQ(outcome.err, "");
        expect_png(folder + "/curves.png");
        expect_svg(folder + "/curves.svg");
    }
}

TEST(Pictures, OneEpochAndOneStepAreEnough)
{
    const std::string folder = scratch_folder();
    const Outcome outcome =
        recurve("train --plot --pictures --epochs 1 --steps 1 --output " + folder);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    expect_png(folder + "/curves.png");
    expect_png(folder + "/states.png");
}

/* A name that closes gnuplot's quotes, and one that a shell would run. */
TEST(Pictures, NamesOfFilesAreTextAndNothingElse)
{
    const std::string folder = scratch_folder(), name = "'.system(\"touch run\").'`touch run`";
    std::string table, path;
    for (int i = 0; i < 40; i++)
        table += std::to_string(i % 7) + ",1," + std::to_string(i % 2) + "\n";
    spit(folder + "/" + name + ".csv", table);
    for (char c : folder + "/" + name) path += c == '\'' ? "'\\''" : std::string(1, c);
    const Outcome outcome =
        recurve("train --plot --epochs 2 --units 3 --head-units 4 --quiet --data '" + path +
                ".csv' --output '" + path + "'");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_CONTAINS(slurp(folder + "/" + name + "/curves.svg"), "touch run");
    EXPECT_EQ(std::ifstream("run").good(), false) << "gnuplot or a shell ran what a name says";
}

TEST(Pictures, EveryCellShowsItsStates)
{
    for (const char *model : {"curnn",
                              "curnn-blog",
                              "conv-gru",
                              "conv-lstm",
                              "rnn",
                              "irnn",
                              "ugrnn",
                              "gru",
                              "lstm",
                              "lstm-peephole",
                              "intersection-rnn",
                              "mgu",
                              "fastgrnn",
                              "sru",
                              "qrnn",
                              "lem",
                              "mingru",
                              "minlstm",
                              "janet",
                              "torch-gru",
                              "lru",
                              "rg-lru",
                              "cornn",
                              "mlstm",
                              "mamba"}) {
        SCOPED_TRACE(model);
        const std::string folder = scratch_folder();
        const bool fixed = std::string(model) == "curnn-blog";
        const Outcome outcome =
            recurve("train --pictures --epochs 1 --quiet --model " + std::string(model) +
                    (fixed ? "" : " --units 3 --head-units 6") + " --output " + folder);
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        expect_png(folder + "/states.png");
    }
}

TEST(Pictures, OfAnyNetAndData)
{
    const std::string text = scratch_folder() + "/words", long_text(300, 'a');
    std::string words;
    for (int i = 0; i < 100; i++) words += "to be, or 'not' to be\n";
    spit(text, words);
    for (const std::string &arguments :
         {std::string("--model gru --layers 2 --bidirectional --residual --layer-norm"),
          std::string("--model conv-gru --layers 2 --skip --average 0.9 --recompute 1"),
          std::string("--task adding --length 500 --samples 20 --validation 4 --model lstm"),
          std::string(
              "--task moving-digits --samples 12 --validation 4 --length 23 --model conv-gru"),
          "--length 12 --carry --model gru --batch-size 4 --data " + text,
          "--length 100 --model gru --batch-size 4 --data " + text}) {
        SCOPED_TRACE(arguments);
        const std::string folder = scratch_folder();
        const Outcome outcome = recurve("train --pictures --epochs 1 --units 3 --quiet " +
                                        arguments + " --output " + folder);
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        expect_png(folder + "/states.png");
    }
}

TEST(Pictures, DoNotChangeTheRun)
{
    const std::string run = "train --json --epochs 1 --average 0.9";
    const std::string folder = scratch_folder();
    const Json drawn(recurve(run + " --plot --pictures --output " + folder).out);
    const Json plain(recurve(run).out);
    EXPECT_EQ(drawn.text("digest"), plain.text("digest"));
    const Json again(recurve("evaluate --json --output " + folder).out);
    EXPECT_EQ(again.text("digest"), plain.text("digest"));
}

TEST(Pictures, NamesAreNoCommands)
{
    const std::string folder = scratch_folder();
    const std::string data = folder + "/it's `touch pwned` \\$x; set.csv";
    std::string table = "a,b,c\n";
    for (int i = 0; i < 40; i++)
        table += std::to_string(i % 2) + ",1," + std::to_string(i % 2) + "\n";
    spit(data, table);
    const std::string run = "'" + folder + "/a '\\''run'\\'' #1; \"two\"'";
    const std::string quoted = "\"" + folder + "/it's \\`touch pwned\\` \\\\\\$x; set.csv\"";
    const Outcome outcome =
        recurve("train --plot --pictures --data " + quoted + small + " --output " + run);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const std::string drawn = folder + "/a 'run' #1; \"two\"";
    expect_png(drawn + "/curves.png");
    expect_png(drawn + "/states.png");
    expect_svg(drawn + "/curves.svg");
    EXPECT_CONTAINS(slurp(drawn + "/curves.svg"), "`touch pwned` \\$x; set.csv");
    EXPECT_NE(run_program("ls", "pwned").status, 0);
}

TEST(Pictures, NeedAFolder)
{
    for (const char *option : {"--plot", "--pictures", "--pictures-of h"}) {
        const Outcome outcome = recurve(std::string("train ") + option);
        EXPECT_EQ(outcome.status, 2);
        EXPECT_EQ(outcome.out, "");
        EXPECT_CONTAINS(outcome.err, std::string(option, strcspn(option, " ")) + " draws");
        EXPECT_CONTAINS(outcome.err, "--output DIR");
    }
}

TEST(Pictures, WithoutGnuplotTheMessageNamesThePackageBeforeTraining)
{
    const std::string folder = scratch_folder();
    for (const char *command :
         {"train --pictures", "train --plot", "compare --models gru --plot"}) {
        const Outcome outcome = run_program("PATH=" + folder + " tools/recurve",
                                            std::string(command) + " --output " + folder + "/run");
        EXPECT_EQ(outcome.status, 1) << command;
        EXPECT_EQ(outcome.out, "");
        EXPECT_CONTAINS(outcome.err, "gnuplot-nox");
    }
}

/* Names that could be taken for a phase, a time step or a state. */
TEST(Pictures, AndNormsAndProfilesTakeNoNameForWhereANodeComesFrom)
{
    const std::string folder = scratch_folder(), file = folder + "/odd.rv";
    spit(file, "cell update\n"
               "  state h1, gradient\n"
               "  map Wa, Ua, Wb, Ub\n"
               "  bias bstep = forget, bh\n"
               "  step = sigmoid(Wa h1 + Ua x + bstep)\n"
               "  h = tanh(Wb h1 + Ub x + bh)\n"
               "  gradient' = step.gradient + (1 - step).h\n"
               "  h1' = tanh(gradient')\n");
    const Outcome outcome =
        recurve("train --model " + file + " --task adding --length 5 " +
                "--samples 60 --layers 2 --norms --pictures --output " + folder + small);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    expect_png(folder + "/states.png");
    const std::string norms = slurp(folder + "/norms.csv");
    for (const char *row : {"\nlayer1/h1,state,5,", "\nlayer0/gradient,state,1,",
                            "\nlayer1/bstep,parameter,5,", "\nlayer0/Wa,parameter,whole,"})
        EXPECT_CONTAINS(norms, row);
    const std::string profile = recurve("profile " + file + " --seconds 0.05 --sort order").out;
    for (const char *line : {"forward   step 2 / ", "gradient  step 1 / ", "update    bstep / "})
        EXPECT_CONTAINS(profile, line);
}

/* Trains with a gnuplot of ours, a shell script. */
Outcome draw_with(const std::string &script, const std::string &options = "--plot" + small)
{
    const std::string folder = scratch_folder();
    spit(folder + "/gnuplot", "#!/bin/sh\n[ \"$1\" = --version ] && exit\n" + script);
    EXPECT_EQ(run_program("chmod", "+x " + folder + "/gnuplot").status, 0);
    return run_program("PATH=" + folder + ":$PATH tools/recurve",
                       "train --output " + folder + "/run " + options);
}

struct Row {
    std::string symbol, colours;
    std::vector<std::vector<double>> tiles;
};

/* The rows of a picture, from what gnuplot is given. */
std::vector<Row> rows_of(const std::string &script)
{
    std::vector<Row> rows;
    std::istringstream in(script);
    std::string colours, line;
    while (std::getline(in, line)) {
        if (line.find("set cbrange") == 0) colours = line;
        if (line.find("set label \"") == 0 && line.find(" right font") != std::string::npos &&
            !std::isdigit(line[11]))
            rows.push_back({line.substr(11, line.find('"', 11) - 11), colours, {}});
        if (line.find("$m") != 0 || rows.empty()) continue;
        rows.back().tiles.emplace_back();
        while (std::getline(in, line) && line != "END") {
            std::istringstream numbers(line);
            for (double x; numbers >> x;) rows.back().tiles.back().push_back(x);
        }
    }
    return rows;
}

TEST(Pictures, OfAFilmCompareThePredictionWithTheTarget)
{
    const std::string script = scratch_folder() + "/script";
    for (const char *model : {"conv-gru", "gru --units 3"}) {
        const Outcome outcome =
            draw_with("cat >" + script + "; echo picture\n",
                      "--task moving-digits --samples 3 --validation 1 --length 5 --epochs 1 "
                      "--json --pictures-of h,target,input,prediction --model " +
                          std::string(model));
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        const std::vector<Row> rows = rows_of(slurp(script));
        ASSERT_EQ(rows.size(), 4u);
        const Row &target = rows[1], &input = rows[2], &prediction = rows[3];
        EXPECT_EQ(rows[0].symbol, "h");
        EXPECT_EQ(target.symbol, "target");
        EXPECT_EQ(input.symbol, "input");
        EXPECT_EQ(prediction.symbol, "prediction");
        EXPECT_EQ(prediction.colours, target.colours);
        ASSERT_EQ(prediction.tiles.size(), 5u);
        double sum = 0;
        for (size_t t = 0; t < 5; t++) {
            ASSERT_EQ(prediction.tiles[t].size(), 256u);
            if (t < 4) {
                EXPECT_EQ(target.tiles.at(t), input.tiles.at(t + 1));
            }
            for (size_t i = 0; i < 256; i++)
                sum += std::pow(prediction.tiles[t][i] - target.tiles.at(t).at(i), 2);
        }
        EXPECT_NEAR(sum / (5 * 256), Json(outcome.out).number("validation_error"), 1e-6);
    }
}

TEST(Pictures, OfUnknownRowsAreRefusedBeforeTraining)
{
    const std::string train =
        "train --epochs 1 --model lstm --output " + scratch_folder() + "/run --pictures-of ";
    const std::vector<std::pair<const char *, const char *>> wrong = {
        {"h,q", "\"q\"\nKnown: input, i, f, o, z, c, h\n"},
        {"h,", "\"\"\nKnown: "},
        {"h,inputs", "\"inputs\"; did you mean \"input\"?"},
        {"prediction", "\"prediction\"\nKnown: "}, /* the targets are labels */
        {"h,c,h", "names \"h\" twice"}};
    for (const auto &[names, message] : wrong) {
        const Outcome outcome = recurve(train + names);
        EXPECT_EQ(outcome.status, 2) << names;
        EXPECT_EQ(outcome.out, "");
        EXPECT_CONTAINS(outcome.err, message);
    }
}

/* The article's gate is an arctan of a value with a name, without a bias. */
TEST(Pictures, OfAnyValueThatAnEquationNames)
{
    const std::string script = scratch_folder() + "/script";
    const std::string run = "--model curnn-blog --epochs 1 --quiet --pictures";
    for (const auto &[rows, symbols] :
         std::vector<std::pair<std::string, std::vector<std::string>>>{
             {"", {"input", "c", "g", "h"}}, {"-of G,hp,h0,a", {"G", "hp", "h0", "a"}}}) {
        const Outcome outcome = draw_with("cat >" + script + "; echo picture\n", run + rows);
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        std::vector<std::string> drawn;
        for (const Row &row : rows_of(slurp(script))) drawn.push_back(row.symbol);
        EXPECT_EQ(drawn, symbols);
    }
}

TEST(Pictures, AGnuplotThatFailsIsAnErrorInItsOwnWords)
{
    const Outcome complains = draw_with("echo; echo '  no such terminal' >&2; exit 3\n");
    EXPECT_EQ(complains.status, 1);
    EXPECT_CONTAINS(complains.err, "gnuplot could not draw the picture\n      no such terminal");
    for (const char *script : {"exec 0<&-; exit 1\n", "kill -9 $$\n", "exit 0\n"}) {
        const Outcome outcome = draw_with(script);
        EXPECT_EQ(outcome.status, 1) << script;
        EXPECT_CONTAINS(outcome.err, "gnuplot");
    }
}

} // namespace
