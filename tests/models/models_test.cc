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
            if (op == &rv_op_parameter || op == &rv_op_input) found.push_back({tape, id});
        }
        return found;
    }
    void expect_right(rv_var loss, double tolerance)
    {
        std::vector<rv_var> wrt = leaves();
        std::vector<rv_gradcheck_result> result(wrt.size());
        rv_gradcheck_options options = {};
        options.tolerance = tolerance;
        EXPECT_TRUE(
            rv_gradcheck(loss, wrt.data(), static_cast<int>(wrt.size()), &options, result.data()))
            << error();
        for (const auto &r : result)
            EXPECT_TRUE(r.ok) << r.name << "[" << r.index << "]: " << r.reason << " "
                              << r.max_relative_error;
    }

    rv_store *store;
    rv_tape *tape;
};

class EveryModel : public Models, public testing::WithParamInterface<int> {
  protected:
    const rv_model *model = rv_model_at(GetParam());
};

TEST_P(EveryModel, HasAGradientThatDifferencesConfirm)
{
    expect_right(model->specimen(tape), 1e-7);
}

TEST_P(EveryModel, HasASecondDerivativeThatDifferencesConfirm)
{
    rv_var loss = model->specimen(tape), sum = rv_scalar(tape, 0);
    std::vector<rv_var> wrt = leaves(), g(wrt.size());
    ASSERT_TRUE(rv_gradient(loss, wrt.data(), static_cast<int>(wrt.size()), g.data())) << error();
    for (rv_var gradient : g) sum = rv_add(sum, rv_sum(rv_square(gradient), RV_ALL_AXES, false));
    expect_right(sum, 1e-7);
}

TEST_P(EveryModel, TrainsInLittleMoreMemoryThanIsAliveAtOnce)
{
    for (const int64_t steps : {1, 2, 5}) {
        rv_store *own = rv_store_new(3);
        rv_tape *training = rv_tape_new(own, RV_F32);
        rv_model_options options = model->defaults;
        options.steps = steps;
        options.outputs = 1;
        rv_var loss = model->logits
                          ? model->loss(model->logits(&options, rv_input(training, "images",
                                                                         RV_SHAPE(8, 1, 8, 8))),
                                        rv_input(training, "targets", RV_SHAPE(8, 1)))
                          : model->specimen(training);
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

TEST_P(EveryModel, IsDescribed)
{
    EXPECT_TRUE(model->name && *model->name && model->formula && *model->formula && model->source &&
                *model->source);
    EXPECT_EQ(rv_model_find(model->name), model);
}

INSTANTIATE_TEST_SUITE_P(Table, EveryModel, testing::Range(0, rv_model_count()),
                         [](const auto &info) {
                             std::string name = rv_model_at(info.param)->name;
                             for (char &c : name) c = c == '-' ? '_' : c;
                             return name;
                         });

TEST_F(Models, CurnnConvolvesTheImageOncePerGateForAnyNumberOfSteps)
{
    rv_var h = rv_unroll(rv_curnn, rv_input(tape, "x", rv_shape{4, {2, 1, 8, 8}}), 5);
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(h), rv_shape{4, {2, 1, 4, 4}})) << error();
    EXPECT_EQ(count("conv2d"), 2 + 2 * 5);
    EXPECT_EQ(count("parameter"), 4);
}

TEST_F(Models, StatesGetTheirShapesFromTheStep)
{
    rv_cell_options options = {};
    options.units = 7;
    options.bias = true;
    rv_var h =
        rv_unroll_with(rv_curnn, rv_input(tape, "x", rv_shape{4, {2, 3, 9, 11}}), 2, options);
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(h), rv_shape{4, {2, 7, 5, 7}})) << error();
    h = rv_unroll_with(rv_ugrnn, rv_input(tape, "rows", rv_shape{2, {2, 3}}), 2, options);
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(h), rv_shape{2, {2, 7}})) << error();
}

TEST_F(Models, ProbingForShapesLeavesNothingBehind)
{
    rv_unroll(rv_curnn, rv_input(tape, "x", rv_shape{4, {2, 1, 8, 8}}), 1);
    EXPECT_EQ(rv_store_count(store), 4u);
}

TEST_F(Models, ACellThatNeverSettlesIsAnError)
{
    rv_var h = rv_unroll(
        [](rv_cell *, rv_var, rv_var *state) {
            state[0] = rv_concat(&state[0], 1, 1), state[0] = rv_pad2d(state[0], 1);
        },
        rv_input(tape, "x", rv_shape{4, {2, 1, 8, 8}}), 2);
    EXPECT_TRUE(rv_is_null(h));
    EXPECT_NE(error().find("could not be worked out"), std::string::npos) << error();
}

TEST_F(Models, AnImageSmallerThanTheKernelIsAnErrorThatNamesBoth)
{
    rv_var h = rv_unroll(rv_curnn, rv_input(tape, "image", rv_shape{4, {2, 1, 4, 4}}), 2);
    EXPECT_TRUE(rv_is_null(h));
    EXPECT_NE(error().find("kernel 5x5 is larger than the padded image 4x4"), std::string::npos)
        << error();
}

TEST_F(Models, ASequenceOfEqualImagesIsTheImageShownEveryStep)
{
    rv_var x = rv_input(tape, "x", rv_shape{2, {2, 3}}),
           sequence[1] = {rv_reshape(x, rv_shape{3, {2, 1, 3}})};
    rv_cell_options options = {};
    options.units = 4;
    rv_var repeated = rv_broadcast(sequence[0], rv_shape{3, {2, 3, 3}}), outputs[3];
    rv_var once = rv_unroll_with(rv_ugrnn, x, 3, options);
    rv_var each = rv_unroll_sequence(rv_ugrnn, repeated, options, outputs);
    EXPECT_EQ(outputs[2].id, each.id);
    rv_var both[2] = {once, each};
    rv_program *program = rv_compile(tape, both, 2);
    ASSERT_NE(program, nullptr) << error();
    rv_init_fill(rv_program_input(program, "x"), rv_init_normal(0, 1), 1);
    rv_run(program);
    for (int64_t i = 0; i < 8; i++)
        EXPECT_EQ(rv_tensor_get(rv_program_output(program, 0), i),
                  rv_tensor_get(rv_program_output(program, 1), i));
    rv_program_free(program);
}

TEST_F(Models, CurnnBlogRefusesWhatTheArticleHasNot)
{
    const rv_model *model = rv_model_find("curnn-blog");
    rv_model_options options = model->defaults;
    options.outputs = 10;
    EXPECT_TRUE(
        rv_is_null(model->logits(&options, rv_input(tape, "x", rv_shape{4, {2, 1, 8, 8}}))));
    EXPECT_NE(error().find("10 outputs"), std::string::npos) << error();
}

} // namespace
