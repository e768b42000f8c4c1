// Hand derivations: right ones pass, and of wrong ones exactly the wrong lines are reported.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "recurve.h"
#include "tests/tapes.h"

namespace {

using Names = std::set<std::string>;

// What rv_lang_prove says of a text.
class Proof {
  public:
    explicit Proof(rv_lang *lang, rv_lang_proof_options options = {}) : lang_(lang)
    {
        rv_error error = {};
        if (!options.seed) options.seed = 1;
        const bool ok = lang && rv_lang_prove(lang, &options, &verdicts_, &count_, &error);
        EXPECT_TRUE(ok) << error.text;
    }
    Proof(const Proof &) = delete;
    Proof &operator=(const Proof &) = delete;
    ~Proof()
    {
        rv_free(verdicts_);
        rv_lang_free(lang_);
    }
    static rv_lang *read(const std::string &text)
    {
        rv_error error = {};
        rv_lang *lang = rv_lang_read(text.data(), text.size(), "text", &error);
        EXPECT_NE(lang, nullptr) << error.text;
        return lang;
    }
    static rv_lang *load(const char *path)
    {
        rv_error error = {};
        rv_lang *lang = rv_lang_load(path, &error);
        EXPECT_NE(lang, nullptr) << error.text;
        return lang;
    }

    std::vector<rv_lang_verdict> of(const std::string &derivation) const
    {
        std::vector<rv_lang_verdict> found;
        for (int i = 0; i < count_; i++)
            if (derivation == verdicts_[i].derivation) found.push_back(verdicts_[i]);
        return found;
    }
    // The lines that are wrong.
    Names wrong(const std::string &derivation) const
    {
        Names names;
        for (const rv_lang_verdict &v : of(derivation))
            if (!v.ok) names.insert(v.name);
        return names;
    }

  private:
    rv_lang *lang_;
    rv_lang_verdict *verdicts_ = nullptr;
    int count_ = 0;
};

class Random {
  public:
    explicit Random(unsigned seed) : engine_(seed) {}
    int from(int low, int high)
    {
        return low + static_cast<int>(engine_() % static_cast<unsigned>(high - low + 1));
    }

  private:
    std::mt19937 engine_;
};

// A line of a derivation, and ways to get it wrong.
struct Line {
    std::string name, right;
    std::vector<std::string> wrong;
};

struct Chain {
    std::string model;
    std::vector<Line> lines;
};

struct Gate {
    const char *name, *slope; // "@" is its output
};
const Gate gates[] = {
    {"tanh", "(1 - @^2)"}, {"sigmoid", "@.(1 - @)"}, {"exp", "@"}, {"softplus", "(1 - exp(-@))"}};

std::string with(std::string text, const std::string &name)
{
    for (size_t at; (at = text.find('@')) != std::string::npos;) text.replace(at, 1, name);
    return text;
}

std::string indexed(const char *name, int t)
{
    return std::string(name) + "[" + std::to_string(t) + "]";
}

// Layers of 3 on 3 samples, so that transposed factors have the right shape, each with itself added.
Chain layers(Random &random)
{
    const int count = random.from(1, 3);
    Chain c;
    c.model = "model chain(n=3)\n  input x[n, 3], y[n, 3]\n  a0 = 1 . x\n";
    std::string below = "a0";
    std::vector<Gate> used;
    for (int k = 1; k <= count; k++) {
        const std::string i = std::to_string(k);
        used.push_back(gates[random.from(0, 3)]);
        c.model +=
            "  parameter W" + i + "[3, 3] ~ uniform(-1, 1), b" + i + "[3] ~ uniform(-1, 1)\n";
        c.model += "  f" + i + " = " + below + " @ W" + i + " + b" + i + "\n";
        c.model += "  g" + i + " = " + used.back().name + "(f" + i + ")\n";
        c.model += "  a" + i + " = g" + i + " + 0.5." + below + "\n";
        below = "a" + i;
    }
    c.model += "  loss = sum((" + below + " - y)^2)/2\n";
    for (int k = count; k >= 1; k--) {
        const std::string i = std::to_string(k), above = std::to_string(k + 1),
                          under = "a" + std::to_string(k - 1), a = "a" + i;
        if (k == count)
            c.lines.push_back(
                {"d" + a, a + " - y", {"y - " + a, a + " + y", a, "2.(" + a + " - y)"}});
        else
            c.lines.push_back({"d" + a,
                               "df" + above + " @ W" + above + "' + 0.5.da" + above,
                               {"df" + above + " @ W" + above + "'", "0.5.da" + above,
                                "df" + above + " @ W" + above + " + 0.5.da" + above,
                                "df" + above + " @ W" + above + "' + da" + above,
                                "df" + above + " @ W" + above + "' - 0.5.da" + above}});
        c.lines.push_back({"dg" + i, "da" + i, {"-da" + i, "0.5.da" + i, "da" + i + "'"}});
        const std::string slope = with(gates[0].slope, "g" + i);
        const std::string right = with(used[static_cast<size_t>(k - 1)].slope, "g" + i);
        std::vector<std::string> wrong = {"dg" + i, right, "-dg" + i + "." + right,
                                          "dg" + i + "'." + right};
        if (slope != right) wrong.push_back("dg" + i + "." + slope);
        c.lines.push_back({"df" + i, right + ".dg" + i, wrong});
        c.lines.push_back(
            {"dW" + i,
             under + "' @ df" + i,
             {under + " @ df" + i, under + "' @ df" + i + "'", "df" + i + "' @ " + under,
              under + "' @ dg" + i, "a" + i + "' @ df" + i}});
        c.lines.push_back({"db" + i,
                           "sum(df" + i + ", axes=[0])",
                           {"mean(df" + i + ", axes=[0])", "sum(df" + i + ", axes=[1])",
                            "sum(dg" + i + ", axes=[0])"}});
    }
    return c;
}

// A gated state of numbers over time.
Chain steps(Random &random)
{
    const int count = random.from(2, 4);
    const std::string last = indexed("h", count);
    Chain c;
    c.model = "model chain(n=4)\n  input x[n, " + std::to_string(count) +
              "], y[n]\n  parameter w ~ uniform(0.5, 1), r ~ uniform(-1, -0.5)\n"
              "  parameter v ~ uniform(0.5, 1), q ~ uniform(0.5, 1)\n  h[0] = x[:, 0]/2\n  for t "
              "from 1 to " +
              std::to_string(count) +
              "\n    C[t] = w.x[:, t - 1] + r.h[t - 1]\n    c[t] = tanh(C[t])\n"
              "    G[t] = v.x[:, t - 1] + q.h[t - 1]\n    g[t] = sigmoid(G[t])\n"
              "    h[t] = g[t].h[t - 1] + (1 - g[t]).c[t]\n  loss = sum((" +
              last + " - y)^2)/2\n";
    c.lines.push_back({"dh[" + std::to_string(count) + "]", last + " - y", {"y - " + last, last}});
    std::string dw, dq;
    for (int t = count; t >= 1; t--) {
        const std::string h = indexed("h", t - 1), g = indexed("g", t), cc = indexed("c", t),
                          dh = indexed("dh", t), dC = indexed("dC", t), dG = indexed("dG", t),
                          other = indexed("g", t > 1 ? t - 1 : t + 1), slope = "(1 - " + cc + "^2)";
        c.lines.push_back(
            {dC,
             dh + ".(1 - " + g + ")." + slope,
             {dh + ".(1 - " + other + ")." + slope, dh + ".(1 - " + g + ")", dh + "." + slope,
              "-" + dh + ".(1 - " + g + ")." + slope, dh + "." + g + "." + slope}});
        c.lines.push_back(
            {dG,
             "(" + h + " - " + cc + ").(1 - " + g + ")." + g + "." + dh,
             {"(" + h + " + " + cc + ").(1 - " + g + ")." + g + "." + dh,
              h + ".(1 - " + g + ")." + g + "." + dh, "(" + h + " - " + cc + ")." + dh,
              "(" + cc + " - " + h + ").(1 - " + g + ")." + g + "." + dh,
              "(" + indexed("h", t) + " - " + cc + ").(1 - " + g + ")." + g + "." + dh}});
        const std::string through = g + "." + dh, back = "r." + dC, gate = "q." + dG;
        c.lines.push_back({"d" + h,
                           through + " + " + back + " + " + gate,
                           {through + " + " + back, back + " + " + gate, through + " + " + gate,
                            g + " + " + back + " + " + gate, through + " - " + back + " + " + gate,
                            other + "." + dh + " + " + back + " + " + gate,
                            through + " + q." + dC + " + " + gate}});
        dw += (dw.empty() ? "" : " + ") + dC + ".x[:, " + std::to_string(t - 1) + "]";
        dq += (dq.empty() ? "" : " + ") + dG + "." + h;
    }
    c.lines.push_back({"dw", "sum(" + dw + ")", {"-sum(" + dw + ")", "mean(" + dw + ")"}});
    c.lines.push_back(
        {"dq", "sum(" + dq + ")", {"sum(" + dw + ")", "sum(" + dq.substr(dq.find('+') + 2) + ")"}});
    return c;
}

std::string text_of(const Chain &c)
{
    std::string text = c.model + "\nderive loss \"hand\"\n";
    for (const Line &l : c.lines) text += "  " + l.name + " = " + l.right + "\n";
    return text;
}

TEST(Derivations, RightOnesPassAndOfWrongOnesExactlyTheWrongLine)
{
    for (unsigned seed = 1; seed <= 24 && !testing::Test::HasFailure(); seed++) {
        Random random(seed);
        const Chain right = seed % 2 ? layers(random) : steps(random);
        rv_lang_proof_options options = {};
        options.seed = seed;
        SCOPED_TRACE(text_of(right));
        const Proof proof(Proof::read(text_of(right)), options);
        EXPECT_EQ(proof.of("hand").size(), right.lines.size());
        EXPECT_EQ(proof.wrong("hand"), Names());
        EXPECT_EQ(proof.wrong(""), Names());
        for (const rv_lang_verdict &v : proof.of("hand")) EXPECT_LE(v.max_relative_error, 1e-10);
        for (size_t i = 0; i < right.lines.size(); i++) {
            Chain planted = right;
            const std::vector<std::string> &ways = right.lines[i].wrong;
            planted.lines[i].right =
                ways[static_cast<size_t>(random.from(0, static_cast<int>(ways.size()) - 1))];
            SCOPED_TRACE(right.lines[i].name + " = " + planted.lines[i].right);
            const Proof other(Proof::read(text_of(planted)), options);
            EXPECT_EQ(other.wrong("hand"), Names({right.lines[i].name}));
            EXPECT_EQ(other.of("hand").size(), right.lines.size());
            const auto before =
                static_cast<int>(std::count(right.model.begin(), right.model.end(), '\n') + 3 +
                                 static_cast<long>(i));
            EXPECT_EQ(other.of("hand")[i].line, before);
        }
    }
}

TEST(Derivations, TheArticleHasFiveWrongLines)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        rv_lang_proof_options options = {};
        options.seed = seed;
        const Proof proof(Proof::load("models/curnn_blog.rv"), options);
        EXPECT_EQ(proof.wrong("as published"), Names({"dC2", "dhp2", "dh1", "dC1", "dG1"})) << seed;
        EXPECT_EQ(proof.wrong("corrected"), Names()) << seed;
        EXPECT_EQ(proof.wrong(""), Names()) << seed;
        EXPECT_EQ(proof.of("as published").size(), 15u);
        EXPECT_EQ(proof.of("corrected").size(), 17u);
        for (const rv_lang_verdict &v : proof.of("corrected"))
            EXPECT_LE(v.max_relative_error, 1e-10) << v.name;
    }
}

TEST(Derivations, AnIndexBehindATimeStepIsOneIntoItsValue)
{
    const Proof proof(Proof::read("model m(n=2)\n"
                                  "  input x[n, 3]\n"
                                  "  C[1] = 2 . x\n"
                                  "  C[2] = C1^2\n"
                                  "  f = C2[:, 0] + C1[:, 1]\n"
                                  "  loss = sum(f^2) / 2\n\n"
                                  "derive loss \"parts\"\n"
                                  "  df = C[2][:, 0] + C[1][:, 1]\n"
                                  "  dC2 = stack(df, 0.df, 0.df, axis=1)\n"
                                  "  dC1 = stack(2.(dC2.C1)[:, 0], df, dC2[:, 1], axis=1)\n"
                                  "  dx = stack(2.dC1[:, 0], 2.dC1[:, 1], -dC1[:, 2], axis=1)\n"));
    EXPECT_EQ(proof.of("parts").size(), 4u);
    EXPECT_EQ(proof.wrong("parts"), Names());
}

TEST(Derivations, ItsSiblingHasTwo)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        rv_lang_proof_options options = {};
        options.seed = seed;
        const Proof proof(Proof::load("models/update_gate.rv"), options);
        EXPECT_EQ(proof.wrong("as published"), Names({"dG[3]", "dh[2]"})) << seed;
        EXPECT_EQ(proof.wrong("corrected"), Names()) << seed;
    }
}

// How each wrong line of the articles is right.
TEST(Derivations, WrongLinesAreToldWithWhatMakesThemRight)
{
    const std::pair<const char *, std::map<std::string, std::string>> articles[] = {
        {"models/curnn_blog.rv",
         {{"dC2", "dC2 = (1 - g2).dh2.(1 - c2^2)"},
          {"dhp2", "dhp2 = rot180(full_conv(Wrecc, rot180(dC2)) + full_conv(Wrecg, rot180(dG2)))"},
          {"dh1", "dh1 = crop1(dhp2) + g2.dh2"},
          {"dC1", "dC1 = (1 - g1).dh1.(1 - c1^2)"},
          {"dG1", "dG1 = dh1.(h0 - c1) / (1 + G1^2)"}}},
        {"models/update_gate.rv",
         {{"dG[3]", "dG[3] = (h[2] - c[3]).(1 - g[3]^2).doutput"},
          {"dh[2]", "dh[2] = w_recg.dG[3] + w_recc.dC[3] + g[3].doutput"}}}};
    for (const auto &[path, repairs] : articles) {
        rv_lang_proof_options options = {};
        options.repair = true;
        const Proof proof(Proof::load(path), options);
        std::map<std::string, std::string> found;
        for (const rv_lang_verdict &v : proof.of("as published"))
            if (!v.ok) found[v.name] = v.repair;
        EXPECT_EQ(found, repairs);
        for (const rv_lang_verdict &v : proof.of("corrected")) EXPECT_STREQ(v.repair, "");
    }
}

// Differences of a steep function need a finer step; of one that is steeper still they are no proof.
TEST(Derivations, SteepFunctionsAreComparedByAFinerStep)
{
    for (const auto &[k, proved] : {std::pair("100", true), std::pair("1000", false)}) {
        const std::string slope = std::string(k) + ".cos(" + k + ".x)";
        const Proof proof(Proof::read(std::string("model m\n  input x[2]\n  loss = sum(sin(") + k +
                                      ".x))\n\nderive loss \"d\"\n  dx = " + slope + "\n"));
        const std::vector<rv_lang_verdict> verdicts = proof.of("d");
        ASSERT_EQ(verdicts.size(), 1u);
        EXPECT_EQ(verdicts[0].ok, proved) << verdicts[0].reason;
        EXPECT_EQ(contains(verdicts[0].reason, "the recorded gradient itself differs"), !proved)
            << verdicts[0].reason;
    }
}

// What is nearly right is no repair: 3.000001 is not 3.
TEST(Derivations, ARepairIsRightAndNotNearlyRight)
{
    const std::pair<const char *, std::string> factors[] = {{"3", "da = 3.b"}, {"3.000001", ""}};
    for (const auto &[factor, repair] : factors) {
        rv_lang_proof_options options = {};
        options.repair = true;
        const Proof proof(Proof::read(std::string("model m\n  input x[2]\n  a = x^2\n  b = ") +
                                      "sin(x)\n  loss = sum(" + factor +
                                      ".b.a)\n\nderive loss \"d\"\n  da = b\n"),
                          options);
        const std::vector<rv_lang_verdict> verdicts = proof.of("d");
        ASSERT_EQ(verdicts.size(), 1u);
        EXPECT_FALSE(verdicts[0].ok);
        EXPECT_EQ(verdicts[0].repair, repair);
    }
}

// A whole term that is lacking is found: a quantity, or a product of two.
TEST(Derivations, ALackingTermIsFound)
{
    const std::pair<const char *, std::string> lines[] = {{"a.b + c.a", "da = b + c"},
                                                          {"a.b + c.e.a", "da = b + e.c"}};
    for (const auto &[loss, repair] : lines) {
        rv_lang_proof_options options = {};
        options.repair = true;
        const Proof proof(Proof::read(std::string("model m\n  input x[2]\n  a = x^2\n  b = ") +
                                      "sin(x)\n  c = cos(x)\n  e = exp(x)\n  loss = sum(" + loss +
                                      ")\n\nderive loss \"d\"\n  da = b\n"),
                          options);
        const std::vector<rv_lang_verdict> verdicts = proof.of("d");
        ASSERT_EQ(verdicts.size(), 1u);
        EXPECT_EQ(verdicts[0].repair, repair);
    }
}

// Verdicts on d = (6, 8), the right one, as it stands in a line.
rv_lang_verdict verdict_on(const std::string &line)
{
    const std::string text = "model numbers\n  input x[2]\n  a = 2 . x\n  loss = sum(a^2) / 2\n\n"
                             "derive loss \"d\"\n  da = " +
                             line + "\n";
    double data[] = {3, 4};
    rv_named_tensor x = {};
    x.name = "x";
    x.tensor.dtype = RV_F64;
    x.tensor.shape = RV_SHAPE(2);
    x.tensor.data = data;
    rv_lang_proof_options options = {};
    options.given = &x;
    options.given_count = 1;
    const Proof proof(Proof::read(text), options);
    const std::vector<rv_lang_verdict> verdicts = proof.of("d");
    EXPECT_EQ(verdicts.size(), 1u);
    if (verdicts.empty()) return {};
    EXPECT_STREQ(verdicts[0].file, "text");
    return verdicts[0];
}

TEST(Derivations, VerdictsSayHowFarOff)
{
    const struct {
        const char *line;
        double d[2]; // what it makes of x = (3, 4)
        const char *reason;
    } cases[] = {
        {"2 . x", {6, 8}, "right"},
        {"-a", {-6, -8}, "wrong sign"},
        {"3.a", {18, 24}, "right direction, wrong length: a factor is missing"},
        {"x", {3, 4}, "right direction, wrong length: a factor is missing"},
        {"x.x", {9, 16}, "wrong direction"},
        {"flip(a, axes=[0])", {8, 6}, "wrong direction"},
        {"x - a/2", {0, 0}, "the gradient is zero where the loss changes: a path is missing"},
    };
    for (const auto &c : cases) {
        SCOPED_TRACE(c.line);
        const rv_lang_verdict v = verdict_on(c.line);
        const double right[] = {6, 8}, length = std::hypot(c.d[0], c.d[1]);
        double worst = 0;
        for (int i = 0; i < 2; i++)
            worst = std::max(worst, std::fabs(c.d[i] - right[i]) /
                                        std::max(std::fabs(c.d[i]), std::fabs(right[i])));
        EXPECT_NEAR(v.max_relative_error, worst, 1e-15);
        EXPECT_NEAR(v.ratio, length / 10, 1e-15);
        EXPECT_NEAR(v.cosine, length > 0 ? (6 * c.d[0] + 8 * c.d[1]) / (10 * length) : 0, 1e-15);
        EXPECT_LE(v.difference_error, 1e-7);
        EXPECT_EQ(v.ok, worst == 0);
        EXPECT_STREQ(v.reason, c.reason);
        EXPECT_STREQ(v.name, "da");
        EXPECT_EQ(v.line, 7);
    }
}

TEST(Derivations, GivenParametersAreTheirs)
{
    const std::string text = "model one\n  input x[1]\n  parameter w[1]\n  loss = sum(w.x^2)\n\n"
                             "derive loss\n  dw = x^2\n  dx = 2.w.x + 0.1\n";
    double xs[] = {0.5}, ws[] = {3};
    rv_named_tensor given[2] = {};
    given[0].name = "x";
    given[1].name = "w";
    for (int i = 0; i < 2; i++) {
        given[i].tensor.dtype = RV_F64;
        given[i].tensor.shape = RV_SHAPE(1);
        given[i].tensor.data = i ? ws : xs;
    }
    rv_lang_proof_options options = {};
    options.given = given;
    options.given_count = 2;
    {
        const Proof proof(Proof::read(text), options);
        const auto verdicts = proof.of("");
        ASSERT_EQ(verdicts.size(), 3u); // the parameter, and two lines
        EXPECT_TRUE(verdicts[0].ok && verdicts[1].ok && !verdicts[2].ok);
        EXPECT_STREQ(verdicts[0].name, "w");
        EXPECT_STREQ(verdicts[0].model, "one");
        EXPECT_NEAR(verdicts[2].max_relative_error, 0.1 / 3.1, 1e-14);
    }
    options.tolerance = 0.05;
    const Proof proof(Proof::read(text), options);
    EXPECT_TRUE(proof.of("")[2].ok);
}

const char *const chain = "cell c1\n"
                          "  state h\n"
                          "  map W, V\n"
                          "  h' = tanh(W h + V x)\n"
                          "model m(n=3, T=3)\n"
                          "  input x[n, T, 2], y[n, 1]\n"
                          "  h = unroll c1(x, units=4)\n"
                          "  output = h @ A[_, 1]\n"
                          "  loss = mean((output - y)^2)\n"
                          "derive loss \"d\"\n";

// What a bare name means does not depend on what was used before.
TEST(Derivations, TheLastStateKeepsItsName)
{
    const Proof proof(Proof::read(std::string(chain) + "  let s = h[2]\n"
                                                       "  doutput = 2.(output - y) / n\n"
                                                       "  dh3 = doutput @ A'\n"
                                                       "  dA = h' @ doutput\n"));
    EXPECT_EQ(proof.of("d").size(), 3u);
    EXPECT_EQ(proof.wrong("d"), Names());
}

// Slips of a number and of a time step, inside a sum too.
TEST(Derivations, NumbersAndTimeStepsAreMended)
{
    rv_lang_proof_options options = {};
    options.repair = true;
    const Proof proof(Proof::read(std::string(chain) + "  doutput = (output - y) / n\n"
                                                       "  dh[T] = doutput @ A'\n"
                                                       "  for t from T down to 1\n"
                                                       "    let C[t] = dh[t].(1 - h[t]^2)\n"
                                                       "    dh[t - 1] = C[t] @ W'\n"
                                                       "  dW = sum(t from 1 to T: h[t]' @ C[t])\n"),
                      options);
    EXPECT_EQ(proof.wrong("d"), Names({"doutput", "dW"}));
    for (const rv_lang_verdict &v : proof.of("d"))
        if (!v.ok) {
            EXPECT_STREQ(v.repair, v.name == std::string("dW")
                                       ? "dW = sum(t from 1 to T: h[t - 1]' @ C[t])"
                                       : "doutput = 2.((output - y) / n)");
        }
}

// A line that cannot be recorded, or has a wrong shape, is one wrong line with a message. The others are judged.
TEST(Derivations, AMistakeInALineHidesNoOther)
{
    const struct {
        const char *line, *reason, *repair;
    } cases[] = {
        {"2.x'", "this is [4,2], but dg is [2,4]", "dg = 2.x"},
        {"2.x.dx", "dx is used before a line derives it", "dg = 2.x"},
        {"2", "this is [], but dg is [2,4]", "dg = 2.g"},
        {"x @ x",
         "matmul: inner sizes 4 and 2 differ (a \"x\" [2,4], b \"x\" [2,4]); transpose or reshape "
         "one "
         "of them",
         ""},
        {"reshape(2.x, shape=[8])", "this is [8], but dg is [2,4]", "dg = 2.x"},
        {"sum(2.x)", "this is [], but dg is [2,4]", "dg = 2.x"},
    };
    rv_lang_proof_options options = {};
    options.repair = true;
    for (const auto &c : cases) {
        const Proof proof(Proof::read(std::string("model m\n  input x[2, 4]\n  g = 1 . x\n"
                                                  "  loss = sum(g^2)\nderive loss\n  dg = ") +
                                      c.line + "\n  dx = dg\n"),
                          options);
        const std::vector<rv_lang_verdict> verdicts = proof.of("");
        ASSERT_EQ(verdicts.size(), 2u) << c.line;
        EXPECT_FALSE(verdicts[0].ok);
        EXPECT_TRUE(std::isnan(verdicts[0].max_relative_error));
        EXPECT_EQ(verdicts[0].reason, std::string(c.reason));
        EXPECT_EQ(verdicts[0].repair, std::string(c.repair));
        EXPECT_TRUE(verdicts[1].ok) << verdicts[1].reason;
    }
}

// A mistake is one wrong line; read as written, every line that reads it is wrong, too.
TEST(Derivations, AMistakeCarriesOnlyIfLinesAreReadAsWritten)
{
    const std::string text = std::string(chain) + "  doutput = 3.(output - y) / n\n"
                                                  "  dh3 = doutput @ A'\n"
                                                  "  dA = h' @ doutput\n";
    rv_lang_proof_options options = {};
    EXPECT_EQ(Proof(Proof::read(text), options).wrong("d"), Names({"doutput"}));
    options.as_written = true;
    const Proof proof(Proof::read(text), options);
    EXPECT_EQ(proof.wrong("d"), Names({"doutput", "dh3", "dA"}));
    for (const rv_lang_verdict &v : proof.of("d")) EXPECT_NEAR(v.ratio, 1.5, 1e-12) << v.name;
}

} // namespace
