// What people write out of habit, from Python, NumPy, PyTorch or LaTeX: the message says what it is
// called here, and what it says is right.
#include "lang/syntax/habits.h"

#include <set>

#include "tests/lang/messages.h"

namespace {

// A line, and where it is written: in a cell, in a model, or in a file.
struct Line {
    char where;
    std::string text;
};

std::string around(const Line &line)
{
    const bool next = line.text.compare(0, 4, "h' =") == 0;
    if (line.where == 'f') return line.text + "\n";
    if (line.where == 'm')
        return "model m(n=2, T=3)\n  input x[n, T, 4], i[n, 2, 9, 9]\n  " + line.text + "\n";
    return "cell c\n  state h\n  map W, U\n  bias b\n  g = sigmoid(W h + U x + b)\n  y = tanh(U "
           "x)\n  " +
           line.text + "\n" + (next ? "" : "  h' = g.h + y\n");
}

struct Habit {
    Line line;
    std::string message, hint;
};

const Habit habits[] = {
    {{'c', "a = g ** 2"}, "\"*\", expected a value", "a power is written with ^: a = x^2"},
    {{'c', "a = x²"}, "\"x²\" is not defined above", "a power is written with ^: a = x^2"},
    {{'c', "a = g ⊙ h"},
     "\"g\" is not a map",
     "the elementwise product is written with a point: a = g.h"},
    {{'c', "a = g⊙h"},
     "\"g⊙h\" is not defined above",
     "the elementwise product is written with a point: a = g.h"},
    {{'c', "a = (1 - g) ⊙ h"},
     "\"⊙\", expected the end of the line or an operator",
     "the elementwise product is written with a point: a = g.h"},
    {{'c', "a = g × h"},
     "\"g\" is not a map",
     "the elementwise product is written with a point: a = g.h"},
    {{'c', "a = g · h"},
     "\"g\" is not a map",
     "the elementwise product is written with a point: a = g.h"},
    {{'c', "a = ∂g"},
     "\"∂g\" is not defined above",
     "a gradient is written with grad: a = grad(sum(g^2), h)"},
    {{'c', "a = ∇(g)"},
     "there is no op or function \"∇\"",
     "a gradient is written with grad: a = grad(sum(g^2), h)"},
    {{'c', "a = \\partial g"},
     "this character means nothing here",
     "a gradient is written with grad: a = grad(sum(g^2), h)"},
    {{'c', "a = \\nabla g"},
     "this character means nothing here",
     "a gradient is written with grad: a = grad(sum(g^2), h)"},
    {{'c', "a = gradient(g, h)"},
     "there is no op or function \"gradient\"",
     "a gradient is written with grad: a = grad(sum(g^2), h)"},
    {{'c', "a = gradients(g, h)"},
     "there is no op or function \"gradients\"",
     "a gradient is written with grad: a = grad(sum(g^2), h)"},
    {{'c', "a = g \\odot h"},
     "this character means nothing here",
     "the elementwise product is written with a point: a = g.h"},
    {{'c', "a = g − h"}, "\"g\" is not a map", "use the ASCII minus: a = g - h"},
    {{'c', "a = g == h"},
     "\"=\", expected the end of the line or an operator",
     "equal compares values: a = equal(g, h)"},
    {{'c', "a = g != h"},
     "this character means nothing here",
     "equal compares values: a = 1 - equal(g, h)"},
    {{'c', "a = g ≤ h"}, "\"g\" is not a map", "use ASCII signs: a = g <= h"},
    {{'c', "a = g ≥ 0"},
     "\"0\", expected the end of the line or an operator",
     "use ASCII signs: a = g >= h"},
    {{'c', "a = (g > 0) && (h > 0)"},
     "this character means nothing here",
     "for \"and\", multiply the conditions: a = (g > 0).(h > 0)"},
    {{'c', "a = g > 0 and h > 0"},
     "\"and\", expected an operator: a product is written 2.x",
     "for \"and\", multiply the conditions: a = (g > 0).(h > 0)"},
    {{'c', "a = g and h"},
     "\"g\" is not a map",
     "for \"and\", multiply the conditions: a = (g > 0).(h > 0)"},
    {{'c', "a = (g > 0) || (h > 0)"},
     "this character means nothing here",
     "for \"or\", take the maximum: a = maximum(g > 0, h > 0)"},
    {{'c', "a = g or h"},
     "\"g\" is not a map",
     "for \"or\", take the maximum: a = maximum(g > 0, h > 0)"},
    {{'c', "a = g if g > 0 else h"},
     "\"else\", expected an operator: a product is written 2.x",
     "a choice is written with select: a = select(g > 0, g, h)"},
    {{'c', "if g > 0: a = g"},
     "\">\", expected \"=\" and a value; declarations start with state, map, bias, parameter, "
     "input, ..",
     "a choice is written with select: a = select(g > 0, g, h)"},
    {{'c', "a = g > 0 ? g : h"},
     "this character means nothing here",
     "a choice is written with select: a = select(g > 0, g, h)"},
    {{'c', "a = where(g > 0, g, h)"},
     "there is no op or function \"where\"",
     "a choice is written with select: a = select(g > 0, g, h)"},
    {{'c', "a = !g"},
     "this character means nothing here",
     "for \"not\", subtract from 1: a = 1 - (g > 0)"},
    {{'c', "a = not g"},
     "\"not\" is not defined above",
     "for \"not\", subtract from 1: a = 1 - (g > 0)"},
    {{'c', "y += g"},
     "\"+\", expected \"=\" and a value; declarations start with state, map, bias, parameter, "
     "input, ..",
     "a name is defined once; a state has a next value: h' = h + g"},
    {{'c', "a := g"},
     "\":\", expected \"=\" and a value; declarations start with state, map, bias, parameter, "
     "input, ..",
     "a definition is written with =: a = g"},
    {{'c', "a <- g"},
     "\"<\", expected \"=\" and a value; declarations start with state, map, bias, parameter, "
     "input, ..",
     "a definition is written with =: a = g"},
    {{'c', "// the gate"}, "\"/\", expected a value", "a comment starts with #: a = g  # the gate"},
    {{'c', "a = g // the gate"},
     "\"/\", expected a value",
     "a comment starts with #: a = g  # the gate"},
    {{'c', "a = g % 2"},
     "this character means nothing here",
     "for a remainder, subtract: a = x - 2.floor(x / 2)"},
    {{'c', "a = g;"}, "this character means nothing here", "a statement ends with its line: a = g"},
    {{'c', "a = |g|"},
     "this character means nothing here",
     "a magnitude is written with abs: a = abs(g)"},
    {{'c', "a = √g"}, "\"√g\" is not defined above", "a root is written with sqrt: a = sqrt(g)"},
    {{'c', "a = ∑(g)"},
     "there is no op or function \"∑\"",
     "a sum is written with sum: a = sum(g, axes=[1])"},
    {{'c', "a = x @ x^T"},
     "\"T\" is not defined above",
     "a transpose is written with a prime: a = x @ x'"},
    {{'c', "a = x @ x.T"},
     "\"T\" is not defined above",
     "a transpose is written with a prime: a = x @ x'"},
    {{'c', "a = x @ xᵀ"},
     "\"xᵀ\" is not defined above",
     "a transpose is written with a prime: a = x @ x'"},
    {{'c', "a = 0,5.g"},
     "\",\", expected the end of the line or an operator",
     "write a decimal point: a = 0.5 . g"},
    {{'c', "a = (1 - g) h"},
     "\"h\", expected the end of the line or an operator",
     "a product needs a sign: a = (1 - g).h"},
    {{'c', "a = (1 - g)(1 - h)"},
     "\"(\", expected the end of the line or an operator",
     "a product needs a sign: a = (1 - g).h"},
    {{'f', "cell c:"},
     "\":\", expected the end of the line or an operator",
     "leave out the colon; the body follows on indented lines"},
    {{'c', "a = h_{t-1}"},
     "this character means nothing here",
     "h is the state before the step, and h' the one after: h' = g.h"},
    {{'c', "a = h_t"},
     "\"h_t\" is not defined above",
     "h is the state before the step, and h' the one after: h' = g.h"},
    {{'c', "a = \\sigma(g)"},
     "this character means nothing here",
     "the logistic function is sigmoid: a = sigmoid(g)"},
    {{'c', "a = σ(g)"},
     "there is no op or function \"σ\"",
     "the logistic function is sigmoid: a = sigmoid(g)"},
    {{'c', "a = \\tanh(g)"},
     "this character means nothing here",
     "write names in plain letters, not in LaTeX: a = tanh(g) / 2"},
    {{'c', "a = {g}"},
     "this character means nothing here",
     "use ( ) around values and [ ] around sizes: a = (1 - g).h"},
    {{'c', "a = np.dot(g, h)"},
     "\"np\" is not defined above",
     "a matrix product is written with @: a = x @ K[_, units]"},
    {{'c', "a = torch.matmul(g, h)"},
     "\"torch\" is not defined above",
     "a matrix product is written with @: a = x @ K[_, units]"},
    {{'c', "a = torch.sigmoid(g)"},
     "\"torch\" is not defined above",
     "functions have no prefix: a = sigmoid(g)"},
    {{'c', "a = tf.nn.relu(g)"},
     "\"tf\" is not defined above",
     "functions have no prefix: a = sigmoid(g)"},
    {{'c', "a = g.shape"},
     "\"shape\" is not defined above",
     "the size of an axis is written with size: a = g / size(x, 1)"},
    {{'c', "a = g.shape[0]"},
     "0, expected a whole number from 1 to 2147483647",
     "the size of an axis is written with size: a = g / size(x, 1)"},
    {{'c', "a = len(g)"},
     "there is no op or function \"len\"",
     "the size of an axis is written with size: a = g / size(x, 1)"},
    {{'c', "a = g.detach()"},
     "there is no op or function \"detach\"",
     "use stop_gradient: a = stop_gradient(g)"},
    {{'c', "a = g.sum()"},
     "sum takes x: y = sum of x over the axes",
     "write the function before its argument: a = sum(g, axes=[1])"},
    {{'c', "a = g.tanh()"},
     "tanh takes x: y = (e^x - e^-x) / (e^x + e^-x)",
     "write the function before its argument: a = sum(g, axes=[1])"},
    {{'c', "a = concat([h, x], axis=1)"},
     "a tensor in a list of numbers; stack(a, b) joins tensors",
     "concat joins values: a = concat(h, x, axis=1)"},
    {{'c', "a = cat(h, x)"},
     "there is no op or function \"cat\"",
     "concat joins values: a = concat(h, x, axis=1)"},
    {{'c', "a = expit(g)"},
     "there is no op or function \"expit\"",
     "the logistic function is sigmoid: a = sigmoid(g)"},
    {{'c', "a = split(g, 2)"},
     "there is no op or function \"split\"",
     "a part is a slice: a = g[:, 0:2]"},
    {{'c', "a = unsqueeze(g, 1)"},
     "there is no op or function \"unsqueeze\"",
     "use reshape: a = reshape(g, shape=[-1, 1])"},
    {{'c', "a = clip(g, -1, 1)"},
     "there is no op or function \"clip\"",
     "use clamp: a = clamp(g, -1, 1)"},
    {{'c', "a = swish(g)"},
     "there is no op or function \"swish\"",
     "swish is called silu: a = silu(g)"},
    {{'c', "a = rsqrt(g)"},
     "there is no op or function \"rsqrt\"",
     "write its formula, as for log_sigmoid: a = -softplus(-g)"},
    {{'c', "a = sum(g, dim=1)"},
     "sum has no option \"dim\"",
     "axes are given as axes=[..]: a = sum(g, axes=[1])"},
    {{'c', "a = sum(g, axes=[1], keepdim=true)"},
     "sum has no option \"keepdim\"",
     "use keep=true: a = sum(g, axes=[1], keep=true)"},
    {{'c', "return g"},
     "return is only allowed in a function",
     "the result of a cell is its first state: h' = .."},
    {{'c', "a = lambda z: z^2"},
     "\":\", expected the end of the line or an operator",
     "a function is defined outside of cells: function f(x) = x^2"},
    {{'f', "def f(x):"},
     "\"def\", expected cell, model, function, derive or include",
     "a function is defined outside of cells: function f(x) = x^2"},
    {{'c', "map V ~ glorot_uniform"},
     "expected a distribution after ~, as in: W ~ normal(0, 0.1)",
     "glorot is called xavier: map V ~ xavier_uniform"},
    {{'c', "map V ~ he_normal"},
     "expected a distribution after ~, as in: W ~ normal(0, 0.1)",
     "he is called kaiming: map V ~ kaiming_normal"},
    {{'c', "map V ~ lecun_normal"},
     "expected a distribution after ~, as in: W ~ normal(0, 0.1)",
     "lecun is kaiming with gain 1: map V ~ kaiming_normal(1)"},
    {{'c', "map V ~ trunc_normal(0, 1)"},
     "expected a distribution after ~, as in: W ~ normal(0, 0.1)",
     "write the full name: map V ~ truncated_normal(0, 0.02)"},
    {{'c', "map V ~ N(0, 1)"},
     "expected a distribution after ~, as in: W ~ normal(0, 0.1)",
     "normal takes a mean and a deviation: map V ~ normal(0, 0.1)"},
    {{'c', "parameter k[units] = zeros"},
     "\"zeros\" is not defined above",
     "a number fills the whole parameter: parameter k[units] = 1"},
    {{'c', "map V = eye"}, "\"eye\" is not defined above", "use identity: map V = identity"},
    {{'c', "a = W [h, x]"},
     "the map \"W\" needs an argument behind it, as in: W h",
     "join the values: W concat(h, x, axis=1)"},
    {{'c', "a = W[h, x]"},
     "the map \"W\" needs an argument behind it, as in: W h",
     "join the values: W concat(h, x, axis=1)"},
    {{'c', "a = x @ K[3, 3, 1, 1]"},
     "matmul: inner sizes 4 and 1 differ (a broadcast#28 [3,3,2,4], b \"K\" [3,3,1,1]); transpose "
     "or reshape one of them",
     "a convolution is conv(x, W[3, 3])"},
    {{'m', "h = unroll gru(x, bidirectional)"},
     "\"bidirectional\" is not defined above",
     "set the flag to true: h = unroll gru(x, bidirectional=true)"},
    {{'m', "h = unroll gru(x) for T steps"},
     "unroll: the shape of the state could not be worked out: gru:7:15: cell: \"Wr\" maps rows "
     "[n,inputs], but its argument is [2,1,1]; reshape it; fix the cell",
     "a sequence has time steps of its own: leave out \"for .. steps\""},
    {{'m', "h = gru(x)"},
     "there is no op or function \"gru\"",
     "a cell is applied at each step: unroll gru(x)"},
    {{'m', "h = unroll gru(x, hidden_size=4)"},
     "gru has no option \"hidden_size\"",
     "use units=: h = unroll gru(x, units=4)"},
    {{'m', "h = unroll gru(x, num_layers=2)"},
     "gru has no option \"num_layers\"",
     "use layers=: h = unroll gru(x, layers=2)"},
    {{'m', "h = unroll gru(x, steps=3)"},
     "gru has no option \"steps\"",
     "the number of steps follows the call: h = unroll gru(x[:, 0]) for 3 steps"},
    {{'m', "h = unroll gru(x, go_backwards=true)"},
     "gru has no option \"go_backwards\"",
     "use reverse=true: h = unroll gru(x, reverse=true)"},
    {{'m', "h = unroll gru(x, return_sequences=true)"},
     "gru has no option \"return_sequences\"",
     "all steps follow the call: a = unroll gru(x) all steps"},
    {{'m', "a = unroll gru(x[:, 0]) for all 5 steps"},
     "\"5\", expected \"steps\"",
     "leave out \"for\": a = unroll gru(x[:, 0]) all 3 steps"},
    {{'m', "a = unroll gru(x) for all steps"},
     "\"all\" is not defined above",
     "leave out \"for\": a = unroll gru(x[:, 0]) all 3 steps"},
    {{'m', "a = x.append(x)"},
     "there is no op or function \"append\"",
     "values of a loop are joined by stack: a = stack(t from 0 to 2: x[:, t])"},
    {{'m', "a = i @ K[8, 2, 3, 3]"},
     "matmul: leading axes do not broadcast (a \"i\" [2,2,9,9], b \"K\" [8,2,3,3]); reshape one of "
     "them",
     "a convolution is conv(x, W[8, _, 3, 3])"},
    {{'c', "map V ~ he_normal()"},
     "expected a distribution after ~, as in: W ~ normal(0, 0.1)",
     "he is called kaiming: map V ~ kaiming_normal"},
};

TEST(Habits, AreRecognized)
{
    for (const Habit &habit : habits) {
        const std::string text = around(habit.line);
        rv_error error = {};
        rv_lang *lang = rv_lang_read(text.data(), text.size(), "my.rv", nullptr, &error);
        ASSERT_NE(lang, nullptr) << error.text;
        EXPECT_FALSE(rv_lang_check(lang));
        char *problems = rv_lang_problem_text(lang);
        const std::string all = problems;
        EXPECT_NE(all.find("error: " + habit.message + "\n"), std::string::npos) << all;
        EXPECT_NE(all.find(" " + habit.hint + "\n"), std::string::npos) << all;
        expect_fixes(text, lang);
        rv_free(problems);
        rv_lang_free(lang);
    }
}

std::string hint_of(const lang_habit &habit)
{
    return habit.hint + (habit.instead ? ": " + std::string(habit.instead) : "");
}

TEST(Habits, AreRepaired)
{
    const std::pair<Line, const char *> rows[] = {
        {{'c', "a = g ** 2"}, "a = g ^ 2"},
        {{'c', "a = g ⊙ h"}, "a = g . h"},
        {{'c', "a = x² + 1"}, "a = x^2 + 1"},
        {{'c', "a = x @ x.T"}, "a = x @ x'"},
        {{'c', "a = torch.tanh(g)"}, "a = tanh(g)"},
        {{'c', "a = σ(g)"}, "a = sigmoid(g)"},
        {{'c', "a = expit(g)"}, "a = sigmoid(g)"},
        {{'c', "a = swish(g)"}, "a = silu(g)"},
        {{'c', "a := g"}, "a = g"},
        {{'m', "h = unroll gru(x, hidden_size=4)"}, "h = unroll gru(x, units=4)"},
    };
    for (const auto &[line, expected] : rows) {
        const std::string text = around(line);
        rv_lang *lang = rv_lang_read(text.data(), text.size(), "my.rv", nullptr, nullptr);
        EXPECT_FALSE(rv_lang_check(lang));
        EXPECT_EQ(repaired(text, rv_lang_problem_at(lang, 0)), around({line.where, expected}));
        rv_lang_free(lang);
    }
}

TEST(Habits, AreAllTested)
{
    std::set<std::string> hints;
    for (const Habit &habit : habits) hints.insert(habit.hint);
    for (int i = 0; i < rv_lang_habit_count; i++)
        EXPECT_EQ(hints.count(hint_of(rv_lang_habits[i])), 1u) << rv_lang_habits[i].pattern[0];
}

// What a message says to write is a right text.
TEST(Habits, HaveARightReplacement)
{
    std::vector<Line> lines = {{'c', "map V\n  a = V concat(h, x, axis=1)"},
                               {'m', "a = conv(i, W[8, _, 3, 3])"},
                               {'m', "h = unroll gru(x)"}};
    for (int i = 0; i < rv_lang_habit_count; i++) {
        const char *instead = rv_lang_habits[i].instead;
        if (!instead) continue;
        const bool unrolls = std::string(instead).find("unroll") != std::string::npos,
                   defines = std::string(instead).compare(0, 9, "function ") == 0;
        lines.push_back({defines ? 'f' : unrolls ? 'm' : 'c', instead});
    }
    for (const Line &line : lines) {
        const std::string text = around(line);
        rv_error error = {};
        rv_lang *lang = rv_lang_read(text.data(), text.size(), "my.rv", nullptr, &error);
        ASSERT_NE(lang, nullptr) << error.text;
        EXPECT_TRUE(rv_lang_check(lang)) << text;
        char *problems = rv_lang_problem_text(lang);
        EXPECT_STREQ(problems, "") << text;
        rv_free(problems);
        rv_lang_free(lang);
    }
}

// Words that only look like habits, and right texts, have no hint of one.
TEST(Habits, AreNotSeenElsewhere)
{
    const std::pair<Line, const char *> rows[] = {
        {{'c', "a = handy"}, "declare a weight"},
        {{'c', "a = torch_size"}, "declare a weight"},
        {{'c', "a = sigmod(g)  # a ** b"}, "did you mean \"sigmoid\"?"},
        {{'c', "a = (x > 0).notes"}, "declare a weight"},
    };
    for (const auto &[line, hint] : rows) {
        const std::string text = around(line);
        rv_error error = {};
        rv_lang *lang = rv_lang_read(text.data(), text.size(), "my.rv", nullptr, &error);
        char *problems = rv_lang_problem_text(lang);
        EXPECT_NE(std::string(problems).find(hint), std::string::npos) << problems;
        rv_free(problems);
        rv_lang_free(lang);
    }
}

} // namespace
