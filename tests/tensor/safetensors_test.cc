/* safetensors: files are written as the format specifies, and read back. Invalid files are in
 * safetensors_hostile_test.cc. */
#include "tensor/safetensors.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/files.h"
#include "tests/tensor/archives.h"

namespace {

using Safetensors = WithFolder;

const char sample_header[] = R"({"__metadata__":{"format":"test","a\n":"\"b\""},)"
                             "\"w \\\"quoted\\\\ \xc3\xa9\""
                             R"(:{"dtype":"F32","shape":[3,1],"data_offsets":[16,28]},)"
                             R"("step":{"dtype":"I32","shape":[],"data_offsets":[28,32]},)"
                             R"("rate":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}})";

TEST_F(Safetensors, WritesTheBytesThatTheFormatSpecifies)
{
    Sample sample;
    rv_error error = {};
    ASSERT_TRUE(rv_safetensors_write(path("a").c_str(), &sample.archive, &error)) << error.text;

    std::string header = sample_header;
    header.resize((8 + header.size() + 63) / 64 * 64 - 8, ' '); /* the data is aligned */
    const std::string data = bytes_of(sample.f64) + bytes_of(sample.f32) + bytes_of(sample.i32);
    EXPECT_EQ(slurp(path("a")), file_of(header, data));
}

TEST_F(Safetensors, ReadsWhatItWrote)
{
    Sample sample;
    rv_error error = {};
    ASSERT_TRUE(rv_safetensors_write(path("a").c_str(), &sample.archive, &error)) << error.text;
    rv_archive archive;
    ASSERT_TRUE(rv_safetensors_read(path("a").c_str(), &archive, &error)) << error.text;

    ASSERT_EQ(archive.tensor_count, sample.tensors.size());
    for (size_t i = 0; i < archive.tensor_count; i++) {
        const rv_tensor &read = archive.tensors[i].tensor, &wrote = sample.tensors[i].tensor;
        EXPECT_STREQ(archive.tensors[i].name, sample.tensors[i].name) << "in the same order";
        EXPECT_EQ(rv_archive_find(&archive, sample.tensors[i].name), &read);
        EXPECT_EQ(read.dtype, wrote.dtype);
        ASSERT_TRUE(rv_shape_equal(read.shape, wrote.shape));
        EXPECT_EQ(std::memcmp(read.data, wrote.data, rv_tensor_bytes(&wrote)), 0);
    }
    EXPECT_EQ(rv_archive_find(&archive, "unknown"), nullptr);
    ASSERT_EQ(archive.metadata_count, sample.metadata.size());
    for (size_t i = 0; i < archive.metadata_count; i++) {
        EXPECT_STREQ(archive.metadata[i].key, sample.metadata[i].key);
        EXPECT_STREQ(archive.metadata[i].value, sample.metadata[i].value);
    }
    rv_archive_free(&archive);
    EXPECT_EQ(archive.tensors, nullptr);
    rv_archive_free(&archive);
}

TEST_F(Safetensors, WritesAndReadsAnEmptyArchive)
{
    const rv_archive nothing = {};
    rv_error error = {};
    ASSERT_TRUE(rv_safetensors_write(path("a").c_str(), &nothing, &error)) << error.text;
    rv_archive archive;
    ASSERT_TRUE(rv_safetensors_read(path("a").c_str(), &archive, &error)) << error.text;
    EXPECT_EQ(archive.tensor_count, 0u);
    EXPECT_EQ(archive.metadata_count, 0u);
    rv_archive_free(&archive);
}

TEST_F(Safetensors, I64BecomesI32WhenEveryValueFits)
{
    const std::string header = R"({"rows":{"data_offsets":[0,24],"shape":[3],"dtype":"I64"}})";
    spit(path("a"), file_of(header, bytes_of<int64_t>({5, INT32_MIN, INT32_MAX})));
    rv_archive archive;
    rv_error error = {};
    ASSERT_TRUE(rv_safetensors_read(path("a").c_str(), &archive, &error)) << error.text;
    const rv_tensor *rows = rv_archive_find(&archive, "rows");
    EXPECT_EQ(rows->dtype, RV_I32);
    EXPECT_EQ(rv_tensor_get(rows, 0), 5);
    EXPECT_EQ(rv_tensor_get(rows, 1), INT32_MIN);
    EXPECT_EQ(rv_tensor_get(rows, 2), INT32_MAX);
    rv_archive_free(&archive);

    spit(path("a"), file_of(header, bytes_of<int64_t>({5, int64_t{INT32_MAX} + 1, 0})));
    EXPECT_FALSE(rv_safetensors_read(path("a").c_str(), &archive, &error));
    EXPECT_EQ(error.code, RV_ERROR_FORMAT);
    EXPECT_NE(std::string(error.text).find("\"rows\": element 1 is 2147483648"), std::string::npos)
        << error.text;
}

TEST_F(Safetensors, ReadsHalvesAndIntegersAndSkipsOtherTypes)
{
    const std::string header = R"({"half":{"dtype":"F16","shape":[4],"data_offsets":[0,8]},)"
                               R"("brain":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]},)"
                               R"("eight":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[12,15]},)"
                               R"("mask":{"dtype":"BOOL","shape":[1],"data_offsets":[15,16]},)"
                               R"("i8":{"dtype":"I8","shape":[2],"data_offsets":[16,18]},)"
                               R"("u16":{"dtype":"U16","shape":[1],"data_offsets":[18,20]},)"
                               R"("u32":{"dtype":"U32","shape":[1],"data_offsets":[20,24]}})";
    const std::string data = bytes_of<uint16_t>({0xc500, 0x0001, 0x7bff, 0x3555, 0xbfc0, 0x0080}) +
                             "abc\1\xfe\x7f" + bytes_of<uint16_t>({65535}) +
                             bytes_of<uint32_t>({INT32_MAX});
    spit(path("a"), file_of(header, data));
    rv_archive archive;
    rv_error error = {};
    ASSERT_TRUE(rv_safetensors_read(path("a").c_str(), &archive, &error)) << error.text;
    const auto expect = [&](const char *name, rv_dtype dtype, const std::vector<double> &values) {
        const rv_tensor *tensor = rv_archive_find(&archive, name);
        ASSERT_NE(tensor, nullptr) << name;
        EXPECT_EQ(tensor->dtype, dtype) << name;
        for (size_t i = 0; i < values.size(); i++)
            EXPECT_EQ(rv_tensor_get(tensor, int64_t(i)), values[i]) << name;
    };
    expect("half", RV_F32, {-5, 0x1p-24, 65504, 0.333251953125});
    expect("brain", RV_F32, {-1.5, 0x1p-126});
    expect("mask", RV_I32, {1});
    expect("i8", RV_I32, {-2, 127});
    expect("u16", RV_I32, {65535});
    expect("u32", RV_I32, {INT32_MAX});
    EXPECT_EQ(archive.tensor_count, 6u);
    ASSERT_EQ(archive.skipped_count, 1u);
    EXPECT_STREQ(archive.skipped[0], "eight");
    rv_archive_free(&archive);

    spit(path("a"), file_of(header, data.substr(0, 20) + bytes_of<uint32_t>({1u << 31})));
    EXPECT_FALSE(rv_safetensors_read(path("a").c_str(), &archive, &error));
    EXPECT_NE(std::string(error.text).find("\"u32\": element 0 is 2147483648"), std::string::npos)
        << error.text;

    const std::string wide = R"({"u64":{"dtype":"U64","shape":[1],"data_offsets":[0,8]}})";
    spit(path("a"), file_of(wide, bytes_of<uint64_t>({uint64_t(1) << 63})));
    error = {};
    EXPECT_FALSE(rv_safetensors_read(path("a").c_str(), &archive, &error));
    EXPECT_NE(std::string(error.text).find("element 0 is 9223372036854775808;"), std::string::npos)
        << error.text;
}

TEST_F(Safetensors, RefusesToWriteInvalidArchives)
{
    const auto refuse = [this](const char *why, rv_code code, const Sample &sample) {
        rv_error error = {};
        EXPECT_FALSE(rv_safetensors_write(path("a").c_str(), &sample.archive, &error)) << why;
        EXPECT_EQ(error.code, code) << why << ": " << error.text;
        EXPECT_TRUE(listing().empty()) << why;
    };
    Sample sample;
    for (const char *name : {"", "__metadata__", "rate", "\xff", "a\nb"}) {
        sample.tensors[0].name = name;
        refuse(name, RV_ERROR_NAME, sample);
    }
    sample = Sample();
    sample.metadata[1].key = "format";
    sample.archive.metadata = sample.metadata.data();
    refuse("a duplicate key", RV_ERROR_NAME, sample);
    sample.metadata[1] = {"key", "\xc3"};
    refuse("a value that is not UTF-8", RV_ERROR_NAME, sample);
}

TEST_F(Safetensors, RefusesToWriteInvalidTensors)
{
    Sample sample;
    rv_error error = {};
    sample.tensors[0].tensor.shape.dim[0] = 0;
    EXPECT_FALSE(rv_safetensors_write(path("a").c_str(), &sample.archive, &error));
    EXPECT_EQ(error.code, RV_ERROR_SHAPE);

    error = {};
    sample.tensors[0].tensor = {};
    EXPECT_FALSE(rv_safetensors_write(path("a").c_str(), &sample.archive, &error));
    EXPECT_EQ(error.code, RV_ERROR_ARGUMENT);

    error = {};
    sample.tensors[0].tensor.dtype = static_cast<rv_dtype>(3);
    EXPECT_FALSE(rv_safetensors_write(path("a").c_str(), &sample.archive, &error));
    EXPECT_EQ(error.code, RV_ERROR_DTYPE);
    EXPECT_TRUE(listing().empty());
}

} // namespace
