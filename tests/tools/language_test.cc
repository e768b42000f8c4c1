/* Files of equations on the command line: checked, run, formatted, trained. */
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "recurve.h"
#include "tests/tools/command.h"

namespace {

const char kCell[] = "cell blend\n"
                     "  state h\n"
                     "  map W, U, V\n"
                     "  bias bg = 1, bc\n"
                     "  g = sigmoid(W h + U x + bg)\n"
                     "  c = tanh(V x + bc)\n"
                     "  h' = g.h + (1 - g).c\n";

const char kModel[] = "model line(n=3)\n"
                      "  input x[n, 2], y[n, 1]\n"
                      "  parameter W[2, 1] ~ normal(0, 1), b\n"
                      "  output = x @ W + b\n"
                      "  loss = sum((output - y)^2)\n"
                      "\n"
                      "derive loss \"mine\"\n"
                      "  doutput = 2 * (output - y)\n"
                      "  dW = x' @ doutput\n"
                      "  db = sum(output)\n";

std::string write(const std::string &name, const std::string &text)
{
    const std::string path = scratch_folder() + "/" + name;
    spit(path, text);
    return path;
}

/* ---- check ---- */

TEST(Check, NamesTheFiveMistakesOfTheArticleAndNoneOfTheCorrectedDerivation)
{
    const Outcome outcome = recurve("check models/curnn_blog.rv --json");
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.err, "");
    const Json list(outcome.out);
    ASSERT_TRUE(cJSON_IsArray(list.root()));
    std::set<std::string> wrong;
    int corrected = 0, gradients = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, list.root())
    {
        const std::string name = Json::text(row, "name"),
                          derivation = Json::text(row, "derivation");
        EXPECT_GT(Json::number(row, "line"), 0);
        for (const char *key : {"max_relative_error", "cosine", "ratio", "difference_error"}) {
            const cJSON *number = cJSON_GetObjectItem(row, key);
            EXPECT_TRUE(cJSON_IsNumber(number) || cJSON_IsNull(number)) << name << " " << key;
        }
        EXPECT_EQ(Json::text(row, "file"), "models/curnn_blog.rv");
        const bool ok = Json::text(row, "verdict") == "right";
        EXPECT_EQ(Json::text(row, "reason") == "", ok);
        if (!ok) {
            EXPECT_EQ(derivation, "as published") << name;
            wrong.insert(name);
        }
        corrected += derivation == "corrected";
        gradients += derivation.empty();
    }
    EXPECT_EQ(wrong, (std::set<std::string>{"dC2", "dhp2", "dh1", "dC1", "dG1"}));
    EXPECT_EQ(corrected, 17);
    EXPECT_EQ(gradients, 6);
}

TEST(Check, ShowsAWrongLineAndSaysWhichIsTheFirst)
{
    const std::string path = write("line.rv", kModel);
    const Outcome outcome = recurve("check " + path);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.err, "");
    EXPECT_CONTAINS(outcome.out, "line: gradients of 2 parameters, all right");
    EXPECT_CONTAINS(outcome.out, "derivation \"mine\"");
    EXPECT_CONTAINS(outcome.out, "     9  dW       right\n");
    EXPECT_CONTAINS(outcome.out, "    10  db       WRONG  error ");
    EXPECT_CONTAINS(outcome.out, "        | db = sum(output)\n");
    EXPECT_CONTAINS(outcome.out, "3 lines, 1 wrong; the first wrong one is line 10, db\n");
}

TEST(Check, IsContentWithEveryBuiltInText)
{
    std::string paths;
    int count = 0;
    for (const auto &entry : std::filesystem::directory_iterator("models"))
        if (entry.path().extension() == ".rv" && entry.path().stem() != "curnn_blog" &&
            entry.path().stem() != "update_gate")
            paths += " " + entry.path().string(), count++;
    EXPECT_GT(count, 10);
    const Outcome outcome = recurve("check" + paths);
    EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
    EXPECT_EQ(outcome.out.find("WRONG"), std::string::npos);
}

TEST(Check, ShowsMistakesWithLineAndCaret)
{
    const std::string path = write("bad.rv", "model m\n  input x[2, 3]\n  loss = sum(x @ x)\n");
    const Outcome outcome = recurve("check " + path);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_CONTAINS(outcome.err, path + ":3:");
    EXPECT_CONTAINS(outcome.err, "    3 |   loss = sum(x @ x)\n");
    EXPECT_CONTAINS(outcome.err, "^");
    EXPECT_EQ(recurve("check /nowhere.rv").status, 1);
    const Outcome json = recurve("check --json " + path);
    EXPECT_EQ(json.status, 1);
    EXPECT_TRUE(cJSON_IsArray(Json(json.out).root()));
}

TEST(Check, AToleranceLetsSmallErrorsPass)
{
    std::string text = kModel;
    text.replace(text.find("sum(output)\n"), 11, "2.002 * sum(output - y)");
    const std::string path = write("almost.rv", text);
    EXPECT_EQ(recurve("check " + path).status, 1);
    EXPECT_EQ(recurve("check " + path + " --tolerance 0.01").status, 0);
}

/* ---- run ---- */

class Archive {
  public:
    explicit Archive(const std::string &path)
    {
        rv_error error = {};
        EXPECT_TRUE(rv_npz_read(path.c_str(), 0, &archive_, &error)) << error.text;
    }
    ~Archive() { rv_archive_free(&archive_); }
    std::vector<double> values(const char *name) const
    {
        std::vector<double> values;
        const rv_tensor *t = rv_archive_find(&archive_, name);
        EXPECT_NE(t, nullptr) << name;
        for (int64_t i = 0; t && i < rv_tensor_count(t); i++) values.push_back(rv_tensor_get(t, i));
        return values;
    }
    size_t count() const { return archive_.tensor_count; }

  private:
    rv_archive archive_ = {};
};

struct Value {
    const char *name;
    rv_shape shape;
    std::vector<double> values;
};

std::string write_npz(const std::vector<Value> &list)
{
    const std::string path = scratch_folder() + "/values.npz";
    std::vector<rv_named_tensor> tensors;
    rv_error error = {};
    for (const Value &v : list) {
        rv_tensor t = {};
        EXPECT_TRUE(rv_tensor_new(&t, RV_F64, v.shape, &error)) << error.text;
        for (size_t i = 0; i < v.values.size(); i++)
            rv_tensor_set(&t, static_cast<int64_t>(i), v.values[i]);
        tensors.push_back({v.name, t});
    }
    rv_archive archive = {};
    archive.tensors = tensors.data();
    archive.tensor_count = tensors.size();
    EXPECT_TRUE(rv_npz_write(path.c_str(), &archive, &error)) << error.text;
    for (rv_named_tensor &t : tensors) rv_tensor_free(&t.tensor);
    return path;
}

TEST(Run, ComputesWhatIsGivenWithGradientsAndSecondDerivatives)
{
    const std::string model = write("line.rv", kModel),
                      in = write_npz({{"x", RV_SHAPE(1, 2), {1, 2}},
                                      {"y", RV_SHAPE(1, 1), {3}},
                                      {"W", RV_SHAPE(2, 1), {0.5, -1}},
                                      {"b", RV_SCALAR, {0.25}}}),
                      out = scratch_folder() + "/out.npz";
    const Outcome outcome = recurve("run " + model + ":line --in " + in + " --out " + out +
                                    " --grad loss:W,b,output --second");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    const Archive all(out);
    EXPECT_EQ(all.values("x"), (std::vector<double>{1, 2}));
    EXPECT_EQ(all.values("W"), (std::vector<double>{0.5, -1}));
    EXPECT_EQ(all.values("output"), (std::vector<double>{-1.25}));
    EXPECT_EQ(all.values("loss"), (std::vector<double>{4.25 * 4.25}));
    EXPECT_EQ(all.values("grad/output"), (std::vector<double>{-8.5}));
    EXPECT_EQ(all.values("grad/W"), (std::vector<double>{-8.5, -17}));
    EXPECT_EQ(all.values("grad/b"), (std::vector<double>{-8.5}));
    /* The sum of the gradients is 2 (output - y) (x1 + x2 + 1 + 1). */
    EXPECT_EQ(all.values("second/W"), (std::vector<double>{10, 20}));
    EXPECT_EQ(all.values("second/b"), (std::vector<double>{10}));
    EXPECT_EQ(all.values("second/output"), (std::vector<double>{10}));
}

TEST(Run, WhatItWritesItReadsBackAndGivesTheSameAgain)
{
    const std::string folder = scratch_folder(), first = folder + "/1.npz";
    ASSERT_EQ(recurve("run models/update_gate.rv --seed 7 --out " + first).status, 0);
    const Archive a(first);
    EXPECT_EQ(a.count(), 24u);
    const std::string in = write_npz({{"x", RV_SHAPE(5, 3, 1), a.values("x")},
                                      {"y", RV_SHAPE(5, 1), a.values("y")},
                                      {"w_xc", RV_SCALAR, a.values("w_xc")},
                                      {"w_recc", RV_SCALAR, a.values("w_recc")},
                                      {"w_xg", RV_SCALAR, a.values("w_xg")},
                                      {"w_recg", RV_SCALAR, a.values("w_recg")}});
    const std::string again = folder + "/2.npz";
    ASSERT_EQ(recurve("run models/update_gate.rv --seed 8 --in " + in + " --out " + again).status,
              0);
    EXPECT_EQ(slurp(first), slurp(again));
    const Archive b(again);
    EXPECT_EQ(b.values("g[2]"), a.values("g[2]"));
}

TEST(Run, PrintsATableOrJson)
{
    const std::string call = "run models/curnn_blog.rv --grad loss";
    const Outcome table = recurve(call), json = recurve(call + " --json --dtype f32");
    EXPECT_EQ(table.status, 0);
    EXPECT_CONTAINS(table.out, "name");
    EXPECT_CONTAINS(table.out, "\nh[2] ");
    EXPECT_CONTAINS(table.out, "\ngrad/Wxc ");
    EXPECT_CONTAINS(table.out, " ...\n");
    const Json list(json.out);
    bool found = false;
    const cJSON *row;
    cJSON_ArrayForEach(row, list.root())
    {
        if (Json::text(row, "name") != "W1") continue;
        found = true;
        EXPECT_EQ(cJSON_GetArraySize(cJSON_GetObjectItem(row, "shape")), 2);
        EXPECT_EQ(cJSON_GetArraySize(cJSON_GetObjectItem(row, "values")), 16 * 34);
    }
    EXPECT_TRUE(found);
}

TEST(Run, RefusesValuesThatTheModelDoesNotHaveOrThatDoNotFit)
{
    const std::string call = "run models/update_gate.rv --in ";
    const Outcome unknown = recurve(call + write_npz({{"w_xd", RV_SCALAR, {1}}}));
    EXPECT_EQ(unknown.status, 2);
    EXPECT_CONTAINS(unknown.err, "\"w_xd\"; did you mean \"w_xc\"?\n");
    const Outcome checked =
        recurve("check models/update_gate.rv --in " + write_npz({{"w_xd", RV_SCALAR, {1}}}));
    EXPECT_EQ(checked.status, 2);
    EXPECT_CONTAINS(checked.err, "\"w_xd\"");
    const Outcome shape = recurve(call + write_npz({{"w_xc", RV_SHAPE(2), {1, 2}}}));
    EXPECT_EQ(shape.status, 1);
    EXPECT_CONTAINS(shape.err, "w_xc has the shape [2], expected []");
    const Outcome input = recurve(call + write_npz({{"x", RV_SHAPE(2, 4, 1), {}}}));
    EXPECT_EQ(input.status, 1);
    EXPECT_CONTAINS(input.err, "\"x\" is [2,3,1], but is given as [2,4,1]");
    const std::string text = scratch_folder() + "/text.npz";
    spit(text, "no archive");
    EXPECT_EQ(recurve(call + text).status, 1);
    EXPECT_EQ(recurve("run models/update_gate.rv --out /nowhere/out.npz").status, 1);
}

/* ---- fmt ---- */

TEST(Fmt, EveryTextOfTheProjectIsAFixedPoint)
{
    for (const char *folder : {"models", "gallery"})
        for (const auto &entry : std::filesystem::directory_iterator(folder)) {
            if (entry.path().extension() != ".rv") continue;
            const std::string path = entry.path().string();
            const Outcome printed = recurve("fmt " + path);
            EXPECT_EQ(printed.status, 0) << path;
            EXPECT_EQ(printed.out, slurp(path));
            EXPECT_EQ(recurve("fmt --check " + path).status, 0) << path;
        }
}

TEST(Fmt, RewritesInPlaceWhatCheckNames)
{
    std::string text = kCell;
    text.replace(text.find("W h + U x + bg"), 14, "W h+U x  +bg");
    const std::string untidy = write("untidy.rv", text), tidy = write("tidy.rv", kCell);
    const Outcome check = recurve("fmt --check " + untidy + " " + tidy);
    EXPECT_EQ(check.status, 1);
    EXPECT_EQ(check.out, untidy + "\n");
    EXPECT_EQ(slurp(untidy), text);
    EXPECT_EQ(recurve("fmt --in-place " + untidy + " " + tidy).status, 0);
    EXPECT_EQ(slurp(untidy), kCell);
    EXPECT_EQ(slurp(tidy), kCell);
}

TEST(Fmt, WritesWholeNumbersWithoutAnExponent)
{
    const std::string text = "model m\n  input x[10, 2000]\n  loss = sum(x / 100 + 0.25)\n";
    EXPECT_EQ(recurve("fmt " + write("m.rv", text)).out, text);
}

TEST(Fmt, LeavesAFileWithMistakesAloneAndShowsThem)
{
    const std::string text = "cell a\n  state h\n  h' = tanh((h +x)\n", path = write("a.rv", text);
    for (const char *how : {"", "--check ", "--in-place "}) {
        const Outcome outcome = recurve("fmt " + (how + path));
        EXPECT_EQ(outcome.status, 1);
        EXPECT_EQ(outcome.out, "");
        EXPECT_CONTAINS(outcome.err, path + ":3:");
        EXPECT_CONTAINS(outcome.err, "^");
        EXPECT_EQ(slurp(path), text);
    }
}

/* ---- wherever a model's name is ---- */

std::string digest_of(const std::string &arguments)
{
    const Outcome outcome = recurve("train " + arguments + " --quiet");
    EXPECT_EQ(outcome.status, 0) << arguments << outcome.err;
    const size_t at = outcome.out.find("digest ");
    EXPECT_NE(at, std::string::npos);
    return at == std::string::npos ? arguments : outcome.out.substr(at);
}

TEST(File, OfABuiltInCellTrainsToTheSameDigest)
{
    const std::string adding = " --task adding --length 10 --samples 400 --epochs 1";
    EXPECT_EQ(digest_of("--model models/gru.rv" + adding), digest_of("--model gru" + adding));
    EXPECT_EQ(digest_of("models/lstm.rv:lstm" + adding), digest_of("lstm" + adding));
    EXPECT_EQ(digest_of("models/curnn.rv:curnn --epochs 1"), digest_of("curnn --epochs 1"));
    EXPECT_EQ(digest_of("models/curnn_blog.rv --epochs 1"), digest_of("curnn-blog --epochs 1"));
}

TEST(File, OfANewCellIsTrainedMeasuredComparedDrawnTimedAndProved)
{
    const std::string path = write("blend.rv", kCell), folder = scratch_folder(),
                      task = " --task adding --length 10 --samples 400 --epochs 1";
    const Outcome train = recurve("train " + path + task + " --output " + folder);
    EXPECT_EQ(train.status, 0) << train.err;
    EXPECT_CONTAINS(train.err, "blend, 1 layer");
    EXPECT_EQ(Json(slurp(folder + "/config.json")).text("model"), path);
    EXPECT_EQ(recurve("evaluate --output " + folder).status, 0);
    EXPECT_EQ(digest_of("--config " + folder + "/config.json"),
              train.out.substr(train.out.find("digest ")));

    const std::string compared = scratch_folder();
    const Outcome compare =
        recurve("compare --models " + path + ",gru --quiet --output " + compared + task);
    EXPECT_EQ(compare.status, 0) << compare.err;
    EXPECT_CONTAINS(compare.out, path);
    EXPECT_CONTAINS(slurp(compared + "/compare.csv"), path + ",adam,");
    int folders = 0;
    for (const auto &entry : std::filesystem::directory_iterator(compared))
        folders += entry.is_directory();
    EXPECT_EQ(folders, 2);

    const Outcome prove = recurve("gradcheck " + path), graph = recurve("graph " + path + ":blend");
    EXPECT_EQ(prove.status, 0) << prove.out;
    EXPECT_CONTAINS(prove.out, "blend  V ");
    EXPECT_EQ(graph.status, 0);
    EXPECT_EQ(graph.out.find("digraph"), 0u);
    EXPECT_EQ(recurve("profile " + path + " --seconds 0.01").status, 0);
}

TEST(File, OfAWholeModelIsProvedWithTheInputsThatItDeclares)
{
    /* The logarithm of inputs in -1..1 would be no number. */
    const std::string path = write("positive.rv", "model positive\n"
                                                  "  input x[2, 3] ~ uniform(1, 2)\n"
                                                  "  parameter W[3, 1] ~ uniform(0.5, 1)\n"
                                                  "  loss = sum(log(x) @ W)\n");
    for (const char *how : {"gradcheck ", "gradcheck --model "}) {
        const Outcome outcome = recurve(how + path);
        EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
        EXPECT_CONTAINS(outcome.out, "positive  W");
    }
    EXPECT_EQ(recurve("gradcheck models/curnn_blog.rv").status, 0);
}

TEST(File, ThatIsWrongIsShownAndIsNotTheCommandLinesFault)
{
    const std::string path = write("wrong.rv", "cell wrong\n  state h\n  h' = tahn(h)\n");
    for (const char *command :
         {"train ", "graph ", "gradcheck ", "profile ", "run ", "compare --models "}) {
        const Outcome outcome = recurve(command + path);
        EXPECT_EQ(outcome.status, 1) << command;
        EXPECT_EQ(outcome.out, "") << command;
        EXPECT_CONTAINS(outcome.err, path + ":3:");
        EXPECT_CONTAINS(outcome.err, "did you mean \"tanh\"");
    }
    EXPECT_EQ(recurve("train /nowhere/none.rv").status, 1);
    EXPECT_EQ(recurve("run " + write("empty.rv", "")).status, 1);
}

TEST(File, StartsAsTheTextOfABuiltInModel)
{
    for (const char *name : {"gru", "curnn-blog", "curnn_blog"}) {
        const Outcome text = recurve(std::string("models ") + name);
        EXPECT_EQ(text.status, 0);
        std::string file = name;
        if (file == "curnn-blog") file = "curnn_blog";
        EXPECT_EQ(text.out, slurp("models/" + file + ".rv"));
    }
    const Outcome json = recurve("models gru --json");
    const Json list(json.out);
    ASSERT_EQ(cJSON_GetArraySize(list.root()), 1);
    EXPECT_EQ(Json::text(cJSON_GetArrayItem(list.root(), 0), "text"), slurp("models/gru.rv"));
}

} // namespace
