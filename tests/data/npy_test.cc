/* NumPy files and archives. */
#include <gtest/gtest.h>
#include <zip.h>

#include <cmath>

#include "data/files.h"
#include "data/npz.h"
#include "tests/data/sources.h"

namespace {

class Npy : public WithFolder {
  protected:
    bool open(Source *source, const std::string &x, const std::string &y,
              rv_file_options options = {})
    {
        rv_source_close(&source->s);
        source->error = {};
        return rv_source_npy(&source->s, file("x.npy", x).c_str(), file("y.npy", y).c_str(),
                             &options, &source->error);
    }
    void refuse(const std::string &x, const std::string &y, const std::vector<std::string> &parts,
                rv_file_options options = {})
    {
        Source source;
        EXPECT_FALSE(open(&source, x, y, options));
        expect_refused(source, RV_ERROR_FORMAT, parts);
    }
    const std::string floats =
        little(1.f) + little(2.f) + little(3.f) + little(4.f) + little(5.f) + little(6.f);
    const std::string x = npy("<f4", "(2, 3)", floats);
    const std::string y = npy("<i8", "(2,)", little(int64_t{1}) + little(int64_t{0}));
};

TEST_F(Npy, FloatsAreNumbersAndIntegersAreLabels)
{
    for (uint64_t cache : {0, 1}) {
        Source source;
        ASSERT_TRUE(open(&source, x, y, options_of(cache, 0, 0, false))) << source.error.text;
        EXPECT_EQ(source.s.count, 2);
        EXPECT_EQ(source.s.classes, 2);
        EXPECT_TRUE(rv_shape_equal(source.s.x, RV_SHAPE(3)));
        EXPECT_EQ(sample(source.s, 1).x, (std::vector<double>{4, 5, 6}));
        EXPECT_EQ(sample(source.s, 0).y, std::vector<double>{1});
    }
}

TEST_F(Npy, ReadsTypesOfAnySizeAndByteOrder)
{
    const std::string one = npy("|u1", "(1,)", std::string(1, 0));
    struct {
        std::string type, body;
        double value;
    } cases[] = {
        {"|i1", "\xfe", -2},
        {"|b1", "\x01", 1},
        {"|u1", "\xff", 255},
        {"<f2", little(uint16_t{0xc500}), -5},
        {">f2", big(uint16_t{0x0001}), 0x1p-24},
        {"<f2", little(uint16_t{0x3555}), 0.333251953125},
        {"<V2", little(uint16_t{0xbfc0}), -1.5},
        {"<i2", little(int16_t{-2}), -2},
        {">i2", big(int16_t{-2}), -2},
        {"<u2", little(uint16_t{65534}), 65534},
        {">u4", big(uint32_t{4000000000}), 4e9},
        {"<i8", little(int64_t{-1099511627776}), -1099511627776.},
        {">u8", big(uint64_t{1} << 63), 9223372036854775808.},
        {">f4", big(-1.5f), -1.5},
        {"<f8", little(0.1), 0.1f},
        {">f8", big(1e10), 1e10},
    };
    for (const auto &c : cases) {
        Source source;
        ASSERT_TRUE(open(&source, npy(c.type, "(1,)", c.body), one)) << source.error.text;
        EXPECT_EQ(sample(source.s, 0).x[0], float(c.value)) << c.type;
    }
    for (const char *type : {"<i8", ">i8", "<u4", ">i2", "|i1"}) {
        const size_t size = static_cast<size_t>(type[2] - '0');
        std::string body(size, 0);
        body[type[0] == '>' ? size - 1 : 0] = 5;
        Source source;
        ASSERT_TRUE(open(&source, npy("<f4", "(1,1)", little(1.f)), npy(type, "(1,)", body)))
            << source.error.text;
        EXPECT_EQ(sample(source.s, 0).y[0], 5);
        EXPECT_EQ(source.s.classes, 6);
    }
}

TEST_F(Npy, SequencesHaveAnswersForEachStep)
{
    Source source;
    const std::string tokens = npy("<i4", "(1, 3)", little(2) + little(0) + little(1));
    const std::string steps = npy("<f4", "(1, 3, 1)", little(.5f) + little(1.f) + little(2.f));
    ASSERT_TRUE(open(&source, tokens, tokens, options_of(0, 7, 9, true))) << source.error.text;
    EXPECT_EQ(source.s.tokens, 9);
    EXPECT_EQ(source.s.classes, 7);
    EXPECT_TRUE(source.s.each_step);
    ASSERT_TRUE(open(&source, steps, steps, options_of(0, 0, 0, true))) << source.error.text;
    EXPECT_EQ(source.s.tokens, 0);
    EXPECT_EQ(source.s.classes, 0);
    EXPECT_TRUE(source.s.each_step);
    EXPECT_EQ(sample(source.s, 0).y, (std::vector<double>{.5, 1, 2}));
    ASSERT_TRUE(open(&source, steps, npy("<f4", "(1,)", little(3.f)), options_of(0, 0, 0, true)));
    EXPECT_FALSE(source.s.each_step);
    EXPECT_TRUE(rv_shape_equal(source.s.y, RV_SHAPE(1)));
}

/* What shapes alone decide: images, sequences, rows of numbers, or nothing. */
TEST_F(Npy, ShapesDecideOnlyWhatIsClear)
{
    const struct {
        std::string type, x, y_type, y;
        const char *form; /* "image", "sequence", "row"; "": refused */
        bool each_step;
    } cases[] = {
        {"<f4", "(2, 4, 4)", "|u1", "(2,)", "image", false},
        {"|u1", "(2, 3, 4)", "|u1", "(2,)", "image", false},
        {"<f4", "(2, 3, 4)", "|u1", "(2,)", "", false},
        {"<f4", "(2, 4, 1)", "<f4", "(2,)", "sequence", false},
        {"<f4", "(2, 3, 4)", "<f4", "(2, 3)", "sequence", true},
        {"<f4", "(2, 3, 4)", "<f4", "(2, 3, 2)", "sequence", true},
        {"<f4", "(2, 4, 4)", "<f4", "(2, 4)", "", false},
        {"<f4", "(2, 4, 4)", "|u1", "(2, 4)", "sequence", true},
        {"<f4", "(2, 4)", "<f4", "(2, 4)", "", false},
        {"<f4", "(2, 4)", "|u1", "(2, 4)", "sequence", true},
        {"<f4", "(2, 4)", "<f4", "(2, 3)", "row", false},
        {"<f4", "(2, 4)", "|u1", "(2, 1)", "row", false},
        {"<f4", "(2, 3, 4, 4)", "|u1", "(2,)", "image", false},
        {"<f4", "(2, 8, 8, 3)", "|u1", "(2,)", "", false},
        {"<f4", "(2, 5, 1, 4, 4)", "|u1", "(2,)", "sequence", false},
    };
    const auto elements = [](const std::string &shape) {
        size_t count = 1;
        for (char c : shape)
            if (c >= '0' && c <= '9') count *= static_cast<size_t>(c - '0');
        return count;
    };
    for (const auto &c : cases) {
        SCOPED_TRACE(c.type + c.x + " " + c.y_type + c.y);
        const auto array = [&](const std::string &type, const std::string &shape) {
            return npy(type, shape, std::string(elements(shape) * (type == "<f4" ? 4 : 1), 0));
        };
        Source source;
        const std::string form = c.form;
        const bool ok = open(&source, array(c.type, c.x), array(c.y_type, c.y));
        EXPECT_EQ(ok, !form.empty()) << source.error.text;
        if (!ok) {
            expect_refused(source, RV_ERROR_ARGUMENT, {"set `sequence`", "`shape`"});
            continue;
        }
        EXPECT_EQ(source.s.sequence, form == "sequence");
        EXPECT_EQ(source.s.x.rank == 3 && !source.s.sequence, form == "image");
        EXPECT_EQ(source.s.each_step, c.each_step);
    }
}

TEST_F(Npy, OptionsDecideWhatShapesDoNot)
{
    Source source;
    const std::string bytes = npy("|u1", "(2, 4)", "abcdefgh"),
                      two = npy("|u1", "(2,)", std::string("\0\1", 2)),
                      pairs = npy("<f4", "(2, 2)",
                                  little(0.f) + little(1.f) + little(2.f) + little(1.f));
    ASSERT_TRUE(open(&source, bytes, two)) << source.error.text;
    EXPECT_EQ(sample(source.s, 0).x[0], 'a') << "bytes of a row are no pixels";
    EXPECT_EQ(source.s.reading.divisor, 1);
    rv_file_options options = {};
    options.shape = RV_SHAPE(1, 2, 2);
    ASSERT_TRUE(open(&source, bytes, two, options)) << source.error.text;
    EXPECT_EQ(sample(source.s, 0).x[0], float('a' / 255.)) << "bytes of an image are";
    EXPECT_EQ(source.s.reading.divisor, 255);
    options.divisor = 2;
    options.numbers = true;
    ASSERT_TRUE(open(&source, bytes, two, options)) << source.error.text;
    EXPECT_EQ(sample(source.s, 0).x[0], float('a' / 2.));
    EXPECT_EQ(source.s.classes, 0);
    EXPECT_EQ(sample(source.s, 1).y, std::vector<double>{1});
    options.shape = RV_SHAPE(3);
    EXPECT_FALSE(open(&source, bytes, two, options));
    expect_refused(source, RV_ERROR_SHAPE, {"samples of [4]", "`shape` [3]"});

    options = options_of(0, 3, 0, true);
    options.shape = RV_SHAPE(2, 2);
    ASSERT_TRUE(open(&source, bytes, pairs, options)) << source.error.text;
    EXPECT_EQ(sample(source.s, 1).y, (std::vector<double>{2, 1})) << "floats as labels";
    EXPECT_TRUE(source.s.each_step);
    options.classes = 0;
    options.targets = RV_TARGETS_PER_SAMPLE;
    ASSERT_TRUE(open(&source, bytes, pairs, options)) << source.error.text;
    EXPECT_FALSE(source.s.each_step);
    options.targets = RV_TARGETS_PER_STEP;
    EXPECT_FALSE(open(&source, bytes, npy("<f4", "(2,)", std::string(8, 0)), options));
    expect_refused(source, RV_ERROR_FORMAT, {"a target for each of the steps"});
    options = options_of(0, 3, 0, false);
    EXPECT_FALSE(open(&source, bytes, npy("<f4", "(2,)", little(0.5f) + little(1.f)), options));
    expect_refused(source, RV_ERROR_FORMAT, {"element 0", "not an integer"});
    for (const char *type : {"<f8", "<i4"}) {
        const bool f = type[1] == 'f';
        const std::string wide =
            npy(type, "(2,)", f ? little(1990.) + little(2019.) : little(1990) + little(2019));
        EXPECT_EQ(open(&source, bytes, wide), f) << "years are no classes";
    }
    expect_refused(source, RV_ERROR_FORMAT, {"2 labels from 1990 to 2019", "2020 classes"});
}

TEST_F(Npy, ReadsTheLongerLengthsOfVersionsTwoAndThree)
{
    for (char version : {2, 3}) {
        std::string wide = x;
        wide[6] = version;
        wide.insert(10, 2, '\0');
        Source source;
        ASSERT_TRUE(open(&source, wide, y)) << source.error.text;
        EXPECT_EQ(sample(source.s, 1).x, (std::vector<double>{4, 5, 6}));
    }
}

TEST_F(Npy, ConvertsFortranOrderToC)
{
    Source c, fortran;
    std::string elements, turned;
    for (int a = 0; a < 2; a++)
        for (int b = 0; b < 3; b++)
            for (int d = 0; d < 4; d++) elements += big(1.5f * (a * 12 + b * 4 + d));
    for (int d = 0; d < 4; d++)
        for (int b = 0; b < 3; b++)
            for (int a = 0; a < 2; a++) turned += big(1.5f * (a * 12 + b * 4 + d));
    ASSERT_TRUE(open(&c, npy(">f4", "(2, 3, 4)", elements), y, options_of(0, 0, 0, true)))
        << c.error.text;
    const std::string x = npy(">f4", "(2, 3, 4)", turned, "True");
    ASSERT_TRUE(open(&fortran, x, y, options_of(0, 0, 0, true))) << fortran.error.text;
    for (int64_t i : {0, 1}) EXPECT_TRUE(sample(c.s, i) == sample(fortran.s, i));
    EXPECT_EQ(sample(fortran.s, 1).x[5], 1.5 * 17);

    EXPECT_FALSE(open(&fortran, x, y, options_of(50, 0, 0, false)));
    expect_refused(fortran, RV_ERROR_ARGUMENT,
                   {"x.npy", "Fortran order", "larger than the cache", "ascontiguousarray"});
    ASSERT_TRUE(open(&fortran, x, npy("<i8", "(2,)", std::string(16, 0), "True"),
                     options_of(0, 0, 0, true)))
        << "one-dimensional arrays need no conversion: " << fortran.error.text;
}

TEST_F(Npy, RefusalsSayWhy)
{
    refuse(npy("|O", "(2,)", "abcdefgh"), y, {"x.npy", "objects"});
    refuse(npy("<f1", "(2,)", "ab"), y, {"\"<f1\"", "astype"});
    refuse(npy("<c8", "(2,)", "abcd"), y, {"\"<c8\""});
    refuse(npy("f4", "(2,)", "abcdefgh"), y, {"\"f4\""});
    refuse(npy("|f4", "(2,)", "abcdefgh"), y, {"\"|f4\""});
    refuse(npy("<u3", "(2,)", "abcdefgh"), y, {"\"<u3\""});
    refuse(npy_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }"), y,
           {"invalid at \"[('a'"});
    refuse(npy_header("{'descr': '<f4', 'shape': (2,), }"), y, {"is invalid"});
    refuse(npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x"), y, {"\"x"});
    refuse(npy_header("{'descr': '<f4"), y, {"is invalid"});
    refuse(npy_header("{" + std::string(5000, ' ')), y, {"header of 5002 bytes"});
    refuse(npy("<f4", "(2, 99999999999999999999)", ""), y, {"is invalid"});
    refuse(npy("<f4", "(2, 9223372036854775807)", ""), y, {"address space"});
    refuse(npy("<f4", "(2, -3)", floats), y, {"is invalid"});
    refuse(npy("<f4", "()", little(1.f)), y, {"rank 0"});
    refuse(npy("<f4", "(2,1,1,1,1,1,1)", floats), y, {"at most 6"});
    refuse("PK\x03\x04 something else", y, {"not an .npy file"});
    refuse(x.substr(0, 20), y, {"truncated"});
    refuse(x.substr(0, x.size() - 4), y, {"20 bytes", "24"});
    refuse(x + "1234", y, {"28 bytes", "24"});
    refuse(x, npy("<i8", "(3,)", std::string(24, 0)), {"2 samples", "has 3"});
    refuse(x, npy("<i8", "(2,)", little(int64_t{1}) + little(int64_t{1} << 33)),
           {"y.npy", "element 1", "32 bits"});
    refuse(x, npy("<i8", "(2,)", little(int64_t{1}) + little(int64_t{-1})), {"label -1"});
    refuse(x, npy("<i8", "(2,2)", std::string(32, 0)), {"labels of shape [2,2]"});
}

TEST_F(Npy, RefusesEveryTruncatedHeader)
{
    for (size_t size = 0; size + 1 < x.size(); size++) {
        Source source;
        EXPECT_FALSE(open(&source, x.substr(0, size), y)) << size;
    }
}

class Npz : public WithFolder {
  protected:
    struct Member {
        std::string name, bytes;
        bool deflated;
    };
    std::string archive(const std::vector<Member> &members)
    {
        const std::string name = path("data.npz");
        std::filesystem::remove(name);
        zip_t *zip = zip_open(name.c_str(), ZIP_CREATE, nullptr);
        for (const Member &m : members) {
            zip_source_t *bytes = zip_source_buffer(zip, m.bytes.data(), m.bytes.size(), 0);
            const zip_int64_t at = zip_file_add(zip, m.name.c_str(), bytes, 0);
            zip_set_file_compression(zip, static_cast<zip_uint64_t>(at),
                                     m.deflated ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
        }
        EXPECT_EQ(zip_close(zip), 0);
        return name;
    }
    bool open(Source *source, const std::string &path, rv_file_options options = {})
    {
        rv_source_close(&source->s);
        source->error = {};
        return rv_source_npz(&source->s, path.c_str(), &options, &source->error);
    }
    const std::string x =
        npy("<i4", "(2, 3)", little(1) + little(2) + little(3) + little(4) + little(5) + little(0));
    const std::string y = npy("|u1", "(2,)", "\x01\x03");
    const std::string length = npy("<i8", "(2,)", little(int64_t{3}) + little(int64_t{2}));
};

TEST_F(Npz, ReadsStoredAndDeflatedMembersAlike)
{
    for (bool deflated : {false, true}) {
        Source source;
        ASSERT_TRUE(open(&source, archive({{"x.npy", x, deflated}, {"y.npy", y, deflated}})))
            << source.error.text;
        EXPECT_EQ(source.s.classes, 4);
        EXPECT_FALSE(source.s.lengths);
        EXPECT_EQ(source.s.x_type, RV_F32);
        EXPECT_EQ(sample(source.s, 1).x, (std::vector<double>{4, 5, 0}));
    }
}

TEST_F(Npz, LengthsImplyASequence)
{
    Source source;
    ASSERT_TRUE(open(&source, archive({{"x.npy", x, true},
                                       {"y.npy", y, true},
                                       {"length.npy", length, true},
                                       {"more.npy", "whatever", true}})))
        << source.error.text;
    EXPECT_TRUE(source.s.lengths);
    EXPECT_TRUE(source.s.sequence);
    EXPECT_EQ(source.s.tokens, 6);
    EXPECT_EQ(sample(source.s, 0).length, 3);
    EXPECT_EQ(sample(source.s, 1).length, 2);

    const auto refuse = [&](const std::string &lengths, const char *part) {
        EXPECT_FALSE(
            open(&source,
                 archive({{"x.npy", x, true}, {"y.npy", y, true}, {"length.npy", lengths, true}})));
        expect_refused(source, RV_ERROR_FORMAT, {"length.npy", part});
    };
    refuse(npy("|u1", "(2,)", "\x01\x04"), "element 1 is the length 4");
    refuse(npy("|u1", "(1,)", "\x01"), "samples");
    refuse(npy("<f4", "(2,)", "abcdefgh"), "not hold lengths");
    refuse(npy("|u1", "(2,)", std::string("\x01\x00", 2)), "element 1 is the length 0");
}

/* Padding may be anything: NaN, tokens of -1, labels of -100. */
TEST_F(Npz, NothingCountsBeyondTheEnd)
{
    Source source;
    const std::string n = little(std::nanf(""));
    const std::string floats =
        npy("<f4", "(2, 3)", little(1.f) + n + n + little(1.f) + little(2.f) + n);
    const std::string tokens = npy(
        "<i4", "(2, 3)", little(1) + little(-1) + little(-1) + little(2) + little(0) + little(-1));
    const std::string labels =
        npy("<i4", "(2, 3)",
            little(4) + little(-100) + little(-100) + little(2) + little(0) + little(-100));
    const std::string ends = npy("<i4", "(2,)", little(1) + little(2));
    ASSERT_TRUE(open(&source, archive({{"x.npy", floats, true},
                                       {"y.npy", floats, true},
                                       {"lengths.npy", ends, true},
                                       {"z.npy", ends, true}})))
        << source.error.text;
    EXPECT_TRUE(source.s.each_step);
    EXPECT_EQ(sample(source.s, 0).x, (std::vector<double>{1, 0, 0}));
    EXPECT_EQ(sample(source.s, 1).y, (std::vector<double>{1, 2, 0}));
    EXPECT_EQ(source.s.reading.shortest, 1);
    EXPECT_EQ(source.s.reading.longest, 2);
    EXPECT_STREQ(source.s.reading.skipped, "z.npy");
    ASSERT_TRUE(open(
        &source,
        archive({{"x.npy", tokens, true}, {"y.npy", labels, true}, {"length.npy", ends, true}})))
        << source.error.text;
    EXPECT_EQ(source.s.tokens, 3);
    EXPECT_EQ(source.s.classes, 5);
    EXPECT_EQ(sample(source.s, 0).y, (std::vector<double>{4, 0, 0}));
    EXPECT_FALSE(open(&source, archive({{"x.npy", floats, true}, {"y.npy", labels, true}}),
                      options_of(0, 0, 0, true)));
    expect_refused(source, RV_ERROR_FORMAT, {"label -100", "padding", "lengths"});
}

TEST_F(Npz, RefusalsSayWhy)
{
    Source source;
    const auto refuse = [&](const std::string &path, rv_code code,
                            const std::vector<std::string> &parts, rv_file_options options = {}) {
        EXPECT_FALSE(open(&source, path, options));
        expect_refused(source, code, parts);
    };
    refuse(archive({{"x.npy", npy("|O", "(2,)", "\x80pickled"), true}, {"y.npy", y, true}}),
           RV_ERROR_FORMAT,
           {"data.npz:x.npy\" holds pickled Python objects (|O); expected numbers: save a dict of "
            "arrays by numpy.savez(FILE, **dict), lists as numpy.array(list, float)"});
    refuse(archive({{"x.npy", x, true}}), RV_ERROR_FORMAT, {"no y.npy", "savez"});
    std::string other = slurp(archive({{"x.npy", x, true}, {"y.npy", y, true}}));
    for (const auto &[signature, offset] : {std::pair{"PK\1\2", 10u}, std::pair{"PK\3\4", 8u}})
        other[other.find(signature) + offset] = 12; /* bzip2 */
    refuse(file("data.npz", other), RV_ERROR_FORMAT, {"x.npy", "method 12", "savez_compressed"});
    refuse(archive({{"x.npy", npy("<f4", "(1000, 1000)", std::string(4000000, 0)), true},
                    {"y.npy", y, true}}),
           RV_ERROR_ARGUMENT, {"x.npy takes", "cache of 1000000", ".npy"},
           options_of(1000000, 0, 0, false));
    refuse(file("data.npz", "no archive"), RV_ERROR_FORMAT, {"not an .npz archive"});
    refuse(file("data.npz", ""), RV_ERROR_FORMAT, {"data.npz"});
    refuse(path("none"), RV_ERROR_IO, {"none"});

    const std::string good = archive({{"x.npy", x, false}, {"y.npy", y, false}});
    std::ifstream stream(good, std::ios::binary);
    const std::string bytes = {std::istreambuf_iterator<char>(stream), {}};
    std::string damaged = bytes;
    damaged[60] ^= 1; /* in x.npy */
    EXPECT_FALSE(open(&source, file("damaged.npz", damaged))) << "its checksum differs";
    for (size_t size = 0; size < bytes.size(); size += 7)
        EXPECT_FALSE(open(&source, file("short.npz", bytes.substr(0, size)))) << size;
}

class NamedNpz : public Npz {
  protected:
    ~NamedNpz() override { rv_archive_free(&read_); }
    bool read(const std::string &path, uint64_t cache = 0)
    {
        rv_archive_free(&read_);
        error_ = {};
        return rv_npz_read(path.c_str(), cache, &read_, &error_);
    }
    void refuse(const std::string &path, rv_code code, const std::vector<std::string> &parts,
                uint64_t cache = 0)
    {
        EXPECT_FALSE(read(path, cache));
        EXPECT_EQ(error_.code, code) << error_.text;
        EXPECT_EQ(read_.tensors, nullptr);
        for (const std::string &part : parts)
            EXPECT_NE(std::string(error_.text).find(part), std::string::npos) << error_.text;
    }
    rv_archive read_ = {};
    rv_error error_ = {};
};

TEST_F(NamedNpz, ReadsAnyNamesAndTypesAsDoubles)
{
    ASSERT_TRUE(read(archive({{"x.npy", x, true},
                              {"fc/g[2].npy", y, false},
                              {"one.npy", npy(">f8", "()", big(0.1)), false}})))
        << error_.text;
    ASSERT_EQ(read_.tensor_count, 3u);
    const rv_tensor *g = rv_archive_find(&read_, "fc/g[2]"), *one = rv_archive_find(&read_, "one");
    ASSERT_NE(g, nullptr);
    ASSERT_NE(one, nullptr);
    EXPECT_EQ(g->dtype, RV_F64);
    EXPECT_EQ(rv_tensor_get(g, 1), 3) << "bytes are not pixels here";
    EXPECT_EQ(one->shape.rank, 0);
    EXPECT_EQ(rv_tensor_get(one, 0), 0.1);
    EXPECT_TRUE(rv_shape_equal(rv_archive_find(&read_, "x")->shape, RV_SHAPE(2, 3)));
}

TEST_F(NamedNpz, ReadsWhatItWrote)
{
    for (rv_dtype dtype : {RV_F64, RV_F32, RV_I32}) {
        rv_named_tensor tensors[] = {{"a/b[1]", {}}, {"s", {}}, {"none", {}}};
        const rv_shape shapes[] = {RV_SHAPE(2, 1, 3), RV_SCALAR, RV_SHAPE(0)};
        rv_archive archive = {};
        archive.tensors = tensors;
        for (const rv_shape &shape : shapes) {
            rv_tensor *t = &tensors[archive.tensor_count].tensor;
            if (!rv_tensor_new(t, dtype, shape, &error_)) break; /* no elements: may be refused */
            archive.tensor_count++;
            for (int64_t i = 0; i < rv_tensor_count(t); i++)
                rv_tensor_set(t, i, dtype == RV_I32 ? -5. * i : 1. / (i + 3));
        }
        ASSERT_GE(archive.tensor_count, 2u);
        error_ = {};
        const std::string path = this->path("written.npz");
        ASSERT_TRUE(rv_npz_write(path.c_str(), &archive, &error_)) << error_.text;
        ASSERT_TRUE(read(path)) << error_.text;
        ASSERT_EQ(read_.tensor_count, archive.tensor_count);
        for (size_t k = 0; k < archive.tensor_count; k++) {
            EXPECT_STREQ(read_.tensors[k].name, tensors[k].name);
            ASSERT_TRUE(rv_shape_equal(read_.tensors[k].tensor.shape, tensors[k].tensor.shape));
            for (int64_t i = 0; i < rv_tensor_count(&tensors[k].tensor); i++)
                EXPECT_EQ(rv_tensor_get(&read_.tensors[k].tensor, i),
                          rv_tensor_get(&tensors[k].tensor, i));
        }
        tensors[1].name = tensors[0].name;
        EXPECT_FALSE(rv_npz_write(path.c_str(), &archive, &error_));
        EXPECT_EQ(error_.code, RV_ERROR_NAME);
        EXPECT_TRUE(read(path)) << "the old file is untouched";
        error_ = {};
        archive.tensor_count = 0;
        EXPECT_FALSE(rv_npz_write(path.c_str(), &archive, &error_));
        for (rv_named_tensor &t : tensors) rv_tensor_free(&t.tensor);
    }
}

TEST_F(NamedNpz, RefusalsSayWhy)
{
    refuse(archive({{"x.npy", x, true}, {"notes.txt", "x", true}}), RV_ERROR_FORMAT,
           {"\"notes.txt\" is not an array", ".npy"});
    refuse(archive({{"x.npy", npy("|O", "(2,)", "\x80pickled"), true}}), RV_ERROR_FORMAT,
           {"x.npy", "objects"});
    refuse(archive({{"x.npy", npy("|u1", "(2000,)", std::string(2000, 1)), true}}),
           RV_ERROR_ARGUMENT, {"x.npy", "cache"}, 10000);
    refuse(file("data.npz", "no archive"), RV_ERROR_FORMAT, {"not an .npz archive"});
    refuse(path("none"), RV_ERROR_IO, {"none"});
}

/* An archive without members whose directory states `count` of them in `size` bytes. */
std::string directory(uint16_t count, uint32_t size)
{
    const std::string end = "PK\5\6" + std::string(4, 0) + little(count) + little(count) +
                            little(size) + little(uint32_t{0}) + little(uint16_t{0});
    return std::string(size, 0) + end;
}

/* The names in libzip's table of members could be chosen to collide. */
TEST_F(Npy, ArchivesHaveLimitedDirectories)
{
    struct {
        std::string bytes, says;
    } const cases[] = {
        {directory(11397, 1 << 19), "libzip error"},
        {directory(11397, (1 << 19) + 1), "states 11397 members in a directory of 524289 bytes"},
        {directory(2, 91), "states 2 members in a directory of 91 bytes"},
        {directory(2, 91) + std::string(70, 'x'), "states 2 members in a directory of 91 bytes"},
        {directory(60000, 0) + directory(0, 0), "states 60000 members"},
    };
    for (const auto &c : cases) {
        const std::string path = file("x.npz", c.bytes);
        rv_archive archive;
        rv_error error = {};
        EXPECT_FALSE(rv_npz_read(path.c_str(), 0, &archive, &error));
        EXPECT_EQ(error.code, RV_ERROR_FORMAT);
        EXPECT_NE(std::string(error.text).find(c.says), std::string::npos) << error.text;
    }
}

TEST_F(Npy, LargeArchivesHaveLimitedDirectoriesToo)
{
    const auto archive = [](uint64_t count, uint64_t size) {
        const std::string large = "PK\6\6" + little(uint64_t{44}) + std::string(12, 0) +
                                  little(count) + little(count) + little(size) +
                                  little(uint64_t{0});
        return large + "PK\6\7" + little(uint32_t{0}) + little(uint64_t{0}) + little(uint32_t{1}) +
               directory(0, 0);
    };
    rv_archive read;
    rv_error error = {};
    const std::string path = file("x.npz", archive(uint64_t{1} << 40, uint64_t{1} << 46));
    EXPECT_FALSE(rv_npz_read(path.c_str(), 0, &read, &error));
    EXPECT_NE(std::string(error.text).find("states 1099511627776 members"), std::string::npos)
        << error.text;
}

TEST_F(Npy, AnArchiveOfManyArraysIsRead)
{
    std::vector<std::string> names;
    for (int i = 0; i < 3000; i++) names.push_back("layer" + std::to_string(i) + "/weight");
    rv_tensor number = {};
    ASSERT_TRUE(rv_tensor_new(&number, RV_F32, RV_SCALAR, nullptr));
    std::vector<rv_named_tensor> tensors;
    for (const std::string &name : names) tensors.push_back({name.c_str(), number});
    rv_archive archive = {tensors.data(), tensors.size(), nullptr, 0, nullptr, 0};
    rv_error error = {};
    ASSERT_TRUE(rv_npz_write(path("many.npz").c_str(), &archive, &error)) << error.text;
    ASSERT_TRUE(rv_npz_read(path("many.npz").c_str(), 0, &archive, &error)) << error.text;
    EXPECT_EQ(archive.tensor_count, names.size());
    rv_archive_free(&archive);
    rv_tensor_free(&number);
}

} // namespace
