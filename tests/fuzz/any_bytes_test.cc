// Runs a fuzz target on its seeds and on randomly damaged seeds. A target aborts if anything is
// wrong. The environment variable RECURVE_CORRUPTIONS sets the number of damaged files; the default
// is 1,000.
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "tests/files.h"
#include "tests/fuzz/fuzz.h"
#include "tests/rounds.h"

namespace {

void feed(const std::string &bytes)
{
    /* A separate buffer, so that the address sanitizer detects reads beyond it. */
    std::vector<uint8_t> copy(bytes.begin(), bytes.end());
    copy.shrink_to_fit();
    LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

class AnyBytes : public testing::Test {
  protected:
    AnyBytes()
    {
        std::istringstream paths(std::getenv("SEEDS"));
        for (std::string path; paths >> path;) seeds_.push_back(slurp(path));
    }

    const std::string &seed() { return seeds_[below(seeds_.size())]; }
    size_t below(size_t bound) { return random_.below(static_cast<unsigned>(bound)); }

    /* Flips bits, drops or repeats a piece, inserts a piece of another seed or random bytes, or
     * truncates. */
    void damage(std::string &bytes)
    {
        const size_t at = below(bytes.size()), to = below(bytes.size());
        const size_t length = 1 + below(below(2) ? 12 : bytes.size());
        switch (below(7)) {
        case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8))); break;
        case 1: bytes[at] = static_cast<char>(below(256)); break;
        case 2: bytes.erase(at, length); break;
        case 3: bytes.insert(to, bytes.substr(at, length)); break;
        case 4: splice(bytes, at, length); break;
        case 5:
            for (size_t n = 1 + below(8); n > 0; n--)
                bytes.insert(to, 1, static_cast<char>(below(256)));
            break;
        default: bytes.resize(at);
        }
    }

    void splice(std::string &bytes, size_t at, size_t length)
    {
        const std::string &other = seed();
        if (!other.empty()) bytes.replace(at, length, other, below(other.size()), length);
    }

    std::vector<std::string> seeds_;
    Lcg random_;
};

TEST_F(AnyBytes, OfSeeds)
{
    ASSERT_GT(seeds_.size(), 3u);
    for (const std::string &bytes : seeds_) feed(bytes);
    feed("");
}

TEST_F(AnyBytes, OfTruncatedSeeds)
{
    for (const std::string &bytes : seeds_)
        for (size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 200)
            feed(bytes.substr(0, size));
}

TEST_F(AnyBytes, OfDamagedSeeds)
{
    const int count = rounds("RECURVE_CORRUPTIONS", 1000);
    ASSERT_GT(count, 0);
    for (int i = 0; i < count; i++) {
        std::string bytes = seed();
        for (size_t n = 1 + below(4); n > 0 && !bytes.empty(); n--) damage(bytes);
        feed(bytes);
    }
}

} // namespace
