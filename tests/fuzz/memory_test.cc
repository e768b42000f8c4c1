// Memory for files that lie about their size, with default limits: no more than the library's
// headers state.
#include <gtest/gtest.h>
#include <zip.h>

#include "data/files.h"
#include "data/npz.h"
#include "tensor/safetensors.h"
#include "tests/data/sources.h"
#include "tests/fuzz/fuzz.h"

namespace {

constexpr size_t MIB = 1 << 20;

class Memory : public WithFolder {
  protected:
    /* Checks the peak memory of `open`, which must fail with this code and message. */
    template <class Open> void refuse(size_t most, rv_code code, const char *says, Open open)
    {
        Source source;
        memory_start();
        const bool ok = open(&source.s, &source.error);
        const size_t peak = memory_peak();
        EXPECT_FALSE(ok);
        EXPECT_LE(peak, most + FUZZ_CONSTANT);
        expect_refused(source, code, {says});
    }

    std::string zipped(const std::string &member, zip_int32_t method)
    {
        const std::string name = path("archive.npz");
        zip_t *zip = zip_open(name.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
        zip_source_t *bytes = zip_source_buffer(zip, member.data(), member.size(), 0);
        zip_file_add(zip, "x.npy", bytes, 0);
        zip_set_file_compression(zip, 0, method, 9);
        EXPECT_EQ(zip_close(zip), 0);
        return name;
    }
};

TEST_F(Memory, MissingArraysTakeNone)
{
    const std::string x = file("x.idx", idx(8, {1 << 30, 1 << 30}, "few")),
                      y = file("x.npy", npy("<f8", "(1152921504606846976,)", "few")),
                      z = file("z.npy", npy("<f8", "(1073741824, 4)", "few", "True"));
    refuse(100, RV_ERROR_FORMAT, "3 bytes after its header", [&](rv_source *s, rv_error *error) {
        return rv_source_idx(s, x.c_str(), x.c_str(), nullptr, error);
    });
    refuse(200, RV_ERROR_FORMAT, "address space", [&](rv_source *s, rv_error *error) {
        return rv_source_npy(s, y.c_str(), y.c_str(), nullptr, error);
    });
    refuse(200, RV_ERROR_FORMAT, "3 bytes after its header", [&](rv_source *s, rv_error *error) {
        return rv_source_npy(s, z.c_str(), z.c_str(), nullptr, error);
    });
}

TEST_F(Memory, AGzipBombTakesNone)
{
    const std::string bomb = file("bomb", gzip(std::string(8 * MIB, '\0')));
    const rv_file_options options = options_of(MIB, 0, 0, false);
    refuse(0, RV_ERROR_ARGUMENT, "once decompressed", [&](rv_source *s, rv_error *error) {
        return rv_source_idx(s, bomb.c_str(), bomb.c_str(), &options, error);
    });
    const rv_file_options table = options_of(MIB, 0, 0, false);
    refuse(0, RV_ERROR_ARGUMENT, "once decompressed", [&](rv_source *s, rv_error *error) {
        return rv_source_csv(s, bomb.c_str(), &table, error);
    });
}

TEST_F(Memory, AMemberWithAnImpossibleSizeTakesNone)
{
    std::string bytes = slurp(zipped(std::string(1000, 'x'), ZIP_CM_DEFLATE));
    const uint32_t declared = 200 * MIB;
    for (const auto &[signature, offset] : {std::pair{"PK\1\2", 24}, std::pair{"PK\3\4", 22}}) {
        const size_t record = bytes.find(signature);
        ASSERT_NE(record, std::string::npos);
        bytes.replace(record + static_cast<size_t>(offset), 4, little(declared));
    }
    const std::string liar = file("liar.npz", bytes);
    refuse(FUZZ_CONSTANT, RV_ERROR_FORMAT, "209715200 bytes cannot be compressed",
           [&](rv_source *s, rv_error *error) {
               return rv_source_npz(s, liar.c_str(), nullptr, error);
           });
}

TEST_F(Memory, AZipBombTakesAtMostTheCache)
{
    const std::string bomb = zipped(std::string(64 * MIB, '\0'), ZIP_CM_DEFLATE);
    rv_file_options options = options_of(MIB, 0, 0, false);
    refuse(0, RV_ERROR_ARGUMENT, "more than the cache", [&](rv_source *s, rv_error *error) {
        return rv_source_npz(s, bomb.c_str(), &options, error);
    });
    refuse(64 * MIB, RV_ERROR_FORMAT, "not an .npy file", [&](rv_source *s, rv_error *error) {
        return rv_source_npz(s, bomb.c_str(), nullptr, error);
    });
}

TEST_F(Memory, ConvertedNumbersCountAgainstTheCache)
{
    const std::string bytes = zipped(npy("|u1", "(1048576,)", std::string(MIB, 1)), ZIP_CM_STORE);
    refuse(2 * MIB, RV_ERROR_ARGUMENT, "more than the cache", [&](rv_source *, rv_error *error) {
        rv_archive archive;
        return rv_npz_read(bytes.c_str(), 2 * MIB, &archive, error);
    });
}

TEST_F(Memory, EmptyLinesOfACsvFileTakeNone)
{
    std::string wide;
    for (int i = 0; i < 20000; i++) wide += "1,";
    const std::string text = wide + "0" + std::string(1000, '\n') + "1\n";
    const std::string table = file("wide.csv", text);
    refuse(5 * text.size(), RV_ERROR_FORMAT, "line 2", [&](rv_source *s, rv_error *error) {
        return rv_source_csv(s, table.c_str(), nullptr, error);
    });
}

TEST_F(Memory, AHeaderOfNumbersStaysWithinTheStatedLimit)
{
    std::string header = "{\"w\":[0";
    for (int i = 0; i < 1000000; i++) header += ",0";
    header += "]}";
    const std::string name = file("numbers", little(uint64_t{header.size()}) + header);
    refuse(64 * header.size(), RV_ERROR_FORMAT, "nothing else", [&](rv_source *, rv_error *error) {
        rv_archive archive;
        return rv_safetensors_read(name.c_str(), &archive, error);
    });
}

TEST_F(Memory, ReadingATensorTakesTwiceItsSize)
{
    const std::string header =
        R"({"w":{"dtype":"F32","shape":[2097152],"data_offsets":[0,8388608]}})";
    const std::string large =
        file("large", little(uint64_t{header.size()}) + header + std::string(8 * MIB, 'x'));
    rv_archive archive;
    rv_error error = {};
    memory_start();
    ASSERT_TRUE(rv_safetensors_read(large.c_str(), &archive, &error)) << error.text;
    EXPECT_LE(memory_peak(), 16 * MIB + 64 * header.size() + FUZZ_CONSTANT);
    rv_archive_free(&archive);
}

/* Without this test, a counter that counts nothing would pass all tests above. */
TEST_F(Memory, IsCounted)
{
    const std::string large = file("large", std::string(8 * MIB, 'x'));
    Source source;
    const rv_text_options options = {0, 8, nullptr, 0};
    memory_start();
    ASSERT_TRUE(rv_source_text(&source.s, large.c_str(), &options, &source.error));
    EXPECT_GE(memory_peak(), 8 * MIB);
    EXPECT_LE(memory_peak(), 8 * MIB + FUZZ_CONSTANT);
}

} // namespace
