/* An output folder belongs to one trainer at a time, and no run is lost by accident. */
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/files.h"
#include "train/trainer.h"

extern "C" {
#include "train/trainer/folder_lock.h"
}

namespace {

using Trainer = std::unique_ptr<rv_trainer, void (*)(rv_trainer *)>;
using Lock = std::unique_ptr<rv_folder_lock, void (*)(rv_folder_lock *)>;

class Folder : public WithFolder {
  protected:
    std::string run = "run";
    rv_error error = {};

    void SetUp() override
    {
        WithFolder::SetUp();
        run = path("run");
    }

    rv_train_config config(int64_t epochs = 2) const
    {
        rv_train_config c = rv_train_config_new();
        c.net.model = "gru";
        c.net.units = 4;
        c.loop.epochs = epochs;
        c.loop.output = run.c_str();
        return c;
    }

    Trainer make(const rv_train_config &c) { return {rv_trainer_new(&c, &error), rv_trainer_free}; }

    Lock lock()
    {
        error = {};
        return {rv_folder_lock_take(run.c_str(), &error), rv_folder_unlock};
    }

    void train_once() { ASSERT_TRUE(rv_trainer_fit(make(config()).get(), &error)) << error.text; }

    std::string digest_of(const Trainer &t) const { return rv_trainer_result(t.get())->digest; }

    bool exists(const std::string &name) const
    {
        return access((run + "/" + name).c_str(), F_OK) == 0;
    }

    void expect_error(bool ok, rv_code code, const std::string &part)
    {
        EXPECT_FALSE(ok);
        EXPECT_EQ(error.code, code) << error.text;
        EXPECT_NE(std::string(error.text).find(part), std::string::npos) << error.text;
        error = {};
    }
};

/* ---- the lock ---- */

TEST_F(Folder, IsLockedByOneHolderWhoIsNamed)
{
    mkdir(run.c_str(), 0777);
    Lock first = lock();
    ASSERT_TRUE(first) << error.text;
    const std::string holder = slurp(run + "/run.lock");
    EXPECT_EQ(holder.find("process " + std::to_string(getpid()) + " on "), 0u) << holder;
    std::tm now = {};
    const std::string since = holder.substr(holder.find("since ") + 6);
    ASSERT_NE(strptime(since.c_str(), "%Y-%m-%d %H:%M:%S UTC: ", &now), nullptr) << holder;
    EXPECT_NEAR(static_cast<double>(timegm(&now)), static_cast<double>(time(nullptr)), 60)
        << holder;
    EXPECT_NE(holder.find("folder_test"), std::string::npos) << holder;
    EXPECT_EQ(std::count(holder.begin(), holder.end(), '\n'), 1);
    EXPECT_FALSE(lock());
    EXPECT_EQ(error.code, RV_ERROR_BUSY);
    EXPECT_NE(std::string(error.text).find(holder.substr(0, holder.size() - 1)), std::string::npos)
        << error.text;
    first.reset();
    EXPECT_FALSE(exists("run.lock"));
    EXPECT_TRUE(lock()) << error.text;
}

TEST_F(Folder, IsFreeWhenTheHolderIsKilledAndNotWhenItsChildLivesOn)
{
    mkdir(run.c_str(), 0777);
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t holder = fork();
    if (holder == 0) {
        rv_folder_lock *held = rv_folder_lock_take(run.c_str(), nullptr);
        if (write(ready[1], held ? "y" : "n", 1) == 1) pause();
        _exit(0);
    }
    char got = 0;
    ASSERT_EQ(read(ready[0], &got, 1), 1);
    EXPECT_EQ(got, 'y');
    EXPECT_FALSE(lock());
    EXPECT_EQ(error.code, RV_ERROR_BUSY);
    kill(holder, SIGKILL);
    waitpid(holder, nullptr, 0);
    EXPECT_TRUE(exists("run.lock")) << "left behind";
    EXPECT_TRUE(lock()) << error.text;
    EXPECT_FALSE(exists("run.lock"));

    Lock mine = lock(); /* a child that outlives the trainer keeps no lock */
    const pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    mine.reset();
    EXPECT_TRUE(lock()) << error.text;
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(ready[0]);
    close(ready[1]);
}

/* Holders that come and go remove the file. Two of them are never inside at once. */
TEST_F(Folder, IsLockedByOneOfManyThreads)
{
    mkdir(run.c_str(), 0777);
    std::atomic<int> inside{0}, taken{0};
    std::atomic<bool> twice{false};
    std::vector<std::thread> threads;
    for (int k = 0; k < 4; k++)
        threads.emplace_back([&] {
            for (int i = 0; i < 300; i++) {
                rv_error why = {};
                rv_folder_lock *held = rv_folder_lock_take(run.c_str(), &why);
                if (!held) {
                    EXPECT_EQ(why.code, RV_ERROR_BUSY) << why.text;
                    continue;
                }
                if (++inside > 1) twice = true;
                taken++;
                inside--;
                rv_folder_unlock(held);
            }
        });
    for (std::thread &one : threads) one.join();
    EXPECT_FALSE(twice);
    EXPECT_GT(taken, 10);
}

TEST_F(Folder, LockNeitherFollowsALinkNorWaitsForAPipe)
{
    mkdir(run.c_str(), 0777);
    const std::string victim = file("victim", "precious"), name = run + "/run.lock";
    ASSERT_EQ(symlink(victim.c_str(), name.c_str()), 0);
    EXPECT_FALSE(lock());
    EXPECT_EQ(error.code, RV_ERROR_IO);
    EXPECT_EQ(slurp(victim), "precious");
    unlink(name.c_str());
    ASSERT_EQ(mkdir(name.c_str(), 0777), 0);
    EXPECT_FALSE(lock());
    EXPECT_EQ(error.code, RV_ERROR_IO);
    rmdir(name.c_str());
    ASSERT_EQ(mkfifo(name.c_str(), 0666), 0);
    lock(); /* returns */
}

TEST_F(Folder, AReadOnlyOneIsAnErrorForATrainerAndNotForAReader)
{
    if (geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
    train_once();
    ASSERT_EQ(chmod(run.c_str(), 0555), 0);
    Trainer opened(rv_trainer_open(run.c_str(), 4, &error), rv_trainer_free);
    ASSERT_TRUE(opened) << error.text;
    expect_error(rv_trainer_fit(opened.get(), &error), RV_ERROR_IO, run);
    expect_error(rv_trainer_resume(make(config()).get(), nullptr, nullptr, &error), RV_ERROR_IO,
                 run);
    chmod(run.c_str(), 0777);
}

/* ---- two runs ---- */

/* Calls itself within a run, after its second update. */
bool call(void *context, const rv_trainer *trainer)
{
    if (rv_trainer_result(trainer)->at.batch == 2)
        (*static_cast<std::function<void()> *>(context))();
    return true;
}

TEST_F(Folder, ASecondRunIsRefusedAndLeavesTheFirstAlone)
{
    std::vector<std::string> refused;
    std::function<void()> second = [&] {
        const auto note = [&](bool ok) {
            refused.push_back(ok ? "" : error.text);
            EXPECT_EQ(error.code, RV_ERROR_BUSY);
            error = {};
        };
        rv_train_config other = config();
        other.loop.overwrite = true;
        spit(run + "/checkpoint.safetensors.123-0.tmp", "the first is writing this");
        note(rv_trainer_fit(make(other).get(), &error));
        note(rv_trainer_save(make(other).get(), &error));
        note(rv_trainer_resume(make(config()).get(), nullptr, nullptr, &error));
        EXPECT_TRUE(exists("checkpoint.safetensors.123-0.tmp"));
        unlink((run + "/checkpoint.safetensors.123-0.tmp").c_str());
    };
    const Trainer first = make(config());
    ASSERT_TRUE(rv_trainer_observe(first.get(), {call, nullptr, &second}, &error));
    ASSERT_TRUE(rv_trainer_fit(first.get(), &error)) << error.text;
    ASSERT_EQ(refused.size(), 6u);
    for (const std::string &text : refused)
        EXPECT_NE(text.find("in use by process " + std::to_string(getpid())), std::string::npos)
            << text;
    expect_error(rv_trainer_resume(make(config()).get(), nullptr, nullptr, &error), RV_ERROR_BUSY,
                 "in use");
}

TEST_F(Folder, AReaderOfALiveRunMayNotContinueItWhenItHasGoneOn)
{
    Trainer reader(nullptr, rv_trainer_free);
    {
        const Trainer first = make(config(1));
        ASSERT_TRUE(rv_trainer_fit(first.get(), &error)) << error.text;
        reader.reset(rv_trainer_open(run.c_str(), 3, &error)); /* beside the writer */
        ASSERT_TRUE(reader) << error.text;
        expect_error(rv_trainer_fit(reader.get(), &error), RV_ERROR_BUSY, "in use");
    }
    {
        const Trainer more(rv_trainer_open(run.c_str(), 2, &error), rv_trainer_free);
        ASSERT_TRUE(rv_trainer_fit(more.get(), &error)) << error.text;
    }
    const std::string kept = slurp(run + "/checkpoint.safetensors");
    expect_error(rv_trainer_fit(reader.get(), &error), RV_ERROR_BUSY, "open it again");
    EXPECT_EQ(slurp(run + "/checkpoint.safetensors"), kept);
    reader.reset(rv_trainer_open(run.c_str(), 3, &error));
    EXPECT_TRUE(rv_trainer_fit(reader.get(), &error)) << error.text;
    EXPECT_EQ(rv_trainer_result(reader.get())->epochs, 3);
}

/* ---- earlier runs ---- */

TEST_F(Folder, AnEarlierRunIsNotLost)
{
    train_once();
    const char *const files[] = {"checkpoint.safetensors", "checkpoint.previous.safetensors",
                                 "best.safetensors"};
    for (const char *only : files) { /* each alone is reason enough */
        std::filesystem::create_directory(path("kept"));
        for (const char *name : files)
            std::filesystem::copy(run + "/" + name, path("kept"),
                                  std::filesystem::copy_options::overwrite_existing);
        for (const char *name : files)
            if (std::string(name) != only) unlink((run + "/" + name).c_str());
        const std::string before = slurp(run + "/" + only);
        expect_error(rv_trainer_fit(make(config()).get(), &error), RV_ERROR_ARGUMENT, only);
        expect_error(rv_trainer_save(make(config()).get(), &error), RV_ERROR_ARGUMENT,
                     "`overwrite`");
        EXPECT_EQ(slurp(run + "/" + only), before);
        for (const char *name : files)
            std::filesystem::copy(path("kept") + "/" + name, run,
                                  std::filesystem::copy_options::overwrite_existing);
    }
    rv_train_config other = config();
    other.loop.overwrite = true;
    other.loop.seed = 2;
    other.optimizer.learning_rate = 1e300; /* diverges before its first checkpoint */
    EXPECT_FALSE(rv_trainer_fit(make(other).get(), nullptr));
    for (const char *name : files) EXPECT_FALSE(exists(name)) << "a run beside another's " << name;
    other.optimizer.learning_rate = 0.01;
    EXPECT_TRUE(rv_trainer_fit(make(other).get(), &error)) << error.text;
    const Trainer opened(rv_trainer_open(run.c_str(), 0, &error), rv_trainer_free);
    ASSERT_TRUE(opened) << error.text;
    EXPECT_EQ(rv_trainer_config(opened.get())->loop.seed, 2);
}

/* An epoch that is counted as the best is kept before anything else, however the run goes on: by
 * another fit, or by another trainer from a checkpoint. */
TEST_F(Folder, TheBestParametersAreNotLostWhenTheyCannotBeWrittenAtOnce)
{
    rv_train_config c = config(6);
    c.optimizer.learning_rate = 0.5; /* whose best epoch is not the last */
    const std::string whole = path("whole");
    c.loop.output = whole.c_str();
    const Trainer undisturbed = make(c);
    ASSERT_TRUE(rv_trainer_fit(undisturbed.get(), &error)) << error.text;
    const int64_t best = rv_trainer_result(undisturbed.get())->best_epoch;
    ASSERT_LT(best, 6);
    for (const bool resumed : {false, true}) {
        run = path(resumed ? "resumed" : "fitted");
        c.loop.output = run.c_str();
        Trainer t = make(c);
        struct Block {
            std::string path;
            int64_t epoch;
        } block = {run + "/best.safetensors", best};
        const rv_observer observer = {[](void *context, const rv_trainer *trainer) {
                                          const auto *b = static_cast<const Block *>(context);
                                          if (rv_trainer_result(trainer)->at.epoch == b->epoch) {
                                              unlink(b->path.c_str());
                                              mkdir(b->path.c_str(), 0777);
                                          }
                                          return true;
                                      },
                                      nullptr, &block};
        ASSERT_TRUE(rv_trainer_observe(t.get(), observer, &error));
        expect_error(rv_trainer_fit(t.get(), &error), RV_ERROR_IO, "best.safetensors");
        EXPECT_EQ(rv_trainer_result(t.get())->best_epoch, best);
        expect_error(rv_trainer_save(t.get(), &error), RV_ERROR_IO, "best.safetensors");
        ASSERT_EQ(rmdir(block.path.c_str()), 0);
        if (resumed) {
            ASSERT_TRUE(rv_trainer_save(t.get(), &error)) << error.text;
            t.reset();
            t.reset(rv_trainer_open(run.c_str(), 0, &error));
            ASSERT_TRUE(t) << error.text;
        }
        EXPECT_TRUE(rv_trainer_fit(t.get(), &error)) << error.text;
        EXPECT_EQ(digest_of(t), digest_of(undisturbed));
        EXPECT_TRUE(slurp(block.path) == slurp(whole + "/best.safetensors"));
    }
}

/* config.json and log.csv alone, of a run that was killed in its first epoch, hold no work. */
TEST_F(Folder, ARunThatKeptNothingIsReplaced)
{
    mkdir(run.c_str(), 0777);
    spit(run + "/config.json", "{}");
    spit(run + "/log.csv", "");
    spit(run + "/run.lock", "process 1 on some host");
    train_once();
}

} // namespace
