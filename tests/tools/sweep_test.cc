/* recurve sweep: each trial is trained once, whoever is killed; the result depends on neither the
 * workers nor their deaths. */
#include <pty.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tests/rounds.h"
#include "tests/tools/sweep.h"

namespace {

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

    child = started(common); /* its worker alone is terminated */
    until([&] { return rows(database, "SELECT worker FROM trial") == "3\n"; });
    kill(std::stoi(rows(database, "SELECT process FROM worker WHERE number = 3")), SIGTERM);
    waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 143);
    EXPECT_EQ(rows(database, "SELECT state FROM trial"), "waiting\n");
}

/* The worker has the signal again during its update, as from its parent. */
TEST(Sweep, ASignalToAllProcessesEndsNoWorkerBeforeItHasSavedItsTrial)
{
    const std::string database = scratch_folder() + "/sweep.sqlite";
    const pid_t child = started(written(R"({"task": "adding", "samples": 1000, "length": 50,
        "model": "gru", "units": [48, 49], "batch-size": 900, "epochs": 1000})") +
                                " --trials 1 --database " + database);
    until([&] { return access(database.c_str(), F_OK) == 0; });
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    until([&] { return rows(database, "SELECT checkpoint NOT NULL FROM trial") == "1\n"; });
    const pid_t worker = std::stoi(rows(database, "SELECT process FROM worker"));
    kill(-child, SIGTERM);
    for (int i = 0; i < 3; i++) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        kill(worker, SIGTERM);
    }
    int status;
    waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 143);
    EXPECT_EQ(rows(database, "SELECT state FROM trial"), "waiting\n");
}

/* Each paint queries the database. */
TEST(Sweep, ProgressIsPaintedTwiceASecond)
{
    const std::string database = scratch_folder() + "/sweep.sqlite",
                      space = written(R"({"task": "adding", "samples": 60, "length": 4,
        "model": "rnn", "learning-rate": [0.01, 0.02], "epochs": 100000})");
    int terminal;
    const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
    if (child == 0) {
        execl("tools/recurve", "recurve", "sweep", space.c_str(), "--trials", "2", "--database",
              database.c_str(), nullptr);
        _exit(127);
    }
    std::thread timer([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(1700));
        kill(child, SIGTERM);
    });
    std::string painted;
    char some[4096];
    for (ssize_t got; (got = read(terminal, some, sizeof some)) > 0;)
        painted.append(some, static_cast<size_t>(got));
    timer.join();
    waitpid(child, nullptr, 0);
    close(terminal);
    int paints = 0;
    for (size_t at = 0; (at = painted.find("\r[", at)) != std::string::npos; at++) paints++;
    EXPECT_GE(paints, 1) << painted;
    EXPECT_LE(paints, 5) << painted;
}

/* ---- results ---- */

TEST(Sweep, TheBestConfigurationTrainsToTheSameParameters)
{
    const std::string folder = scratch_folder(), database = folder + "/sweep.sqlite";
    ASSERT_EQ(sweep(written(space_text) + " --trials 6 --database " + database).status, 0);
    const Outcome best = sweep("--best --database " + database);
    ASSERT_EQ(best.status, 0) << best.err;
    const Outcome shown = sweep("--show --database " + database);
    const std::string settings =
        rows(database, "SELECT number FROM trial WHERE state = 'done' ORDER BY objective LIMIT 1");
    const size_t row = shown.out.find('\n', shown.out.find("\ntrial ") + 1) + 1;
    EXPECT_EQ(std::stoi(shown.out.substr(row)), std::stoi(settings)) << shown.out;
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

/* A result, a setting and the objective may be called alike. */
TEST(Sweep, ColumnsHaveDifferentNames)
{
    const std::string words = written(R"({"task": "adding", "samples": 100, "length": 4,
        "model": "rnn", "epochs": [1, 2], "parameters": [40, 60]})") +
                              " --trials 2 --database ",
                      results = "trial,state,epochs,best_epoch,";
    const std::vector<std::pair<const char *, std::string>> names = {
        {"loss", results + "loss,parameters,seconds,digest"},
        {"epochs", results + "objective,parameters,seconds,digest"},
        {"parameters", results + "objective,parameters,seconds,digest"}};
    for (const auto &[objective, expected] : names) {
        const std::string database = scratch_folder() + "/" + objective + ".sqlite";
        const Outcome trained =
            sweep("--quiet --objective " + std::string(objective) + " " + words + database);
        ASSERT_EQ(trained.status, 0) << trained.err;
        const Outcome csv = sweep("--csv --database " + database);
        EXPECT_EQ(csv.out.substr(0, csv.out.find('\n')),
                  expected + ",setting_epochs,setting_parameters");
        const Outcome shown = sweep("--show --database " + database);
        EXPECT_CONTAINS(shown.out, "epochs     objective  setting_epochs  setting_parameters\n");
    }
}

TEST(Sweep, WholeNumbersArePrintedExactly)
{
    const std::string database = " --database " + scratch_folder() + "/sweep.sqlite";
    ASSERT_EQ(sweep(written(R"({"task": "adding", "samples": 20, "length": 4, "model": "rnn",
        "epochs": 1, "seed": [10000000, 9007199254740991]})") +
                    " --trials 8" + database)
                  .status,
              0);
    for (const char *how : {"--show", "--csv", "--json"}) {
        const Outcome outcome = sweep(how + database);
        EXPECT_CONTAINS(outcome.out, "10000000");
        EXPECT_CONTAINS(outcome.out, "9007199254740991");
    }
}

TEST(Sweep, APictureHasAPanelForEachSetting)
{
    const std::string folder = scratch_folder(), common = " --database " + folder + "/s.sqlite";
    ASSERT_EQ(sweep(written(space_text) + " --trials 9" + common).status, 0);
    const std::string drawn = folder + "/sweep";
    const Outcome shown = sweep("--plot " + drawn + common);
    EXPECT_EQ(shown.status, 0);
    EXPECT_CONTAINS(shown.err, "drew " + drawn + ".svg and " + drawn + ".png\n");
    const std::string svg = slurp(folder + "/sweep.svg");
    for (const char *name : {"model", "optimizer", "units", "learning-rate", "momentum", "epochs",
                             "gru", "adam", "validation_loss"})
        EXPECT_NE(svg.find(">" + std::string(name) + "<"), std::string::npos) << name;
}

/* An unfinished trial may be the best, for --show, for --best and for the table after training. */
TEST(Sweep, TheBestTrialIsTheFirstRowWhateverItsState)
{
    const std::string folder = scratch_folder(), database = folder + "/s.sqlite",
                      all = " --database " + database;
    ASSERT_EQ(sweep(written(R"({"task": "adding", "samples": 20, "length": 4, "model": "rnn",
        "epochs": 1, "units": {"each": [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]}})") +
                    " --trials 12" + all)
                  .status,
              0);
    rows(database, "UPDATE trial SET objective = 1 + number; UPDATE trial SET objective = 0.5, "
                   "state = 'waiting' WHERE number = 3; UPDATE trial SET objective = 0.1, state = "
                   "'diverged' WHERE number = 4; UPDATE trial SET objective = NULL, state = 'done' "
                   "WHERE number = 5; UPDATE trial SET state = 'failed', message = 'no' WHERE "
                   "number = 6");
    const Outcome shown = sweep("--show" + all);
    std::string order;
    for (size_t at = shown.out.find("\ntrial "); at != std::string::npos;
         at = shown.out.find('\n', at + 1))
        if (at + 5 < shown.out.size() && isdigit(shown.out[at + 5]))
            order += std::to_string(std::stoi(shown.out.substr(at))) + " ";
    EXPECT_EQ(order, "3 0 1 2 7 8 9 10 11 4 6 5 ") << shown.out;
    EXPECT_EQ(Json(sweep("--best" + all).out).number("units"), 5);
}

TEST(Sweep, ALongTableSaysThatItHasMoreRows)
{
    const std::string database = scratch_folder() + "/s.sqlite";
    const Outcome outcome =
        sweep(written(R"({"task": "adding", "samples": 20, "length": 4, "model": "rnn",
        "epochs": 1, "units": {"uniform": [2, 9]}})") +
              " --trials 11 --database " + database);
    EXPECT_CONTAINS(outcome.out,
                    "\nthe best 10 of 11; all: recurve sweep --show --database " + database + "\n");
    EXPECT_EQ(sweep("--show --database " + database).out.find("the best 10"), std::string::npos);
}

/* Each objective is what `recurve train` reports of the run. */
TEST(Sweep, AnyMetricOfARunIsAnObjective)
{
    const std::string folder = scratch_folder();
    const auto objective = [&](const std::string &metric, const std::string &settings) {
        const std::string database = folder + "/" + metric + ".sqlite";
        EXPECT_EQ(sweep(written("{" + settings + R"(, "units": {"each": [3, 6]}, "epochs": 3})") +
                        " --trials 2 --objective " + metric + " --database " + database)
                      .status,
                  0);
        const Outcome best = sweep("--best --database " + database);
        spit(folder + "/best.json", best.out);
        EXPECT_EQ(
            Json(best.out).number("units"),
            std::stoi(rows(database, "SELECT settings ->> 'units' FROM trial ORDER BY "
                                     "objective" +
                                         std::string(metric.find("acc") != std::string::npos ||
                                                             metric.find("bits") == 0
                                                         ? " DESC"
                                                         : "") +
                                         " LIMIT 1")));
        return std::stod(
            rows(database, "SELECT objective FROM trial WHERE settings ->> 'units' = " +
                               std::to_string(int(Json(best.out).number("units")))));
    };
    const auto trained = [&](const char *key) {
        return Json(recurve("train --json --config " + folder + "/best.json").out).number(key);
    };
    const std::string adding = R"("task": "adding", "samples": 60, "length": 4, "model": "rnn")",
                      capacity = R"("task": "capacity", "samples": 40, "size": 6, "model": "gru",
        "learning-rate": 0.1)";
    const struct {
        const char *metric, *key;
        const std::string &settings;
    } metrics[] = {{"final_loss", "loss", adding},
                   {"final_validation_error", "validation_error", adding},
                   {"train_error", "train_error", adding},
                   {"parameters", "parameters", adding},
                   {"train_accuracy", "train_accuracy", capacity}};
    for (const auto &m : metrics) {
        SCOPED_TRACE(m.metric);
        const double value = objective(m.metric, m.settings);
        EXPECT_NEAR(value, trained(m.key), 1e-12 * value);
    }
    const double p = objective("validation_accuracy", capacity),
                 bits = 40 * (1 + p * std::log2(p) + (1 - p) * std::log2(1 - p));
    ASSERT_GT(p, 0.5);
    ASSERT_LT(p, 1);
    EXPECT_NEAR(objective("bits", capacity), bits, 1e-9);
}

} // namespace
