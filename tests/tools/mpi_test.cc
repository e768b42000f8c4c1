/* recurve-mpi: the bits of one process for any number of ranks, also after ranks were killed. */
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include "ops/kernels/kernels.h"
#include "tests/rounds.h"
#include "tests/tools/sweep.h"

namespace {

const char mpirun[] = "mpirun --allow-run-as-root --oversubscribe";

/* "mpirun .. -n RANKS recurve-mpi ARGUMENTS" */
std::string on(int ranks, const std::string &arguments)
{
    return std::string(mpirun) + " -n " + std::to_string(ranks) + " tools/mpi/recurve-mpi " +
           arguments;
}

/* Ten leaves of a batch, all that an update may have, and a last batch of other sizes. */
const char small[] =
    "--classes 0-2 --model gru --units 8 --optimizer adam --dropout 0.2 --noise 0.1 "
    "--accumulate 2 --clip-norm 0.5 --average 0.9 --batch-size 64 --leaves 10";

TEST(Mpi, AnyNumberOfRanksTrainsTheSame)
{
    const std::string train = std::string("train --digest --epochs 2 ") + small;
    const Outcome alone = recurve(train);
    ASSERT_EQ(alone.status, 0) << alone.err;
    for (const int ranks : {1, 2, 3, 4, 7, 8}) {
        SCOPED_TRACE(ranks);
        const Outcome outcome = run_program(on(ranks, train));
        EXPECT_EQ(outcome.status, 0) << outcome.err;
        EXPECT_EQ(outcome.out, alone.out);
    }
}

TEST(Mpi, SaysWhatIsWrong)
{
    const Outcome bare = run_program("tools/mpi/recurve-mpi", "train");
    EXPECT_EQ(bare.status, 2);
    EXPECT_CONTAINS(bare.err, "start it as `mpirun -n 4 recurve-mpi train ..`");
    const Outcome none = run_program("tools/mpi/recurve-mpi");
    EXPECT_EQ(none.status, 2);
    EXPECT_CONTAINS(none.err, "no command given");
    EXPECT_EQ(run_program("tools/mpi/recurve-mpi", "--help").status, 0);
    EXPECT_EQ(run_program("tools/mpi/recurve-mpi", "train --help").out,
              recurve("train --help").out);
    const Outcome help = run_program("tools/mpi/recurve-mpi", "sweep --help");
    EXPECT_EQ(help.status, 0) << help.err;
    EXPECT_CONTAINS(help.out, "--objective METRIC");

    const struct {
        int ranks;
        const char *arguments, *message;
    } wrong[] = {
        {3, "train --leaves 2",
         "recurve train: --leaves: got 2, but 3 ranks share the leaves of a "
         "batch; start at most 2 ranks or, for a new run, give more --leaves, such as 12\n"},
        {3, "train",
         "recurve train: 3 ranks share the leaves of a batch, and this run has none; start 1 rank "
         "or, for a new run, give --leaves, such as 12\n"},
        {2, "evaluate", "unknown command \"evaluate\""},
        {2, "train --leafs 2", "did you mean \"--leaves\"?"},
        {2, "train --data nothing.csv --leaves 2", "nothing.csv"},
    };
    for (const auto &w : wrong) {
        SCOPED_TRACE(w.arguments);
        const Outcome outcome = run_program(on(w.ranks, w.arguments));
        EXPECT_NE(outcome.status, 0);
        EXPECT_EQ(outcome.out.find("recurve"), std::string::npos) << outcome.out;
        const size_t first = outcome.err.find(w.message);
        EXPECT_NE(first, std::string::npos) << outcome.err;
        EXPECT_EQ(outcome.err.find(w.message, first + 1), std::string::npos) << "printed twice";
    }
}

/* Ranks that round differently would make a net that depends on their number. */
TEST(Mpi, RefusesRanksOfAnotherInstructionSet)
{
    if (!rv_kernels_at(RV_F32, 1)) GTEST_SKIP() << "this machine has only the base set";
    const std::string train = "tools/mpi/recurve-mpi train --epochs 1 " + std::string(small);
    const Outcome outcome = run_program(
        mpirun,
        "-n 2 " + train + " : -n 1 env GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX512F " + train);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_CONTAINS(outcome.err, "recurve train: rank 2: this rank runs recurve ");
    EXPECT_CONTAINS(outcome.err, " on x86-64, and rank 0 recurve ");
    EXPECT_CONTAINS(outcome.err,
                    "which round differently; start the same build on machines of one type\n");
}

/* ---- ranks that are killed ---- */

/* The processes that mpirun has started. */
std::vector<pid_t> ranks_of(pid_t launcher)
{
    std::vector<pid_t> ranks;
    DIR *all = opendir("/proc");
    while (const dirent *one = all ? readdir(all) : nullptr) {
        std::string status;
        std::getline(std::ifstream(std::string("/proc/") + one->d_name + "/stat"), status);
        const size_t name = status.find('('), end = status.rfind(')');
        if (name == std::string::npos || end == std::string::npos) continue;
        if (status.substr(name, end - name) == "(recurve-mpi" &&
            std::atoi(status.c_str() + end + 3) == launcher)
            ranks.push_back(std::atoi(one->d_name));
    }
    if (all) closedir(all);
    return ranks;
}

bool exists(const std::string &path) { return access(path.c_str(), F_OK) == 0; }

void sleep_for(double seconds)
{
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

/* Runs the command, and calls `then` with the process of mpirun so many seconds after the file
 * `ready` exists, unless it has ended before. */
template <class Then>
Outcome run_and(const std::string &command, const std::string &ready, double after,
                const Then &then)
{
    const std::string folder = scratch_folder();
    const std::string words =
        "exec " + command + " </dev/null >'" + folder + "/out' 2>'" + folder + "/err'";
    const pid_t launcher = fork();
    if (launcher == 0) {
        execl("/bin/sh", "sh", "-c", words.c_str(), nullptr);
        _exit(127);
    }
    int status = 0;
    pid_t ended = 0;
    while (!exists(ready) && !(ended = waitpid(launcher, &status, WNOHANG))) sleep_for(0.01);
    sleep_for(after);
    if (!ended) {
        then(launcher);
        waitpid(launcher, &status, 0);
    }
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, slurp(folder + "/out"),
            slurp(folder + "/err")};
}

/* One of the ranks is killed, if they are still there. */
Outcome run_and_kill(const std::string &command, const std::string &ready, double after,
                     std::mt19937 *random, bool *killed)
{
    *killed = false;
    return run_and(command, ready, after, [&](pid_t launcher) {
        const std::vector<pid_t> ranks = ranks_of(launcher);
        *killed = !ranks.empty() && kill(ranks[(*random)() % ranks.size()], SIGKILL) == 0;
    });
}

/* By a signal to the ranks: mpirun kills them a second after it has told them to end. */
TEST(Mpi, AnInterruptedRunSaysHowItContinues)
{
    const std::string folder = scratch_folder() + "/run";
    const std::string train =
        on(2, std::string("train --epochs 1000000 --output ") + folder + " " + small);
    const Outcome outcome =
        run_and(train, folder + "/checkpoint.safetensors", 0, [](pid_t launcher) {
            for (const pid_t rank : ranks_of(launcher)) kill(rank, SIGINT);
        });
    EXPECT_CONTAINS(outcome.err, "recurve train: interrupted in epoch ");
    EXPECT_CONTAINS(outcome.err,
                    "; to resume: mpirun -n 2 recurve-mpi train --resume " + folder + "\n");
}

/* RECURVE_MPI_KILLS=50 makes it so many. */
TEST(Mpi, AfterEveryKillOfARankAnyNumberContinues)
{
    const int kills = rounds("RECURVE_MPI_KILLS", 2);
    const std::string options = std::string(small) + " --epochs 150";
    const auto start = std::chrono::steady_clock::now();
    const std::string whole = recurve("train --digest " + options).out;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::mt19937 random(std::random_device{}());
    std::uniform_real_distribution<double> moment(0, 3 * seconds.count());
    std::string folder = scratch_folder();
    int resumed = 0;
    for (int done = 0; done < kills;) {
        const bool saved = exists(folder + "/checkpoint.safetensors");
        const std::string run =
            saved ? "train --digest --resume " + folder
                  : "train --digest --overwrite --output " + folder + " " + options;
        bool killed;
        const std::string lock = folder + "/run.lock";
        std::remove(lock.c_str()); /* of a rank that was killed */
        const Outcome outcome = run_and_kill(on(1 + static_cast<int>(random() % 4), run), lock,
                                             moment(random), &random, &killed);
        resumed += saved;
        done += killed;
        if (outcome.status == 0) {
            EXPECT_EQ(outcome.out, whole);
            folder = scratch_folder();
            continue;
        }
        EXPECT_TRUE(killed) << outcome.err;
        EXPECT_CONTAINS(outcome.err, "signal 9");
        if (HasFailure()) return;
    }
    const bool saved = exists(folder + "/checkpoint.safetensors");
    const Outcome outcome =
        run_program(on(3, saved ? "train --digest --resume " + folder
                                : "train --digest --overwrite --output " + folder + " " + options));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.out, whole);
    EXPECT_GT(resumed + saved, 0);
}

/* ---- sweeps ---- */

const char adding[] = R"({"task": "adding", "samples": 120, "length": 6, "model": ["gru", "rnn"],
  "units": {"uniform": [4, 9]}, "learning-rate": {"log-uniform": [1e-4, 1e4]},
  "epochs": [9, 9, 9, 600]})";

TEST(Mpi, ASweepOnRanksHasTheTableOfOneProcess)
{
    for (const std::string options : {" --trials 18", " --trials 18 --halving 3 --epochs 9"}) {
        const std::string folder = scratch_folder(), one = folder + "/one.sqlite",
                          three = folder + "/three.sqlite",
                          space = written(options.find("halving") == std::string::npos
                                              ? adding
                                              : R"({"task": "adding", "samples": 60, "model": "rnn",
                                                  "units": {"uniform": [2, 6]}})");
        ASSERT_EQ(sweep(space + options + " --database " + one).status, 0);
        const Outcome outcome =
            run_program(on(3, "sweep " + space + options + " --database " + three));
        EXPECT_EQ(outcome.status, 0) << outcome.err;
        EXPECT_CONTAINS(outcome.out, "18 trials");
        EXPECT_EQ(table(three), table(one));
        EXPECT_EQ(rows(three, "SELECT count(*) FROM worker"), "1\n");
    }
}

TEST(Mpi, ASweepLosesNoTrialOfARankThatIsKilled)
{
    const std::string folder = scratch_folder(), whole = folder + "/whole.sqlite",
                      killed = folder + "/killed.sqlite",
                      common = "sweep " + written(adding) + " --trials 24 --database ";
    ASSERT_EQ(recurve(common + whole).status, 0);
    std::mt19937 random(std::random_device{}());
    int kills = 0;
    for (int done = 0; done < rounds("RECURVE_MPI_KILLS", 2); done++) {
        bool at_work;
        const Outcome outcome =
            run_and_kill(on(3, common + killed), killed, done ? 1 : 0.1, &random, &at_work);
        kills += at_work && outcome.status != 0;
    }
    EXPECT_GE(kills, 1);
    const Outcome outcome = run_program(on(2, common + killed));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(table(killed), table(whole));
}

/* Writing the result of trial 7 fails once, so that its rank leaves. */
TEST(Mpi, ASweepLosesNoTrialOfARankThatLeaves)
{
    const std::string folder = scratch_folder(), whole = folder + "/whole.sqlite",
                      some = folder + "/some.sqlite",
                      common = "sweep " +
                               written(R"({"task": "adding", "samples": 60, "model": "rnn",
                                           "units": {"uniform": [2, 6]}, "epochs": 1})") +
                               " --database ";
    ASSERT_EQ(recurve(common + whole + " --trials 12").status, 0);
    ASSERT_EQ(recurve(common + some + " --trials 4").status, 0);
    rows(some,
         "CREATE TRIGGER once BEFORE UPDATE ON trial WHEN OLD.number = 7 AND OLD.attempts = 0 "
         "AND NEW.state = 'done' BEGIN SELECT RAISE(ABORT, 'not now'); END");
    const Outcome outcome = run_program(on(3, common + some + " --trials 12"));
    EXPECT_EQ(outcome.status, 1);
    EXPECT_CONTAINS(outcome.err, ": trial 7: ");
    EXPECT_CONTAINS(outcome.err, "not now");
    EXPECT_EQ(table(some), table(whole));
}

TEST(Mpi, MistakesInASweepAreReportedOnce)
{
    const std::string folder = scratch_folder(),
                      good = written(R"({"units": [4, 5], "epochs": 1})"),
                      bad = written(R"({"unit": [4, 5]})");
    EXPECT_CONTAINS(
        run_program(on(1, "sweep " + good + " --database " + folder + "/s")).err,
        "recurve sweep: rank 0 keeps the database and the others train; start at least 2 "
        "ranks, or use `recurve sweep`\n");
    const std::string message = "unknown option \"unit\"; did you mean \"units\"?\n";
    const Outcome outcome = run_program(on(3, "sweep " + bad + " --database " + folder + "/other"));
    const size_t first = outcome.err.find(message);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_NE(first, std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.err.find(message, first + 1), std::string::npos) << outcome.err;
}

} // namespace
