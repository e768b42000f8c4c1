// Random derivations. No line of a right one is called wrong, whatever kinks, ties, stops and steep
// slopes the model has, and no planted mistake is called right that shows at a point of the proof.
// RECURVE_DERIVATIONS is their number.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "recurve.h"
#include "tests/rounds.h"

namespace {

class Random {
  public:
    explicit Random(unsigned seed) : engine_(seed) {}
    int below(int n) { return static_cast<int>(engine_() % static_cast<unsigned>(n)); }
    int from(int low, int high) { return low + below(high - low + 1); }
    bool chance(int percent) { return below(100) < percent; }
    template <class T> const T &one_of(const std::vector<T> &of)
    {
        return of[static_cast<size_t>(below(static_cast<int>(of.size())))];
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
    std::string cells, model;
    std::vector<Line> lines;
    std::string hidden; // a mistake in the line before the last that the start of a state hides
};

// Replaces @F, @G and @D.
std::string with(std::string text, const std::string &f, const std::string &g,
                 const std::string &d = "")
{
    for (const auto &[mark, by] : {std::pair("@F", f), {"@G", g}, {"@D", d}})
        for (size_t at; (at = text.find(mark)) != std::string::npos;) text.replace(at, 2, by);
    return text;
}

std::string indexed(const char *name, int t)
{
    return std::string(name) + "[" + std::to_string(t) + "]";
}

// g = call(f), and df from dg.
struct Activation {
    const char *call, *right;
    std::vector<const char *> wrong;
};

const std::vector<Activation> smooth = {
    {"tanh(@F)", "@D.(1 - @G^2)", {"@D", "@D.(1 - @G)", "-@D.(1 - @G^2)", "@D'.(1 - @G^2)"}},
    {"sigmoid(@F)", "@D.@G.(1 - @G)", {"@D", "@D.@G", "@D.(1 - @G^2)"}},
    {"exp(0.5.@F)", "0.5.@D.@G", {"@D.@G", "0.5.@D"}},
    {"softplus(@F)", "(1 - exp(-@G)).@D", {"@D", "@G.@D"}},
    {"@F^2", "2.@F.@D", {"@F.@D", "2.@D"}},
    {"sin(1000.@F)", "1000.cos(1000.@F).@D", {"cos(1000.@F).@D", "1000.@D", "1000.cos(@F).@D"}},
    {"tanh(30.@F)", "30.(1 - @G^2).@D", {"(1 - @G^2).@D", "30.@D"}},
};

// With kinks where f or g is 0, or where elements of f tie: the middle of three always ties with
// itself.
const std::vector<Activation> kinked = {
    {"relu(@F)", "less(0, @F).@D", {"@D", "less(@F, 0).@D", "@G.@D"}},
    {"abs(@F)", "sign(@F).@D", {"@D", "-sign(@F).@D", "abs(@F).@D"}},
    {"minimum(@F, 0.1)", "less(@F, 0.1).@D", {"@D", "less(0.1, @F).@D"}},
    {"clamp(@F, -0.5, 0.5)",
     "less(abs(@F), 0.5).@D",
     {"@D", "less(@F, 0.5).@D", "less(0.5, abs(@F)).@D"}},
    {"relu(@F) - 0.3.relu(-@F)", "(less(0, @F) + 0.3.less(@F, 0)).@D", {"@D", "less(0, @F).@D"}},
    {"100.relu(@F)^2", "200.relu(@F).@D", {"100.relu(@F).@D", "200.@F.@D"}},
    {"maximum(@F, flip(@F, axes=[1]))",
     "(less(flip(@F, axes=[1]), @F) + equal(flip(@F, axes=[1]), @F)/2).(@D + flip(@D, axes=[1]))",
     {"@D", "less(flip(@F, axes=[1]), @F).(@D + flip(@D, axes=[1]))",
      "(less(flip(@F, axes=[1]), @F) + equal(flip(@F, axes=[1]), @F)).(@D + flip(@D, axes=[1]))"}},
    {"maximum(relu(@F), flip(relu(@F), axes=[1]))",
     "less(0, @F).(less(flip(@F, axes=[1]), @F) + equal(flip(@F, axes=[1]), @F)/2)"
     ".(@D + flip(@D, axes=[1]))",
     {"less(0, @F).@D", "less(0, @F).less(flip(@F, axes=[1]), @F).(@D + flip(@D, axes=[1]))"}},
};

Line line(const std::string &name, const Activation &a, const std::string &f, const std::string &g)
{
    Line l = {"d" + f, with(a.right, f, g, "d" + g), {}};
    for (const char *wrong : a.wrong) l.wrong.push_back(with(wrong, f, g, "d" + g));
    l.name = name;
    return l;
}

// How a layer's output follows from g and the layer below, and what reaches both.
struct Join {
    const char *value; // "@G" and "@F", the layer below
    const char *to_g;  // from D
    std::vector<const char *> wrong_to_g;
    const char *below; // the part beside that through f; "" is none
    std::vector<const char *> wrong_below;
};

const std::vector<Join> joins = {
    {"@G + 0.5.@F", "@D", {"-@D", "0.5.@D"}, " + 0.5.@D", {"", " + @D", " - 0.5.@D"}},
    {"@G", "@D", {"2.@D", "@D'"}, "", {" + @D"}},
    {"@G.stop_gradient(@F)", "@D.@F", {"@D", "-@D.@F"}, "", {" + @D.@G", " + @D"}},
    {"@G + stop_gradient(@G.@F)", "@D", {"@D + @D.@F", "@D.@F"}, "", {" + @D.@G"}},
    {"@F.stop_gradient(@G) + @G", "@D", {"@D + @D.@F"}, " + @D.@G", {"", " + @D"}},
    {"maximum(@G, @F)",
     "@D.(less(@F, @G) + equal(@F, @G)/2)",
     {"@D", "@D.less(@G, @F)"},
     " + @D.(less(@G, @F) + equal(@F, @G)/2)",
     {"", " + @D"}},
};

std::vector<std::string> variants(const std::vector<const char *> &texts, const std::string &prefix,
                                  const std::string &f, const std::string &g, const std::string &d)
{
    std::vector<std::string> all;
    for (const char *t : texts) all.push_back(prefix + with(t, f, g, d));
    return all;
}

// Layers of 3 on 3 samples, so that transposed factors have the right shape. Biases start at 0,
// where the last one is at its kink if it stands alone.
Chain layers(Random &random)
{
    const int count = random.from(1, 3);
    Chain c;
    c.model = "model chain(n=3)\n  input x[n, 3], y[n, 3]\n  a0 = 1 . x\n";
    std::vector<Activation> used;
    std::vector<Join> joined;
    const auto name = [](const char *of, int k) { return of + std::to_string(k); };
    for (int k = 1; k <= count; k++) {
        const std::string f = name("f", k), g = name("g", k), under = name("a", k - 1);
        used.push_back(random.one_of(random.chance(60) ? kinked : smooth));
        joined.push_back(random.one_of(joins));
        c.model += "  parameter " + name("W", k) + "[3, 3] ~ uniform(-1, 1), " + name("b", k) +
                   "[3]" + (random.chance(50) ? "" : " ~ uniform(-1, 1)") + "\n  " + f + " = " +
                   under + " @ " + name("W", k) + " + " + name("b", k) + "\n  " + g + " = " +
                   with(used.back().call, f, g) + "\n  " + name("a", k) + " = " +
                   with(joined.back().value, under, g) + "\n";
    }
    const std::string last = name("a", count);
    const bool alone = random.chance(50), absolute = random.chance(30);
    if (alone) c.model += "  parameter e[3]\n  r = relu(e)\n";
    const std::string error = last + (alone ? " + r" : "") + " - y";
    c.model +=
        absolute ? "  loss = sum(abs(" + error + "))\n" : "  loss = sum((" + error + ")^2)/2\n";
    c.lines.push_back(absolute
                          ? Line{"d" + last, "sign(" + error + ")", {error, "-sign(" + last + ")"}}
                          : Line{"d" + last, error, {"y - " + last, last, "2.(" + error + ")"}});
    if (alone) {
        c.lines.push_back({"dr",
                           "sum(d" + last + ", axes=[0])",
                           {"mean(d" + last + ", axes=[0])", "sum(d" + last + ", axes=[1])"}});
        c.lines.push_back({"de", "dr.less(0, e)", {"dr", "dr.less(e, 0)"}});
    }
    for (int k = count; k >= 1; k--) {
        const auto i = static_cast<size_t>(k - 1);
        const std::string f = name("f", k), g = name("g", k), a = name("a", k), w = name("W", k),
                          under = name("a", k - 1), df = "d" + f;
        c.lines.push_back({"d" + g, with(joined[i].to_g, under, g, "d" + a),
                           variants(joined[i].wrong_to_g, "", under, g, "d" + a)});
        c.lines.push_back(line(df, used[i], f, g));
        c.lines.push_back({"d" + w,
                           under + "' @ " + df,
                           {under + " @ " + df, df + "' @ " + under, under + "' @ " + df + "'"}});
        c.lines.push_back({"d" + name("b", k),
                           "sum(" + df + ", axes=[0])",
                           {"mean(" + df + ", axes=[0])", "sum(" + df + ", axes=[1])"}});
        const std::string through = df + " @ " + w + "'";
        Line below = {"d" + under, through + with(joined[i].below, under, g, "d" + a),
                      variants(joined[i].wrong_below, through, under, g, "d" + a)};
        below.wrong.push_back(df + " @ " + w + with(joined[i].below, under, g, "d" + a));
        c.lines.push_back(below);
    }
    return c;
}

// An unrolled cell whose state starts at 0: what is missing at the first step is hidden.
Chain cell(Random &random)
{
    const int count = random.from(2, 3);
    Chain c;
    const Activation &act = random.one_of(random.chance(60) ? kinked : smooth);
    c.cells = "cell r\n  state h\n  map W, U\n  bias b\n  F = W h + U x + b\n  h' = " +
              with(act.call, "F", "h'") + "\n\n";
    c.model = "model chain(n=3)\n  input x[n, " + std::to_string(count) +
              ", 2], y[n, 3]\n  h = unroll r(x, units=3)\n  loss = sum((h - y)^2)/2\n";
    c.lines.push_back({indexed("dh", count), "h - y", {"y - h", "h"}});
    std::string dw, first_hidden, shifted, db;
    for (int t = count; t >= 1; t--) {
        const std::string f = indexed("F", t), h = indexed("h", t), d = indexed("dF", t);
        Line l = line(d, act, f, h);
        c.lines.push_back(l);
        c.lines.push_back(
            {indexed("dh", t - 1), d + " @ W'", {d + " @ W", indexed("dh", t) + " @ W'"}});
        const std::string plus = t < count ? " + " : "";
        dw += plus + indexed("h", t - 1) + "' @ " + d;
        shifted += plus + indexed("h", t) + "' @ " + d;
        first_hidden += plus + indexed("h", t - 1) + "' @ " + (t == 1 ? indexed("dh", 1) : d);
        db += plus + d;
    }
    c.hidden = first_hidden;
    c.lines.push_back({"dW", dw, {shifted, "-(" + dw + ")"}});
    c.lines.push_back({"db",
                       "sum(" + db + ", axes=[0])",
                       {"mean(" + db + ", axes=[0])", "sum(" + indexed("dF", 1) + ", axes=[0])"}});
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

std::string derivation(const Chain &c, const char *title, size_t planted, const std::string &wrong)
{
    std::string text = std::string("\nderive loss \"") + title + "\"\n";
    for (size_t i = 0; i < c.lines.size(); i++)
        text += "  " + c.lines[i].name + " = " + (i == planted ? wrong : c.lines[i].right) + "\n";
    return text;
}

struct Counts {
    int lines = 0, undecided = 0, equivalent = 0, missed = 0, gradients = 0, open = 0;
};

struct Verdict {
    std::string derivation, name, said;
    rv_verdict verdict;
};

std::vector<Verdict> verdicts_on(const std::string &text, uint64_t seed)
{
    std::vector<Verdict> all;
    rv_error error = {};
    rv_lang *lang = rv_lang_read(text.data(), text.size(), "random", nullptr, &error);
    rv_lang_verdict *verdicts = nullptr;
    int count = 0;
    rv_lang_proof_options options = {};
    options.seed = seed;
    EXPECT_TRUE(lang && rv_lang_prove(lang, &options, &verdicts, &count, &error)) << error.text;
    for (int i = 0; i < count; i++) {
        const rv_lang_verdict &v = verdicts[i];
        all.push_back({v.derivation, v.name,
                       std::string(v.derivation) + " " + v.name + ": " +
                           rv_verdict_name(v.verdict) + " " + v.reason,
                       v.verdict});
    }
    rv_free(verdicts);
    rv_lang_free(lang);
    return all;
}

// All that was compared was zero, and the verdict says so.
bool is_zero(const Verdict &v) { return v.said.find("the differences are 0") != std::string::npos; }

// Where values have one sign, another line may be right, too: one that is right for many seeds.
bool is_equivalent(const std::string &text, const std::string &name)
{
    for (uint64_t seed = 1; seed <= 30; seed++)
        for (const Verdict &v : verdicts_on(text, seed))
            if (v.derivation == "planted" && v.name == name && v.verdict != RV_RIGHT) return false;
    return true;
}

// Proves the model's gradients, the right derivation, and one with a mistake in a random line.
void prove(unsigned seed, Counts *counts)
{
    Random random(seed);
    const Chain c = seed % 4 == 0 ? steps(random) : seed % 4 == 1 ? cell(random) : layers(random);
    const bool hidden = !c.hidden.empty() && random.chance(50);
    const size_t planted =
        hidden ? c.lines.size() - 2
               : static_cast<size_t>(random.below(static_cast<int>(c.lines.size())));
    const std::string wrong = hidden ? c.hidden : random.one_of(c.lines[planted].wrong),
                      name = c.lines[planted].name,
                      text = c.cells + c.model + derivation(c, "right", c.lines.size(), "") +
                             derivation(c, "planted", planted, wrong);
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + text);
    for (const Verdict &v : verdicts_on(text, seed)) {
        if (v.derivation.empty()) {
            EXPECT_NE(v.verdict, RV_WRONG) << v.said;
            counts->gradients++;
            counts->open += v.verdict == RV_UNDECIDED;
        } else if (v.derivation == "right" || v.name != name) {
            EXPECT_EQ(v.verdict, RV_RIGHT) << v.said;
            counts->lines++;
        } else if (v.verdict == RV_RIGHT) {
            const bool none = is_zero(v) || is_equivalent(text, name);
            counts->equivalent += none;
            counts->missed += !none;
        }
        if (!v.derivation.empty()) counts->undecided += v.verdict == RV_UNDECIDED;
    }
}

TEST(RandomDerivations, RightLinesAreRightAndPlantedMistakesAreNot)
{
    const int many = rounds("RECURVE_DERIVATIONS", 1000);
    Counts counts;
    for (int i = 1; i <= many && !HasFailure(); i++) prove(static_cast<unsigned>(i), &counts);
    RecordProperty("lines", counts.lines);
    RecordProperty("lines_undecided", counts.undecided);
    RecordProperty("mistakes_that_are_none", counts.equivalent);
    RecordProperty("mistakes_missed", counts.missed);
    RecordProperty("gradients", counts.gradients);
    RecordProperty("gradients_undecided", counts.open);
    EXPECT_LE(50 * counts.open, counts.gradients) << "differences decide almost always";
    EXPECT_LE(1000 * counts.missed, many) << "a mistake shows at one of ten points";
    EXPECT_LE(50 * counts.equivalent, many) << "a mistake is almost always one";
    EXPECT_LE(5 * counts.undecided, many) << "hidden by the start of a state";
}

} // namespace
