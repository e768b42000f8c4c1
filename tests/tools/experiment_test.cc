/* recurve experiment: its numbers are computed again from its trials, by other code. */
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "tests/tools/sweep.h"

namespace {

struct Trial {
    std::string model, state;
    double objective, parameters, samples, accuracy; /* the accuracy of capacity */
};

double number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

/* The trials of the database, by model. */
std::map<std::string, std::vector<Trial>> trials_of(const std::string &database)
{
    std::map<std::string, std::vector<Trial>> all;
    const Outcome outcome = recurve("sweep --json --database " + database);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    const Json json(outcome.out);
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(json.root(), "trials"))
    {
        const cJSON *settings = cJSON_GetObjectItem(item, "settings");
        const Trial t{Json::text(settings, "model"),
                      Json::text(item, "state"),
                      number(item, "objective"),
                      number(item, "parameters"),
                      number(settings, "samples"),
                      std::atof(rows(database, "SELECT max(validation_accuracy) FROM epoch WHERE "
                                               "trial = " +
                                                   std::to_string(int(number(item, "trial"))))
                                    .c_str())};
        all[t.model].push_back(t);
    }
    return all;
}

Outcome experiment(const std::string &arguments) { return recurve("experiment " + arguments); }

TEST(Experiment, CapacityIsTheMostBitsPerParameterOfAnyTrial)
{
    const std::string database = scratch_folder() + "/c.sqlite",
                      words = "capacity --json --models ugrnn,rnn --parameters 200 --trials 6 "
                              "--epochs 25 --size 8 --database " +
                              database;
    const Outcome outcome = experiment(words + " --workers 2");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const Json json(outcome.out);
    const auto trials = trials_of(database);
    ASSERT_EQ(cJSON_GetArraySize(json.root()), 2);
    const cJSON *row;
    cJSON_ArrayForEach(row, json.root())
    {
        const std::vector<Trial> &own = trials.at(Json::text(row, "model"));
        double best = 0;
        EXPECT_EQ(own.size(), 6u);
        for (const Trial &t : own) {
            const double p = t.accuracy, b = t.samples;
            EXPECT_GE(b, 100);
            EXPECT_LE(b, 1600);
            const double right = p == 1 ? 0 : p * std::log2(p) + (1 - p) * std::log2(1 - p);
            const double each = p > 0.5 ? (b + b * right) / t.parameters : 0;
            EXPECT_NEAR(t.objective, each, 1e-12);
            best = std::fmax(best, each);
        }
        EXPECT_GT(best, 0.01);
        EXPECT_NEAR(number(row, "bits_per_parameter"), best, 1e-12);
        EXPECT_EQ(number(row, "trials"), 6);
        EXPECT_EQ(number(row, "diverge"),
                  own.size() - std::count_if(own.begin(), own.end(),
                                             [](const Trial &t) { return t.state == "done"; }));
        EXPECT_EQ(number(row, "untrainable"), 0);
    }
    EXPECT_EQ(experiment(words).out, outcome.out); /* a finished experiment is printed again */
    for (const char *how : {"--show", "", "capacity --show"})
        EXPECT_EQ(experiment("--json --database " + database + " " + how).out, outcome.out);
    const std::string holds = "recurve experiment: \"" + database + "\" holds ",
                      help = "\nTry 'recurve experiment --help'.\n";
    for (const char *how : {" --show", ""})
        EXPECT_EQ(experiment("memory" + (how + (" --database " + database))).err,
                  holds + "the experiment capacity, not memory" + help);
    EXPECT_EQ(
        experiment("capacity --models rnn --parameters 200 --size 8 --database " + database).err,
        holds +
            "an experiment with --models ugrnn,rnn, not rnn; name another --database, or "
            "continue that experiment without its name" +
            help);
    EXPECT_EQ(experiment(words + " --lr 0.1").err,
              holds +
                  "another experiment: --learning-rate is unset, not 0.1; name another "
                  "--database, or continue that experiment without \"capacity\"" +
                  help);
    const Outcome more = experiment("--json --trials 7 --database " + database);
    EXPECT_EQ(more.status, 0) << more.err;
    EXPECT_EQ(number(cJSON_GetArrayItem(Json(more.out).root(), 1), "trials"), 7);
    const Outcome text = experiment("capacity --models ugrnn,rnn --parameters 200 --trials 6 "
                                    "--epochs 25 --size 8 --database " +
                                    database);
    EXPECT_CONTAINS(text.out, "bits/parameter\nugrnn ");
    EXPECT_CONTAINS(
        text.out,
        "to repeat, with a new --database: recurve experiment capacity --models ugrnn,rnn "
        "--parameters 200 --trials 6 --epochs 25 --size 8 --database " +
            database + "\n");
}

TEST(Experiment, TrainabilityIsTheShareThatFailsWithTheWilsonInterval)
{
    const std::string database = scratch_folder() + "/t.sqlite";
    const std::string words = "trainability --models gru --parameters 300 --trials 12 --epochs 8 "
                              "--length 8 --samples 400 --database " +
                              database;
    const Outcome outcome = experiment(words + " --json"), text = experiment(words);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const Json json(outcome.out);
    const cJSON *row = cJSON_GetArrayItem(json.root(), 0);
    const double n = 12, p = number(row, "fail") / n, z = 1.959964;
    EXPECT_EQ(number(row, "share"), p);
    EXPECT_GT(p, 0);
    EXPECT_LT(p, 1);
    /* The interval's ends are the shares q of which p is z standard deviations away. */
    for (const char *end : {"low", "high"}) {
        const double q = number(row, end);
        EXPECT_NEAR((p - q) * (p - q), z * z * q * (1 - q) / n, 1e-9) << end;
    }
    const std::string before = "its error stays above ";
    const size_t at = text.out.find(before);
    ASSERT_NE(at, std::string::npos) << text.out;
    const double threshold = std::atof(text.out.c_str() + at + before.size());
    const auto trials = trials_of(database);
    int failed = 0;
    for (const Trial &t : trials.at("gru"))
        failed += t.state == "diverged" || t.objective > threshold;
    EXPECT_EQ(failed, number(row, "fail"));
}

TEST(Experiment, MemoryIsTheLeastErrorForEachNumberOfUnits)
{
    const std::string folder = scratch_folder();
    const Outcome outcome = experiment("memory --json --models gru --units 2,4 --trials 3 --epochs "
                                       "2 --size 4 --samples 200 --database " +
                                       folder + "/m.sqlite --plot " + folder + "/memory");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const Json json(outcome.out);
    double least = INFINITY;
    const auto trials = trials_of(folder + "/m.sqlite");
    for (const Trial &t : trials.at("gru"))
        if (t.state == "done") least = std::fmin(least, t.objective);
    EXPECT_DOUBLE_EQ(std::fmin(number(cJSON_GetArrayItem(json.root(), 0), "error"),
                               number(cJSON_GetArrayItem(json.root(), 1), "error")),
                     least); /* cJSON's texts are right to an epsilon */
    EXPECT_CONTAINS(slurp(folder + "/memory.svg"), "mean squared error");
}

TEST(Experiment, ADatabaseIsShownWithWhatTheCommandLineFixed)
{
    const std::string database = scratch_folder() + "/t.sqlite";
    ASSERT_EQ(experiment("trainability --models rnn --parameters 1000000 --samples 12 --trials 1 "
                         "--epochs 1 --length 2 --batch-size 10 --database " +
                         database)
                  .status,
              0);
    EXPECT_EQ(experiment("--show --database " + database).status, 0);
    EXPECT_EQ(experiment("--show --csv --database " + database).out,
              recurve("sweep --csv --database " + database).out);
    EXPECT_CONTAINS(experiment("--show --csv --json --database " + database).err,
                    "give one of --csv and --json");
    const std::string other = scratch_folder() + "/c.sqlite";
    ASSERT_EQ(experiment("capacity --models rnn --parameters 200 --samples 70 --trials 1 "
                         "--epochs 1 --size 8 --database " +
                         other)
                  .status,
              0);
    EXPECT_CONTAINS(experiment("--show --database " + other).out, " 70 ");
}

/* gru has 449 parameters with 32 inputs and 4 units, and 512 with 16 inputs and 7 units. */
TEST(Experiment, DrawsSizesWithWhichANetHasItsParameters)
{
    const std::string database = scratch_folder() + "/c.sqlite",
                      words = "capacity --models gru,rnn --epochs 1 --samples 40 --quiet ";
    const Outcome outcome =
        experiment(words + "--parameters 500 --trials 6 --database " + database);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.err, "");
    EXPECT_EQ(rows(database, "SELECT DISTINCT settings ->> 'size' FROM trial WHERE settings ->> "
                             "'model' = 'gru'"),
              "16\n");
    EXPECT_EQ(rows(database, "SELECT count(DISTINCT settings ->> 'size') FROM trial WHERE settings "
                             "->> 'model' = 'rnn'"),
              "2\n");
    const Outcome some =
        experiment(words + "--size 32 --parameters 500 --trials 1 --database " + database + "2");
    EXPECT_EQ(some.status, 0);
    EXPECT_EQ(
        some.err.find(
            "recurve experiment: these nets are left out; give other --parameters for "
            "them:\ngru, 1 layer: --parameters: got 500, but the nearest number that a net of "
            "gru has is 449, with 4 --units; expected a number within 10 %\n"),
        0u)
        << some.err;
    EXPECT_CONTAINS(some.out, "not trained\n");
    EXPECT_EQ(some.err.find("could not be trained"), std::string::npos) << "said twice";
}

TEST(Experiment, RangesOfAFileReplaceTheUsualOnes)
{
    const std::string folder = scratch_folder(), space = folder + "/space.json",
                      database = folder + "/c.sqlite",
                      words = "capacity --models gru,rnn --parameters 200 --trials 8 --epochs 1 "
                              "--samples 20 --quiet --space " +
                              space;
    spit(space, R"({"size": 16, "optimizer": ["adam", "momentum"],
 "learning-rate": [{"uniform": [0.2, 0.3], "when": {"model": "rnn"}}, {"uniform": [0.4, 0.5]}]})");
    const Outcome outcome = experiment(words + " --database " + database);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(rows(database,
                   "SELECT count(*) FROM trial WHERE (settings ->> 'learning-rate' BETWEEN 0.2 AND "
                   "0.3) = (settings ->> 'model' = 'rnn') AND (settings ->> 'learning-rate' "
                   "BETWEEN 0.4 AND 0.5) = (settings ->> 'model' = 'gru')"),
              "16\n");
    EXPECT_EQ(rows(database, "SELECT DISTINCT settings ->> 'optimizer' FROM trial ORDER BY 1"),
              "adam\nmomentum\n");
    EXPECT_EQ(rows(database, "SELECT count(DISTINCT settings ->> 'clip-norm') FROM trial"), "16\n")
        << "what the file does not name is drawn as usual";
    spit(space, R"({"lr": 0.25})"); /* another name of learning-rate */
    EXPECT_EQ(experiment(words + " --database " + folder + "/lr.sqlite").status, 0);
    EXPECT_EQ(
        rows(folder + "/lr.sqlite", "SELECT DISTINCT settings ->> 'learning-rate' FROM trial"),
        "0.25\n");
    EXPECT_CONTAINS(experiment("--show --database " + database).out, "bits/parameter\ngru ");
    EXPECT_EQ(experiment("--database " + database + " --space " + space).status, 2);

    const std::map<std::string, std::string> mistakes = {
        {R"({"task": "adding"})", "line 1, column 2: task: the command sets this; leave it out"},
        {R"({"layers": 2})", "line 1, column 2: layers: the command sets this; leave it out"},
        {R"({"clip-norm": 1,
 "clip-norm": 2})",
         "line 2, column 2: clip-norm: given twice"}};
    for (const auto &[text, message] : mistakes) {
        spit(space, text);
        const Outcome wrong = experiment(words + " --database " + folder + "/no.sqlite");
        EXPECT_EQ(wrong.status, 1);
        EXPECT_EQ(wrong.err.find("recurve experiment: \"" + space + "\" " + message), 0u)
            << wrong.err;
        EXPECT_NE(access((folder + "/no.sqlite").c_str(), F_OK), 0);
    }
}

TEST(Experiment, MistakesAreExplained)
{
    const std::map<std::string, std::string> messages = {
        {"", "which experiment? Give capacity, memory or trainability"},
        {"capcity", "unknown experiment \"capcity\"; did you mean \"capacity\"?"},
        {"memory", "--database names the file that keeps the trials; give one, such as --database "
                   "memory.sqlite"},
        {"memory --database x --parameters 5",
         "the sizes of nets for memory are --units; leave out --parameters"},
        {"capacity --database x --parameters 1k",
         "--parameters: got \"1k\", expected a whole number from 1 to 1073741824"},
        {"memory --database x --units 0",
         "--units: got \"0\", expected a whole number from 1 to 4096"},
        {"--database x --units 4",
         "the nets of an experiment that continues are those that it has; leave out --models, "
         "--parameters, --units and --layers, or name a new experiment"},
        {"capacity --database x --layers 1,1", "--layers: 1 comes twice"},
        {"capacity --database x --models ugrn", "unknown model \"ugrn\"; did you mean \"ugrnn\"?"}};
    for (const auto &[words, message] : messages) {
        const Outcome outcome = experiment(words);
        EXPECT_EQ(outcome.status, 2);
        EXPECT_EQ(outcome.err,
                  "recurve experiment: " + message + "\nTry 'recurve experiment --help'.\n");
    }
}

TEST(Experiment, EveryReasonForAFailureIsReported)
{
    const std::string database = scratch_folder() + "/m.sqlite",
                      words = "memory --models gru,rnn --units 2 --trials 2 --epochs 1 --size 4 "
                              "--samples 40 --database " +
                              database;
    ASSERT_EQ(experiment(words).status, 0);
    rows(database, "UPDATE trial SET state = 'failed', message = iif(number = 3, 'a', 'b') WHERE "
                   "number > 0");
    EXPECT_EQ(experiment("--show --database " + database).err,
              "recurve experiment: 2 trials could not be trained and do not count, such as trial "
              "1: b\nrecurve experiment: 1 trial could not be trained and does not count: trial 3: "
              "a\n");
    const Outcome shown = experiment("--show --database " + database);
    EXPECT_CONTAINS(shown.out,
                    "\nrnn                   1          2          -      0  not trained\n");
    const Json json(experiment("--show --json --database " + database).out);
    EXPECT_EQ(number(cJSON_GetArrayItem(json.root(), 0), "untrainable"), 1);
    EXPECT_EQ(number(cJSON_GetArrayItem(json.root(), 1), "untrainable"), 2);
    /* A sweep of the same task for something else. */
    rows(database, "UPDATE sweep SET value = 'validation_loss' WHERE key = 'objective'");
    EXPECT_CONTAINS(experiment("--show --database " + database).err, "holds no experiment");
    const std::string space = scratch_folder() + "/space.json", other = space + ".sqlite";
    spit(space, R"({"task": "adding", "samples": 20, "epochs": 1, "units": [2, 3]})");
    ASSERT_EQ(recurve("sweep " + space + " --trials 1 --database " + other).status, 0);
    EXPECT_CONTAINS(experiment("--show --database " + other).err,
                    "\"" + other +
                        "\" holds no experiment, but a sweep; see: recurve sweep --show");
}

} // namespace
