/* Shapes: construction, comparison, text and checks. */
#include "tensor/shape.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace {

std::string text_of(rv_shape shape)
{
    char text[RV_SHAPE_TEXT];
    return rv_shape_text(shape, text);
}

std::string refusal(rv_shape shape, size_t item_size)
{
    rv_error error = {};
    EXPECT_FALSE(rv_shape_check(shape, item_size, nullptr, &error));
    EXPECT_EQ(error.code, RV_ERROR_SHAPE);
    return error.text;
}

constexpr int64_t largest = PTRDIFF_MAX;

TEST(Shape, MacrosCountTheirDimensions)
{
    const int width = 8;
    const rv_shape image = RV_SHAPE(32, 1, 8, width);
    EXPECT_EQ(image.rank, 4);
    EXPECT_EQ(image.dim[0], 32);
    EXPECT_EQ(image.dim[3], 8);
    EXPECT_EQ(image.dim[4], 0);
    EXPECT_EQ(RV_SHAPE(7).rank, 1);
    EXPECT_EQ(RV_SCALAR.rank, 0);
}

TEST(Shape, EqualityComparesRankAndUsedDimensions)
{
    EXPECT_TRUE(rv_shape_equal(RV_SHAPE(2, 3), RV_SHAPE(2, 3)));
    EXPECT_FALSE(rv_shape_equal(RV_SHAPE(2, 3), RV_SHAPE(3, 2)));
    EXPECT_FALSE(rv_shape_equal(RV_SHAPE(2), RV_SHAPE(2, 1)));
    EXPECT_TRUE(rv_shape_equal(RV_SCALAR, RV_SCALAR));
    rv_shape unused = RV_SHAPE(2, 3);
    unused.dim[5] = 9;
    EXPECT_TRUE(rv_shape_equal(unused, RV_SHAPE(2, 3)));
}

TEST(Shape, TextIsDimensionsInBrackets)
{
    EXPECT_EQ(text_of(RV_SHAPE(32, 1, 8, 8)), "[32,1,8,8]");
    EXPECT_EQ(text_of(RV_SHAPE(5)), "[5]");
    EXPECT_EQ(text_of(RV_SCALAR), "[]");
}

TEST(Shape, TheLongestTextFits)
{
    const int64_t least = std::numeric_limits<int64_t>::min();
    const std::string one = std::to_string(least);
    const std::string five = one + "," + one + "," + one + "," + one + "," + one;
    EXPECT_EQ(text_of(RV_SHAPE(least, least, least, least, least, least)),
              "[" + five + "," + one + "]");
}

TEST(Shape, TextOfAnInvalidRankIsSafe)
{
    rv_shape shape = RV_SCALAR;
    shape.rank = INT64_MAX;
    EXPECT_EQ(text_of(shape), "[rank 9223372036854775807]");
    shape.rank = -1;
    EXPECT_EQ(text_of(shape), "[rank -1]");
}

TEST(Shape, CountIsTheProduct)
{
    EXPECT_EQ(rv_shape_count(RV_SHAPE(32, 1, 8, 8)), 2048);
    EXPECT_EQ(rv_shape_count(RV_SCALAR), 1);
}

TEST(Shape, CheckReturnsTheBytes)
{
    size_t bytes = 0;
    rv_error error = {};
    EXPECT_TRUE(rv_shape_check(RV_SHAPE(3, 5), 8, &bytes, &error));
    EXPECT_EQ(bytes, 120u);
    EXPECT_TRUE(rv_shape_check(RV_SCALAR, 4, &bytes, &error));
    EXPECT_EQ(bytes, 4u);
    EXPECT_TRUE(rv_shape_check(RV_SHAPE(largest), 1, &bytes, &error));
    EXPECT_EQ(bytes, static_cast<size_t>(largest));
    EXPECT_EQ(error.code, RV_OK);
}

TEST(Shape, RefusesDimensionsBelowOne)
{
    EXPECT_EQ(refusal(RV_SHAPE(2, 0, 3), 4),
              "shape [2,0,3]: dimension 1 is 0; expected at least 1");
    refusal(RV_SHAPE(-1), 4);
    refusal(RV_SHAPE(std::numeric_limits<int64_t>::min()), 1);
}

TEST(Shape, RefusesRanksOutOfRange)
{
    rv_shape shape = RV_SHAPE(1, 1, 1, 1, 1, 1);
    EXPECT_TRUE(rv_shape_check(shape, 4, nullptr, nullptr));
    shape.rank = RV_MAX_RANK + 1;
    EXPECT_NE(refusal(shape, 4).find("7 dimensions"), std::string::npos);
    shape.rank = -1;
    refusal(shape, 4);
}

TEST(Shape, RefusesSizesThatOverflow)
{
    refusal(RV_SHAPE(largest), 2);
    refusal(RV_SHAPE(largest, largest), 1);
    refusal(RV_SHAPE(int64_t{1} << 32, int64_t{1} << 32), 1);       /* 2^64 wraps to 0 */
    refusal(RV_SHAPE(int64_t{1} << 32, (int64_t{1} << 32) + 1), 1); /* and to 2^32 */
    refusal(RV_SHAPE(int64_t{1} << 62), 2);
    refusal(RV_SHAPE(int64_t{1} << 32, int64_t{1} << 32), 0);
    EXPECT_NE(refusal(RV_SHAPE(INT64_MAX), 4).find("[9223372036854775807] of 4-byte"),
              std::string::npos);
}

} // namespace
