/* Builds safetensors files without the code under test. */
#ifndef RV_TESTS_TENSOR_ARCHIVES_H
#define RV_TESTS_TENSOR_ARCHIVES_H

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/safetensors.h"
#include "tests/bytes.h"

/* A file with this header and data, as the format specifies. */
inline std::string file_of(const std::string &header, const std::string &data)
{
    return little(uint64_t{header.size()}) + header + data;
}

template <class T> std::string bytes_of(const std::vector<T> &values)
{
    std::string bytes;
    for (T value : values) bytes += little(value);
    return bytes;
}

/* Metadata and three tensors of three dtypes, not sorted by alignment. */
struct Sample {
    std::vector<float> f32 = {1.5f, -2.25f, 3};
    std::vector<int32_t> i32 = {-7};
    std::vector<double> f64 = {0.1, 0.2};
    std::vector<rv_named_tensor> tensors = {
        {"w \"quoted\\ \xc3\xa9", {RV_F32, RV_SHAPE(3, 1), f32.data()}},
        {"step", {RV_I32, RV_SCALAR, i32.data()}},
        {"rate", {RV_F64, RV_SHAPE(2), f64.data()}},
    };
    std::vector<rv_metadata> metadata = {{"format", "test"}, {"a\n", "\"b\""}};
    rv_archive archive = {tensors.data(), tensors.size(), metadata.data(), metadata.size()};
};

#endif
