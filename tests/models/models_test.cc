// The cells: shapes, parameters, gradients to second order, and what unrolling promises.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "recurve.h"

namespace {

class Models : public testing::Test {
  protected:
    Models() : store(rv_store_new(3)), tape(rv_tape_new(store, RV_F64)) {}
    ~Models() override
    {
        rv_tape_free(tape);
        rv_store_free(store);
    }
    std::string error() const { return rv_tape_error(tape)->text; }
    int count(const char *op) const
    {
        int found = 0;
        for (int32_t id = 0; id < rv_tape_count(tape); id++)
            found += !std::strcmp(rv_tape_node(tape, id)->op->name, op);
        return found;
    }
    // The parameters, states and inputs of the tape.
    std::vector<rv_var> leaves() const
    {
        std::vector<rv_var> found;
        for (int32_t id = 0; id < rv_tape_count(tape); id++) {
            const rv_op *op = rv_tape_node(tape, id)->op;
            const bool real = rv_tape_node(tape, id)->type.dtype == RV_F64;
            if (real && (op == &rv_op_parameter || op == &rv_op_input)) found.push_back({tape, id});
        }
        return found;
    }
    void expect_right(rv_var loss, double tolerance, double step = 0)
    {
        std::vector<rv_var> wrt = leaves();
        std::vector<rv_gradcheck_result> result(wrt.size());
        rv_gradcheck_options options = {};
        options.tolerance = tolerance;
        options.step = step;
        options.inputs = given.data();
        options.input_count = static_cast<int>(given.size());
        EXPECT_TRUE(
            rv_gradcheck(loss, wrt.data(), static_cast<int>(wrt.size()), &options, result.data()))
            << error();
        for (const auto &r : result)
            EXPECT_EQ(r.verdict, RV_RIGHT)
                << r.name << "[" << r.index << "]: " << r.reason << " " << r.max_relative_error;
    }

    rv_store *store;
    rv_tape *tape;
    std::vector<rv_named_tensor> given; // values of inputs
};

class EveryModel : public Models, public testing::WithParamInterface<int> {
  protected:
    const rv_model *model = rv_model_at(GetParam());
};

TEST_P(EveryModel, HasAGradientThatDifferencesConfirm)
{
    expect_right(rv_model_specimen(model, tape), 1e-7);
}

TEST_P(EveryModel, HasASecondDerivativeThatDifferencesConfirm)
{
    rv_var loss = rv_model_specimen(model, tape), sum = rv_scalar(tape, 0);
    std::vector<rv_var> wrt = leaves(), g(wrt.size());
    ASSERT_TRUE(rv_gradient(loss, wrt.data(), static_cast<int>(wrt.size()), g.data())) << error();
    for (rv_var gradient : g) sum = rv_add(sum, rv_sum(rv_square(gradient), RV_ALL_AXES, false));
    expect_right(sum, 1e-7);
}

// The options of a net for the model, and its inputs: images for those that need them, else
// sequences.
rv_net record(const rv_model *model, rv_tape *tape, rv_net_options o, int64_t n, int64_t steps)
{
    o.classes = 2;
    o.sequence = !model->images;
    o.steps = steps;
    if (model->record) o.rnn = rv_rnn_options{};
    rv_var x = rv_input(tape, "x",
                        model->images   ? RV_SHAPE(n, 1, 8, 8)
                        : model->kernel ? RV_SHAPE(n, steps, 2, 4, 4)
                                        : RV_SHAPE(n, steps, 4));
    return rv_model_record(model, &o, x, rv_input(tape, "y", RV_SHAPE(n)));
}

TEST_P(EveryModel, TrainsInLittleMoreMemoryThanIsAliveAtOnce)
{
    if (!model->step) return;
    for (const int64_t steps : {1, 2, 5}) {
        rv_store *own = rv_store_new(3);
        rv_tape *training = rv_tape_new(own, RV_F32);
        rv_net_options options = {};
        options.rnn.units = 8;
        options.rnn.bias = true;
        options.hidden = 34;
        rv_var loss = record(model, training, options, 8, steps).loss;
        EXPECT_TRUE(rv_minimize(loss, rv_adam(1e-3))) << rv_tape_error(training)->text;
        rv_program *program = rv_compile(training, &loss, 1);
        const rv_program_stats stats = rv_program_statistics(program);
        EXPECT_GT(stats.live_bytes, 0u);
        EXPECT_LE(static_cast<double>(stats.arena_bytes),
                  1.1 * static_cast<double>(stats.live_bytes))
            << steps << " steps";
        rv_program_free(program);
        rv_tape_free(training);
        rv_store_free(own);
    }
}

// Everything at once: layers, both directions, lengths, learned starts.
TEST_P(EveryModel, IsRightStackedMaskedAndInBothDirections)
{
    if (!model->step) return;
    rv_net_options options = {};
    options.rnn.units = 3;
    options.rnn.bias = true;
    options.rnn.learned_start = true;
    if (!model->images) {
        options.rnn.layers = 2;
        options.rnn.bidirectional = true;
        options.rnn.residual = true;
        options.rnn.skip = true;
    }
    options.rnn.lengths = rv_input_typed(tape, "lengths", RV_I32, RV_SHAPE(2));
    rv_net net = record(model, tape, options, 2, 3);
    rv_tensor lengths;
    ASSERT_TRUE(rv_tensor_new(&lengths, RV_I32, RV_SHAPE(2), nullptr));
    rv_tensor_set(&lengths, 0, 3);
    rv_tensor_set(&lengths, 1, 2);
    given = {{"lengths", lengths}};
    expect_right(net.loss, 1e-7);
    rv_tensor_free(&lengths);
}

TEST_P(EveryModel, IsRightWithNormalizedMaps)
{
    if (!model->step || model->images) return;
    rv_net_options options = {};
    options.rnn.units = 5;
    options.rnn.bias = true;
    options.rnn.layer_norm = true;
    options.rnn.learned_start = true;
    rv_net net = record(model, tape, options, 2, 3);
    for (size_t i = 0; i < rv_store_count(store);
         i++) { // away from zero, where normalizing is steep
        rv_entry *entry = rv_store_at(store, i);
        rv_init_fill(&entry->tensor, rv_init_uniform(-1, 1), rv_seed(4, entry->name));
    }
    expect_right(net.loss, 1e-7, 3e-4);
}

TEST_P(EveryModel, IsDescribed)
{
    EXPECT_TRUE(model->name && *model->name && model->text && *model->text == '#');
    EXPECT_EQ(rv_model_find(model->name), model);
}

INSTANTIATE_TEST_SUITE_P(Table, EveryModel, testing::Range(0, rv_model_count()),
                         [](const auto &info) {
                             std::string name = rv_model_at(info.param)->name;
                             for (char &c : name) c = c == '-' ? '_' : c;
                             return name;
                         });

TEST_F(Models, CurnnBlogRefusesWhatTheArticleHasNot)
{
    rv_net_options options = {};
    options.classes = 10;
    rv_net net = rv_model_record(rv_model_find("curnn-blog"), &options,
                                 rv_input(tape, "x", rv_shape{4, {2, 1, 8, 8}}),
                                 rv_input(tape, "y", rv_shape{1, {2}}));
    EXPECT_TRUE(rv_is_null(net.output));
    EXPECT_NE(error().find("outputs [2,1] for 2 samples, but the data ask for 10 numbers each"),
              std::string::npos)
        << error();
}

} // namespace
