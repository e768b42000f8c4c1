/* Random numbers: the published generator, the right distributions, and pure functions of seed and
 * index. Statistical bounds are five standard errors wide; the numbers are deterministic. */
#include "tensor/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

#include "tensor/random_internal.h"
#include "tests/tensor/instructions.h"

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

TEST(Random, ManyAtOnceAreTheSame)
{
    const uint64_t seed = 0xfedcba9876543210u;
    const uint64_t firsts[] = {0, 7, (uint64_t{1} << 32) - 50, 0 - uint64_t{70}};
    for (const uint64_t first : firsts)
        for (int64_t count = 0; count <= 200; count++) {
            std::vector<double> many(static_cast<size_t>(count) + 1, -1);
            rv_random_uniforms(seed, first, count, many.data());
            for (size_t i = 0; i < static_cast<size_t>(count); i++)
                ASSERT_EQ(many[i], rv_random_uniform(seed, first + i)) << first << " + " << i;
            ASSERT_EQ(many.back(), -1);
        }
}

#if defined(__x86_64__) && defined(__GLIBC__)
TEST(Random, TheyAreTheSameWithEachSetOfInstructions)
{
    for (const char *taken : {"-AVX512F", "-AVX2,-AVX512F"})
        run_without(taken, "Random.ManyAtOnceAreTheSame");
}
#endif

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

// The density of N(0, 1) within -2 .. 2: E x^k by integrating by parts, E x^2k = (2k-1) E x^(2k-2)
// - 2^2k phi(2) / (Phi(2) - 1/2).
TEST(Random, TruncatedNormalHasTheMomentsOfItsDensity)
{
    const auto value = [](int i) {
        return rv_random_truncated_normal(7, static_cast<uint64_t>(i));
    };
    const double edge =
        std::exp(-2.0) / std::sqrt(2 * std::acos(-1.0)) / (std::erf(std::sqrt(2.0)) / 2);
    double even[9] = {1};
    for (int k = 2; k <= 8; k += 2) even[k] = (k - 1) * even[k - 2] - std::pow(2, k - 1) * edge;
    EXPECT_NEAR(even[2], 0.7737413, 1e-7); // of scipy.stats.truncnorm(-2, 2)
    for (int k = 1; k <= 4; k++) {
        const double expected = k % 2 ? 0 : even[k], variance = even[2 * k] - expected * expected;
        EXPECT_NEAR(moment(value, k), expected, 5 * std::sqrt(variance / samples))
            << "moment " << k;
    }
    for (int i = 0; i < samples; i++) {
        ASSERT_LE(std::fabs(value(i)), 2);
        const double plain = rv_random_normal(7, static_cast<uint64_t>(i));
        if (std::fabs(plain) <= 2) { // values beyond are drawn again, no others
            ASSERT_EQ(value(i), plain);
        }
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

} // namespace
