// Gradients as values: grad, jvp and hvp record what rv_gradient, rv_jvp and rv_hvp do, can be
// differentiated again, and are bounded.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "recurve.h"
#include "tests/lang/messages.h"
#include "tests/tapes.h"
#include "tests/files.h"

namespace {

rv_lang *read(const std::string &text)
{
    rv_error error = {};
    rv_lang *lang = rv_lang_read(text.data(), text.size(), "my.rv", nullptr, &error);
    EXPECT_NE(lang, nullptr) << error.text;
    return lang;
}

// The values of a model at the inputs that the text draws.
class Recorded {
  public:
    explicit Recorded(const std::string &text) : lang_(read(text))
    {
        rv_error error = {};
        recording_ = rv_lang_record(rv_lang_model(lang_, nullptr, &error), tape, nullptr);
        EXPECT_NE(recording_, nullptr) << rv_tape_error(tape)->text;
    }
    Recorded(const Recorded &) = delete;
    Recorded &operator=(const Recorded &) = delete;
    ~Recorded()
    {
        rv_lang_recording_free(recording_);
        rv_lang_free(lang_);
    }
    rv_var of(const char *name) const { return rv_lang_value_of(recording_, name); }
    Values values(const char *name) const
    {
        const rv_var v = of(name);
        rv_program *program = rv_compile(tape, &v, 1);
        EXPECT_NE(program, nullptr) << rv_tape_error(tape)->text;
        int count = 0;
        const rv_named_tensor *inputs = rv_lang_inputs(recording_, &count);
        for (int i = 0; i < count; i++)
            rv_feed(program, inputs[i].name, &inputs[i].tensor, nullptr);
        rv_run(program);
        const Values values = values_of(*rv_program_output(program, 0));
        rv_program_free(program);
        return values;
    }
    Tape tape;

  private:
    rv_lang *lang_;
    rv_lang_recording *recording_ = nullptr;
};

TEST(Gradients, TextAndCRecordTheSameTape)
{
    const Recorded text("model m(n=2)\n"
                        "  input x[n, 3], v[n, 3]\n"
                        "  h = tanh(x)\n"
                        "  f = sum(h^2)\n"
                        "  g = grad(f, x)\n"
                        "  j = jvp(h, x, v)\n"
                        "  p = hvp(f, x, v)\n"
                        "  gg = grad(sum(g.v), x)\n");
    Tape tape;
    rv_var x = tape.input("x", RV_SHAPE(2, 3)), v = tape.input("v", RV_SHAPE(2, 3)), g, p, gg;
    rv_var h = rv_tanh(x), f = rv_sum(rv_square(h), RV_ALL_AXES, false);
    EXPECT_TRUE(rv_gradient(f, &x, 1, &g));
    const rv_var j = rv_jvp(h, &x, &v, 1);
    EXPECT_TRUE(rv_hvp(f, &x, &v, 1, &p));
    EXPECT_TRUE(rv_gradient(rv_sum(rv_multiply(g, v), RV_ALL_AXES, false), &x, 1, &gg));
    const std::pair<const char *, rv_var> both[] = {{"g", g}, {"j", j}, {"p", p}, {"gg", gg}};
    for (const auto &[name, in_c] : both) {
        const rv_var in_text = text.of(name);
        ASSERT_FALSE(rv_is_null(in_text)) << name;
        const rv_hash a = rv_tape_node(text.tape, in_text.id)->hash;
        const rv_hash b = rv_tape_node(tape, in_c.id)->hash;
        EXPECT_TRUE(a.low == b.low && a.high == b.high) << name;
    }
}

TEST(Gradients, NestToAnyOrder)
{
    const Recorded m("model m\n"
                     "  input x[1] ~ uniform(2, 2.5), v[1] ~ uniform(3, 3.5)\n"
                     "  y = sum(x^4)\n"
                     "  d1 = grad(y, x)\n"
                     "  d2 = grad(sum(d1), x)\n"
                     "  d3 = grad(sum(grad(sum(grad(y, x)), x)), x)\n"
                     "  p = hvp(y, x, v)\n"
                     "  q = jvp(grad(y, x), x, v)\n"
                     "  none = grad(sum(v), x)\n");
    const double x = m.values("x")[0], v = m.values("v")[0];
    EXPECT_NEAR(m.values("d1")[0], 4 * x * x * x, 1e-12);
    EXPECT_NEAR(m.values("d2")[0], 12 * x * x, 1e-12);
    EXPECT_NEAR(m.values("d3")[0], 24 * x, 1e-12);
    EXPECT_NEAR(m.values("p")[0], 12 * x * x * v, 1e-12);
    EXPECT_NEAR(m.values("q")[0], 12 * x * x * v, 1e-12);
    EXPECT_EQ(m.values("none")[0], 0);
}

// By values of a series and of an unroll, by parameters and by arguments of functions.
TEST(Gradients, AreByAnyNamedValue)
{
    const Recorded m("function slope(y, x) = grad(sum(y), x)\n"
                     "cell c\n  state h\n  h' = 2.h + x\n"
                     "model m(T=3)\n"
                     "  input x[1, T, 1] ~ uniform(1, 2)\n"
                     "  h = unroll c(x)\n"
                     "  a[0] = 3 . h\n"
                     "  for t from 1 to T\n"
                     "    a[t] = a[t - 1].a[t - 1]\n"
                     "  through = grad(sum(h), h[1])\n"
                     "  first = slope(a[1], a[0]) / a[0]\n"
                     "  y = sum(h @ W[1, 1])\n"
                     "  by_weight = grad(y, W) - h\n");
    EXPECT_EQ(m.values("through")[0], 4);
    EXPECT_EQ(m.values("first")[0], 2);
    EXPECT_EQ(m.values("by_weight")[0], 0);
}

// ---- derivations in the place of autodiff ----

const char *const line_by_hand = "model line(n=2)\n"
                                 "  input x[n, 3], y[n, 1]\n"
                                 "  output = x @ W[_, 1]\n"
                                 "  loss = mean((output - y)^2)\n"
                                 "derive loss \"three times\"\n"
                                 "  doutput = 3.(output - y)\n"
                                 "  dW = x' @ doutput\n"
                                 "derive loss\n"
                                 "  dW = x' @ (output - y)\n"
                                 "derive output \"of the output\"\n"
                                 "  dW = x'\n"
                                 "derive loss \"nothing\"\n"
                                 "  doutput = y\n";

TEST(Derived, TheGradientIsWhatTheLinesStateAndTheLossIsAsBefore)
{
    rv_lang *lang = read(line_by_hand);
    rv_error error = {};
    const rv_model *model = rv_lang_model(lang, "line", &error);
    for (const char *title : {"three times", "loss"}) {
        const rv_model *derived = rv_lang_derived(model, title, &error);
        ASSERT_NE(derived, nullptr) << error.text;
        EXPECT_STREQ(derived->name, "line");
        Tape tape;
        rv_net_options options = {};
        options.y = RV_SHAPE(1);
        rv_var x = tape.input("x", RV_SHAPE(4, 3)), y = tape.input("y", RV_SHAPE(4, 1));
        const rv_net plain = rv_model_record(model, &options, x, y);
        const rv_net net = rv_model_record(derived, &options, x, y);
        rv_var w, given, second;
        ASSERT_EQ(rv_parameters(net.loss, &w, 1), 1) << rv_tape_error(tape)->text;
        EXPECT_TRUE(rv_gradient(net.loss, &w, 1, &given));
        EXPECT_TRUE(rv_gradient(rv_sum(rv_square(given), RV_ALL_AXES, false), &w, 1, &second));
        rv_var off = rv_subtract(net.output, y);
        rv_var stated = rv_matmul(x, *title == 't' ? rv_scale(off, 3) : off, true, false);
        const rv_var outputs[] = {net.loss, plain.loss, given, stated, second};
        rv_program *program = rv_compile(tape, outputs, 5);
        ASSERT_NE(program, nullptr) << rv_tape_error(tape)->text;
        rv_init_fill(rv_program_input(program, "x"), rv_init_uniform(-1, 1), 1);
        rv_init_fill(rv_program_input(program, "y"), rv_init_uniform(-1, 1), 2);
        rv_run(program);
        EXPECT_EQ(rv_value(program, 0), rv_value(program, 1));
        EXPECT_EQ(values_of(*rv_program_output(program, 2)),
                  values_of(*rv_program_output(program, 3)));
        EXPECT_EQ(values_of(*rv_program_output(program, 4)), Values(3, 0.0)); // it is a constant
        rv_program_free(program);
    }
    rv_lang_free(lang);
}

TEST(Derived, MistakesAreErrors)
{
    rv_lang *lang = read(line_by_hand);
    rv_error error = {}, title = {}, loss = {}, none = {};
    const rv_model *model = rv_lang_model(lang, "line", &error);
    EXPECT_EQ(rv_lang_derived(model, "once", &title), nullptr);
    EXPECT_EQ(title.code, RV_ERROR_NAME);
    EXPECT_STREQ(title.text, "my.rv: the model \"line\" has no derivation \"once\"; it has \"three "
                             "times\", \"loss\", \"of the output\", \"nothing\"");
    EXPECT_EQ(rv_lang_derived(model, "of the output", &loss), nullptr);
    EXPECT_EQ(loss.code, RV_ERROR_ARGUMENT);
    EXPECT_EQ(rv_lang_derived(rv_model_find("gru"), "loss", &none), nullptr);
    EXPECT_STREQ(none.text, "\"gru\" is not a model of a text, so it has no derivation \"loss\"");
    Tape tape;
    rv_net_options options = {};
    options.y = RV_SHAPE(1);
    const rv_net net =
        rv_model_record(rv_lang_derived(model, "nothing", &error), &options,
                        tape.input("x", RV_SHAPE(4, 3)), tape.input("y", RV_SHAPE(4, 1)));
    EXPECT_TRUE(rv_is_null(net.loss));
    EXPECT_STREQ(
        rv_tape_error(tape)->text,
        "my.rv:12:1: the derivation has no line for 1 parameter of the loss: \"W\"; a line "
        "dW = .. states the gradient of W");
    rv_lang_free(lang);
}

class Examples : public testing::TestWithParam<std::string> {};

TEST_P(Examples, AreRightInEachGradientAndLine)
{
    const std::string path = "tools/examples/" + GetParam() + ".rv";
    rv_error error = {};
    rv_lang *lang = rv_lang_load(path.c_str(), nullptr, &error);
    rv_lang_proof_options options = {};
    options.seed = 1;
    rv_lang_verdict *verdicts = nullptr;
    int count = 0;
    EXPECT_TRUE(lang && rv_lang_prove(lang, &options, &verdicts, &count, &error)) << error.text;
    EXPECT_GT(count, 0);
    for (int i = 0; i < count; i++)
        EXPECT_EQ(verdicts[i].verdict, RV_RIGHT) << verdicts[i].name << ": " << verdicts[i].reason;
    rv_free(verdicts);
    rv_lang_free(lang);
}

INSTANTIATE_TEST_SUITE_P(All, Examples, testing::ValuesIn(stems("tools/examples", ".rv")),
                         [](const auto &info) { return info.param; });

TEST(Gradients, MistakesAreReported)
{
    const std::string m = "model m\n  input x[2, 3]\n  h = tanh(x)\n";
    expect_messages({
        {m + "  g = grad(h, x)\n",
         "my.rv:4:12: error: grad takes the derivatives of one number, but this is [2,3]; take its "
         "sum or mean, or jvp(y, x, v)\n"
         "    4 |   g = grad(h, x)\n"
         "      |            ^\n"},
        {m + "  g = hvp(h, x, x)\n",
         "my.rv:4:11: error: hvp takes the derivatives of one number, but this is [2,3]; take its "
         "sum or mean\n"
         "    4 |   g = hvp(h, x, x)\n"
         "      |           ^\n"},
        {m + "  g = grad(sum(h), 2.x)\n",
         "my.rv:4:20: error: grad differentiates by a value that has a name\n"
         "    4 |   g = grad(sum(h), 2.x)\n"
         "      |                    ^~~ name it on a line above, and use that name in what is "
         "differentiated\n"},
        {m + "  g = grad(sum(h), x[0])\n",
         "my.rv:4:20: error: grad differentiates by a value that has a name\n"
         "    4 |   g = grad(sum(h), x[0])\n"
         "      |                    ^~~~ name it on a line above, and use that name in what is "
         "differentiated\n"},
        {m + "  g = grad(sum(h))\n",
         "my.rv:4:7: error: grad takes a number and a value, as in grad(loss, h)\n"
         "    4 |   g = grad(sum(h))\n"
         "      |       ^~~~~~~~~~~~\n"},
        {m + "  g = jvp(h, x)\n", "my.rv:4:7: error: jvp takes a value, another and a direction of "
                                  "that, as in jvp(y, x, v)\n"
                                  "    4 |   g = jvp(h, x)\n"
                                  "      |       ^~~~~~~~~\n"},
        {m + "  g = jvp(h, x, sum(x))\n",
         "my.rv:4:7: error: gradient: the direction is f64 [], wrt is f64 [2,3]; give one of wrt's "
         "type\n"
         "    4 |   g = jvp(h, x, sum(x))\n"
         "      |       ^~~~~~~~~~~~~~~~~\n"},
        {"function grad(x) = x\n", "my.rv:1:1: error: \"grad\" is built in; use another name\n"
                                   "    1 | function grad(x) = x\n"
                                   "      | ^~~~~~~~~~~~~~~~~~~~\n"},
    });
}

// A gradient of a gradient records more than the first, so nested ones grow without a limit. One
// that is recorded a second time records nothing, but passes all nodes again.
TEST(Gradients, AreBounded)
{
    std::string doubles = "model m\n  input x[1]\n  a0 = sum(tanh(x))\n", nested = "sum(tanh(x))";
    for (int i = 0; i < 100; i++)
        doubles +=
            "  a" + std::to_string(i + 1) + " = sum(tanh(grad(a" + std::to_string(i) + ", x)))\n";
    for (int i = 0; i < 60; i++) nested = "sum(tanh(grad(" + nested + ", x)))";
    const std::string texts[] = {doubles, "model m\n  input x[1]\n  a = " + nested + "\n",
                                 "model m\n  input x[1]\n  h[0] = x\n"
                                 "  for t from 1 to 100000\n"
                                 "    h[t] = h[t - 1] + grad(sum(tanh(h[t - 1])), x)\n",
                                 "model m\n  input x[1]\n  h[0] = x\n"
                                 "  for t from 1 to 500\n    h[t] = tanh(h[t - 1])\n"
                                 "  for t from 1 to 900\n    g[t] = grad(sum(h[500]), x)\n"};
    for (const std::string &text : texts) {
        rv_error error = {};
        rv_lang *lang = read(text);
        rv_lang_limits limits = {};
        limits.operations = 20000;
        rv_lang_limit(lang, &limits);
        Tape tape;
        EXPECT_EQ(rv_lang_record(rv_lang_model(lang, nullptr, &error), tape, nullptr), nullptr);
        EXPECT_EQ(rv_tape_error(tape)->code, RV_ERROR_LIMIT) << rv_tape_error(tape)->text;
        EXPECT_LT(rv_tape_count(tape), 10 * limits.operations);
        rv_lang_free(lang);
    }
}

} // namespace
