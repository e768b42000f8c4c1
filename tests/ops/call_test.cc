/* Ops called by name: each records the node of its samples, and reports invalid arguments. */
#include <gtest/gtest.h>

#include <climits>
#include <cmath>

#include "tests/ops/calls.h"

namespace {

/* They are searched as a sorted list: an op whose name is not in the order of the registry would
 * not be found. */
TEST(Call, EachOpIsFoundByItsName)
{
    for (int i = 0; i < rv_op_count(); i++)
        EXPECT_EQ(rv_op_find(rv_op_at(i)->name), rv_op_at(i)) << rv_op_at(i)->name;
    for (const char *name : {"", "a", "addd", "zzz"}) EXPECT_EQ(rv_op_find(name), nullptr) << name;
    EXPECT_EQ(rv_op_find(nullptr), nullptr);
}

TEST(Call, RecordsTheNodeOfTheSample)
{
    Calls calls;
    for (const Rows rows : families) {
        Tape tape;
        for (const Row &row : rows(tape)) {
            ASSERT_EQ(tape.error(), "") << row.name;
            EXPECT_EQ(call(row.name, row.x, row.given).id, row.expected.id) << row.name;
            EXPECT_EQ(tape.error(), "") << row.name;
            calls.add(row);
        }
    }
    calls.expect_all();
}

// ---- refusals ----

struct Refusal {
    const char *name;
    int inputs; /* of [2,3,4] */
    Options given;
    const char *words;
};

TEST(Call, RefusesInvalidArgumentsWithAnErrorThatNamesThem)
{
    const double nan = std::nan("");
    const Refusal refusals[] = {
        {"relu", 0, {}, ""},
        {"relu", 2, {}, "2 inputs, expected x"},
        {"multiply", 1, {}, "1 input, expected x y"},
        {"sum", 1, {{"axes", list({3})}}, "axis 3 of a tensor of rank 3"},
        {"sum", 1, {{"axes", list({INT64_MIN})}}, "of a tensor of rank 3"},
        {"sum", 1, {{"axes", list({1, -2})}}, "names an axis twice"},
        {"sum", 1, {{"keep", number(0.5)}}, "keep 0.5 is neither true nor false"},
        {"softmax", 1, {{"axis", number(1e300)}}, "axis 1e+300 is no whole number"},
        {"softmax", 1, {{"axis", number(1e10)}}, "axis 1e+10 is no axis"},
        {"softmax", 1, {{"axis", number(nan)}}, "is no whole number"},
        {"concat", 2, {{"axis", number(3)}}, "axis 3 of tensors of rank 3"},
        {"transpose", 1, {{"axes", list({1, 0})}}, "axes has 2 numbers, expected 3"},
        {"transpose", 1, {{"axes", list({1, 1, 0})}}, "give a permutation"},
        {"flip", 1, {}, "axes is not given"},
        {"reshape", 1, {}, "shape is not given"},
        {"reshape", 1, {{"shape", list({5, -1})}}, "24 elements do not fill"},
        {"reshape", 1, {{"shape", list({INT64_MAX, INT64_MAX})}}, "reshape"},
        {"broadcast", 1, {{"shape", list({INT64_MAX, INT64_MAX, 2, 3, 4})}}, "address space"},
        {"broadcast", 1, {{"shape", list({-2, -1, 2, 3, 4})}}, "expected at least 1"},
        {"slice", 1, {{"start", list({0})}, {"size", list({1})}}, "start has 1 number, expected 3"},
        {"pad", 1, {{"before", list({INT64_MAX, 0, 0})}}, "leave nothing"},
        {"clamp", 1, {{"low", number(0)}}, "high nan is no finite number"},
        {"elu", 1, {{"alpha", number(INFINITY)}}, "alpha inf is no finite number"},
        {"one_hot", 1, {{"classes", number(1e15)}}, "expected 1 to"},
        {"one_hot", 1, {{"classes", number(-3)}}, "classes -3 is less than 1"},
        {"one_hot", 1, {}, "classes nan is no whole number"},
        {"max_pool2d", 1, {{"size", number(1e9)}}, "size of at most"},
        {"cast", 1, {{"dtype", word("f16")}}, "cast: unknown dtype \"f16\""},
        {"cast", 1, {}, "dtype is not given"},
        {"dropout", 1, {{"rate", number(0.5)}}, "without a name"},
        {"dropout", 2, {{"rate", number(2)}}, "rate 2, expected"},
        {"conv2d", 2, {{"stride", list({1, 2, 3})}}, "stride has neither 1 nor 2 numbers"},
        {"conv2d", 2, {{"stride", list({0})}}, "stride has a number below 1"},
        {"conv2d", 2, {{"padding", list({1, 2, 3})}}, "neither 1 nor 2 nor 4"},
        {"conv2d", 2, {{"padding", list({-1})}}, "padding has a number below 0"},
        {"conv2d", 2, {{"groups", number(0)}}, "groups 0 is less than 1"},
        {"conv2d", 2, {{"dilation", list({INT64_MAX})}}, "dilation"},
    };
    for (const Refusal &refusal : refusals) {
        Tape tape;
        const Vars x(static_cast<size_t>(refusal.inputs), tape.input("x", RV_SHAPE(2, 3, 4)));
        const rv_var y = call(refusal.name, x, refusal.given);
        EXPECT_TRUE(rv_is_null(y)) << refusal.name << ": " << refusal.words;
        EXPECT_NE(tape.error().find(refusal.words), std::string::npos)
            << refusal.name << ": \"" << tape.error() << "\" lacks \"" << refusal.words << "\"";
    }
}

TEST(Call, ConcatNamesTheAxisAlongWhichItsInputsFit)
{
    const std::pair<rv_shape, const char *> others[] = {
        {RV_SHAPE(2, 5, 4), "only that axis may differ; use axis=1"},
        {RV_SHAPE(2, 3, 1), "only that axis may differ; use axis=2"},
        {RV_SHAPE(2, 5, 1), "only that axis may differ ("},
        {RV_SHAPE(2, 3), "only that axis may differ ("},
    };
    for (const auto &[shape, words] : others) {
        Tape tape;
        const Vars x = {tape.input("x", RV_SHAPE(2, 3, 4)), tape.input("y", shape)};
        EXPECT_TRUE(rv_is_null(call("concat", x, {})));
        EXPECT_NE((tape.error() + " (").find(words), std::string::npos) << tape.error();
    }
}

/* Option values that must do no harm. */
std::vector<rv_option_value> hostile()
{
    std::vector<rv_option_value> values = {word(""), word("\x1b[2J"), word("random/count")};
    for (const double n : {0.0, -1.0, 1.0, 7.0, 0.5, 0x1p31, -0x1p31, 0x1p53, -0x1p53, 1e300,
                           -1e300, HUGE_VAL, std::nan("")})
        values.push_back(number(n));
    for (const int64_t n :
         {INT64_MIN, INT64_MIN + 1, int64_t{INT_MIN}, int64_t{-7}, int64_t{-1}, int64_t{0},
          int64_t{1}, int64_t{2}, int64_t{INT_MAX}, int64_t{1} << 40, INT64_MAX - 1, INT64_MAX})
        for (size_t count = 1; count <= RV_MAX_RANK; count++) {
            values.push_back(list(std::vector<int64_t>(count, n)));
            values.push_back(values.back());
            for (size_t k = 1; k < count; k++) values.back().list[k] = 1;
        }
    for (const int count : {INT_MIN, -1, RV_MAX_RANK + 1, INT_MAX}) {
        values.push_back(list({1}));
        values.back().count = count;
    }
    return values;
}

/* Calls an op as a row does, but with one option changed. Computes the result if it is small. */
void call_changed(Tape &tape, Row row, const char *option, const rv_option_value &value)
{
    rv_error taken;
    rv_tape_take_error(tape, &taken);
    row.given[option] = value;
    const rv_var y = call(row.name, row.x, row.given);
    ASSERT_EQ(rv_is_null(y), tape.code() != RV_OK) << row.name << " " << option;
    if (rv_is_null(y) || rv_shape_count(rv_shape_of(y)) > 10000) return;
    Program(tape, {y}).run();
}

TEST(Call, ToleratesAnyValueOfAnyOption)
{
    const std::vector<rv_option_value> values = hostile();
    for (const Rows rows : families) {
        Tape own;
        for (size_t i = 0; i < rows(own).size(); i++) {
            Tape tape;
            const Row row = rows(tape)[i];
            const rv_op *op = rv_op_find(row.name);
            for (int k = 0; k < op->option_count; k++)
                for (const rv_option_value &value : values)
                    call_changed(tape, row, op->options[k].name, value);
        }
    }
}

TEST(Call, ToleratesAnyInputs)
{
    for (int i = 0; i < rv_op_count(); i++) {
        const rv_op *op = rv_op_at(i);
        const std::vector<rv_option_value> values = filled(*op, {});
        EXPECT_TRUE(rv_is_null(rv_op_call(op, nullptr, 0, values.data()))) << op->name;
        for (int inputs = -1; inputs <= 4; inputs++)
            for (const bool null : {false, true}) {
                Tape tape;
                const rv_var x = null ? rv_var{tape, -1} : rv_scalar(tape, 1);
                const Vars all(4, x);
                const rv_var y = rv_op_call(op, all.data(), inputs, values.data());
                EXPECT_TRUE(!null || rv_is_null(y)) << op->name;
                EXPECT_TRUE(inputs < 1 || rv_is_null(y) == (tape.code() != RV_OK))
                    << op->name << " of " << inputs << ": " << tape.error();
            }
    }
}

TEST(Call, NeedsValuesForItsOptions)
{
    Tape tape;
    const rv_var x = tape.input("x", RV_SHAPE(3));
    EXPECT_FALSE(rv_is_null(rv_op_call(rv_op_find("exp"), &x, 1, nullptr)));
    EXPECT_TRUE(rv_is_null(rv_op_call(rv_op_find("sum"), &x, 1, nullptr)));
    EXPECT_NE(tape.error().find("no values for its options"), std::string::npos);
}

} // namespace
