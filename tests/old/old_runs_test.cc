/* Runs that earlier versions saved: their checkpoints are read as they were written, and the runs resume. */
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "recurve.h"
#include "tests/bytes.h"
#include "tests/tools/command.h"

namespace {

struct Saved {
    std::string folder, name;
    unsigned long checksum; // of the tensors
    double loss;            // after two more epochs
};

std::vector<Saved> all_saved()
{
    std::vector<Saved> all;
    for (const auto &version : std::filesystem::directory_iterator("tests/old")) {
        std::ifstream expected(version.path() / "expected.txt");
        Saved s;
        while (expected >> s.name >> std::hex >> s.checksum >> std::dec >> s.loss) {
            s.folder = version.path() / s.name;
            all.push_back(s);
        }
    }
    return all;
}

template <class T> std::string elements(const rv_tensor &tensor)
{
    std::string bytes;
    for (int64_t i = 0; i < rv_tensor_count(&tensor); i++)
        bytes += little(static_cast<const T *>(tensor.data)[i]);
    return bytes;
}

/* A line with name, dtype and shape, then the elements as in a file. */
std::string content(const rv_named_tensor &named)
{
    const rv_tensor &t = named.tensor;
    std::string text = named.name;
    text += t.dtype == RV_F32 ? " F32" : t.dtype == RV_F64 ? " F64" : " I32";
    for (int64_t d = 0; d < t.shape.rank; d++) text += " " + std::to_string(t.shape.dim[d]);
    return text + "\n" +
           (t.dtype == RV_F32   ? elements<float>(t)
            : t.dtype == RV_F64 ? elements<double>(t)
                                : elements<int32_t>(t));
}

TEST(OldRuns, EachOptimizerHasOneOfEachDtype)
{
    std::set<std::string> names;
    for (const Saved &s : all_saved()) names.insert(s.name);
    for (int i = 0; i < rv_optimizer_count(); i++)
        for (const char *dtype : {"-f32", "-f64"}) {
            const std::string name = rv_optimizer_at(i)->name + std::string(dtype);
            EXPECT_TRUE(names.count(name)) << name;
        }
}

TEST(OldRuns, CheckpointsAreReadAsTheyWereWritten)
{
    for (const Saved &s : all_saved()) {
        rv_archive archive;
        rv_error error = {};
        ASSERT_TRUE(
            rv_safetensors_read((s.folder + "/checkpoint.safetensors").c_str(), &archive, &error))
            << error.text;
        std::map<std::string, std::string> contents;
        for (size_t i = 0; i < archive.tensor_count; i++)
            contents[archive.tensors[i].name] = content(archive.tensors[i]);
        unsigned long checksum = crc32(0, nullptr, 0);
        for (const auto &[name, bytes] : contents)
            checksum = crc32(checksum, reinterpret_cast<const Bytef *>(bytes.data()),
                             static_cast<uInt>(bytes.size()));
        EXPECT_EQ(checksum, s.checksum) << s.folder;
        rv_archive_free(&archive);
    }
}

double last_loss(const std::string &log)
{
    std::istringstream in(log);
    std::string line, last;
    while (std::getline(in, line)) last = line;
    return std::stod(last.substr(last.find(',') + 1));
}

/* Other machines round differently, so that the digest is not the same everywhere. */
TEST(OldRuns, Resume)
{
    for (const Saved &s : all_saved()) {
        const std::string copy = scratch_folder();
        std::filesystem::copy(s.folder, copy);
        const Outcome outcome = recurve("train --quiet --epochs 4 --resume " + copy);
        ASSERT_EQ(outcome.status, 0) << s.folder << ": " << outcome.err;
        EXPECT_NEAR(last_loss(slurp(copy + "/log.csv")), s.loss, 1e-5 * s.loss) << s.folder;
    }
}

} // namespace
