/* Sources in memory, subsets, augmentation, and the checks that all sources share. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "data/tensors.h"
#include "data/transforms.h"
#include "tests/data/sources.h"

namespace {

struct Tensor {
    rv_tensor t;
    Tensor(rv_dtype dtype, rv_shape shape, const std::vector<double> &values)
    {
        EXPECT_TRUE(rv_tensor_new(&t, dtype, shape, nullptr));
        for (size_t i = 0; i < values.size(); i++) rv_tensor_set(&t, int64_t(i), values[i]);
    }
    Tensor(const Tensor &) = delete;
    Tensor &operator=(const Tensor &) = delete;
    ~Tensor() { rv_tensor_free(&t); }
};

TEST(Tensors, AreCopied)
{
    Source source;
    {
        Tensor x(RV_F64, RV_SHAPE(2, 3), {1, 2, 3, 4, 5, 6}), y(RV_F64, RV_SHAPE(2), {1, 0});
        ASSERT_TRUE(rv_source_tensors(&source.s, &x.t, &y.t, 2, &source.error));
    }
    EXPECT_EQ(source.s.x_type, RV_F32);
    EXPECT_EQ(source.s.y_type, RV_I32);
    EXPECT_EQ(sample(source.s, 1).x, (std::vector<double>{4, 5, 6}));
    EXPECT_EQ(sample(source.s, 0).y, std::vector<double>{1});
}

TEST(Tensors, WithoutClassesAreNumbers)
{
    Tensor x(RV_I32, RV_SHAPE(2), {7, 8}), y(RV_F32, RV_SHAPE(2), {.5, -1});
    Source source;
    ASSERT_TRUE(rv_source_tensors(&source.s, &x.t, &y.t, 0, &source.error)) << source.error.text;
    EXPECT_EQ(source.s.x_type, RV_I32);
    EXPECT_TRUE(rv_shape_equal(source.s.y, RV_SHAPE(1)));
    EXPECT_EQ(sample(source.s, 1).y, std::vector<double>{-1});
}

TEST(Tensors, RefusalsSayWhy)
{
    Tensor x(RV_F32, RV_SHAPE(2, 1), {1, NAN}), y(RV_F32, RV_SHAPE(2), {0, 2}),
        half(RV_F32, RV_SHAPE(2), {0, .5}), three(RV_F32, RV_SHAPE(3), {}),
        none(RV_F32, RV_SCALAR, {});
    Source source;
    const auto refuse = [&](const Tensor &labels, int64_t classes, rv_code code, const char *part) {
        source.error = {};
        EXPECT_FALSE(rv_source_tensors(&source.s, &x.t, &labels.t, classes, &source.error));
        expect_refused(source, code, {part});
    };
    refuse(three, 0, RV_ERROR_SHAPE, "[3]");
    refuse(none, 0, RV_ERROR_SHAPE, "[]");
    refuse(y, 2, RV_ERROR_FORMAT, "element 1 of y is 2; expected a label, 0 to 1");
    refuse(half, 2, RV_ERROR_FORMAT, "element 1 of y is 0.5");
    refuse(y, -1, RV_ERROR_ARGUMENT, "-1 classes");
    source.error = {};
    ASSERT_TRUE(rv_source_tensors(&source.s, &x.t, &y.t, 3, &source.error));
    EXPECT_EQ(sample(source.s, 0).error.code, RV_OK);
    EXPECT_EQ(sample(source.s, 1).error.code, RV_ERROR_FORMAT) << "NaN";
}

TEST(Digits, AreASource)
{
    Source all, two;
    ASSERT_TRUE(rv_source_digits(&all.s, nullptr, 0, nullptr));
    EXPECT_EQ(all.s.count, RV_DIGITS);
    EXPECT_EQ(all.s.classes, 10);
    const int chosen[] = {7, 1};
    ASSERT_TRUE(rv_source_digits(&two.s, chosen, 2, nullptr));
    EXPECT_EQ(two.s.classes, 2);
    int64_t at = 0;
    for (int64_t i = 0; i < RV_DIGITS; i++) {
        int digit;
        const unsigned char *pixels = rv_digit(i, &digit);
        const Sample s = sample(all.s, i);
        ASSERT_EQ(s.y[0], digit);
        for (size_t j = 0; j < 64; j++) ASSERT_EQ(s.x[j], pixels[j] / 16.0);
        if (digit != 7 && digit != 1) continue;
        ASSERT_EQ(sample(two.s, at).x, s.x);
        ASSERT_EQ(sample(two.s, at++).y[0], digit == 7 ? 0 : 1);
    }
    EXPECT_EQ(at, two.s.count);
    const int twice[] = {3, 3};
    Source refused;
    EXPECT_FALSE(rv_source_digits(&refused.s, twice, 2, &refused.error));
    expect_refused(refused, RV_ERROR_ARGUMENT, {"digit 3", "at most once"});
}

/* `count` samples that take no memory: x is the index, y the epoch. */
Source &numbered(Source *source, int64_t count)
{
    source->s = {};
    source->s.name = "numbered";
    source->s.count = count;
    source->s.x = source->s.y = RV_SHAPE(1);
    source->s.read = [](const rv_source *, uint64_t epoch, int64_t index, void *x, void *y,
                        int32_t *, rv_error *) {
        *static_cast<float *>(x) = static_cast<float>(index);
        *static_cast<float *>(y) = static_cast<float>(epoch);
        return true;
    };
    return *source;
}

/* At 2^20 samples the permutation changes from a table to a computation. */
TEST(Subset, ASplitIsDisjointAndComplete)
{
    for (int64_t count : {2, 3, 1000, 1 << 20, (1 << 20) + 1, 1100000}) {
        Source whole, validation, rest;
        numbered(&whole, count);
        const int64_t first = count / 3 + 1;
        ASSERT_TRUE(rv_source_subset(&validation.s, &whole.s, {0, first, false, 5}, nullptr));
        ASSERT_TRUE(rv_source_subset(&rest.s, &whole.s, {first, 0, false, 5}, nullptr));
        EXPECT_EQ(validation.s.count + rest.s.count, count);
        std::vector<char> seen(static_cast<size_t>(count));
        int64_t moved = 0;
        float x, y;
        int32_t length;
        for (int64_t i = 0; i < count; i++) {
            const rv_source *subset = i < first ? &validation.s : &rest.s;
            ASSERT_TRUE(
                rv_source_read(subset, 9, i < first ? i : i - first, &x, &y, &length, nullptr));
            ASSERT_EQ(y, 9);
            seen[static_cast<size_t>(x)]++;
            moved += static_cast<int64_t>(x) != i;
        }
        EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), count);
        if (count > 3) {
            EXPECT_GT(moved, count * 99 / 100);
        }
    }
}

TEST(Subset, LargePermutationsAreUniform)
{
    Source whole, subset;
    const int64_t count = INT64_C(3000000017);
    numbered(&whole, count);
    ASSERT_TRUE(rv_source_subset(&subset.s, &whole.s, {0, 0, false, 1}, nullptr));
    double mean = 0, along = 0;
    const int samples = 10000;
    for (int i = 0; i < samples; i++) {
        const double position = sample(subset.s, i).x[0] / double(count) - .5;
        mean += position / samples;
        along += position * (double(i) / samples - .5) / samples;
    }
    EXPECT_NEAR(mean, 0, .012) << "four standard deviations";
    EXPECT_NEAR(along, 0, .0034);
}

TEST(Subset, CanKeepTheOrder)
{
    Source whole, subset;
    numbered(&whole, 10);
    ASSERT_TRUE(rv_source_subset(&subset.s, &whole.s, {3, 4, true, 0}, nullptr));
    EXPECT_EQ(subset.s.count, 4);
    EXPECT_EQ(sample(subset.s, 0).x[0], 3);
    EXPECT_EQ(sample(subset.s, 3).x[0], 6);
    EXPECT_EQ(sample(subset.s, 4).error.code, RV_ERROR_ARGUMENT);
    for (rv_subset bad :
         {rv_subset{10, 0, true, 0}, rv_subset{-1, 2, true, 0}, rv_subset{8, 3, true, 0},
          rv_subset{0, -2, true, 0}, rv_subset{INT64_MAX, INT64_MAX, false, 0}}) {
        Source refused;
        EXPECT_FALSE(rv_source_subset(&refused.s, &whole.s, bad, &refused.error));
        expect_refused(refused, RV_ERROR_ARGUMENT, {"numbered", "of 10"});
    }
}

TEST(Augment, ShiftsByWholePixelsAndFillsWithZeros)
{
    std::vector<double> image;
    for (int i = 1; i <= 2 * 4 * 5; i++) image.push_back(i);
    Tensor x(RV_F32, RV_SHAPE(1, 2, 4, 5), image), y(RV_F32, RV_SHAPE(1), {0});
    Source plain, augmented;
    ASSERT_TRUE(rv_source_tensors(&plain.s, &x.t, &y.t, 1, nullptr));
    ASSERT_TRUE(rv_source_augment(&augmented.s, &plain.s, {2, 0, 1}, nullptr));
    std::vector<int> seen(25);
    for (uint64_t epoch = 0; epoch < 500; epoch++) {
        const Sample s = sample(augmented.s, 0, epoch);
        EXPECT_EQ(sample(augmented.s, 0, epoch), s);
        int matches = 0;
        for (int down = -2; down <= 2; down++) {
            for (int right = -2; right <= 2; right++) {
                std::vector<double> moved(40);
                for (int c = 0; c < 2; c++)
                    for (int i = 0; i < 4; i++)
                        for (int j = 0; j < 5; j++) {
                            const int from = i - down, at = j - right;
                            if (from < 0 || from >= 4 || at < 0 || at >= 5) continue;
                            moved[size_t(c * 20 + i * 5 + j)] =
                                image[size_t(c * 20 + from * 5 + at)];
                        }
                if (moved != s.x) continue;
                matches++;
                seen[size_t((down + 2) * 5 + right + 2)]++;
            }
        }
        ASSERT_EQ(matches, 1);
    }
    EXPECT_GT(*std::min_element(seen.begin(), seen.end()), 4) << "each of 25 about 20 times";
}

TEST(Augment, AddsNormalNoise)
{
    Tensor x(RV_F32, RV_SHAPE(1, 10000), {}), y(RV_F32, RV_SHAPE(1), {0});
    Source plain, augmented;
    ASSERT_TRUE(rv_source_tensors(&plain.s, &x.t, &y.t, 1, nullptr));
    ASSERT_TRUE(rv_source_augment(&augmented.s, &plain.s, {0, .5, 1}, nullptr));
    const Sample s = sample(augmented.s, 0, 1);
    double mean = 0, square = 0;
    for (double value : s.x) mean += value / 1e4, square += value * value / 1e4;
    EXPECT_NEAR(mean, 0, .02);
    EXPECT_NEAR(square, .25, .02);
    EXPECT_NE(sample(augmented.s, 0, 2).x, s.x);
}

TEST(Augment, RefusesSourcesWithoutImages)
{
    Source digits, numbers, refused;
    ASSERT_TRUE(rv_source_digits(&digits.s, nullptr, 0, nullptr));
    numbered(&numbers, 3);
    EXPECT_FALSE(rv_source_augment(&refused.s, &digits.s, {8, 0, 0}, &refused.error));
    expect_refused(refused, RV_ERROR_ARGUMENT, {"digits", "8 pixels", "[1,8,8]"});
    EXPECT_FALSE(rv_source_augment(&refused.s, &digits.s, {-1, 0, 0}, nullptr));
    EXPECT_FALSE(rv_source_augment(&refused.s, &digits.s, {0, -1, 0}, nullptr));
    EXPECT_FALSE(rv_source_augment(&refused.s, &digits.s, {0, NAN, 0}, nullptr));
    EXPECT_FALSE(rv_source_augment(&refused.s, &numbers.s, {1, 0, 0}, nullptr));
}

TEST(Source, RefusesInconsistentFields)
{
    const auto refuse = [](rv_code code, const char *part, void (*change)(rv_source *)) {
        Source source;
        numbered(&source, 3);
        ASSERT_TRUE(rv_source_check(&source.s, &source.error)) << source.error.text;
        change(&source.s);
        EXPECT_FALSE(rv_source_check(&source.s, &source.error));
        EXPECT_EQ(source.error.code, code);
        EXPECT_NE(std::string(source.error.text).find(part), std::string::npos)
            << source.error.text;
    };
    refuse(RV_ERROR_ARGUMENT, "0 samples", [](rv_source *s) { s->count = 0; });
    refuse(RV_ERROR_ARGUMENT, "a name", [](rv_source *s) { s->name = nullptr; });
    refuse(RV_ERROR_ARGUMENT, "read", [](rv_source *s) { s->read = nullptr; });
    refuse(RV_ERROR_ARGUMENT, "x of type", [](rv_source *s) { s->x_type = RV_F64; });
    refuse(RV_ERROR_SHAPE, "at most 5", [](rv_source *s) { s->x = RV_SHAPE(1, 1, 1, 1, 1, 1); });
    refuse(RV_ERROR_SHAPE, "dimension 0", [](rv_source *s) { s->y = RV_SHAPE(0); });
    refuse(RV_ERROR_ARGUMENT, "y is f32", [](rv_source *s) { s->classes = 3; });
    refuse(RV_ERROR_ARGUMENT, "classes 0", [](rv_source *s) { s->y_type = RV_I32; });
    refuse(RV_ERROR_ARGUMENT, "tokens",
           [](rv_source *s) { s->alphabet = (const unsigned char *)"a"; });
    refuse(RV_ERROR_ARGUMENT, "sequence", [](rv_source *s) { s->lengths = true; });
    refuse(RV_ERROR_SHAPE, "time steps",
           [](rv_source *s) { s->sequence = true, s->x = RV_SCALAR; });
    refuse(RV_ERROR_SHAPE, "every step",
           [](rv_source *s) { s->sequence = s->each_step = true, s->y = RV_SHAPE(2); });
}

TEST(Source, ChecksTheSamplesThatAreRead)
{
    Source source;
    numbered(&source, 3);
    source.s.classes = 3;
    source.s.y_type = RV_I32;
    source.s.read = [](const rv_source *, uint64_t, int64_t index, void *x, void *y,
                       int32_t *length, rv_error *) {
        *static_cast<float *>(x) = 1;
        *static_cast<int32_t *>(y) = index == 1 ? 3 : index == 2 ? -1 : 0;
        *length = 1;
        return true;
    };
    EXPECT_EQ(sample(source.s, 0).error.code, RV_OK);
    EXPECT_STREQ(sample(source.s, 1).error.text,
                 "numbered: sample 1: value 0 of y is 3; expected 0 to 2");
    EXPECT_EQ(sample(source.s, 2).error.code, RV_ERROR_FORMAT);
}

} // namespace
