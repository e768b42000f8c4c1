/* Helpers for tests of sources: builds files byte by byte, reads samples as vectors. */
#ifndef RV_TESTS_DATA_SOURCES_H
#define RV_TESTS_DATA_SOURCES_H

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "data/files.h"
#include "tests/bytes.h"
#include "tests/files.h"

/* A source that is closed even when a test fails. */
struct Source {
    rv_source s = {};
    rv_error error = {};
    Source() = default;
    Source(const Source &) = delete;
    Source &operator=(const Source &) = delete;
    ~Source() { rv_source_close(&s); }
};

struct Sample {
    std::vector<double> x, y;
    int32_t length = -1;
    rv_error error = {};
    bool operator==(const Sample &other) const
    {
        return x == other.x && y == other.y && length == other.length;
    }
};

inline std::vector<double> numbers(const rv_tensor &tensor)
{
    std::vector<double> values;
    for (int64_t i = 0; i < rv_tensor_count(&tensor); i++)
        values.push_back(rv_tensor_get(&tensor, i));
    return values;
}

inline Sample sample(const rv_source &source, int64_t index, uint64_t epoch = 0)
{
    Sample sample;
    rv_tensor x, y;
    EXPECT_TRUE(rv_tensor_new(&x, source.x_type, source.x, nullptr));
    EXPECT_TRUE(rv_tensor_new(&y, source.y_type, source.y, nullptr));
    if (rv_source_read(&source, epoch, index, x.data, y.data, &sample.length, &sample.error)) {
        sample.x = numbers(x);
        sample.y = numbers(y);
    }
    rv_tensor_free(&x);
    rv_tensor_free(&y);
    return sample;
}

inline std::string idx(int type, const std::vector<uint32_t> &shape, const std::string &body)
{
    std::string bytes = {0, 0, static_cast<char>(type), static_cast<char>(shape.size())};
    for (uint32_t dim : shape) bytes += big(dim);
    return bytes + body;
}

inline std::string npy_header(std::string header)
{
    header += '\n';
    return std::string("\x93NUMPY\x01\x00", 8) + little(static_cast<uint16_t>(header.size())) +
           header;
}

inline std::string npy(const std::string &type, const std::string &shape, const std::string &body,
                       const char *fortran = "False")
{
    return npy_header("{'descr': '" + type + "', 'fortran_order': " + fortran +
                      ", 'shape': " + shape + ", }") +
           body;
}

inline std::string gzip(const std::string &bytes)
{
    z_stream z = {};
    EXPECT_EQ(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&z, bytes.size()), 0);
    z.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(bytes.data()));
    z.avail_in = static_cast<uInt>(bytes.size());
    z.next_out = reinterpret_cast<Bytef *>(&out[0]);
    z.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
}

inline rv_file_options options_of(uint64_t cache, int64_t classes, int64_t tokens, bool sequence)
{
    rv_file_options options = {};
    options.cache_bytes = cache;
    options.classes = classes;
    options.tokens = tokens;
    options.sequence = sequence;
    return options;
}

/* Expects that opening failed with `code` and a message that contains all `parts`, and left {0}. */
inline void expect_refused(const Source &source, rv_code code,
                           const std::vector<std::string> &parts)
{
    EXPECT_EQ(source.error.code, code) << source.error.text;
    for (const std::string &part : parts)
        EXPECT_NE(std::string(source.error.text).find(part), std::string::npos)
            << "\"" << part << "\" in: " << source.error.text;
    EXPECT_EQ(source.s.context, nullptr);
    EXPECT_EQ(source.s.read, nullptr);
}

#endif
