/* The trials of a sweep: each is taken by one worker at a time, and returns when its worker is
 * killed. */
#include <atomic>
#include <filesystem>
#include <set>
#include <thread>
#include <vector>

#include "tests/tools/sweep.h"

extern "C" {
#include "tools/sweep/space.h"
#include "tools/sweep/trials.h"
}

namespace {

/* A process that takes a trial and keeps it until it is killed. Returns the number of the trial. */
pid_t taker(const std::string &path, int64_t *number)
{
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        database d;
        sweep_plan plan;
        rv_error error = {};
        trial t;
        bool left;
        int64_t taken = -1;
        if (database_open(&d, path.c_str(), nullptr, &plan, &error) && database_join(&d, &error) &&
            trials_take(&d, {0, 99}, &t, &left, &error))
            taken = t.number;
        if (write(ends[1], &taken, sizeof taken) < 0) _exit(1);
        for (;;) pause();
    }
    EXPECT_EQ(read(ends[0], number, sizeof *number), static_cast<ssize_t>(sizeof *number));
    close(ends[0]);
    close(ends[1]);
    return child;
}

void end(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
}

/* A database with trials that wait. */
std::string waiting(int trials)
{
    const std::string path = scratch_folder() + "/sweep.sqlite";
    sweep_plan fresh = {}, plan;
    database d;
    rv_error error = {};
    fresh.space = fresh.options = const_cast<char *>("{}");
    fresh.folder = const_cast<char *>("/");
    fresh.objective = const_cast<char *>("loss");
    EXPECT_TRUE(database_open(&d, path.c_str(), &fresh, &plan, &error)) << error.text;
    for (int i = 0; i < trials; i++)
        EXPECT_TRUE(database_run(&d, &error, "INSERT INTO trial(number, settings) VALUES(?, '{}')",
                                 "i", static_cast<int64_t>(i)));
    sweep_plan_free(&plan);
    database_close(&d);
    return path;
}

/* A worker of this process. */
struct Worker {
    explicit Worker(const std::string &path)
    {
        EXPECT_TRUE(database_open(&d, path.c_str(), nullptr, &plan, &error)) << error.text;
        EXPECT_TRUE(database_join(&d, &error)) << error.text;
    }
    ~Worker()
    {
        trial_free(&t);
        sweep_plan_free(&plan);
        database_close(&d);
    }
    int64_t take()
    {
        bool left;
        trial_free(&t);
        return trials_take(&d, {0, 99}, &t, &left, &error) ? t.number : -1;
    }
    database d;
    sweep_plan plan;
    rv_error error = {};
    trial t = {};
    const objective *loss = objective_find("loss", &error);
};

TEST(Sweep, ATrialIsTakenOnceAndAgainAtOnceWhenItsWorkerIsKilled)
{
    const std::string path = waiting(3);
    int64_t a, b, c, none, again;
    const pid_t first = taker(path, &a), second = taker(path, &b), third = taker(path, &c);
    end(taker(path, &none));
    EXPECT_EQ((std::set<int64_t>{a, b, c}), (std::set<int64_t>{0, 1, 2}));
    EXPECT_EQ(none, -1);
    end(second);
    const pid_t fourth = taker(path, &again);
    EXPECT_EQ(again, b);
    end(first), end(third), end(fourth);
}

TEST(Sweep, TrialsAreAddedInManyTransactions)
{
    const std::string path = waiting(0);
    std::atomic<bool> added(false);
    std::thread adding([&] {
        Worker w(path);
        space s;
        const rv_train_config none = rv_train_config_new();
        EXPECT_TRUE(space_parse(&s, R"({"units": {"uniform": [4, 9]}})", "space", &w.error));
        EXPECT_TRUE(trials_add(&w.d, &w.plan, &s, &none, {0, 5999}, &w.error)) << w.error.text;
        space_free(&s);
        added = true;
    });
    std::set<int> seen;
    while (!added) seen.insert(std::stoi(rows(path, "SELECT count(*) FROM trial")));
    adding.join();
    EXPECT_GT(seen.size(), 2u);
    for (const int count : seen) EXPECT_EQ(count % 1000, 0) << count;
}

TEST(Sweep, ATrialThatEndedTwoWorkersIsTakenLast)
{
    const std::string path = waiting(3);
    std::vector<int64_t> taken(5);
    for (int64_t &number : taken) end(taker(path, &number));
    EXPECT_EQ(taken, (std::vector<int64_t>{0, 0, 1, 1, 2}));
}

TEST(Sweep, ATrialWithoutMemoryIsTriedLastAndThenFails)
{
    const std::string path = waiting(2);
    Worker w(path);
    const auto retry = [&] {
        EXPECT_TRUE(trials_retry(&w.d, &w.plan, w.loss, &w.t, "too large", &w.error));
    };
    EXPECT_EQ(w.take(), 0);
    retry();
    EXPECT_EQ(w.take(), 1);
    for (int attempt = 2; attempt <= ATTEMPTS; attempt++) {
        EXPECT_EQ(w.take(), 0);
        retry();
    }
    EXPECT_EQ(w.take(), -1);
    EXPECT_EQ(rows(path, "SELECT state, message FROM trial WHERE number = 0"),
              "failed|too large\n");
}

TEST(Sweep, AMergeLeavesTheTrialsOfLivingWorkers)
{
    const std::string path = waiting(2), other = path + "2";
    std::filesystem::copy_file(path, other);
    rows(other, "UPDATE trial SET state = 'done'");
    int64_t number;
    const pid_t child = taker(path, &number);
    const Outcome merged = sweep("--database " + path + " --merge " + other);
    EXPECT_EQ(merged.status, 0) << merged.err;
    EXPECT_EQ(rows(path, "SELECT number, state, worker FROM trial ORDER BY number"),
              "0|running|1\n1|done|NULL\n");
    end(child);
    EXPECT_EQ(sweep("--database " + path + " --merge " + other).status, 0);
    EXPECT_EQ(rows(path, "SELECT DISTINCT state FROM trial"), "done\n");
}

TEST(Sweep, AWorkerWritesNoTrialThatIsAnothersNow)
{
    const std::string path = waiting(1);
    Worker w(path);
    trial_result result = {};
    result.state = "done";
    EXPECT_EQ(w.take(), 0);
    rows(path, "UPDATE trial SET worker = 7");
    EXPECT_TRUE(trials_write(&w.d, &w.plan, w.loss, &w.t, &result, &w.error));
    EXPECT_TRUE(w.t.lost);
    EXPECT_EQ(rows(path, "SELECT state, worker FROM trial"), "running|7\n");
}

} // namespace
