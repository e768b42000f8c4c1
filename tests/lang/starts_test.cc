// Initial values in texts: those that the library's functions give, and what is reported of others.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "recurve.h"
#include "tests/lang/messages.h"
#include "tests/tapes.h"

namespace {

enum { SEED = 3 };

// The stored tensors of a model that is recorded on a store of its own.
class Stored {
  public:
    explicit Stored(const std::string &text) : tape_(RV_F64, SEED)
    {
        rv_error error = {};
        lang_ = rv_lang_read(text.data(), text.size(), "text.rv", nullptr, &error);
        rv_lang_recording *r =
            rv_lang_record(rv_lang_model(lang_, nullptr, &error), tape_, nullptr);
        EXPECT_NE(r, nullptr) << error.text << tape_.error() << text;
        rv_lang_recording_free(r);
    }
    Stored(const Stored &) = delete;
    Stored &operator=(const Stored &) = delete;
    ~Stored() { rv_lang_free(lang_); }
    Values of(const std::string &name) const
    {
        const rv_entry *entry = rv_store_find(tape_.store(), name.c_str());
        EXPECT_NE(entry, nullptr) << name;
        return entry ? values_of(entry->tensor) : Values{};
    }
    rv_role role_of(const char *name) const { return rv_store_find(tape_.store(), name)->role; }

  private:
    Tape tape_;
    rv_lang *lang_ = nullptr;
};

Values filled(const std::string &stream, rv_shape shape, rv_init init)
{
    rv_tensor tensor;
    EXPECT_TRUE(rv_tensor_new(&tensor, RV_F64, shape, nullptr));
    EXPECT_TRUE(rv_init_fill(&tensor, init, rv_seed(SEED, stream.c_str())));
    const Values all = values_of(tensor);
    rv_tensor_free(&tensor);
    return all;
}

TEST(Starts, AreThoseOfTheLibrary)
{
    const rv_init gates[] = {rv_init_identity(), rv_init_orthogonal(0.5), rv_init_constant(1)};
    const struct {
        const char *text;
        rv_init init;
    } rows[] = {
        {"= 2", rv_init_constant(2)},
        {"= -1 / 4", rv_init_constant(-0.25)},
        {"~ uniform(-1, 2)", rv_init_uniform(-1, 2)},
        {"~ uniform(0.25)", rv_init_uniform(-0.25, 0.25)},
        {"~ uniform(1 / sqrt(k))", rv_init_uniform(-0.5, 0.5)},
        {"~ normal(0, sqrt(2 / (k + 3.k)))", rv_init_normal(0, std::sqrt(2.0 / 16))},
        {"~ normal(maximum(1, k), exp(0))", rv_init_normal(4, 1)},
        {"~ truncated_normal(1, 0.02)", rv_init_truncated_normal(1, 0.02)},
        {"~ xavier_uniform", rv_init_xavier_uniform(1)},
        {"~ xavier_uniform(5/3)", rv_init_xavier_uniform(5.0 / 3)},
        {"~ xavier_normal", rv_init_xavier_normal(1)},
        {"~ xavier_normal(2)", rv_init_xavier_normal(2)},
        {"~ kaiming_uniform", rv_init_kaiming_uniform(std::sqrt(2))},
        {"~ kaiming_uniform(1)", rv_init_kaiming_uniform(1)},
        {"~ kaiming_normal", rv_init_kaiming_normal(std::sqrt(2))},
        {"~ kaiming_normal(1)", rv_init_kaiming_normal(1)},
        {"~ orthogonal", rv_init_orthogonal(1)},
        {"~ orthogonal(0.1)", rv_init_orthogonal(0.1)},
        {"= identity", rv_init_identity()},
        {"= identity(0.01)", rv_init_scaled(rv_init_identity(), 0.01)},
        {"~ chrono(100)", rv_init_chrono(100)},
        {"= [identity, orthogonal(0.5), 1]", rv_init_blocks(gates, 3)},
    };
    for (const auto &row : rows) {
        SCOPED_TRACE(row.text);
        const Values expected = filled("W", RV_SHAPE(4, 12), row.init);
        EXPECT_EQ(Stored("model m(n=2, k=4)\n  input x[n, k]\n  parameter W[k, 3.k] " +
                         std::string(row.text) + "\n  y = x @ W\n")
                      .of("W"),
                  expected);
        EXPECT_EQ(Stored("model m(n=2, k=4)\n  input x[n, k]\n  constant W[k, 3.k] " +
                         std::string(row.text) + "\n  y = x @ W\n")
                      .of("W"),
                  expected);
    }
}

// Of an unrolled cell with 4 units: maps, biases and gains.
std::string unrolled(const std::string &lines, const char *options = "")
{
    return "cell c\n  state h\n" + lines + "model m(n=2)\n  input x[n, 3, 5]\n" +
           "  h = unroll c(x, units=4" + options + ")\n  loss = sum(h)\n";
}

TEST(Starts, OfMapsBiasesAndGains)
{
    const Stored s(unrolled("  map W ~ orthogonal, U ~ uniform(1 / sqrt(units))\n"
                            "  bias b ~ normal(0, 1)\n  gain g ~ uniform(0, 1)\n"
                            "  h' = tanh(W h + U x + g.h + b)\n"));
    EXPECT_EQ(s.of("W"), filled("W", RV_SHAPE(4, 4), rv_init_orthogonal(1)));
    EXPECT_EQ(s.of("U"), filled("U", RV_SHAPE(5, 4), rv_init_uniform(-0.5, 0.5)));
    EXPECT_EQ(s.of("b"), filled("b", RV_SHAPE(4), rv_init_normal(0, 1)));
    EXPECT_EQ(s.of("g"), filled("g", RV_SHAPE(4), rv_init_uniform(0, 1)));
}

// The weights of all gates in one matrix, as in PyTorch: an orthogonal block for each, and 1 for
// the forget gate's bias.
TEST(Starts, OfFusedGates)
{
    const Stored s(unrolled(
        "  state c\n"
        "  parameter W[units, 4.units] ~ [orthogonal, orthogonal, orthogonal, orthogonal]\n"
        "  parameter U[5, 4.units] ~ xavier_uniform\n"
        "  parameter b[4.units] = [0, forget, 0, 0]\n"
        "  G = h @ W + x @ U + b\n"
        "  c' = sigmoid(G[:, 4:8]).c + sigmoid(G[:, 0:4]).tanh(G[:, 8:12])\n"
        "  h' = sigmoid(G[:, 12:16]).tanh(c')\n"));
    rv_init each[] = {rv_init_orthogonal(1), rv_init_orthogonal(1), rv_init_orthogonal(1),
                      rv_init_orthogonal(1)};
    EXPECT_EQ(s.of("W"), filled("W", RV_SHAPE(4, 16), rv_init_blocks(each, 4)));
    EXPECT_EQ(s.of("b"), (Values{0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}));
}

// Tallec and Ollivier 2018: the input gate is open where the forget gate is closed.
TEST(Starts, ChronoBiasesShareTheirDraw)
{
    const std::string lines = "  map W, U, V\n  bias bf ~ chrono(50), bi = -bf, again = bf\n"
                              "  f = sigmoid(W h + bf)\n  i = sigmoid(U x + bi)\n"
                              "  h' = f.h + i.tanh(V x + again)\n";
    const auto expect_opposite = [](const Stored &s, const std::string &prefix) {
        const Values f = s.of(prefix + "bf"), i = s.of(prefix + "bi");
        EXPECT_EQ(f, filled(prefix + "bf", RV_SHAPE(4), rv_init_chrono(50)));
        EXPECT_EQ(s.of(prefix + "again"), f);
        for (size_t k = 0; k < 4; k++) EXPECT_EQ(i[k], -f[k]);
    };
    expect_opposite(Stored(unrolled(lines)), "");
    const Stored deep(unrolled(lines, ", layers=2, name=\"deep\""));
    expect_opposite(deep, "deep/layer0/");
    expect_opposite(deep, "deep/layer1/");
    EXPECT_NE(deep.of("deep/layer0/bf"), deep.of("deep/layer1/bf"));
    const Stored fixed(unrolled(lines, ", bias=false")); /* they stay, but are not learned */
    expect_opposite(fixed, "");
    EXPECT_EQ(fixed.role_of("bf"), RV_STATE);
}

TEST(Starts, DoNotDependOnTheOrderOfUse)
{
    const std::string lines = "  map V\n  bias bf ~ chrono(50), bi = -bf\n";
    const Stored one(unrolled(lines + "  a = V x + bf\n  h' = a + bi\n")),
        other(unrolled(lines + "  a = V x + bi\n  h' = a + bf\n"));
    EXPECT_EQ(one.of("bf"), other.of("bf"));
    EXPECT_EQ(one.of("bi"), other.of("bi"));
}

// A model with the declarations on its third line, and the message about them.
Mistake mistake(const std::string &declaration, int column, const std::string &message,
                const std::string &marks, int line = 3)
{
    const std::string at = std::to_string(line);
    return {"model m(n=2)\n  input x[n, 3]\n  " + declaration + "\n  y = x @ W\n",
            "my.rv:3:" + std::to_string(column) + ": error: " + message + "\n    3 |   " +
                declaration + "\n      | " + std::string(static_cast<size_t>(column - 1), ' ') +
                marks + "\n"};
}

TEST(Starts, MistakesAreReported)
{
    expect_messages({
        mistake("parameter W[3, 4] ~ orthogonal(1, 2)", 23, "orthogonal takes at most one number",
                "^~~~~~~~~~~~~~~~ write orthogonal(gain)"),
        mistake("parameter W[3, 4] ~ uniform", 23, "uniform takes at most two numbers",
                "^~~~~~~ write uniform(low, high)"),
        mistake("parameter W[3, 4] ~ chrono", 23, "chrono takes one number",
                "^~~~~~ write chrono(longest)"),
        mistake("parameter W[3, 4] ~ chrono(1)", 23,
                "chrono(1), expected a number of time steps, at least 2", "^~~~~~~~~"),
        mistake("parameter W[3, 4] = orthogonal", 23, "values that are drawn follow ~",
                "^~~~~~~~~~ write ~ orthogonal(gain)"),
        mistake("parameter W[3, 4] ~ ortogonal", 23,
                "expected a distribution after ~, as in: W ~ normal(0, 0.1)",
                "^~~~~~~~~ did you mean \"orthogonal\"?"),
        mistake("parameter W[3, 4] ~ normal(x, 1)", 30, "a tensor, expected a number", "^"),
        mistake("parameter W[3, 4] ~ [normal(0, 1), integer(0, 1)]", 38, "integer is for inputs",
                "^~~~~~~~~~~~~"),
        mistake("parameter W[3, 4] = [1, [2, 3]]", 27,
                "expected a number or a distribution for each of at most 16 equal blocks",
                "^~~~~~"),
        mistake(
            "parameter W[3, 4] = [1, 2, 3]", 23,
            "3 initial values are for as many equal blocks, but the shape is [3,4], with 4 along "
            "axis 1",
            "^~~~~~~~~"),
        mistake(
            "parameter b[4] ~ orthogonal, W[3, 4]", 20,
            "orthogonal: the shape is [4], expected a matrix or a kernel; use uniform or normal",
            "^~~~~~~~~~"),
        mistake("parameter z = 1, W[3, 4] = z", 30,
                "\"z\" has no drawn values to share; declare it as in: z ~ chrono(100)", "^"),
        mistake("parameter z[4] ~ normal(0, 1), W[3, 4] = [z, 0]", 45,
                "only a whole parameter shares the draw of another, as in: bias bi = -bf", "^"),
    });
}

// Orthogonal values cost the cube of their size.
TEST(Starts, OrthogonalValuesAreCharged)
{
    const std::string text = "model m\n  input x[1, 16000]\n"
                             "  parameter W[16000, 16000] ~ orthogonal\n  y = x @ W\n";
    rv_error error = {};
    rv_lang *lang = rv_lang_read(text.data(), text.size(), "text.rv", nullptr, &error);
    EXPECT_FALSE(rv_lang_check(lang));
    rv_lang_free(lang);
}

} // namespace
