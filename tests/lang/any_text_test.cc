// Texts of all kinds, right and wrong, through what the fuzzer does: no crash, and what a format must keep.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace {

void feed(const std::string &text)
{
    /* A buffer of its own, so that the address sanitizer sees what reads beyond it. */
    std::vector<uint8_t> bytes(text.begin(), text.end());
    bytes.shrink_to_fit();
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

std::vector<std::string> texts(const std::string &folder)
{
    std::vector<std::string> paths, all;
    for (const auto &entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".rv") paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end());
    for (const std::string &path : paths) all.push_back(slurp(path));
    return all;
}

TEST(AnyText, OfTheCorpus)
{
    for (const char *folder : {"tests/lang/corpus", "models"})
        for (const std::string &text : texts(folder)) feed(text);
}

TEST(AnyText, CutOffAnywhere)
{
    for (const std::string &text : {slurp("models/curnn.rv"), slurp("tests/lang/corpus/all.rv")})
        for (size_t size = 0; size < text.size(); size++) feed(text.substr(0, size));
}

TEST(AnyText, WithoutAnyOneByte)
{
    for (std::string text : {slurp("models/lstm.rv"), slurp("tests/lang/corpus/all.rv")})
        for (size_t at = 0; at < text.size(); at++) feed(std::string(text).erase(at, 1));
}

/* One to four random changes: a byte, a piece twice, a piece left out, a piece of another text. */
std::string mutated(std::string text, const std::string &other, Lcg &random)
{
    static const std::string bytes = "()[],=~+-*/.@^':\"#_ \t\n\r019ehxW\0\x80\xc3";
    for (unsigned n = 1 + random.below(4); n && !text.empty(); n--) {
        const auto size = static_cast<unsigned>(text.size());
        const size_t at = random.below(size), length = 1 + random.below(12),
                     to = random.below(size);
        switch (random.below(5)) {
        case 0: text[at] = bytes[random.below(static_cast<unsigned>(bytes.size()))]; break;
        case 1: text.insert(at, 1, bytes[random.below(static_cast<unsigned>(bytes.size()))]); break;
        case 2: text.erase(at, length); break;
        case 3: text.insert(to, text.substr(at, length)); break;
        default:
            text.insert(to, other, random.below(static_cast<unsigned>(other.size())), 3 * length);
        }
    }
    return text;
}

TEST(AnyText, Mutated)
{
    Lcg random;
    std::vector<std::string> all = texts("models");
    all.push_back(slurp("tests/lang/corpus/all.rv"));
    for (int i = 0; i < 4000; i++) {
        const auto size = static_cast<unsigned>(all.size());
        const unsigned one = random.below(size), two = random.below(size);
        feed(mutated(all[one], all[two], random));
    }
}

} // namespace
