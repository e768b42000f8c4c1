/* Tests that run again without some instruction sets of the machine. */
#ifndef RV_TESTS_TENSOR_INSTRUCTIONS_H
#define RV_TESTS_TENSOR_INSTRUCTIONS_H

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <string>

/* Runs one test of this program in a process from which the environment takes sets:
 * "-AVX2,-AVX512F". It is read when a process starts. */
inline void run_without(const std::string &taken, const std::string &test,
                        const std::string &more = "")
{
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    const std::string command = more + " GLIBC_TUNABLES=glibc.cpu.hwcaps=" + taken + " '" + self +
                                "' --gtest_filter=" + test + " 2>&1";
    std::string said;
    FILE *process = popen(command.c_str(), "r");
    ASSERT_NE(process, nullptr);
    for (int c; (c = fgetc(process)) != EOF;) said += static_cast<char>(c);
    EXPECT_EQ(pclose(process), 0) << taken << ": " << said;
    EXPECT_NE(said.find("[  PASSED  ] 1 test."), std::string::npos) << taken << ": " << said;
}

#endif
