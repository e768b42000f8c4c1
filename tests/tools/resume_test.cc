/* A run that is stopped, by a signal or a kill at any moment, goes on to the bits of one that never
 * was. */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>
#include <sstream>
#include <thread>
#include <vector>

#include "recurve.h"
#include "tests/rounds.h"
#include "tests/tools/command.h"

namespace {

/* ---- runs ---- */

/* A text of 16,000 characters. */
std::string written_text()
{
    static const char *const words[] = {"the ", "quick ", "brown ", "fox ", "jumps ", "over "};
    const std::string path = scratch_folder() + "/text.txt";
    std::mt19937 random(1);
    std::string text;
    while (text.size() < 16000) text += words[random() % 6];
    spit(path, text);
    return path;
}

/* Each takes some tenths of a second, at least one batch of an epoch is smaller, and all that a run
 * remembers is in one of them. */
std::vector<std::string> all_kinds()
{
    return {
        "--classes 0-4 --shift 1 --epochs 4",
        "--classes 0-9 --model gru --units 12 --optimizer adam --schedule cosine --warm-up 20 "
        "--dropout 0.2 --average 0.99 --accumulate 3 --epochs 30",
        "--data " + written_text() +
            " --carry --model gru --units 12 --length 20 --dropout 0.2 --embedding 4 --epochs 20",
        "--task adding --length 20 --samples 600 --model models/gru.rv --units 12 "
        "--optimizer adamw --epochs 40",
        "--classes 3,8 --noise 0.3 --learning-rate 0.3 --schedule plateau --patience 30 --epochs "
        "300",
        "--classes 0-4 --model lstm --units 12 --dtype f64 --optimizer rmsprop "
        "--schedule one-cycle --recurrent-dropout 0.1 --same-dropout --epochs 40",
        "--task arithmetic --samples 300 --model ugrnn --optimizer nadam --epochs 6",
    };
}

/* log.csv without the seconds, the last column. */
std::string log_of(const std::string &folder)
{
    std::istringstream lines(slurp(folder + "/log.csv"));
    std::string all, line;
    while (std::getline(lines, line)) all += line.substr(0, line.rfind(',')) + "\n";
    return all;
}

bool exists(const std::string &path) { return access(path.c_str(), F_OK) == 0; }

/* What must be the same, however often a run was stopped. */
struct Result {
    std::string digest, log, best;
    double best_epoch, epochs, validation_loss;

    Result(const std::string &folder, const std::string &json)
        : digest(Json(json).text("digest")), log(log_of(folder)),
          best(slurp(folder + "/best.safetensors")), best_epoch(Json(json).number("best_epoch")),
          epochs(Json(json).number("epochs")), validation_loss(Json(json).number("validation_loss"))
    {
    }
};

void expect_same(const Result &a, const Result &b)
{
    EXPECT_EQ(a.digest, b.digest);
    EXPECT_EQ(a.log, b.log);
    EXPECT_TRUE(a.best == b.best) << "best.safetensors differs";
    EXPECT_EQ(a.best_epoch, b.best_epoch);
    EXPECT_EQ(a.epochs, b.epochs);
    EXPECT_EQ(a.validation_loss, b.validation_loss);
}

double seconds_since(std::chrono::steady_clock::time_point start)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/* A run that was never stopped, and how long it took. */
Result whole_run(const std::string &arguments, double *seconds)
{
    const std::string folder = scratch_folder();
    const auto start = std::chrono::steady_clock::now();
    const Outcome outcome = recurve("train --json --output " + folder + " " + arguments);
    *seconds = seconds_since(start);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return Result(folder, outcome.out);
}

/* ---- signals ---- */

/* Runs the command, sends it the signals, each after so many seconds, and waits; the status is 128
 * + N when signal N ended it. */
Outcome recurve_stopped(const std::string &arguments, std::vector<std::pair<double, int>> signals)
{
    const std::string folder = scratch_folder();
    const std::string command = "exec tools/recurve " + arguments + " </dev/null >'" + folder +
                                "/out' 2>'" + folder + "/err'";
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
        _exit(127);
    }
    for (const auto &[after, number] : signals) {
        std::this_thread::sleep_for(std::chrono::duration<double>(after));
        kill(child, number);
    }
    int status = 0;
    waitpid(child, &status, 0);
    const int result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return {result, slurp(folder + "/out"), slurp(folder + "/err")};
}

/* A run that was killed between its first best.safetensors and its first checkpoint begins anew. */
std::string words_of(const std::string &arguments, const std::string &folder)
{
    const std::string overwrite = exists(folder + "/best.safetensors") ? " --overwrite " : " ";
    return exists(folder + "/checkpoint.safetensors")
               ? "train --json --resume " + folder
               : "train --json --output " + folder + overwrite + arguments;
}

/* Stops the run by such a signal at random moments, `times` at most, and takes it up again each
 * time until it is done. *stops grows by how often it was stopped. */
Result run_with_stops(const std::string &arguments, int number, double seconds, int times,
                      std::mt19937 *random, int *stops)
{
    const std::string folder = scratch_folder();
    std::uniform_real_distribution<double> moment(0, seconds);
    for (int i = 0; i < times; i++) {
        const bool began = exists(folder + "/checkpoint.safetensors");
        const Outcome outcome =
            recurve_stopped(words_of(arguments, folder), {{moment(*random), number}});
        if (outcome.status == 0) return Result(folder, outcome.out);
        EXPECT_EQ(outcome.status, 128 + number) << outcome.err;
        if (number != SIGKILL) { /* which may come after the result is printed */
            EXPECT_EQ(outcome.out, "");
        }
        EXPECT_EQ(outcome.err.find("resuming from"), std::string::npos) << outcome.err;
        EXPECT_TRUE(!began || exists(folder + "/checkpoint.safetensors"));
        ++*stops;
    }
    const Outcome outcome = recurve(words_of(arguments, folder));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(run_program("ls", "-A " + folder + " | grep tmp").out, "");
    return Result(folder, outcome.out);
}

TEST(Resume, AfterASignalARunOfAnyKindEndsAsIfNeverStopped)
{
    std::mt19937 random(std::random_device{}());
    for (const std::string &arguments : all_kinds()) {
        SCOPED_TRACE(arguments);
        double seconds;
        const Result whole = whole_run(arguments, &seconds);
        int stops = 0;
        expect_same(run_with_stops(arguments, SIGINT, seconds / 2, 2, &random, &stops), whole);
        expect_same(
            run_with_stops(arguments + " --threads 2", SIGTERM, seconds / 2, 1, &random, &stops),
            whole);
        EXPECT_GT(stops, 0);
    }
}

/* RECURVE_KILLS=300 makes it so many. */
TEST(Resume, AfterEveryKillARunEndsAsIfNeverStopped)
{
    const int kills = rounds("RECURVE_KILLS", 30);
    std::mt19937 random(std::random_device{}());
    std::vector<std::string> kinds = all_kinds();
    std::vector<Result> whole;
    std::vector<double> seconds(kinds.size());
    for (size_t k = 0; k < kinds.size(); k++) whole.push_back(whole_run(kinds[k], &seconds[k]));
    int done = 0;
    for (size_t k = 0; done < kills; k = (k + 1) % kinds.size()) {
        SCOPED_TRACE(kinds[k]);
        const int most = std::min(6, kills - done);
        expect_same(run_with_stops(kinds[k], SIGKILL, seconds[k], most, &random, &done), whole[k]);
        if (HasFailure()) return;
    }
}

/* ---- one stopped run ---- */

const char slow[] = "--classes 0-9 --optimizer adam --epochs 100000";

/* A run that goes on for minutes, stopped soon. */
std::string stopped_run(const std::string &arguments = slow)
{
    const std::string folder = scratch_folder();
    const Outcome outcome =
        recurve_stopped("train --quiet --output " + folder + " " + arguments, {{0.5, SIGINT}});
    EXPECT_EQ(outcome.status, 130);
    EXPECT_CONTAINS(outcome.err, "interrupted in epoch ");
    EXPECT_CONTAINS(outcome.err, "to resume: recurve train --resume " + folder + "\n");
    EXPECT_EQ(outcome.out, "");
    return folder;
}

TEST(Resume, ASecondSignalEndsARunAtOnce)
{
    const std::string run = "train --data " + written_text() +
                            " --model lstm --units 512 --length 256 --batch-size 128 --epochs 1000";
    const auto start = std::chrono::steady_clock::now();
    const Outcome outcome = recurve_stopped(run, {{0.5, SIGINT}, {0.01, SIGTERM}});
    EXPECT_GE(outcome.status, 130);
    EXPECT_LT(seconds_since(start), 10);
}

TEST(Resume, WithoutOutputASignalEndsTheRunAndNothingIsKept)
{
    const Outcome outcome = recurve_stopped(std::string("train --quiet ") + slow, {{0.5, SIGTERM}});
    EXPECT_EQ(outcome.status, 143);
    EXPECT_CONTAINS(outcome.err, "nothing is kept without --output");
}

TEST(Resume, OtherSettingsAreRefused)
{
    const std::string folder = stopped_run();
    for (const char *option : {"--learning-rate 0.1", "--seed 2", "--model gru", "gru", "--shift 1",
                               "--momentum 0", "--carry", "--output /tmp/x", "--epochs 0"}) {
        SCOPED_TRACE(option);
        const Outcome outcome = recurve("train --resume " + folder + " " + option);
        EXPECT_EQ(outcome.status, 2) << outcome.err;
        EXPECT_EQ(outcome.out, "");
    }
}

TEST(Resume, AFinishedRunReportsItsEndAgainAndMoreEpochsExtendIt)
{
    const std::string folder = scratch_folder(), longer = scratch_folder();
    const std::string run = "train --json --classes 0-4 --output ";
    const Outcome first = recurve(run + folder + " --epochs 3");
    const Outcome again = recurve("train --resume " + folder + " --json");
    ASSERT_EQ(again.status, 0) << again.err;
    EXPECT_EQ(Json(again.out).text("digest"), Json(first.out).text("digest"));
    EXPECT_CONTAINS(recurve("train --resume " + folder).err,
                    "\nall 3 epochs are trained; to continue, give more --epochs\n");
    EXPECT_EQ(Json(again.out).number("loss"), Json(first.out).number("loss"));
    EXPECT_EQ(Json(again.out).number("validation_loss"), Json(first.out).number("validation_loss"));

    const Outcome shorter = recurve("train --json --epochs 1 --resume " + folder);
    EXPECT_EQ(shorter.status, 2) << shorter.err;
    EXPECT_EQ(shorter.out, "");
    const Outcome extended = recurve("train --json --epochs 5 --resume " + folder);
    const Outcome whole = recurve(run + longer + " --epochs 5");
    ASSERT_EQ(extended.status, 0) << extended.err;
    expect_same(Result(folder, extended.out), Result(longer, whole.out));
    EXPECT_EQ(slurp(folder + "/config.json"), slurp(longer + "/config.json"));
    EXPECT_EQ(recurve("evaluate --output " + folder).status, 0);
}

/* ---- damage ---- */

const char *const checkpoints[] = {"/checkpoint.safetensors", "/checkpoint.previous.safetensors"};

TEST(Resume, ADamagedOrMissingCheckpointFallsBackToThePreviousOne)
{
    const std::string run = "--classes 0-4 --epochs 6";
    double seconds;
    const Result whole = whole_run(run, &seconds);
    for (const bool missing : {false, true}) {
        SCOPED_TRACE(missing);
        const std::string folder = scratch_folder();
        ASSERT_EQ(recurve("train --output " + folder + " " + run).status, 0);
        const std::string path = folder + checkpoints[0], previous = slurp(folder + checkpoints[1]);
        std::string bytes = slurp(path);
        bytes[bytes.size() / 2] ^= 4;
        if (missing)
            ASSERT_EQ(std::remove(path.c_str()), 0);
        else
            spit(path, bytes);
        const Outcome outcome = recurve("train --json --resume " + folder);
        ASSERT_EQ(outcome.status, 0) << outcome.err;
        EXPECT_CONTAINS(outcome.err, path);
        EXPECT_CONTAINS(outcome.err, missing ? "cannot read" : "is damaged");
        EXPECT_CONTAINS(outcome.err, "resuming from the previous one");
        expect_same(Result(folder, outcome.out), whole);
    }
}

TEST(Resume, WithoutACheckpointItSaysWhatToDo)
{
    const std::string folder = stopped_run();
    for (const char *name : checkpoints) spit(folder + name, "no checkpoint at all");
    for (const std::string &where : {folder, folder + "/none", std::string("/dev/null")}) {
        const Outcome outcome = recurve("train --resume " + where);
        EXPECT_EQ(outcome.status, 1);
        EXPECT_EQ(outcome.out, "");
        EXPECT_CONTAINS(outcome.err, "no checkpoint to resume from: ");
        EXPECT_CONTAINS(outcome.err, where == folder ? "begin anew: recurve train --config " + where
                                                     : "give the --output of a run");
    }
    EXPECT_FALSE(exists(folder + "/none"));
}

TEST(Resume, ACheckpointOfAnotherRunIsNotTakenUp)
{
    const std::string folder = scratch_folder();
    ASSERT_EQ(recurve("train --epochs 1 --output " + folder).status, 0);
    std::string config = slurp(folder + "/config.json");
    config.replace(config.find("curnn"), 5, "ugrnn");
    spit(folder + "/config.json", config);
    const Outcome other = recurve("train --resume " + folder);
    EXPECT_EQ(other.status, 1);
    EXPECT_CONTAINS(other.err, "is of another run");
    spit(folder + "/config.json", "{"); /* the checkpoint has its own settings */
    EXPECT_EQ(recurve("train --epochs 2 --resume " + folder).status, 0);
    EXPECT_EQ(recurve("train --resume " + folder).status, 0);
}

TEST(Resume, AModelsOwnParametersAloneAreNoRun)
{
    const std::string folder = scratch_folder();
    ASSERT_EQ(recurve("train --epochs 1 --output " + folder).status, 0);
    spit(folder + checkpoints[0], slurp(folder + "/best.safetensors"));
    const Outcome outcome = recurve("train --resume " + folder);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_CONTAINS(outcome.err, "holds no run state");
}

/* Replaces the metadata "run" of a checkpoint and updates its checksum. */
void replace_run(const std::string &path, const std::string &run)
{
    rv_error error = {};
    rv_archive archive;
    ASSERT_TRUE(rv_safetensors_read(path.c_str(), &archive, &error)) << error.text;
    std::vector<rv_metadata> metadata(archive.metadata, archive.metadata + archive.metadata_count);
    for (rv_metadata &one : metadata) {
        if (std::string(one.key) == "run") one.value = run.c_str();
        if (std::string(one.key) == "checksum") one.value = "00000000000000000000000000000000";
    }
    rv_archive changed = archive;
    changed.metadata = metadata.data();
    EXPECT_TRUE(rv_safetensors_write(path.c_str(), &changed, &error)) << error.text;
    rv_archive_free(&archive);
}

TEST(Resume, HostileRunStatesAreRefused)
{
    const std::string folder = scratch_folder(), path = folder + checkpoints[0];
    ASSERT_EQ(recurve("train --epochs 1 --output " + folder).status, 0);
    const std::string good =
        R"({"epoch":2,"batch":0,"seen":0,"loss_sum":0,"learned":300,"seconds":1,"bytes":9,)"
        R"("best_epoch":1,"history":[[1,2,1,null,0.5]]})";
    const std::string resume = "train --epochs 3 --resume " + folder;
    replace_run(path, good);
    const std::string bytes = slurp(path);
    EXPECT_EQ(recurve(resume).status, 0);
    const std::pair<const char *, const char *> changes[] = {
        {good.c_str(), ""},
        {good.c_str(), "[]"},
        {good.c_str(), "{}"},
        {"\"epoch\":2", "\"epoch\":1"},
        {"\"epoch\":2", "\"epoch\":1e300"},
        {"\"epoch\":2", "\"epoch\":\"2\""},
        {"\"batch\":0", "\"batch\":-1"},
        {"\"batch\":0", "\"batch\":31"},
        {"\"batch\":0", "\"batch\":0.5"},
        {"\"loss_sum\":0", "\"loss_sum\":1e999"},
        {"\"best_epoch\":1", "\"best_epoch\":0"},
        {"\"best_epoch\":1", "\"best_epoch\":2"},
        {"[[1,2,1,null,0.5]]", "[]"},
        {"[[1,2,1,null,0.5]]", "{\"a\":[1,2,1,null,0.5]}"},
        {"[[1,2,1,null,0.5]]", "[[1,2,1,null]]"},
        {"[[1,2,1,null,0.5]]", "[[1,2,1,null,0.5,6]]"},
        {"[[1,2,1,null,0.5]]", "[[null,2,1,null,0.5]]"},
        {"[[1,2,1,null,0.5]]", "[1,2,1,null,0.5]"},
    };
    for (const auto &[from, to] : changes) {
        SCOPED_TRACE(to);
        std::string run = good;
        run.replace(run.find(from), std::strlen(from), to);
        spit(path, bytes);
        std::remove((folder + checkpoints[1]).c_str());
        replace_run(path, run);
        EXPECT_EQ(recurve(resume).status, 1);
    }
}

TEST(Resume, AFolderThatVanishesIsAnError)
{
    const std::string folder = scratch_folder() + "/run";
    std::thread thief([&] {
        while (access((folder + "/config.json").c_str(), F_OK) != 0)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        EXPECT_EQ(rename(folder.c_str(), (folder + ".gone").c_str()), 0);
    });
    const Outcome outcome = recurve("train --quiet --output " + folder + " " + slow);
    thief.join();
    EXPECT_EQ(outcome.status, 1);
    EXPECT_CONTAINS(outcome.err, folder);
}

TEST(Resume, AReadOnlyFolderIsAnError)
{
    if (geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
    const std::string folder = stopped_run();
    ASSERT_EQ(run_program("chmod", "a-w " + folder).status, 0);
    const Outcome outcome = recurve("train --resume " + folder);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_CONTAINS(outcome.err, "cannot write into the folder");
    EXPECT_EQ(run_program("chmod", "u+w " + folder).status, 0);
}

TEST(Resume, ARunThatDivergesKeepsItsLastCheckpointAndNamesIt)
{
    const std::string folder = scratch_folder();
    /* Warming up, the rate is harmless for some epochs. */
    const Outcome outcome =
        recurve("train --quiet --output " + folder +
                " --task adding --length 10 --samples 300 --model ugrnn --activation none "
                "--optimizer sgd --clip-norm 0 --learning-rate 100 --warm-up 10000 "
                "--epochs 1000");
    EXPECT_EQ(outcome.status, 1);
    EXPECT_CONTAINS(outcome.err, "the loss became ");
    EXPECT_CONTAINS(outcome.err, folder + "/checkpoint.safetensors holds the run after epoch ");
    EXPECT_EQ(recurve("evaluate --output " + folder).status, 0);
}

} // namespace
