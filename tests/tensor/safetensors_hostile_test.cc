/* Hostile safetensors files: reading any file gives tensors or an error. */
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tensor/safetensors.h"
#include "tests/files.h"
#include "tests/tensor/archives.h"

namespace {

using HostileSafetensors = WithFolder;

/* Reads the bytes as a file. Returns the error; RV_OK if they are an archive. */
rv_error read_bytes(const std::string &path, const std::string &bytes)
{
    spit(path, bytes);
    rv_archive archive;
    rv_error error = {};
    const bool ok = rv_safetensors_read(path.c_str(), &archive, &error);
    EXPECT_EQ(ok, error.code == RV_OK);
    if (ok) {
        rv_archive_free(&archive);
    } else {
        EXPECT_EQ(archive.tensors, nullptr);
        EXPECT_NE(std::string(error.text).find(path), std::string::npos) << error.text;
    }
    return error;
}

/* The header of one tensor of 4 bytes, with one field replaced. */
std::string one(const std::string &dtype, const std::string &shape, const std::string &offsets)
{
    return R"({"w":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets +
           "}}";
}

TEST_F(HostileSafetensors, ErrorsSayWhatIsWrongWithAHeader)
{
    const std::string f32 = R"("F32")", w = R"("dtype":"F32","shape":[1],"data_offsets":[0,4])";
    const struct {
        std::string header, says;
        rv_code code = RV_ERROR_FORMAT;
    } cases[] = {
        {"", "starts with '{'"},
        {"[]", "starts with '{'"},
        {" {}", "starts with '{'"},
        {"{", "not valid JSON"},
        {"{}x", "not valid JSON"},
        {"{\"w\":}", "not valid JSON"},
        {"{\"w\":" + std::string(2000, '['), "more than 16 nested brackets"},
        {"{\"w\":" + std::string(1500, '[') + std::string(1500, ']') + "}",
         "more than 16 nested brackets"},
        {std::string("{\"w\0\":{}}", 9), "without NUL"},
        {R"({"w\u0000x":{)" + w + "}}", "without NUL"},
        {R"({"w\u00zz":{)" + w + "}}", "four digits"},
        {R"({"w\u00)", "four digits"},
        {R"({"w\)", "not valid JSON"},
        {R"({"w\ud800":{)" + w + "}}", "not valid JSON"},
        {"{\"\xff\":{" + w + "}}", "UTF-8"},
        {"{\"\xc0\xaf\":{" + w + "}}", "UTF-8"},
        {"{\"\xed\xa0\x80\":{" + w + "}}", "UTF-8"},
        {"{\"\xf4\x90\x80\x80\":{" + w + "}}", "UTF-8"},
        {"{\"\":{" + w + "}}", "without a name"},
        {R"({"a\tb":{)" + w + "}}", "control characters"},
        {R"({"w":7})", "nothing else"},
        {R"({"w":[1,2,3]})", "nothing else"},
        {R"({"w":{}})", "nothing else"},
        {R"({"w":{"dtype":"F32","shape":[1]}})", "nothing else"},
        {R"({"w":{)" + w + R"(,"dtype":"F32"}})", "each once"},
        {R"({"w":{)" + w + R"(,"strides":[1]}})", "nothing else"},
        {R"({"w":{)" + w + R"(},"w":{)" + w + "}}", "two tensors have this name"},
        {one("7", "[1]", "[0,4]"), "a string"},
        {one(R"("F16")", "[1]", "[0,4]"), "expected 2 for shape"},
        {one(R"("F8_E4M3")", "[4]", "[1,4]"), "starts at offset"},
        {one(R"("f32")", "[1]", "[0,4]"), "expected F32", RV_ERROR_DTYPE},
        {one(f32, "1", "[0,4]"), "an array"},
        {one(f32, "{\"a\":1}", "[0,4]"), "an array"},
        {one(f32, "[0]", "[0,0]"), "a dimension of 0"},
        {one(f32, "[-1]", "[0,4]"), "a dimension of -1"},
        {one(f32, "[1.5]", "[0,4]"), "a dimension of 1.5"},
        {one(f32, "[\"1\"]", "[0,4]"), "a dimension of nan"},
        {one(f32, "[null]", "[0,4]"), "a dimension of nan"},
        {one(f32, "[1e400]", "[0,4]"), "a dimension of inf"},
        {one(f32, "[9007199254740993]", "[0,4]"), "below 2^53"},
        {one(f32, "[4503599627370496,4503599627370496]", "[0,4]"), "larger than an address space"},
        {one(f32, "[4294967296,4294967296]", "[0,4]"), "larger than an address space"},
        {one(f32, "[1,1,1,1,1,1,1]", "[0,4]"), "more than 6 dimensions"},
        {one(f32, "[1]", "[0]"), "two integers"},
        {one(f32, "[1]", "[0,4,8]"), "two integers"},
        {one(f32, "[1]", "{\"a\":0,\"b\":\"4\"}"), "two integers"},
        {one(f32, "[1]", "[0,4.5]"), "two integers"},
        {one(f32, "[1]", "[-4,0]"), "two integers"},
        {one(f32, "[1]", "[0,9007199254740992]"), "two integers"},
        {one(f32, "[1]", "[4,0]"), "expected ascending offsets"},
        {one(f32, "[1]", "[0,8]"), "within the file's 4 bytes"},
        {one(f32, "[1]", "[9007199254740984,9007199254740988]"), "within the file's 4 bytes"},
        {one(f32, "[2]", "[0,4]"), "4 bytes at offset"},
        {one(R"("F64")", "[1]", "[0,4]"), "expected 8 for shape [1]"},
        {"{}", "data that belongs to no tensor"},
        {R"({"__metadata__":7})", "an object"},
        {R"({"__metadata__":["a"]})", "an object"},
        {R"({"__metadata__":{"a":1}})", "not a string"},
        {R"({"__metadata__":{},"__metadata__":{}})", "one \"__metadata__\""},
        {R"({"__metadata__":{"a":"1","b":"2","a":"3"}})", "a duplicate key"},
    };
    for (const auto &c : cases) {
        const rv_error error = read_bytes(path("a"), file_of(c.header, "1234"));
        EXPECT_EQ(error.code, c.code) << c.header.substr(0, 200);
        EXPECT_NE(std::string(error.text).find(c.says), std::string::npos)
            << c.header.substr(0, 200) << "\n    gives: " << error.text;
    }
}

TEST_F(HostileSafetensors, TensorsMustCoverTheDataOnce)
{
    const auto two = [](const char *a, const char *b) {
        return std::string(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)") + a +
               R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)" + b + "}}";
    };
    const std::string twelve = "0123456789ab", eight = "01234567";
    EXPECT_EQ(read_bytes(path("a"), file_of(two("[0,4]", "[4,8]"), eight)).code, RV_OK);
    EXPECT_EQ(read_bytes(path("a"), file_of(two("[4,8]", "[0,4]"), eight)).code, RV_OK)
        << "in any order";
    const std::string wrong[] = {two("[0,4]", "[0,4]"), two("[0,4]", "[2,6]"),
                                 two("[0,4]", "[8,12]"), two("[4,8]", "[8,12]"),
                                 two("[0,4]", "[4,8]")};
    for (const std::string &header : wrong)
        EXPECT_EQ(read_bytes(path("a"), file_of(header, twelve)).code, RV_ERROR_FORMAT) << header;
}

TEST_F(HostileSafetensors, RefusesAWrongHeaderLength)
{
    const std::string good = file_of(one(R"("F32")", "[1]", "[0,4]"), "1234");
    ASSERT_EQ(read_bytes(path("a"), good).code, RV_OK);
    for (uint64_t length :
         {uint64_t{0}, uint64_t{1}, uint64_t{good.size() - 7}, uint64_t{good.size()},
          uint64_t{1} << 32, uint64_t{1} << 63, UINT64_MAX, UINT64_MAX - 7}) {
        std::string bytes = good;
        bytes.replace(0, 8, little(length));
        EXPECT_EQ(read_bytes(path("a"), bytes).code, RV_ERROR_FORMAT) << length;
    }
}

/* Files that are often given for one. A length may begin with the same bytes. */
TEST_F(HostileSafetensors, NamesFilesOfOtherFormats)
{
    const struct {
        std::string bytes, is;
    } cases[] = {{{"PK\3\4\x14\0\0\0\0\0", 10}, "a zip archive, as .npz and .pt files are"},
                 {{"\x80\2\x8a\nl\xfc\x9c\x46\xf9 ", 10}, "a Python pickle"},
                 {"\x89HDF\r\n\x1a\n", "an HDF5 file"}};
    for (const auto &c : cases)
        EXPECT_EQ(read_bytes(path("a"), c.bytes).text,
                  "\"" + path("a") + "\" is " + c.is +
                      "; expected a safetensors file, which `recurve import` makes of weights of "
                      "PyTorch or Keras");
    const std::string long_header = "{" + std::string(0x0280 - 2, ' ') + "}";
    EXPECT_EQ(read_bytes(path("a"), file_of(long_header, "")).code, RV_OK);
}

TEST_F(HostileSafetensors, AcceptsPaddingAfterTheHeader)
{
    EXPECT_EQ(read_bytes(path("a"), file_of("{}   \n\t ", "")).code, RV_OK);
}

TEST_F(HostileSafetensors, RefusesATruncatedFile)
{
    Sample sample;
    ASSERT_TRUE(rv_safetensors_write(path("whole").c_str(), &sample.archive, nullptr));
    const std::string whole = slurp(path("whole"));
    ASSERT_EQ(read_bytes(path("a"), whole).code, RV_OK);
    for (size_t length = 0; length < whole.size(); length++)
        ASSERT_EQ(read_bytes(path("a"), whole.substr(0, length)).code, RV_ERROR_FORMAT) << length;
    EXPECT_EQ(read_bytes(path("a"), whole + "x").code, RV_ERROR_FORMAT);
}

} // namespace
