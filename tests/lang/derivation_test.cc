// Hand derivations: right ones pass, and of wrong ones exactly the wrong lines are reported.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
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
        rv_lang *lang = rv_lang_read(text.data(), text.size(), "text", nullptr, &error);
        EXPECT_NE(lang, nullptr) << error.text;
        return lang;
    }
    static rv_lang *load(const char *path)
    {
        rv_error error = {};
        rv_lang *lang = rv_lang_load(path, nullptr, &error);
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
            if (v.verdict != RV_RIGHT) names.insert(v.name);
        return names;
    }

  private:
    rv_lang *lang_;
    rv_lang_verdict *verdicts_ = nullptr;
    int count_ = 0;
};

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
            if (v.verdict != RV_RIGHT) found[v.name] = v.repair;
        EXPECT_EQ(found, repairs);
        for (const rv_lang_verdict &v : proof.of("corrected")) EXPECT_STREQ(v.repair, "");
    }
}

// Differences of a steep function need a finer step. Where none is fine enough, the line rests upon
// the recorded gradient.
TEST(Derivations, SteepFunctionsAreComparedByFinerSteps)
{
    for (const auto &[k, proved] : {std::pair("1000", true), std::pair("1e9", false)}) {
        const std::string slope = std::string(k) + ".cos(" + k + ".x)";
        const Proof proof(Proof::read(std::string("model m\n  input x[2]\n  loss = sum(sin(") + k +
                                      ".x))\n\nderive loss \"d\"\n  dx = " + slope + "\n"));
        const std::vector<rv_lang_verdict> verdicts = proof.of("d");
        ASSERT_EQ(verdicts.size(), 1u);
        EXPECT_EQ(verdicts[0].verdict, RV_RIGHT) << verdicts[0].reason;
        EXPECT_EQ(contains(verdicts[0].reason, "differences cannot tell"), !proved)
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
        EXPECT_EQ(verdicts[0].verdict, RV_WRONG);
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
        {"2 . x", {6, 8}, ""},
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
        EXPECT_EQ(v.verdict, worst == 0 ? RV_RIGHT : RV_WRONG);
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
        EXPECT_EQ(verdicts[0].verdict, RV_RIGHT);
        EXPECT_EQ(verdicts[1].verdict, RV_RIGHT);
        EXPECT_EQ(verdicts[2].verdict, RV_WRONG);
        EXPECT_STREQ(verdicts[0].name, "w");
        EXPECT_STREQ(verdicts[0].model, "one");
        EXPECT_NEAR(verdicts[2].max_relative_error, 0.1 / 3.1, 1e-14);
    }
    options.tolerance = 0.05;
    const Proof proof(Proof::read(text), options);
    EXPECT_EQ(proof.of("")[2].verdict, RV_RIGHT);
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
        if (v.verdict != RV_RIGHT) {
            EXPECT_STREQ(v.repair, v.name == std::string("dW")
                                       ? "dW = sum(t from 1 to T: h[t - 1]' @ C[t])"
                                       : "doutput = 2.((output - y) / n)");
        }
}

// At the step 2, the first one, 2.dh[t] would do.
TEST(Derivations, ARepairIsRightAtAllTimeSteps)
{
    rv_lang_proof_options options = {};
    options.repair = true;
    const Proof proof(Proof::read("model m\n  input x[3]\n  h[0] = sin(x)\n  for t from 1 to 2\n"
                                  "    h[t] = t.h[t - 1]\n  loss = sum(h[2]^2)\n\n"
                                  "derive loss \"d\"\n  dh[2] = 2.h[2]\n  for t from 2 down to 1\n"
                                  "    dh[t - 1] = 3.dh[t]\n"),
                      options);
    EXPECT_EQ(proof.wrong("d"), Names({"dh[1]", "dh[0]"}));
    ASSERT_EQ(proof.of("d").size(), 3u);
    EXPECT_STREQ(proof.of("d")[1].repair, "");
}

// o[0] has no value, with the repair or without it.
TEST(Derivations, ARepairNeedsAValueOnlyWhereTheLineHasOne)
{
    rv_lang_proof_options options = {};
    options.repair = true;
    const Proof proof(
        Proof::read(
            "cell k\n  state h, c\n  map W, U, V\n  o = sigmoid(V x)\n  c' = c / 2 + W h + U x\n"
            "  q = tanh(c')\n  h' = o.q\n\n"
            "model m(n=2, T=3)\n  input x[n, T, 2], y[n, 3]\n  h = unroll k(x, units=3)\n"
            "  loss = sum((h - y)^2) / 2\n\n"
            "derive loss \"d\"\n  dh[T] = h - y\n  dc[T] = dh[T].o[T].(1 - q[T]^2)\n"
            "  for t from T down to 1\n    dh[t - 1] = dc[t] @ W'\n"
            "    dc[t - 1] = dc[t] / 2 + dh[t - 1].o[t - 1]\n"),
        options);
    EXPECT_EQ(proof.wrong("d"), Names({"dc[2]", "dc[1]", "dc[0]"}));
    std::string repair;
    for (const rv_lang_verdict &v : proof.of("d")) repair += v.repair;
    EXPECT_EQ(repair, "dc[t - 1] = dc[t] / 2 + dh[t - 1].o[t - 1].(1 - q[t - 1]^2)");
}

// A mistake in a helper is one of the helper, and not of the lines that read it.
TEST(Derivations, AHelperIsJudgedByWhatItStandsFor)
{
    const auto lines = [](const std::string &helper, const std::string &dh) {
        return std::string(chain) +
               "  doutput = 2.(output - y) / n\n"
               "  dA = h' @ doutput\n"
               "  dh[T] = doutput @ A'\n"
               "  for t from T down to 1\n"
               "    let C[t] = " +
               helper + "\n    dh[t - 1] = " + dh +
               "\n  dW = sum(t from 1 to T: h[t - 1]' @ C[t])\n"
               "  dV = sum(t from 1 to T: x[:, t - 1]' @ C[t])\n";
    };
    const Names helper = {"C[3]", "C[2]", "C[1]"}, line = {"dh[2]", "dh[1]", "dh[0]"};
    const std::string right = "dh[t].(1 - h[t]^2)", back = "C[t] @ W'";
    const struct {
        std::string helper, line;
        Names wrong;
        std::string repair;
    } cases[] = {
        {right, back, {}, ""},
        {"dh[t].(1 - h[t])", back, helper, "let C[t] = dh[t].(1 - h[t]^2)"},
        {"dh[t].h[t].(1 - h[t])", back, helper, "let C[t] = dh[t].(1 - h[t]^2)"},
        {"dh[t]", back, helper, "let C[t] = dh[t].(1 - h[t]^2)"},
        {"2.dh[t].(1 - h[t]^2)", back, helper, "let C[t] = dh[t].(1 - h[t]^2)"},
        {"dh[t]'.(1 - h[t]^2)", back, helper, "let C[t] = dh[t].(1 - h[t]^2)"},
        {right, "C[t] @ W", line, "dh[t - 1] = C[t] @ W'"},
        {right, "h[t] @ W'", line, "dh[t - 1] = C[t] @ W'"},
    };
    rv_lang_proof_options options = {};
    options.repair = true;
    for (const auto &c : cases) {
        SCOPED_TRACE(c.helper + ", " + c.line);
        const Proof proof(Proof::read(lines(c.helper, c.line)), options);
        EXPECT_EQ(proof.wrong("d"), c.wrong);
        EXPECT_EQ(proof.of("d").size(), 8 + (c.wrong == helper ? 3 : 0));
        std::string repair;
        for (const rv_lang_verdict &v : proof.of("d")) repair += v.repair;
        EXPECT_EQ(repair, c.repair);
    }
    options.as_written = true; // then a helper is what it states
    const Proof proof(Proof::read(lines("2.dh[t].(1 - h[t]^2)", back)), options);
    EXPECT_EQ(proof.wrong("d"), Names({"dh[2]", "dh[1]", "dh[0]", "dW", "dV"}));
}

// A line that cannot be recorded, or has a wrong shape, is one wrong line with a message. The
// others are judged.
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
        EXPECT_EQ(verdicts[0].verdict, RV_WRONG);
        EXPECT_TRUE(std::isnan(verdicts[0].max_relative_error));
        EXPECT_EQ(verdicts[0].reason, std::string(c.reason));
        EXPECT_EQ(verdicts[0].repair, std::string(c.repair));
        EXPECT_EQ(verdicts[1].verdict, RV_RIGHT) << verdicts[1].reason;
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
