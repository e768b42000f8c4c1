// The maps, biases and gains that cells are written with (models/cell.h).
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "autograd/gradcheck.h"
#include "lang/zoo.h"
#include "models/models.h"
#include "tests/models/unrolls.h"
#include "tests/tapes.h"

namespace {

TEST(Maps, AreNormalizedOverChannelsHeightAndWidth)
{
    Tape t;
    rv_rnn_options options = units(3);
    options.kernel = 3;
    options.layer_norm = true;
    const rv_var x = t.input("x", RV_SHAPE(2, 2, 4, 5));
    const rv_cell_step map = [](rv_cell *k, rv_var in, rv_var *h) {
        h[0] = rv_cell_map(k, in, "U");
    };
    const rv_var h = rv_unroll_with(map, x, 1, options);
    rv_conv2d_options ring = {};
    ring.top = ring.bottom = ring.left = ring.right = 1;
    const rv_var want =
        rv_normalize(rv_conv2d(x, t.parameter("U", RV_SHAPE(3, 2, 3, 3)), ring), 14, 1e-5);
    Program p(t, {h, want});
    rv_init_fill(rv_program_input(p, "x"), rv_init_normal(0, 1), 1);
    p.run();
    for (size_t i = 0; i < p.values(0).size(); i++)
        EXPECT_NEAR(p.values(0)[i], p.values(1)[i], 1e-13) << t.error();
}

TEST(Maps, StartWithinTheirFanInOrAsTold)
{
    for (const int64_t kernel : {0, 3}) {
        Tape t;
        rv_rnn_options options = units(64);
        options.kernel = kernel;
        const rv_cell_step maps = [](rv_cell *k, rv_var in, rv_var *h) {
            h[0] = rv_add(rv_cell_map(k, in, "U"),
                          rv_cell_map_with(k, in, "V", {0, 0, rv_init_constant(2)}));
        };
        rv_unroll_with(maps, t.input("x", kernel ? RV_SHAPE(1, 4, 3, 3) : RV_SHAPE(1, 36)), 1,
                       options);
        double most = 0;
        for (const double w : values_of(t.stored("U"))) most = std::max(most, std::fabs(w));
        EXPECT_LE(most, 1.0 / 6) << t.error();
        EXPECT_GT(most, 0.9 / 6);
        for (const double w : values_of(t.stored("V"))) EXPECT_EQ(w, 2);
    }
}

/* A map with heads equals maps of the parts of its input, joined. */
TEST(Maps, WithHeadsAreBlockDiagonal)
{
    for (const int64_t kernel : {0, 3}) {
        Tape t;
        rv_rnn_options options = units(4);
        options.kernel = kernel;
        const rv_var x = t.input("x", kernel ? RV_SHAPE(2, 6, 3, 4) : RV_SHAPE(2, 6));
        const rv_cell_step whole = [](rv_cell *k, rv_var in, rv_var *h) {
            h[0] = rv_cell_map_with(k, in, "W", {10, 2, {}});
        };
        const rv_cell_step parts = [](rv_cell *k, rv_var in, rv_var *h) {
            const rv_var both[] = {
                rv_cell_map_with(k, rv_slice_axis(in, 1, 0, 3), "A", {5, 0, {}}),
                rv_cell_map_with(k, rv_slice_axis(in, 1, 3, 3), "B", {5, 0, {}})};
            h[0] = rv_concat(both, 2, 1);
        };
        Program p(t, {rv_unroll_with(whole, x, 1, options), rv_unroll_with(parts, x, 1, options)});
        EXPECT_TRUE(rv_shape_equal(t.stored("W").shape,
                                   kernel ? RV_SHAPE(10, 3, 3, 3) : RV_SHAPE(2, 3, 5)));
        const Values w = values_of(t.stored("W"));
        const auto middle = w.begin() + static_cast<long>(w.size() / 2);
        set_values(&t.stored("A"), Values(w.begin(), middle));
        set_values(&t.stored("B"), Values(middle, w.end()));
        const double bound = 1 / std::sqrt(kernel ? 27 : 3);
        EXPECT_GT(*std::max_element(w.begin(), w.end()), 0.7 * bound);
        EXPECT_LE(*std::max_element(w.begin(), w.end()), bound);
        rv_init_fill(rv_program_input(p, "x"), rv_init_normal(0, 1), 1);
        p.run();
        for (size_t i = 0; i < p.values(0).size(); i++)
            EXPECT_NEAR(p.values(0)[i], p.values(1)[i], 1e-13) << t.error();
    }
}

/* Heads read the state with the dropout of the whole state. */
TEST(Maps, WithHeadsDropTheSameElements)
{
    Tape t;
    rv_rnn_options options = units(4);
    options.recurrent_dropout = 0.5;
    const rv_cell_step cell = [](rv_cell *k, rv_var in, rv_var *h) {
        h[0] = rv_add(in, rv_add(rv_cell_map_with(k, h[0], "R", {0, 2, rv_init_identity()}),
                                 rv_cell_map_with(k, h[0], "W", {0, 0, rv_init_identity()})));
        h[1] = rv_subtract(rv_cell_map_with(k, h[0], "R", {0, 2, rv_init_identity()}),
                           rv_cell_map_with(k, h[0], "W", {0, 0, rv_init_identity()}));
    };
    rv_states last = {};
    options.final = &last;
    rv_unroll_with(cell, t.input("x", RV_SHAPE(3, 4)), 3, options);
    Program p(t, {last.h[0], last.h[1]});
    p.set("x", Values(12, 1)).run();
    EXPECT_EQ(count_of(t, "random_uniform"), 3) << t.error();
    EXPECT_EQ(p.values(1), Values(12));
    for (const double h : p.values(0)) EXPECT_TRUE(h == 1 || h == 5 || h == 21) << h;
}

TEST(Maps, HaveGainsAndBiasesOfTheirOwnSize)
{
    Tape t;
    rv_rnn_options options = units(2);
    options.layer_norm = options.bias = true;
    const rv_cell_step cell = [](rv_cell *k, rv_var in, rv_var *h) {
        const rv_var y = rv_cell_map_with(k, in, "W", {6, 3, {}});
        const rv_var b = rv_cell_bias_from(k, y, "b", RV_SHAPE(6), rv_init_constant(5));
        const rv_var heads = rv_reshape(b, RV_SHAPE(2, 3, 2));
        h[0] = rv_cell_scale(k, rv_cell_bias_from(k, heads, "a", RV_SHAPE(3), rv_init_constant(1)),
                             "p", RV_SHAPE(1, 2), rv_init_constant(2));
    };
    const rv_var h = rv_unroll_with(cell, t.input("x", RV_SHAPE(2, 3)), 1, options);
    EXPECT_TRUE(rv_shape_equal(t.stored("W/gain").shape, RV_SHAPE(6))) << t.error();
    EXPECT_TRUE(rv_shape_equal(t.stored("b").shape, RV_SHAPE(6)));
    EXPECT_TRUE(rv_shape_equal(t.stored("a").shape, RV_SHAPE(3)));
    EXPECT_TRUE(rv_shape_equal(t.stored("p").shape, RV_SHAPE(1, 2)));
    set_values(&t.stored("a"), {1, 2, 3});
    set_values(&t.stored("p"), {2, 10});
    Program p(t, {h});
    p.set("x", Values(6, 0)).run();
    EXPECT_EQ(p.values(), (Values{12, 60, 14, 70, 16, 80, 12, 60, 14, 70, 16, 80}));
}

TEST(Maps, WhoseHeadsDoNotDivideAreErrors)
{
    const std::pair<rv_cell_step, const char *> wrong[] = {
        {[](rv_cell *k, rv_var in, rv_var *h) {
             h[0] = rv_cell_map_with(k, in, "W", {0, 3, {}});
         },
         "cell: \"W\" has 3 heads, which do not divide its 6 inputs and 4 outputs; choose "
         "another number of heads or units"},
        {[](rv_cell *k, rv_var in, rv_var *h) {
             h[0] = rv_cell_map_with(k, in, "W", {8, 4, {}});
         },
         "cell: \"W\" has 4 heads, which do not divide its 6 inputs and 8 outputs"},
        {[](rv_cell *k, rv_var in, rv_var *h) {
             h[0] = rv_cell_map_with(k, in, "W", {-8, 0, {}});
         },
         "cell: \"W\" has -8 outputs and 0 heads, expected at least 1"},
    };
    for (const auto &[step, words] : wrong) {
        Tape t;
        EXPECT_TRUE(rv_is_null(rv_unroll_with(step, t.input("x", RV_SHAPE(2, 6)), 1, units(4))));
        EXPECT_TRUE(contains(t.error(), words)) << t.error();
    }
}

TEST(Maps, OfGatesThatKeepTheStateAreShifted)
{
    for (const bool bias : {false, true}) {
        Tape t;
        rv_rnn_options options = units(2);
        options.bias = bias;
        const auto h = [&](double shift, const char *name) {
            options.name = name;
            options.forget_shift = shift;
            return rv_unroll_with(rv_zoo("lstm"), t.input("x", RV_SHAPE(1, 2)), 2, options);
        };
        const rv_var one = h(0, "one"), two = h(2, "two");
        if (bias) {
            EXPECT_EQ(values_of(t.stored("one/bf")), Values(2, 1)) << t.error();
            EXPECT_EQ(values_of(t.stored("two/bf")), Values(2, 3));
        }
        for (const char *gate : {"Wi", "Wf", "Wo", "Wz", "Ui", "Uf", "Uo", "Uz"})
            set_values(&rv_store_find(t.store(), (std::string("two/") + gate).c_str())->tensor,
                       values_of(t.stored((std::string("one/") + gate).c_str())));
        Program p(t, {one, two});
        p.set("x", {1, -2}).run();
        EXPECT_NE(p.values(0), p.values(1)) << bias;
    }
}

} // namespace
