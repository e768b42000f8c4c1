/* CSV sources. */
#include <gtest/gtest.h>

#include <clocale>

#include "data/files.h"
#include "tests/data/sources.h"

namespace {

class Csv : public WithFolder {
  protected:
    bool open(Source *source, const std::string &text, rv_file_options options = {},
              const char *name = "data.csv")
    {
        rv_source_close(&source->s);
        source->error = {};
        return rv_source_csv(&source->s, file(name, text).c_str(), &options, &source->error);
    }
    void refuse(const std::string &text, const std::vector<std::string> &parts,
                rv_file_options options = {}, rv_code code = RV_ERROR_FORMAT)
    {
        Source source;
        EXPECT_FALSE(open(&source, text, options));
        expect_refused(source, code, parts);
    }
    static rv_file_options label(int64_t column)
    {
        rv_file_options options = {};
        options.label = column;
        return options;
    }
};

TEST_F(Csv, HasOneSamplePerLine)
{
    for (const char *text :
         {"1,2.5,0\n-3e2,.4,2\n", "a,b,class\n1,2.5,0\n-3e2,.4,2",
          "1 , 2.5, 0\r\n-300,0.4,2\r\n\r\n",
          "\xEF\xBB\xBF"
          "1,2.5,0\n-3e2,.4,2\n",
          "1;2.5;0\n-3e2;.4;2\n", "1\t2.5\t0\n-3e2\t.4\t2\n", " 1  2.5 0\n-3e2\t.4 2 \n",
          "\"1\",\"2.5\" , 0\n\"-3e2\",.4,\"2\"\n", "1,2.5,0\r-3e2,.4,2\r", "1,2.5,0\r-3e2,.4,2",
          "\"a;\"\"b\"\"\",c,d\r\n1,2.5,0\r\n-3e2,.4,2\r\n",
          "2019,2020,inflation\n1,2.5,0\n-3e2,.4,2\n"}) {
        Source source;
        ASSERT_TRUE(open(&source, text)) << source.error.text;
        EXPECT_EQ(source.s.count, 2);
        EXPECT_EQ(source.s.classes, 3);
        EXPECT_TRUE(rv_shape_equal(source.s.x, RV_SHAPE(2)));
        EXPECT_TRUE(rv_shape_equal(source.s.y, RV_SCALAR));
        EXPECT_EQ(sample(source.s, 0).x, (std::vector<double>{1, 2.5}));
        EXPECT_EQ(sample(source.s, 1).x, (std::vector<double>{-300, .4f}));
        EXPECT_EQ(sample(source.s, 1).y, std::vector<double>{2});
    }
}

TEST_F(Csv, OptionsSelectSeparatorLabelAndForm)
{
    Source source;
    ASSERT_TRUE(open(&source, "1\t2\t0\n", {}, "data.tsv")) << source.error.text;
    ASSERT_TRUE(open(&source, gzip("1\t2\t0\n"), {}, "data.tsv.gz")) << source.error.text;
    EXPECT_EQ(sample(source.s, 0).x, (std::vector<double>{1, 2}));
    rv_file_options options = label(1);
    options.separator = ';';
    options.classes = 9;
    options.sequence = true;
    ASSERT_TRUE(open(&source, "7;1;2\n", options)) << source.error.text;
    EXPECT_EQ(source.s.classes, 9);
    EXPECT_TRUE(rv_shape_equal(source.s.x, RV_SHAPE(2, 1)));
    EXPECT_EQ(sample(source.s, 0).x, (std::vector<double>{1, 2}));
    EXPECT_EQ(sample(source.s, 0).y, std::vector<double>{7});
    EXPECT_EQ(sample(source.s, 0).length, 2);
    options = {};
    options.header = 1;
    ASSERT_TRUE(open(&source, "2019,2020,0\n1,2,0\n", options)) << source.error.text;
    EXPECT_EQ(source.s.count, 1);
    EXPECT_TRUE(source.s.reading.header);
    options = {};
    options.divisor = 2;
    options.shape = RV_SHAPE(1, 2, 2);
    ASSERT_TRUE(open(&source, "1,2,3,4,0\n5,6,7,8,1\n", options)) << source.error.text;
    EXPECT_TRUE(rv_shape_equal(source.s.x, RV_SHAPE(1, 2, 2)));
    EXPECT_EQ(sample(source.s, 1).x, (std::vector<double>{2.5, 3, 3.5, 4}));
    options = {};
    options.numbers = true;
    ASSERT_TRUE(open(&source, "1,2,-.5\n", options)) << source.error.text;
    EXPECT_EQ(source.s.classes, 0);
    EXPECT_EQ(sample(source.s, 0).y, std::vector<double>{-.5});
}

TEST_F(Csv, RefusalsNameFileAndLine)
{
    refuse("1,2,0\n1,2\n", {"data.csv\" line 2", "fewer fields than the 3"});
    refuse("1,2,0\n1,2,3,0\n", {"line 2", "more fields than the 3"});
    refuse("1,2,0\n\n1,2,0\n", {"line 2", "fewer"});
    refuse("h,i,j\n1,2,0\n1,,0\n", {"line 3, column 2", "empty field"});
    refuse("1,2,0\n1,nan,0\n", {"line 2, column 2", "\"nan\""});
    refuse("1,NaN,0\n1,2,0\n", {"line 1, column 2", "\"NaN\""});
    refuse("-inf,1,0\n0.5,2,1\n", {"line 1, column 1", "\"-inf\""});
    refuse("1,NA,0\n0.5,2,1\n", {"line 1, column 2", "\"NA\""});
    refuse("1,\"2,0\n1,2,0\n", {"line 1, column 2", "\"2,0"});
    refuse("1,2,0\n\"1\"2,2,0\n", {"line 2, column 1", "\"\"1\"2\""});
    refuse("\xff\xfe"
           "1,2,0\n",
           {"UTF-16", "UTF-8"});
    refuse("1,2,999990\n1,2,999999\n", {"2 labels from 999990 to 999999", "numbers"});
    refuse("1,2,0\n1,1e99,0\n", {"line 2, column 2", "f32"});
    refuse("1,2,0\n1,0x10,0\n", {"line 2, column 2"});
    refuse("1,2,0\n1,1-1,0\n", {"line 2, column 2"});
    refuse("1,2,0\n1,two,0\n", {"line 2, column 2", "\"two\""});
    refuse("1,2,0\n1,2,0.5\n", {"line 2, column 3", "a label", "999999"});
    refuse("1,2,0\n1,2,-1\n", {"line 2, column 3", "a label"});
    refuse(std::string("1,2,0\n1,\0002,0\n", 13), {"line 2, column 2"});
    refuse("", {"empty"});
    refuse("a,b,c\n", {"no lines of numbers"});
    refuse("\n\n\n", {"no lines of numbers"});
    refuse("1\n2\n", {"line 1", "1 field", "separator"});
    rv_file_options two = {};
    two.classes = 2;
    refuse("1,2,0\n1,2,2\n", {"line 2, column 3", "0 to 1"}, two);
    refuse("1,2,0\n", {"column 4", "1 to 3"}, label(4), RV_ERROR_ARGUMENT);
    refuse("1,2,0\n", {"column -1"}, label(-1), RV_ERROR_ARGUMENT);
    two.numbers = true;
    refuse("1,2,0\n", {"2 classes"}, two, RV_ERROR_ARGUMENT);
    rv_file_options small = {};
    small.cache_bytes = 4;
    refuse("1,2,0\n", {"cache of 4"}, small, RV_ERROR_ARGUMENT);
    small.cache_bytes = 10;
    refuse("1,2,0\n", {"cache of 10", ".npy"}, small, RV_ERROR_ARGUMENT);
}

TEST_F(Csv, UsesADecimalPointInAnyLocale)
{
    const char *old = std::setlocale(LC_NUMERIC, "de_DE.UTF-8");
    Source source;
    EXPECT_TRUE(open(&source, "1,2.5,0\n"));
    if (old != nullptr) std::setlocale(LC_NUMERIC, "C");
    EXPECT_EQ(sample(source.s, 0).x[1], 2.5);
}

TEST_F(Csv, RefusesFolders)
{
    Source source;
    EXPECT_FALSE(rv_source_csv(&source.s, path("").c_str(), nullptr, &source.error));
    expect_refused(source, RV_ERROR_IO, {"not a regular file"});
}

} // namespace
