// Every cell of the zoo computes what its paper says, forward and backward: the values and
// gradients in cells.safetensors, which cells.py computes with PyTorch.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "lang/zoo.h"
#include "models/models.h"
#include "tests/reference.h"
#include "tests/tapes.h"

namespace {

const Reference &oracle()
{
    static const Reference file("tests/oracles/cells.safetensors");
    return file;
}

/* The names of the oracle's tensors that start with a prefix, without it. */
std::vector<std::string> names(const std::string &prefix)
{
    std::vector<std::string> found;
    for (const auto &[name, shape] : oracle().shapes())
        if (name.rfind(prefix, 0) == 0) found.push_back(name.substr(prefix.size()));
    return found;
}

std::string text_name(const rv_model *model)
{
    std::string name = model->name;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

/* Expects that they agree to 1e-12 of the largest element. */
void expect_close(const Values &seen, const std::string &name)
{
    const Values &expected = oracle().f64(name);
    double scale = 0;
    for (double v : expected) scale = std::max(scale, std::abs(v));
    ASSERT_EQ(seen.size(), expected.size()) << name;
    for (size_t i = 0; i < seen.size(); i++)
        ASSERT_NEAR(seen[i], expected[i], 1e-12 * scale) << name << " " << i;
}

class EveryCell : public testing::TestWithParam<const rv_model *> {
  protected:
    /* An input of the tape with the oracle's shape. */
    rv_var input(const std::string &name)
    {
        inputs.push_back(name);
        wrt.push_back(tape.input(name.c_str(), oracle().shapes().at(cell + "/" + name)));
        return wrt.back();
    }

    void expect_oracle(bool stepwise)
    {
        rv_states start = {};
        rv_rnn_options options = {};
        options.kernel = GetParam()->kernel;
        options.bias = true;
        options.stepwise = stepwise;
        options.initial = &start;
        const rv_var x = input("x");
        const size_t states = names(cell + "/state").size();
        for (size_t s = 0; s < states; s++) start.h[s] = input("state" + std::to_string(s));
        options.units = oracle().shapes().at(cell + "/outputs").dim[2];

        const rv_var h = rv_unroll_outputs(rv_zoo(GetParam()->name), x, options);
        const rv_var loss = rv_scale(total(rv_square(h)), 0.5);
        ASSERT_EQ(tape.code(), RV_OK) << tape.error();
        std::vector<rv_var> parameters(static_cast<size_t>(rv_parameters(loss, nullptr, 0)));
        rv_parameters(loss, parameters.data(), static_cast<int>(parameters.size()));
        wrt.insert(wrt.end(), parameters.begin(), parameters.end());
        std::vector<rv_var> outputs = gradients(loss, wrt);
        outputs.insert(outputs.begin(), h);
        Program program(tape, outputs);

        std::vector<std::string> made;
        for (const std::string &name : inputs)
            set_values(rv_program_input(program, name.c_str()), oracle().f64(cell + "/" + name));
        for (rv_var p : parameters) {
            const std::string name = rv_tape_node(tape, p.id)->entry->name;
            made.push_back(name);
            inputs.push_back("p/" + name);
            set_values(&tape.stored(name.c_str()), oracle().f64(cell + "/p/" + name));
        }
        std::sort(made.begin(), made.end());
        EXPECT_EQ(made, names(cell + "/p/"));
        program.run();
        expect_close(program.values(0), cell + "/outputs");
        for (size_t i = 0; i < inputs.size(); i++)
            expect_close(program.values(static_cast<int>(i) + 1), cell + "/d/" + inputs[i]);
    }

    const std::string cell = text_name(GetParam());
    Tape tape;
    std::vector<std::string> inputs; // of which gradients are taken, in the oracle's names
    std::vector<rv_var> wrt;
};

TEST_P(EveryCell, ComputesWhatItsPaperSays) { expect_oracle(true); }

/* Where it is linear in its states. */
TEST_P(EveryCell, ComputesItAtAllStepsAtOnce) { expect_oracle(false); }

std::vector<const rv_model *> zoo()
{
    std::vector<const rv_model *> all;
    for (int i = 0; i < rv_model_count(); i++) all.push_back(rv_model_at(i));
    return all;
}

INSTANTIATE_TEST_SUITE_P(Zoo, EveryCell, testing::ValuesIn(zoo()),
                         [](const auto &info) { return text_name(info.param); });

TEST(Oracle, HasEveryCellOfTheZooAndNoOther)
{
    std::set<std::string> cells, oracles;
    for (const rv_model *model : zoo()) cells.insert(text_name(model));
    for (const std::string &name : names("")) oracles.insert(name.substr(0, name.find('/')));
    EXPECT_EQ(cells, oracles)
        << "a cell of models/*.rv needs its equations in tests/oracles/cells.py";
}

} // namespace
