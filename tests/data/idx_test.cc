/* IDX sources: plain and gzipped files, held in memory and read from disk. */
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>

#include "data/files.h"
#include "data/loader.h"
#include "tests/data/sources.h"

namespace {

class Idx : public WithFolder {
  protected:
    bool open(Source *source, const std::string &images, const std::string &labels,
              rv_file_options options = {})
    {
        rv_source_close(&source->s);
        source->error = {};
        return rv_source_idx(&source->s, file("images", images).c_str(),
                             file("labels", labels).c_str(), &options, &source->error);
    }
    void refuse(const std::string &images, const std::string &labels, rv_code code,
                const std::vector<std::string> &parts, rv_file_options options = {})
    {
        Source source;
        EXPECT_FALSE(open(&source, images, labels, options));
        expect_refused(source, code, parts);
    }
    const std::string pixels = std::string("\x00\x33\xff\x66\x01\x02", 6) + "abcdef";
    const std::string images = idx(8, {2, 2, 3}, pixels);
    const std::string labels = idx(8, {2}, std::string("\x07\x02", 2));
};

TEST_F(Idx, ImagesHaveOneChannelOfPixelsBetween0And1)
{
    for (uint64_t cache : {0, 1, 1000}) {
        for (bool zipped : {false, true}) {
            if (zipped && cache == 1) continue;
            Source source;
            ASSERT_TRUE(open(&source, zipped ? gzip(images) : images,
                             zipped ? gzip(labels) : labels, options_of(cache, 0, 0, false)))
                << source.error.text;
            EXPECT_EQ(source.s.count, 2);
            EXPECT_EQ(source.s.classes, 8);
            EXPECT_TRUE(rv_shape_equal(source.s.x, RV_SHAPE(1, 2, 3)));
            EXPECT_TRUE(rv_shape_equal(source.s.y, RV_SCALAR));
            const Sample first = sample(source.s, 0), second = sample(source.s, 1);
            ASSERT_EQ(first.x.size(), 6u);
            for (size_t i = 0; i < 6; i++) {
                EXPECT_EQ(first.x[i], float((unsigned char)pixels[i] / 255.0));
                EXPECT_EQ(second.x[i], float((unsigned char)pixels[6 + i] / 255.0));
            }
            EXPECT_EQ(first.y, std::vector<double>{7});
            EXPECT_EQ(second.y, std::vector<double>{2});
            EXPECT_EQ(first.length, 1);
            EXPECT_EQ(sample(source.s, 1, 5), second) << "a file has no epochs";
            EXPECT_EQ(sample(source.s, 2).error.code, RV_ERROR_ARGUMENT);
            EXPECT_EQ(sample(source.s, -1).error.code, RV_ERROR_ARGUMENT);
        }
    }
}

TEST_F(Idx, ReadsAllSixTypes)
{
    const std::string two = idx(8, {2}, std::string("\x00\x01", 2));
    struct {
        int type;
        std::string body;
        std::vector<double> values;
    } cases[] = {
        {0x09, std::string("\xff\x7f", 2), {-1, 127}},
        {0x0b, big(int16_t{-300}) + big(int16_t{300}), {-300, 300}},
        {0x0c, big(int32_t{-70000}) + big(int32_t{70000}), {-70000, 70000}},
        {0x0d, big(1.5f) + big(-2.25f), {1.5, -2.25}},
        {0x0e, big(1.5) + big(-2.25), {1.5, -2.25}},
    };
    for (const auto &c : cases) {
        Source source;
        ASSERT_TRUE(open(&source, idx(c.type, {2}, c.body), two)) << source.error.text;
        EXPECT_TRUE(rv_shape_equal(source.s.x, RV_SHAPE(1)));
        EXPECT_EQ(sample(source.s, 0).x[0], c.values[0]);
        EXPECT_EQ(sample(source.s, 1).x[0], c.values[1]);
    }
}

TEST_F(Idx, SequencesOfBytesAreTokens)
{
    Source source;
    const std::string x = idx(8, {2, 3}, std::string("\x00\x01\x02\x04\x01\x00", 6));
    const std::string y = idx(8, {2, 3}, std::string("\x01\x02\x00\x01\x00\x00", 6));
    ASSERT_TRUE(open(&source, x, y, options_of(0, 0, 0, true))) << source.error.text;
    EXPECT_EQ(source.s.tokens, 5);
    EXPECT_EQ(source.s.classes, 3);
    EXPECT_TRUE(source.s.each_step);
    EXPECT_EQ(sample(source.s, 1).x, (std::vector<double>{4, 1, 0}));
    EXPECT_EQ(sample(source.s, 1).y, (std::vector<double>{1, 0, 0}));
    EXPECT_EQ(sample(source.s, 1).length, 3);
    refuse(x, y, RV_ERROR_FORMAT, {"images", "element 3", "token 4"}, options_of(0, 0, 4, true));
}

TEST_F(Idx, RefusesInvalidFiles)
{
    refuse("", labels, RV_ERROR_FORMAT, {"images", "empty"});
    refuse("GIF89a..........", labels, RV_ERROR_FORMAT, {"images", "not an IDX file"});
    refuse(idx(10, {2}, "ab"), labels, RV_ERROR_FORMAT, {"00 00 0a 01"});
    refuse(images, idx(8, {}, ""), RV_ERROR_FORMAT, {"labels", "0 dimensions"});
    refuse(idx(8, {1, 1, 1, 1, 1, 1, 1}, "a"), labels, RV_ERROR_FORMAT, {"7 dimensions"});
    refuse(images.substr(0, 9), labels, RV_ERROR_FORMAT, {"images", "truncated"});
    refuse(images.substr(0, images.size() - 1), labels, RV_ERROR_FORMAT, {"11 bytes", "12"});
    refuse(images + "x", labels, RV_ERROR_FORMAT, {"13 bytes", "12"});
    refuse(idx(8, {0, 3}, ""), labels, RV_ERROR_FORMAT, {"dimension 0 is 0"});
    refuse(idx(8, {~0u, ~0u, ~0u}, "abc"), labels, RV_ERROR_FORMAT, {"address space"});
    refuse(idx(8, {3, 1}, "abc"), labels, RV_ERROR_FORMAT, {"3 samples", "has 2"});
    Source source;
    EXPECT_FALSE(rv_source_idx(&source.s, path("none").c_str(), path("none").c_str(), nullptr,
                               &source.error));
    expect_refused(source, RV_ERROR_IO, {"none", "No such file"});
    EXPECT_FALSE(rv_source_idx(&source.s, path("").c_str(), nullptr, nullptr, nullptr));
    EXPECT_FALSE(rv_source_idx(&source.s, nullptr, nullptr, nullptr, nullptr));
}

TEST_F(Idx, RefusesLabelsOutOfRange)
{
    refuse(images, labels, RV_ERROR_FORMAT, {"labels", "element 0", "label 7", "0 to 6"},
           options_of(0, 7, 0, false));
    refuse(images, idx(9, {2}, "\x01\xff"), RV_ERROR_FORMAT, {"element 1", "label -1"});
    refuse(images, idx(12, {2}, big(1) + big(5000000)), RV_ERROR_FORMAT, {"label 5000000"});
    refuse(images, idx(8, {2, 4}, "abcdefgh"), RV_ERROR_FORMAT, {"labels of shape [2,4]"});
    refuse(images, labels, RV_ERROR_ARGUMENT, {"-1 labels"}, options_of(0, -1, 0, false));
    refuse(images, labels, RV_ERROR_ARGUMENT, {"tokens"}, options_of(0, 0, 3, false));
}

TEST_F(Idx, RefusesDamagedAndOversizedGzip)
{
    const std::string zipped = gzip(images);
    for (size_t size = 2; size < zipped.size(); size++)
        refuse(zipped.substr(0, size), labels, RV_ERROR_FORMAT, {"images"});
    std::string damaged = zipped;
    damaged[damaged.size() - 6] ^= 1; /* in its checksum */
    refuse(damaged, labels, RV_ERROR_FORMAT, {"damaged"});
    refuse(zipped, labels, RV_ERROR_ARGUMENT, {"cache of 27 bytes", "gunzip"},
           options_of(27, 0, 0, false));
    Source source;
    EXPECT_TRUE(open(&source, zipped, labels, options_of(28, 0, 0, false)))
        << "28 bytes fit into 28";
    EXPECT_TRUE(open(&source, gzip(images.substr(0, 20)) + gzip(images.substr(20)), labels))
        << "two members are one file";
    EXPECT_FALSE(open(&source, gzip(""), labels));
    const std::string many = idx(8, {1000, 100, 10}, std::string(1000000, 'x'));
    ASSERT_TRUE(open(&source, gzip(many), idx(8, {1000}, std::string(1000, 1))));
    EXPECT_EQ(sample(source.s, 999).x[999], float('x' / 255.0));
}

TEST_F(Idx, NaNErrorsNameFileAndSample)
{
    Source source;
    ASSERT_TRUE(open(&source, idx(13, {2, 2}, big(1.f) + big(2.f) + big(3.f) + big(NAN)), labels));
    EXPECT_EQ(sample(source.s, 0).error.code, RV_OK);
    const rv_error error = sample(source.s, 1).error;
    EXPECT_EQ(error.code, RV_ERROR_FORMAT);
    EXPECT_NE(std::string(error.text).find("images: sample 1: value 1 of x is nan"),
              std::string::npos)
        << error.text;
    ASSERT_TRUE(open(&source, idx(14, {2}, big(1.) + big(1e300)), labels));
    EXPECT_EQ(sample(source.s, 1).error.code, RV_ERROR_FORMAT) << "exceeds f32";
}

TEST_F(Idx, AFileThatShrinksIsAnError)
{
    Source source;
    ASSERT_TRUE(open(&source, images, labels, options_of(1, 0, 0, false)));
    std::filesystem::resize_file(path("images"), images.size() - 1);
    EXPECT_EQ(sample(source.s, 0).error.code, RV_OK);
    EXPECT_EQ(sample(source.s, 1).error.code, RV_ERROR_FORMAT);
}

/* Peak memory of this process in kilobytes. */
long peak()
{
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

TEST_F(Idx, AFileLargerThanTheCacheIsStreamed)
{
    const uint32_t count = 100000;
    const std::string x = file("images", idx(8, {count, 28, 28}, ""));
    std::filesystem::resize_file(x, 16 + count * 784ull);
    const std::string y = file("labels", idx(8, {count}, std::string(count, 1)));
    const long before = peak();
    Source source;
    const rv_file_options options = options_of(1 << 20, 0, 0, false);
    ASSERT_TRUE(rv_source_idx(&source.s, x.c_str(), y.c_str(), &options, &source.error));
    const rv_loader_options loading = {1000, 1, false, false, false, 1};
    rv_loader *loader = rv_loader_new(&source.s, &loading, &source.error);
    ASSERT_NE(loader, nullptr);
    EXPECT_EQ(rv_loader_bytes(loader), 2 * 1000 * (784 * 4 + 4 + 4) + 8 * size_t{count});
    int64_t seen = 0;
    while (const rv_batch *batch = rv_loader_next(loader, &source.error)) seen += batch->count;
    EXPECT_EQ(source.error.code, RV_OK) << source.error.text;
    EXPECT_EQ(seen, count);
    rv_loader_free(loader);
    EXPECT_LT(peak() - before, 40 << 10) << "the file has 78 MB";
}

} // namespace
