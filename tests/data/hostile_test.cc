/* Files with any byte changed: an error or a source that can be read, never a crash (the sanitizers
 * watch). */
#include <gtest/gtest.h>
#include <zip.h>

#include <functional>

#include "data/files.h"
#include "data/npz.h"
#include "data/tensors.h"
#include "tests/data/sources.h"

namespace {

class Hostile : public WithFolder {
  protected:
    using Open = std::function<bool(rv_source *, const char *, rv_error *)>;

    /* Opens the file and reads all of it, if it can be opened. */
    void attempt(const std::string &bytes, const Open &open)
    {
        Source source;
        if (!open(&source.s, file("hostile", bytes).c_str(), &source.error)) {
            EXPECT_NE(source.error.code, RV_OK);
            EXPECT_NE(std::string(source.error.text), "");
            EXPECT_EQ(source.s.context, nullptr);
            return;
        }
        for (int64_t i = 0; i < source.s.count; i++) {
            const Sample s = sample(source.s, i);
            EXPECT_EQ(s.x.empty(), s.error.code != RV_OK);
        }
    }

    void damage(const std::string &good, const Open &open)
    {
        for (size_t at = 0; at < good.size(); at++) {
            for (int value : {0x00, 0x01, 0x20, 0x30, 0x39, 0x7f, 0x80, 0xff, good[at] ^ 0x10}) {
                std::string bad = good;
                bad[at] = static_cast<char>(value);
                attempt(bad, open);
            }
            attempt(good.substr(0, at), open);
            attempt(good.substr(0, at) + good.substr(at + 1), open);
        }
    }

    const std::string floats = little(1.f) + little(2.f) + little(3.f) + little(4.f);
    const std::string x = npy("<f4", "(2, 2)", floats), y = npy("|u1", "(2,)", "\x01\x02");
};

TEST_F(Hostile, Idx)
{
    const std::string images = idx(8, {2, 2, 2}, "abcdefgh"), labels = idx(8, {2}, "\x01\x02");
    const std::string x_path = file("images", images), y_path = file("labels", labels);
    for (uint64_t cache : {1, 1000}) {
        const rv_array_options options = {cache, 0, 0, cache == 1};
        const Open as_images = [&](rv_source *s, const char *path, rv_error *error) {
            return rv_source_idx(s, path, y_path.c_str(), &options, error);
        };
        damage(images, as_images);
        damage(labels, [&](rv_source *s, const char *path, rv_error *error) {
            return rv_source_idx(s, x_path.c_str(), path, &options, error);
        });
        damage(gzip(images), as_images);
    }
}

TEST_F(Hostile, Npy)
{
    const std::string y_path = file("y", y);
    damage(x, [&](rv_source *s, const char *path, rv_error *error) {
        return rv_source_npy(s, path, y_path.c_str(), nullptr, error);
    });
}

TEST_F(Hostile, Npz)
{
    for (auto method : {ZIP_CM_STORE, ZIP_CM_DEFLATE}) {
        const std::string name = path("good.npz");
        std::filesystem::remove(name);
        zip_t *zip = zip_open(name.c_str(), ZIP_CREATE, nullptr);
        zip_file_add(zip, "x.npy", zip_source_buffer(zip, x.data(), x.size(), 0), 0);
        zip_file_add(zip, "y.npy", zip_source_buffer(zip, y.data(), y.size(), 0), 0);
        for (zip_uint64_t i : {0, 1}) zip_set_file_compression(zip, i, method, 0);
        ASSERT_EQ(zip_close(zip), 0);
        std::ifstream stream(name, std::ios::binary);
        const std::string good = {std::istreambuf_iterator<char>(stream), {}};
        damage(good, [](rv_source *s, const char *path, rv_error *error) {
            const rv_array_options options = {100000, 0, 0, false};
            return rv_source_npz(s, path, &options, error);
        });
        damage(good, [](rv_source *s, const char *path, rv_error *error) {
            rv_archive archive;
            if (!rv_npz_read(path, 100000, &archive, error)) return false;
            const rv_tensor *array = rv_archive_find(&archive, "x");
            const bool ok = array ? rv_source_tensors(s, array, array, 0, error)
                                  : rv_fail(error, RV_ERROR_NAME, "x has another name");
            rv_archive_free(&archive);
            return ok;
        });
    }
}

TEST_F(Hostile, Csv)
{
    damage("a,b,c\n1,2.5,0\n-3e2,4,1\n", [](rv_source *s, const char *path, rv_error *error) {
        return rv_source_csv(s, path, nullptr, error);
    });
}

TEST_F(Hostile, Text)
{
    damage("some text that is read", [](rv_source *s, const char *path, rv_error *error) {
        const rv_text_options options = {0, 3, nullptr, 0};
        return rv_source_text(s, path, &options, error);
    });
}

TEST_F(Hostile, FoldersAreNoFiles)
{
    Source source;
    EXPECT_FALSE(rv_source_csv(&source.s, path("").c_str(), nullptr, &source.error));
    expect_refused(source, RV_ERROR_IO, {"not a regular file"});
}

} // namespace
