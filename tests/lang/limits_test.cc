// Texts that ask for too much are refused, without the work that they ask for, which would take
// hours, and without the memory.
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <functional>
#include <string>

#include "lang/lang.h"
#include "tensor/memory.h"

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

long megabytes()
{
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

std::string many(int count, const std::function<std::string(int)> &line)
{
    std::string text;
    for (int i = 0; i < count; i++) text += line(i);
    return text;
}

std::string number(int i) { return std::to_string(i); }

// What is reported of a text, "" if it is right.
std::string problems_of(const std::string &text)
{
    rv_error error = {};
    rv_lang *lang = rv_lang_read(text.data(), text.size(), "big.rv", nullptr, &error);
    if (!lang) return error.text;
    const bool ok = rv_lang_check(lang);
    char *problems = rv_lang_problem_text(lang);
    std::string all = problems ? problems : "out of memory";
    EXPECT_EQ(ok, all.empty());
    rv_free(problems);
    rv_lang_free(lang);
    if (!sanitized) {
        EXPECT_LT(megabytes(), text.size() > 1 << 17 ? 700 : 400) << text.substr(0, 200);
    }
    return all;
}

void expect_problem(const std::string &text, const std::string &part)
{
    const std::string all = problems_of(text);
    EXPECT_NE(all.find(part), std::string::npos) << text.substr(0, 300) << "\n" << all;
}

const std::string model = "model m\n  input x[2, 4]\n  ";

TEST(Limits, AreNotInTheWay)
{
    EXPECT_EQ(problems_of(model + "h = unroll lstm(x, units=1000, layers=3) for 1000 steps\n"), "");
    EXPECT_EQ(problems_of("model m\n  input x[8, 5000, 40]\n  h = unroll gru(x, units=128)\n"), "");
    EXPECT_EQ(problems_of("model m\n  input x[64, 10000]\n  h = x @ W[_, 10000]\n"), "");
}

TEST(Limits, OfWork)
{
    const std::string twice = "function f0(x) = tanh(x) + 1\n" + many(40, [](int i) {
                                  return "function f" + number(i + 1) + "(x) = f" + number(i) +
                                         "(x) + f" + number(i) + "(2.x)\n";
                              });
    expect_problem(twice + "model m\n  input x[2]\n  y = f40(x)\n", "too many operations");
    expect_problem(many(300,
                        [](int i) {
                            return "function f" + number(i) +
                                   "(x) = " + (i ? "f" + number(i - 1) : "tanh") + "(x)\n";
                        }) +
                       "model m\n  input x[2]\n  y = f299(x)\n",
                   "");
    expect_problem(model + "for t from 1 to 1000000\n    for u from 1 to 1000000\n      z = 1\n",
                   "too many");
    expect_problem(model +
                       "for t from 0 to 100000\n    h[t] = x\n  for u from 0 to 100000\n    g[u] "
                       "= tanh(h[u] + u) + exp(h[u].u - u) + sin(h[u])\n",
                   "too many");
    expect_problem(model + many(3000, [](int i) { return "\n  s" + number(i) + "[100000] = x"; }),
                   "too many");
    expect_problem(many(600,
                        [](int i) {
                            return "model m" + number(i) +
                                   "\n  input x[2, 4]\n  h = unroll gru(x) for 90000 steps\n";
                        }),
                   "too many");
    expect_problem("cell c(u)\n  state h\n" +
                       many(4000, [](int i) { return "  a" + number(i) + "=u\n"; }) + "  h' = u\n" +
                       model + "h = unroll c(x) for 100000 steps\n",
                   "too many");
    expect_problem("function f(x)\n" +
                       many(4000, [](int i) { return "  a" + number(i) + "=1\n"; }) +
                       "  return x\n" + model +
                       many(2500, [](int i) { return "\n  y" + number(i) + " = f(x)"; }),
                   "too many");
    expect_problem("model m\n  input x[2]\n" +
                       many(2500,
                            [](int i) {
                                return "  y" + number(i) +
                                       " = one_hot(x, classes=" + number(1048576 - i) + ")\n";
                            }),
                   "too many");
}

TEST(Limits, OfNets)
{
    expect_problem(model + "h = unroll gru(x) for 100000 steps\n", "too many");
    expect_problem(
        model + "h = unroll gru(x, layers=1000, bidirectional=true, skip=true) for 100000 steps\n",
        "too many");
    expect_problem(model + "h = unroll gru(x, layers=1000000) for 2 steps\n", "layers");
    expect_problem(model + "h = unroll gru(x, units=1000000000) for 2 steps\n",
                   "a value of 2000000000 numbers");
    expect_problem(model + "h = unroll gru(x, kernel=1000000000) for 2 steps\n", "");
    expect_problem(model + "h = unroll gru(x, recompute=1000000000) for 2 steps\n", "");
    expect_problem(model + "h = unroll gru(x) for 1000000000 steps\n",
                   "expected a whole number from 1 to 100000");
    expect_problem("model m\n  input x[1, 200000000, 1]\n  h = unroll gru(x)\n", "200000000 steps");
    expect_problem(
        "cell a0 = gru()\n" +
            many(3000,
                 [](int i) { return "cell a" + number(i + 1) + " = a" + number(i) + "()\n"; }),
        "more than 100 cells");
}

TEST(Limits, OfSizes)
{
    expect_problem("model m\n  input x[2147483647, 2147483647, 2147483647]\n  y = x\n",
                   "big.rv:2:9");
    expect_problem("model m\n  input x[100000, 100000]\n  y = x\n", "make it smaller");
    expect_problem(
        "model m\n  input x[2]\n" +
            many(40,
                 [](int i) { return "  p" + number(i) + " = P" + number(i) + "[4000, 4000]\n"; }),
        "smaller");
    expect_problem("model m\n  input x[1000]\n  y = x[9999999999]\n", "9999999999");
    expect_problem("model m\n  input x[2]\n  y = 10^10^10\n", "finite");
    expect_problem("model m\n  input x[2]\n  y = x + 1e400\n", "1e300");
    expect_problem("model m\n  input x[2]\n  y = x + 1e-400 + 123456789012345678901234567890\n",
                   "");
    expect_problem("model m\n  input x[2]\n  y = x + 0x10\n", "operator");
    expect_problem("model m\n  input x[2]\n  y = x + " + std::string(70, '1') + "\n",
                   "fewer digits");
    expect_problem(
        "model m\n  input x[2]\n  y = broadcast(x, shape=[2147483647,2147483647,2147483647,2])\n",
        "big.rv:3");
}

// What becomes of a text under limits: the code and the message of the proof.
rv_error proof_of(const std::string &text, const rv_lang_limits &limits)
{
    rv_error error = {};
    rv_lang *lang = rv_lang_read(text.data(), text.size(), "big.rv", nullptr, &error);
    if (!lang) return error;
    rv_lang_limit(lang, &limits);
    rv_lang_verdict *verdicts = nullptr;
    rv_lang_proof_options options = {};
    options.repair = true;
    int count = 0;
    const bool ok = rv_lang_prove(lang, &options, &verdicts, &count, &error);
    EXPECT_EQ(ok, error.code == RV_OK) << error.text;
    rv_free(verdicts);
    rv_lang_free(lang);
    return error;
}

const std::string derivation = R"(model m(n=2)
  input x[n, 2]
  h = unroll gru(x, units=2) for 2 steps
  loss = sum(h.h)

derive loss "slips"
  let two = 2.h
  dh = two.h
)";

TEST(Limits, OfTheCaller)
{
    const auto refused = [](const rv_lang_limits &limits, const std::string &part) {
        const rv_error error = proof_of(derivation, limits);
        EXPECT_EQ(error.code, RV_ERROR_LIMIT) << error.text;
        EXPECT_NE(std::string(error.text).find(part), std::string::npos) << error.text;
    };
    rv_lang_limits operations = {}, size = {}, numbers = {};
    operations.operations = 50;
    size.size = 3;
    numbers.numbers = 1000;
    refused(operations, "too many operations");
    refused(size, "inputs and parameters of more than 3 numbers");
    refused(numbers, "with parameters of");
    refused(numbers, "set `limit-numbers`");
    EXPECT_EQ(proof_of(derivation, rv_lang_limits{}).code, RV_OK);
    const std::string wide = "model m\n  input x[2]\n  y = broadcast(x, shape=[2000, 2])\n";
    size.size = 100;
    EXPECT_EQ(proof_of(wide, size).code, RV_ERROR_LIMIT);
    const rv_error error =
        proof_of("model m\n  input x[1, 16000]\n  loss = sum(x @ W[_, 16000])\n", rv_lang_limits{});
    EXPECT_EQ(std::string(error.text)
                  .find("big.rv:1: to prove the gradients of \"m\", with "
                        "parameters of 256000000 numbers, takes"),
              0u)
        << error.text;
}

// The caller may stop the work whenever it is asked.
TEST(Limits, TheCallerStops)
{
    struct Asked {
        int64_t count = 0, last = INT64_MAX;
    };
    const auto stop = [](void *context) {
        Asked *asked = static_cast<Asked *>(context);
        return ++asked->count > asked->last;
    };
    Asked all;
    rv_lang_limits limits = {};
    limits.stop = stop;
    limits.context = &all;
    ASSERT_EQ(proof_of(derivation, limits).code, RV_OK);
    ASSERT_GT(all.count, 100);
    for (int64_t last = 0; last < all.count; last += 1 + last / 8) {
        Asked asked;
        asked.last = last;
        limits.context = &asked;
        EXPECT_EQ(proof_of(derivation, limits).code, RV_ERROR_LIMIT) << last << " of " << all.count;
        EXPECT_LT(asked.count, last + 100) << "asked on";
    }
}

TEST(Limits, OfSyntax)
{
    const auto text = [](const std::string &value) {
        return "model m\n  input x[2]\n  y = " + value + "\n";
    };
    for (const char *open : {"(", "[", "-", "tan(", "x.(", "x^", "x[", "W "}) {
        expect_problem(text(many(30000, [&](int) { return open; })), "big.rv:3");
        expect_problem(text(many(200000, [&](int) { return open; })), "big.rv:3");
    }
    expect_problem(text("x" + std::string(60000, '\'')), "name a part");
    expect_problem(text("x" + many(20000, [](int) { return " + x"; })), "name a part");
    expect_problem(text("concat(" + many(30000, [](int) { return "x,"; }) + "x)"), "more than 64");
    expect_problem("model m\n" + many(350,
                                      [](int i) {
                                          return std::string(static_cast<size_t>(i) + 1, ' ') +
                                                 "for t from 1 to 2\n";
                                      }),
                   "nested brackets, operators and loops");
    expect_problem(many(30000, [](int) { return "?\n"; }), "and 29980 more");
    expect_problem(many(1 << 19, [](int) { return "?\n"; }), "more");
    expect_problem("model " + std::string(64, 'n') + "\n  x = 1\n", "a name of 64 bytes");
    EXPECT_EQ(problems_of("model " + std::string(63, 'n') + "\n  x = 1\n"), "");
    expect_problem(std::string(1 << 20, ' ') + " ", "1048577 bytes");
    expect_problem(std::string("model m\n  x = 1\0\n", 17), "zero");
    expect_problem("model m\n  x\xff = 1\n", "UTF-8");
}

TEST(Limits, OfLongTexts)
{
    const std::string all[] = {
        many(4000, [](int i) { return "function f" + number(i) + "()=1\n"; }),
        "model m\n" + many(8000, [](int i) { return "  a" + number(i) + "=1\n"; }),
        "model m\n" +
            many(6000, [](int i) { return "  a" + number(i) + "=zz" + number(i) + "\n"; }),
        many(2000, [](int i) { return "cell c" + number(i) + "\n  state h\n  h' = h\n"; }),
        "model m\n  loss = 1\n" + many(4000, [](int) { return "derive loss\n  x=1\n"; }),
        "model m\n  loss = 1\n" + many(30000, [](int) { return "derive loss\n  x=1\n"; }),
        "model m\n" + many(90000, [](int i) { return "  a" + number(i) + "=1\n"; }),
        "model m\n  loss = 1\n" + many(4000, [](int i) { return "  a" + number(i) + "=1\n"; }) +
            many(2000, [](int) { return "derive loss\n  x=1\n"; }),
        many(60000, [](int i) { return "function f" + number(i) + "()=1\n"; }),
    };
    for (const std::string &text : all) problems_of(text);
}

} // namespace
