/* The example of a firmware (tools/examples/device): what it learns on an emulated Cortex-M4 is
 * what it learns on this machine, and what this library learns. */
#include <gtest/gtest.h>

#include <regex>
#include <sstream>
#include <vector>

#include "tests/tools/command.h"

namespace {

/* The lines that begin with `word`, without it, as numbers: the last in each. */
std::vector<double> numbers(const std::string &text, const std::string &word)
{
    std::vector<double> found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (line.rfind(word, 0) == 0) found.push_back(std::stod(line.substr(line.rfind(' '))));
    return found;
}

void expect_near(const std::vector<double> &seen, const std::vector<double> &expected)
{
    ASSERT_EQ(seen.size(), expected.size());
    for (size_t i = 0; i < seen.size(); i++) EXPECT_NEAR(seen[i], expected[i], 1e-5) << i;
}

/* What the machine for which programs are made lacks; "" if nothing. */
std::string missing()
{
    std::string names;
    for (const char *tool : {"make", "arm-none-eabi-gcc", "qemu-system-arm"})
        if (std::system(("command -v " + std::string(tool) + " >/dev/null").c_str()))
            names += std::string(" ") + tool;
    if (names.empty() && std::system("echo '#include <math.h>' | arm-none-eabi-gcc "
                                     "--specs=rdimon.specs -E - >/dev/null 2>&1"))
        names = " newlib";
    return names;
}

/* A copy of the example, in which it is built. */
class Device : public testing::Test {
  protected:
    void SetUp() override
    {
        folder_ = scratch_folder();
        ASSERT_EQ(std::system(("cp -rL tools/examples/device data/digits.csv.gz " + folder_ +
                               " && chmod -R u+w " + folder_)
                                  .c_str()),
                  0);
    }
    std::string path(const std::string &name) { return folder_ + "/device/" + name; }
    /* What make prints. */
    std::string make(const std::string &target)
    {
        const Outcome outcome = run_program("make -s -C " + path("") + " " + target +
                                            " DIGITS=../digits.csv.gz RECURVE=$PWD/tools/recurve");
        EXPECT_EQ(outcome.status, 0) << target << ":\n" << outcome.out << outcome.err;
        return outcome.out;
    }

  private:
    std::string folder_;
};

TEST_F(Device, has_the_nets_that_recurve_writes)
{
    /* the weights depend on the machine that trained */
    const std::regex number("-?0x[0-9a-f]+p-?[0-9]+|-?[0-9]+(?=[,}])");
    std::vector<std::string> before;
    const std::vector<std::string> files = {"curnn.h", "curnn.c", "gru.h", "gru.c"};
    for (const auto &file : files) before.push_back(slurp(path("nets/" + file)));
    make("nets");
    for (size_t i = 0; i < files.size(); i++) {
        std::string masked[2] = {before[i], slurp(path("nets/" + files[i]))};
        for (auto &text : masked) {
            text = std::regex_replace(text, number, "#");
            text = std::regex_replace(text, std::regex("#,\\s+"), "#, ");
        }
        EXPECT_TRUE(masked[0] == masked[1])
            << files[i] << " is not what recurve writes; run `make nets RECURVE=`pwd`/bazel-bin/"
            << "tools/recurve` in tools/examples/device";
    }
}

TEST_F(Device, learns_and_streams_what_this_machine_and_this_library_do)
{
    const std::string desktop = make("run");
    const std::string run = scratch_folder();
    ASSERT_EQ(recurve("train --in-order --batch-size 10 --epochs 5 --output " + run).status, 0);
    std::istringstream log(slurp(run + "/log.csv"));
    std::vector<double> losses;
    std::string line;
    std::getline(log, line);
    while (std::getline(log, line)) losses.push_back(std::stod(line.substr(line.find(',') + 1)));
    ASSERT_EQ(losses.size(), 5u);
    expect_near(numbers(desktop, "epoch"), losses);

    const std::string absent = missing();
    const std::string why =
        "not run on a Cortex-M4: without" + absent + "; `tools/dev device` installs what it needs";
    if (!absent.empty() && std::getenv("RECURVE_DEVICE")) FAIL() << why;
    if (!absent.empty()) GTEST_SKIP() << why;
    const std::string device = make("emulate");
    expect_near(numbers(device, "epoch"), losses);
    expect_near(numbers(device, "("), numbers(desktop, "("));
    expect_near(numbers(device, ")"), numbers(desktop, ")"));
    EXPECT_EQ(numbers(device, "(").size(), 4u);
    EXPECT_NE(device.find("60 of 60 right"), std::string::npos) << device;
    make("nets"); /* writes their tests */
    EXPECT_NE(make("test").find("parameters, updated        right"), std::string::npos);
}

} // namespace
