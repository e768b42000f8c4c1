// Cells that are linear in their states: computed at all steps at once, they equal the same cell
// step by step.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "lang/zoo.h"
#include "models/cell.h"
#include "models/models.h"
#include "tests/tapes.h"

namespace {

using Options = std::function<void(rv_rnn_options &, Tape &)>;

bool has_op(rv_tape *tape, const char *op)
{
    for (int32_t id = 0; id < rv_tape_count(tape); id++)
        if (!std::strcmp(rv_tape_node(tape, id)->op->name, op)) return true;
    return false;
}

/* What a net computes on random sequences x: all outputs, the last one, the final and the carried
 * states after two runs, and the gradients at x and the parameters. */
struct Result {
    bool scans;
    int32_t nodes;
    Values values;
};

Result run(rv_cell_step step, rv_shape shape, bool stepwise, const Options &set)
{
    Tape t(RV_F64, 3);
    rv_states final[6] = {}, history[6] = {};
    rv_rnn_options options = {};
    options.units = 3;
    options.bias = true;
    options.stepwise = stepwise;
    options.final = final;
    options.history = history;
    set(options, t);
    const rv_var x = t.input("x", shape), all = rv_unroll_outputs(step, x, options),
                 last = rv_unroll_sequence(step, x, options, nullptr);
    Result result = {has_op(t, "scan"), t.count(), {}};
    std::vector<rv_var> outputs = {all, last};
    for (const rv_states &layer : final)
        for (const rv_var h : layer.h)
            if (!rv_is_null(h)) outputs.push_back(h);
    for (const rv_states &layer : history)
        for (const rv_var h : layer.h)
            if (!rv_is_null(h)) outputs.push_back(h);
    rv_var loss = rv_add(total(rv_sin(all)), total(rv_square(last)));
    EXPECT_EQ(t.code(), RV_OK) << t.error();
    if (t.code()) return result;
    std::vector<rv_var> wrt(static_cast<size_t>(rv_parameters(loss, nullptr, 0)));
    rv_parameters(loss, wrt.data(), static_cast<int>(wrt.size()));
    wrt.push_back(x);
    std::vector<rv_var> gradients(wrt.size());
    EXPECT_TRUE(rv_gradient(loss, wrt.data(), static_cast<int>(wrt.size()), gradients.data()))
        << t.error();
    outputs.insert(outputs.end(), gradients.begin(), gradients.end());
    Program p(t, outputs);
    if (testing::Test::HasFailure()) return result;
    rv_init_fill(rv_program_input(p, "x"), rv_init_normal(0, 1), 1);
    if (rv_program_input(p, "lengths")) p.set("lengths", {5, 2, 0});
    p.run();
    p.run();
    for (size_t k = 0; k < outputs.size(); k++) {
        const Values v = values_of(p.tensor(static_cast<int>(k)));
        result.values.insert(result.values.end(), v.begin(), v.end());
    }
    return result;
}

/* Expects that the cell is computed at once, or not, with the results of a net that is unrolled
 * step by step. */
void expect_same(rv_cell_step step, const char *name, bool at_once, const Options &set = {},
                 rv_shape shape = RV_SHAPE(3, 5, 4))
{
    SCOPED_TRACE(name);
    const Options options = set ? set : [](rv_rnn_options &, Tape &) {};
    const Result fast = run(step, shape, false, options), slow = run(step, shape, true, options);
    EXPECT_EQ(fast.scans, at_once) << name;
    EXPECT_FALSE(slow.scans) << name;
    ASSERT_EQ(fast.values.size(), slow.values.size()) << name;
    for (size_t i = 0; i < fast.values.size(); i++)
        ASSERT_NEAR(fast.values[i], slow.values[i], 1e-13 * std::max(1.0, std::abs(slow.values[i])))
            << name << " " << i;
}

TEST(Linear, CellsEqualThemselvesStepByStepUnderAllOptions)
{
    const std::pair<const char *, Options> cases[] = {
        {"plain", {}},
        {"layers", [](auto &o, auto &) { o.layers = 3; }},
        {"skip", [](auto &o, auto &) { o.layers = 2, o.skip = true; }},
        {"residual", [](auto &o, auto &) { o.layers = 2, o.residual = true; }},
        {"bidirectional", [](auto &o, auto &) { o.layers = 2, o.bidirectional = true; }},
        {"both ways", [](auto &o, auto &) { o.layers = 3, o.bidirectional = o.residual = true; }},
        {"learned start", [](auto &o, auto &) { o.learned_start = true; }},
        {"carry", [](auto &o, auto &) { o.layers = 2, o.carry = "c"; }},
        {"lengths", [](auto &o, auto &t) { o.lengths = t.input("lengths", RV_SHAPE(3)); }},
        {"lengths of layers",
         [](auto &o, auto &t) {
             o.layers = 2, o.learned_start = true;
             o.lengths = t.input("lengths", RV_SHAPE(3));
         }},
        {"layer norm", [](auto &o, auto &) { o.layer_norm = true; }},
        {"reverse", [](auto &o, auto &) { o.layers = 2, o.reverse = true; }},
    };
    for (const char *cell : {"mingru", "minlstm", "qrnn", "rg_lru", "mamba"})
        for (const auto &[name, set] : cases)
            expect_same(rv_zoo(cell), (std::string(cell) + ", " + name).c_str(), true, set);
    expect_same(rv_zoo("mingru"), "one step", true, {}, RV_SHAPE(2, 1, 4));
    expect_same(
        rv_zoo("mingru"), "images", true, [](auto &o, auto &) { o.kernel = 3; },
        RV_SHAPE(2, 4, 2, 5, 6));
}

TEST(Linear, WhatNeedsTheValuesOfEachStepIsUnrolledStepByStep)
{
    const std::pair<const char *, Options> cases[] = {
        {"recompute", [](auto &o, auto &) { o.recompute = 2; }},
        {"probes", [](auto &o, auto &) { o.probes = true; }},
        {"lengths both ways",
         [](auto &o, auto &t) {
             o.bidirectional = true, o.lengths = t.input("lengths", RV_SHAPE(3));
         }},
    };
    for (const auto &[name, set] : cases) expect_same(rv_zoo("mingru"), name, false, set);
    expect_same(rv_zoo("mingru"), "lengths in reverse", false, [](auto &o, auto &t) {
        o.reverse = true, o.lengths = t.input("lengths", RV_SHAPE(3));
    });
    for (const char *cell : {"gru", "lstm", "ugrnn", "sru", "fastgrnn"})
        expect_same(rv_zoo(cell), cell, false);
    Tape t;
    rv_rnn_options dropout = {};
    dropout.units = 3;
    dropout.dropout = 0.5;
    rv_unroll_sequence(rv_zoo("mingru"), t.input("x", RV_SHAPE(3, 5, 4)), dropout, nullptr);
    EXPECT_FALSE(has_op(t, "scan"));
}

/* ---- cells in C ---- */

rv_var fitted(rv_cell *k, rv_var x) { return rv_cell_map(k, x, "U"); }
rv_var gate(rv_cell *k, rv_var x) { return rv_sigmoid(rv_cell_map(k, x, "V")); }

TEST(Linear, FurtherInputsAreReadAtAllStepsAtOnce)
{
    const rv_cell_step gated = [](rv_cell *k, rv_var x, rv_var *h) {
        h[0] = rv_add(rv_multiply(gate(k, rv_cell_input(k, 0)), h[0]), fitted(k, x));
    };
    static rv_rnn_input z;
    for (const bool whole : {false, true})
        expect_same(gated, whole ? "all of it" : "a step of it", !whole, [=](auto &o, auto &t) {
            z = {rv_parameter(t, "z", whole ? RV_SHAPE(3, 4) : RV_SHAPE(3, 5, 4),
                              rv_init_uniform(-1, 1)),
                 whole};
            o.layers = 2, o.inputs = &z, o.input_count = 1;
        });
}

TEST(Linear, StatesMayDependOnStatesThatAreKnown)
{
    const rv_cell_step cells[] = {
        [](rv_cell *k, rv_var x, rv_var *h) { h[0] = fitted(k, x); },
        [](rv_cell *k, rv_var x, rv_var *h) { h[0] = rv_add(h[0], fitted(k, x)); },
        [](rv_cell *k, rv_var x, rv_var *h) { h[0] = rv_subtract(fitted(k, x), h[0]); },
        [](rv_cell *k, rv_var x, rv_var *h) { h[0] = rv_divide(h[0], rv_shift(gate(k, x), 1)); },
        /* a coefficient of the first state is a nonlinear function of the second, which is
         * linear */
        [](rv_cell *k, rv_var x, rv_var *h) {
            const rv_var c = rv_add(rv_multiply(gate(k, x), h[1]), fitted(k, x));
            h[0] = rv_add(rv_multiply(rv_tanh(rv_multiply(h[1], c)), h[0]), fitted(k, x));
            h[1] = c;
        },
        /* a matrix product of a known state */
        [](rv_cell *k, rv_var x, rv_var *h) {
            h[0] = rv_add(rv_multiply(h[0], rv_sigmoid(rv_cell_map(k, h[1], "W"))), fitted(k, x));
            h[1] = rv_tanh(fitted(k, x));
        },
        /* a matrix memory that decays, read by a query; both start elsewhere than at zero */
        [](rv_cell *k, rv_var x, rv_var *h) {
            const rv_var C = rv_cell_state(k, h, 1, RV_SHAPE(3, 3), rv_init_normal(0, 1)),
                         q = rv_reshape(fitted(k, x), RV_SHAPE(-1, 3, 1)),
                         y = rv_cell_state(k, h, 0, RV_SCALAR, rv_init_constant(2));
            h[1] = rv_add(rv_scale(C, 0.9), rv_matmul(q, q, false, true));
            h[0] = rv_add(rv_scale(y, 0.5),
                          rv_reshape(rv_matmul(h[1], q, false, false), RV_SHAPE(-1, 3)));
        },
        /* a product of two states of which one is known; an unchanged state */
        [](rv_cell *k, rv_var x, rv_var *h) {
            const rv_var c = rv_multiply(h[2], gate(k, x));
            h[0] = rv_add(rv_multiply(h[0], h[2]), fitted(k, x));
            h[2] = rv_add(c, rv_scale(gate(k, x), 0.5));
        },
    };
    int i = 0;
    for (const rv_cell_step step : cells) {
        const std::string name = "cell " + std::to_string(i);
        expect_same(step, name.c_str(), i > 0);
        expect_same(step, (name + ", layers").c_str(), i > 0, [](auto &o, auto &) {
            o.layers = 2;
            o.learned_start = true;
        });
        expect_same(step, (name + ", lengths").c_str(), true,
                    [](auto &o, auto &t) { o.lengths = t.input("lengths", RV_SHAPE(3)); });
        expect_same(step, (name + ", carried").c_str(), i > 0,
                    [](auto &o, auto &) { o.carry = "c"; });
        i++;
    }
}

TEST(Linear, OtherCellsAreUnrolledStepByStep)
{
    const std::pair<const char *, rv_cell_step> cells[] = {
        {"square",
         [](rv_cell *k, rv_var x, rv_var *h) {
             h[0] = rv_add(rv_scale(rv_multiply(h[0], h[0]), 0.1), fitted(k, x));
         }},
        {"tanh",
         [](rv_cell *k, rv_var x, rv_var *h) { h[0] = rv_tanh(rv_add(h[0], fitted(k, x))); }},
        {"reciprocal",
         [](rv_cell *k, rv_var x, rv_var *h) {
             h[0] = rv_divide(gate(k, x), rv_shift(rv_square(h[0]), 1));
         }},
        {"stopped gradient",
         [](rv_cell *k, rv_var x, rv_var *h) {
             h[0] = rv_add(rv_multiply(rv_stop_gradient(h[0]), gate(k, x)), fitted(k, x));
         }},
        {"matrix", [](rv_cell *k, rv_var x,
                      rv_var *h) { h[0] = rv_add(rv_cell_map(k, h[0], "W"), fitted(k, x)); }},
        {"in a circle",
         [](rv_cell *k, rv_var x, rv_var *h) {
             const rv_var c = rv_scale(h[0], 0.5);
             h[0] = rv_add(h[1], fitted(k, x));
             h[1] = c;
         }},
        {"the mean over the batch",
         [](rv_cell *k, rv_var x, rv_var *h) {
             h[0] = rv_add(rv_multiply(h[0], gate(k, x)),
                           rv_subtract(fitted(k, x), rv_mean(fitted(k, x), 1, true)));
         }},
        {"rows in another order",
         [](rv_cell *k, rv_var x, rv_var *h) {
             h[0] = rv_add(rv_multiply(h[0], gate(k, x)), rv_flip(fitted(k, x), 1));
         }},
        {"an axis of the state",
         [](rv_cell *k, rv_var x, rv_var *h) {
             h[0] = rv_add(rv_multiply(rv_flip(h[0], 2), gate(k, x)), fitted(k, x));
         }},
    };
    for (const auto &[name, step] : cells) expect_same(step, name, false);
    Tape t;
    rv_unroll_sequence(
        [](rv_cell *k, rv_var x, rv_var *h) {
            h[0] = rv_add(rv_multiply(h[0], gate(k, x)),
                          rv_random(x.tape, "noise", rv_shape_of(h[0])));
        },
        t.input("x", RV_SHAPE(3, 5, 4)), {}, nullptr);
    EXPECT_FALSE(has_op(t, "scan")) << t.error();
}

TEST(Linear, ATapeDoesNotGrowWithTheSteps)
{
    const Options none = [](rv_rnn_options &, Tape &) {};
    EXPECT_EQ(run(rv_zoo("mingru"), RV_SHAPE(3, 5, 4), false, none).nodes,
              run(rv_zoo("mingru"), RV_SHAPE(3, 5000, 4), false, none).nodes);
}

} // namespace
