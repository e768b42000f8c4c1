// The language's functions in C: reading files, models of a text, recordings, and what they say
// when something is wrong.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "recurve.h"
#include "tests/files.h"
#include "tests/tapes.h"

namespace {

// A text, freed when the test ends.
class Text {
  public:
    explicit Text(const std::string &text)
        : lang_(rv_lang_read(text.data(), text.size(), "text.rv", nullptr, &error_))
    {
        EXPECT_NE(lang_, nullptr) << error_.text;
        EXPECT_EQ(problems(), "");
    }
    Text(const Text &) = delete;
    Text &operator=(const Text &) = delete;
    ~Text() { rv_lang_free(lang_); }
    operator rv_lang *() const { return lang_; }
    const rv_model *model(const char *name = nullptr) const
    {
        rv_error error = {};
        const rv_model *found = rv_lang_model(lang_, name, &error);
        EXPECT_NE(found, nullptr) << error.text;
        return found;
    }
    std::string problems() const
    {
        char *text = rv_lang_problem_text(lang_);
        const std::string copy = text ? text : "memory";
        rv_free(text);
        return copy;
    }

  private:
    rv_error error_ = {};
    rv_lang *lang_;
};

const char *const my_cell = "cell my_rnn\n"
                            "  state h\n"
                            "  map W, U\n"
                            "  bias b\n"
                            "  h' = tanh(W h + U x + b)\n";

const char *const my_model = "model line(n=2, k=3)\n"
                             "  input x[n, k], y[n]\n"
                             "  output = sum(x @ W[_, 1], axes=[1])\n"
                             "  loss = mean((output - y)^2)\n";

// A tensor of ones, and what it is called.
class Ones {
  public:
    Ones(const char *name, rv_shape shape)
    {
        named_.name = name;
        EXPECT_TRUE(rv_tensor_new(&named_.tensor, RV_F64, shape, nullptr));
        for (int64_t i = 0; i < rv_tensor_count(&named_.tensor); i++)
            rv_tensor_set(&named_.tensor, i, 1);
    }
    Ones(const Ones &) = delete;
    Ones &operator=(const Ones &) = delete;
    ~Ones() { rv_tensor_free(&named_.tensor); }
    const rv_named_tensor &named() const { return named_; }

  private:
    rv_named_tensor named_ = {};
};

rv_lang_recording *record(const rv_model *model, rv_tape *tape,
                          const std::vector<rv_named_tensor> &given, uint64_t seed = 1)
{
    rv_lang_recording_options o = {};
    o.given = given.data();
    o.given_count = static_cast<int>(given.size());
    o.seed = seed;
    return rv_lang_record(model, tape, &o);
}

// ---- files ----

using LangFiles = WithFolder;

TEST_F(LangFiles, AMissingFileIsToldByName)
{
    rv_error error = {};
    EXPECT_EQ(rv_lang_load(path("none.rv").c_str(), nullptr, &error), nullptr);
    EXPECT_EQ(error.code, RV_ERROR_IO);
    EXPECT_TRUE(contains(error.text, "none.rv")) << error.text;
    error = {};
    EXPECT_EQ(rv_lang_open(path("none.rv").c_str(), nullptr, &error), nullptr);
    EXPECT_EQ(error.code, RV_ERROR_IO);
    error = {};
    EXPECT_EQ(rv_lang_open(nullptr, nullptr, &error), nullptr);
    EXPECT_EQ(error.code, RV_ERROR_ARGUMENT);
    error = {};
    EXPECT_EQ(rv_lang_read(nullptr, 0, "a", nullptr, &error), nullptr);
    EXPECT_EQ(rv_lang_read("", 0, nullptr, nullptr, &error), nullptr);
    EXPECT_EQ(error.code, RV_ERROR_ARGUMENT);
}

TEST_F(LangFiles, LoadRefusesWhatOpenTells)
{
    const std::string name = file("wrong.rv", "cell c\n  state h\n  h' = tnah(x)\n");
    rv_error error = {};
    EXPECT_EQ(rv_lang_load(name.c_str(), nullptr, &error), nullptr);
    EXPECT_EQ(error.code, RV_ERROR_NAME);
    EXPECT_TRUE(contains(error.text, name + ":3:8: ")) << error.text;
    EXPECT_TRUE(contains(error.text, "tnah") && contains(error.text, "\"tanh\"?")) << error.text;
    error = {};
    rv_lang *lang = rv_lang_open(name.c_str(), nullptr, &error);
    ASSERT_NE(lang, nullptr) << error.text;
    EXPECT_EQ(rv_lang_problems(lang), 1u);
    EXPECT_FALSE(rv_lang_check(lang));
    char *text = rv_lang_problem_text(lang);
    EXPECT_TRUE(contains(text, "    3 |   h' = tnah(x)\n")) << text;
    rv_free(text);
    rv_lang_free(lang);
}

TEST_F(LangFiles, ProblemsHaveALocationAndAFix)
{
    const std::string text = "cell c\n  state h\n  größe = 1\n  h' = größe.tnah(x) + é(x)\n";
    rv_lang *lang = rv_lang_read(text.data(), text.size(), "text.rv", nullptr, nullptr);
    ASSERT_EQ(rv_lang_problems(lang), 2u);
    const rv_lang_problem first = rv_lang_problem_at(lang, 0);
    EXPECT_STREQ(first.file, "text.rv");
    EXPECT_EQ(first.at.line, 4);
    EXPECT_EQ(first.at.column, 14); // in characters
    EXPECT_EQ(first.at.length, 4);
    EXPECT_EQ(first.code, RV_ERROR_NAME);
    EXPECT_STREQ(first.message, "there is no op or function \"tnah\"");
    EXPECT_STREQ(first.hint, "did you mean \"tanh\"?");
    EXPECT_STREQ(first.fix, "tanh");
    EXPECT_EQ(first.wrong.line, 4);
    EXPECT_EQ(first.wrong.column, 14);
    EXPECT_EQ(first.wrong.length, 4);
    EXPECT_EQ(rv_lang_problem_at(lang, 1).fix, nullptr);
    EXPECT_EQ(rv_lang_problem_at(lang, 2).message, nullptr);
    EXPECT_EQ(rv_lang_problem_at(nullptr, 0).message, nullptr);
    rv_lang_free(lang);
}

TEST_F(LangFiles, ManyProblemsFitIntoAnError)
{
    std::string text = "cell c\n  state h\n";
    for (int i = 0; i < 200; i++) text += "  a" + std::to_string(i) + " = nothing\n";
    rv_error error = {};
    EXPECT_EQ(rv_lang_load(file("many.rv", text + "  h' = x\n").c_str(), nullptr, &error), nullptr);
    EXPECT_EQ(error.code, RV_ERROR_NAME);
    EXPECT_LT(std::strlen(error.text), static_cast<size_t>(RV_ERROR_TEXT));
    EXPECT_TRUE(contains(error.text, "many.rv:3:"));
}

TEST_F(LangFiles, IncludesAreBesideTheirFile)
{
    std::filesystem::create_directories(path("sub"));
    file("sub/cell.rv", my_cell);
    file("sub/both.rv", "include \"cell.rv\"\n"
                        "function twice(x) = 2.x\n");
    const std::string main = file("main.rv", "include \"sub/both.rv\"\n"
                                             "include \"sub/cell.rv\"\n"
                                             "model m(n=2)\n"
                                             "  input x[n, 3]\n"
                                             "  h = unroll my_rnn(twice(x), units=2) for 2 steps\n"
                                             "  loss = sum(h)\n");
    rv_error error = {};
    rv_lang *lang = rv_lang_load(main.c_str(), nullptr, &error);
    ASSERT_NE(lang, nullptr) << error.text;
    EXPECT_TRUE(rv_lang_check(lang));
    EXPECT_STREQ(rv_lang_model(lang, nullptr, &error)->name, "m");
    EXPECT_STREQ(rv_lang_model(lang, "my_rnn", &error)->name, "my_rnn");
    rv_lang_free(lang);

    file("alone.rv", "include \"not_there.rv\"\n");
    EXPECT_EQ(rv_lang_load(path("alone.rv").c_str(), nullptr, &error), nullptr);
    EXPECT_TRUE(contains(error.text, "alone.rv:1:") && contains(error.text, "not_there.rv"))
        << error.text;
}

// ---- models of a text ----

TEST(LangModels, AreFoundByNameOrTheLastOneIs)
{
    const Text both(std::string(my_cell) + my_model + "cell other = my_rnn(kernel=3)\n");
    rv_error error = {};
    EXPECT_EQ(rv_lang_model_count(both), 3);
    EXPECT_STREQ(rv_lang_model_at(both, 0)->name, "my_rnn");
    EXPECT_STREQ(rv_lang_model_at(both, 2)->name, "other");
    EXPECT_EQ(rv_lang_model_at(both, 3), nullptr);
    EXPECT_EQ(rv_lang_model_at(both, -1), nullptr);
    EXPECT_STREQ(both.model()->name, "line") << "a model goes before cells";
    EXPECT_STREQ(both.model("my_rnn")->state[0], "h");
    EXPECT_NE(both.model("my_rnn")->step, nullptr);
    EXPECT_EQ(both.model("line")->step, nullptr);

    EXPECT_EQ(rv_lang_model(both, "lone", &error), nullptr);
    EXPECT_EQ(error.code, RV_ERROR_NAME);
    EXPECT_STREQ(error.text, "text.rv: there is no model or cell \"lone\"; did you mean \"line\"?");
    error = {};
    EXPECT_EQ(rv_lang_model(both, "transformer", &error), nullptr);
    EXPECT_STREQ(error.text, "text.rv: there is no model or cell \"transformer\"");

    const Text cells(my_cell), none("function f(x) = x\n");
    EXPECT_STREQ(cells.model()->name, "my_rnn");
    error = {};
    EXPECT_EQ(rv_lang_model(none, nullptr, &error), nullptr);
    EXPECT_STREQ(error.text, "text.rv: there is no model or cell");
}

TEST(LangModels, AnAliasHasTheOptionsOfAllItStandsFor)
{
    const Text text(std::string(my_cell) + "cell wide = my_rnn(kernel=5)\n"
                                           "cell same = wide(forget=2)\n"
                                           "cell narrow = wide(kernel=3)\n");
    EXPECT_EQ(text.model("my_rnn")->kernel, 0);
    EXPECT_EQ(text.model("wide")->kernel, 5);
    EXPECT_EQ(text.model("same")->kernel, 5);
    EXPECT_EQ(text.model("narrow")->kernel, 3);
    EXPECT_STREQ(text.model("narrow")->state[0], "h");

    Tape t;
    rv_net_options o = {};
    o.rnn.units = 2;
    o.rnn.bias = true;
    o.y = RV_SHAPE(1);
    const rv_net net = rv_model_record(text.model("same"), &o, t.input("x", RV_SHAPE(2, 1, 6, 6)),
                                       t.input("y", RV_SHAPE(2, 1)));
    ASSERT_FALSE(rv_is_null(net.loss)) << t.error();
    EXPECT_TRUE(rv_shape_equal(t.stored("U").shape, RV_SHAPE(2, 1, 5, 5)));
    EXPECT_TRUE(rv_shape_equal(t.stored("W").shape, RV_SHAPE(2, 2, 5, 5)));
}

TEST(LangModels, ACellServesEveryKindOfData)
{
    struct Kind {
        const char *name;
        rv_shape x, y, output;
        bool sequence, each_step;
        int64_t tokens, embedding, classes, hidden;
        bool pool;
        rv_loss_kind loss;
        rv_shape one;
    };
    const Kind kinds[] = {
        {"numbers", RV_SHAPE(3, 4), RV_SHAPE(3, 2), RV_SHAPE(3, 2), false, false, 0, 0, 0, 0, false,
         RV_LOSS_DEFAULT, RV_SHAPE(2)},
        {"images as rows", RV_SHAPE(3, 1, 4, 4), RV_SHAPE(3), RV_SHAPE(3, 5), false, false, 0, 0, 5,
         4, false, RV_LOSS_DEFAULT, RV_SCALAR},
        {"sequences, two classes", RV_SHAPE(3, 4, 2), RV_SHAPE(3), RV_SHAPE(3, 1), true, false, 0,
         0, 2, 0, true, RV_LOSS_DEFAULT, RV_SCALAR},
        {"numbers at each step", RV_SHAPE(3, 4, 2), RV_SHAPE(3, 4, 2), RV_SHAPE(3, 4, 2), true,
         true, 0, 0, 0, 0, false, RV_LOSS_HUBER, RV_SHAPE(4, 2)},
        {"labels at each step", RV_SHAPE(3, 4, 2), RV_SHAPE(3, 4), RV_SHAPE(3, 4, 5), true, true, 0,
         0, 5, 0, false, RV_LOSS_DEFAULT, RV_SHAPE(4)},
        {"tokens", RV_SHAPE(3, 4), RV_SHAPE(3, 4), RV_SHAPE(3, 4, 6), true, true, 6, 0, 6, 0, false,
         RV_LOSS_DEFAULT, RV_SHAPE(4)},
        {"embedded tokens", RV_SHAPE(3, 4), RV_SHAPE(3, 1), RV_SHAPE(3, 1), true, false, 6, 3, 0, 0,
         false, RV_LOSS_MAE, RV_SHAPE(1)},
        {"films", RV_SHAPE(3, 2, 1, 4, 4), RV_SHAPE(3, 1, 4, 4), RV_SHAPE(3, 1, 4, 4), true, false,
         0, 0, 0, 0, false, RV_LOSS_DEFAULT, RV_SHAPE(1, 4, 4)},
    };
    const Text text(my_cell);
    for (const Kind &k : kinds) {
        SCOPED_TRACE(k.name);
        rv_net_options o = {};
        o.rnn.units = 3;
        o.rnn.bias = true;
        o.rnn.kernel = k.one.rank == 3 ? 3 : 0;
        o.sequence = k.sequence;
        o.each_step = k.each_step;
        o.tokens = k.tokens;
        o.embedding = k.embedding;
        o.classes = k.classes;
        o.hidden = k.hidden;
        o.pool = k.pool;
        o.loss = k.loss;
        o.y = k.one;
        // The same net as of the built-in cell of these equations.
        Tape own, built_in;
        rv_hash hash[2];
        for (Tape *t : {&own, &built_in}) {
            const rv_model *model = t == &own ? text.model() : rv_model_find("rnn");
            const rv_var x = k.tokens ? rv_input_typed(*t, "x", RV_I32, k.x) : t->input("x", k.x),
                         y = k.classes ? rv_input_typed(*t, "y", RV_I32, k.y) : t->input("y", k.y);
            const rv_net net = rv_model_record(model, &o, x, y);
            ASSERT_FALSE(rv_is_null(net.loss)) << t->error();
            EXPECT_TRUE(rv_shape_equal(rv_shape_of(net.output), k.output));
            hash[t == &own ? 0 : 1] = rv_tape_hash(*t, &net.loss, 1, RV_DEFAULT);
        }
        EXPECT_TRUE(hash[0].low == hash[1].low && hash[0].high == hash[1].high);
    }
}

TEST(LangModels, AModelIsRecordedOnTheDataItIsGiven)
{
    const Text text(my_model);
    Tape t;
    rv_net_options o = {};
    o.y = RV_SCALAR;
    const rv_net net =
        rv_model_record(text.model(), &o, t.input("x", RV_SHAPE(5, 4)), t.input("y", RV_SHAPE(5)));
    ASSERT_FALSE(rv_is_null(net.loss)) << t.error();
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(net.output), RV_SHAPE(5)));
    EXPECT_TRUE(rv_shape_equal(t.stored("W").shape, RV_SHAPE(4, 1)));
    Program program(t, {net.output, net.loss});
    set_values(&t.stored("W"), {1, 2, 3, 4});
    Values x(20, 0), y(5, 1);
    x[0] = x[5] = 1; // x = e1, e2, 0, 0, 0
    program.set("x", x).set("y", y).run();
    EXPECT_EQ(program.values(0), Values({1, 2, 0, 0, 0}));
    EXPECT_EQ(program.value(1), 4.0 / 5);

    // Without y there is an answer and no loss.
    Tape alone;
    const Text answer("model a(n=2)\n  input x[n, 3]\n  output = 2 . x\n  loss = sum(output)\n");
    o.y = RV_SHAPE(3);
    const rv_var none = {alone, -1};
    const rv_net only = rv_model_record(answer.model(), &o, alone.input("x", RV_SHAPE(4, 3)), none);
    EXPECT_FALSE(rv_is_null(only.output)) << alone.error();
    EXPECT_TRUE(rv_is_null(only.loss));
}

TEST(LangModels, WhatAModelLacksIsTold)
{
    const struct {
        const char *text, *why;
    } cases[] = {
        {"model m(n=2)\n  input x[n], y[n]\n  output = x\n", "the model \"m\" has no \"loss\""},
        {"model m(n=2)\n  input x[n], y[n]\n  loss = sum(x - y)\n",
         "the model \"m\" has no \"output\""},
        {"model m(n=2)\n  input u[n], y[n]\n  output = u\n  loss = sum(u - y)\n",
         "the model \"m\" has no input \"x\""},
        {"model m(n=2)\n  input x[n]\n  output = x\n  loss = sum(x)\n",
         "the model \"m\" has no input \"y\""},
        {"model m\n  input x[2], y[2]\n  output = x\n  loss = sum(x - y)\n",
         "make the batch a size: model name(n=2), input x[n,..]"},
        {"model m(n=2)\n  input x[n], y[n]\n  output = concat(x, x)\n  loss = sum(x - y)\n",
         "\"m\" outputs [6] for 3 samples"},
        {"model m(n=2)\n  input x[n], y[n]\n  output = x @ y\n  loss = sum(x - y)\n",
         "text.rv:3:12: "},
    };
    for (const auto &c : cases) {
        SCOPED_TRACE(c.text);
        const Text text(c.text);
        Tape t;
        rv_net_options o = {};
        o.y = RV_SCALAR;
        const rv_net net =
            rv_model_record(text.model(), &o, t.input("x", RV_SHAPE(3)), t.input("y", RV_SHAPE(3)));
        EXPECT_TRUE(rv_is_null(net.loss) || rv_is_null(net.output));
        EXPECT_NE(t.code(), RV_OK);
        EXPECT_TRUE(contains(t.error(), c.why)) << t.error();
    }
}

TEST(LangModels, ASpecimenIsTheModelAsItStands)
{
    const Text text(std::string(my_model) + "model bare(n=2)\n  input x[n]\n  a = 2 . x\n");
    Tape t, bare;
    const rv_var loss = rv_model_specimen(text.model("line"), t);
    ASSERT_FALSE(rv_is_null(loss)) << t.error();
    EXPECT_TRUE(rv_shape_equal(t.stored("W").shape, RV_SHAPE(3, 1)));
    EXPECT_TRUE(rv_is_null(rv_model_specimen(text.model("bare"), bare)));
    EXPECT_TRUE(contains(bare.error(), "the model \"bare\" has no \"loss\"")) << bare.error();
}

// ---- recordings ----

TEST(LangRecording, GivenTensorsBindTheSizes)
{
    const Text text(my_model);
    Tape t;
    const Ones x("x", RV_SHAPE(4, 5));
    rv_lang_recording *r = record(text.model(), t, {x.named()}, 3);
    ASSERT_NE(r, nullptr) << t.error();
    int count = 0;
    const rv_named_tensor *inputs = rv_lang_inputs(r, &count);
    ASSERT_EQ(count, 2);
    EXPECT_STREQ(inputs[0].name, "x");
    EXPECT_EQ(values_of(inputs[0].tensor), Values(20, 1));
    EXPECT_TRUE(rv_shape_equal(inputs[1].tensor.shape, RV_SHAPE(4))) << "y follows n";
    EXPECT_TRUE(rv_shape_equal(t.stored("W").shape, RV_SHAPE(5, 1)));
    for (const double y : values_of(inputs[1].tensor)) EXPECT_LT(std::fabs(y), 1);

    const rv_var W = rv_lang_value_of(r, "W"), output = rv_lang_value_of(r, "output");
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(W), RV_SHAPE(5, 1)));
    EXPECT_TRUE(rv_is_null(rv_lang_value_of(r, "V")));
    std::string names;
    for (int i = 0; i < rv_lang_value_count(r); i++)
        names += std::string(rv_lang_value_at(r, i).name) + " ";
    EXPECT_EQ(names, "x y W output loss ");
    EXPECT_EQ(rv_lang_value_at(r, 3).line, 3);
    EXPECT_TRUE(same(rv_lang_value_at(r, 3).var, output));
    EXPECT_EQ(rv_lang_value_at(r, 5).name, nullptr);
    EXPECT_EQ(rv_lang_value_at(r, -1).name, nullptr);
    rv_lang_recording_free(r);
    rv_lang_recording_free(nullptr);

    // The same seed draws the same numbers, another one others.
    const auto drawn = [&](uint64_t seed) {
        Tape own;
        rv_lang_recording *other = record(text.model(), own, {}, seed);
        EXPECT_NE(other, nullptr) << own.error();
        const rv_named_tensor *tensors = rv_lang_inputs(other, &count);
        const Values values = values_of(tensors[0].tensor);
        rv_lang_recording_free(other);
        return values;
    };
    EXPECT_EQ(drawn(3), drawn(3));
    EXPECT_NE(drawn(3), drawn(4));
    EXPECT_EQ(drawn(3).size(), 6u);
}

TEST(LangRecording, SizesThatDoNotAgreeAreTold)
{
    const Text text(my_model);
    const Ones x("x", RV_SHAPE(4, 5)), y("y", RV_SHAPE(3)), cube("x", RV_SHAPE(4, 5, 6));
    Tape sizes, shapes;
    EXPECT_EQ(record(text.model(), sizes, {x.named(), y.named()}), nullptr);
    EXPECT_EQ(sizes.code(), RV_ERROR_SHAPE);
    EXPECT_EQ(sizes.error(), "text.rv:2:20: n is 4, but \"y\" is given as [3]");
    EXPECT_EQ(record(text.model(), shapes, {cube.named()}), nullptr);
    EXPECT_EQ(shapes.code(), RV_ERROR_SHAPE);
    EXPECT_EQ(shapes.error(), "text.rv:2:9: \"x\" is [4,5], but is given as [4,5,6]");
}

TEST(LangRecording, OnlyModelsOfTextsAreRecorded)
{
    const Text text(my_cell);
    Tape t, null;
    EXPECT_EQ(rv_lang_record(text.model(), t, nullptr), nullptr);
    EXPECT_EQ(t.error(), "lang: \"my_rnn\" is not a model of a text; pass one from rv_lang_model");
    EXPECT_EQ(rv_lang_record(nullptr, null, nullptr), nullptr);
    EXPECT_EQ(null.code(), RV_ERROR_ARGUMENT);
    EXPECT_EQ(rv_lang_record(text.model(), nullptr, nullptr), nullptr);
}

TEST(LangRecording, SeveralThreadsRecordFromOneText)
{
    const Text text(std::string(my_cell) + "model m(n=2)\n"
                                           "  input x[n, 3, 4], y[n, 2]\n"
                                           "  h = unroll my_rnn(x, units=2)\n"
                                           "  c = unroll gru(x, units=2, name=\"other\")\n"
                                           "  output = h.c\n"
                                           "  loss = mean((output - y)^2) + sum(h[1])\n");
    const rv_model *model = text.model();
    std::vector<rv_hash> hashes(8);
    std::vector<std::thread> threads;
    for (rv_hash &hash : hashes)
        threads.emplace_back([model, &hash] {
            for (int k = 0; k < 20; k++) {
                Tape t;
                rv_lang_recording *r = rv_lang_record(model, t, nullptr);
                ASSERT_NE(r, nullptr) << t.error();
                const rv_var loss = rv_lang_value_of(r, "loss");
                hash = rv_tape_hash(t, &loss, 1, RV_DEFAULT);
                rv_lang_recording_free(r);
            }
        });
    for (std::thread &t : threads) t.join();
    for (const rv_hash &hash : hashes)
        EXPECT_TRUE(hash.low == hashes[0].low && hash.high == hashes[0].high && hash.low);
}

// The step of a text without the text's own options.
TEST(Language, AStepNeedsItsText)
{
    const Text text(my_cell);
    Tape t;
    rv_rnn_options o = {};
    o.units = 3;
    EXPECT_TRUE(rv_is_null(rv_unroll_with(text.model()->step, t.input("x", RV_SHAPE(2, 4)), 2, o)));
    EXPECT_NE(t.error().find("set the options' user to the model's"), std::string::npos)
        << t.error();
}

// What a function of the library does not take is reported where it is called.
TEST(Language, MistakesInBuiltInFunctionsAreToldAtTheirCall)
{
    const Text text("model m\n"
                    "  input x[2, 3]\n"
                    "  loss = sum(rot180(x))\n");
    EXPECT_FALSE(rv_lang_check(text));
    EXPECT_EQ(text.problems().find("text.rv:3:14: error: flip"), 0u) << text.problems();
}

double value_of(const std::string &text, const char *name)
{
    const Text read(text);
    Tape t;
    rv_lang_recording *r = rv_lang_record(read.model(), t, nullptr);
    EXPECT_NE(r, nullptr) << t.error();
    if (!r) return NAN;
    const rv_var y = rv_lang_value_of(r, name);
    rv_program *program = rv_compile(t, &y, 1);
    EXPECT_NE(program, nullptr) << t.error();
    int count = 0;
    const rv_named_tensor *inputs = rv_lang_inputs(r, &count);
    for (int i = 0; i < count; i++)
        EXPECT_TRUE(rv_feed(program, inputs[i].name, &inputs[i].tensor, nullptr));
    rv_run(program);
    const double value = rv_value(program, 0);
    rv_program_free(program);
    rv_lang_recording_free(r);
    return value;
}

TEST(Language, ADeclaredStartIsThatOfBothDirections)
{
    EXPECT_EQ(value_of("cell c\n"
                       "  state h = 5\n"
                       "  map W = identity\n"
                       "  h' = W h + x\n"
                       "model m\n"
                       "  input x[1, 3, 1] ~ uniform(1, 1)\n"
                       "  h = unroll c(x, units=1, bidirectional=true)\n"
                       "  y = sum(h)\n",
                       "y"),
              16);
}

TEST(Language, LoopsHaveTheirNamesForThemselves)
{
    EXPECT_EQ(value_of("model m\n"
                       "  input x[2] ~ uniform(1, 1)\n"
                       "  y = sum(sum(t from 1 to 2: sum(sum(t from 1 to 2: t.x)).t.x)) / 2\n",
                       "y"),
              18);
    const std::string clash = "model m(n=2)\n"
                              "  input x[n]\n"
                              "  y = sum(sum(n from 1 to 3: n.x))\n";
    rv_error error = {};
    rv_lang *lang = rv_lang_read(clash.data(), clash.size(), "text.rv", nullptr, &error);
    char *problems = rv_lang_problem_text(lang);
    EXPECT_EQ(std::string(problems).find("text.rv:3:15: error: \"n\" is already defined"), 0u)
        << problems;
    rv_free(problems);
    rv_lang_free(lang);
}

TEST(Language, OnlyOneMinusMixes)
{
    EXPECT_DOUBLE_EQ(
        value_of("model m\n"
                 "  input g[1] ~ uniform(0.5, 0.5), h[1] ~ uniform(3, 3), c[1] ~ uniform(7, 7)\n"
                 "  y = sum(g.h + (2 - g).c)\n",
                 "y"),
        12);
}

// x / 3 is not x times a third, to the last bit; x / 4 is x times a quarter.
TEST(Language, ANumberDividesAsItIsWritten)
{
    const Text text("model m(n=2)\n  input x[n]\n  third = x / 3\n  quarter = x / 4\n"
                    "  loss = sum(third + quarter)\n");
    Tape t;
    const Ones x("x", RV_SHAPE(2));
    rv_lang_recording *r = record(text.model(), t, {x.named()});
    ASSERT_NE(r, nullptr) << t.error();
    const auto op_of = [&](const char *name) {
        return std::string(rv_tape_node(t, rv_lang_value_of(r, name).id)->op->name);
    };
    EXPECT_EQ(op_of("third"), "divide");
    EXPECT_EQ(op_of("quarter"), "multiply");
    rv_lang_recording_free(r);
}

TEST(Language, LabelsAreDrawnWithBothEnds)
{
    const Text text(
        "model m(n=200)\n  input y[n] ~ integer(-1, 2)\n  loss = sum(one_hot(y, classes=3))\n");
    Tape t;
    rv_lang_recording *r = record(text.model(), t, {});
    ASSERT_NE(r, nullptr) << t.error();
    int count = 0;
    const rv_named_tensor *y = rv_lang_inputs(r, &count);
    ASSERT_EQ(count, 1);
    std::set<double> seen;
    for (const double label : values_of(y->tensor)) seen.insert(label);
    EXPECT_EQ(seen, (std::set<double>{-1, 0, 1, 2}));
    rv_lang_recording_free(r);
}

// A net's states are dropped wherever weights are about to read them, and nowhere else.
TEST(Language, StatesAreDroppedBeforeProductsOfEveryKind)
{
    const std::pair<const char *, bool> lines[] = {{"tanh(W h + h @ V[units, units])", true},
                                                   {"tanh(h @ V[units, units] + x)", true},
                                                   {"tanh(W h + x)", true},
                                                   {"tanh(h + x)", false}};
    for (const auto &[line, dropped] : lines)
        for (const double rate : {0.0, 0.5}) {
            const Text text(std::string("cell c\n  state h\n  map W\n  h' = ") + line + "\n");
            Tape t;
            rv_rnn_options o = {};
            o.units = 3;
            o.recurrent_dropout = rate;
            o.user = text.model()->user;
            rv_unroll_with(text.model()->step, t.input("x", RV_SHAPE(2, 3)), 2, o);
            EXPECT_EQ(t.code(), RV_OK) << t.error();
            int readers = 0; /* of dropped states: each is multiplied by its mask */
            for (int32_t id = 0; id < t.count(); id++)
                readers += std::string(rv_tape_node(t, id)->op->name) == "random_uniform";
            EXPECT_EQ(readers > 0, dropped && rate > 0) << line << rate;
        }
}

TEST(Language, UnrollsShareParametersOnlyIfTheirNamesAreEqual)
{
    const auto parameters = [](const char *first, const char *second) {
        const Text text(std::string("model m(n=2)\n  input x[n, 3]\n  a = unroll gru(x") + first +
                        ") for 2 steps\n  b = unroll gru(x" + second +
                        ") for 1 steps\n  loss = sum(a + b)\n");
        Tape t;
        const Ones x("x", RV_SHAPE(2, 3));
        rv_lang_recording *r = record(text.model(), t, {x.named()});
        EXPECT_NE(r, nullptr) << t.error();
        rv_lang_recording_free(r);
        return rv_store_count(t.store());
    };
    const size_t one = parameters(", name=\"n\"", ", name=\"n\"");
    EXPECT_EQ(one, 9u);
    EXPECT_EQ(parameters("", ""), 2 * one);
    EXPECT_EQ(parameters(", name=\"n\"", ""), 2 * one);
    EXPECT_EQ(parameters("", ", name=\"a\""), one); /* a is the name of the first */
    EXPECT_EQ(parameters(", name=\"n\"", ", name=\"m\""), 2 * one);
}

TEST(Language, ParametersOfAnUnrollAreCalledAfterItWhereTheModelHasTheName)
{
    const auto names = [](const std::string &lines) {
        const Text text("cell c\n  state h\n  map W\n  bias b\n  constant k[4] ~ normal(0, 1)\n"
                        "  h' = tanh(W h + x + b) + k\nmodel m(n=2)\n  input x[n, 3, 4]\n" +
                        lines + "  loss = sum(a)\n");
        Tape t;
        rv_lang_recording *r = record(text.model(), t, {});
        EXPECT_NE(r, nullptr) << t.error();
        rv_lang_recording_free(r);
        std::set<std::string> all;
        for (size_t i = 0; i < rv_store_count(t.store()); i++)
            all.insert(rv_store_at(t.store(), i)->name);
        return all;
    };
    using Names = std::set<std::string>;
    const std::string a = "  a = unroll c(x, units=4)\n";
    EXPECT_EQ(names(a), (Names{"W", "b", "k"}));
    EXPECT_EQ(names(a + "  y = a @ V[_, 4]\n"), (Names{"W", "b", "k", "V"}));
    EXPECT_EQ(names(a + "  i = unroll irnn(x, units=4)\n"),
              (Names{"a/W", "a/b", "a/k", "i/W", "i/U", "i/b"}));
    EXPECT_EQ(names(a + "  i = unroll lem(x, units=4)\n").count("W"), 1u); /* no name in both */
    EXPECT_EQ(names(a + "  y = a @ W[_, 4]\n"), (Names{"a/W", "a/b", "a/k", "W"}));
    EXPECT_EQ(names("  constant b[4]\n" + a), (Names{"a/W", "a/b", "a/k", "b"}));
    EXPECT_EQ(names("  parameter k[4]\n" + a), (Names{"a/W", "a/b", "a/k", "k"}));
    EXPECT_EQ(names("  parameter h0[1, 4]\n  a = unroll c(x, units=4, learned_start=true)\n"),
              (Names{"a/W", "a/b", "a/k", "a/h0", "h0"}));
}

TEST(Language, ANameOfTheModelGoesBeforeThoseInsideUnrolls)
{
    const auto same = [](const std::string &lines, const char *one, const char *other) {
        const Text text("cell c\n  state h\n  map W\n  g = W x\n  h' = h + g\n"
                        "model m(n=2)\n  input x[n, 3, 4], z[n, 3, 4]\n" +
                        lines + "  loss = sum(u)\n");
        Tape t;
        rv_lang_recording *r = record(text.model(), t, {});
        EXPECT_NE(r, nullptr) << t.error();
        if (!r) return false;
        const rv_var a = rv_lang_value_of(r, one), b = rv_lang_value_of(r, other);
        rv_lang_recording_free(r);
        return !rv_is_null(a) && a.id == b.id;
    };
    const std::string one = "  h = unroll c(x, units=4)\n",
                      two = one + "  b = unroll c(z, units=4)\n";
    EXPECT_TRUE(same("  g = z + x\n" + one + "  u = g[1]\n  v = g[1, :]\n", "u", "v"));
    EXPECT_TRUE(same("  g = z + x\n" + one + "  u = h_g[1]\n", "u", "h_g[1]"));
    EXPECT_TRUE(same(one + "  u = g[1]\n", "u", "g[1]"));
    EXPECT_TRUE(same(one + "  u = h_g1\n", "u", "g[1]"));
    EXPECT_TRUE(same(one + "  u = h[3]\n", "u", "h")); /* its result, and its steps */
    EXPECT_TRUE(same(one + "  u = h[:, 0:2]\n  v = h[3][:, 0:2]\n", "u", "v"));
    EXPECT_TRUE(same(one + "  u = h[1, 0:2]\n  v = h[3][1, 0:2]\n", "u", "v"));
    EXPECT_TRUE(same("  g = unroll c(x, units=4)\n  u = g[1]\n  v = g[1, :]\n", "u", "v"));
    EXPECT_TRUE(same(two + "  u = h[2]\n", "u", "h[2]")); /* not b's */
    EXPECT_TRUE(same(two + "  u = b_h[3]\n", "u", "b"));
    EXPECT_TRUE(same(two + "  u = b_g[2]\n", "u", "b_g[2]"));
    EXPECT_TRUE(same(two + "  u = b_W\n", "u", "b/W"));
    EXPECT_TRUE(same(two + "  u = b_W\n", "b_W", "b/W")); /* outside of the text, too */
}

TEST(Language, FormattingKeepsNumbersApart)
{
    const Text text("model m\n"
                    "  input w[2]\n"
                    "  y = w^2 . 3 + (-2) . 3.w + 2 . 3^w\n");
    char *formatted = rv_lang_format(text);
    EXPECT_NE(std::string(formatted).find("w^2 . 3 + -2 . 3.w + 2 . 3^w"), std::string::npos)
        << formatted;
    rv_free(formatted);
}

// Both expressions of each pair record the same node.
TEST(Language, OperatorsAndShortNamesAreTheirOps)
{
    const std::pair<const char *, const char *> pairs[] = {
        {"x < y", "less(x, y)"},
        {"x <= y", "less_equal(x, y)"},
        {"x > y", "less(y, x)"},
        {"x >= y", "less_equal(y, x)"},
        {"x > 0", "less(0, x)"},
        {"1 <= x", "less_equal(1, x)"},
        {"x + 1 < y.y - 2", "less(x + 1, y.y - 2)"},
        {"1 - (x > 0).y", "1 - less(0, x).y"},
        {"(0 < x).(x < 1)", "less(0, x).less(x, 1)"},
        {"(x < y) < y", "less(less(x, y), y)"},
        {"x.(2 < 3) + (3 <= 2)", "x.1 + 0"},
        {"x.(2 > 3) + (3 >= 3)", "x.0 + 1"},
        {"conv(i, k)", "conv2d(i, k)"},
        {"conv(i, k, stride=2, padding=[0, 1], dilation=2)",
         "conv2d(i, k, stride=2, padding=[0, 1], dilation=2)"},
        {"conv(i, V[4, _, 3, 3], groups=2)", "conv2d(i, V, groups=2)"},
    };
    for (const auto &[one, other] : pairs) {
        const Text text("model m\n  input x[2, 3], y[2, 3], i[2, 2, 9, 9], k[4, 2, 3, 3]\n  a = " +
                        std::string(one) + "\n  b = " + other + "\n");
        Tape t;
        rv_lang_recording *r = rv_lang_record(text.model(), t, nullptr);
        ASSERT_NE(r, nullptr) << t.error() << one;
        EXPECT_EQ(rv_lang_value_of(r, "a").id, rv_lang_value_of(r, "b").id) << one;
        rv_lang_recording_free(r);
    }
}

TEST(Language, ConvInACellHasTheOptionsOfConv2d)
{
    const Text text("cell c\n  state h\n"
                    "  h' = h + conv(x, W[3, 3], stride=2, padding=1, dilation=2, groups=2)\n"
                    "model m(n=2)\n  input x[n, 6, 9, 9]\n"
                    "  h = unroll c(x, units=4) for 2 steps\n  loss = sum(h)\n");
    Tape t;
    rv_lang_recording *r = rv_lang_record(text.model(), t, nullptr);
    ASSERT_NE(r, nullptr) << t.error();
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(rv_lang_value_of(r, "W")), RV_SHAPE(4, 3, 3, 3)));
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(rv_lang_value_of(r, "h")), RV_SHAPE(2, 4, 4, 4)));
    rv_lang_recording_free(r);
}

TEST(Language, FormattingKeepsTheBracketsOfComparisons)
{
    const Text text("model m\n"
                    "  input w[2]\n"
                    "  y = (w<1).(w+1>=(2)) + ((w <= 1) < w)\n");
    char *formatted = rv_lang_format(text);
    EXPECT_NE(std::string(formatted).find("  y = (w < 1).(w + 1 >= 2) + ((w <= 1) < w)\n"),
              std::string::npos)
        << formatted;
    rv_free(formatted);
}

TEST(Language, AnAliasHasNoNamesOfItsModel)
{
    const std::string text = "cell big = gru(layers=units)\n";
    rv_error error = {};
    rv_lang *lang = rv_lang_read(text.data(), text.size(), "text.rv", nullptr, &error);
    char *problems = rv_lang_problem_text(lang);
    EXPECT_EQ(std::string(problems).find("text.rv:1:23: error: \"units\" is not defined above"), 0u)
        << problems;
    rv_free(problems);
    rv_lang_free(lang);
}

TEST(Language, AnAliasHasItsOptionsWhereverItIsUsed)
{
    const Text text("cell deep = rnn(layers=2, bias=false)\n");
    Tape t;
    rv_net_options o = {};
    o.rnn.units = 3;
    o.rnn.bias = true;
    o.sequence = true;
    o.y = RV_SHAPE(1);
    const rv_net net = rv_model_record(text.model(), &o, t.input("x", RV_SHAPE(2, 4, 5)),
                                       t.input("y", RV_SHAPE(2, 1)));
    EXPECT_FALSE(rv_is_null(net.loss)) << t.error();
    EXPECT_NE(rv_store_find(t.store(), "layer1/W"), nullptr);
    EXPECT_EQ(rv_store_find(t.store(), "layer1/b"), nullptr);
}

} // namespace
