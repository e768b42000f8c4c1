/* The built-in digits, splits and batches. */
#include "data/dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace {

/* A dataset that a failing test frees too. */
struct Dataset {
    rv_dataset d = {};
    Dataset() = default;
    Dataset(const Dataset &) = delete;
    Dataset &operator=(const Dataset &) = delete;
    ~Dataset() { rv_dataset_free(&d); }

    double label(int64_t image) const { return rv_tensor_get(&d.labels, image); }
    double pixel(int64_t image, int64_t index) const
    {
        return rv_tensor_get(&d.images, image * 64 + index);
    }
    std::vector<double> image(int64_t index) const
    {
        std::vector<double> pixels;
        for (int i = 0; i < 64; i++) pixels.push_back(pixel(index, i));
        pixels.push_back(label(index));
        return pixels;
    }
};

struct Tensor {
    rv_tensor t;
    Tensor(rv_dtype dtype, rv_shape shape)
    {
        EXPECT_TRUE(rv_tensor_new(&t, dtype, shape, nullptr));
        rv_tensor_fill(&t, -1);
    }
    Tensor(const Tensor &) = delete;
    Tensor &operator=(const Tensor &) = delete;
    ~Tensor() { rv_tensor_free(&t); }
    double operator[](int64_t index) const { return rv_tensor_get(&t, index); }
};

void all_digits(Dataset *digits)
{
    rv_error error = {};
    ASSERT_TRUE(rv_digits(&digits->d, nullptr, 0, &error)) << error.text;
}

TEST(Digits, AreThePublishedOnes)
{
    Dataset digits;
    all_digits(&digits);
    EXPECT_EQ(digits.d.count, 1797);
    EXPECT_EQ(digits.d.classes, 10);
    EXPECT_EQ(digits.d.images.dtype, RV_F32);
    EXPECT_EQ(digits.d.labels.dtype, RV_I32);
    EXPECT_TRUE(rv_shape_equal(digits.d.images.shape, RV_SHAPE(1797, 1, 8, 8)));
    EXPECT_TRUE(rv_shape_equal(digits.d.labels.shape, RV_SHAPE(1797)));

    std::vector<int> per_class(10);
    double least = 0, most = 0;
    for (int64_t i = 0; i < 1797; i++) {
        per_class[static_cast<size_t>(digits.label(i))]++;
        for (int64_t j = 0; j < 64; j++) {
            least = std::min(least, digits.pixel(i, j));
            most = std::max(most, digits.pixel(i, j));
        }
    }
    EXPECT_EQ(per_class, (std::vector<int>{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}));
    EXPECT_EQ(least, 0);
    EXPECT_EQ(most, 16);

    EXPECT_EQ(digits.label(0), 0);
    const std::vector<double> second_row = {0, 0, 13, 15, 10, 15, 5, 0};
    for (int64_t j = 0; j < 8; j++)
        EXPECT_EQ(digits.pixel(0, 8 + j), second_row[static_cast<size_t>(j)]);
    EXPECT_EQ(digits.label(1796), 8);
}

TEST(Digits, OfChosenClassesAreNumberedInTheOrderOfTheList)
{
    Dataset all, some;
    all_digits(&all);
    const int classes[] = {7, 1};
    ASSERT_TRUE(rv_digits(&some.d, classes, 2, nullptr));
    EXPECT_EQ(some.d.count, 179 + 182);
    EXPECT_EQ(some.d.classes, 2);
    int64_t at = 0;
    for (int64_t i = 0; i < all.d.count; i++) {
        if (all.label(i) != 7 && all.label(i) != 1) continue;
        ASSERT_EQ(some.label(at), all.label(i) == 7 ? 0 : 1);
        for (int64_t j = 0; j < 64; j++) ASSERT_EQ(some.pixel(at, j), all.pixel(i, j));
        at++;
    }
    EXPECT_EQ(at, some.d.count);
}

TEST(Digits, ListsThatMakeNoSenseAreErrors)
{
    const std::vector<std::vector<int>> lists = {
        {10}, {-1}, {3, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0}};
    Dataset digits;
    for (const auto &list : lists) {
        rv_error error = {};
        EXPECT_FALSE(rv_digits(&digits.d, list.data(), static_cast<int>(list.size()), &error));
        EXPECT_EQ(error.code, RV_ERROR_ARGUMENT) << error.text;
        EXPECT_EQ(digits.d.images.data, nullptr);
    }
    EXPECT_FALSE(rv_digits(&digits.d, nullptr, 2, nullptr));
    EXPECT_FALSE(rv_digits(&digits.d, lists[0].data(), 0, nullptr));
    EXPECT_FALSE(rv_digits(&digits.d, lists[0].data(), -1, nullptr));
}

TEST(Dataset, ScaleMultipliesEveryPixel)
{
    Dataset digits, scaled;
    all_digits(&digits);
    all_digits(&scaled);
    rv_dataset_scale(&scaled.d, 1.0 / 16);
    for (int64_t i = 0; i < 64; i++) EXPECT_EQ(scaled.pixel(5, i), digits.pixel(5, i) / 16);
    EXPECT_EQ(scaled.label(5), digits.label(5));
}

TEST(Dataset, ASplitIsDisjointAndComplete)
{
    Dataset all, train, test;
    all_digits(&all);
    /* The first pixel is blank in every image: it can carry the image's number. */
    for (int64_t i = 0; i < all.d.count; i++)
        rv_tensor_set(&all.d.images, i * 64, static_cast<double>(i));
    ASSERT_TRUE(rv_dataset_split(&all.d, 300, 4, &train.d, &test.d, nullptr));
    EXPECT_EQ(test.d.count, 300);
    EXPECT_EQ(train.d.count, 1497);
    EXPECT_EQ(train.d.classes, 10);
    std::vector<int> seen(1797);
    for (const Dataset *part : {&train, &test}) {
        for (int64_t i = 0; i < part->d.count; i++) {
            const auto original = static_cast<int64_t>(part->pixel(i, 0));
            seen[static_cast<size_t>(original)]++;
            ASSERT_EQ(part->image(i), all.image(original)) << "with its pixels and its label";
        }
    }
    EXPECT_EQ(seen, std::vector<int>(1797, 1));
}

TEST(Dataset, ASplitDependsOnItsSeedAlone)
{
    Dataset all, train, test, again_train, again_test, other_train, other_test;
    all_digits(&all);
    ASSERT_TRUE(rv_dataset_split(&all.d, 60, 1, &train.d, &test.d, nullptr));
    ASSERT_TRUE(rv_dataset_split(&all.d, 60, 1, &again_train.d, &again_test.d, nullptr));
    ASSERT_TRUE(rv_dataset_split(&all.d, 60, 2, &other_train.d, &other_test.d, nullptr));
    const size_t bytes = rv_tensor_bytes(&test.d.images);
    EXPECT_EQ(std::memcmp(test.d.images.data, again_test.d.images.data, bytes), 0);
    EXPECT_NE(std::memcmp(test.d.images.data, other_test.d.images.data, bytes), 0);
}

TEST(Dataset, ASplitThatLeavesAPartEmptyIsAnError)
{
    Dataset all, train, test;
    all_digits(&all);
    for (int64_t held_out : {int64_t{-1}, int64_t{0}, int64_t{1797}, int64_t{5000}}) {
        rv_error error = {};
        EXPECT_FALSE(rv_dataset_split(&all.d, held_out, 1, &train.d, &test.d, &error));
        EXPECT_EQ(error.code, RV_ERROR_ARGUMENT) << error.text;
        EXPECT_EQ(train.d.images.data, nullptr);
    }
}

TEST(Dataset, ABatchHoldsImagesAndLabelsInAnyForm)
{
    Dataset digits;
    all_digits(&digits);
    const int64_t count = digits.d.count;
    std::vector<int64_t> order(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; i++) order[static_cast<size_t>(i)] = count - 1 - i;

    for (rv_dtype dtype : {RV_F32, RV_F64, RV_I32}) {
        Tensor x(dtype, RV_SHAPE(3, 1, 8, 8)), index(dtype, RV_SHAPE(3)),
            one_hot(dtype, RV_SHAPE(3, 10)), number(dtype, RV_SHAPE(3, 1));
        for (Tensor *y : {&index, &one_hot, &number}) {
            rv_tensor_fill(&x.t, -1);
            rv_error error = {};
            ASSERT_TRUE(rv_dataset_batch(&digits.d, order.data(), 5, &x.t, &y->t, &error))
                << error.text;
            for (int64_t i = 0; i < 3; i++) {
                for (int64_t j = 0; j < 64; j++)
                    ASSERT_EQ(x[i * 64 + j], digits.pixel(count - 6 - i, j));
            }
        }
        for (int64_t i = 0; i < 3; i++) {
            const double label = digits.label(count - 6 - i);
            EXPECT_EQ(index[i], label);
            EXPECT_EQ(number[i], label);
            for (int64_t c = 0; c < 10; c++)
                EXPECT_EQ(one_hot[i * 10 + c], static_cast<double>(c) == label ? 1 : 0);
        }
    }
}

TEST(Dataset, PositionsWrapRoundAtTheEnd)
{
    Dataset digits;
    all_digits(&digits);
    Tensor x(RV_F32, RV_SHAPE(4, 1, 8, 8)), y(RV_I32, RV_SHAPE(4));
    for (int64_t first : {int64_t{1795}, int64_t{1795} + 1797 * 3}) {
        ASSERT_TRUE(rv_dataset_batch(&digits.d, nullptr, first, &x.t, &y.t, nullptr));
        EXPECT_EQ(y[0], digits.label(1795));
        EXPECT_EQ(y[1], digits.label(1796));
        EXPECT_EQ(y[2], digits.label(0));
        EXPECT_EQ(y[3], digits.label(1));
        EXPECT_EQ(x[2 * 64 + 10], digits.pixel(0, 10));
    }
    ASSERT_TRUE(rv_dataset_batch(&digits.d, nullptr, INT64_MAX, &x.t, &y.t, nullptr));
}

TEST(Dataset, BatchesThatDoNotFitAreErrorsThatNameTheShapes)
{
    Dataset digits;
    all_digits(&digits);
    Tensor x(RV_F32, RV_SHAPE(3, 1, 8, 8)), y(RV_I32, RV_SHAPE(3));
    const auto refuse = [&](const int64_t *order, int64_t first, Tensor *images, Tensor *labels) {
        rv_error error = {};
        EXPECT_FALSE(rv_dataset_batch(&digits.d, order, first, &images->t, &labels->t, &error));
        EXPECT_EQ((*images)[0], -1) << "nothing is copied";
        EXPECT_EQ((*labels)[0], -1);
        return error;
    };
    for (rv_shape shape : {RV_SHAPE(3, 8, 8), RV_SHAPE(3, 1, 8, 9), RV_SHAPE(3, 64), RV_SCALAR}) {
        Tensor wrong(RV_F32, shape);
        const rv_error error = refuse(nullptr, 0, &wrong, &y);
        EXPECT_EQ(error.code, RV_ERROR_SHAPE);
        char text[RV_SHAPE_TEXT];
        EXPECT_NE(std::string(error.text).find(rv_shape_text(shape, text)), std::string::npos);
        EXPECT_NE(std::string(error.text).find("[1,1,8,8]"), std::string::npos) << error.text;
    }
    for (rv_shape shape :
         {RV_SHAPE(2), RV_SHAPE(3, 9), RV_SHAPE(2, 10), RV_SHAPE(3, 1, 1), RV_SCALAR}) {
        Tensor wrong(RV_F32, shape);
        const rv_error error = refuse(nullptr, 0, &x, &wrong);
        EXPECT_EQ(error.code, RV_ERROR_SHAPE);
        EXPECT_NE(std::string(error.text).find("[3,10]"), std::string::npos) << error.text;
    }
    EXPECT_EQ(refuse(nullptr, -1, &x, &y).code, RV_ERROR_ARGUMENT);

    std::vector<int64_t> order(1797);
    for (int64_t bad : {int64_t{-1}, int64_t{1797}}) {
        order[2] = bad;
        EXPECT_EQ(refuse(order.data(), 0, &x, &y).code, RV_ERROR_ARGUMENT);
    }
}

} // namespace
