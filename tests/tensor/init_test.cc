/* Initial values: their definitions, to the last digits, and the moments of the drawn ones.
 * Statistical bounds are five standard errors wide; the numbers are deterministic. */
#include "tensor/init.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace {

rv_tensor filled(rv_dtype dtype, rv_shape shape, rv_init init, uint64_t seed)
{
    rv_tensor tensor;
    EXPECT_TRUE(rv_tensor_new(&tensor, dtype, shape, nullptr));
    EXPECT_TRUE(rv_init_fill(&tensor, init, seed));
    return tensor;
}

TEST(Init, InitialValuesAgreeInF32AndF64)
{
    for (rv_init init : {rv_init_constant(0.1), rv_init_uniform(-2, 3), rv_init_normal(1, 0.2)}) {
        rv_tensor single = filled(RV_F32, RV_SHAPE(10, 10), init, 5);
        rv_tensor twice = filled(RV_F64, RV_SHAPE(10, 10), init, 5);
        for (int i = 0; i < 100; i++)
            ASSERT_EQ(static_cast<float *>(single.data)[i],
                      static_cast<float>(static_cast<double *>(twice.data)[i]));
        rv_tensor_free(&single);
        rv_tensor_free(&twice);
    }
}

TEST(Init, AnElementDependsOnItsIndexNotOnTheShape)
{
    rv_tensor small = filled(RV_F64, RV_SHAPE(2, 3), rv_init_normal(0, 1), 5);
    rv_tensor large = filled(RV_F64, RV_SHAPE(50), rv_init_normal(0, 1), 5);
    for (int i = 0; i < 6; i++) EXPECT_EQ(rv_tensor_get(&small, i), rv_tensor_get(&large, i));
    rv_tensor_free(&small);
    rv_tensor_free(&large);
}

TEST(Init, TheIdentityIsOnTheDiagonalOrAtTheKernelsCenter)
{
    rv_tensor matrix, kernels;
    ASSERT_TRUE(rv_tensor_new(&matrix, RV_F32, RV_SHAPE(2, 3), nullptr));
    ASSERT_TRUE(rv_tensor_new(&kernels, RV_F64, RV_SHAPE(2, 2, 3, 3), nullptr));
    rv_init_fill(&matrix, rv_init_identity(), 1);
    rv_init_fill(&kernels, rv_init_identity(), 1);
    for (int64_t i = 0; i < 6; i++) EXPECT_EQ(rv_tensor_get(&matrix, i), i == 0 || i == 4) << i;
    for (int64_t i = 0; i < 36; i++) EXPECT_EQ(rv_tensor_get(&kernels, i), i == 4 || i == 31) << i;
    rv_tensor_free(&matrix);
    rv_tensor_free(&kernels);
}

TEST(Init, InitialValuesAreScaledAndShifted)
{
    rv_tensor constant = filled(RV_F64, RV_SHAPE(3), rv_init_constant(-4), 5);
    rv_tensor uniform = filled(RV_F64, RV_SHAPE(1000), rv_init_uniform(-2, 3), 5);
    rv_tensor normal = filled(RV_F64, RV_SHAPE(1000), rv_init_normal(10, 0.5), 5);
    for (int i = 0; i < 3; i++) EXPECT_EQ(rv_tensor_get(&constant, i), -4);
    for (int i = 0; i < 1000; i++) {
        const auto index = static_cast<uint64_t>(i);
        ASSERT_DOUBLE_EQ(rv_tensor_get(&uniform, i), -2 + 5 * rv_random_uniform(5, index));
        ASSERT_DOUBLE_EQ(rv_tensor_get(&normal, i), 10 + 0.5 * rv_random_normal(5, index));
    }
    rv_tensor_free(&constant);
    rv_tensor_free(&uniform);
    rv_tensor_free(&normal);
}

std::vector<double> values(rv_shape shape, rv_init init, uint64_t seed = 5)
{
    rv_tensor tensor = filled(RV_F64, shape, init, seed);
    std::vector<double> all;
    for (int64_t i = 0; i < rv_tensor_count(&tensor); i++) all.push_back(rv_tensor_get(&tensor, i));
    rv_tensor_free(&tensor);
    return all;
}

// Mean, variance and largest magnitude of values with this variance, uniform or normal.
void expect_moments(const std::vector<double> &x, double variance, bool uniform)
{
    const auto n = static_cast<double>(x.size());
    double mean = 0, square = 0, most = 0;
    for (double v : x) mean += v / n, square += v * v / n, most = std::fmax(most, std::fabs(v));
    const double fourth = (uniform ? 9.0 / 5 : 3) * variance * variance;
    EXPECT_NEAR(mean, 0, 5 * std::sqrt(variance / n));
    EXPECT_NEAR(square, variance, 5 * std::sqrt((fourth - variance * variance) / n));
    if (uniform) {
        EXPECT_LE(most, std::sqrt(3 * variance));
        EXPECT_GT(most, 0.99 * std::sqrt(3 * variance));
    } else {
        EXPECT_GT(most, 3 * std::sqrt(variance));
    }
}

// The formulas of torch.nn.init, with x @ W and [outputs,channels,h,w].
TEST(Init, XavierAndKaimingHaveTheVariancesOfPyTorch)
{
    const struct {
        rv_shape shape;
        double in, out;
    } rows[] = {{RV_SHAPE(90, 40), 90, 40},
                {RV_SHAPE(8, 12, 5, 5), 12 * 25, 8 * 25},
                {RV_SHAPE(6, 20, 30), 20, 30}};
    for (const auto &row : rows) {
        SCOPED_TRACE(row.in);
        const double xavier = 2 / (row.in + row.out), kaiming = 1 / row.in;
        expect_moments(values(row.shape, rv_init_xavier_uniform(1)), xavier, true);
        expect_moments(values(row.shape, rv_init_xavier_normal(1)), xavier, false);
        expect_moments(values(row.shape, rv_init_xavier_normal(5.0 / 3)), 25.0 / 9 * xavier, false);
        expect_moments(values(row.shape, rv_init_kaiming_uniform(std::sqrt(2))), 2 * kaiming, true);
        expect_moments(values(row.shape, rv_init_kaiming_normal(std::sqrt(2))), 2 * kaiming, false);
        expect_moments(values(row.shape, rv_init_kaiming_normal(1)), kaiming, false);
    }
}

TEST(Init, EachMatrixOfAStackIsOrthogonalOrTheIdentity)
{
    for (const rv_shape shape : {RV_SHAPE(3, 4, 6), RV_SHAPE(2, 6, 4)}) {
        const auto rows = static_cast<size_t>(shape.dim[1]), columns = 24 / rows;
        const std::vector<double> q = values(shape, rv_init_orthogonal(2)),
                                  one = values(shape, rv_init_identity());
        const size_t shorter = std::min(rows, columns), longer = std::max(rows, columns);
        for (size_t m = 0; m < q.size(); m += 24)
            for (size_t a = 0; a < shorter; a++)
                for (size_t b = 0; b < shorter; b++) {
                    double product = 0;
                    for (size_t i = 0; i < longer; i++)
                        product += rows < columns ? q[m + a * columns + i] * q[m + b * columns + i]
                                                  : q[m + i * columns + a] * q[m + i * columns + b];
                    EXPECT_NEAR(product, a == b ? 4 : 0, 1e-14);
                }
        for (size_t i = 0; i < one.size(); i++)
            EXPECT_EQ(one[i], i / columns % rows == i % columns) << i;
        EXPECT_NE(q[0], q[24]);
    }
}

TEST(Init, TruncatedNormalIsWithinTwoDeviations)
{
    for (double v : values(RV_SHAPE(3000), rv_init_truncated_normal(10, 0.5)))
        ASSERT_LE(std::fabs(v - 10), 1);
    EXPECT_DOUBLE_EQ(values(RV_SHAPE(1), rv_init_truncated_normal(10, 0.5))[0],
                     10 + 0.5 * rv_random_truncated_normal(5, 0));
}

// Rows, or columns if there are fewer, of a matrix have the dot products of gain times orthonormal
// ones.
void expect_orthogonal(const std::vector<double> &x, int64_t rows, int64_t columns, double gain)
{
    const int64_t shorter = std::min(rows, columns), longer = std::max(rows, columns);
    const auto at = [&](int64_t k, int64_t i) {
        return x[static_cast<size_t>(rows <= columns ? k * columns + i : i * columns + k)];
    };
    for (int64_t j = 0; j < shorter; j++)
        for (int64_t k = 0; k <= j; k++) {
            double dot = 0;
            for (int64_t i = 0; i < longer; i++) dot += at(j, i) * at(k, i);
            ASSERT_NEAR(dot, j == k ? gain * gain : 0, 1e-14) << j << " " << k;
        }
}

TEST(Init, OrthogonalIsOrthogonal)
{
    const int64_t shapes[][2] = {{1, 1}, {1, 7}, {7, 1}, {3, 3}, {5, 17}, {17, 5}, {120, 120}};
    for (const auto &s : shapes) {
        SCOPED_TRACE(std::to_string(s[0]) + " " + std::to_string(s[1]));
        const auto x = values(RV_SHAPE(s[0], s[1]), rv_init_orthogonal(1.5));
        expect_orthogonal(x, s[0], s[1], 1.5);
    }
    expect_orthogonal(values(RV_SHAPE(6, 2, 3, 3), rv_init_orthogonal(1)), 6, 18, 1);
    expect_orthogonal(values(RV_SHAPE(20, 2, 3, 3), rv_init_orthogonal(1)), 20, 18, 1);
    EXPECT_EQ(values(RV_SHAPE(9, 9), rv_init_orthogonal(1)),
              values(RV_SHAPE(9, 9), rv_init_orthogonal(1)));
    EXPECT_NE(values(RV_SHAPE(9, 9), rv_init_orthogonal(1), 5),
              values(RV_SHAPE(9, 9), rv_init_orthogonal(1), 6));
}

// No direction is preferred: E Q_ij = 0, E Q_ij^2 = 1/n, E Q_ij^4 = 3 / (n (n + 2)), also on the
// diagonal, where a plain QR decomposition has only one sign.
TEST(Init, OrthogonalMatricesAreDistributedUniformly)
{
    const int n = 3, draws = 20000;
    const double second = 1.0 / n, fourth = 3.0 / (n * (n + 2)),
                 eighth = 105.0 / (n * (n + 2) * (n + 4) * (n + 6));
    double moment[9][3] = {{0}};
    for (uint64_t seed = 0; seed < draws; seed++) {
        const auto q = values(RV_SHAPE(n, n), rv_init_orthogonal(1), seed);
        expect_orthogonal(q, n, n, 1); /* also where the random vectors were nearly parallel */
        for (size_t i = 0; i < 9; i++) {
            moment[i][0] += q[i] / draws;
            moment[i][1] += q[i] * q[i] / draws;
            moment[i][2] += std::pow(q[i], 4) / draws;
        }
    }
    for (const auto &m : moment) {
        EXPECT_NEAR(m[0], 0, 5 * std::sqrt(second / draws));
        EXPECT_NEAR(m[1], second, 5 * std::sqrt((fourth - second * second) / draws));
        EXPECT_NEAR(m[2], fourth, 5 * std::sqrt((eighth - fourth * fourth) / draws));
    }
}

TEST(Init, ChronoIsTheLogarithmOfAUniformTime)
{
    const double longest = 50;
    double mean = 0, square = 0;
    const auto b = values(RV_SHAPE(20000), rv_init_chrono(longest));
    for (double v : b) {
        const double u = (std::exp(v) - 1) / (longest - 2);
        ASSERT_GE(u, 0);
        ASSERT_LT(u, 1);
        mean += u / 20000, square += u * u / 20000;
    }
    EXPECT_NEAR(mean, 0.5, 5 * std::sqrt(1.0 / 12 / 20000));
    EXPECT_NEAR(square, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / 20000));
    const auto input = values(RV_SHAPE(20000), rv_init_scaled(rv_init_chrono(longest), -1));
    for (size_t i = 0; i < b.size(); i++) ASSERT_EQ(input[i], -b[i]);
}

TEST(Init, BlocksOfTheOutputsStartOnTheirOwn)
{
    const rv_init gates[] = {rv_init_identity(), rv_init_orthogonal(0.5), rv_init_constant(3),
                             rv_init_normal(0, 1)};
    const rv_init init = rv_init_blocks(gates, 4);
    const auto W = values(RV_SHAPE(5, 20), init);
    std::vector<double> second;
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 20; j++) {
            const double v = W[i * 20 + j];
            const double expected[] = {i == j ? 1.0 : 0, v, 3, rv_random_normal(5, i * 20 + j)};
            ASSERT_EQ(v, expected[j / 5]);
            if (j / 5 == 1) second.push_back(v);
        }
    expect_orthogonal(second, 5, 5, 0.5);
    const rv_init numbers[] = {rv_init_constant(0), rv_init_constant(1)};
    EXPECT_EQ(values(RV_SHAPE(4), rv_init_blocks(numbers, 2)), (std::vector<double>{0, 0, 1, 1}));
    const auto kernel = values(RV_SHAPE(2, 1, 1, 2), rv_init_blocks(numbers, 2));
    EXPECT_EQ(kernel, (std::vector<double>{0, 0, 1, 1}));
    /* Equal blocks are the whole, if its values do not depend on the shape. */
    const rv_init same[] = {rv_init_uniform(0, 1), rv_init_uniform(0, 1)};
    EXPECT_EQ(values(RV_SHAPE(3, 4), rv_init_blocks(same, 2)),
              values(RV_SHAPE(3, 4), rv_init_uniform(0, 1)));
}

TEST(Init, WhatDoesNotFitIsAnError)
{
    const rv_init two[] = {rv_init_constant(0), rv_init_orthogonal(1)};
    const rv_init nested[] = {rv_init_blocks(two, 2)};
    const struct {
        rv_init init;
        rv_shape shape;
        const char *text;
    } rows[] = {
        {rv_init_orthogonal(1), RV_SHAPE(3), "orthogonal: the shape is [3], expected a matrix"},
        {rv_init_xavier_normal(1), RV_SCALAR, "xavier_normal: the shape is [], expected a matrix"},
        {rv_init_chrono(1), RV_SHAPE(3), "chrono(1), expected a number of time steps, at least 2"},
        {rv_init_chrono(NAN), RV_SHAPE(3), "at least 2"},
        {rv_init_blocks(two, 2), RV_SHAPE(4, 3),
         "2 initial values are for as many equal blocks, but the shape is [4,3], with 3 along axis "
         "1"},
        {rv_init_blocks(two, 2), RV_SHAPE(4), "orthogonal: the shape is [2]"},
        {rv_init_blocks(two, 0), RV_SHAPE(4), "0 initial values"},
        {rv_init_blocks(nested, 1), RV_SHAPE(4, 4), "a block of initial values has no blocks"},
    };
    for (const auto &row : rows) {
        rv_error error = {};
        rv_tensor tensor;
        ASSERT_TRUE(rv_tensor_new(&tensor, RV_F64, row.shape, nullptr));
        EXPECT_FALSE(rv_init_check(row.init, row.shape, &error));
        EXPECT_NE(std::string(error.text).find(row.text), std::string::npos) << error.text;
        EXPECT_FALSE(rv_init_fill(&tensor, row.init, 1));
        rv_tensor_free(&tensor);
    }
}

} // namespace
