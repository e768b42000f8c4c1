/* Errors stay on the tape, say what was seen and what to do, and null vars carry them to the
 * end. */
#include "autograd/tape.h"

#include <gtest/gtest.h>

#include "tests/autograd/custom_ops.h"
#include "tests/tapes.h"

namespace {

/* ---- errors stick (invariant 3) ---- */

TEST(TapeError, NamesTheOpItsInputsTheirShapesAndWhatToDo)
{
    Tape t;
    const rv_var x = t.input("image", RV_SHAPE(2, 3)), w = t.parameter("weight", RV_SHAPE(4, 5));
    rv_matmul(x, w, false, false);
    EXPECT_EQ(t.code(), RV_ERROR_SHAPE);
    for (const char *part : {"matmul: ", "inner sizes 3 and 4", "\"image\" [2,3]",
                             "\"weight\" [4,5]", "; transpose or reshape"})
        EXPECT_TRUE(contains(t.error(), part)) << part << " in " << t.error();
}

TEST(TapeError, NamesUnnamedInputsByOpAndNumber)
{
    Tape t;
    const rv_var x = rv_tanh(t.input("x", RV_SHAPE(2, 3)));
    rv_reshape(x, RV_SHAPE(7));
    EXPECT_TRUE(contains(t.error(), "x tanh#" + std::to_string(x.id) + " [2,3]")) << t.error();
}

TEST(TapeError, SaysTheScope)
{
    Tape t;
    rv_scope_push(t, "cell");
    rv_scope_push(t, "step 3");
    const rv_var x = t.input("x", RV_SHAPE(2, 3));
    EXPECT_STREQ(rv_tape_node(t, x.id)->origin->scope, "cell/step 3");
    rv_reshape(x, RV_SHAPE(7));
    EXPECT_TRUE(contains(t.error(), "in cell/step 3")) << t.error();
    rv_scope_pop(t);
    EXPECT_STREQ(rv_tape_node(t, rv_tanh(x).id)->origin->scope, "cell");
    rv_scope_pop(t);
    EXPECT_STREQ(rv_tape_node(t, rv_sigmoid(x).id)->origin->scope, "");
    rv_scope_pop(t);
    EXPECT_STREQ(rv_tape_node(t, rv_exp(x).id)->origin->scope, "")
        << "one pop too many does no harm";
}

TEST(TapeError, ScopesThatAreNestedTooDeeplyAreOne)
{
    Tape t;
    for (int i = 0; i < 40; i++) rv_scope_push(t, "deeper");
    EXPECT_EQ(t.code(), RV_ERROR_ARGUMENT);
    EXPECT_TRUE(contains(t.error(), "nested deeper than")) << t.error();
    for (int i = 0; i < 50; i++) rv_scope_pop(t);
}

TEST(TapeError, TheFirstStays)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 3));
    rv_reshape(x, RV_SHAPE(7));
    const std::string first = t.error();
    rv_reshape(x, RV_SHAPE(8));
    rv_tape_fail(t, RV_ERROR_ARGUMENT, "another");
    t.input("x", RV_SHAPE(5));
    EXPECT_EQ(t.error(), first);
    EXPECT_EQ(t.code(), RV_ERROR_SHAPE);
    EXPECT_EQ(rv_compile(t, &x, 1), nullptr) << "even of what is well";
    EXPECT_EQ(t.error(), first);
}

TEST(TapeError, ControlCharactersOfNamesDoNotReachTheTerminal)
{
    Tape t;
    rv_reshape(rv_name(rv_tanh(t.input("x", RV_SHAPE(2))), "a\x1b[2Jb"), RV_SHAPE(3));
    EXPECT_TRUE(contains(t.error(), "\"a\\x1b[2Jb\"")) << t.error();
}

TEST(TapeError, LongNamesAreCutNotOverrun)
{
    Tape t;
    std::vector<rv_var> many;
    for (int i = 0; i < 60; i++)
        many.push_back(
            t.input((std::to_string(i) + std::string(240, 'n')).c_str(), RV_SHAPE(i + 1)));
    rv_concat(many.data(), 60, 5);
    EXPECT_LT(t.error().size(), static_cast<size_t>(RV_ERROR_TEXT));
    EXPECT_TRUE(contains(t.error(), "concat: axis 5 of tensors of rank 1")) << t.error();
}

TEST(TapeError, ANameOfNoOrTooManyBytesIsOne)
{
    for (const std::string &name : {std::string(), std::string(256, 'n')}) {
        Tape t;
        EXPECT_TRUE(rv_is_null(t.input(name.c_str(), RV_SHAPE(2))));
        EXPECT_EQ(t.code(), RV_ERROR_NAME);
        Tape u;
        EXPECT_TRUE(rv_is_null(u.parameter(name.c_str(), RV_SHAPE(2))));
        EXPECT_EQ(u.code(), RV_ERROR_NAME);
    }
    Tape t;
    EXPECT_FALSE(rv_is_null(t.input(std::string(255, 'n').c_str(), RV_SHAPE(2))));
}

TEST(TapeError, AnInputAskedForAgainWithAnotherTypeIsOne)
{
    Tape t;
    t.input("x", RV_SHAPE(2, 3));
    EXPECT_TRUE(rv_is_null(t.input("x", RV_SHAPE(3, 2))));
    EXPECT_EQ(t.code(), RV_ERROR_NAME);
    EXPECT_TRUE(contains(t.error(), "\"x\" is f64 [2,3]") && contains(t.error(), "f64 [3,2]"))
        << t.error();
    Tape u;
    u.input("x", RV_SHAPE(2));
    EXPECT_TRUE(rv_is_null(rv_input_typed(u, "x", RV_I32, RV_SHAPE(2))));
    EXPECT_TRUE(contains(u.error(), "i32 [2]")) << u.error();
}

TEST(TapeError, AParameterAskedForAgainWithAnotherShapeOrRoleIsOne)
{
    Tape t;
    t.parameter("w", RV_SHAPE(2));
    EXPECT_TRUE(rv_is_null(t.parameter("w", RV_SHAPE(3))));
    EXPECT_EQ(t.code(), RV_ERROR_SHAPE);
    EXPECT_TRUE(contains(t.error(), "\"w\"") && contains(t.error(), "[3]")) << t.error();
    Tape u;
    u.parameter("w", RV_SHAPE(2));
    EXPECT_TRUE(rv_is_null(u.state("w", RV_SHAPE(2))));
    EXPECT_EQ(u.code(), RV_ERROR_NAME);
}

TEST(TapeError, ShapesThatCannotBeAreOne)
{
    rv_shape seven = RV_SHAPE(1, 1, 1, 1, 1, 1);
    seven.rank = 7;
    const int64_t huge = int64_t{1} << 40;
    for (const rv_shape shape : {RV_SHAPE(0), RV_SHAPE(2, -1), RV_SHAPE(huge, huge), seven}) {
        Tape t, u, v;
        EXPECT_TRUE(rv_is_null(t.input("x", shape)));
        EXPECT_EQ(t.code(), RV_ERROR_SHAPE) << t.error();
        EXPECT_EQ(t.count(), 0);
        EXPECT_TRUE(rv_is_null(u.parameter("x", shape)));
        EXPECT_EQ(u.code(), RV_ERROR_SHAPE) << u.error();
        EXPECT_TRUE(rv_is_null(rv_full(v, shape, 1)));
        EXPECT_EQ(v.code(), RV_ERROR_SHAPE) << v.error();
    }
}

TEST(TapeError, ATapeOfIntegersIsOneFromTheStart)
{
    Tape t(RV_I32);
    EXPECT_EQ(t.code(), RV_ERROR_DTYPE);
    EXPECT_TRUE(contains(t.error(), "i32") && contains(t.error(), "f32 or f64")) << t.error();
}

TEST(TapeError, AVarOfAnotherTapeIsOne)
{
    Tape t, other;
    const rv_var x = t.input("x", RV_SHAPE(2)), y = other.input("y", RV_SHAPE(2));
    EXPECT_TRUE(rv_is_null(rv_add(x, y)));
    EXPECT_EQ(t.code(), RV_ERROR_ARGUMENT);
    EXPECT_TRUE(contains(t.error(), "input 1 is on another tape")) << t.error();
    EXPECT_EQ(other.code(), RV_OK);

    Tape u;
    EXPECT_EQ(rv_compile(u, &y, 1), nullptr);
    EXPECT_TRUE(contains(u.error(), "output 0 is not a value of this tape")) << u.error();
}

TEST(TapeError, AVarThatWasNeverMadeIsOne)
{
    const rv_var zero = {}, beyond = {nullptr, 5}, null = {nullptr, -1};
    for (const rv_var never : {zero, beyond, null}) {
        Tape t;
        const rv_var x = t.input("x", RV_SHAPE(2, 2));
        EXPECT_TRUE(rv_is_null(rv_matmul(x, never, false, false)));
        EXPECT_EQ(t.code(), RV_ERROR_ARGUMENT);
        EXPECT_TRUE(contains(t.error(), "matmul: input 1 is a null var")) << t.error();
        Tape u;
        EXPECT_TRUE(rv_is_null(rv_add(u.input("x", RV_SHAPE(2, 2)), never)));
        EXPECT_TRUE(contains(u.error(), "add: input 1 is a null var")) << u.error();
        Tape v;
        rv_assign(v.parameter("w", RV_SHAPE(2)), never);
        EXPECT_TRUE(contains(v.error(), "assign: input 1 is a null var")) << v.error();
    }
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), ahead = {t, 1000};
    EXPECT_TRUE(rv_is_null(rv_add(x, ahead)));
    EXPECT_EQ(t.code(), RV_ERROR_ARGUMENT);
}

TEST(TapeError, AnotherNumberOfInputsIsOne)
{
    static const rv_op cube = cube_op("cube", nullptr);
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), two[] = {x, x};
    EXPECT_TRUE(rv_is_null(rv_record(t, &cube, nullptr, 0, two, 2)));
    EXPECT_TRUE(contains(t.error(), "cube: 2 inputs, expected x")) << t.error();
    Tape u;
    EXPECT_TRUE(rv_is_null(rv_record(u, &rv_op_add, nullptr, 0, nullptr, 0)));
    EXPECT_TRUE(contains(u.error(), "add: 0 inputs, expected at least 1")) << u.error();
}

TEST(TapeError, AssigningAnythingButAParameterOrStateIsOne)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2));
    rv_assign(x, rv_tanh(x));
    EXPECT_TRUE(contains(t.error(), "assign: the target is a input") ||
                contains(t.error(), "assign: the target is an input"))
        << t.error();
    Tape u;
    const rv_var w = u.parameter("w", RV_SHAPE(2));
    rv_assign(w, rv_full(u, RV_SHAPE(3), 0));
    EXPECT_EQ(u.code(), RV_ERROR_SHAPE);
    EXPECT_TRUE(contains(u.error(), "\"w\" [2]")) << u.error();
    Tape v;
    rv_assign(v.parameter("w", RV_SHAPE(2)), rv_cast(rv_full(v, RV_SHAPE(2), 0), RV_F32));
    EXPECT_EQ(v.code(), RV_ERROR_SHAPE);
}

TEST(TapeError, AssigningTwiceIsOneUnlessItIsTheSameValue)
{
    Tape t;
    const rv_var w = t.parameter("w", RV_SHAPE(2));
    rv_assign(w, rv_shift(w, 1));
    rv_assign(w, rv_shift(w, 1));
    EXPECT_EQ(t.code(), RV_OK);
    rv_assign(w, rv_shift(w, 2));
    EXPECT_EQ(t.code(), RV_ERROR_ARGUMENT);
    EXPECT_TRUE(contains(t.error(), "\"w\" is assigned two different values")) << t.error();
}

TEST(TapeError, ADescriptorWithoutItsMustsIsOne)
{
    rv_op none = cube_op(nullptr, nullptr), argless = cube_op("argless", nullptr),
          formless = cube_op("formless", nullptr), shapeless = cube_op("shapeless", nullptr);
    argless.args = nullptr;
    formless.formula = nullptr;
    shapeless.infer = nullptr;
    const std::pair<rv_op, const char *> cases[] = {{none, "(\"\") has no name"},
                                                    {argless, "(\"argless\") has no args"},
                                                    {formless, "(\"formless\") has no formula"},
                                                    {shapeless, "(\"shapeless\") has no infer"}};
    for (const auto &[op, message] : cases) {
        Tape t;
        EXPECT_TRUE(rv_is_null(record(op, t.input("x", RV_SHAPE(2)))));
        EXPECT_EQ(t.code(), RV_ERROR_ARGUMENT);
        EXPECT_TRUE(contains(t.error(), message)) << t.error();
    }
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2));
    EXPECT_TRUE(rv_is_null(rv_record(t, nullptr, nullptr, 0, &x, 1)));
    EXPECT_TRUE(contains(t.error(), "has no descriptor")) << t.error();
}

TEST(TapeError, APointwiseOpWithoutARowForTheDtypeIsOne)
{
    rv_op op = cube_op("single", nullptr);
    op.pointwise = [](rv_dtype dtype) -> rv_pointwise_kernel {
        return dtype == RV_F32 ? rv_op_add.pointwise(dtype) : nullptr;
    };
    Tape t(RV_F64);
    EXPECT_TRUE(rv_is_null(record(op, t.input("x", RV_SHAPE(2)))));
    EXPECT_EQ(t.code(), RV_ERROR_DTYPE);
    EXPECT_TRUE(contains(t.error(), "single: has no kernel for f64")) << t.error();
}

TEST(TapeError, AShapeRuleThatRefusesWithoutAWordIsOne)
{
    rv_op sullen = cube_op("sullen_cube", nullptr);
    sullen.infer = [](rv_inference *) { return false; };
    Tape t;
    EXPECT_TRUE(rv_is_null(record(sullen, t.input("x", RV_SHAPE(2)))));
    EXPECT_NE(t.code(), RV_OK);
    EXPECT_TRUE(contains(t.error(), "sullen_cube: refuses its inputs")) << t.error();
}

TEST(TapeError, NoNameAtAllIsOne)
{
    Tape t, u, v;
    v.input("x", RV_SHAPE(2));
    EXPECT_TRUE(rv_is_null(t.input(nullptr, RV_SHAPE(2))));
    EXPECT_TRUE(rv_is_null(u.parameter(nullptr, RV_SHAPE(2))));
    EXPECT_TRUE(rv_is_null(v.input(nullptr, RV_SHAPE(2))));
    for (const Tape *tape : {&t, &u, &v}) EXPECT_EQ(tape->code(), RV_ERROR_NAME) << tape->error();
}

/* ---- null vars ---- */

/* Every public op once, on x as every operand. */
rv_var every_op(rv_var x)
{
    const int64_t zeros[RV_MAX_RANK] = {}, ones[RV_MAX_RANK] = {1, 1, 1, 1, 1, 1};
    const rv_var two[] = {x, x};
    const rv_var made[] = {
        rv_add(x, x),
        rv_subtract(x, x),
        rv_multiply(x, x),
        rv_divide(x, x),
        rv_negate(x),
        rv_square(x),
        rv_sqrt(x),
        rv_exp(x),
        rv_log(x),
        rv_sigmoid(x),
        rv_tanh(x),
        rv_arctan(x),
        rv_relu(x),
        rv_softplus(x),
        rv_equal(x, x),
        rv_less(x, x),
        rv_select(x, x, x),
        rv_cast(x, RV_F32),
        rv_scale(x, 2),
        rv_shift(x, 2),
        rv_one_minus(x),
        rv_clamp(x, 0, 1),
        rv_lerp(x, x, x),
        rv_reshape(x, RV_SHAPE(2)),
        rv_flatten(x),
        rv_transpose(x, nullptr),
        rv_broadcast(x, RV_SHAPE(2)),
        rv_flip(x, 1),
        rv_slice(x, zeros, ones, ones),
        rv_slice_axis(x, 0, 0, 1),
        rv_concat(two, 2, 0),
        rv_pad(x, ones, ones, nullptr),
        rv_pad2d(x, 1),
        rv_sum(x, RV_ALL_AXES, false),
        rv_mean(x, RV_LAST_AXIS, true),
        rv_max(x, 1, true),
        rv_matmul(x, x, true, false),
        rv_conv2d(x, x, {}),
        rv_true_conv2d(x, x),
        rv_linear(x, "fc", 3),
        rv_softmax(x, 0),
        rv_log_softmax(x, -1),
        rv_one_hot(x, 3),
        rv_mean_squared_error(x, x),
        rv_sigmoid_cross_entropy(x, x),
        rv_softmax_cross_entropy(x, x),
        rv_stop_gradient(x),
        rv_add_all(two, 2),
        rv_name(x, "name"),
    };
    for (const rv_var y : made) EXPECT_TRUE(rv_is_null(y)) << &y - made;
    return made[0];
}

TEST(NullVar, EveryOpGivenOneReturnsOneAndTheErrorStays)
{
    Tape t;
    const rv_var bad = rv_reshape(t.input("x", RV_SHAPE(2, 3)), RV_SHAPE(7));
    const std::string first = t.error();
    every_op(bad);
    EXPECT_EQ(t.error(), first);
    EXPECT_EQ(rv_store_count(t.store()), 0u) << "rv_linear made no parameter";
}

TEST(NullVar, PropagatesThroughAChainOfAnyLength)
{
    Tape t;
    rv_var y = rv_reshape(t.input("x", RV_SHAPE(2, 3)), RV_SHAPE(7));
    const std::string first = t.error();
    const int32_t count = t.count();
    for (int i = 0; i < 10000; i++) y = rv_tanh(rv_multiply(y, y));
    EXPECT_TRUE(rv_is_null(y));
    EXPECT_EQ(t.count(), count);
    rv_var g;
    const rv_var x = t.input("x", RV_SHAPE(2, 3));
    EXPECT_FALSE(rv_gradient(y, &x, 1, &g));
    EXPECT_TRUE(rv_is_null(g));
    EXPECT_EQ(rv_compile(t, &y, 1), nullptr);
    EXPECT_EQ(t.error(), first);
}

TEST(NullVar, IsWhatEverythingGivesOnNoTape)
{
    rv_tape *none = rv_tape_new(nullptr, RV_F64);
    ASSERT_EQ(none, nullptr);
    const rv_var x = rv_input(none, "x", RV_SHAPE(2));
    rv_tensor one = {};
    for (const rv_var leaf :
         {x, rv_input_typed(none, "x", RV_I32, RV_SHAPE(2)), rv_scalar(none, 1),
          rv_parameter(none, "w", RV_SHAPE(2), rv_init_constant(0)),
          rv_state(none, "s", RV_SHAPE(2), rv_init_constant(0)), rv_constant(none, &one),
          rv_full(none, RV_SHAPE(2), 1), rv_tape_fail(none, RV_ERROR_NAME, "no")})
        EXPECT_TRUE(rv_is_null(leaf));
    const rv_var y = every_op(x);
    rv_assign(x, y);
    rv_scope_push(none, "scope");
    rv_scope_pop(none);
    rv_var g;
    EXPECT_FALSE(rv_gradient(y, &x, 1, &g));
    EXPECT_EQ(rv_compile(none, &y, 1), nullptr);
    EXPECT_EQ(rv_tape_error(none)->code, RV_ERROR_MEMORY);
    EXPECT_NE(std::string(rv_tape_error(none)->text), "");
    EXPECT_EQ(rv_tape_count(none), 0);
    EXPECT_EQ(rv_tape_store(none), nullptr);
    EXPECT_FALSE(rv_is_uniform(x, nullptr));
    rv_tape_free(none);
}

} // namespace
