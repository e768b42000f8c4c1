/* Reference data: the float64 values that the published CURNN program computes, and the digits that
 * it was trained on.
 *
 * The file is read without the library's own reader, so that a mistake there cannot hide one here.
 * Needs -lcjson and a little-endian machine. */
#ifndef RV_TESTS_REFERENCE_H
#define RV_TESTS_REFERENCE_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "data/tensors.h"

/* A safetensors file: the header's length as a u64, the JSON header, the data. */
class Reference {
  public:
    explicit Reference(const std::string &path = "tests/data/curnn_blog.safetensors") : path_(path)
    {
        std::ifstream file(path, std::ios::binary);
        const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
        uint64_t header_size = 0;
        check(bytes.size() >= sizeof header_size, "is missing or empty");
        std::memcpy(&header_size, bytes.data(), sizeof header_size);
        check(header_size <= bytes.size() - sizeof header_size, "has a header longer than itself");

        const char *header = bytes.data() + sizeof header_size;
        const char *data = header + header_size;
        const auto data_size = static_cast<size_t>(bytes.data() + bytes.size() - data);
        const std::unique_ptr<cJSON, void (*)(cJSON *)> json(
            cJSON_ParseWithLength(header, header_size), cJSON_Delete);
        check(json != nullptr, "has a header that is not JSON");

        const cJSON *tensor;
        cJSON_ArrayForEach(tensor, json.get())
        {
            const std::string name = tensor->string;
            if (name == "__metadata__") continue;
            const cJSON *size;
            rv_shape &shape = shapes_[name];
            cJSON_ArrayForEach(size, cJSON_GetObjectItem(tensor, "shape"))
            {
                check(shape.rank < RV_MAX_RANK, "has too many axes in " + name);
                shape.dim[shape.rank++] = static_cast<int64_t>(cJSON_GetNumberValue(size));
            }
            const size_t begin = offset(tensor, 0), end = offset(tensor, 1);
            check(begin <= end && end <= data_size, "ends before its tensor " + name);
            const char *dtype = cJSON_GetStringValue(cJSON_GetObjectItem(tensor, "dtype"));
            if (dtype != nullptr && std::strcmp(dtype, "F64") == 0)
                f64_[name] = numbers<double>(data + begin, end - begin);
            else if (dtype != nullptr && std::strcmp(dtype, "I64") == 0)
                i64_[name] = numbers<int64_t>(data + begin, end - begin);
        }
    }

    /* The tensor's elements, row-major; throws if no tensor has that name and type. */
    const std::vector<double> &f64(const std::string &name) const { return find(f64_, name); }
    const std::vector<int64_t> &i64(const std::string &name) const { return find(i64_, name); }

    /* Of all tensors, by name. */
    const std::map<std::string, rv_shape> &shapes() const { return shapes_; }

  private:
    std::string path_;
    std::map<std::string, rv_shape> shapes_;
    std::map<std::string, std::vector<double>> f64_;
    std::map<std::string, std::vector<int64_t>> i64_;

    void check(bool good, const std::string &complaint) const
    {
        if (!good) throw std::runtime_error(path_ + " " + complaint);
    }

    size_t offset(const cJSON *tensor, int which) const
    {
        const cJSON *offsets = cJSON_GetObjectItem(tensor, "data_offsets");
        const double value = cJSON_GetNumberValue(cJSON_GetArrayItem(offsets, which));
        check(value >= 0 && value < 1e15, std::string("lacks an offset of ") + tensor->string);
        return static_cast<size_t>(value);
    }

    template <typename T> static std::vector<T> numbers(const char *bytes, size_t size)
    {
        std::vector<T> values(size / sizeof(T));
        if (!values.empty()) std::memcpy(values.data(), bytes, values.size() * sizeof(T));
        return values;
    }

    template <typename Map>
    const typename Map::mapped_type &find(const Map &tensors, const std::string &name) const
    {
        const auto found = tensors.find(name);
        check(found != tensors.end(), "has no tensor " + name + " of that type");
        return found->second;
    }
};

struct Digit {
    std::vector<double> pixels; /* 8x8, 0..16 */
    int label;                  /* 0..9 */
};

/* The built-in digits, in the order of their file. */
inline const Digit &digit(int64_t row)
{
    static const std::vector<Digit> digits = [] {
        std::vector<Digit> rows(RV_DIGITS);
        for (int64_t i = 0; i < RV_DIGITS; i++) {
            Digit &row = rows[static_cast<size_t>(i)];
            const unsigned char *pixels = rv_digit(i, &row.label);
            row.pixels.assign(pixels, pixels + 64);
        }
        return rows;
    }();
    return digits.at(static_cast<size_t>(row));
}

#endif
