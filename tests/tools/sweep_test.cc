/* recurve sweep: settings are a pure function of seed and trial; each trial is trained once, whoever is killed; the result
 * depends on neither the workers nor their deaths. */
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "tests/rounds.h"
#include "tests/tools/command.h"

extern "C" {
#include "tensor/memory.h"
#include "tools/sweep/trials.h"
}

namespace {

/* Trials of some milliseconds, and some of some tenths of a second. */
const char space_text[] =
    R"({"task": "adding", "samples": 120, "length": 6, "model": ["gru", "rnn"],
  "optimizer": ["adam", "momentum"], "units": {"uniform": [4, 9]},
  "learning-rate": {"log-uniform": [1e-4, 1e4]},
  "momentum": {"uniform": [0.5, 0.99], "when": {"optimizer": "momentum"}},
  "epochs": [4, 4, 4, 4, 4, 4, 4, 4, 4, 400]})";

std::string written(const std::string &text)
{
    const std::string path = scratch_folder() + "/space.json";
    spit(path, text);
    return path;
}

/* The rows of a query, columns joined by |. */
std::string rows(const std::string &path, const std::string &sql)
{
    std::string text;
    sqlite3 *sqlite = nullptr;
    EXPECT_EQ(sqlite3_open(path.c_str(), &sqlite), SQLITE_OK);
    sqlite3_busy_timeout(sqlite, 10000);
    const auto add = [](void *to, int count, char **values, char **) {
        for (int i = 0; i < count; i++)
            *static_cast<std::string *>(to) +=
                std::string(values[i] ? values[i] : "NULL") + (i + 1 < count ? "|" : "\n");
        return 0;
    };
    EXPECT_EQ(sqlite3_exec(sqlite, sql.c_str(), add, &text, nullptr), SQLITE_OK)
        << sqlite3_errmsg(sqlite);
    sqlite3_close(sqlite);
    return text;
}

/* All that must not depend on workers and kills. */
std::string table(const std::string &path)
{
    return rows(path, "SELECT number, state, settings, epochs, best_epoch, objective, parameters, "
                      "digest, checkpoint IS NULL FROM trial ORDER BY number") +
           rows(path, "SELECT trial, epoch, loss, validation_loss, validation_error FROM epoch "
                      "ORDER BY trial, epoch");
}

Outcome sweep(const std::string &arguments) { return recurve("sweep " + arguments); }

/* ---- the settings ---- */

using Trial = std::string;

std::vector<Trial> drawn(const char *text, uint64_t seed, int count)
{
    space s;
    rv_error error = {};
    std::vector<Trial> all;
    EXPECT_TRUE(space_parse(&s, text, "space.json", &error)) << error.text;
    for (int i = 0; i < count; i++) {
        char *settings = space_draw(&s, nullptr, seed, i);
        all.emplace_back(settings);
        rv_free(settings);
    }
    space_free(&s);
    return all;
}

TEST(Sweep, SettingsAreAPureFunctionOfSeedAndTrial)
{
    const std::vector<Trial> all = drawn(space_text, 1, 50), others = drawn(space_text, 2, 50);
    EXPECT_EQ(all, drawn(space_text, 1, 50));
    EXPECT_EQ(std::set<Trial>(all.begin(), all.end()).size(), 50u);
    for (int i = 0; i < 50; i++) EXPECT_NE(all[i], others[i]);
    /* Whatever other options the space draws, and wherever. */
    const std::vector<Trial> alone = drawn(R"({"units": {"uniform": [4, 9]}})", 1, 50);
    for (int i = 0; i < 50; i++)
        EXPECT_EQ(Json(all[i]).number("units"), Json(alone[i]).number("units"));
}

TEST(Sweep, DrawsCoverTheirRangesEvenly)
{
    enum { COUNT = 20000 };
    std::map<double, int> units, layers;
    int low = 0;
    for (const Trial &t : drawn(R"({"units": {"uniform": [4, 9]}, "layers": [1, 2, 4, 8],
                                    "steps": {"log-uniform": [1, 7]},
                                    "learning-rate": {"log-uniform": [1e-4, 1]}})",
                                3, COUNT)) {
        const Json settings(t);
        const double rate = settings.number("learning-rate");
        units[settings.number("units")]++;
        layers[settings.number("layers")]++;
        EXPECT_GE(rate, 1e-4);
        EXPECT_LE(rate, 1);
        low += rate < 1e-3;
        EXPECT_GE(settings.number("steps"), 1);
        EXPECT_LE(settings.number("steps"), 7);
    }
    EXPECT_EQ(units.size(), 6u);
    EXPECT_EQ(layers.size(), 4u);
    for (const auto &[value, count] : units) EXPECT_NEAR(count, COUNT / 6, 300) << value;
    for (const auto &[value, count] : layers) EXPECT_NEAR(count, COUNT / 4, 300) << value;
    EXPECT_NEAR(low, COUNT / 4, 300);
}

TEST(Sweep, EachIsAGridInWhichEveryCombinationComesEquallyOften)
{
    std::map<std::string, int> seen;
    for (const Trial &t : drawn(R"({"model": {"each": ["gru", "rnn", "lstm", "ugrnn"]},
                                    "learning-rate": {"log-uniform": [1e-4, 1]},
                                    "layers": {"each": [1, 2]}})",
                                1, 80)) {
        const Json settings(t);
        seen[settings.text("model") + std::to_string(settings.number("layers"))]++;
    }
    EXPECT_EQ(seen.size(), 8u);
    for (const auto &[combination, count] : seen) EXPECT_EQ(count, 10) << combination;
}

TEST(Sweep, APictureHasAPanelForEachSetting)
{
    const std::string folder = scratch_folder(), common = " --database " + folder + "/s.sqlite";
    ASSERT_EQ(sweep(written(space_text) + " --trials 9" + common).status, 0);
    EXPECT_EQ(sweep("--plot " + folder + "/sweep" + common).status, 0);
    const std::string svg = slurp(folder + "/sweep.svg");
    for (const char *name : {"model", "optimizer", "units", "learning-rate", "momentum", "epochs",
                             "gru", "adam", "validation_loss"})
        EXPECT_NE(svg.find(">" + std::string(name) + "<"), std::string::npos) << name;
}

TEST(Sweep, ConditionsHoldAndOnlyThen)
{
    int with = 0;
    for (const Trial &t : drawn(space_text, 1, 100)) {
        const bool momentum = t.find("\"momentum\":") != std::string::npos;
        EXPECT_EQ(momentum, t.find("\"optimizer\":\"momentum\"") != std::string::npos) << t;
        with += momentum;
    }
    EXPECT_GT(with, 20);
    for (const Trial &t : drawn(R"({"optimizer": ["adam", "sgd"], "learning-rate": [
            {"log-uniform": [1e-4, 1e-3], "when": {"optimizer": "adam"}},
            {"log-uniform": [1e-2, 1e-1]}]})",
                                1, 50)) {
        const Json settings(t);
        EXPECT_EQ(settings.number("learning-rate") < 5e-3, settings.text("optimizer") == "adam");
    }
}

/* ---- taking trials ---- */

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

/* ---- whole sweeps ---- */

pid_t started(const std::string &arguments)
{
    const pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        execl("/bin/sh", "sh", "-c",
              ("exec tools/recurve sweep " + arguments + " >/dev/null 2>&1 </dev/null").c_str(),
              nullptr);
        _exit(127);
    }
    setpgid(child, child);
    return child;
}

/* RECURVE_SWEEP_KILLS=30 kills so many, in a sweep of 200 trials. */
TEST(Sweep, WhoeverIsKilledEachTrialIsTrainedOnceToTheSameResult)
{
    const int kills = rounds("RECURVE_SWEEP_KILLS", 6), trials = std::min(200, 8 * kills);
    const std::string space = written(space_text), folder = scratch_folder(),
                      whole = folder + "/whole.sqlite", killed = folder + "/killed.sqlite",
                      common = space + " --trials " + std::to_string(trials) + " --database ";
    const Outcome outcome = sweep(common + whole);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    std::mt19937 random(std::random_device{}());
    std::vector<pid_t> workers(4, 0);
    for (int done = 0; done < kills; done++) {
        for (pid_t &w : workers)
            if (w == 0) w = started(common + killed);
        std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 200));
        pid_t &victim = workers[random() % workers.size()];
        kill(-victim, SIGKILL); /* with the process that waits for it */
        waitpid(victim, nullptr, 0);
        victim = 0;
    }
    for (const pid_t w : workers)
        if (w) waitpid(w, nullptr, 0);
    EXPECT_EQ(sweep(common + killed + " --workers 2").status, 0);
    EXPECT_EQ(rows(killed, "SELECT count(*) FROM trial"), std::to_string(trials) + "\n");
    EXPECT_EQ(table(killed), table(whole));
    EXPECT_GT(std::stoi(rows(killed, "SELECT count(*) FROM worker")), 4);
}

TEST(Sweep, HalvingHasTheSameResultForAnyNumberOfWorkers)
{
    const std::string space = written(R"({"task": "adding", "samples": 60, "length": 4,
        "model": "rnn", "units": {"uniform": [2, 6]}, "epochs": 9,
        "learning-rate": {"log-uniform": [1e-3, 1e3]}})"),
                      folder = scratch_folder(), one = folder + "/one.sqlite",
                      four = folder + "/four.sqlite", options = " --halving 3 --trials 27 ";
    EXPECT_EQ(sweep(space + options + "--database " + one).status, 0);
    EXPECT_EQ(sweep(space + options + "--workers 4 --database " + four).status, 0);
    EXPECT_EQ(table(one), table(four));
    EXPECT_EQ(rows(one, "SELECT count(*) FROM trial WHERE state = 'done'"), "3\n");
    /* By hand: in each bracket of nine, the three best after one epoch have more. */
    for (int bracket = 0; bracket < 3; bracket++) {
        const std::string within =
            " BETWEEN " + std::to_string(9 * bracket) + " AND " + std::to_string(9 * bracket + 8);
        EXPECT_EQ(rows(one, "SELECT number FROM trial WHERE epochs > 1 AND number" + within +
                                " ORDER BY number"),
                  rows(one, "SELECT trial FROM (SELECT trial FROM epoch JOIN trial ON number = "
                            "trial WHERE epoch = 1 AND state <> 'diverged' AND trial" +
                                within +
                                " ORDER BY validation_loss, trial LIMIT 3) ORDER BY trial"));
    }
}

TEST(Sweep, ATrialOfAStoppedWorkerContinuesFromItsCheckpoint)
{
    const std::string database = scratch_folder() + "/sweep.sqlite",
                      common = written(R"({"task": "adding", "samples": 120, "length": 6,
        "model": "rnn", "learning-rate": [0.01], "epochs": 100000})") +
                               " --trials 1 --database " + database;
    const auto epochs = [&] { return std::stoi("0" + rows(database, "SELECT epochs FROM trial")); };
    const auto until = [&](const std::function<bool()> &holds) {
        for (int i = 0; i < 500 && !holds(); i++)
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        EXPECT_TRUE(holds());
    };
    pid_t child = started(common);
    until([&] { return access(database.c_str(), F_OK) == 0; });
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    until([&] { return epochs() > 200; });
    kill(-child, SIGKILL);
    waitpid(child, nullptr, 0);
    const int before = epochs();
    child = started(common);
    until([&] {
        return rows(database, "SELECT count(*) FROM worker") == "2\n" &&
               rows(database, "SELECT worker FROM trial") == "2\n";
    });
    kill(child, SIGTERM);
    int status;
    waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 143);
    EXPECT_GE(epochs(), before);
    EXPECT_EQ(rows(database, "SELECT state FROM trial"), "waiting\n");
    EXPECT_EQ(rows(database, "SELECT count(*) = max(epoch) FROM epoch"), "1\n");
}

/* ---- results ---- */

TEST(Sweep, TheBestConfigurationTrainsToTheSameParameters)
{
    const std::string folder = scratch_folder(), database = folder + "/sweep.sqlite";
    ASSERT_EQ(sweep(written(space_text) + " --trials 6 --database " + database).status, 0);
    const Outcome best = sweep("--best --database " + database);
    ASSERT_EQ(best.status, 0) << best.err;
    spit(folder + "/best.json", best.out);
    EXPECT_EQ(
        recurve("train --digest --config " + folder + "/best.json").out,
        rows(database, "SELECT digest FROM trial WHERE state = 'done' ORDER BY objective LIMIT 1"));
}

TEST(Sweep, DivergedAndUnfitTrialsAreNoResults)
{
    const std::string database = scratch_folder() + "/sweep.sqlite";
    const Outcome outcome =
        sweep(written(R"({"task": "adding", "samples": 60, "length": 4, "model": "rnn", "epochs": 3,
        "optimizer": ["adam", "sgd"], "learning-rate": [0.01, 1e30], "momentum": [0.5]})") +
              " --trials 30 --database " + database);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(rows(database, "SELECT DISTINCT state FROM trial ORDER BY state"),
              "diverged\ndone\nfailed\n");
    EXPECT_CONTAINS(outcome.out, " diverged, ");
    EXPECT_CONTAINS(outcome.out, " failed; objective: the least validation_loss\n");
}

TEST(Sweep, ATrialWithoutItsDataFails)
{
    const std::string folder = scratch_folder(), database = folder + "/sweep.sqlite",
                      some = folder + "/some.csv", none = folder + "/none.csv";
    spit(some, "x,y\n1,0\n2,1\n3,0\n4,1\n5,0\n6,1\n7,0\n8,1\n9,0\n");
    const Outcome outcome = sweep(
        written(R"({"data": {"each": [")" + some + R"(", ")" + none + R"("]}, "epochs": 1})") +
        " --trials 4 --database " + database);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(rows(database, "SELECT number, state, message FROM trial ORDER BY number"),
              "0|done|NULL\n1|failed|cannot read \"" + none +
                  "\": No such file or directory\n2|done|NULL\n3|failed|cannot read \"" + none +
                  "\": No such file or directory\n");
}

TEST(Sweep, PartsOfASweepMergeToTheWhole)
{
    const std::string folder = scratch_folder(), space = written(space_text),
                      whole = folder + "/whole.sqlite", all = folder + "/all.sqlite",
                      a = folder + "/a.sqlite", b = folder + "/b.sqlite";
    ASSERT_EQ(sweep(space + " --trials 12 --database " + whole).status, 0);
    ASSERT_EQ(sweep(space + " --trials 0-6 --database " + a).status, 0);
    ASSERT_EQ(sweep(space + " --trials 5-11 --database " + b).status, 0); /* 5 and 6 count once */
    const Outcome merged = sweep("--database " + all + " --merge " + a + " " + b);
    EXPECT_EQ(merged.status, 0) << merged.err;
    EXPECT_EQ(table(all), table(whole));
    EXPECT_CONTAINS(merged.out, "12 of 12 trials done");
    EXPECT_EQ(sweep("--database " + all + " --merge " + a + " " + b).status, 0);
    EXPECT_EQ(table(all), table(whole));
    EXPECT_EQ(sweep("--database " + all + " --merge " + folder + "/./all.sqlite " + b).status, 0);
    EXPECT_EQ(table(all), table(whole));

    /* A trial that was running has no worker now; it continues here. */
    rows(a, "UPDATE trial SET state = 'running', worker = 1, digest = NULL WHERE number = 3; "
            "DELETE FROM epoch WHERE trial = 3");
    const std::string again = folder + "/again.sqlite";
    EXPECT_EQ(sweep("--database " + again + " --merge " + a + " " + b).status, 0);
    EXPECT_EQ(rows(again, "SELECT number, worker FROM trial WHERE state = 'waiting'"), "3|NULL\n");
    EXPECT_EQ(sweep("--database " + again).status, 0);
    EXPECT_EQ(table(again), table(whole));

    /* Whatever the order, a trial that is done replaces one that is not. */
    for (const std::string &files : {a + " " + whole, whole + " " + a}) {
        const std::string both = scratch_folder() + "/both.sqlite";
        EXPECT_EQ(sweep("--database " + both + " --merge " + files).status, 0);
        EXPECT_EQ(table(both), table(whole));
    }

    const auto refused = [&](const std::string &file, const std::string &message) {
        const Outcome outcome = sweep("--database " + all + " --merge " + file);
        EXPECT_EQ(outcome.status, 1);
        EXPECT_EQ(outcome.err, "recurve sweep: " + message + "\n");
        EXPECT_EQ(table(all), table(whole));
    };
    rows(b, "UPDATE trial SET digest = 'another' WHERE number = 7");
    refused(b, "\"" + b + "\" and \"" + all +
                   "\" have different results of trial 7; give each machine --trials of its own");
    rows(b, "UPDATE sweep SET value = 2 WHERE key = 'seed'");
    refused(b, "\"" + b + "\" holds another sweep than \"" + all +
                   "\": its seed differs; merge the files of one sweep");
    refused(folder + "/none", "cannot open \"" + folder +
                                  "/none\": No such file or directory; begin a sweep with "
                                  "SPACE.json, or name its database");
}

/* Each part lacks one trial of the bracket at the end of the rung. */
TEST(Sweep, AMergeThatCompletesABracketDecidesIt)
{
    const std::string folder = scratch_folder(), whole = folder + "/whole.sqlite",
                      all = folder + "/all.sqlite", a = folder + "/a.sqlite",
                      b = folder + "/b.sqlite";
    ASSERT_EQ(sweep(written(R"({"task": "adding", "samples": 60, "length": 4, "model": "rnn",
        "epochs": 4, "learning-rate": {"log-uniform": [1e-3, 0.1]}})") +
                    " --halving 2 --trials 4 --database " + whole)
                  .status,
              0);
    for (const std::string &part : {a, b}) {
        const std::string lacks = part == a ? "3" : "1";
        std::filesystem::copy_file(whole, part);
        rows(part, "UPDATE trial SET state = 'paused', rung = 0, epochs = 1, best_epoch = 1, "
                   "checkpoint = NULL, objective = (SELECT validation_loss FROM epoch WHERE trial "
                   "= number AND epoch = 1); DELETE FROM epoch WHERE epoch > 1 OR trial = " +
                       lacks +
                       "; UPDATE trial SET state = 'waiting', epochs = 0, objective = NULL WHERE "
                       "number = " +
                       lacks);
    }
    EXPECT_EQ(sweep("--database " + all + " --merge " + a + " " + b).status, 0);
    EXPECT_EQ(rows(all, "SELECT state, rung, count(*) FROM trial GROUP BY 1, 2"),
              "stopped|0|2\nwaiting|1|2\n");
    EXPECT_EQ(sweep("--database " + all).status, 0);
    EXPECT_EQ(table(all), table(whole));

    rows(all, "UPDATE trial SET state = 'paused' WHERE state = 'done'");
    const Outcome stuck = sweep("--database " + all);
    EXPECT_EQ(stuck.status, 1);
    EXPECT_EQ(stuck.err, "recurve sweep: 1 trial of \"" + all +
                             "\" is open, but cannot be trained; merge the parts of the sweep "
                             "again into a new file\n");
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
    const trial_result result = {"done", nullptr, nullptr, 1, 1, 1, nullptr, 0};
    EXPECT_EQ(w.take(), 0);
    rows(path, "UPDATE trial SET worker = 7");
    EXPECT_TRUE(trials_write(&w.d, &w.plan, w.loss, &w.t, &result, &w.error));
    EXPECT_TRUE(w.t.lost);
    EXPECT_EQ(rows(path, "SELECT state, worker FROM trial"), "running|7\n");
}

/* ---- mistakes ---- */

struct Mistake {
    std::string space, options, message;
    int status;
};

TEST(Sweep, MistakesAreExplained)
{
    const std::string folder = scratch_folder(), space = folder + "/space.json",
                      database = folder + "/sweep.sqlite";
    const std::string fine = R"({"units": [4, 5], "epochs": 1})";
    const std::vector<Mistake> mistakes = {
        {R"({"lerning-rate": 1})", "",
         "\"SPACE\": unknown option \"lerning-rate\"; did you mean \"learning-rate\"?", 1},
        {R"({"units": {"uniform": [64, 8]}})", "",
         "\"SPACE\": units: the range [64, 8] is empty; expected [least, greatest]", 1},
        {R"({"units": []})", "",
         "\"SPACE\": units has no choices; expected a list, such as [1, 2, 4]", 1},
        {R"({"units": {"unifrom": [1, 2]}})", "",
         "\"SPACE\": units: unknown distribution \"unifrom\"; did you mean \"uniform\"?", 1},
        {R"({"units": {"uniform": [0, 2]}})", "",
         "\"SPACE\": units: got \"0\", expected a whole number from 1 to 4096", 1},
        {R"({"optimizer": ["adam", "adm"]})", "",
         "\"SPACE\": optimizer: unknown optimizer \"adm\"; did you mean \"adam\"?", 1},
        {R"({"model": {"uniform": [1, 2]}})", "",
         "\"SPACE\": model is no number, so it cannot be uniform; give a list of choices", 1},
        {R"({"dropout": {"log-uniform": [0, 0.5]}})", "",
         "\"SPACE\": dropout: log-uniform from 0 has no logarithm; begin above 0, or use uniform",
         1},
        {R"({"units": {"uniform": [1, 2], "when": {"optimizer": "adam"}}})", "",
         "\"SPACE\": units: when names \"optimizer\", which is not a key above it; a condition is "
         "about a key that comes earlier",
         1},
        {R"({"optimizer": ["adam", "momentum"],
             "momentum": {"uniform": [0, 0.9], "when": {"optimizer": "momentun"}}})",
         "", "\"SPACE\": optimizer: unknown optimizer \"momentun\"; did you mean \"momentum\"?", 1},
        {R"({"units": [1, 2], "layers": {"choices": [1], "when": {"units": [2, 0]}}})", "",
         "\"SPACE\": units: got \"0\", expected a whole number from 1 to 4096", 1},
        {R"({"output": "x"})", "", "\"SPACE\": output is not a setting of a trial; leave it out",
         1},
        {R"({"units": [1], "hidden-size": [2]})", "", "\"SPACE\": units is given twice", 1},
        {R"({"units": 4})", "",
         "SPACE.json draws nothing, so all trials would be equal; give an option a list or a "
         "range, such as \"learning-rate\": {\"log-uniform\": [1e-4, 1]}",
         2},
        {"[1]", "", "\"SPACE\" is not a JSON object", 1},
        {fine, "--objective validation_error",
         "--objective validation_error: the data have labels; use validation_loss or "
         "validation_accuracy",
         2},
        {fine, "--trials 9-3",
         "--trials: got \"9-3\", expected a number of trials, or the first and the last, such as "
         "0-99, below 10000000",
         2},
        {fine, "--halving 3 --epochs 9 --trials 10",
         "--trials: halving by 3 from 1 to 9 epochs decides among 9 trials at a time; give a "
         "multiple, such as 18",
         2},
        {fine, "--halving 3",
         "--rung 1 is not below the 1 epoch of a run; give more --epochs, or a smaller --rung", 2},
    };
    for (const Mistake &m : mistakes) {
        SCOPED_TRACE(m.space + " " + m.options);
        spit(space, m.space);
        const Outcome outcome = sweep(space + " --database " + database + " " + m.options);
        std::string expected = "recurve sweep: " + m.message + "\n";
        if (const size_t at = expected.find("SPACE\""); at != std::string::npos)
            expected.replace(at, 5, space);
        if (m.status == 2) expected += "Try 'recurve sweep --help'.\n";
        EXPECT_EQ(outcome.err, expected);
        EXPECT_EQ(outcome.status, m.status);
        EXPECT_EQ(outcome.out, "");
        EXPECT_NE(access(database.c_str(), F_OK), 0); /* it could not be used for another sweep */
    }
}

TEST(Sweep, OnlyARegularFileIsADatabase)
{
    const std::string folder = scratch_folder(), pipe = folder + "/pipe",
                      space = written(R"({"units": [4, 5], "epochs": 1})");
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    for (const std::string &name : {std::string(":memory:"), std::string("file:sweep.sqlite"),
                                    std::string("/dev/null"), pipe, folder}) {
        const Outcome outcome = sweep(space + " --trials 2 --database " + name);
        EXPECT_EQ(outcome.status, 2);
        EXPECT_EQ(outcome.err, "recurve sweep: \"" + name +
                                   "\" is not a regular file; name one, such as sweep.sqlite\n"
                                   "Try 'recurve sweep --help'.\n");
    }
    for (const char *name : {":memory:", "file:sweep.sqlite", "sweep.sqlite"})
        EXPECT_NE(access(name, F_OK), 0) << name;
}

TEST(Sweep, WholeNumbersArePrintedExactly)
{
    const std::string database = " --database " + scratch_folder() + "/sweep.sqlite";
    ASSERT_EQ(sweep(written(R"({"task": "adding", "samples": 20, "length": 4, "model": "rnn",
        "epochs": 1, "seed": [10000000, 123456789012345]})") +
                    " --trials 8" + database)
                  .status,
              0);
    for (const char *how : {"--show", "--csv", "--json"}) {
        const Outcome outcome = sweep(how + database);
        EXPECT_CONTAINS(outcome.out, "10000000");
        EXPECT_CONTAINS(outcome.out, "123456789012345");
    }
}

TEST(Sweep, ACraftedDatabaseIsReported)
{
    const std::string database = scratch_folder() + "/sweep.sqlite";
    ASSERT_EQ(sweep(written(R"({"task": "adding", "samples": 20, "length": 4, "model": "rnn",
        "epochs": 4, "learning-rate": [0.1, 0.2]})") +
                    " --halving 2 --trials 4 --database " + database)
                  .status,
              0);
    const auto refused = [&](const std::string &sql, const std::string &message) {
        rows(database, sql);
        const Outcome outcome = sweep("--database " + database);
        EXPECT_EQ(outcome.status, 1);
        EXPECT_CONTAINS(outcome.err,
                        "\"" + database + "\" is damaged: " + message + "; use a copy of it\n");
    };
    refused("UPDATE trial SET state = 'waiting', rung = -5 WHERE number = 2",
            "trial 2 has rung -5");
    refused("UPDATE sweep SET value = 65536 WHERE key = 'halving'; UPDATE sweep SET value = "
            "1000000000000000000 WHERE key = 'epochs'",
            "halving by 65536 from 1 to 1000000000000000000 epochs");
}

TEST(Sweep, ADatabaseOfAnotherSweepIsRefusedAndUnchanged)
{
    const std::string folder = scratch_folder(), database = folder + "/sweep.sqlite",
                      space = written(R"({"units": [4, 5], "epochs": 1})"),
                      all = " --database " + database;
    ASSERT_EQ(sweep(space + " --trials 2" + all).status, 0);
    const std::string before = table(database);
    const auto refused = [&](const std::string &arguments, const std::string &message, int status) {
        const Outcome outcome = sweep(arguments + all);
        EXPECT_EQ(outcome.err, "recurve sweep: " + message + "\n" +
                                   (status == 2 ? "Try 'recurve sweep --help'.\n" : ""));
        EXPECT_EQ(outcome.status, status);
    };
    const std::string another = "\"" + database + "\" holds another sweep: ",
                      instead = "; name another --database, or continue that sweep without "
                                "SPACE.json";
    refused(space + " --seed 2", another + "--seed is 1, not 2" + instead, 2);
    refused(space + " --epochs 2", another + "its options of runs differ" + instead, 2);
    refused(written(R"({"units": [4, 6], "epochs": 1})"),
            another + "its SPACE.json was another one" + instead, 2);
    refused(space + " --objective loss",
            another + "--objective is validation_loss, not loss" + instead, 2);
    refused(
        "--epochs 5",
        "--epochs: a sweep continues with its own options; give SPACE.json to begin another one",
        2);
    rows(database, "PRAGMA user_version = 7");
    refused("--show",
            "\"" + database +
                "\" has version 7 of the format, but this program reads and writes version 2; use "
                "the version of recurve that made it",
            1);
    rows(database, "PRAGMA user_version = 2");
    rows(database, "PRAGMA application_id = 5");
    refused("--show", "\"" + database + "\" is a database of another program; name another file",
            1);
    EXPECT_EQ(table(database), before);
}

TEST(Sweep, OnAFullDiskNothingIsLost)
{
    const std::string space = written(space_text), folder = scratch_folder(),
                      whole = folder + "/whole.sqlite", full = folder + "/full.sqlite",
                      common = space + " --trials 24 --database ";
    ASSERT_EQ(sweep(common + whole).status, 0);
    const std::string program = std::filesystem::absolute("tools/recurve").string();
    const Outcome outcome =
        run_program("sh", "-c 'ulimit -f 160; exec " + program + " sweep " + common + full + "'");
    EXPECT_EQ(outcome.status, 1);
    EXPECT_CONTAINS(outcome.err,
                    "cannot write \"" + full +
                        "\": is the disk full? Free some space and repeat the command, "
                        "which continues from the last checkpoints\n");
    EXPECT_GT(std::stoi(rows(full, "SELECT count(*) FROM trial WHERE state = 'done'")), 0);
    EXPECT_EQ(sweep(common + full).status, 0);
    EXPECT_EQ(table(full), table(whole));
}

TEST(Sweep, ADamagedDatabaseIsReported)
{
    const std::string folder = scratch_folder(), database = folder + "/sweep.sqlite";
    ASSERT_EQ(sweep(written(space_text) + " --trials 6 --database " + database).status, 0);
    const std::string bytes = slurp(database);
    ASSERT_GT(bytes.size(), 20000u);
    for (const char *name : {"sqlite_schema", "sweep", "trial", "trial_state", "epoch"}) {
        SCOPED_TRACE(name);
        spit(database, bytes);
        const std::string page = rows(database, "SELECT coalesce(max(rootpage), 1) FROM "
                                                "sqlite_schema WHERE name = '" +
                                                    std::string(name) + "'");
        const size_t at = 4096 * (std::stoul(page) - 1);
        std::string damaged = bytes;
        damaged.replace(at, 512, 512, '\xa5');
        spit(database, damaged);
        const Outcome outcome = sweep("--database " + database);
        EXPECT_EQ(outcome.status, 1) << outcome.out;
        EXPECT_CONTAINS(outcome.err, "\"" + database + "\" is damaged");
        EXPECT_CONTAINS(outcome.err, "use a copy of it, or save what is left with `sqlite3 FILE "
                                     ".recover | sqlite3 NEW`\n");
        EXPECT_EQ(slurp(database), damaged);
    }
}

} // namespace
