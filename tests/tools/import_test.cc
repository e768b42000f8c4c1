/* `recurve import --json` frees its document whichever allocation fails. */
#include <gtest/gtest.h>

#include <string>
#include <vector>

extern "C" {
#include "tools/command/commands.h"
}
#include "tests/failing_memory.h"

namespace {

/* Allocations from the end of the command; tests/train has those that open the run. */
constexpr int64_t LAST = 450;

exit_status import(const std::string &folder)
{
    std::vector<std::string> words = {"import",    "tests/cases/torch_rnn.safetensors",
                                      "--json",    "--overwrite",
                                      "--partial", "--task",
                                      "adding",    "--samples",
                                      "60",        "--length",
                                      "5",         "--model",
                                      "rnn",       "--units",
                                      "3",         "--output",
                                      folder};
    std::vector<char *> argv;
    for (std::string &word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    rv_error error = {};
    return command_import.run(static_cast<int>(words.size()), argv.data(), &error);
}

TEST(Import, LeaksNothingWhenOutOfMemory)
{
    const std::string folder = testing::TempDir() + "/run";
    ASSERT_EQ(import(folder), STATUS_OK);
    calls = 0;
    ASSERT_EQ(import(folder), STATUS_OK);
    const int64_t allocations = calls, before = live;
    for (int64_t n = allocations - LAST; n < allocations; n++) {
        calls = 0;
        failing = n;
        import(folder);
        failing = -1;
        ASSERT_EQ(live, before) << "allocation " << n << " of " << allocations;
    }
}

} // namespace
