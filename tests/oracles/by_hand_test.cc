/*
 * The derivations by hand against the published program's own numbers, and against central
 * differences: what tests/oracles calls published is what was published, what it calls correct is
 * correct, and each of the mistakes between the two is one.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/reference.h"
#include "tests/oracles/curnn_by_hand.h"
#include "tests/oracles/update_gate_by_hand.h"

namespace {

using Values = std::vector<double>;

const Reference &reference()
{
    static const Reference values;
    return values;
}

/* The largest magnitude, or NaN where there is one: std::max alone would drop it. */
double largest(const Values &values)
{
    double result = 0;
    for (double value : values) {
        if (std::isnan(value)) return value;
        result = std::max(result, std::fabs(value));
    }
    return result;
}

/*
 * A gradient's error: largest |a - b|, as a fraction of the largest |b|. One element can be off by
 * more of itself, where 1 - c^2 cancels in a saturated unit.
 */
double relative_error(const double *a, const Values &b)
{
    Values difference(b.size());
    std::transform(b.begin(), b.end(), a, difference.begin(),
                   [](double expected, double actual) { return actual - expected; });
    return largest(difference) / largest(b);
}

/* df/dv for the one number v, from four points: exact up to step^4. v is left as it was. */
double central_difference(double &v, const std::function<double()> &f)
{
    const double step = 3e-4, at = v;
    const auto f_at = [&](double steps) {
        v = at + steps * step;
        return f();
    };
    const double slope = (8 * (f_at(1) - f_at(-1)) - (f_at(2) - f_at(-2))) / (12 * step);
    v = at;
    return slope;
}

/* The convolutional net ---------------------------------------------------------------------- */

/* Where each weight lies in the struct, so that a test can walk over them. */
const struct Weight {
    const char *name;
    size_t offset, size;
} weights[] = {
    {"wxc", offsetof(by_hand_curnn, wxc), 25},    {"wxg", offsetof(by_hand_curnn, wxg), 25},
    {"wrecc", offsetof(by_hand_curnn, wrecc), 9}, {"wrecg", offsetof(by_hand_curnn, wrecg), 9},
    {"w1", offsetof(by_hand_curnn, w1), 16 * 34}, {"w2", offsetof(by_hand_curnn, w2), 34},
};

double *elements(by_hand_curnn &net, const Weight &weight)
{
    return reinterpret_cast<double *>(reinterpret_cast<char *>(&net) + weight.offset);
}

by_hand_curnn published_first_weights()
{
    by_hand_curnn net;
    for (const Weight &weight : weights) {
        const Values &values = reference().f64(std::string("init.") + weight.name);
        EXPECT_EQ(values.size(), weight.size) << weight.name;
        std::copy(values.begin(), values.end(), elements(net, weight));
    }
    return net;
}

by_hand_curnn_trace forward(const by_hand_curnn &net, const Values &x, double y)
{
    by_hand_curnn_trace trace;
    by_hand_curnn_forward(&net, reference().f64("h0").data(), x.data(), y, &trace);
    return trace;
}

by_hand_curnn gradient_of(const by_hand_curnn &net, const by_hand_curnn_trace &trace,
                          unsigned corrections)
{
    by_hand_curnn gradient;
    by_hand_curnn_gradient(&net, &trace, corrections, &gradient);
    return gradient;
}

/*
 * A net and an image. At the published first weights the units are saturated and the recurrent
 * kernels are 200 times smaller than the others, which hides mistakes 3 and 5; a `lively` sample
 * has pixels of 0..1 and recurrent kernels 100 times larger, and hides none.
 */
struct Sample {
    by_hand_curnn net;
    Values x;
    double y;
};

Sample published_sample()
{
    return {published_first_weights(), reference().f64("sample0.x"),
            reference().f64("sample0.y")[0]};
}

by_hand_curnn_trace first_sample()
{
    const Sample sample = published_sample();
    return forward(sample.net, sample.x, sample.y);
}

Sample lively_sample(size_t visit)
{
    const Digit &image = digit(reference().i64("train_rows").at(visit));
    Sample sample = {published_first_weights(), image.pixels, double(image.label)};
    for (double &pixel : sample.x) pixel /= 16;
    for (int i = 0; i < 9; i++) {
        sample.net.wrecc[i] *= 100;
        sample.net.wrecg[i] *= 100;
    }
    return sample;
}

/* The error of one weight's gradient by hand against central differences. */
double error_against_differences(Sample sample, const Weight &weight, unsigned corrections)
{
    const auto loss = [&] { return forward(sample.net, sample.x, sample.y).loss; };
    Values numeric(weight.size);
    for (size_t i = 0; i < weight.size; i++)
        numeric[i] = central_difference(elements(sample.net, weight)[i], loss);
    by_hand_curnn by_hand =
        gradient_of(sample.net, forward(sample.net, sample.x, sample.y), corrections);
    return relative_error(elements(by_hand, weight), numeric);
}

TEST(CurnnByHand, DigitsAreTheImagesThatThePublishedProgramSaw)
{
    const std::vector<int64_t> &rows = reference().i64("train_rows");
    EXPECT_EQ(digit(rows[0]).pixels, reference().f64("sample0.x"));
    EXPECT_EQ(digit(rows[0]).label, reference().f64("sample0.y")[0]);
    const auto is_one = [](int64_t row) { return digit(row).label == 1; };
    EXPECT_EQ(rows.size(), 350u);
    EXPECT_EQ(std::count_if(rows.begin(), rows.end(), is_one), 177);
}

TEST(CurnnByHand, ForwardPassIsThePublishedOne)
{
    const by_hand_curnn_trace t = first_sample();
    const struct {
        const char *name;
        const double *values;
    } activations[] = {
        {"x", t.x},   {"y", &t.y},  {"C1", t.C1}, {"G1", t.G1},      {"c1", t.c1}, {"g1", t.g1},
        {"h1", t.h1}, {"C2", t.C2}, {"G2", t.G2}, {"c2", t.c2},      {"g2", t.g2}, {"h2", t.h2},
        {"f1", t.f1}, {"a", t.a},   {"o", &t.o},  {"loss", &t.loss},
    };
    for (const auto &activation : activations) {
        const Values &expected = reference().f64(std::string("sample0.") + activation.name);
        for (size_t i = 0; i < expected.size(); i++)
            EXPECT_NEAR(activation.values[i], expected[i],
                        1e-13 * std::max(1., std::fabs(expected[i])))
                << activation.name << " element " << i;
    }
}

TEST(CurnnByHand, GradientWithoutCorrectionsIsThePublishedOne)
{
    by_hand_curnn gradient =
        gradient_of(published_first_weights(), first_sample(), BY_HAND_AS_PUBLISHED);
    for (const Weight &weight : weights)
        EXPECT_LE(relative_error(elements(gradient, weight),
                                 reference().f64(std::string("sample0.grad_blog.") + weight.name)),
                  1e-12)
            << weight.name;
}

TEST(CurnnByHand, GradientWithAllCorrectionsIsTheTrueOne)
{
    by_hand_curnn gradient =
        gradient_of(published_first_weights(), first_sample(), BY_HAND_ALL_CORRECTIONS);
    for (const Weight &weight : weights)
        EXPECT_LE(relative_error(elements(gradient, weight),
                                 reference().f64(std::string("sample0.grad_true.") + weight.name)),
                  1e-12)
            << weight.name;
}

TEST(CurnnByHand, CorrectedGradientAgreesWithCentralDifferences)
{
    for (const Weight &weight : weights) {
        EXPECT_LE(error_against_differences(published_sample(), weight, BY_HAND_ALL_CORRECTIONS),
                  1e-8)
            << weight.name << ", as published";
        for (size_t visit = 0; visit < 4; visit++)
            EXPECT_LE(
                error_against_differences(lively_sample(visit), weight, BY_HAND_ALL_CORRECTIONS),
                1e-8)
                << weight.name << ", image " << visit;
    }
}

TEST(CurnnByHand, PublishedGradientIsRightForTheHeadAlone)
{
    for (const Weight &weight : weights) {
        const double error =
            error_against_differences(published_sample(), weight, BY_HAND_AS_PUBLISHED);
        if (weight.name == std::string("w1") || weight.name == std::string("w2"))
            EXPECT_LE(error, 1e-8) << weight.name;
        else
            EXPECT_GE(error, 100) << weight.name;
    }
}

TEST(CurnnByHand, EachCorrectionRemovesAnError)
{
    for (int id = 1; id <= 5; id++) {
        const by_hand_mistake &mistake = by_hand_curnn_mistakes[id - 1];
        const unsigned all_but_one = BY_HAND_ALL_CORRECTIONS & ~mistake.correction;
        EXPECT_EQ(mistake.correction, 1u << (id - 1));
        for (size_t visit = 0; visit < 4; visit++) {
            double worst = 0;
            for (const Weight &weight : weights)
                worst = std::max(
                    worst, error_against_differences(lively_sample(visit), weight, all_but_one));
            EXPECT_GE(worst, 0.1) << "mistake " << id << ", image " << visit << ": "
                                  << mistake.what;
        }
    }
}

TEST(CurnnByHand, TrainingAsPublishedRepeatsItsFirstEpochCosts)
{
    by_hand_curnn net = published_first_weights(), velocity = {};
    for (size_t epoch = 0; epoch < 3; epoch++) {
        double cost = 0;
        for (int64_t row : reference().i64("train_rows")) {
            const by_hand_curnn_trace trace = forward(net, digit(row).pixels, digit(row).label);
            const by_hand_curnn gradient = gradient_of(net, trace, BY_HAND_AS_PUBLISHED);
            by_hand_curnn_update(&net, &velocity, &gradient, &by_hand_curnn_published_rates);
            cost += trace.loss;
        }
        const double published = reference().f64("epoch_cost")[epoch];
        EXPECT_NEAR(cost, published, 1e-6 * published) << "epoch " << epoch;
    }
}

/* The scalar net ----------------------------------------------------------------------------- */

double by_hand_update_gate::*const scalars[] = {
    &by_hand_update_gate::w_xc, &by_hand_update_gate::w_recc, &by_hand_update_gate::w_xg,
    &by_hand_update_gate::w_recg};

/* |a - b| / |b| of each weight's gradient by hand, a, against central differences, b. */
Values errors_against_differences(by_hand_update_gate net, unsigned corrections)
{
    by_hand_update_gate gradient;
    by_hand_update_gate_cost(&net, corrections, &gradient);
    const auto cost = [&] { return by_hand_update_gate_cost(&net, 0, nullptr); };
    Values errors;
    for (const auto scalar : scalars) {
        const double numeric = central_difference(net.*scalar, cost);
        errors.push_back(std::fabs(gradient.*scalar - numeric) / std::fabs(numeric));
    }
    return errors;
}

/* w_xc, w_recc, w_xg, w_recg: arbitrary, and far from any symmetry of the net. */
const by_hand_update_gate scalar_nets[] = {
    {1.5, -.8, -.6, .9}, {-1.2, .7, 2, 1.1}, {.8, 1.3, -1.1, -.7}};

TEST(UpdateGateByHand, CorrectedGradientAgreesWithCentralDifferences)
{
    for (const by_hand_update_gate &net : scalar_nets)
        EXPECT_LE(largest(errors_against_differences(net, BY_HAND_UPDATE_GATE_ALL_CORRECTIONS)),
                  1e-8);
}

TEST(UpdateGateByHand, PublishedGradientDoesNot)
{
    for (const by_hand_update_gate &net : scalar_nets)
        EXPECT_GE(largest(errors_against_differences(net, BY_HAND_UPDATE_GATE_AS_PUBLISHED)), 0.5);
}

TEST(UpdateGateByHand, EachCorrectionRemovesAnError)
{
    for (const by_hand_update_gate_mistake &mistake : by_hand_update_gate_mistakes) {
        const unsigned all_but_one = BY_HAND_UPDATE_GATE_ALL_CORRECTIONS & ~mistake.correction;
        for (const by_hand_update_gate &net : scalar_nets)
            EXPECT_GE(largest(errors_against_differences(net, all_but_one)), 0.1) << mistake.what;
    }
}

} // namespace
