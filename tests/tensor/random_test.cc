/* Random numbers: the published generator, the right distributions, and pure functions of seed and
 * index. Statistical bounds are five standard errors wide; the numbers are deterministic. */
#include "tensor/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

namespace {

/* The known answers for Philox4x32-10 in Random123's kat_vectors. */
TEST(Random, PhiloxGivesThePublishedAnswers)
{
    const struct {
        uint32_t counter[4], key[2], expected[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (const auto &row : known) {
        uint32_t out[4];
        rv_philox4x32(row.counter, row.key, out);
        for (int i = 0; i < 4; i++) EXPECT_EQ(out[i], row.expected[i]);
    }
}

TEST(Random, UniformIsTheUpperBitsOfPhilox)
{
    EXPECT_EQ(rv_random_uniform(0, 0), std::ldexp(0xe169c58d6627e8d5u >> 11, -53));

    const uint32_t counter[4] = {0x89abcdef, 0x01234567, 0, 0}, key[2] = {0x76543210, 0xfedcba98};
    uint32_t out[4];
    rv_philox4x32(counter, key, out);
    const uint64_t bits = uint64_t{out[1]} << 32 | out[0];
    EXPECT_EQ(rv_random_uniform(0xfedcba9876543210u, 0x0123456789abcdefu),
              std::ldexp(static_cast<double>(bits >> 11), -53));
}

constexpr int samples = 400000;

/* The mean of value(i)^k over i = 0 .. samples-1. */
template <class Value> double moment(Value value, int k)
{
    double sum = 0;
    for (int i = 0; i < samples; i++) sum += std::pow(value(i), k);
    return sum / samples;
}

TEST(Random, UniformIsUniform)
{
    const auto value = [](int i) { return rv_random_uniform(7, static_cast<uint64_t>(i)); };
    /* E x^k = 1/(k+1); Var x^k = 1/(2k+1) - 1/(k+1)^2. */
    for (int k = 1; k <= 4; k++) {
        const double mean = 1.0 / (k + 1), variance = 1.0 / (2 * k + 1) - mean * mean;
        EXPECT_NEAR(moment(value, k), mean, 5 * std::sqrt(variance / samples)) << "moment " << k;
    }
    std::vector<int> bins(100);
    for (int i = 0; i < samples; i++) {
        ASSERT_GE(value(i), 0.0);
        ASSERT_LT(value(i), 1.0);
        bins[static_cast<size_t>(value(i) * 100)]++;
    }
    double chi_square = 0;
    for (int bin : bins) chi_square += std::pow(bin - samples / 100, 2) / (samples / 100);
    EXPECT_NEAR(chi_square, 99, 5 * std::sqrt(2.0 * 99));
}

TEST(Random, NormalIsNormal)
{
    const auto value = [](int i) { return rv_random_normal(7, static_cast<uint64_t>(i)); };
    /* E x^2k = (2k-1)!!; odd moments vanish. */
    const double expected[] = {1, 0, 1, 0, 3, 0, 15, 0, 105};
    for (int k = 1; k <= 4; k++) {
        const double variance = expected[2 * k] - expected[k] * expected[k];
        EXPECT_NEAR(moment(value, k), expected[k], 5 * std::sqrt(variance / samples))
            << "moment " << k;
    }
    for (double limit : {0.5, 1.0, 2.0, 3.0}) {
        int within = 0;
        for (int i = 0; i < samples; i++) within += std::fabs(value(i)) < limit;
        const double share = std::erf(limit / std::sqrt(2.0));
        EXPECT_NEAR(static_cast<double>(within) / samples, share,
                    5 * std::sqrt(share * (1 - share) / samples))
            << "within " << limit;
    }
}

TEST(Random, NeighboursAndStreamsAreUncorrelated)
{
    const double bound = 5 / std::sqrt(static_cast<double>(samples));
    double next_index = 0, next_seed = 0, same_place = 0;
    for (uint64_t i = 0; i < samples; i++) {
        next_index += rv_random_normal(7, i) * rv_random_normal(7, i + 1);
        next_seed += rv_random_normal(7, i) * rv_random_normal(8, i);
        same_place += (rv_random_uniform(7, i) - 0.5) * std::sqrt(12.0) * rv_random_normal(7, i);
    }
    EXPECT_NEAR(next_index / samples, 0, bound);
    EXPECT_NEAR(next_seed / samples, 0, bound);
    EXPECT_NEAR(same_place / samples, 0, bound);
}

TEST(Random, ASeedDependsOnSeedAndName)
{
    EXPECT_EQ(rv_seed(1, "Wxg"), rv_seed(1, "Wxg"));
    EXPECT_NE(rv_seed(1, "Wxg"), rv_seed(1, "Wxc"));
    EXPECT_NE(rv_seed(1, "Wxg"), rv_seed(2, "Wxg"));
    EXPECT_NE(rv_seed(1, ""), rv_seed(2, ""));
}

std::vector<int64_t> permutation(int64_t count, uint64_t seed)
{
    std::vector<int64_t> order(static_cast<size_t>(count));
    rv_random_permutation(order.data(), count, seed);
    return order;
}

TEST(Random, APermutationContainsEachNumberOnce)
{
    for (int64_t count : {0, 1, 2, 3, 10, 1797}) {
        std::vector<int64_t> order = permutation(count, 3);
        std::sort(order.begin(), order.end());
        for (int64_t i = 0; i < count; i++) ASSERT_EQ(order[static_cast<size_t>(i)], i);
    }
}

TEST(Random, APermutationDependsOnItsSeed)
{
    EXPECT_EQ(permutation(100, 1), permutation(100, 1));
    EXPECT_NE(permutation(100, 1), permutation(100, 2));
}

TEST(Random, PermutationsAreEquallyLikely)
{
    std::map<std::vector<int64_t>, int> seen;
    const int draws = 24000;
    for (uint64_t seed = 0; seed < draws; seed++) seen[permutation(4, seed)]++;
    ASSERT_EQ(seen.size(), 24u);
    double chi_square = 0;
    for (const auto &entry : seen) chi_square += std::pow(entry.second - 1000, 2) / 1000;
    EXPECT_NEAR(chi_square, 23, 5 * std::sqrt(2.0 * 23));
}

rv_tensor filled(rv_dtype dtype, rv_shape shape, rv_init init, uint64_t seed)
{
    rv_tensor tensor;
    EXPECT_TRUE(rv_tensor_new(&tensor, dtype, shape, nullptr));
    rv_init_fill(&tensor, init, seed);
    return tensor;
}

TEST(Random, InitialValuesAgreeInF32AndF64)
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

TEST(Random, AnElementDependsOnItsIndexNotOnTheShape)
{
    rv_tensor small = filled(RV_F64, RV_SHAPE(2, 3), rv_init_normal(0, 1), 5);
    rv_tensor large = filled(RV_F64, RV_SHAPE(50), rv_init_normal(0, 1), 5);
    for (int i = 0; i < 6; i++) EXPECT_EQ(rv_tensor_get(&small, i), rv_tensor_get(&large, i));
    rv_tensor_free(&small);
    rv_tensor_free(&large);
}

TEST(Random, TheIdentityIsOnTheDiagonalOrAtTheKernelsCenter)
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

TEST(Random, InitialValuesAreScaledAndShifted)
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

} // namespace
