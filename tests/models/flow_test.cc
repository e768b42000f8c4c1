/* Norms of the gradient by time step, held to a net that was written out step by step. */
#include "models/flow.h"

#include <cmath>
#include <map>

#include "models/models.h"
#include "tests/tapes.h"

namespace {

const int64_t steps = 4, n = 3, inputs = 2, units = 5;

void plain(rv_cell *k, rv_var x, rv_var *h)
{
    const rv_var W = rv_cell_parameter(k, "W", RV_SHAPE(inputs, units), rv_init_uniform(-1, 1));
    const rv_var U = rv_cell_parameter(k, "U", RV_SHAPE(units, units), rv_init_uniform(-1, 1));
    *h = rv_tanh(rv_add(rv_matmul(x, W, false, false), rv_matmul(*h, U, false, false)));
}

rv_rnn_options options(bool probes)
{
    rv_rnn_options o = {};
    o.units = units;
    o.probes = probes;
    return o;
}

/* The loss of the net on x, in which the outputs of all steps count. */
rv_var loss_of(rv_var x, rv_rnn_options o)
{
    rv_var y[steps];
    rv_unroll_sequence(plain, x, o, y);
    rv_var sum = total(rv_square(y[0]));
    for (int t = 1; t < steps; t++) sum = rv_add(sum, total(rv_square(y[t])));
    return sum;
}

/* name -> the norms of its columns, NAN where there is none. */
using Norms = std::map<std::string, Values>;

Norms norms_of(const Tape &t, rv_var loss)
{
    rv_flow flow;
    Norms norms;
    EXPECT_TRUE(rv_flow_make(&flow, loss)) << t.error();
    std::vector<rv_var> outputs;
    const int64_t columns = flow.steps + 1;
    for (int64_t i = 0; i < flow.count * columns; i++)
        if (!rv_is_null(flow.norm[i])) outputs.push_back(flow.norm[i]);
    Program p(t, outputs, RV_VALUES);
    rv_init_fill(rv_program_input(p, "x"), rv_init_uniform(-1, 1), 5);
    p.run();
    for (int64_t i = 0, k = 0; i < flow.count * columns; i++) {
        const bool known = !rv_is_null(flow.norm[i]);
        norms[flow.name[i / columns]].push_back(known ? p.value(static_cast<int>(k++)) : NAN);
    }
    rv_flow_free(&flow);
    return norms;
}

double norm(const Values &values)
{
    double sum = 0;
    for (const double v : values) sum += v * v;
    return std::sqrt(sum);
}

TEST(Flow, IsThatOfANetWithParametersOfItsOwnForEachStep)
{
    Tape t(RV_F64, 3), apart(RV_F64, 3);
    const rv_shape shape = RV_SHAPE(n, steps, inputs);
    const Norms norms = norms_of(t, loss_of(t.input("x", shape), options(true)));

    std::vector<rv_var> wrt;
    const rv_var x = apart.input("x", shape);
    rv_var h = rv_full(apart, RV_SHAPE(n, units), 0), loss = rv_scalar(apart, 0);
    for (int64_t s = 0; s < steps; s++) {
        const std::string number = std::to_string(s);
        const rv_var W = apart.parameter(("W" + number).c_str(), RV_SHAPE(inputs, units));
        const rv_var U = apart.parameter(("U" + number).c_str(), RV_SHAPE(units, units));
        const rv_var xs = rv_reshape(rv_slice_axis(x, 1, s, 1), RV_SHAPE(n, inputs));
        h = rv_tanh(rv_add(rv_matmul(xs, W, false, false), rv_matmul(h, U, false, false)));
        loss = rv_add(loss, total(rv_square(h)));
        for (const rv_var v : {W, U, h}) wrt.push_back(v);
        for (const char *name : {"W", "U"})
            rv_tensor_copy(&apart.stored((name + number).c_str()), &t.stored(name), nullptr);
    }
    Program p(apart, gradients(loss, wrt), RV_VALUES);
    rv_init_fill(rv_program_input(p, "x"), rv_init_uniform(-1, 1), 5);
    p.run();
    const char *const names[] = {"W", "U", "h"};
    for (int k = 0; k < 3; k++) {
        Values whole(p.values(k).size());
        const Values &seen = norms.at(names[k]);
        ASSERT_EQ(seen.size(), static_cast<size_t>(steps + 1));
        for (int s = 0; s < steps; s++) {
            const Values part = p.values(3 * s + k);
            EXPECT_NEAR(seen[static_cast<size_t>(s) + 1], norm(part), 1e-12) << names[k] << s;
            for (size_t i = 0; i < part.size(); i++) whole[i] += part[i];
        }
        if (k < 2)
            EXPECT_NEAR(seen[0], norm(whole), 1e-12) << names[k];
        else
            EXPECT_TRUE(std::isnan(seen[0]));
    }
    EXPECT_EQ(norms.at("U")[1], 0); /* the first step reads no state */
    EXPECT_EQ(norms.size(), 3u);
}

TEST(Flow, OfLayersAndDirectionsHasTheirNames)
{
    Tape t(RV_F64, 3);
    rv_rnn_options o = options(true);
    o.layers = 2;
    o.name = "net";
    o.bidirectional = true;
    const auto cell = [](rv_cell *k, rv_var x, rv_var *h) {
        *h = rv_tanh(rv_add(rv_cell_map(k, x, "W"), rv_cell_map(k, *h, "U")));
    };
    const rv_var y = rv_unroll_sequence(cell, t.input("x", RV_SHAPE(n, steps, inputs)), o, nullptr);
    const Norms norms = norms_of(t, total(rv_square(y)));
    EXPECT_EQ(norms.size(), 12u);
    for (const char *name : {"net/layer0/forward/W", "net/layer1/backward/h"}) {
        ASSERT_EQ(norms.count(name), 1u) << name;
        EXPECT_EQ(norms.at(name).size(), static_cast<size_t>(steps + 1));
        EXPECT_GT(norms.at(name)[2], 0);
    }
}

TEST(Flow, OfABackwardDirectionIsThatOfTheSequenceTurnedRound)
{
    Tape both(RV_F64, 3), turned(RV_F64, 3);
    const rv_shape shape = RV_SHAPE(n, steps, inputs);
    rv_rnn_options o = options(true);
    o.bidirectional = true;
    const rv_var y = rv_unroll_sequence(plain, both.input("x", shape), o, nullptr);
    const rv_var z = rv_unroll_sequence(plain, rv_flip(turned.input("x", shape), 1u << 1),
                                        options(true), nullptr);
    for (const std::string name : {"W", "U"})
        rv_tensor_copy(&turned.stored(name.c_str()), &both.stored(("backward/" + name).c_str()),
                       nullptr);
    const Norms seen = norms_of(both, total(rv_square(y)));
    for (const auto &row : norms_of(turned, total(rv_square(z))))
        for (size_t i = 0; i <= static_cast<size_t>(steps); i++) {
            const double norm = seen.at("backward/" + row.first)[i];
            EXPECT_EQ(std::isnan(norm), std::isnan(row.second[i])) << row.first << i;
            if (!std::isnan(norm)) {
                EXPECT_NEAR(norm, row.second[i], 1e-12) << row.first << i;
            }
        }
}

/* Learned first states are called h0, h1, ..; the second of two states is called h1, too. */
TEST(Flow, OfAStateAndAParameterOfItsNameAreTwoRows)
{
    Tape t(RV_F64, 3);
    rv_rnn_options o = options(true);
    o.learned_start = true;
    const auto cell = [](rv_cell *k, rv_var x, rv_var *h) {
        h[1] = rv_add(h[1], rv_tanh(rv_add(rv_cell_map(k, x, "W"), rv_cell_map(k, h[0], "U"))));
        h[0] = rv_tanh(h[1]);
    };
    rv_flow flow;
    ASSERT_TRUE(rv_flow_make(
        &flow,
        total(rv_unroll_sequence(cell, t.input("x", RV_SHAPE(n, steps, inputs)), o, nullptr))));
    std::multimap<std::string, bool> rows;
    for (int i = 0; i < flow.count; i++) rows.insert({flow.name[i], flow.state[i]});
    EXPECT_EQ(rows.size(), 6u);
    EXPECT_EQ(rows.count("h1"), 2u);
    for (int i = 0; i < flow.count; i++)
        EXPECT_EQ(rv_is_null(flow.norm[i * (steps + 1)]), flow.state[i]) << flow.name[i];
    rv_flow_free(&flow);
}

TEST(Flow, OfTwoNetsOnATapeIsThatOfBothTogether)
{
    Norms norms[3];
    for (int which = 0; which < 3; which++) {
        Tape t(RV_F64, 3);
        const rv_var x = t.input("x", RV_SHAPE(n, steps, inputs));
        rv_var loss = rv_scalar(t, 0);
        if (which != 1) loss = rv_add(loss, loss_of(x, options(true)));
        if (which != 0) loss = rv_add(loss, loss_of(rv_scale(x, 2), options(true)));
        norms[which] = norms_of(t, loss);
    }
    for (size_t i = 1; i <= static_cast<size_t>(steps); i++)
        EXPECT_NEAR(norms[2].at("h")[i], std::hypot(norms[0].at("h")[i], norms[1].at("h")[i]),
                    1e-12);
}

TEST(Flow, HasNoRowOfAStateThatIsCarried)
{
    Tape t(RV_F64, 3);
    rv_rnn_options o = options(true);
    o.carry = "train";
    EXPECT_EQ(norms_of(t, loss_of(t.input("x", RV_SHAPE(n, steps, inputs)), o)).size(), 3u);
}

TEST(Flow, GoesBeyondTheRangeOfF32)
{
    const double scales[] = {1, 1e-30, 1e30};
    double seen[3];
    for (int i = 0; i < 3; i++) {
        Tape t(RV_F32, 3);
        const rv_var loss = loss_of(t.input("x", RV_SHAPE(n, steps, inputs)), options(true));
        seen[i] = norms_of(t, rv_scale(loss, scales[i])).at("U")[steps] / scales[i];
    }
    EXPECT_GT(seen[0], 0);
    EXPECT_NEAR(seen[1], seen[0], 1e-5 * seen[0]);
    EXPECT_NEAR(seen[2], seen[0], 1e-5 * seen[0]);
}

TEST(Flow, HasNoStepThatNoNetOfTheTapesSizeCanHave)
{
    Tape t;
    rv_flow flow;
    const rv_var w = t.parameter("w", RV_SHAPE(2));
    EXPECT_TRUE(rv_flow_make(&flow, total(rv_add(rv_probe(w, 0), rv_probe(w, INT64_MAX)))));
    EXPECT_EQ(flow.steps, 1);
    rv_flow_free(&flow);
}

TEST(Flow, OptionChangesNoBitAndNoInstruction)
{
    std::string bytes[2];
    int64_t instructions[2];
    for (const bool each : {false, true}) {
        Tape t(RV_F32, 3);
        const rv_var loss = loss_of(t.input("x", RV_SHAPE(n, steps, inputs)), options(each));
        std::vector<rv_var> w(2);
        EXPECT_EQ(rv_parameters(loss, w.data(), 2), 2);
        Program p(t, gradients(loss, w));
        rv_init_fill(rv_program_input(p, "x"), rv_init_uniform(-1, 1), 5);
        p.run();
        bytes[each] = p.bytes(0) + p.bytes(1);
        instructions[each] = p.stats().instructions;
    }
    EXPECT_EQ(bytes[0], bytes[1]);
    EXPECT_EQ(instructions[0], instructions[1]);
}

TEST(Flow, OfALossWithoutParametersIsAnError)
{
    Tape t;
    rv_flow flow;
    EXPECT_FALSE(rv_flow_make(&flow, total(t.input("x", RV_SHAPE(2)))));
    EXPECT_EQ(t.error(), "flow: the loss depends on no parameter; check what made it");
    rv_flow_free(&flow);
    EXPECT_FALSE(rv_flow_make(&flow, {t, -1}));
    rv_flow_free(&flow);
}

} // namespace
