// What the language makes of random texts is what dual numbers make of the same trees: every named
// value, and the loss's gradient at inputs, parameters and values inside.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "recurve.h"
#include "tests/lang/random_model.h"
#include "tests/tapes.h"

namespace {

constexpr double tolerance = 1e-12;

Array array_of(const rv_tensor &t)
{
    Sizes shape;
    for (int64_t d = 0; d < t.shape.rank; d++) shape.push_back(t.shape.dim[d]);
    Array a(shape);
    for (int64_t i = 0; i < a.count(); i++) a.at[static_cast<size_t>(i)] = rv_tensor_get(&t, i);
    return a;
}

// A model of a text on a tape, freed when the test ends.
class Recording {
  public:
    Recording(const std::string &text, uint64_t seed) : tape_(RV_F64, seed)
    {
        rv_error error = {};
        lang_ = rv_lang_read(text.data(), text.size(), "random", nullptr, &error);
        if (!lang_) return;
        char *problems = rv_lang_problem_text(lang_);
        why_ = problems ? problems : "";
        rv_free(problems);
        const rv_model *model = rv_lang_model(lang_, nullptr, &error);
        rv_lang_recording_options options = {};
        options.seed = seed;
        if (why_.empty() && model) recording_ = rv_lang_record(model, tape_, &options);
        if (!recording_) why_ += error.text + tape_.error();
    }
    ~Recording()
    {
        rv_lang_recording_free(recording_);
        rv_lang_free(lang_);
    }
    operator rv_lang_recording *() const { return recording_; }
    const Tape &tape() const { return tape_; }
    const std::string &why() const { return why_; }
    rv_var of(const std::string &name) const { return rv_lang_value_of(recording_, name.c_str()); }

    // Biases and gains start from numbers; here they get some of their own.
    void scatter(const Weight &weight) const
    {
        rv_entry *entry = rv_store_find(tape_.store(), weight.name.c_str());
        ASSERT_NE(entry, nullptr) << weight.name;
        for (int64_t i = 0; i < rv_tensor_count(&entry->tensor); i++) {
            ASSERT_EQ(rv_tensor_get(&entry->tensor, i), weight.start) << weight.name;
            rv_tensor_set(&entry->tensor, i,
                          2 * rv_random_uniform(rv_seed(7, weight.name.c_str()), (uint64_t)i) - 1);
        }
    }
    // Inputs, parameters and what else is drawn, as the library has drawn them.
    std::map<std::string, Array> leaves(const std::vector<std::string> &drawn) const
    {
        std::map<std::string, Array> all;
        int count = 0;
        const rv_named_tensor *inputs = rv_lang_inputs(recording_, &count);
        for (int i = 0; i < count; i++) all[inputs[i].name] = array_of(inputs[i].tensor);
        for (int i = 0; i < rv_lang_value_count(recording_); i++) {
            const char *name = rv_lang_value_at(recording_, i).name;
            const rv_entry *entry = rv_store_find(tape_.store(), name);
            if (entry) all[name] = array_of(entry->tensor);
        }
        for (const std::string &name : drawn) {
            const rv_entry *entry = rv_store_find(tape_.store(), name.c_str());
            if (entry) all[name] = array_of(entry->tensor);
        }
        return all;
    }
    Program compile(const std::vector<rv_var> &outputs) const
    {
        Program program(tape_, outputs);
        int count = 0;
        const rv_named_tensor *inputs = rv_lang_inputs(recording_, &count);
        rv_error error = {};
        for (int i = 0; i < count; i++)
            if (rv_program_input(program, inputs[i].name))
                rv_feed(program, inputs[i].name, &inputs[i].tensor, &error);
        return program;
    }

  private:
    Tape tape_;
    rv_lang *lang_ = nullptr;
    rv_lang_recording *recording_ = nullptr;
    std::string why_;
};

// The largest difference, as a share of the largest number.
double error_of(const Values &seen, const Values &right)
{
    double error = 0, largest = 1e-2;
    if (seen.size() != right.size()) return INFINITY;
    for (double r : right) largest = std::max(largest, std::fabs(r));
    for (size_t i = 0; i < seen.size(); i++) {
        const double e = std::fabs(seen[i] - right[i]) / largest;
        error = e > error || std::isnan(e) ? e : error;
        if (std::isnan(e)) return INFINITY;
    }
    return error;
}

struct Worst {
    double value = 0, gradient = 0;
    int values = 0, gradients = 0;
};

void check(const RandomModel &model, unsigned seed, Worst *worst)
{
    Recording r(model.text(), seed);
    ASSERT_NE(static_cast<rv_lang_recording *>(r), nullptr) << r.why();
    for (const Weight &w : model.flat_weights()) r.scatter(w);
    const ModelValues right = model.evaluate(r.leaves(model.drawn()));

    std::vector<rv_var> outputs, wrt;
    std::vector<const NamedValue *> values, leaves;
    std::map<int32_t, std::vector<const NamedValue *>> by_node;
    std::set<std::string> names;
    for (const NamedValue &v : right.all) {
        const rv_var var = r.of(v.name);
        names.insert(v.name);
        if (rv_is_null(var)) { // only what a state starts from is no value of its own
            EXPECT_NE(rv_store_find(r.tape().store(), v.name.c_str()), nullptr) << v.name;
            continue;
        }
        outputs.push_back(var);
        values.push_back(&v);
        if (v.first < 0) continue;
        wrt.push_back(var);
        leaves.push_back(&v);
        if (v.origin < 0) by_node[var.id].push_back(&v);
    }
    for (int i = 0; i < rv_lang_value_count(r); i++)
        EXPECT_EQ(names.count(rv_lang_value_at(r, i).name), 1u) << rv_lang_value_at(r, i).name;
    const std::vector<rv_var> g = gradients(r.of("loss"), wrt);
    outputs.insert(outputs.end(), g.begin(), g.end());
    Program program = r.compile(outputs);
    program.run();
    for (size_t k = 0; k < values.size(); k++) {
        Values expected;
        for (const Dual &d : values[k]->value.at) expected.push_back(d.value);
        const double error = error_of(program.values(static_cast<int>(k)), expected);
        worst->value = std::max(worst->value, error);
        worst->values++;
        EXPECT_LE(error, tolerance) << values[k]->name;
    }
    for (size_t k = 0; k < leaves.size(); k++) {
        const std::vector<const NamedValue *> &same_node = by_node[wrt[k].id];
        Values expected(leaves[k]->value.at.size());
        for (const NamedValue *v : same_node)
            for (size_t i = 0; i < expected.size(); i++)
                expected[i] += right.slope(*v, static_cast<int64_t>(i));
        const double error =
            error_of(program.values(static_cast<int>(values.size() + k)), expected);
        worst->gradient = std::max(worst->gradient, error);
        worst->gradients++;
        EXPECT_LE(error, tolerance) << "d loss / d " << leaves[k]->name;
    }
}

class RandomModels : public testing::TestWithParam<RandomModel::Kind> {};

TEST_P(RandomModels, AreWhatDualNumbersSay)
{
    Worst worst;
    const unsigned count = GetParam() == RandomModel::IMAGE_CELLS ? 40 : 300;
    for (unsigned seed = 1; seed <= count && !HasFailure(); seed++) {
        const RandomModel model(seed, GetParam());
        SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + model.text());
        check(model, seed, &worst);
    }
    RecordProperty("values", worst.values);
    RecordProperty("gradients", worst.gradients);
    RecordProperty("error_of_values", std::to_string(worst.value));
    RecordProperty("error_of_gradients", std::to_string(worst.gradient));
    EXPECT_GT(worst.gradients, static_cast<int>(5 * count));
}

// The names that the library lists are names of the text: a line that gives such a value another
// name records the same node. A text writes a_W for the parameter a/W of the unroll a; it does not
// know the parameters of layers, of directions and behind the option name="e..", and the drawn
// states h/start.
TEST_P(RandomModels, NamesMeanTheSameInTheText)
{
    int names = 0;
    for (unsigned seed = 1; seed <= 100 && !HasFailure(); seed++) {
        const RandomModel model(seed, GetParam());
        SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + model.text());
        const Recording r(model.text(), seed);
        std::set<std::string> listed;
        std::string text = model.text();
        std::vector<std::string> said;
        for (int i = 0; i < rv_lang_value_count(r); i++) {
            std::string name = rv_lang_value_at(r, i).name;
            EXPECT_TRUE(listed.insert(name).second) << name << " is listed twice";
            if (std::count(name.begin(), name.end(), '/') > 1) continue;
            if (name.find("ward/") != std::string::npos || name.find("layer") == 0) continue;
            if (name[0] == 'e' && name.find('/') != std::string::npos) continue;
            if (name.find("/start") != std::string::npos) continue;
            std::replace(name.begin(), name.end(), '/', '_');
            text += "  same" + std::to_string(said.size()) + " = " + name + "\n";
            said.push_back(name);
        }
        const Recording again(text, seed);
        ASSERT_NE(static_cast<rv_lang_recording *>(again), nullptr) << again.why();
        for (size_t k = 0; k < said.size(); k++)
            EXPECT_EQ(again.of("same" + std::to_string(k)).id, r.of(said[k]).id) << said[k];
        names += static_cast<int>(said.size());
    }
    EXPECT_GT(names, 500);
}

INSTANTIATE_TEST_SUITE_P(Kinds, RandomModels,
                         testing::Values(RandomModel::EXPRESSIONS, RandomModel::SERIES,
                                         RandomModel::CELLS, RandomModel::IMAGES,
                                         RandomModel::IMAGE_CELLS));

} // namespace
