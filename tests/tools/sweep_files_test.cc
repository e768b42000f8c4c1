/* The files of sweeps: merging them, and files that are no sweep's, damaged or full. */
#include <sys/stat.h>

#include <filesystem>
#include <vector>

#include "tests/tools/sweep.h"

namespace {

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
                   "\": --seed is 2, not 1; merge the files of one sweep");
    refused(folder + "/none", "cannot open \"" + folder +
                                  "/none\": No such file or directory; name a file that exists: "
                                  "`recurve sweep SPACE.json` and `recurve experiment NAME` make "
                                  "new ones");
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
    EXPECT_EQ(sweep(space + " --trials 2 --database " + space).err,
              "recurve sweep: \"" + space +
                  "\" is no database, or a damaged one; name the database of a sweep, or a new "
                  "file\n");
    EXPECT_EQ(sweep(space + " --trials 2 --database " + folder + "/none/s.sqlite").err,
              "recurve sweep: cannot open \"" + folder +
                  "/none/s.sqlite\": No such file or directory; make its folder, or name another "
                  "file\n");
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
        std::string expected = message;
        if (const size_t at = expected.find("SPACE\""); at != std::string::npos)
            expected.replace(at, 5, arguments.substr(0, arguments.find(' ')));
        EXPECT_EQ(outcome.err, "recurve sweep: " + expected + "\n" +
                                   (status == 2 ? "Try 'recurve sweep --help'.\n" : ""));
        EXPECT_EQ(outcome.status, status);
    };
    const std::string another = "\"" + database + "\" holds another sweep: ",
                      instead = "; name another --database, or continue that sweep without "
                                "\"SPACE\"";
    refused(space + " --seed 2", another + "--seed is 1, not 2" + instead, 2);
    refused(space + " --epochs 2", another + "--epochs is unset, not 2" + instead, 2);
    refused(written(R"({"units": [4, 6], "epochs": 1})"),
            another + "units of SPACE.json is [4,5], not [4,6]" + instead, 2);
    refused(written(R"({"units": [4, 5]})"),
            another + "epochs of SPACE.json is 1, not unset" + instead, 2);
    refused(written(R"({"epochs": 1, "units": [4, 5]})"),
            another + "its SPACE.json or options are in another order" + instead, 2);
    refused(space + " --objective loss",
            another + "--objective is validation_loss, not loss" + instead, 2);
    refused("--epochs 5",
            "--epochs: \"" + database +
                "\" has options of its own; leave this one out, or name a new --database",
            2);
    refused(space + " --show",
            "--show prints the trials that the database has; leave out SPACE.json, or --show to "
            "train",
            2);
    refused("--show --objective parameters",
            "--objective: \"" + database +
                "\" has options of its own; leave this one out, or name a new --database",
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
        if (std::string(name) == "sqlite_schema") { /* the file's first bytes */
            EXPECT_EQ(outcome.err, "recurve sweep: \"" + database +
                                       "\" is no database, or a damaged one; name the database of "
                                       "a sweep, or a new file\n");
        } else {
            EXPECT_CONTAINS(outcome.err, "\"" + database + "\" is damaged");
            EXPECT_CONTAINS(outcome.err, "use a copy of it, or save what is left with `sqlite3 "
                                         "FILE .recover | sqlite3 NEW`\n");
        }
        EXPECT_EQ(slurp(database), damaged);
    }
}

} // namespace
