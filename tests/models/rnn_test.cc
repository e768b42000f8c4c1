// Unrolling: shapes, layers, directions, masks, carried and learned states, dropout, recomputation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "lang/zoo.h"
#include "models/models.h"
#include "optim/optim.h"
#include "autograd/gradcheck.h"
#include "tests/models/unrolls.h"
#include "tests/tapes.h"

namespace {

TEST(Unroll, CurnnConvolvesTheImageOncePerGateForAnyNumberOfSteps)
{
    Tape t;
    rv_var h = rv_unroll(rv_curnn, t.input("x", RV_SHAPE(2, 1, 8, 8)), 5);
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(h), RV_SHAPE(2, 1, 4, 4))) << t.error();
    EXPECT_EQ(count_of(t, "conv2d"), 2 + 2 * 5);
    EXPECT_EQ(count_of(t, "parameter"), 4);
}

TEST(Unroll, StatesGetTheirShapesFromTheStep)
{
    Tape t;
    rv_rnn_options options = units(7);
    options.bias = true;
    rv_var h = rv_unroll_with(rv_curnn, t.input("x", RV_SHAPE(2, 3, 9, 11)), 2, options);
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(h), RV_SHAPE(2, 7, 5, 7))) << t.error();
    h = rv_unroll_with(rv_zoo("ugrnn"), t.input("rows", RV_SHAPE(2, 3)), 2, options);
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(h), RV_SHAPE(2, 7))) << t.error();
}

TEST(Unroll, ACellHasAsManyStatesAsItChanges)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 3));
    const std::pair<rv_cell_step, int> cells[] = {
        {rv_zoo("gru"), 1}, {rv_zoo("lstm"), 2}, {rv_zoo("qrnn"), 3}};
    for (const auto &[step, states] : cells) {
        rv_states last = {};
        rv_rnn_options options = units(4);
        options.name = states == 1 ? "gru" : states == 2 ? "lstm" : "qrnn";
        options.final = &last;
        const rv_var h = rv_unroll_with(step, x, 2, options);
        EXPECT_TRUE(same(last.h[0], h)) << t.error();
        for (int s = 0; s < RV_CELL_STATES; s++)
            EXPECT_EQ(rv_is_null(last.h[s]), s >= states) << options.name << " " << s;
    }
}

TEST(Unroll, ProbingForShapesLeavesNothingBehind)
{
    Tape t;
    rv_unroll(rv_curnn, t.input("x", RV_SHAPE(2, 1, 8, 8)), 1);
    EXPECT_EQ(rv_store_count(t.store()), 4u);
}

TEST(Unroll, ACellThatMakesNoSenseIsAnError)
{
    const rv_cell_step grows = [](rv_cell *, rv_var, rv_var *h) { h[0] = rv_pad2d(h[0], 1); };
    const rv_cell_step idle = [](rv_cell *, rv_var, rv_var *) {};
    const rv_cell_step loses = [](rv_cell *, rv_var, rv_var *h) { h[0].id = -1; };
    const std::pair<rv_cell_step, const char *> wrong[] = {
        {grows, "each step makes [2,1,9,9] of [2,1,7,7]"},
        {idle, "the step changes none"},
        {loses, "null var"}};
    for (const auto &[step, words] : wrong) {
        Tape t;
        EXPECT_TRUE(rv_is_null(rv_unroll(step, t.input("x", RV_SHAPE(2, 1, 8, 8)), 2)));
        EXPECT_TRUE(contains(t.error(), words)) << t.error();
    }
}

TEST(Unroll, OptionsThatMakeNoNetAreErrors)
{
    const auto fails = [](const char *words, rv_rnn_options options, int64_t steps = 2) {
        Tape t;
        EXPECT_TRUE(rv_is_null(
            rv_unroll_with(rv_zoo("ugrnn"), t.input("x", RV_SHAPE(2, 3)), steps, options)));
        EXPECT_TRUE(contains(t.error(), words)) << t.error();
    };
    rv_rnn_options o = units(-1);
    fails("-1 units, expected at least 1; ", o);
    fails("0 steps, expected at least 1; ", {}, 0);
    o = {};
    o.layers = -1;
    fails("-1 layers, expected 1 to 1000; ", o);
    o.layers = 1001;
    fails("1001 layers, expected 1 to 1000; ", o);
    o = {};
    o.recompute = -2;
    fails("recompute is -2, expected a number of steps; ", o);
    o = {};
    o.bidirectional = true;
    o.carry = "train";
    fails("backward direction", o);
    o.bidirectional = false;
    o.reverse = true;
    fails("backward direction", o);
    o.carry = nullptr;
    o.bidirectional = true;
    fails("`bidirectional` has a backward direction already; leave out reverse", o);
    const std::string name(101, 'n');
    o = {};
    o.name = name.c_str();
    fails("has 101 bytes, expected at most 100; shorten it", o);
    fails("the name \"nnn", o);
    o = {};
    o.carry = name.c_str();
    fails("the carry \"nnn", o);
    o = {};
    o.kernel = 2;
    fails("use an odd one", o);
    o = {};
    o.dropout = 1.5;
    fails("dropout", o);
    o.dropout = -0.5;
    fails("dropout", o);
    o = {};
    o.recurrent_dropout = -0.5;
    fails("dropout", o);
}

/* Turned around, each sequence within its length. */
TEST(Unroll, ReverseIsForwardOverTheSequenceTurnedAround)
{
    for (const char *cell : {"gru", "mingru"})
        for (const int64_t length : {1, 3, 5}) {
            Tape t;
            rv_rnn_options options = units(3), reverse = options;
            options.layers = reverse.layers = 2;
            reverse.reverse = true;
            reverse.lengths = t.input("length", RV_SHAPE(1));
            const rv_var x = t.input("x", RV_SHAPE(1, 5, 2)),
                         turned = rv_flip(rv_slice_axis(x, 1, 0, length), 1u << 1);
            rv_var steps[5], forward[5];
            const rv_var last = rv_unroll_sequence(rv_zoo(cell), x, reverse, steps),
                         expected = rv_unroll_sequence(rv_zoo(cell), turned, options, forward);
            Program p(t, {last, expected, rv_stack(steps, static_cast<int>(length), 1),
                          rv_flip(rv_stack(forward, static_cast<int>(length), 1), 1u << 1),
                          steps[4], steps[length - 1], rv_unroll_outputs(rv_zoo(cell), x, reverse),
                          rv_stack(steps, 5, 1)});
            rv_init_fill(rv_program_input(p, "x"), rv_init_normal(0, 1), 1);
            p.set("length", {static_cast<double>(length)}).run();
            for (int k = 0; k < 8; k += 2)
                for (size_t i = 0; i < p.values(k).size(); i++)
                    EXPECT_NEAR(p.values(k)[i], p.values(k + 1)[i], 1e-14)
                        << cell << " " << length << " " << k;
        }
}

TEST(Unroll, HistoryIsTheStatesOfAllSteps)
{
    for (const char *cell : {"lstm", "qrnn"}) { // step by step, and at once
        Tape t;
        rv_states final[4] = {}, history[4] = {};
        rv_rnn_options options = units(3);
        options.layers = 2;
        options.bidirectional = true;
        options.final = final;
        options.history = history;
        const rv_var all =
            rv_unroll_outputs(rv_zoo(cell), t.parameter("x", RV_SHAPE(2, 5, 2)), options);
        const rv_var top[] = {history[2].h[0], history[3].h[0]};
        std::vector<rv_var> outputs = {all, rv_concat(top, 2, 2)};
        for (int strand = 0; strand < 4; strand++)
            for (int s = 0; s < 2; s++) {
                ASSERT_TRUE(rv_shape_equal(rv_shape_of(history[strand].h[s]), RV_SHAPE(2, 5, 3)));
                outputs.push_back(rv_reshape(
                    rv_slice_axis(history[strand].h[s], 1, strand % 2 ? 0 : 4, 1), RV_SHAPE(2, 3)));
                outputs.push_back(final[strand].h[s]);
            }
        Program p(t, outputs);
        p.run();
        for (int k = 0; k < static_cast<int>(outputs.size()); k += 2)
            EXPECT_EQ(p.values(k), p.values(k + 1)) << cell << " " << k;
    }
}

TEST(Unroll, FurtherInputsAreReadStepByStepOrWhole)
{
    const rv_cell_step sums = [](rv_cell *k, rv_var x, rv_var *h) {
        h[0] = rv_tanh(rv_add(rv_add(h[0], rv_add(x, rv_cell_input(k, 0))), rv_cell_input(k, 1)));
    };
    const rv_cell_step plain = [](rv_cell *, rv_var x, rv_var *h) {
        h[0] = rv_tanh(rv_add(h[0], x));
    };
    for (const bool reverse : {false, true}) {
        Tape t;
        const rv_var x = t.parameter("x", RV_SHAPE(2, 5, 3)),
                     z = t.parameter("z", RV_SHAPE(2, 5, 3)), w = t.parameter("w", RV_SHAPE(2, 3));
        const rv_rnn_input inputs[] = {{z, false}, {w, true}};
        rv_rnn_options options = units(3), both = options;
        both.inputs = inputs;
        both.input_count = 2;
        options.reverse = both.reverse = reverse;
        const rv_var sum = rv_add(rv_add(x, z), rv_reshape(w, RV_SHAPE(2, 1, 3)));
        Program p(t, {rv_unroll_outputs(sums, x, both), rv_unroll_outputs(plain, sum, options)});
        p.run();
        for (size_t i = 0; i < p.values().size(); i++)
            EXPECT_NEAR(p.values(0)[i], p.values(1)[i], 1e-14);
    }
}

TEST(Unroll, AnInnerCellThatCannotBeIsAnError)
{
    const auto fails = [](const char *words, rv_cell_step step) {
        Tape t;
        EXPECT_TRUE(rv_is_null(rv_unroll(step, t.input("x", RV_SHAPE(2, 3)), 2)));
        EXPECT_TRUE(contains(t.error(), words)) << t.error();
    };
    fails("the inner step is NULL; give a cell", [](rv_cell *k, rv_var x, rv_var *h) {
        rv_states s = {};
        rv_cell_inner(k, nullptr, "a", nullptr, x, &s);
        h[0] = s.h[0];
    });
    fails("have 201 bytes, expected at most 147; use shorter ones",
          [](rv_cell *k, rv_var x, rv_var *h) {
              rv_states s = {};
              s.h[0] = h[0];
              rv_cell_inner(k, rv_zoo("gru"), std::string(200, 'a').c_str(), nullptr, x, &s);
              h[0] = s.h[0];
          });
}

TEST(Unroll, FurtherInputsThatDoNotFitAreErrors)
{
    const rv_cell_step reads = [](rv_cell *k, rv_var x, rv_var *h) {
        h[0] = rv_add(h[0], rv_add(x, rv_cell_input(k, 0)));
    };
    const auto fails = [&](const char *words, rv_shape shape, int count, bool given = true) {
        Tape t;
        const rv_rnn_input z = {t.input("z", shape), false};
        rv_rnn_options o = units(3);
        o.inputs = given ? &z : nullptr;
        o.input_count = count;
        EXPECT_TRUE(rv_is_null(rv_unroll_outputs(reads, t.input("x", RV_SHAPE(2, 5, 3)), o)));
        EXPECT_TRUE(contains(t.error(), words)) << t.error();
    };
    fails("is [2,4,3], expected [2,5,..], a value for each of the steps; if", RV_SHAPE(2, 4, 3), 1);
    fails("is [3,5,3], expected [2,5,..]", RV_SHAPE(3, 5, 3), 1);
    fails("is [2], expected [2,5,..]", RV_SHAPE(2), 1);
    fails("it reads the further input 0 of 0; set inputs", RV_SHAPE(2, 5, 3), 0);
    fails("9 further inputs, expected an array of at most 8", RV_SHAPE(2, 5, 3), 9);
    fails("-1 further inputs, expected", RV_SHAPE(2, 5, 3), -1);
    fails("1 further input, expected an array", RV_SHAPE(2, 5, 3), 1, false);
    Tape t, other;
    const rv_rnn_input foreign = {other.input("z", RV_SHAPE(2, 5, 3)), false};
    rv_rnn_options o = units(3);
    o.inputs = &foreign;
    o.input_count = 1;
    EXPECT_TRUE(rv_is_null(rv_unroll_outputs(reads, t.input("x", RV_SHAPE(2, 5, 3)), o)));
    EXPECT_TRUE(contains(t.error(), "the further input 0 is no value of this tape")) << t.error();
}

TEST(Unroll, NothingToUnrollIsAnError)
{
    Tape none, flat;
    EXPECT_TRUE(rv_is_null(rv_unroll(nullptr, none.input("x", RV_SHAPE(2, 3)), 2)));
    EXPECT_TRUE(contains(none.error(), "the step is NULL; give a cell")) << none.error();
    EXPECT_TRUE(rv_is_null(
        rv_unroll_sequence(rv_zoo("gru"), flat.input("x", RV_SHAPE(2)), units(3), nullptr)));
    EXPECT_TRUE(contains(flat.error(), "a sequence of rank 1, expected [n,steps,...]"))
        << flat.error();
}

/* Cut off, both maps, or a gain and a bias, would be one parameter. */
TEST(Unroll, NamesTooLongForAParameterAreErrors)
{
    static const std::string name(400, 'n');
    const rv_cell_step map = [](rv_cell *k, rv_var x, rv_var *h) {
        h[0] = rv_add(h[0], rv_cell_map(k, x, name.c_str()));
    };
    const rv_cell_step gate = [](rv_cell *k, rv_var x, rv_var *h) {
        h[0] = rv_cell_affine(k, x, h[0], name.c_str());
    };
    for (const rv_cell_step step : {map, gate}) {
        Tape t;
        rv_unroll(step, t.input("x", RV_SHAPE(2, 1)), 1);
        EXPECT_TRUE(contains(t.error(), "is too long")) << t.error();
    }
    Tape linear, norm;
    rv_linear(linear.input("x", RV_SHAPE(2, 2)), name.c_str(), 2);
    EXPECT_TRUE(contains(linear.error(), "is too long")) << linear.error();
    rv_layer_norm(norm.input("x", RV_SHAPE(2, 2)), name.c_str());
    EXPECT_TRUE(contains(norm.error(), "is too long")) << norm.error();
}

TEST(Unroll, AnImageSmallerThanTheKernelIsAnErrorThatNamesBoth)
{
    Tape t;
    rv_var h = rv_unroll(rv_curnn, t.input("image", RV_SHAPE(2, 1, 4, 4)), 2);
    EXPECT_TRUE(rv_is_null(h));
    EXPECT_TRUE(contains(t.error(), "kernel 5x5 is larger than the padded image 4x4")) << t.error();
}

TEST(Unroll, ASequenceOfEqualImagesIsTheImageShownEveryStep)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 3)),
                 sequence = rv_broadcast(rv_reshape(x, RV_SHAPE(2, 1, 3)), RV_SHAPE(2, 3, 3));
    rv_var outputs[3];
    const rv_var once = rv_unroll_with(rv_zoo("ugrnn"), x, 3, units(4)),
                 each = rv_unroll_sequence(rv_zoo("ugrnn"), sequence, units(4), outputs);
    EXPECT_TRUE(same(outputs[2], each));
    Program p(t, {once, each});
    rv_init_fill(rv_program_input(p, "x"), rv_init_normal(0, 1), 1);
    p.run();
    EXPECT_EQ(p.values(0), p.values(1));
}

/* ---- layers and directions ---- */

TEST(Layers, ASecondLayerReadsTheOutputsOfTheFirst)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 3, 4));
    rv_rnn_options stacked = units(5), first = units(5), second = units(5);
    stacked.layers = 2;
    first.name = "layer0";
    second.name = "layer1";
    rv_var y[3], below[3], above[3];
    rv_unroll_sequence(rv_zoo("gru"), x, stacked, y);
    rv_unroll_sequence(rv_zoo("gru"), x, first, below);
    rv_unroll_steps(rv_zoo("gru"), below, 3, second, above);
    for (int i = 0; i < 3; i++) EXPECT_TRUE(same(y[i], above[i])) << t.error();
}

TEST(Layers, TheBackwardDirectionIsTheForwardOneOnTheReversedSequence)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 3, 4)), reversed = rv_flip(x, 2);
    rv_rnn_options both = units(5), one = units(5);
    both.bidirectional = true;
    rv_var y[3], forward[3], backward[3];
    const rv_var ends = rv_unroll_sequence(rv_zoo("gru"), x, both, y);
    one.name = "forward";
    rv_unroll_sequence(rv_zoo("gru"), x, one, forward);
    one.name = "backward";
    rv_unroll_sequence(rv_zoo("gru"), reversed, one, backward);
    const auto beside = [](rv_var a, rv_var b) {
        const rv_var both_of[] = {a, b};
        return rv_concat(both_of, 2, 1);
    };
    std::vector<rv_var> seen = {ends}, want = {beside(forward[2], backward[2])};
    for (int i = 0; i < 3; i++) {
        seen.push_back(y[i]);
        want.push_back(beside(forward[i], backward[2 - i]));
    }
    std::vector<rv_var> all = seen;
    all.insert(all.end(), want.begin(), want.end());
    Program p(t, all);
    rv_init_fill(rv_program_input(p, "x"), rv_init_normal(0, 1), 1);
    p.run();
    for (int i = 0; i < 4; i++) EXPECT_EQ(p.values(i), p.values(i + 4)) << i;
}

TEST(Layers, AResidualIsAddedWhereShapesAgreeAndASkipIsRead)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 3, 4));
    rv_rnn_options options = units(4), plain = units(4);
    options.residual = true;
    rv_var y[3], h[3];
    rv_unroll_sequence(rv_zoo("gru"), x, options, y);
    rv_unroll_sequence(rv_zoo("gru"), x, plain, h);
    const rv_var x2 = rv_reshape(rv_slice_axis(x, 1, 2, 1), RV_SHAPE(2, 4));
    EXPECT_TRUE(same(y[2], rv_add(h[2], x2)));
    options = units(5);
    options.name = "skip";
    options.layers = 2;
    options.skip = true;
    rv_unroll_sequence(rv_zoo("gru"), x, options, nullptr);
    EXPECT_TRUE(rv_shape_equal(t.stored("skip/layer1/Uc").shape, RV_SHAPE(9, 5))) << t.error();
}

TEST(Layers, AResidualIsInTheEndOfBothDirections)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 3, 6));
    rv_rnn_options options = units(3);
    options.bidirectional = true;
    options.residual = true;
    rv_var y[3];
    const rv_var end = rv_unroll_sequence(rv_zoo("gru"), x, options, y);
    Program p(t, {end, y[2], y[0]});
    rv_init_fill(rv_program_input(p, "x"), rv_init_normal(0, 1), 1);
    p.run();
    for (size_t i = 0; i < 12; i++)
        EXPECT_EQ(p.values(0)[i], p.values(i % 6 < 3 ? 1 : 2)[i]) << t.error() << i;
}

TEST(Layers, ASkipIsReadAfterTheLayerBelow)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 3, 4));
    rv_rnn_options stacked = units(5), first = units(5), second = units(5);
    stacked.layers = 2;
    stacked.skip = true;
    first.name = "layer0";
    second.name = "layer1";
    rv_var y[3], below[3], above[3];
    rv_unroll_sequence(rv_zoo("gru"), x, stacked, y);
    rv_unroll_sequence(rv_zoo("gru"), x, first, below);
    for (int i = 0; i < 3; i++) {
        const rv_var both[] = {below[i], rv_reshape(rv_slice_axis(x, 1, i, 1), RV_SHAPE(2, 4))};
        below[i] = rv_concat(both, 2, 1);
    }
    rv_unroll_steps(rv_zoo("gru"), below, 3, second, above);
    for (int i = 0; i < 3; i++) EXPECT_TRUE(same(y[i], above[i])) << t.error();
}

TEST(Layers, PlacesAreLayersAndInEachForwardThenBackward)
{
    Tape t;
    rv_states last[4] = {};
    rv_rnn_options options = units(5);
    options.layers = 2;
    options.bidirectional = true;
    options.final = last;
    const rv_var end =
        rv_unroll_sequence(rv_zoo("gru"), t.input("x", RV_SHAPE(2, 3, 4)), options, nullptr);
    const rv_var top[] = {last[2].h[0], last[3].h[0]};
    EXPECT_TRUE(same(end, rv_concat(top, 2, 1))) << t.error();
}

TEST(Layers, ADecoderStartsFromTheStatesOfTheEncoder)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 6, 4));
    rv_states code[2] = {};
    rv_rnn_options options = units(4);
    options.layers = 2;
    options.final = code;
    rv_var whole[6], first[3], rest[3], steps[6];
    for (int i = 0; i < 6; i++) steps[i] = rv_reshape(rv_slice_axis(x, 1, i, 1), RV_SHAPE(2, 4));
    rv_unroll_steps(rv_zoo("lstm"), steps, 3, options, first);
    options.final = nullptr;
    options.initial = code;
    rv_unroll_steps(rv_zoo("lstm"), steps + 3, 3, options, rest);
    options.initial = nullptr;
    rv_unroll_steps(rv_zoo("lstm"), steps, 6, options, whole);
    EXPECT_TRUE(same(whole[5], rest[2])) << t.error();
    EXPECT_TRUE(same(whole[2], first[2]));
}

/* ---- masks ---- */

/* The outputs and d sum(outputs^2) / dx of sequences of 5 steps with these lengths, the padding
 * being `padding`. */
struct Masked {
    Values last, dx;
    std::vector<Values> y;
    Masked(rv_cell_step step, const std::vector<double> &lengths, double padding,
           rv_rnn_options options)
    {
        Tape t;
        const rv_var x = t.input("x", RV_SHAPE(2, 5, 3));
        rv_var out[5], sum = rv_scalar(t, 0);
        options.lengths = t.input("lengths", RV_SHAPE(2));
        const rv_var end = rv_unroll_sequence(step, x, options, out);
        for (const rv_var o : out) sum = rv_add(sum, total(rv_square(o)));
        sum = rv_add(sum, total(rv_square(end)));
        Program p(t, {end, gradient(sum, x), out[0], out[1], out[2], out[3], out[4]});
        Values data;
        for (int n = 0; n < 2; n++)
            for (int i = 0; i < 15; i++)
                data.push_back(i / 3 < lengths[static_cast<size_t>(n)] ? std::sin(i + 7 * n)
                                                                       : padding);
        p.set("lengths", lengths).set("x", data).run();
        last = p.values(0);
        dx = p.values(1);
        for (int i = 0; i < 5; i++) y.push_back(p.values(2 + i));
    }
};

TEST(Masks, LeaveStatesOutputsAndGradientsUntouched)
{
    for (int i = 0; i < rv_model_count(); i++) {
        const rv_model *model = rv_model_at(i);
        if (!model->step || model->images || model->kernel) continue;
        rv_rnn_options options = units(4);
        options.layers = 2;
        for (const int kind : {0, 1, 2, 3}) {
            const bool bidirectional = kind & 1;
            options.bidirectional = bidirectional;
            options.residual = kind & 2;
            const Masked a(model->step, {5, 2}, 0, options), b(model->step, {5, 2}, 99, options);
            EXPECT_EQ(a.last, b.last) << model->name;
            EXPECT_EQ(a.y, b.y) << model->name << ": padding changes the outputs";
            EXPECT_EQ(a.dx, b.dx) << model->name;
            for (size_t j = 15 + 6; j < 30; j++) EXPECT_EQ(a.dx[j], 0) << model->name << " " << j;
            const size_t row = a.y[0].size() / 2;
            for (size_t j = row; j < 2 * row; j++) {
                EXPECT_EQ(a.y[4][j], a.y[1][j]) << model->name << ": an output after the end";
                EXPECT_TRUE(bidirectional || a.last[j] == a.y[1][j]) << model->name;
            }
            /* a unit of a relu may stay at 0 */
            const auto longer = [&](size_t t) {
                return Values(a.y[t].begin(), a.y[t].begin() + static_cast<long>(row));
            };
            EXPECT_NE(longer(1), longer(4)) << model->name << ": the longer one goes on";
        }
    }
}

TEST(Masks, AShortSequenceIsWhatItWouldBeAlone)
{
    Tape t;
    rv_rnn_options options = units(4);
    options.bidirectional = true;
    const Masked padded(rv_zoo("lstm"), {5, 2}, 3, options);
    const rv_var x = t.input("x", RV_SHAPE(1, 2, 3));
    Program p(t, {rv_unroll_sequence(rv_zoo("lstm"), x, options, nullptr)});
    Values data;
    for (int i = 0; i < 6; i++) data.push_back(std::sin(i + 7));
    p.set("x", data).run();
    const Values alone = p.values();
    for (size_t j = 0; j < 8; j++) EXPECT_NEAR(padded.last[8 + j], alone[j], 1e-15);
}

TEST(Masks, ASequenceWithoutStepsReadsNothing)
{
    for (const bool bidirectional : {false, true}) {
        rv_rnn_options options = units(3);
        options.layers = 2;
        options.residual = true;
        options.bidirectional = bidirectional;
        const Masked a(rv_zoo("gru"), {5, 0}, 0, options), b(rv_zoo("gru"), {5, 0}, 99, options);
        EXPECT_EQ(a.last, b.last) << bidirectional;
        EXPECT_EQ(a.y, b.y) << bidirectional;
        for (size_t j = 15; j < 30; j++) EXPECT_EQ(b.dx[j], 0) << bidirectional << j;
    }
}

TEST(Masks, LengthsOfAnotherShapeAreAnError)
{
    Tape t;
    rv_rnn_options options = units(4);
    options.lengths = t.input("lengths", RV_SHAPE(3));
    rv_unroll_sequence(rv_zoo("gru"), t.input("x", RV_SHAPE(2, 5, 3)), options, nullptr);
    EXPECT_TRUE(contains(t.error(), "the lengths are [3], expected [2]; give one for each"))
        << t.error();
}

/* ---- states that are carried, learned, dropped, recomputed ---- */

TEST(Carry, ARunGoesOnWhereTheOneBeforeEndedAndGradientsStopThere)
{
    Tape t, whole;
    rv_rnn_options options = units(4), plain = units(4);
    options.carry = "train";
    options.layers = plain.layers = 2;
    const rv_var x = t.input("x", RV_SHAPE(2, 3, 3));
    const rv_var h = rv_unroll_sequence(rv_zoo("lstm"), x, options, nullptr);
    Program half(t, {h, gradient(total(h), x)});
    Program all(whole, {rv_unroll_sequence(rv_zoo("lstm"), whole.input("x", RV_SHAPE(2, 6, 3)),
                                           plain, nullptr)});
    Values first, second, both;
    for (int n = 0; n < 2; n++)
        for (int i = 0; i < 18; i++) {
            both.push_back(std::cos(i + n));
            (i < 9 ? first : second).push_back(std::cos(i + n));
        }
    all.set("x", both).run();
    half.set("x", first).run();
    half.set("x", second).run();
    for (size_t i = 0; i < 8; i++) EXPECT_NEAR(half.values()[i], all.values()[i], 1e-15);

    rv_reset_carried(t.store(), "train");
    const Values again = half.set("x", first).run().values();
    rv_reset_carried(t.store(), "train");
    EXPECT_EQ(half.run().values(), again);
    EXPECT_NE(half.run().values(), again);
}

TEST(LearnedStart, IsAParameterForEachStateAndIsRight)
{
    Tape t;
    rv_rnn_options options = units(2);
    options.learned_start = true;
    const rv_var h = rv_unroll_with(rv_zoo("lstm"), t.input("x", RV_SHAPE(3, 2)), 2, options);
    EXPECT_TRUE(rv_shape_equal(t.stored("h0").shape, RV_SHAPE(1, 2)));
    EXPECT_TRUE(rv_shape_equal(t.stored("h1").shape, RV_SHAPE(1, 2)));
    rv_gradcheck_result worst;
    EXPECT_TRUE(rv_gradcheck(total(rv_square(h)), nullptr, 0, nullptr, &worst))
        << t.error() << worst.name << worst.reason;
}

TEST(Dropout, DropsInputsOfLayersAndStatesAnewEachStepOrAllTheSame)
{
    for (const bool same_mask : {false, true}) {
        Tape t;
        rv_rnn_options options = units(3);
        options.layers = 2;
        options.dropout = 0.5;
        options.recurrent_dropout = 0.25;
        options.same_dropout = same_mask;
        const rv_var h = rv_unroll_with(rv_zoo("gru"), t.input("x", RV_SHAPE(4, 2)), 5, options);
        EXPECT_EQ(count_of(t, "random_uniform"), same_mask ? 4 : 20) << t.error();
        Program p(t, {h});
        rv_tensor_fill(rv_program_input(p, "x"), 1);
        const Values first = p.run().values();
        EXPECT_NE(p.run().values(), first);
    }
}

TEST(Recompute, DropsTheSameElementsAndGoesBackwardsAndOverEnds)
{
    const auto train = [](int64_t segment) {
        Tape t(RV_F64, 3);
        rv_rnn_options options = units(4);
        options.recompute = segment;
        options.layers = 2;
        options.bidirectional = options.residual = options.learned_start = true;
        options.dropout = options.recurrent_dropout = 0.4;
        options.lengths = t.input("lengths", RV_SHAPE(3));
        const rv_var x = t.input("x", RV_SHAPE(3, 7, 8));
        const rv_var loss =
            total(rv_square(rv_unroll_sequence(rv_zoo("lstm"), x, options, nullptr)));
        rv_minimize(loss, rv_sgd(1e-2));
        Program p(t, {loss});
        rv_init_fill(rv_program_input(p, "x"), rv_init_normal(0, 1), 1);
        p.set("lengths", {7, 3, 0});
        for (int i = 0; i < 3; i++) p.run();
        Values all;
        for (const char *name : {"layer0/forward/Wf", "layer0/backward/Uf", "layer1/backward/h1"})
            for (const double w : values_of(t.stored(name))) all.push_back(w);
        return all;
    };
    const Values kept = train(0);
    for (const int64_t segment : {1, 3, 7, 9}) {
        const Values again = train(segment);
        for (size_t i = 0; i < kept.size(); i++) EXPECT_NEAR(again[i], kept[i], 1e-12) << segment;
    }
}

TEST(Recompute, SavesMemoryForTimeAndChangesNoGradient)
{
    const auto train = [](int64_t segment, rv_program_stats *stats) {
        Tape t(RV_F32, 3);
        rv_rnn_options options = units(32);
        options.recompute = segment;
        rv_var y[100], sum;
        const rv_var x = t.input("x", RV_SHAPE(16, 100, 4));
        sum = total(rv_square(rv_unroll_sequence(rv_zoo("lstm"), x, options, y)));
        rv_minimize(sum, rv_sgd(1e-3));
        Program p(t, {sum});
        rv_init_fill(rv_program_input(p, "x"), rv_init_normal(0, 1), 1);
        p.run();
        *stats = p.stats();
        return values_of(t.stored("Wf"));
    };
    rv_program_stats kept, less;
    const Values a = train(0, &kept), b = train(10, &less);
    for (size_t i = 0; i < a.size(); i++) EXPECT_NEAR(a[i], b[i], 1e-6);
    EXPECT_LT(static_cast<double>(less.live_bytes), 0.4 * static_cast<double>(kept.live_bytes));
}

} // namespace
