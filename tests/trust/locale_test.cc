/* A locale with a decimal comma in the host program changes neither what is read and written nor
 * error messages. */
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "tests/files.h"
#include "tests/trust/main_job.h"

namespace {

using Texts = std::map<std::string, std::string>;

/* A German locale, built from the Debian package `locales`. */
class DecimalComma : public WithFolder {
  protected:
    void SetUp() override
    {
        WithFolder::SetUp();
        const std::string locales = path("locales");
        std::filesystem::create_directory(locales);
        const std::string make = "localedef -i de_DE -f UTF-8 " + locales + "/de_DE.UTF-8";
        ASSERT_EQ(std::system(make.c_str()), 0) << "install the package locales";
        setenv("LOCPATH", locales.c_str(), 1);
    }
    void TearDown() override
    {
        unsetenv("LOCPATH");
        WithFolder::TearDown();
    }

    /* The results of everything that reads or writes numbers. */
    void numbers(Texts *all) const
    {
        rv_error error = {};
        const Job job = do_main_job(path("checkpoint"));
        ASSERT_TRUE(job.done) << job.error.text;
        (*all)["job"] = job.end;
        (*all)["checkpoint"] = slurp(path("checkpoint"));

        /* Numbers in the header may have a point too. */
        const std::string header =
            R"({"w":{"dtype":"F32","shape":[2.0],"data_offsets":[0.0,0.8e1]}})";
        const std::string point = file("point", std::string(1, static_cast<char>(header.size())) +
                                                    std::string(7, '\0') + header + "12345678");
        rv_archive archive;
        ASSERT_TRUE(rv_safetensors_read(point.c_str(), &archive, &error)) << error.text;
        ASSERT_TRUE(rv_npz_write(path("npz").c_str(), &archive, &error)) << error.text;
        rv_archive_free(&archive);
        (*all)["npz"] = slurp(path("npz"));

        const std::string csv = file("csv", "a,b,label\n1.5,-2.5e-1,1\n");
        rv_source source;
        ASSERT_TRUE(rv_source_csv(&source, csv.c_str(), nullptr, &error)) << error.text;
        float x[2];
        int32_t label, length;
        ASSERT_TRUE(rv_source_read(&source, 0, 0, x, &label, &length, &error)) << error.text;
        rv_source_close(&source);
        EXPECT_EQ(x[0], 1.5f);
        EXPECT_EQ(x[1], -0.25f);
    }

    void equations(Texts *all) const
    {
        const std::string text =
            "model m\n  input x[2] ~ uniform(-0.5, 1.25)\n  y = 0.1 . x + 1e-3\n";
        rv_error error = {};
        rv_lang *lang = rv_lang_read(text.data(), text.size(), "m.rv", nullptr, &error);
        ASSERT_NE(lang, nullptr) << error.text;
        char *canonical = rv_lang_format(lang);
        (*all)["canonical"] = canonical;
        rv_free(canonical);
        rv_store *store = rv_store_new(1);
        rv_tape *tape = rv_tape_new(store, RV_F64);
        rv_lang_recording *recording =
            rv_lang_record(rv_lang_model(lang, "m", &error), tape, nullptr);
        ASSERT_NE(recording, nullptr) << rv_tape_error(tape)->text;
        const rv_var y = rv_lang_value_of(recording, "y");
        char *drawing = rv_dot(tape, &y, 1);
        (*all)["drawing"] = drawing;
        rv_free(drawing);
        rv_clamp(y, 0.75, 0.25);
        (*all)["error"] = rv_tape_error(tape)->text;
        rv_lang_recording_free(recording);
        rv_tape_free(tape);
        rv_store_free(store);
        rv_lang_free(lang);
    }

    Texts everything() const
    {
        Texts all;
        numbers(&all);
        equations(&all);
        return all;
    }
};

TEST_F(DecimalComma, ChangesNothing)
{
    const Texts want = everything();
    ASSERT_NE(setlocale(LC_ALL, "de_DE.UTF-8"), nullptr);
    char text[8];
    snprintf(text, sizeof text, "%.1f", 0.5);
    EXPECT_STREQ(text, "0,5");

    Texts seen = everything();
    EXPECT_STREQ(setlocale(LC_ALL, nullptr), "de_DE.UTF-8");
    EXPECT_EQ(uselocale(nullptr), LC_GLOBAL_LOCALE);
    setlocale(LC_ALL, "C");
    for (const auto &[name, content] : want) EXPECT_EQ(seen[name], content) << name;

    for (const char *number : {"-0.5", "1.25", "0.1", "0.001"})
        EXPECT_NE(seen["canonical"].find(number), std::string::npos) << seen["canonical"];
    EXPECT_NE(seen["drawing"].find("0.1"), std::string::npos) << seen["drawing"];
    EXPECT_NE(seen["error"].find("low 0.75"), std::string::npos) << seen["error"];
}

} // namespace
