// Each file of the gallery states by comments which of its lines are wrong ("# wrong: ..") and
// which declare parameters without effect ("# no effect: .."). No other lines are.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "recurve.h"
#include "tests/files.h"

namespace {

using Lines = std::set<int>;

Lines marked(const std::string &text, const std::string &mark)
{
    Lines lines;
    std::istringstream in(text);
    int number = 1;
    for (std::string line; std::getline(in, line); number++)
        if (line.find(mark) != std::string::npos) lines.insert(number);
    return lines;
}

class Gallery : public testing::TestWithParam<std::string> {};

TEST_P(Gallery, ExactlyTheMarkedLinesAreWrong)
{
    const std::string path = "gallery/" + GetParam() + ".rv";
    const std::string text = slurp(path);
    rv_error error = {};
    rv_lang *lang = rv_lang_load(path.c_str(), nullptr, &error);
    rv_lang_proof_options options = {};
    options.seed = 1;
    rv_lang_verdict *verdicts = nullptr;
    int count = 0;
    EXPECT_TRUE(lang && rv_lang_prove(lang, &options, &verdicts, &count, &error)) << error.text;
    Lines wrong, idle;
    std::set<std::string> proofs, convicted; // derivations, or models alone
    for (int i = 0; i < count; i++) {
        const rv_lang_verdict &v = verdicts[i];
        const bool has_no_effect = std::string(v.reason).rfind("no effect on the loss", 0) == 0;
        const std::string proof = v.head ? "line " + std::to_string(v.head) : v.model;
        EXPECT_NE(v.verdict, RV_UNDECIDED) << v.line << " " << v.name << ": " << v.reason;
        if (v.verdict == RV_WRONG) wrong.insert(v.line);
        if (has_no_effect) idle.insert(v.line);
        (v.verdict == RV_WRONG || has_no_effect ? convicted : proofs).insert(proof);
    }
    EXPECT_EQ(wrong, marked(text, "# wrong: "));
    EXPECT_EQ(idle, marked(text, "# no effect: "));
    EXPECT_FALSE(convicted.empty()) << "nothing is marked as wrong";
    for (const std::string &proof : convicted) proofs.erase(proof);
    EXPECT_FALSE(proofs.empty()) << "nothing is right";
    rv_free(verdicts);
    rv_lang_free(lang);
}

INSTANTIATE_TEST_SUITE_P(All, Gallery, testing::ValuesIn(stems("gallery", ".rv")),
                         [](const auto &info) { return info.param; });

} // namespace
