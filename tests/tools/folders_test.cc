/* Output folders of commands: one run at a time, and no run is lost by accident. */
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
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

/* ---- the files that a run reads ---- */

/* A project with a table, a cell and a run of both, all given by relative paths. */
class Files : public testing::Test {
  protected:
    const std::string root = scratch_folder();
    std::string project = root + "/project", digest;

    static Outcome recurve_in(const std::string &folder, const std::string &arguments)
    {
        return run_program("cd " + folder + " && " + std::filesystem::current_path().string() +
                               "/tools/recurve",
                           arguments);
    }

    void SetUp() override
    {
        std::string table;
        for (int i = 0; i < 40; i++)
            table += std::to_string(i * 7 % 10) + ",5," + "01"[i % 2] + "\n";
        std::filesystem::create_directories(project + "/data");
        spit(project + "/data/x.csv", table);
        spit(project + "/my.rv", recurve("models gru").out);
        const Outcome run = recurve_in(
            project, "train my.rv --data data/x.csv --units 2 --epochs 2 --digest --output runs/1");
        ASSERT_EQ(run.status, 0) << run.err;
        digest = run.out;
    }

    /* Reading and resuming find the same files from any folder. */
    void expect_found(const std::string &run)
    {
        for (const std::string &from : {project, root}) {
            const Outcome measured = recurve_in(from, "evaluate --output " + run);
            EXPECT_CONTAINS(measured.out, "digest " + digest);
            EXPECT_EQ(measured.err, "") << from;
        }
        EXPECT_EQ(recurve_in("/", "train --dry-run --config " + run + "/config.json").status, 0);
        EXPECT_EQ(recurve_in(root, "train --digest --resume " + run).out, digest);
    }

    void expect_changed(const std::string &why)
    {
        const std::string run = project + "/runs/1";
        const Outcome measured = recurve_in(project, "evaluate --output runs/1");
        EXPECT_EQ(measured.status, 0) << measured.err;
        EXPECT_CONTAINS(measured.err, why);
        const Outcome resumed = recurve_in(project, "train --epochs 3 --digest --resume runs/1");
        EXPECT_EQ(resumed.status, 1);
        EXPECT_EQ(resumed.out, "");
        EXPECT_CONTAINS(resumed.err, why);
        EXPECT_CONTAINS(resumed.err, "; restore the file, or resume with --accept-changes");
        const Outcome accepted =
            recurve_in(project, "train --epochs 3 --digest --accept-changes --resume runs/1");
        EXPECT_EQ(accepted.status, 0) << accepted.err;
        EXPECT_CONTAINS(accepted.err, why);
        EXPECT_EQ(recurve_in(project, "train --digest --resume runs/1").out, accepted.out)
            << "the new files are those of the run now";
    }
};

TEST_F(Files, AreFoundFromAnyFolder) { expect_found(project + "/runs/1"); }

TEST_F(Files, AreFoundWhenTheProjectIsMoved)
{
    std::filesystem::rename(project, root + "/elsewhere");
    project = root + "/elsewhere";
    expect_found(project + "/runs/1");
    EXPECT_CONTAINS(slurp(project + "/runs/1/inputs.json"), project + "/data/x.csv");
}

TEST_F(Files, AreFoundWhenTheRunIsMoved)
{
    std::filesystem::rename(project + "/runs/1", root + "/1");
    expect_found(root + "/1");
}

TEST_F(Files, AreThoseOfTheRunAndNotOthersOfTheSameName)
{
    std::filesystem::create_directories(root + "/data");
    spit(root + "/data/x.csv", "1,2,0\n3,4,1\n");
    spit(root + "/my.rv", recurve("models ugrnn").out);
    expect_found(project + "/runs/1");
    std::filesystem::create_directories(root + "/copy"); /* beside the moved run, too */
    std::filesystem::rename(project + "/runs/1", root + "/copy/1");
    expect_found(root + "/copy/1");
}

TEST_F(Files, ThatAreGoneAreNamedByTheirFullPath)
{
    std::filesystem::remove(project + "/data/x.csv");
    for (const char *command : {"evaluate --output ", "train --resume "}) {
        const Outcome outcome = recurve(command + project + "/runs/1");
        EXPECT_EQ(outcome.status, 1);
        EXPECT_CONTAINS(outcome.err, "cannot read \"" + project + "/data/x.csv\"");
    }
}

TEST_F(Files, DataOfAnotherSizeAreReported)
{
    spit(project + "/data/x.csv", slurp(project + "/data/x.csv") + "1,2,0\n");
    expect_changed("has changed since the run began: then it had 240 bytes, now it has 246");
}

TEST_F(Files, DataWithOtherBytesAreReported)
{
    std::string table = slurp(project + "/data/x.csv");
    table[100 - 100 % 6] ^= 1;
    spit(project + "/data/x.csv", table);
    expect_changed("--data: \"data/x.csv\" has changed since the run began: it has as many bytes");
}

TEST_F(Files, AnotherTextOfTheCellIsReported)
{
    spit(project + "/my.rv", slurp(project + "/my.rv") + "# a comment\n");
    const std::string bytes = std::to_string(slurp(project + "/my.rv").size());
    expect_changed("\"my.rv\" has changed since the run began: then it had ");
    EXPECT_CONTAINS(slurp(project + "/runs/1/inputs.json"), bytes);
}

TEST_F(Files, ACheckpointOfAnotherRunIsRefusedByTheOptionThatDiffers)
{
    const struct {
        const char *options, *named;
    } others[] = {
        {"my.rv --data data/x.csv --units 2 --epochs 2 --seed 2", "`seed` is 2, that of"},
        {"my.rv --data data/y.csv --units 2 --epochs 2", "--data is data/y.csv, that of"},
        {"gru --data data/x.csv --units 2 --epochs 2", "`model` is gru, that of the configuration"},
        {"my.rv --data data/x.csv --units 2 --epochs 2 --residual", "`residual` is set, that of"},
    };
    std::filesystem::copy(project + "/data/x.csv", project + "/data/y.csv");
    for (const auto &[options, named] : others) {
        const std::string other = scratch_folder();
        ASSERT_EQ(
            recurve_in(project, std::string("train ") + options + " --output " + other).status, 0);
        for (const char *file : {"/checkpoint.safetensors", "/best.safetensors"}) {
            const Outcome outcome =
                recurve_in(project, "evaluate --output runs/1 --checkpoint " + other + file);
            EXPECT_EQ(outcome.status, 1) << options;
            EXPECT_CONTAINS(outcome.err, std::string(file) + "\" is of another run: its " + named);
            EXPECT_EQ(outcome.out, "");
        }
    }
    EXPECT_EQ(
        recurve_in(project, "evaluate --output runs/1 --checkpoint runs/1/best.safetensors").status,
        0);
}

} // namespace
