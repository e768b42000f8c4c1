// Memory that is out at any moment while a text is read, checked, formatted or proved: an error, no
// crash, and (under the address sanitizer) no leak.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "lang/lang.h"
#include "ops/ops.h"
#include "tensor/memory.h"
#include "tests/failing_memory.h"
#include "tests/files.h"
#include "tests/sanitized.h"

namespace {

const std::string text = R"(# small
function half(x) = x / 2

cell own
  state h
  map W, U
  bias b
  h' = tanh(W h + U x + b)

cell wide = own(units=2)

model m(n=2)
  input x[n, 2]
  h = unroll wide(x) for 2 steps
  g = unroll gru(x) for 1 step
  e[0] = pad1(reshape(h, shape=[1, 1, n, 2]))
  f = x @ V[_, 1] + [0.5]
  loss = sum(half(h)) + sum(e[0]) + sum(f) + sum(g)

derive loss "by hand"
  let one = x[:, 0:1] - x[:, 0:1] + 1
  df = one
  dV = x' @ df
)";

// Cells inside cells, several inputs, results and layers.
const std::string unrolls = R"(cell pair(x, z)
  state a, b
  y[0] = a + x
  for k from 1 to 2
    y[k] = tanh(y[k - 1])
  p = rnn(y[2], a)
  a', b' = lstm(z, p, b, name="low")

model m(n=2)
  input x[n, 2, 2]
  a, b = unroll pair(x, z=x[:, 0], units=2, layers=2, reverse=true) all layers
  hs, bs = unroll pair(x, x, units=2, layers=2, a=a, b=b) all steps
  loss = sum(stack(t from 1 to 2: hs_p[t])) + sum(bs)
)";

const std::string wrong =
    "model m\n  input x[2, 3]\n  y = x @ x + z\n  w = sigmod(x)\n  v = x @ x\n  u = (\n";

// A wrong line, one without a value, and a wrong helper.
const std::string slips = R"(model m(n=2)
  input x[n, 2], w[2]
  a = tanh(w.x)
  loss = sum(a.a)

derive loss "slips"
  da = 3.a
  let g = da.(1 - a)
  dx = g.w
  dw = g.x
)";

// What came of it: the verdicts or the problems and the formatted text; "" and an error without
// memory.
struct Answer {
    std::string text;
    rv_code code;
};

Answer work_on(const std::string &source)
{
    rv_error error = {};
    const std::string folder = testing::TempDir();
    rv_lang *lang = rv_lang_read(source.data(), source.size(), "small.rv", folder.c_str(), &error);
    if (!lang) return {"", error.code};
    rv_lang_verdict *verdicts = nullptr;
    int count = 0;
    rv_lang_proof_options options = {};
    options.repair = true;
    const bool right = rv_lang_prove(lang, &options, &verdicts, &count, &error);
    EXPECT_EQ(right, error.code == RV_OK) << error.text;
    char *formatted = rv_lang_format(lang), *problems = rv_lang_problem_text(lang);
    Answer a = {right ? "right" : error.text, error.code};
    for (int i = 0; right && i < count; i++)
        a.text += std::string("\n") + verdicts[i].name + " " +
                  rv_verdict_name(verdicts[i].verdict) + ": " + verdicts[i].repair;
    if (!formatted || !problems) a = {"", RV_ERROR_MEMORY};
    if (formatted && problems) a.text += std::string(formatted) + problems;
    rv_free(formatted);
    rv_free(problems);
    rv_free(verdicts);
    rv_lang_free(lang);
    return a;
}

// A model with gradients as values, whose parameters have those of a derivation.
const std::string derived = R"(model m(n=2)
  input x[n, 2], y[n, 1]
  h = unroll rnn(x, units=2) for 2 steps
  output = h @ V[_, 1]
  e = sum(output^2)
  loss = e + sum(grad(e, h)^2) + sum(jvp(output, h, h)) + sum(hvp(e, h, h))

derive loss "by hand"
  let one = h[1] - h[1]
  doutput = output
  dV = V + output' @ one @ V
  dW = W
  for t from 2 down to 1
    dh[t] = h[t] + one
  dU = U + dh[2]' @ dh[1]
  db = b
)";

Answer record_derived(const std::string &source)
{
    rv_error error = {};
    rv_lang *lang = rv_lang_read(source.data(), source.size(), "small.rv", nullptr, &error);
    const rv_model *model = lang ? rv_lang_model(lang, "m", &error) : nullptr;
    if (model) model = rv_lang_derived(model, "by hand", &error);
    rv_store *store = rv_store_new(1);
    rv_tape *tape = store ? rv_tape_new(store, RV_F64) : nullptr;
    Answer a = {"", error.code ? error.code : RV_ERROR_MEMORY};
    if (model && tape) {
        rv_net_options options = {};
        options.y = RV_SHAPE(1);
        const rv_net net = rv_model_record(model, &options, rv_input(tape, "x", RV_SHAPE(3, 2)),
                                           rv_input(tape, "y", RV_SHAPE(3, 1)));
        const rv_error *why = rv_tape_error(tape);
        a = {why->code ? why->text : std::to_string(net.loss.id), why->code};
        EXPECT_EQ(rv_is_null(net.loss), why->code != RV_OK);
    }
    rv_tape_free(tape);
    rv_store_free(store);
    rv_lang_free(lang);
    return a;
}

// With every single allocation failing, or one of `step`; then with all that follow it, of every
// third. Under a sanitizer a ninth of them.
void sweep(const std::string &source, int64_t step = 1,
           const std::function<Answer(const std::string &)> &work = work_on)
{
    if (SANITIZED) step *= 9;
    failing = -1;
    calls = 0;
    const Answer want = work(source);
    const int64_t allocations = calls;
    ASSERT_NE(want.text, "");
    ASSERT_GT(allocations, 10);
    for (const bool all : {false, true})
        for (int64_t n = 0; n < allocations; n += all ? 3 * step : step) {
            and_all_after = all;
            calls = 0;
            failing = n;
            const Answer seen = work(source);
            failing = -1;
            if (seen.text == want.text) continue; /* what is only kept for later can do without */
            ASSERT_NE(seen.code, RV_OK) << "allocation " << n << ": " << seen.text << want.text;
            const bool memory =
                seen.code == RV_ERROR_MEMORY || seen.text.find("memory") != std::string::npos;
            ASSERT_TRUE(memory) << "allocation " << n << ": " << seen.text;
        }
}

TEST(LanguageOutOfMemory, OnARightText) { sweep(text); }

TEST(LanguageOutOfMemory, OnADerivationThatTrains) { sweep(derived, 3, record_derived); }

TEST(LanguageOutOfMemory, OnUnrolls) { sweep(unrolls, 19); }

TEST(LanguageOutOfMemory, OnIncludes)
{
    const std::string folder = testing::TempDir() + "/";
    spit(folder + "half.rv", "include \"third.rv\"\nfunction half(x) = x / 2\n");
    spit(folder + "third.rv", "function third(x) = x / 3\n");
    sweep("include \"half.rv\"\ninclude \"third.rv\"\n"
          "model m\n  input x[2]\n  loss = sum(half(x) + third(x))\n");
}

TEST(LanguageOutOfMemory, OnAWrongText) { sweep(wrong); }

TEST(LanguageOutOfMemory, OnAWrongDerivation) { sweep(slips, 13); }

} // namespace
