/* Tensors: creation, access, copies and release. */
#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

/* Makes a failed allocation return NULL under the sanitizers too. */
extern "C" const char *__asan_default_options();
extern "C" const char *__tsan_default_options();
extern "C" const char *__asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char *__tsan_default_options() { return "allocator_may_return_null=1"; }

namespace {

constexpr rv_dtype all_dtypes[] = {RV_F32, RV_F64, RV_I32};

rv_tensor make(rv_dtype dtype, rv_shape shape)
{
    rv_tensor tensor;
    EXPECT_TRUE(rv_tensor_new(&tensor, dtype, shape, nullptr));
    return tensor;
}

TEST(Tensor, DtypesHaveSizesAndNames)
{
    EXPECT_EQ(rv_dtype_size(RV_F32), 4u);
    EXPECT_EQ(rv_dtype_size(RV_F64), 8u);
    EXPECT_EQ(rv_dtype_size(RV_I32), 4u);
    for (rv_dtype dtype : all_dtypes) {
        rv_dtype parsed;
        EXPECT_TRUE(rv_dtype_parse(rv_dtype_name(dtype), &parsed, nullptr));
        EXPECT_EQ(parsed, dtype);
    }
}

TEST(Tensor, RefusesUnknownDtypesByName)
{
    rv_dtype dtype;
    rv_error error = {};
    EXPECT_FALSE(rv_dtype_parse("f16", &dtype, &error));
    EXPECT_EQ(error.code, RV_ERROR_DTYPE);
    EXPECT_STREQ(error.text, "unknown dtype \"f16\"; expected f32, f64 or i32");
    EXPECT_FALSE(rv_dtype_parse(nullptr, &dtype, nullptr));

    rv_tensor tensor;
    error = {};
    EXPECT_FALSE(rv_tensor_new(&tensor, static_cast<rv_dtype>(3), RV_SHAPE(1), &error));
    EXPECT_EQ(error.code, RV_ERROR_DTYPE);
    EXPECT_EQ(tensor.data, nullptr);
}

TEST(Tensor, StartsAsAlignedZeros)
{
    for (rv_dtype dtype : all_dtypes) {
        rv_tensor tensor = make(dtype, RV_SHAPE(3, 5));
        EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data) % 64, 0u);
        EXPECT_EQ(rv_tensor_count(&tensor), 15);
        EXPECT_EQ(rv_tensor_bytes(&tensor), 15 * rv_dtype_size(dtype));
        for (int i = 0; i < 15; i++) EXPECT_EQ(rv_tensor_get(&tensor, i), 0);
        rv_tensor_free(&tensor);
    }
}

TEST(Tensor, FreeCanBeRepeated)
{
    rv_tensor tensor = make(RV_F64, RV_SHAPE(3));
    rv_tensor_free(&tensor);
    EXPECT_EQ(tensor.data, nullptr);
    EXPECT_EQ(tensor.shape.rank, 0);
    rv_tensor_free(&tensor);
    rv_tensor_free(nullptr);
}

TEST(Tensor, RefusesInvalidShapes)
{
    const int64_t huge = int64_t{1} << 59;
    rv_tensor tensor;
    rv_error error = {};
    EXPECT_FALSE(rv_tensor_new(&tensor, RV_F32, RV_SHAPE(4, 0), &error));
    EXPECT_EQ(error.code, RV_ERROR_SHAPE);
    error = {};
    EXPECT_FALSE(rv_tensor_new(&tensor, RV_F64, RV_SHAPE(huge, 2), &error));
    EXPECT_EQ(error.code, RV_ERROR_SHAPE);
    error = {};
    EXPECT_FALSE(rv_tensor_new(&tensor, RV_F64, RV_SHAPE(huge), &error)) << "2^62 bytes";
    EXPECT_EQ(error.code, sizeof(size_t) < 8 ? RV_ERROR_SHAPE : RV_ERROR_MEMORY);
    EXPECT_NE(std::string(error.text).find("[576460752303423488]"), std::string::npos);
    EXPECT_EQ(tensor.data, nullptr);
}

TEST(Tensor, ReadsElementsAsWritten)
{
    for (rv_dtype dtype : all_dtypes) {
        rv_tensor tensor = make(dtype, RV_SHAPE(2, 2));
        for (int i = 0; i < 4; i++) rv_tensor_set(&tensor, i, i - 2);
        for (int i = 0; i < 4; i++) EXPECT_EQ(rv_tensor_get(&tensor, i), i - 2);
        rv_tensor_fill(&tensor, 7);
        for (int i = 0; i < 4; i++) EXPECT_EQ(rv_tensor_get(&tensor, i), 7);
        rv_tensor_free(&tensor);
    }
}

TEST(Tensor, IntegersAreTruncatedAndClamped)
{
    const double infinity = std::numeric_limits<double>::infinity();
    const struct {
        double in, out;
    } cases[] = {{2.9, 2},
                 {-2.9, -2},
                 {1e10, INT32_MAX},
                 {-1e10, INT32_MIN},
                 {NAN, 0},
                 {infinity, INT32_MAX},
                 {-infinity, INT32_MIN},
                 {2147483647.5, INT32_MAX},
                 {-2147483648.5, INT32_MIN}};
    rv_tensor tensor = make(RV_I32, RV_SCALAR);
    for (const auto &c : cases) {
        rv_tensor_set(&tensor, 0, c.in);
        EXPECT_EQ(rv_tensor_get(&tensor, 0), c.out) << c.in;
    }
    rv_tensor_free(&tensor);
}

TEST(Tensor, ExtentCountsNonFiniteElementsAndRangesOverTheRest)
{
    const double infinity = std::numeric_limits<double>::infinity();
    const double values[] = {3, -infinity, -5, NAN, 4, infinity, -1};
    rv_tensor tensor = make(RV_F32, RV_SHAPE(7));
    for (int i = 0; i < 7; i++) rv_tensor_set(&tensor, i, values[i]);
    rv_extent e = rv_tensor_extent(&tensor);
    EXPECT_EQ(e.count, 7);
    EXPECT_EQ(e.nans, 1);
    EXPECT_EQ(e.infinities, 2);
    EXPECT_EQ(e.first, 1);
    EXPECT_EQ(e.low, -5);
    EXPECT_EQ(e.high, 4);
    rv_tensor_fill(&tensor, NAN);
    e = rv_tensor_extent(&tensor);
    EXPECT_EQ(e.nans, 7);
    EXPECT_TRUE(std::isnan(e.low) && std::isnan(e.high));
    rv_tensor_fill(&tensor, 2);
    EXPECT_EQ(rv_tensor_extent(&tensor).first, -1);
    rv_tensor_free(&tensor);
}

TEST(Tensor, CopyConvertsEveryPairOfDtypes)
{
    for (rv_dtype from_dtype : all_dtypes) {
        for (rv_dtype to_dtype : all_dtypes) {
            rv_tensor from = make(from_dtype, RV_SHAPE(3)), to = make(to_dtype, RV_SHAPE(3));
            for (int i = 0; i < 3; i++) rv_tensor_set(&from, i, 100 * i - 100);
            EXPECT_TRUE(rv_tensor_copy(&to, &from, nullptr));
            for (int i = 0; i < 3; i++) EXPECT_EQ(rv_tensor_get(&to, i), 100 * i - 100);
            rv_tensor_free(&from);
            rv_tensor_free(&to);
        }
    }
}

TEST(Tensor, CopyRoundsDoublesOnce)
{
    rv_tensor from = make(RV_F64, RV_SHAPE(2)), to = make(RV_F32, RV_SHAPE(2));
    rv_tensor_set(&from, 0, 0.1);
    rv_tensor_set(&from, 1, 1e300);
    EXPECT_TRUE(rv_tensor_copy(&to, &from, nullptr));
    EXPECT_EQ(static_cast<float *>(to.data)[0], 0.1f);
    EXPECT_TRUE(std::isinf(static_cast<float *>(to.data)[1]));
    rv_tensor_free(&from);
    rv_tensor_free(&to);
}

TEST(Tensor, CopyNamesBothShapesThatDiffer)
{
    rv_tensor from = make(RV_F32, RV_SHAPE(2, 3)), to = make(RV_F32, RV_SHAPE(3, 2));
    rv_error error = {};
    EXPECT_FALSE(rv_tensor_copy(&to, &from, &error));
    EXPECT_EQ(error.code, RV_ERROR_SHAPE);
    EXPECT_NE(std::string(error.text).find("[2,3]"), std::string::npos);
    EXPECT_NE(std::string(error.text).find("[3,2]"), std::string::npos);
    rv_tensor_free(&from);
    rv_tensor_free(&to);
}

} // namespace
