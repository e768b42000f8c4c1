/* The values and gradients that the page shows are those of the net. */
#include <cmath>
#include <utility>

#include "tests/playground/page.h"

namespace {

using Numbers = std::vector<double>;

struct Case {
    std::string text, settings;
};

/* Cells with gates, without, with several states and layers, linear in their states, with a net of
 * their own. */
const std::vector<Case> cases = {
    {"", R"("model": "curnn", "classes": "0,1", "units": "2", "dtype": "f64")"},
    {"", R"("model": "lstm", "task": "adding", "length": "4", "samples": "20", "units": "3",
            "layers": "2", "dtype": "f64")"},
    {"", R"("model": "mingru", "task": "adding", "length": "3", "samples": "20", "units": "2",
            "dtype": "f64")"},
    {"models/curnn_blog.rv", R"("model": "", "classes": "0,1", "batch-size": "1", "dtype": "f64")"},
};

void open(const Case &c)
{
    const Answer opened("open", R"({"run": 0, "text": )" +
                                    as_json(c.text.empty() ? "" : file(c.text)) +
                                    R"(, "settings": {)" + c.settings + "}}");
    ASSERT_EQ(opened.error(), "");
}

rv_store *store_of_run()
{
    rv_error error = {};
    cJSON *arguments = cJSON_Parse(R"({"run": 0})");
    const page_task task = {arguments, nullptr, &error};
    rv_trainer *trainer = session_trainer(&task);
    EXPECT_NE(trainer, nullptr) << error.text;
    cJSON_Delete(arguments);
    return rv_trainer_store(trainer);
}

const std::string sample = R"({"run": 0, "index": 3})";

double largest(const Numbers &x)
{
    double most = 0;
    for (double value : x) most = std::fmax(most, std::fabs(value));
    return most;
}

void expect_near(const Numbers &a, const Numbers &b, double tolerance)
{
    ASSERT_EQ(a.size(), b.size());
    const double scale = std::fmax(largest(a), largest(b)) + 1e-12;
    for (size_t i = 0; i < a.size(); i++) EXPECT_NEAR(a[i], b[i], tolerance * scale) << i;
}

class Inspect : public ::testing::Test {
  protected:
    void TearDown() override { page_close(); }
};

TEST_F(Inspect, ParametersHaveTheGradientOfDifferences)
{
    const double step = 1e-4;
    for (const Case &c : cases) {
        SCOPED_TRACE(c.settings);
        open(c);
        const Answer at("inspect", sample);
        ASSERT_EQ(at.error(), "");
        const cJSON *parameter = nullptr;
        cJSON_ArrayForEach(parameter, at.list("parameters"))
        {
            const std::string name = Answer::text(parameter, "name");
            SCOPED_TRACE(name);
            rv_tensor *tensor = &rv_store_find(store_of_run(), name.c_str())->tensor;
            const Numbers gradient = at.numbers(parameter, "gradient");
            ASSERT_EQ(static_cast<int64_t>(gradient.size()), rv_tensor_count(tensor));
            Numbers some, differences;
            for (size_t i = 0; i < gradient.size(); i += 1 + gradient.size() / 4) {
                const double x = rv_tensor_get(tensor, static_cast<int64_t>(i));
                double loss[2];
                for (int side : {0, 1}) {
                    rv_tensor_set(tensor, static_cast<int64_t>(i), side ? x + step : x - step);
                    loss[side] = Answer("inspect", sample).number("loss");
                }
                rv_tensor_set(tensor, static_cast<int64_t>(i), x);
                some.push_back(gradient[i]);
                differences.push_back((loss[1] - loss[0]) / (2 * step));
            }
            const double scale = largest(gradient) + 1e-9;
            for (size_t i = 0; i < some.size(); i++)
                EXPECT_NEAR(some[i], differences[i], 1e-5 * scale) << i;
        }
    }
}

/* h' = g.h + (1 - g).c */
TEST_F(Inspect, GatesAndStatesHaveTheGradientOfTheirEquation)
{
    open(cases[0]);
    const Answer at("inspect", sample);
    ASSERT_EQ(at.error(), "");
    const int steps = static_cast<int>(at.number("steps"));
    ASSERT_GE(steps, 2);
    const cJSON *signal[3] = {at.named("signals", "g"), at.named("signals", "c"),
                              at.named("signals", "h")};
    Numbers value[3], gradient[3];
    for (int k = 0; k < 3; k++) {
        value[k] = at.numbers(signal[k], "values");
        gradient[k] = at.numbers(signal[k], "gradient");
        EXPECT_EQ(Answer::text(signal[k], "kind"), k == 2 ? "state" : "gate");
        EXPECT_EQ(Answer::number(signal[k], "steps"), steps);
    }
    const size_t size = value[0].size() / static_cast<size_t>(steps);
    EXPECT_EQ(size, 2u * 4 * 4);
    Numbers dg, dc;
    for (size_t i = 0; i < value[0].size(); i++) {
        const double h = i < size ? 0 : value[2][i - size];
        dg.push_back((h - value[1][i]) * gradient[2][i]);
        dc.push_back((1 - value[0][i]) * gradient[2][i]);
        EXPECT_NEAR(value[2][i], value[0][i] * h + (1 - value[0][i]) * value[1][i], 1e-6);
    }
    expect_near(gradient[0], dg, 1e-5);
    expect_near(gradient[1], dc, 1e-5);
}

TEST_F(Inspect, AnInputOfOnesOwnHasTheGradientOfDifferences)
{
    open(cases[0]);
    Numbers x(64, 0.25);
    const auto loss_of = [](const Numbers &image) {
        std::string arguments = R"({"run": 0, "y": [1], "x": [)";
        for (size_t i = 0; i < image.size(); i++)
            arguments += (i ? "," : "") + std::to_string(image[i]);
        return Answer("inspect", arguments + "]}");
    };
    const Answer at = loss_of(x);
    ASSERT_EQ(at.error(), "");
    EXPECT_EQ(at.number("label"), 1);
    const Numbers gradient = at.numbers(at.named("signals", "input"), "gradient");
    ASSERT_EQ(gradient.size(), 64u);
    for (size_t i : {9u, 36u}) {
        x[i] = 0.25 + 1e-3;
        const double above = loss_of(x).number("loss");
        x[i] = 0.25 - 1e-3;
        const double below = loss_of(x).number("loss");
        x[i] = 0.25;
        EXPECT_NEAR(gradient[i], (above - below) / 2e-3, 1e-5 * largest(gradient));
    }
}

TEST_F(Inspect, TheTermsOfAGradientAddUpToIt)
{
    for (const Case &c : cases) {
        SCOPED_TRACE(c.settings);
        open(c);
        const Answer at("inspect", sample);
        ASSERT_EQ(at.error(), "");
        int shared = 0;
        for (const char *list : {"signals", "parameters"}) {
            const cJSON *item = nullptr;
            cJSON_ArrayForEach(item, at.list(list))
            {
                const std::string name = Answer::text(item, "name");
                const bool moves =
                    cJSON_GetObjectItem(item, "steps") && Answer::text(item, "kind") != "input";
                const int steps = moves ? static_cast<int>(Answer::number(item, "steps")) : 1;
                for (int t = 1; t <= steps; t++) {
                    SCOPED_TRACE(name + "[" + std::to_string(t) + "]");
                    const Answer one("value", R"({"run": 0, "index": 3, "name": )" + as_json(name) +
                                                  R"(, "step": )" + std::to_string(t) + "}");
                    ASSERT_EQ(one.error(), "");
                    const Numbers gradient = one.numbers(one.result(), "gradient");
                    Numbers sum(gradient.size(), 0);
                    const cJSON *term = nullptr;
                    cJSON_ArrayForEach(term, one.list("terms"))
                    {
                        const Numbers part = one.numbers(term, "gradient");
                        ASSERT_EQ(part.size(), sum.size());
                        double squares = 0;
                        for (size_t i = 0; i < part.size(); i++) {
                            sum[i] += part[i];
                            squares += part[i] * part[i];
                        }
                        EXPECT_NEAR(Answer::number(term, "norm"), std::sqrt(squares),
                                    1e-5 * std::sqrt(squares));
                    }
                    expect_near(sum, gradient, 1e-6);
                    shared += cJSON_GetArraySize(one.list("terms")) > 1;
                }
            }
        }
        EXPECT_GT(shared, 2);
    }
}

TEST_F(Inspect, TermsNameTheEquationsThatUseAValue)
{
    open(cases[3]);
    const Answer one("value", R"({"run": 0, "index": 0, "name": "h", "step": 1})");
    ASSERT_EQ(one.error(), "");
    std::vector<std::pair<std::string, std::string>> uses;
    const cJSON *term = nullptr;
    cJSON_ArrayForEach(term, one.list("terms"))
    {
        EXPECT_EQ(Answer::number(term, "step"), 2);
        uses.emplace_back(Answer::text(term, "name"), Answer::text(term, "operation"));
    }
    const std::vector<std::pair<std::string, std::string>> expected = {{"hp", "pad(h)"},
                                                                       {"h", "subtract(h, c)"}};
    EXPECT_EQ(uses, expected);
    const Answer at("inspect", sample);
    for (const char *name : {"input", "c", "g", "h", "h0", "hp", "C", "G", "f1", "a", "o"})
        EXPECT_NE(at.named("signals", name), nullptr);
}

/* Biases named after another gate, and a function inside an equation, do not mislead. */
TEST_F(Inspect, SignalsAreCalledAsTheirEquations)
{
    open({"", R"("model": "cfc", "task": "adding", "samples": "20", "units": "2")"});
    const Answer at("inspect", sample);
    ASSERT_EQ(at.error(), "");
    std::string names;
    const cJSON *signal = nullptr;
    cJSON_ArrayForEach(signal, at.list("signals")) names += Answer::text(signal, "name") + " ";
    EXPECT_EQ(names, "input z f g t h ");
}

/* Of one sample, the norms over a batch are those of the gradients that inspect returns. */
TEST_F(Inspect, NormsAreThoseOfTheGradients)
{
    open({"", R"("model": "gru", "task": "adding", "length": "5", "samples": "2", "validation": "1",
                 "units": "3", "dtype": "f64")"});
    const Answer norms("norms", R"({"run": 0})"), at("inspect", R"({"run": 0, "index": 0})");
    ASSERT_EQ(norms.error() + at.error(), "");
    EXPECT_EQ(norms.number("samples"), 1);
    EXPECT_EQ(norms.number("steps"), 5);
    const Numbers h = norms.numbers(norms.named("rows", "h"), "norms");
    const Numbers gradient = at.numbers(at.named("signals", "h"), "gradient");
    ASSERT_EQ(h.size(), 6u);
    ASSERT_EQ(gradient.size(), 15u);
    for (size_t t = 0; t < 5; t++)
        EXPECT_NEAR(h[t + 1], std::hypot(gradient[3 * t], gradient[3 * t + 1], gradient[3 * t + 2]),
                    1e-6 * h[5]);
}

TEST_F(Inspect, WhatThereIsNotIsAnError)
{
    EXPECT_EQ(Answer("inspect", sample).error(), "run 0 is not open; open it first");
    open(cases[0]);
    EXPECT_EQ(Answer("value", R"({"run": 0, "name": "q", "step": 1})").error(),
              "the net has no \"q\" at step 1");
    EXPECT_EQ(Answer("value", R"({"run": 0, "name": "h", "step": 3})").error(),
              "the net has no \"h\" at step 3");
    EXPECT_EQ(Answer("inspect", R"({"run": 0, "x": [1, 2]})").error(),
              "x has 2 numbers, a sample of this run 64");
    EXPECT_NE(Answer("inspect", R"({"run": 0, "index": 1e9})")
                  .error()
                  .find("got sample 1e+09, expected 0 to "),
              std::string::npos);
}

} // namespace
