// curnn-blog is the published program's net: its values, its true gradients, and the hand
// derivation's.
#include <gtest/gtest.h>

#include <cmath>

#include "recurve.h"
#include "tests/reference.h"
#include "tests/oracles/curnn_by_hand.h"

namespace {

struct Weight {
    const char *parameter, *reference;
    double *(*by_hand)(by_hand_curnn *);
};

const Weight weights[] = {
    {"Wxc", "wxc", [](by_hand_curnn *w) { return w->wxc; }},
    {"Wxg", "wxg", [](by_hand_curnn *w) { return w->wxg; }},
    {"Wrecc", "wrecc", [](by_hand_curnn *w) { return w->wrecc; }},
    {"Wrecg", "wrecg", [](by_hand_curnn *w) { return w->wrecg; }},
    {"W1", "w1", [](by_hand_curnn *w) { return w->w1; }},
    {"W2", "w2", [](by_hand_curnn *w) { return w->w2; }},
};

// The largest difference, relative to the largest expected element, or to 1 if that is larger.
double difference(const std::vector<double> &seen, const std::vector<double> &expected,
                  double at_least)
{
    double most = seen.size() == expected.size() ? 0 : INFINITY, scale = at_least;
    for (size_t i = 0; i < seen.size(); i++) {
        most = std::fmax(most, std::fabs(seen[i] - expected[i]));
        scale = std::fmax(scale, std::fabs(expected[i]));
    }
    return most / scale;
}

class Published : public testing::Test {
  protected:
    Published() : store(rv_store_new(0)), tape(rv_tape_new(store, RV_F64))
    {
        const rv_model *model = rv_model_find("curnn-blog");
        rv_var x = rv_input(tape, "x", RV_SHAPE(1, 1, 8, 8));
        rv_net_options options = {};
        options.classes = 2;
        const rv_net net = rv_model_record(model, &options, x, rv_input(tape, "y", RV_SHAPE(1)));
        logits = net.output;
        loss = net.loss;
        set("h0", reference.f64("h0"));
        for (const Weight &w : weights)
            set(w.parameter, reference.f64(std::string("init.") + w.reference));
    }
    ~Published() override
    {
        rv_tape_free(tape);
        rv_store_free(store);
    }

    void set(const char *name, const std::vector<double> &values)
    {
        rv_entry *entry = rv_store_find(store, name);
        ASSERT_NE(entry, nullptr) << name;
        ASSERT_EQ(rv_tensor_count(&entry->tensor), static_cast<int64_t>(values.size())) << name;
        for (size_t i = 0; i < values.size(); i++)
            rv_tensor_set(&entry->tensor, static_cast<int64_t>(i), values[i]);
    }

    // The values of vars for the first training image.
    std::vector<std::vector<double>> evaluate(const std::vector<rv_var> &vars)
    {
        rv_program *program = rv_compile(tape, vars.data(), static_cast<int>(vars.size()));
        EXPECT_NE(program, nullptr) << rv_tape_error(tape)->text;
        std::vector<std::vector<double>> results;
        if (!program) return results;
        rv_tensor *x = rv_program_input(program, "x");
        for (int64_t i = 0; i < 64; i++)
            rv_tensor_set(x, i, reference.f64("sample0.x")[static_cast<size_t>(i)]);
        rv_tensor_set(rv_program_input(program, "y"), 0, reference.f64("sample0.y")[0]);
        rv_run(program);
        for (int k = 0; k < static_cast<int>(vars.size()); k++) {
            const rv_tensor *out = rv_program_output(program, k);
            results.emplace_back();
            for (int64_t i = 0; i < rv_tensor_count(out); i++)
                results.back().push_back(rv_tensor_get(out, i));
        }
        rv_program_free(program);
        return results;
    }

    // The k-th value (from 0) that the op `name` computes, in tape order.
    rv_var nth(const char *name, int k)
    {
        for (int32_t id = 0; id < rv_tape_count(tape); id++)
            if (!std::strcmp(rv_tape_node(tape, id)->op->name, name) && k-- == 0) return {tape, id};
        ADD_FAILURE() << "no such " << name;
        return {tape, -1};
    }

    std::vector<std::vector<double>> gradients()
    {
        std::vector<rv_var> w, g(std::size(weights));
        for (const Weight &weight : weights)
            for (int32_t id = 0; id < rv_tape_count(tape); id++)
                if (const rv_node *node = rv_tape_node(tape, id);
                    node->op == &rv_op_parameter && !std::strcmp(node->name, weight.parameter))
                    w.push_back({tape, id});
        EXPECT_TRUE(rv_gradient(loss, w.data(), static_cast<int>(w.size()), g.data()))
            << rv_tape_error(tape)->text;
        return evaluate(g);
    }

    Reference reference;
    rv_store *store;
    rv_tape *tape;
    rv_var logits, loss;
};

TEST_F(Published, ActivationsAndLossAreThoseOfTheProgram)
{
    const struct {
        const char *name;
        rv_var var;
    } values[] = {
        {"c1", nth("tanh", 0)},
        {"g1", nth("arctan", 0)},
        {"c2", nth("tanh", 1)},
        {"g2", nth("arctan", 1)},
        {"a", nth("arctan", 2)},
        {"o", nth("sigmoid", 0)},
        {"loss", loss},
        {"C1", {tape, rv_tape_node(tape, nth("tanh", 0).id)->in[0]}},
        {"G1", {tape, rv_tape_node(tape, nth("arctan", 0).id)->in[0]}},
        {"C2", {tape, rv_tape_node(tape, nth("tanh", 1).id)->in[0]}},
        {"G2", {tape, rv_tape_node(tape, nth("arctan", 1).id)->in[0]}},
        {"f1", {tape, rv_tape_node(tape, nth("arctan", 2).id)->in[0]}},
    };
    std::vector<rv_var> vars;
    for (const auto &value : values) vars.push_back(value.var);
    auto seen = evaluate(vars);
    for (size_t i = 0; i < seen.size(); i++)
        EXPECT_LE(difference(seen[i], reference.f64(std::string("sample0.") + values[i].name), 1),
                  1e-13)
            << values[i].name;
}

TEST_F(Published, GradientsAreTheTrueOnes)
{
    auto seen = gradients();
    for (size_t i = 0; i < seen.size(); i++)
        EXPECT_LE(
            difference(seen[i],
                       reference.f64(std::string("sample0.grad_true.") + weights[i].reference), 0),
            1e-12)
            << weights[i].parameter;
}

TEST_F(Published, GradientsAreThoseOfTheCorrectedDerivationByHand)
{
    by_hand_curnn w, g;
    by_hand_curnn_trace trace;
    for (const Weight &weight : weights) {
        auto values = reference.f64(std::string("init.") + weight.reference);
        std::copy(values.begin(), values.end(), weight.by_hand(&w));
    }
    by_hand_curnn_forward(&w, reference.f64("h0").data(), reference.f64("sample0.x").data(),
                          reference.f64("sample0.y")[0], &trace);
    by_hand_curnn_gradient(&w, &trace, BY_HAND_ALL_CORRECTIONS, &g);
    auto seen = gradients();
    for (size_t i = 0; i < seen.size(); i++) {
        const double *start = weights[i].by_hand(&g);
        EXPECT_LE(difference(seen[i], std::vector<double>(start, start + seen[i].size()), 0), 1e-12)
            << weights[i].parameter;
    }
}

TEST_F(Published, GradientsAreNotThePublishedOnes)
{
    auto seen = gradients();
    for (size_t i = 0; i < 4; i++)
        EXPECT_GT(
            difference(seen[i],
                       reference.f64(std::string("sample0.grad_blog.") + weights[i].reference), 0),
            0.1)
            << weights[i].parameter;
}

} // namespace
