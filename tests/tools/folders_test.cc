/* Output folders of commands: one run at a time, and no run is lost by accident. */
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <vector>

#include "tests/tools/command.h"

namespace {

/* A command that runs beside the test, and is killed at the end. */
class Running {
  public:
    explicit Running(const std::string &arguments)
    {
        const std::string command = "exec tools/recurve " + arguments + " >/dev/null 2>&1";
        child_ = fork();
        if (child_ == 0) {
            execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
            _exit(127);
        }
    }
    ~Running() { stop(); }

    void stop()
    {
        if (child_ > 0) kill(child_, SIGKILL);
        if (child_ > 0) waitpid(child_, nullptr, 0);
        child_ = 0;
    }
    pid_t process() const { return child_; }

  private:
    pid_t child_;
};

void wait_for(const std::string &path)
{
    for (int i = 0; i < 3000 && access(path.c_str(), F_OK) != 0; i++)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

std::string files_in(const std::string &folder) { return run_program("ls", "-A " + folder).out; }

const char endless[] = " --classes 0-9 --optimizer adam --epochs 100000 --quiet --output ";
const char small[] = " --units 2 --epochs 1 --quiet --output ";

TEST(Folders, BelongToTheFirstOfTwoRunsAndAreFreeWhenItIsKilled)
{
    const std::string folder = scratch_folder(), checkpoint = folder + "/checkpoint.safetensors";
    Running first("train" + (endless + folder));
    wait_for(checkpoint);
    const std::string holder = "in use by process " + std::to_string(first.process()) + " on ";
    for (const std::string &other :
         {"train --overwrite" + (small + folder), "train --resume " + folder,
          "compare --overwrite --models gru" + (small + folder)}) {
        const Outcome second = recurve(other);
        EXPECT_EQ(second.status, 1) << other;
        EXPECT_EQ(second.out, "");
        EXPECT_CONTAINS(second.err, holder);
        EXPECT_CONTAINS(second.err, "tools/recurve train --classes 0-9");
        EXPECT_CONTAINS(second.err, "; wait until that run ends, or use another folder");
    }
    EXPECT_EQ(recurve("evaluate --output " + folder).status, 0) << "reading does no harm";
    EXPECT_CONTAINS(slurp(folder + "/run.lock"), "process " + std::to_string(first.process()));
    first.stop();
    EXPECT_CONTAINS(files_in(folder), "run.lock");
    const std::string epoch = std::to_string(
        std::count_if(std::istreambuf_iterator<char>(std::ifstream(folder + "/log.csv").rdbuf()),
                      {}, [](char c) { return c == '\n'; }) +
        2);
    EXPECT_EQ(recurve("train --quiet --resume " + folder + " --epochs " + epoch).status, 0);
    EXPECT_EQ(files_in(folder), "best.safetensors\ncheckpoint.previous.safetensors\n"
                                "checkpoint.safetensors\nconfig.json\nlog.csv\n");
}

TEST(Folders, TwoRunsThatStartAtOnceAreOneAndARefusal)
{
    const std::string folder = scratch_folder();
    std::vector<Outcome> outcomes(4);
    std::vector<std::thread> threads;
    const std::string root = scratch_folder();
    for (int k = 0; k < 4; k++)
        threads.emplace_back([&, k] {
            const std::string log = root + "/" + std::to_string(k);
            const int code = std::system(("tools/recurve train --digest --epochs 60 --output " +
                                          folder + " >" + log + " 2>" + log + ".err")
                                             .c_str());
            outcomes[static_cast<size_t>(k)] = {WEXITSTATUS(code), slurp(log), slurp(log + ".err")};
        });
    for (std::thread &one : threads) one.join();
    int done = 0;
    for (const Outcome &one : outcomes) {
        done += one.status == 0;
        if (one.status == 0) continue;
        EXPECT_CONTAINS(one.err, "the folder \"" + folder);
    }
    EXPECT_EQ(done, 1);
    EXPECT_EQ(recurve("train --digest --resume " + folder).out,
              recurve("train --digest --epochs 60").out);
}

TEST(Folders, AnEarlierRunIsKeptUnlessItIsToBeOverwritten)
{
    const std::string folder = scratch_folder();
    ASSERT_EQ(recurve("train --seed 1" + (small + folder)).status, 0);
    const std::string kept = slurp(folder + "/checkpoint.safetensors");
    const Outcome again = recurve("train --seed 2" + (small + folder));
    EXPECT_EQ(again.status, 1);
    EXPECT_CONTAINS(again.err, "recurve train: the folder \"" + folder +
                                   "\" holds an earlier run, whose checkpoint.safetensors would be "
                                   "lost; give another --output, or --overwrite to delete that "
                                   "run; to resume: recurve train --resume " +
                                   folder + "\n");
    EXPECT_EQ(slurp(folder + "/checkpoint.safetensors"), kept);
    EXPECT_EQ(recurve("train --dry-run" + (small + folder)).status, 1) << "it says so, too";
    EXPECT_EQ(recurve("train --overwrite --seed 2" + (small + folder)).status, 0);
    EXPECT_NE(slurp(folder + "/checkpoint.safetensors"), kept);
    EXPECT_EQ(recurve("train --overwrite --resume " + folder).status, 2);
    EXPECT_EQ(recurve("train --overwrite").status, 2);
}

TEST(Folders, AnEarlierComparisonIsKeptUnlessItIsToBeOverwritten)
{
    const std::string folder = scratch_folder(), run = "compare --models gru,ugrnn";
    ASSERT_EQ(recurve(run + small + folder).status, 0);
    const Outcome whole = recurve(run + small + folder);
    EXPECT_EQ(whole.status, 1) << "whatever is missing";
    EXPECT_CONTAINS(whole.err, "gru-momentum\" holds an earlier run");
    std::remove((folder + "/compare.csv").c_str());
    for (const char *file : {"checkpoint", "checkpoint.previous", "best"})
        std::remove((folder + "/gru-momentum/" + file + ".safetensors").c_str());
    const Outcome part = recurve(run + small + folder); /* before the first run, not the second */
    EXPECT_EQ(part.status, 1);
    EXPECT_CONTAINS(part.err, "ugrnn-momentum\" holds an earlier run");
    EXPECT_EQ(files_in(folder + "/gru-momentum"), "config.json\nlog.csv\n");
    EXPECT_EQ(recurve(run + " --overwrite" + small + folder).status, 0);
    const Outcome other = recurve("compare --models rnn" + (small + folder));
    EXPECT_EQ(other.status, 1);
    EXPECT_CONTAINS(other.err, "compare.csv would be lost");
}

} // namespace
