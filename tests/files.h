/* A temporary folder for each test, and files read and written without the code under test. */
#ifndef RV_TESTS_FILES_H
#define RV_TESTS_FILES_H

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

inline std::string slurp(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline void spit(const std::string &path, const std::string &bytes)
{
    std::ofstream(path, std::ios::binary) << bytes;
}

/* The names of the folder's files with that ending, without it, sorted. */
inline std::vector<std::string> stems(const std::string &folder, const std::string &ending)
{
    std::vector<std::string> names;
    for (const auto &entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ending) names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    return names;
}

/* A fixture with an empty folder, which is removed when the test ends. */
class WithFolder : public testing::Test {
  protected:
    void SetUp() override
    {
        const auto *test = testing::UnitTest::GetInstance()->current_test_info();
        folder_ = std::filesystem::path(testing::TempDir()) /
                  (std::string(test->test_suite_name()) + "." + test->name());
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string path(const std::string &name) const { return (folder_ / name).string(); }

    /* Writes the file and returns its path. */
    std::string file(const std::string &name, const std::string &bytes) const
    {
        spit(path(name), bytes);
        return path(name);
    }

    /* The names in the folder, sorted. */
    std::vector<std::string> listing() const
    {
        std::vector<std::string> names;
        for (const auto &entry : std::filesystem::directory_iterator(folder_))
            names.push_back(entry.path().filename().string());
        std::sort(names.begin(), names.end());
        return names;
    }

  private:
    std::filesystem::path folder_;
};

/* Deterministic pseudo-random numbers, so that tests are the same every time. */
class Lcg {
  public:
    unsigned below(unsigned bound)
    {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<unsigned>(state_ >> 33) % bound;
    }

  private:
    unsigned long long state_ = 42;
};

#endif
