/* Cases that the samples of ops leave out: ties, huge values, known results and wrong arguments. */
#include <cmath>

#include "tests/tapes.h"

namespace {

/* Equal up to rounding; all NaN are the same. */
void expect_same(const Values &got, const Values &want)
{
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); i++)
        EXPECT_TRUE(std::isnan(got[i]) ? std::isnan(want[i])
                                       : got[i] == want[i] || std::fabs(got[i] - want[i]) <=
                                                                  1e-15 * std::fabs(want[i]))
            << "element " << i << " is " << got[i] << ", not " << want[i];
}

// ---- ties and kinks ----

TEST(Ties, ShareTheGradient)
{
    for (rv_var (*op)(rv_var, rv_var) : {rv_minimum, rv_maximum}) {
        Tape tape;
        const rv_var x = tape.input("x", RV_SHAPE(3)), y = tape.input("y", RV_SHAPE(3));
        const rv_var z = op(x, y);
        const std::vector<rv_var> g = gradients(total(z), {x, y});
        Program program(tape, {z, g[0], g[1]});
        program.set("x", {1, 2, 3}).set("y", {1, 3, 2}).run();
        const bool most = op == rv_maximum;
        EXPECT_EQ(program.values(0), most ? (Values{1, 3, 3}) : (Values{1, 2, 2}));
        EXPECT_EQ(program.values(1), most ? (Values{0.5, 0, 1}) : (Values{0.5, 1, 0}));
        EXPECT_EQ(program.values(2), most ? (Values{0.5, 1, 0}) : (Values{0.5, 0, 1}));
    }
}

TEST(Ties, NaNWins)
{
    Tape tape;
    const rv_var x = tape.input("x", RV_SHAPE(2)), y = tape.input("y", RV_SHAPE(2));
    Program program(tape, {rv_minimum(x, y), rv_maximum(x, y)});
    program.set("x", {NAN, 1}).set("y", {1, NAN}).run();
    for (int k = 0; k < 2; k++)
        for (const double z : program.values(k)) EXPECT_TRUE(std::isnan(z));
}

/* The whole cotangent goes to both operands, as the NaN came from either. */
TEST(Ties, NaNPassesOnTheGradient)
{
    for (rv_var (*op)(rv_var, rv_var) : {rv_minimum, rv_maximum}) {
        Tape tape;
        const rv_var x = tape.input("x", RV_SHAPE(2)), y = tape.input("y", RV_SHAPE(2));
        const std::vector<rv_var> g = gradients(total(op(x, y)), {x, y});
        Program program(tape, g);
        program.set("x", {NAN, 1}).set("y", {1, NAN}).run();
        EXPECT_EQ(program.values(0), (Values{1, 1}));
        EXPECT_EQ(program.values(1), (Values{1, 1}));
    }
}

/* A cotangent that is infinite or NaN is not multiplied by a slope of 0. */
TEST(Kinks, AClosedSideIsZeroWhateverItsCotangent)
{
    Tape tape;
    const rv_var x = tape.input("x", RV_SHAPE(4)), dy = tape.input("dy", RV_SHAPE(4));
    const rv_var loss = total(rv_multiply(rv_relu(x), dy));
    Program program(tape, {gradient(loss, x)});
    program.set("x", {-1, 0, 2, NAN}).set("dy", {INFINITY, NAN, INFINITY, 3}).run();
    EXPECT_EQ(program.values(), (Values{0, 0, INFINITY, 3}));
}

/* x^p at x = 0 and at p = 0, as in PyTorch. */
TEST(Power, HasGradientsAtZero)
{
    const struct {
        double x, p, y, dx, dp;
    } rows[] = {{0, 0, 1, 0, 0},
                {0, 2, 0, 0, 0},
                {0, 1, 0, 1, 0},
                {0, 0.5, 0, INFINITY, 0},
                {-0.0, 3, 0, 0, 0},
                {3, 0, 1, 0, std::log(3)},
                {1e-320, 0, 1, 0, std::log(1e-320)},
                {0, -1, INFINITY, -INFINITY, -INFINITY},
                {NAN, 0, 1, 0, NAN},
                {-2, 2, 4, -4, NAN}};
    Tape tape;
    const rv_var x = tape.input("x", RV_SCALAR), p = tape.input("p", RV_SCALAR), y = rv_power(x, p);
    const std::vector<rv_var> g = gradients(y, {x, p});
    Program program(tape, {y, g[0], g[1]});
    for (const auto &row : rows) {
        program.set("x", {row.x}).set("p", {row.p}).run();
        SCOPED_TRACE(std::to_string(row.x) + "^" + std::to_string(row.p));
        expect_same({program.value(0), program.value(1), program.value(2)},
                    {row.y, row.dx, row.dp});
    }
}

TEST(Kinks, HaveTheSlopeThatTheirOpSays)
{
    Tape tape;
    const rv_var x = tape.input("x", RV_SCALAR);
    const std::vector<rv_var> y = {rv_abs(x), rv_elu(x, 0.75), rv_leaky_relu(x, 0.1), rv_sign(x)};
    const double slope[] = {0, 0.75, 0.1, 0};
    for (size_t k = 0; k < y.size(); k++) {
        Program program(tape, {gradient(y[k], x)});
        EXPECT_EQ(program.set("x", {0}).run().value(), slope[k]) << k;
    }
}

TEST(MaxPool, EqualMaximaShareAllOfTheGradient)
{
    Tape tape;
    const rv_var x = tape.input("x", RV_SHAPE(1, 1, 2, 2)), y = rv_max_pool2d(x, 2, 2);
    Program program(tape, {gradient(total(y), x)});
    EXPECT_EQ(program.set("x", {3, 3, 3, 3}).run().values(), (Values{0.25, 0.25, 0.25, 0.25}));
    for (size_t least = 0; least < 4; least++) {
        Values values(4, 3), parts(4, 1.0 / 3);
        values[least] = 2, parts[least] = 0;
        EXPECT_EQ(program.set("x", values).run().values(), parts) << least;
    }
}

/* Overlapping windows: a maximum of two windows gets a part from each. */
TEST(MaxPool, EqualMaximaShareInEachWindow)
{
    Tape tape;
    const rv_var x = tape.input("x", RV_SHAPE(2, 3)), y = rv_max_pool2d(x, 2, 1);
    Program program(tape, {y, gradient(total(y), x)});
    program.set("x", {1, 5, 1, 5, 1, 0}).run();
    EXPECT_EQ(program.values(0), (Values{5, 5}));
    EXPECT_EQ(program.values(1), (Values{0, 1.5, 0, 0.5, 0, 0}));
}

TEST(Equal, IsOneWhereBothAreEqual)
{
    Tape tape(RV_F32);
    const rv_var x = tape.input("x", RV_SHAPE(3)), y = tape.input("y", RV_SHAPE(3));
    Program program(tape, {rv_equal(x, y)});
    program.set("x", {1, 0, 2}).set("y", {1, -0.0, 2.5}).run();
    EXPECT_EQ(program.values(), (Values{1, 1, 0}));
}

// ---- huge values ----

TEST(Stable, LogSumExpAndSoftplus)
{
    for (const rv_dtype dtype : {RV_F32, RV_F64}) {
        Tape tape(dtype);
        const rv_var x = tape.input("x", RV_SHAPE(2, 2)), y = rv_log_sum_exp(x, 2, false),
                     kept = rv_log_sum_exp(x, 2, true), s = rv_softplus(x);
        EXPECT_TRUE(rv_shape_equal(rv_shape_of(y), RV_SHAPE(2)));
        EXPECT_TRUE(rv_shape_equal(rv_shape_of(kept), RV_SHAPE(2, 1)));
        Program program(tape, {y, gradient(total(y), x), s, gradient(total(s), x)});
        program.set("x", {1e4, 1e4, -1e4, -3e4}).run();
        EXPECT_NEAR(program.values(0)[0], 1e4 + std::log(2), 1e-3);
        EXPECT_EQ(program.values(0)[1], -1e4);
        EXPECT_EQ(program.values(1), (Values{0.5, 0.5, 1, 0}));
        EXPECT_EQ(program.values(2), (Values{1e4, 1e4, 0, 0}));
        EXPECT_EQ(program.values(3), (Values{1, 1, 0, 0}));
    }
}

/* As torch.logsumexp. */
TEST(LogSumExp, OfInfinities)
{
    const double inf = INFINITY, nan = NAN;
    const struct {
        Values x;
        double y;
        Values gradient;
    } rows[] = {{{-inf, -inf, -inf}, -inf, {nan, nan, nan}},
                {{inf, 0, 1}, inf, {nan, 0, 0}},
                {{-inf, 2, -inf}, 2, {0, 1, 0}},
                {{nan, 0, inf}, nan, {nan, nan, nan}}};
    for (const auto &row : rows) {
        Tape tape;
        const rv_var x = tape.input("x", RV_SHAPE(3)), y = rv_log_sum_exp(x, 1, false);
        Program program(tape, {y, gradient(y, x)});
        program.set("x", row.x).run();
        expect_same(program.values(0), {row.y});
        expect_same(program.values(1), row.gradient);
    }
}

TEST(Stable, ActivationsFarOut)
{
    Tape tape(RV_F32);
    const rv_var x = tape.input("x", RV_SHAPE(2));
    const std::vector<rv_var> y = {rv_silu(x), rv_gelu(x), rv_elu(x, 1), rv_hard_sigmoid(x)};
    const double left[] = {0, 0, -1, 0}, right[] = {1e4, 1e4, 1e4, 1}, slope[] = {1, 1, 1, 0};
    for (size_t k = 0; k < y.size(); k++) {
        Program program(tape, {y[k], gradient(total(y[k]), x)});
        program.set("x", {-1e4, 1e4}).run();
        EXPECT_EQ(program.values(0), (Values{left[k], right[k]})) << k;
        EXPECT_EQ(program.values(1), (Values{0, slope[k]})) << k;
    }
}

TEST(Stable, NearZero)
{
    Tape tape(RV_F32);
    const rv_var x = tape.input("x", RV_SCALAR);
    Program program(tape, {rv_expm1(x), rv_elu(x, 1), rv_erf(x), rv_sin(x)});
    program.set("x", {-1e-20}).run();
    for (int k = 0; k < 4; k++)
        EXPECT_NEAR(program.value(k) / -1e-20, k == 2 ? 2 / std::sqrt(std::acos(-1.0)) : 1, 1e-6);
}

// ---- known values ----

TEST(SmoothCrossEntropy, IsTheMixtureOfItsTwoParts)
{
    Tape tape;
    const rv_var logits = tape.constant(RV_SHAPE(2, 3), {1, 2, 3, 1, 0, -1}),
                 labels = tape.constant(RV_SHAPE(2), {2, 1});
    const double s = 0.2;
    Program program(tape, {rv_softmax_cross_entropy_smooth(logits, labels, s),
                           rv_softmax_cross_entropy(logits, labels)});
    program.run();
    const double norm[] = {std::log(std::exp(1) + std::exp(2) + std::exp(3)),
                           std::log(std::exp(1) + std::exp(0) + std::exp(-1))};
    const double right = (norm[0] - 3 + norm[1] - 0) / 2;               /* -ln p of the labels */
    const double all = (norm[0] - (1 + 2 + 3) / 3.0 + norm[1] - 0) / 2; /* -ln p, mean of all */
    EXPECT_NEAR(program.value(0), (1 - s) * right + s * all, 1e-14);
    EXPECT_NEAR(program.value(1), right, 1e-14);
}

/* As PyTorch's ignore_index: the mean is over the labels that count. */
TEST(SoftmaxCrossEntropy, IgnoresNegativeLabels)
{
    for (const double smoothing : {0.0, 0.2}) {
        Tape tape;
        const rv_var x = tape.input("x", RV_SHAPE(4, 3)), label = tape.input("label", RV_SHAPE(4)),
                     few = tape.input("few", RV_SHAPE(2, 3)), its = tape.input("its", RV_SHAPE(2));
        const rv_var loss = rv_softmax_cross_entropy_smooth(x, label, smoothing),
                     other = rv_softmax_cross_entropy_smooth(few, its, smoothing);
        Program program(tape, {loss, gradient(loss, x), other, gradient(other, few)});
        program.set("x", {1, 2, 3, 9, 9, 1, 0, -1, 4, 2, 2, 2}).set("label", {0, -100, 2, -1});
        program.set("few", {1, 2, 3, 0, -1, 4}).set("its", {0, 2}).run();
        EXPECT_EQ(program.value(0), program.value(2));
        Values want = program.values(3);
        want.insert(want.begin() + 3, 3, 0);
        want.insert(want.end(), 3, 0);
        EXPECT_EQ(program.values(1), want);

        program.set("label", {-1, -1, -1, -1}).run();
        EXPECT_EQ(program.value(0), 0);
        EXPECT_EQ(program.values(1), Values(12, 0));

        program.set("label", {0, 1, 3, 0}).run(); /* there is no class 3 */
        EXPECT_EQ(program.value(0), INFINITY);
    }
}

/* Logits of -inf forbid classes. */
TEST(SoftmaxCrossEntropy, OfForbiddenClasses)
{
    Tape tape;
    const rv_var x = tape.input("x", RV_SHAPE(3)), label = tape.input("label", RV_SCALAR),
                 loss = rv_softmax_cross_entropy(x, label);
    Program program(tape, {loss, gradient(loss, x)});
    program.set("x", {-INFINITY, 5, -INFINITY}).set("label", {1}).run();
    EXPECT_EQ(program.value(0), 0);
    EXPECT_EQ(program.values(1), (Values{0, 0, 0}));
    program.set("label", {0}).run();
    EXPECT_EQ(program.value(0), INFINITY);
    EXPECT_EQ(program.values(1), (Values{-1, 1, 0}));
}

TEST(LayerNorm, StartsWithMeanZeroAndVarianceOne)
{
    Tape tape;
    const rv_var x = tape.input("x", RV_SHAPE(2, 3, 4)), y = rv_layer_norm(x, "norm");
    Program program(tape, {rv_mean(y, 6, false), rv_mean(rv_square(y), 6, false)});
    Values values(24);
    for (size_t i = 0; i < 24; i++) values[i] = 100 + static_cast<double>(i * i % 17);
    program.set("x", values).run();
    for (size_t n = 0; n < 2; n++) {
        EXPECT_NEAR(program.values(0)[n], 0, 1e-12);
        EXPECT_NEAR(program.values(1)[n], 1, 1e-5);
    }
    EXPECT_EQ(values_of(tape.stored("norm/gain")), (Values{1, 1, 1}));
    EXPECT_EQ(values_of(tape.stored("norm/bias")), (Values{0, 0, 0}));
}

TEST(ConvTranspose, UndoesTheSizeOfAConvolution)
{
    Tape tape;
    rv_conv2d_options o = {};
    o.stride[0] = o.stride[1] = 2;
    o.top = o.bottom = o.left = o.right = 1;
    const rv_var x = tape.input("x", RV_SHAPE(2, 3, 16, 16)),
                 w = tape.input("w", RV_SHAPE(5, 3, 4, 4));
    const rv_var y = rv_conv2d(x, w, o), back = rv_conv2d_transpose(y, w, o);
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(y), RV_SHAPE(2, 5, 8, 8)));
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(back), RV_SHAPE(2, 3, 16, 16)));
}

TEST(Stack, OfMany)
{
    Tape tape;
    std::vector<rv_var> x;
    Values expected;
    for (int k = 0; k < 40; k++) {
        x.push_back(rv_scalar(tape, k));
        expected.push_back(k);
    }
    Program program(tape, {rv_stack(x.data(), 40, 0)});
    EXPECT_EQ(program.run().values(), expected);
}

TEST(Matmul, LeadingAxesStretchBothWays)
{
    Tape tape;
    const rv_var a = tape.input("a", RV_SHAPE(2, 1, 3, 4)), b = tape.input("b", RV_SHAPE(5, 4, 2)),
                 wide_a = rv_broadcast(a, RV_SHAPE(2, 5, 3, 4)),
                 wide_b = rv_broadcast(b, RV_SHAPE(2, 5, 4, 2));
    EXPECT_EQ(rv_matmul(a, b, false, false).id, rv_matmul(wide_a, wide_b, false, false).id);
    EXPECT_EQ(rv_matmul(b, a, true, true).id, rv_matmul(wide_b, wide_a, true, true).id);
    EXPECT_TRUE(rv_is_null(rv_matmul(b, tape.input("c", RV_SHAPE(3, 2, 4)), false, false)));
    EXPECT_TRUE(contains(tape.error(), "leading axes do not broadcast")) << tape.error();
}

// ---- wrong arguments: an error that says so, and never a crash ----

template <class Record> void expect_refusal(const char *words, Record record)
{
    Tape tape;
    const rv_var x = tape.input("x", RV_SHAPE(3, 4));
    EXPECT_TRUE(rv_is_null(record(x))) << words;
    EXPECT_TRUE(contains(tape.error(), words)) << "\"" << tape.error() << "\", not " << words;
}

TEST(Refusals, SayWhatIsWrong)
{
    const int64_t two[] = {2, 2};
    expect_refusal("clamp: low 1 is not at most high 0",
                   [](rv_var x) { return rv_clamp(x, 1, 0); });
    expect_refusal("clamp: low nan", [](rv_var x) { return rv_clamp(x, NAN, 0); });
    expect_refusal("slice: start is NULL",
                   [&](rv_var x) { return rv_slice(x, nullptr, two, nullptr); });
    expect_refusal("slice: size is NULL",
                   [&](rv_var x) { return rv_slice(x, two, nullptr, nullptr); });
    expect_refusal("pad: before is NULL",
                   [&](rv_var x) { return rv_pad(x, nullptr, two, nullptr); });
    expect_refusal("pad: after is NULL",
                   [&](rv_var x) { return rv_pad(x, two, nullptr, nullptr); });
    expect_refusal("layer_norm \"n\": x has rank 1",
                   [](rv_var x) { return rv_layer_norm(rv_reshape(x, RV_SHAPE(12)), "n"); });
    expect_refusal("linear \"n\": x is [12], expected [n,inputs]",
                   [](rv_var x) { return rv_linear(rv_reshape(x, RV_SHAPE(12)), "n", 2); });
    expect_refusal("pad2d: x has rank 1, expected at least 2",
                   [](rv_var x) { return rv_pad2d(rv_reshape(x, RV_SHAPE(12)), 1); });
    expect_refusal("slice: axis 2 of a tensor of rank 2",
                   [](rv_var x) { return rv_slice_axis(x, 2, 0, 1); });
    expect_refusal("operands of different dtype",
                   [](rv_var x) { return rv_multiply(x, rv_cast(x, RV_F32)); });
    expect_refusal("operands of different dtype",
                   [](rv_var x) { return rv_add(x, rv_cast(x, RV_F32)); });
    expect_refusal("matmul: takes two f32 or two f64",
                   [](rv_var x) { return rv_matmul(x, rv_cast(x, RV_F32), false, true); });
    expect_refusal("conv2d: takes two f32 or two f64", [](rv_var x) {
        const rv_var image = rv_reshape(x, RV_SHAPE(1, 1, 3, 4));
        return rv_conv2d(image, rv_cast(image, RV_F32), {});
    });
    expect_refusal("max_pool2d: size 0", [](rv_var x) { return rv_max_pool2d(x, 0, 1); });
    expect_refusal("average_pool2d: x is [3,4], expected",
                   [](rv_var x) { return rv_average_pool2d(x, 4, 1); });
    expect_refusal("one_hot: rows of 0", [](rv_var x) { return rv_one_hot(x, 0); });
    expect_refusal("sequence_mask: rows of -1", [](rv_var x) { return rv_sequence_mask(x, -1); });
    expect_refusal("huber: delta nan", [](rv_var x) { return rv_huber(x, x, NAN); });
    expect_refusal("smoothing -0.1",
                   [](rv_var x) { return rv_softmax_cross_entropy_smooth(x, x, -0.1); });
    expect_refusal("stride 2x3, dilation 4x5, groups 6 must be at least 1 and padding 7,8,9,-1 at",
                   [](rv_var x) {
                       const rv_var image = rv_reshape(x, RV_SHAPE(1, 1, 3, 4));
                       return rv_conv2d(image, image, {{2, 3}, 7, 8, 9, -1, {4, 5}, 6});
                   });
    expect_refusal("must be at least 1", [](rv_var x) {
        const rv_var image = rv_reshape(x, RV_SHAPE(1, 1, 3, 4));
        rv_conv2d_options o = {};
        o.stride[0] = -2;
        o.top = INT64_MAX, o.bottom = INT64_MAX;
        return rv_conv2d_transpose(image, image, o);
    });
}

TEST(Refusals, PassOnTheNullVar)
{
    Tape tape;
    const rv_var null = {tape, -1};
    const rv_var results[] = {rv_clamp(null, 0, 1),
                              rv_gelu(null),
                              rv_elu(null, 1),
                              rv_leaky_relu(null, 1),
                              rv_log_sum_exp(null, 1, true),
                              rv_normalize(null, 1, 0),
                              rv_layer_norm(null, "n"),
                              rv_one_hot(null, 3),
                              rv_sequence_mask(null, 3),
                              rv_max_pool2d(null, 2, 2),
                              rv_global_average_pool(null),
                              rv_cumulative_sum(null, 0, false),
                              rv_scan(null, null, null, 0, false),
                              rv_gather(null, null),
                              rv_scatter_add(null, null, 3),
                              rv_embedding(null, "e", 3, 4),
                              rv_conv2d_transpose(null, null, {}),
                              rv_stack(&null, 1, 0),
                              rv_huber(null, null, 1),
                              rv_softmax_cross_entropy(null, null),
                              rv_dropout(null, 0.5, "d")};
    for (const rv_var &y : results) EXPECT_TRUE(rv_is_null(y)) << &y - results;
    EXPECT_NE(tape.code(), RV_OK);
    EXPECT_EQ(rv_store_count(tape.store()), 0U);
}

} // namespace
