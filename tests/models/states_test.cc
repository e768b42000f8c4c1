// States whose shape and initial values a step declares: matrices, numbers, windows of past values.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <string>

#include "autograd/gradcheck.h"
#include "models/flow.h"
#include "models/models.h"
#include "tests/tapes.h"

namespace {

constexpr int n = 3, steps = 4, units = 2, window = 3;
const rv_shape sequence = RV_SHAPE(n, steps, units);

rv_var column(rv_var x) { return rv_reshape(x, RV_SHAPE(-1, units, 1)); }

/*   C' = C / 2 + x x^T            a matrix, from the identity
 *   m' = max(m, sum x)            a number, from -1
 *   H' = the last 3 h, newest last, from drawn values
 *   h' = C' h / 2 + x + m' + sum over H, from 1/2 */
void memory(rv_cell *k, rv_var x, rv_var *h)
{
    const rv_var y = rv_cell_state(k, h, 0, RV_SCALAR, rv_init_constant(0.5));
    const rv_var C = rv_cell_state(k, h, 1, RV_SHAPE(units, units), rv_init_identity());
    const rv_var m = rv_cell_state(k, h, 2, RV_SHAPE(1), rv_init_constant(-1));
    const rv_var H = rv_cell_state(k, h, 3, RV_SHAPE(window, units), rv_init_normal(0, 1));
    h[1] = rv_add(rv_scale(C, 0.5), rv_matmul(column(x), column(x), false, true));
    h[2] = rv_maximum(m, rv_sum(x, 1u << 1, true));
    const rv_var read = rv_reshape(rv_matmul(h[1], column(y), false, false), RV_SHAPE(-1, units));
    h[0] = rv_add(rv_add(rv_scale(read, 0.5), x), rv_add(h[2], rv_sum(H, 1u << 1, false)));
    const rv_var kept[] = {rv_slice_axis(H, 1, 1, window - 1),
                           rv_reshape(h[0], RV_SHAPE(-1, 1, units))};
    h[3] = rv_concat(kept, 2, 1);
}

/* The states of one sample, flat, and the same step in plain C++. */
struct Plain {
    Values h = {0.5, 0.5}, C = {1, 0, 0, 1}, m = {-1}, H;
    void step(const double *x)
    {
        for (size_t i = 0; i < 4; i++) C[i] = C[i] / 2 + x[i / 2] * x[i % 2];
        m[0] = std::max(m[0], x[0] + x[1]);
        Values next(2);
        for (size_t i = 0; i < 2; i++)
            next[i] = (C[2 * i] * h[0] + C[2 * i + 1] * h[1]) / 2 + x[i] + m[0] + H[i] + H[i + 2] +
                      H[i + 4];
        h = next;
        H = {H[2], H[3], H[4], H[5], h[0], h[1]};
    }
};

Values data()
{
    Values x;
    for (int i = 0; i < n * steps * units; i++) x.push_back(std::sin(2 * i + 1));
    return x;
}

/* The outputs [n,steps,units] of the plain step on sequences of these lengths, from drawn values H.
 * Updates the states. */
Values plain(std::vector<Plain> &state, const Values &x, const Values &lengths, bool backward)
{
    Values y(x.size());
    for (size_t s = 0; s < n; s++)
        for (size_t i = 0; i < steps; i++) {
            const size_t t = backward ? steps - 1 - i : i, at = (s * steps + t) * units;
            if (static_cast<double>(t) < lengths[s]) state[s].step(&x[at]);
            std::copy(state[s].h.begin(), state[s].h.end(), y.begin() + static_cast<int>(at));
        }
    return y;
}

void expect_near(const Values &seen, const Values &expected)
{
    ASSERT_EQ(seen.size(), expected.size());
    for (size_t i = 0; i < seen.size(); i++)
        EXPECT_NEAR(seen[i], expected[i], 1e-13 * std::max(1.0, std::abs(expected[i]))) << i;
}

struct Net {
    Tape t{RV_F64, 5};
    rv_rnn_options o = {};
    rv_states last[2] = {};
    rv_var x = t.input("x", sequence);
    Net() { o.units = units, o.final = last; }
    rv_var outputs() { return rv_unroll_outputs(memory, x, o); }
    Values start(const std::string &prefix = "") const
    {
        return values_of(t.stored((prefix + "h3/start").c_str()));
    }
};

std::vector<Plain> from(const Values &H)
{
    Plain one;
    one.H = H;
    return std::vector<Plain>(n, one);
}

const Values whole(n, steps);

TEST(States, HaveTheShapesAndInitialValuesThatTheStepDeclares)
{
    Net net;
    const rv_var y = net.outputs();
    Program p(net.t, {y, net.last[0].h[1], net.last[0].h[2], net.last[0].h[3]});
    p.set("x", data()).run();
    std::vector<Plain> state = from(net.start());
    EXPECT_GT(std::abs(state[0].H[0]), 0);
    expect_near(p.values(0), plain(state, data(), whole, false));
    Values C, m, H;
    for (const Plain &s : state) {
        C.insert(C.end(), s.C.begin(), s.C.end());
        m.insert(m.end(), s.m.begin(), s.m.end());
        H.insert(H.end(), s.H.begin(), s.H.end());
    }
    expect_near(p.values(1), C);
    expect_near(p.values(2), m);
    expect_near(p.values(3), H);
}

TEST(States, StayAsTheyAreWhereASequenceHasEnded)
{
    for (const bool both : {false, true}) {
        Net net;
        const Values lengths = {4, 0, 2};
        net.o.lengths = net.t.input("lengths", RV_SHAPE(n));
        net.o.bidirectional = both;
        Program p(net.t, {net.outputs()});
        p.set("x", data()).set("lengths", lengths).run();
        std::vector<Plain> state = from(net.start(both ? "forward/" : ""));
        const Values forward = plain(state, data(), lengths, false);
        if (!both) expect_near(p.values(), forward);
        if (!both) continue;
        state = from(net.start("backward/"));
        const Values backward = plain(state, data(), lengths, true);
        for (size_t s = 0; s < n; s++)
            for (size_t t = 0; t < steps && static_cast<double>(t) < lengths[s]; t++)
                for (size_t i = 0; i < 2 * units; i++) {
                    const Values &half = i < units ? forward : backward;
                    EXPECT_NEAR(p.values()[(s * steps + t) * 2 * units + i],
                                half[(s * steps + t) * units + i % units], 1e-12);
                }
    }
}

TEST(States, OptionsThatChangeNoValueChangeNone)
{
    const std::function<void(rv_rnn_options &)> options[] = {
        [](auto &o) { o.recompute = 2; }, [](auto &o) { o.probes = true; },
        [](auto &o) { o.learned_start = true; }, [](auto &o) { o.carry = "c"; }};
    for (const auto &set : options) {
        Net net;
        set(net.o);
        Program p(net.t, {net.outputs()});
        p.set("x", data()).run();
        std::vector<Plain> state =
            from(net.o.learned_start ? values_of(net.t.stored("h3"))
                 : net.o.carry       ? values_of(net.t.stored("carry/c/layer0/h3/start"))
                                     : net.start());
        expect_near(p.values(), plain(state, data(), whole, false));
    }
}

TEST(States, OfLayersStartAlikeInShapeAndApartInDraw)
{
    Net net;
    net.o.layers = 2;
    Program p(net.t, {net.outputs()});
    p.set("x", data()).run();
    const Values first = net.start("layer0/"), second = net.start("layer1/");
    EXPECT_NE(first, second);
    std::vector<Plain> low = from(first), high = from(second);
    expect_near(p.values(), plain(high, plain(low, data(), whole, false), whole, false));
}

TEST(States, AreGivenForOneSampleOrForAll)
{
    for (const int given : {1, n}) {
        Net net;
        rv_states initial = {};
        for (rv_var &h : initial.h) h = {net.t, -1};
        Values C;
        for (int i = 0; i < given * units * units; i++) C.push_back(i);
        initial.h[1] = net.t.constant(RV_SHAPE(given, units, units), C);
        net.o.initial = &initial;
        Program p(net.t, {net.outputs()});
        p.set("x", data()).run();
        std::vector<Plain> state = from(net.start());
        for (size_t s = 0; s < n; s++) {
            const long at = given == 1 ? 0 : static_cast<long>(4 * s);
            state[s].C = Values(C.begin() + at, C.begin() + at + 4);
        }
        expect_near(p.values(), plain(state, data(), whole, false));
    }
}

/* A carried net draws the same initial values as one that is not, and returns to them. */
TEST(States, AreCarriedAndReturnToTheirInitialValues)
{
    Net apart, net;
    apart.outputs();
    net.o.carry = "c";
    Program p(net.t, {net.outputs()});
    std::vector<Plain> state = from(apart.start());
    p.set("x", data());
    for (int run = 0; run < 3; run++) {
        expect_near(p.run().values(), plain(state, data(), whole, false));
        if (run != 1) continue;
        rv_reset_carried(net.t.store(), "c");
        state = from(apart.start());
    }
}

TEST(States, HaveRightGradientsAlsoWhereTheirStartIsLearned)
{
    Net net;
    net.o.learned_start = true;
    const rv_var loss = total(rv_sin(net.outputs()));
    EXPECT_TRUE(rv_shape_equal(net.t.stored("h1").shape, RV_SHAPE(units, units)));
    EXPECT_TRUE(rv_shape_equal(net.t.stored("h2").shape, RV_SHAPE(1)));
    EXPECT_EQ(values_of(net.t.stored("h0")), Values(units, 0.5));
    rv_gradcheck_result worst;
    EXPECT_TRUE(rv_gradcheck(loss, nullptr, 0, nullptr, &worst))
        << net.t.error() << worst.name << worst.reason;
}

TEST(States, OfAnyShapeHaveARowOfNorms)
{
    Net net;
    net.o.probes = true;
    net.o.learned_start = true; /* a flow needs a parameter */
    rv_flow flow;
    ASSERT_TRUE(rv_flow_make(&flow, total(net.outputs()))) << net.t.error();
    int matrices = 0;
    for (int i = 0; i < flow.count; i++)
        matrices += flow.state[i] && !std::strcmp(flow.name[i], "h1") &&
                    !rv_is_null(flow.norm[i * (flow.steps + 1) + 1]);
    EXPECT_EQ(matrices, 1);
    rv_flow_free(&flow);
}

TEST(States, AreUpToSixteen)
{
    const rv_cell_step counter = [](rv_cell *k, rv_var x, rv_var *h) {
        for (int s = 0; s < RV_CELL_STATES; s++)
            rv_cell_state(k, h, s, RV_SHAPE(s + 1), rv_init_constant(s));
        h[0] = rv_add(rv_sum(x, 1u << 1, true), h[0]);
        for (int s = 1; s < RV_CELL_STATES; s++) h[s] = rv_shift(h[s], 1);
    };
    Net net;
    EXPECT_EQ(RV_CELL_STATES, 16);
    net.o.learned_start = true;
    rv_unroll_sequence(counter, net.x, net.o, nullptr);
    EXPECT_TRUE(rv_shape_equal(net.t.stored("h15").shape, RV_SHAPE(16))) << net.t.error();
    Program p(net.t, {net.last[0].h[15]});
    p.set("x", data()).run();
    EXPECT_EQ(p.values(), Values(16 * n, 15 + steps));
}

/* A state that a step declares but does not replace keeps its initial value. */
TEST(States, MayStayAsTheyAre)
{
    const rv_cell_step constant = [](rv_cell *k, rv_var x, rv_var *h) {
        h[0] = rv_add(x, rv_cell_state(k, h, 1, RV_SHAPE(units), rv_init_constant(7)));
    };
    Net net;
    Program p(net.t, {rv_unroll_sequence(constant, net.x, net.o, nullptr)});
    p.set("x", Values(n * steps * units, 1)).run();
    EXPECT_EQ(p.values(), Values(n * units, 8));
}

TEST(States, ThatMakeNoSenseAreErrors)
{
    const std::pair<rv_cell_step, const char *> wrong[] = {
        {[](rv_cell *k, rv_var x, rv_var *h) {
             rv_cell_state(k, h, 0, RV_SHAPE(7), rv_init_constant(0));
             h[0] = x;
         },
         "unroll: the state \"h\" becomes [3,2], but is declared as [3,7]; fix the cell"},
        {[](rv_cell *, rv_var x, rv_var *h) { h[0] = rv_cast(x, RV_I32); },
         "unroll: the state \"h\" is i32, expected f64; cast it"},
        {[](rv_cell *k, rv_var x, rv_var *h) {
             h[0] = rv_cell_state(k, h, RV_CELL_STATES, RV_SCALAR, rv_init_constant(0));
             (void)x;
         },
         "cell: h[16] is declared, expected a state from h[0] to h[15]"},
        {[](rv_cell *k, rv_var x, rv_var *h) {
             h[0] =
                 rv_add(x, rv_cell_state(k, h, 0, RV_SHAPE(1, 1, 1, 1, 1, 1), rv_init_constant(0)));
         },
         "cell: h[0] is declared with the rank 6 for one sample, expected at most 5"},
        {[](rv_cell *k, rv_var x, rv_var *h) {
             h[0] = rv_add(x, rv_cell_state(k, h, 0, RV_SHAPE(0), rv_init_constant(0)));
         },
         "cell: h[0]: "},
        {[](rv_cell *k, rv_var x, rv_var *h) {
             static const rv_init block[] = {rv_init_constant(0), rv_init_constant(1)};
             h[0] = rv_add(x, rv_cell_state(k, h, 0, RV_SHAPE(2), rv_init_blocks(block, 2)));
         },
         "cell: h[0] starts from blocks or from the draw of a parameter; give it one number or "
         "distribution"},
    };
    for (const auto &[step, words] : wrong) {
        Net net;
        EXPECT_TRUE(rv_is_null(rv_unroll_sequence(step, net.x, net.o, nullptr))) << words;
        EXPECT_TRUE(contains(net.t.error(), words)) << net.t.error();
    }
    const auto given = [](rv_shape shape, rv_dtype dtype) {
        Net net;
        rv_states initial = {};
        for (rv_var &h : initial.h) h = {net.t, -1};
        const Values values(static_cast<size_t>(rv_shape_count(shape)));
        initial.h[1] = net.t.constant(shape, values, dtype);
        net.o.initial = &initial;
        net.outputs();
        return net.t.error();
    };
    EXPECT_EQ(given(RV_SHAPE(n, units), RV_F64),
              "unroll: the initial state \"h1\" is [3,2], expected [3,2,2]; reshape it");
    EXPECT_EQ(given(RV_SHAPE(n, units, units), RV_I32),
              "unroll: the initial state \"h1\" is i32, expected f64; cast it");
    EXPECT_TRUE(rv_is_null(rv_cell_state(nullptr, nullptr, 0, RV_SCALAR, rv_init_constant(0))));
}

} // namespace
