/* Every optimizer with every extra against PyTorch: 20 runs from tests/data/trajectories.txt, which
 * tests/data/trajectories.py makes and describes. */
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include "optim/optim.h"
#include "optim/plateau.h"
#include "tests/tapes.h"

namespace {

struct Case {
    std::string name, problem, optimizer;
    std::vector<std::pair<std::string, std::string>> options;
    std::vector<Values> runs;
};

const std::vector<Case> &cases()
{
    static const std::vector<Case> all = [] {
        std::vector<Case> made;
        std::ifstream file("tests/data/trajectories.txt");
        for (std::string line, word; std::getline(file, line);) {
            std::istringstream words(line);
            if (line[0] == '#') continue;
            if (line.rfind("case ", 0) == 0) {
                Case c;
                words >> word >> c.name >> c.problem >> c.optimizer;
                while (words >> word) {
                    const size_t equals = word.find('=');
                    c.options.emplace_back(word.substr(0, equals), word.substr(equals + 1));
                }
                made.push_back(c);
            } else {
                made.back().runs.emplace_back();
                while (words >> word) made.back().runs.back().push_back(std::stod(word));
            }
        }
        return made;
    }();
    return all;
}

/* "a:b:c" */
std::vector<std::string> parts(const std::string &text)
{
    std::vector<std::string> all;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, ':');) all.push_back(part);
    return all;
}

rv_schedule schedule(const std::vector<std::string> &part)
{
    const auto number = [&](size_t i) { return std::stod(part[i]); };
    if (part[0] == "step") return rv_step_decay(number(1), number(2));
    if (part[0] == "exponential") return rv_exponential_decay(number(1));
    if (part[0] == "cosine") return rv_cosine_decay(number(1), number(2));
    if (part[0] == "one_cycle") return rv_one_cycle(number(1));
    EXPECT_EQ(part[0], "constant");
    return {};
}

/* The text, for as long as the test runs. */
const char *kept(const std::string &text)
{
    static std::set<std::string> all;
    return all.insert(text).first->c_str();
}

struct Setting {
    rv_optimizer optimizer;
    rv_plateau plateau;
};

Setting setting(const Case &c)
{
    Setting s{*rv_optimizer_find(c.optimizer.c_str()), {}};
    rv_optimizer &o = s.optimizer;
    int groups = 0;
    for (const auto &[key, text] : c.options) {
        const std::vector<std::string> part = parts(text);
        const auto number = [&](size_t i) { return std::stod(part[i]); };
        if (key == "rate")
            o.learning_rate = number(0);
        else if (key == "momentum")
            o.momentum = number(0);
        else if (key == "decay")
            o.decay = number(0);
        else if (key == "epsilon")
            o.epsilon = number(0);
        else if (key == "weight_decay")
            o.weight_decay = number(0);
        else if (key == "decoupled")
            o.decoupled = true;
        else if (key == "clip_value")
            o.clip_value = number(0);
        else if (key == "clip_norm")
            o.clip_norm = number(0);
        else if (key == "average")
            o.average = number(0);
        else if (key == "accumulate")
            o.accumulate = std::stoi(text);
        else if (key == "schedule")
            o.schedule = schedule(part);
        else if (key == "warm_up") {
            o.schedule = rv_warm_up(number(0), o.schedule);
            o.schedule.warm_up_start = number(1);
        } else if (key == "group")
            o.group[groups++] = {kept(part[0]), number(1), number(2), part[3] == "1"};
        else if (key == "plateau")
            s.plateau = {number(0), std::stoi(part[1]), 1e-4, false, std::stoi(part[2]), 0};
        else
            ADD_FAILURE() << "unknown option " << key;
    }
    return s;
}

/* ---- the problems, as trajectories.py describes them ---- */

void start(Tape *t, const char *name, int first)
{
    Values values;
    rv_tensor &w = t->stored(name);
    for (int j = first; j < first + rv_tensor_count(&w); j++)
        values.push_back(((5 * j + 3) % 11) / 5.5 - 1);
    set_values(&w, values);
}

rv_var bowl(Tape *t)
{
    const rv_var w = t->parameter("w", RV_SHAPE(3));
    start(t, "w", 0);
    return total(rv_add(rv_softplus(rv_scale(w, 3)), rv_scale(rv_square(rv_square(w)), 0.5)));
}

rv_var net(Tape *t)
{
    const rv_var weight = t->parameter("weight", RV_SHAPE(2, 3)),
                 bias = t->parameter("bias", RV_SHAPE(2)), x = t->input("x", RV_SHAPE(4, 3)),
                 y = t->input("y", RV_SHAPE(4, 2));
    start(t, "weight", 0);
    start(t, "bias", 6);
    return rv_mean_squared_error(rv_tanh(rv_add(rv_matmul(x, weight, false, true), bias)), y);
}

void fill(rv_program *program, int t)
{
    rv_tensor *x = rv_program_input(program, "x"), *y = rv_program_input(program, "y");
    for (int n = 0; x && y && n < 4; n++) {
        for (int i = 0; i < 3; i++)
            rv_tensor_set(x, n * 3 + i, ((37 * t + 11 * n + 7 * i) % 13) / 6.5 - 1);
        for (int o = 0; o < 2; o++)
            rv_tensor_set(y, n * 2 + o, ((29 * t + 5 * n + 3 * o) % 7) / 7.0);
    }
}

void append(Values *all, const rv_tensor &tensor)
{
    for (const double value : values_of(tensor)) all->push_back(value);
}

class Trajectory : public testing::TestWithParam<size_t> {};

TEST_P(Trajectory, IsPyTorchs)
{
    const Case &c = cases()[GetParam()];
    const Setting s = setting(c);
    const rv_plateau &plateau = s.plateau;
    Tape t;
    const rv_var loss = c.problem == "net" ? net(&t) : bowl(&t);
    ASSERT_TRUE(rv_minimize(loss, s.optimizer)) << t.error();
    Program p(t, {loss});
    ASSERT_EQ(c.runs.size(), 20u);
    for (int run = 0; run < 20; run++) {
        fill(p, run);
        p.run();
        rv_error error = {};
        if (plateau.factor > 0)
            rv_plateau_observe(&plateau, t.store(), 1.0 / (1 + std::min(run, 4)), nullptr, &error);
        EXPECT_EQ(error.code, RV_OK);
        Values seen;
        const std::vector<const char *> names = c.problem == "net"
                                                    ? std::vector<const char *>{"weight", "bias"}
                                                    : std::vector<const char *>{"w"};
        for (const char *name : names) append(&seen, t.stored(name));
        for (const char *name : names)
            if (s.optimizer.average > 0)
                append(&seen, t.stored((std::string("optimizer/average/") + name).c_str()));
        const Values &want = c.runs[static_cast<size_t>(run)];
        ASSERT_EQ(seen.size(), want.size());
        for (size_t i = 0; i < want.size(); i++)
            ASSERT_NEAR(seen[i], want[i], 1e-12) << "run " << run << ", number " << i;
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, Trajectory, testing::Range(size_t{0}, cases().size()),
                         [](const auto &info) {
                             const Case &c = cases()[info.param];
                             return std::to_string(info.param) + "_" + c.name + "_" + c.optimizer +
                                    "_" + c.problem;
                         });

TEST(Trajectories, CoverEveryOptimizer)
{
    for (int i = 0; i < rv_optimizer_count(); i++) {
        const std::string name = rv_optimizer_at(i)->name;
        int found = 0;
        for (const Case &c : cases())
            found +=
                c.optimizer == name || rv_optimizer_find(c.optimizer.c_str()) == rv_optimizer_at(i);
        EXPECT_GE(found, 2) << name;
    }
}

} // namespace
