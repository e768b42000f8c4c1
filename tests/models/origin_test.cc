/* Where nodes come from is data: no name that a user gives changes what a node is taken for. */
#include "autograd/origin.h"

#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "autograd/profile.h"
#include "export/dot.h"
#include "lang/zoo.h"
#include "models/flow.h"
#include "models/models.h"
#include "optim/optim.h"
#include "tests/tapes.h"

namespace {

const char *const names[] = {"net", "update", "gradient",      "step 3",
                             "h1",  "pre-h",  "forward/step 2"};
const int64_t steps = 3;

rv_var loss_of(Tape &t, const char *name, bool probes)
{
    rv_rnn_options o = {};
    o.name = name;
    o.units = 2;
    o.layers = 2;
    o.bidirectional = true;
    o.bias = true;
    o.probes = probes;
    rv_scope_push(t, name);
    const rv_var x = t.input("x", RV_SHAPE(2, steps, 3));
    const rv_var y = rv_unroll_sequence(rv_zoo("lstm"), x, o, nullptr);
    const rv_var loss = total(rv_square(rv_name(rv_tanh(y), name)));
    rv_scope_pop(t);
    return loss;
}

/* phase, layer, direction, step, state, gate -> how many nodes */
using Places = std::map<std::tuple<int, int, int, int, int, std::string>, int>;

void count(Places &places, const rv_node *node)
{
    const rv_origin *o = node->origin;
    places[{rv_phase_of(node), o->layer, o->direction, o->step, node->state,
            node->gate ? node->gate : ""}]++;
}

TEST(Origin, OfEveryNodeIsTheSameWhateverANetIsCalled)
{
    Places first;
    for (const char *name : names) {
        SCOPED_TRACE(name);
        Tape t;
        Places places;
        ASSERT_TRUE(rv_minimize(loss_of(t, name, false), rv_momentum(0.1, 0.9))) << t.error();
        for (int32_t id = 0; id < t.count(); id++) count(places, rv_tape_node(t, id));
        if (first.empty()) first = places;
        EXPECT_TRUE(places == first);
    }
    for (int layer : {0, 1})
        for (int direction : {0, 1})
            for (int step = 0; step < steps; step++) {
                EXPECT_EQ((first[{RV_PHASE_FORWARD, layer, direction, step, 1, ""}]), 1);
                EXPECT_EQ((first[{RV_PHASE_FORWARD, layer, direction, step, 2, ""}]), 1);
                EXPECT_EQ((first[{RV_PHASE_FORWARD, layer, direction, step, 0, "f"}]), 1);
                EXPECT_GT((first[{RV_PHASE_GRADIENT, layer, direction, step, 0, ""}]), 5);
            }
    EXPECT_GT((first[{RV_PHASE_UPDATE, -1, -1, -1, 0, ""}]), 10);
}

/* What `recurve profile` reads. */
TEST(Origin, OfInstructionsIsTheSameWhateverANetIsCalled)
{
    Places first;
    for (const char *name : names) {
        SCOPED_TRACE(name);
        Tape t;
        Places places;
        const rv_var loss = loss_of(t, name, false);
        ASSERT_TRUE(rv_minimize(loss, rv_momentum(0.1, 0.9))) << t.error();
        const Program p(t, {loss});
        for (int64_t i = 0; i < p.stats().instructions; i++) {
            const rv_instruction one = rv_program_instruction(p, i);
            for (int n = 0; n < one.nodes; n++) count(places, rv_tape_node(one.tape, one.node[n]));
        }
        if (first.empty()) first = places;
        EXPECT_TRUE(places == first);
    }
    EXPECT_GT((first[{RV_PHASE_GRADIENT, 1, 1, 0, 0, ""}]), 0);
}

TEST(Origin, DecidesTheColoursOfADrawing)
{
    std::map<std::string, int> first;
    for (const char *name : names) {
        SCOPED_TRACE(name);
        Tape t;
        const rv_var loss = loss_of(t, name, false);
        ASSERT_TRUE(rv_minimize(loss, rv_momentum(0.1, 0.9))) << t.error();
        char *drawn = rv_dot(t, &loss, 1);
        const std::string text = drawn;
        rv_free(drawn);
        std::map<std::string, int> colours;
        for (size_t at = 0; (at = text.find("fillcolor=", at)) != std::string::npos; at++)
            colours[text.substr(at, text.find(']', at) - at)]++;
        if (first.empty()) first = colours;
        EXPECT_TRUE(colours == first);
    }
    EXPECT_GE(first.size(), 5u);
}

TEST(Origin, DecidesTheRowsOfNorms)
{
    for (const char *name : names) {
        SCOPED_TRACE(name);
        Tape t(RV_F64, 3);
        rv_flow flow;
        ASSERT_TRUE(rv_flow_make(&flow, loss_of(t, name, true))) << t.error();
        EXPECT_EQ(flow.steps, steps);
        int states = 0;
        for (int i = 0; i < flow.count; i++) states += flow.state[i];
        EXPECT_EQ(states, 8) << "two of each of four";
        EXPECT_EQ(flow.count, 8 + 4 * 12);
        rv_flow_free(&flow);
    }
}

/* A gradient of a gradient stays one, of the step it is of. */
TEST(Origin, OfASecondGradientHasTheStep)
{
    Tape t;
    const rv_var loss = loss_of(t, "net", false), x = {t, 0};
    rv_var g = {}, second = {};
    ASSERT_TRUE(rv_gradient(loss, &x, 1, &g));
    const int32_t before = t.count();
    const rv_var sum = total(rv_square(g));
    ASSERT_TRUE(rv_gradient(sum, &x, 1, &second));
    int of_steps = 0;
    char text[RV_ORIGIN_TEXT];
    for (int32_t id = before; id < t.count(); id++) {
        const rv_origin *o = rv_tape_node(t, id)->origin;
        if (o->phase != RV_PHASE_GRADIENT || o->step < 0) continue;
        of_steps++;
        const std::string end = "/step " + std::to_string(o->step + 1);
        const std::string seen = rv_origin_text(o, text);
        EXPECT_EQ(seen.find("gradient/net/net/layer"), 0u) << seen;
        EXPECT_EQ(seen.substr(seen.size() - end.size()), end);
    }
    EXPECT_GT(of_steps, 10);
}

void plain(rv_cell *k, rv_var x, rv_var *h)
{
    *h = rv_tanh(rv_add(rv_cell_map(k, x, "W"), rv_cell_map(k, *h, "U")));
}

/* What a segment computes again belongs to the step that it repeats. */
TEST(Origin, OfWhatIsComputedAgainHasTheStep)
{
    Tape t;
    rv_rnn_options o = {};
    o.recompute = steps;
    o.units = 2;
    const rv_var x = t.input("x", RV_SHAPE(2, steps, 3));
    const rv_var loss = total(rv_unroll_sequence(plain, x, o, nullptr));
    const int32_t before = t.count();
    rv_var g = {};
    ASSERT_TRUE(rv_gradient(loss, &x, 1, &g));
    std::map<int, int> tanhs;
    for (int32_t id = before; id < t.count(); id++)
        if (std::string(rv_tape_node(t, id)->op->name) == "tanh")
            tanhs[rv_tape_node(t, id)->origin->step]++;
    EXPECT_EQ(tanhs, (std::map<int, int>{{0, 1}, {1, 1}, {2, 1}}));
}

} // namespace
