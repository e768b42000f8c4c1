// The net around a cell: what it reads, its heads and its losses, for every kind of data.
#include <gtest/gtest.h>

#include <cmath>

#include "autograd/gradcheck.h"
#include "lang/zoo.h"
#include "models/models.h"
#include "tests/tapes.h"

namespace {

rv_net record(Tape &t, const char *model, const rv_net_options &o, rv_shape x, rv_shape y)
{
    const rv_var in = o.tokens ? rv_input_typed(t, "x", RV_I32, x) : t.input("x", x),
                 target = o.classes ? rv_input_typed(t, "y", RV_I32, y) : t.input("y", y);
    return rv_model_record(rv_model_find(model), &o, in, target);
}

rv_net_options small(bool sequence)
{
    rv_net_options o = {};
    o.rnn.units = 3;
    o.rnn.bias = true;
    o.sequence = sequence;
    return o;
}

void expect_right(Tape &t, rv_net net, const std::vector<rv_named_tensor> &inputs = {})
{
    ASSERT_FALSE(rv_is_null(net.loss)) << t.error();
    rv_gradcheck_options options = {};
    options.inputs = inputs.data();
    options.input_count = static_cast<int>(inputs.size());
    rv_gradcheck_result worst;
    EXPECT_TRUE(rv_gradcheck(net.loss, nullptr, 0, &options, &worst))
        << t.error() << (worst.name ? worst.name : "") << ": " << worst.reason << " "
        << worst.max_relative_error;
}

TEST(Net, AnswersASequenceWithALabelOrNumbers)
{
    for (const int64_t classes : {2, 5, 0}) {
        Tape t;
        rv_net_options o = small(true);
        o.classes = classes;
        o.hidden = classes ? 4 : 0;
        o.y = classes ? RV_SCALAR : RV_SHAPE(2, 2);
        const rv_net net =
            record(t, "gru", o, RV_SHAPE(3, 4, 2), classes ? RV_SHAPE(3) : RV_SHAPE(3, 2, 2));
        const rv_shape want = classes == 2 ? RV_SHAPE(3, 1)
                              : classes    ? RV_SHAPE(3, 5)
                                           : RV_SHAPE(3, 2, 2);
        EXPECT_TRUE(rv_shape_equal(rv_shape_of(net.output), want)) << t.error();
        expect_right(t, net);
    }
}

TEST(Net, AnswersEachStep)
{
    for (const int64_t classes : {2, 5, 0}) {
        Tape t;
        rv_net_options o = small(true);
        o.classes = classes;
        o.each_step = true;
        o.y = classes ? RV_SHAPE(4) : RV_SHAPE(4, 2);
        const rv_net net =
            record(t, "gru", o, RV_SHAPE(3, 4, 2), classes ? RV_SHAPE(3, 4) : RV_SHAPE(3, 4, 2));
        const rv_shape want = classes == 2 ? RV_SHAPE(3, 4, 1)
                              : classes    ? RV_SHAPE(3, 4, 5)
                                           : RV_SHAPE(3, 4, 2);
        EXPECT_TRUE(rv_shape_equal(rv_shape_of(net.output), want)) << t.error();
        expect_right(t, net);
    }
}

TEST(Net, ReadsTokensAsOneHotOrAsLearnedVectors)
{
    for (const int64_t embedding : {0, 3}) {
        Tape t;
        rv_net_options o = small(true);
        o.tokens = o.classes = 6;
        o.embedding = embedding;
        o.each_step = true;
        o.y = RV_SHAPE(4);
        const rv_net net = record(t, "lstm", o, RV_SHAPE(2, 4), RV_SHAPE(2, 4));
        EXPECT_EQ(t.stored("Ui").shape.dim[0], embedding ? embedding : 6) << t.error();
        expect_right(t, net);
    }
}

TEST(Net, PaintsImagesFromAConvolutionalStateOfAnySize)
{
    for (const char *model : {"curnn", "conv-lstm"}) {
        Tape t;
        rv_net_options o = small(true);
        o.rnn.units = 2;
        o.each_step = true;
        o.y = RV_SHAPE(2, 1, 7, 7);
        const rv_net net = record(t, model, o, RV_SHAPE(1, 2, 1, 7, 7), RV_SHAPE(1, 2, 1, 7, 7));
        EXPECT_TRUE(rv_shape_equal(rv_shape_of(net.output), RV_SHAPE(1, 2, 1, 7, 7))) << t.error();
        const int64_t size = model == std::string("curnn") ? 5 : 1;
        EXPECT_TRUE(rv_shape_equal(t.stored("readout/weight").shape, RV_SHAPE(2, 1, size, size)));
        expect_right(t, net);
        Program p(t, {gradient(net.loss, t.parameter("readout/bias", RV_SHAPE(1, 1, 1)))});
        rv_tensor_fill(rv_program_input(p, "y"), 1);
        EXPECT_LT(p.run().value(), -0.1) << "the bias is added";
    }
}

TEST(Net, TheHiddenLayerIsBounded)
{
    Tape t;
    rv_net_options o = small(true);
    o.classes = 3;
    o.hidden = 4;
    Program p(t, {record(t, "gru", o, RV_SHAPE(1, 2, 2), RV_SHAPE(1)).output});
    rv_tensor_fill(&rv_store_find(t.store(), "fc1/bias")->tensor, 1e6);
    for (const double logit : p.set("x", {1, 2, 3, 4}).run().values())
        EXPECT_LE(std::fabs(logit), 2.5);
}

TEST(Net, AnswersWithoutATarget)
{
    for (const char *model : {"curnn", "curnn-blog"}) {
        Tape t;
        rv_net_options o = small(false);
        o.classes = 2;
        o.rnn = {};
        const rv_net net =
            rv_model_record(rv_model_find(model), &o, t.input("x", RV_SHAPE(2, 1, 8, 8)), {});
        EXPECT_FALSE(rv_is_null(net.output)) << model;
        EXPECT_TRUE(rv_is_null(net.loss)) << model;
        EXPECT_EQ(t.error(), "") << model;
    }
}

TEST(Net, PoolsOverTime)
{
    Tape t;
    rv_net_options o = small(true), last = o;
    o.classes = last.classes = 3;
    o.pool = true;
    const rv_net net = record(t, "gru", o, RV_SHAPE(2, 4, 2), RV_SHAPE(2));
    expect_right(t, net);
    EXPECT_FALSE(same(net.output, record(t, "gru", last, RV_SHAPE(2, 4, 2), RV_SHAPE(2)).output));
}

TEST(Net, PoolsOverTheStepsOfASequenceOnly)
{
    Tape t(RV_F64), one(RV_F64);
    rv_net_options o = small(true), alone = o;
    o.classes = alone.classes = 3;
    o.pool = alone.pool = true;
    o.rnn.lengths = rv_input_typed(t, "lengths", RV_I32, RV_SHAPE(2));
    Program padded(t, {record(t, "gru", o, RV_SHAPE(2, 4, 2), RV_SHAPE(2)).output}),
        whole(one, {record(one, "gru", alone, RV_SHAPE(1, 2, 2), RV_SHAPE(1)).output});
    padded.set("x", {1, 2, 3, 4, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}).set("lengths", {2, 0}).run();
    whole.set("x", {1, 2, 3, 4}).run();
    for (size_t i = 0; i < 3; i++) EXPECT_NEAR(padded.values()[i], whole.values()[i], 1e-14);
    for (size_t i = 3; i < 6; i++) EXPECT_TRUE(std::isfinite(padded.values()[i]));
}

/* Steps beyond a sequence's end count neither in the loss nor in its gradient, whatever their
 * targets. */
TEST(Net, CountsTheStepsOfASequenceOnly)
{
    for (const int64_t classes : {2, 5, 0}) {
        Tape t;
        rv_net_options o = small(true), alone = o;
        o.classes = alone.classes = classes;
        o.each_step = alone.each_step = true;
        o.y = RV_SHAPE(4);
        alone.y = RV_SHAPE(2);
        o.rnn.lengths = rv_input_typed(t, "lengths", RV_I32, RV_SHAPE(2));
        const rv_net net = record(t, "gru", o, RV_SHAPE(2, 4, 2), RV_SHAPE(2, 4));
        const std::vector<rv_var> dx = {gradient(net.loss, t.input("x", RV_SHAPE(2, 4, 2)))};
        Program p(t, {net.loss, dx[0]});
        Values x;
        for (int i = 0; i < 16; i++) x.push_back(std::sin(3 * i));
        p.set("x", x).set("lengths", {4, 2});
        const double loss = p.set("y", {1, 0, 1, 1, 0, 1, 0, 0}).run().value();
        EXPECT_EQ(p.set("y", {1, 0, 1, 1, 0, 1, 1, 1}).run().value(), loss);
        for (size_t i = 12; i < 16; i++) EXPECT_EQ(p.values(1)[i], 0);

        rv_net_options whole = alone;
        whole.y = RV_SHAPE(4);
        Tape one(RV_F64), two(RV_F64);
        const rv_net first = record(one, "gru", whole, RV_SHAPE(1, 4, 2), RV_SHAPE(1, 4)),
                     second = record(two, "gru", alone, RV_SHAPE(1, 2, 2), RV_SHAPE(1, 2));
        Program a(one, {first.loss}), b(two, {second.loss});
        a.set("x", Values(x.begin(), x.begin() + 8)).set("y", {1, 0, 1, 1}).run();
        b.set("x", Values(x.begin() + 8, x.begin() + 12)).set("y", {0, 1}).run();
        EXPECT_NEAR(loss, (4 * a.value() + 2 * b.value()) / 6, 1e-14);
    }
}

TEST(Net, IsRightAboutABatchOfNoSteps)
{
    Tape t;
    rv_net_options o = small(true);
    o.each_step = true;
    o.y = RV_SHAPE(3, 1);
    o.rnn.lengths = rv_input_typed(t, "lengths", RV_I32, RV_SHAPE(2));
    const rv_net net = record(t, "gru", o, RV_SHAPE(2, 3, 2), RV_SHAPE(2, 3, 1));
    Program p(t, {net.loss, gradient(net.loss, t.input("x", RV_SHAPE(2, 3, 2)))});
    p.set("y", Values(6, 1)).run();
    EXPECT_EQ(p.value(), 0);
    EXPECT_EQ(p.values(1), Values(12, 0));
}

TEST(Net, SmoothsTheLabelsOfTheStepsOfASequenceOnly)
{
    for (const int64_t classes : {2, 5}) {
        Tape t(RV_F64), one(RV_F64);
        rv_net_options o = small(true), alone = o;
        o.classes = alone.classes = classes;
        o.smoothing = alone.smoothing = 0.2;
        o.each_step = alone.each_step = true;
        o.y = RV_SHAPE(4);
        alone.y = RV_SHAPE(2);
        o.rnn.lengths = rv_input_typed(t, "lengths", RV_I32, RV_SHAPE(1));
        Program padded(t, {record(t, "gru", o, RV_SHAPE(1, 4, 2), RV_SHAPE(1, 4)).loss}),
            whole(one, {record(one, "gru", alone, RV_SHAPE(1, 2, 2), RV_SHAPE(1, 2)).loss});
        padded.set("x", {1, 2, 3, 4, 9, 9, 9, 9}).set("y", {0, 1, 1, 1}).set("lengths", {2}).run();
        whole.set("x", {1, 2, 3, 4}).set("y", {0, 1}).run();
        EXPECT_NEAR(padded.value(), whole.value(), 1e-14) << classes;
        alone.smoothing = 0;
        Tape sharp(RV_F64);
        Program other(sharp, {record(sharp, "gru", alone, RV_SHAPE(1, 2, 2), RV_SHAPE(1, 2)).loss});
        other.set("x", {1, 2, 3, 4}).set("y", {0, 1}).run();
        EXPECT_GT(std::fabs(whole.value() - other.value()), 1e-6) << classes;
    }
}

TEST(Net, TakesOtherLossesAndSmoothedLabels)
{
    const auto value = [](rv_loss_kind kind) {
        Tape t;
        rv_net_options o = small(true);
        o.y = RV_SHAPE(1);
        o.loss = kind;
        Program p(t, {record(t, "gru", o, RV_SHAPE(1, 2, 2), RV_SHAPE(1, 1)).loss});
        return p.set("y", {10}).run().value();
    };
    const double mse = value(RV_LOSS_DEFAULT), mae = value(RV_LOSS_MAE),
                 huber = value(RV_LOSS_HUBER);
    EXPECT_NEAR(mse, mae * mae, 1e-12);
    EXPECT_NEAR(huber, mae - 0.5, 1e-12);

    Tape t;
    rv_net_options o = small(true);
    o.classes = 4;
    o.smoothing = 0.2;
    expect_right(t, record(t, "gru", o, RV_SHAPE(3, 2, 2), RV_SHAPE(3)));
}

TEST(Net, ShowsAnImageSeveralTimesToDenseAndConvolutionalCells)
{
    Tape t;
    rv_net_options o = small(false);
    o.classes = 10;
    o.steps = 3;
    o.rnn.name = "dense";
    record(t, "ugrnn", o, RV_SHAPE(2, 1, 4, 4), RV_SHAPE(2));
    EXPECT_TRUE(rv_shape_equal(t.stored("dense/Ug").shape, RV_SHAPE(16, 3))) << t.error();
    o.rnn.name = "convolutional";
    o.rnn.kernel = 3;
    Tape other;
    record(other, "ugrnn", o, RV_SHAPE(2, 1, 4, 4), RV_SHAPE(2));
    EXPECT_TRUE(rv_shape_equal(other.stored("convolutional/Ug").shape, RV_SHAPE(3, 1, 3, 3)))
        << other.error();
}

TEST(Net, NothingIsAnErrorNotACrash)
{
    Tape t, u;
    EXPECT_TRUE(
        rv_is_null(rv_model_record(nullptr, nullptr, t.input("x", RV_SHAPE(2, 3)), {}).output));
    EXPECT_TRUE(contains(t.error(), "the model is NULL")) << t.error();
    EXPECT_TRUE(rv_is_null(rv_model_specimen(nullptr, u)));
    EXPECT_TRUE(contains(u.error(), "the model is NULL")) << u.error();
    Tape v;
    const rv_model no_cell = {.name = "none"};
    const rv_net_options o = small(true);
    rv_model_record(&no_cell, &o, v.input("x", RV_SHAPE(2, 3)), {});
    EXPECT_TRUE(contains(v.error(), "the model \"none\" has no cell to be unrolled")) << v.error();
}

TEST(Net, OptionsOutOfRangeAreErrors)
{
    const auto fails = [](const rv_net_options &o) {
        Tape t;
        EXPECT_TRUE(rv_is_null(record(t, "gru", o, RV_SHAPE(2, 3), RV_SHAPE(2)).loss));
        EXPECT_TRUE(contains(t.error(), "expected at least 0, and from 0 to below 1")) << t.error();
    };
    rv_net_options o = small(false);
    o.steps = -1;
    fails(o);
    o.steps = 0;
    for (const double smoothing : {-0.1, 1.0, static_cast<double>(NAN)}) {
        o.smoothing = smoothing;
        fails(o);
    }
}

TEST(Net, OfItsOwnAnswersAsManyNumbersAsTheDataAskFor)
{
    rv_model own = {};
    own.name = "own";
    own.record = [](const rv_model *, const rv_net_options *, rv_var x, rv_var) {
        return rv_net{x, total(x)};
    };
    rv_net_options o = small(true);
    for (const bool each_step : {true, false}) {
        Tape t;
        o.each_step = each_step;
        const rv_net net = rv_model_record(&own, &o, t.input("x", RV_SHAPE(2, 5)), {});
        EXPECT_EQ(rv_is_null(net.loss), !each_step) << t.error();
        EXPECT_EQ(contains(t.error(), "outputs [2,5] for 2 samples, but the data ask for 1 "),
                  !each_step)
            << t.error();
    }
}

TEST(Net, OfItsOwnThatFailsIsNone)
{
    Tape t;
    rv_model own = {};
    own.name = "own";
    const rv_net_options o = small(false);
    own.record = [](const rv_model *, const rv_net_options *, rv_var x, rv_var) {
        const rv_var none = rv_tape_fail(x.tape, RV_ERROR_ARGUMENT, "own: it fails");
        return rv_net{none, x};
    };
    const rv_net net = rv_model_record(&own, &o, t.input("x", RV_SHAPE(2, 1)), {});
    EXPECT_TRUE(rv_is_null(net.output));
    EXPECT_TRUE(rv_is_null(net.loss));
    EXPECT_TRUE(contains(t.error(), "own: it fails")) << t.error();
}

TEST(Net, WhatDoesNotFitIsAnError)
{
    Tape t;
    rv_net_options o = small(true);
    o.classes = 3;
    record(t, "update-gate", o, RV_SHAPE(2, 4, 2), RV_SHAPE(2));
    EXPECT_TRUE(contains(t.error(), "\"x\" is [2,3,1], but is given as [2,4,2]")) << t.error();
    Tape u;
    EXPECT_TRUE(rv_is_null(record(u, "curnn", o, RV_SHAPE(2, 4, 2), RV_SHAPE(2)).loss));
    EXPECT_TRUE(contains(u.error(), "maps images")) << u.error();
}

} // namespace
