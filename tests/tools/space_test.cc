/* The settings of a sweep are a pure function of its space, seed and trial. Mistakes in a space are
 * located. */
#include <map>
#include <set>
#include <vector>

#include "tests/tools/sweep.h"

extern "C" {
#include "tensor/memory.h"
#include "tools/sweep/space.h"
}

namespace {

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

TEST(Sweep, ConditionsOnDrawnNumbersHold)
{
    int with = 0;
    for (const Trial &t : drawn(R"({"layers": {"uniform": [1, 3]},
            "residual": {"choices": [true], "when": {"layers": [2, 3]}}})",
                                1, 60)) {
        const bool residual = t.find("residual") != std::string::npos;
        EXPECT_EQ(residual, Json(t).number("layers") > 1) << t;
        with += residual;
    }
    EXPECT_GT(with, 20);
}

TEST(Sweep, SeedsAreExact)
{
    std::set<double> seeds;
    for (const Trial &t : drawn(R"({"seed": [9007199254740991, 9007199254740990]})", 1, 20))
        seeds.insert(Json(t).number("seed"));
    EXPECT_EQ(seeds, (std::set<double>{9007199254740990, 9007199254740991}));
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
    const std::string at = "\"SPACE\" line 1, column ";
    const std::vector<Mistake> mistakes = {
        {R"({"lerning-rate": 1})", "",
         at + "2: unknown option \"lerning-rate\"; did you mean \"learning-rate\"?", 1},
        {R"({"units": {"uniform": [64, 8]}})", "",
         at + "12: units: the range [64, 8] is empty; expected [least, greatest]", 1},
        {R"({"units": {"uniform": [4, 4]}})", "",
         at + "12: units: the range [4, 4] holds one number; give the number alone", 1},
        {R"({"units": {"uniform": [4]}})", "",
         at + "12: units: uniform: got 1 value, expected two, [least, greatest]", 1},
        {R"({"units": {"uniform": 4}})", "",
         at + "12: units: uniform: got 4, expected two numbers, [least, greatest]", 1},
        {R"({"units": []})", "", at + "2: units: the list is empty; give values, such as [1, 2, 4]",
         1},
        {R"({"units": {"choices": 3}})", "",
         at + "12: units: choices: got 3, expected a list, such as [1, 2, 4]", 1},
        {R"({"units": {"unifrom": [1, 2]}})", "",
         at + "12: units: unknown key \"unifrom\"; did you mean \"uniform\"?", 1},
        {R"({"units": {"uniform": [0, 2]}})", "",
         at + "24: units: got \"0\", expected a whole number from 1 to 4096", 1},
        {R"({"units": [4, "5"]})", "", at + "15: units: got \"5\", expected a number", 1},
        {R"({"pool": ["yes"]})", "", at + "11: pool: got \"yes\", expected true or false", 1},
        {R"({"model": [["gru"]]})", "", at + "12: model: got a list, expected a text in quotes", 1},
        {"{\"task\": \"adding\",\n \"optimizer\": [\"adam\",\n    \"adm\"]}", "",
         "\"SPACE\" line 3, column 5: optimizer: unknown optimizer \"adm\"; did you mean \"adam\"?",
         1},
        {R"({"include-path": "\"é\\", "units": [4, true]})", "",
         at + "40: units: got true, expected a number", 1},
        {R"({"model": {"uniform": [1, 2]}})", "",
         at +
             "12: model: this option is no number, so it cannot be uniform; give a list of choices",
         1},
        {R"({"dropout": {"log-uniform": [0, 0.5]}})", "",
         at + "14: dropout: log-uniform from 0 has no logarithm; begin above 0, or use uniform", 1},
        {R"({"units": {"uniform": [1, 2], "when": {"optimizer": "adam"}}})", "",
         at + "40: units: when names \"optimizer\", which is no key above it; write the keys of "
              "a condition first, spelled as there",
         1},
        {R"({"optimizer": ["adam", "momentum"],
             "momentum": {"uniform": [0, 0.9], "when": {"optimizer": "momentun"}}})",
         "",
         "\"SPACE\" line 2, column 57: optimizer: unknown optimizer \"momentun\"; did you mean "
         "\"momentum\"?",
         1},
        {R"({"units": [1, 2], "layers": {"choices": [1], "when": {"units": [2, 0]}}})", "",
         at + "68: units: got \"0\", expected a whole number from 1 to 4096", 1},
        {"\xef\xbb\xbf{\"output\": \"x\"}", "", /* a byte order mark is no column */
         at + "2: output: this is not a setting of a trial; leave it out", 1},
        {R"({"output": "x"})", "", at + "2: output: this is not a setting of a trial; leave it out",
         1},
        {R"({"units": [1], "hidden-size": [2]})", "",
         at + "16: units: given twice; hidden-size is the same option", 1},
        {R"({"task": ["adding", "pairty"]})", "",
         at + "21: task: no task is called \"pairty\"; did you mean \"parity\"?", 1},
        {R"({"units": {"uniform": [1, 2], "wen": {}}})", "",
         at + "31: units: unknown key \"wen\"; did you mean \"when\"?", 1},
        {R"({"units": [1], "trials": 100})", "",
         at + "16: trials is an option of the command, not of a run; give --trials", 1},
        {R"({"seed": [9007199254740993]})", "",
         at + "11: seed: got \"9007199254740992\", expected a whole number from 0 to "
              "9007199254740991",
         1},
        {R"({"units": 4})", "",
         "SPACE.json draws nothing, so all trials would be equal; give an option a list or a "
         "range, such as \"learning-rate\": {\"log-uniform\": [1e-4, 1]}",
         2},
        {"[1]", "", "\"SPACE\" is a list, expected a JSON object: {..}", 1},
        {"{\"units\": [4, 5],\n \"epochs\": 1,}", "",
         "\"SPACE\" line 2, column 14: got }, expected a key in double quotes", 1},
        {"{'units': [4, 5]}", "",
         at + "2: got 'units': [4, 5]}, expected a key in double quotes, or }", 1},
        {R"({"units" [4, 5]})", "", at + "10: got [4, 5]}, expected a colon", 1},
        {R"({"units": [4 5]})", "", at + "14: got 5]}, expected , or ]", 1},
        {R"({"units": [4,]})", "", at + "14: got ]}, expected a value", 1},
        {R"({"units": four})", "", at + "11: got four}, expected a value", 1},
        {R"({"units": 4 "epochs": 1})", "", at + "13: got \"epochs\": 1}, expected , or }", 1},
        {R"({"task": "adding})", "",
         at + "11: got adding}, expected a text that ends with a double quote", 1},
        {R"({"units": [4, 5])", "", at + "17: the text ends, but its JSON object does not", 1},
        {fine, "--objective validation_error",
         "--objective validation_error: the data have labels; use validation_loss or "
         "validation_accuracy",
         2},
        {fine, "--objective bits",
         "--objective bits needs --task capacity, whose labels are random bits; got task digits. "
         "Give "
         "that task, or use validation_accuracy",
         2},
        {R"({"task": "adding", "units": [4, 5], "epochs": 1})", "--objective bits_per_parameter",
         "--objective bits_per_parameter needs --task capacity, whose labels are random bits; got "
         "task adding. Give that task, or use validation_error",
         2},
        {fine, "--objective sample_per_second",
         "unknown objective \"sample_per_second\"; did you mean \"samples_per_second\"?", 2},
        {fine, "--halving 3 --epochs 9 --objective seconds",
         "--objective seconds is known at the end of a run, but --halving decides before; use "
         "validation_loss",
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

} // namespace
