/* The tape: equal equations are one node, and shapes are known when recorded. */
extern "C" {
#include "autograd/tape_internal.h"
}

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/autograd/custom_ops.h"
#include "tests/tapes.h"

namespace {

/* ---- the same equation is the same node (invariant 5) ---- */

TEST(HashConsing, TheSameEquationIsTheSameNode)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3, 4)), y = t.input("y", RV_SHAPE(3, 4));
    const rv_var first = rv_tanh(rv_subtract(x, y));
    const int32_t count = t.count();
    EXPECT_TRUE(same(first, rv_tanh(rv_subtract(x, y))));
    EXPECT_EQ(t.count(), count);
}

TEST(HashConsing, CommutativeOpsTakeTwoOperandsInAnyOrder)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3)), y = t.input("y", RV_SHAPE(3));
    EXPECT_TRUE(same(rv_add(x, y), rv_add(y, x)));
    EXPECT_TRUE(same(rv_multiply(x, y), rv_multiply(y, x)));
    EXPECT_TRUE(same(rv_equal(x, y), rv_equal(y, x)));
    EXPECT_FALSE(same(rv_subtract(x, y), rv_subtract(y, x)));
    EXPECT_FALSE(same(rv_divide(x, y), rv_divide(y, x)));
    EXPECT_FALSE(same(rv_less(x, y), rv_less(y, x)));
}

TEST(HashConsing, ThreeTermsInAnotherOrderAreAnotherSum)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3)), y = t.input("y", RV_SHAPE(3)),
                 z = t.input("z", RV_SHAPE(3));
    const rv_var xyz[] = {x, y, z}, yxz[] = {y, x, z}, xy[] = {x, y};
    EXPECT_TRUE(same(rv_add_all(xyz, 3), rv_add_all(xyz, 3)));
    EXPECT_FALSE(same(rv_add_all(xyz, 3), rv_add_all(yxz, 3))) << "rounding depends on the order";
    EXPECT_TRUE(same(rv_add_all(xy, 2), rv_add(y, x)));
    EXPECT_TRUE(same(rv_add_all(xyz, 1), x));
}

TEST(HashConsing, HoldsOnATapeThatBeganWithRoomForFewNodes)
{
    for (int32_t room = 0; room < 40; room++) {
        Tape t;
        ASSERT_TRUE(rv_tape_reserve(t, room));
        std::vector<rv_var> made;
        for (int k = 0; k < 40; k++) {
            made.push_back(rv_scalar(t, k));
            EXPECT_EQ(t.count(), k + 1);
        }
        for (int k = 0; k < 40; k++) EXPECT_TRUE(same(made[k], rv_scalar(t, k)));
        EXPECT_EQ(t.count(), 40);
    }
}

/* The texts of an attacker hold constants, and their products with x are nodes. */
TEST(HashConsing, EachOfManyInputsCounts)
{
    Tape t;
    const rv_var other = t.input("other", RV_SHAPE(3));
    std::vector<rv_var> terms;
    std::set<int32_t> ids;
    size_t sums = 0;
    const auto record = [&] {
        const rv_var sum = rv_add_all(terms.data(), static_cast<int>(terms.size()));
        EXPECT_TRUE(same(sum, rv_add_all(terms.data(), static_cast<int>(terms.size()))));
        ids.insert(sum.id);
        sums++;
    };
    for (int count = 1; count <= 24; count++) {
        terms.push_back(t.input(("x" + std::to_string(count)).c_str(), RV_SHAPE(3)));
        if (count < 3) continue; /* two commute, and one is its own sum */
        record();
        for (rv_var &term : terms) {
            const rv_var kept = std::exchange(term, other);
            record();
            term = kept;
        }
        for (size_t k = 1; k < terms.size(); k++) {
            std::swap(terms[k - 1], terms[k]);
            record();
            std::swap(terms[k - 1], terms[k]);
        }
    }
    EXPECT_EQ(ids.size(), sums);
}

TEST(HashConsing, ChosenConstantsDoNotCollide)
{
    enum { COUNT = 100, SLOTS = 512 }; /* scale records a constant and a product */
    std::vector<double> chosen;
    Tape trial;
    for (int i = 1; chosen.size() < COUNT; i++) {
        const rv_var scaled = rv_scale(trial.input("x", RV_SCALAR), 1.0 / i);
        if (rv_tape_node(trial, scaled.id)->hash.low % SLOTS == 0) chosen.push_back(1.0 / i);
    }
    Tape t;
    for (const double c : chosen) rv_scale(t.input("x", RV_SCALAR), c);
    const rv_tape &tape = *static_cast<rv_tape *>(t);
    ASSERT_EQ(tape.table_size, SLOTS);
    size_t run = 0, longest = 0; /* of slots that a look-up can visit */
    for (size_t i = 0; i < 2 * SLOTS; i++) {
        run = tape.table[i % SLOTS].id ? run + 1 : 0;
        longest = std::max(longest, run);
    }
    EXPECT_LT(longest, COUNT / 2u) << "a run of all nodes: the hash has no key";
}

TEST(HashConsing, DifferentAttributesInputsOrOpsAreDifferentNodes)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(4, 4)), y = t.input("y", RV_SHAPE(4, 4));
    const std::vector<rv_var> all = {
        x,
        y,
        rv_reshape(x, RV_SHAPE(2, 8)),
        rv_reshape(x, RV_SHAPE(8, 2)),
        rv_reshape(y, RV_SHAPE(8, 2)),
        rv_sum(x, 1, true),
        rv_sum(x, 2, true),
        rv_sum(x, 3, true),
        rv_max(x, 1, true),
        rv_flip(x, 1),
        rv_flip(x, 2),
        rv_transpose(x, nullptr),
        rv_matmul(x, y, false, false),
        rv_matmul(x, y, true, false),
        rv_matmul(x, y, false, true),
        rv_matmul(y, x, false, false),
        rv_slice_axis(x, 0, 0, 2),
        rv_slice_axis(x, 0, 1, 2),
        rv_slice_axis(x, 1, 0, 2),
        rv_cast(x, RV_F32),
        rv_cast(x, RV_I32),
        rv_tanh(x),
        rv_tanh(y),
        rv_sigmoid(x),
        rv_stop_gradient(x),
    };
    std::set<int32_t> ids;
    for (const rv_var v : all) {
        ASSERT_FALSE(rv_is_null(v)) << t.error();
        EXPECT_TRUE(ids.insert(v.id).second) << rv_tape_node(t, v.id)->op->name << "#" << v.id;
    }
}

TEST(HashConsing, ConstantsAreTheSameByContent)
{
    Tape t;
    const rv_var full = rv_full(t, RV_SHAPE(3), 2.5);
    EXPECT_TRUE(same(full, rv_full(t, RV_SHAPE(3), 2.5)));
    EXPECT_TRUE(same(full, t.constant(RV_SHAPE(3), {2.5, 2.5, 2.5}))) << "elements that are equal";
    EXPECT_FALSE(same(full, rv_full(t, RV_SHAPE(3, 1), 2.5)));
    EXPECT_FALSE(same(full, rv_full(t, RV_SHAPE(3), 2.5000000001)));
    EXPECT_FALSE(same(full, t.constant(RV_SHAPE(3), {2.5, 2.5, 2.5}, RV_F32))) << "another dtype";
    const rv_var mixed = t.constant(RV_SHAPE(3), {1, 2, 3});
    EXPECT_TRUE(same(mixed, t.constant(RV_SHAPE(3), {1, 2, 3})));
    EXPECT_FALSE(same(mixed, t.constant(RV_SHAPE(3), {1, 2, 4})));
    EXPECT_TRUE(same(rv_scalar(t, 7), rv_full(t, RV_SCALAR, 7)));
}

TEST(HashConsing, ZerosOfDifferentSignAreDifferentAndNaNsTheSame)
{
    Tape t;
    const double nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_FALSE(same(rv_scalar(t, 0.0), rv_scalar(t, -0.0)));
    EXPECT_TRUE(same(rv_scalar(t, nan), rv_scalar(t, nan)));
    EXPECT_FALSE(rv_is_uniform(t.constant(RV_SHAPE(2), {0.0, -0.0}), nullptr));
}

TEST(HashConsing, LeavesAreTheSameByNameAndKind)
{
    Tape t;
    const rv_var w = t.parameter("w", RV_SHAPE(2)), v = t.parameter("v", RV_SHAPE(2));
    EXPECT_TRUE(same(w, t.parameter("w", RV_SHAPE(2))));
    EXPECT_FALSE(same(w, v));
    const rv_var x = t.input("w", RV_SHAPE(2));
    EXPECT_FALSE(same(w, x)) << "an input may have a parameter's name";
    EXPECT_TRUE(same(x, t.input("w", RV_SHAPE(2))));
    EXPECT_TRUE(same(x, rv_input_typed(t, "w", RV_F64, RV_SHAPE(2))));
    EXPECT_EQ(t.count(), 3);
}

TEST(HashConsing, TwoOpsOfOneNameAreTwo)
{
    static const rv_op one = cube_op("twin", nullptr), other = [] {
        rv_op op = cube_op("twin", nullptr);
        op.reference = [](const rv_call *c) {
            rv_tensor y = rv_call_out(c);
            rv_tensor_fill(&y, 7);
        };
        return op;
    }();
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2));
    EXPECT_FALSE(same(record(one, x), record(other, x)));
    Program p(t, {record(one, x)}), q(t, {record(other, x)});
    p.set("x", {2, 3}).run();
    q.run();
    EXPECT_EQ(p.values(), (Values{8, 27}));
    EXPECT_EQ(q.values(), (Values{7, 7}));
}

TEST(HashConsing, EffectsAreNeverMerged)
{
    static const rv_op log_value = [] {
        rv_op op = cube_op("log_value", nullptr);
        op.kind = RV_OP_EFFECT;
        return op;
    }();
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2));
    const rv_var first = record(log_value, x), second = record(log_value, x);
    EXPECT_FALSE(rv_is_null(first));
    EXPECT_FALSE(same(first, second));
    for (int i = 0; i < 1000; i++) rv_shift(x, i); /* the hash table grows over the effects */
    EXPECT_FALSE(same(first, record(log_value, x)));
    EXPECT_TRUE(same(x, t.input("x", RV_SHAPE(2))));
}

TEST(HashConsing, TheInputConvolutionIsRecordedOnceForAllSteps)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 1, 8, 8)), w = t.parameter("w", RV_SHAPE(1, 1, 5, 5)),
                 u = t.parameter("u", RV_SHAPE(1, 1, 3, 3));
    rv_var h = rv_full(t, RV_SHAPE(2, 1, 4, 4), 0);
    int32_t before = 0;
    for (int step = 0; step < 10; step++) {
        before = t.count();
        h = rv_tanh(rv_add(rv_conv2d(x, w, {}), rv_conv2d(rv_pad2d(h, 1), u, {})));
    }
    EXPECT_EQ(t.count() - before, 4) << "pad, convolution of the state, add, tanh";
    int convolutions = 0;
    for (int32_t id = 0; id < t.count(); id++)
        convolutions += rv_tape_node(t, id)->in && rv_tape_node(t, id)->inputs == 2 &&
                        rv_tape_node(t, id)->in[0] == x.id;
    EXPECT_EQ(convolutions, 1);
}

TEST(HashConsing, HoldsThroughManyNodes)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2));
    std::vector<rv_var> made;
    for (int i = 0; i < 20000; i++) made.push_back(rv_shift(x, i));
    const int32_t count = t.count();
    for (int i = 0; i < 20000; i++) ASSERT_TRUE(same(made[static_cast<size_t>(i)], rv_shift(x, i)));
    EXPECT_EQ(t.count(), count);
}

TEST(HashConsing, EqualTapesHaveEqualHashesAndOthersNot)
{
    const auto hash = [](double factor, const char *name) {
        Tape t;
        const rv_var y = rv_scale(t.input(name, RV_SHAPE(2)), factor);
        return rv_tape_node(t, y.id)->hash;
    };
    const rv_hash a = hash(2, "x"), b = hash(2, "x"), c = hash(3, "x"), d = hash(2, "z");
    EXPECT_TRUE(a.low == b.low && a.high == b.high);
    EXPECT_FALSE(a.low == c.low && a.high == c.high);
    EXPECT_FALSE(a.low == d.low && a.high == d.high);
}

/* ---- it only grows, and knows every shape (invariants 1, 2) ---- */

TEST(Recording, InputsComeBeforeTheNodeAndNodesStay)
{
    Tape t;
    rv_var x = t.input("x", RV_SHAPE(3));
    for (int i = 0; i < 500; i++) x = rv_tanh(rv_shift(x, i));
    const rv_hash hash = rv_tape_node(t, 7)->hash;
    const rv_op *op = rv_tape_node(t, 7)->op;
    gradient(total(x), t.input("x", RV_SHAPE(3)));
    for (int32_t id = 0; id < t.count(); id++)
        for (int k = 0; k < rv_tape_node(t, id)->inputs; k++)
            ASSERT_LT(rv_tape_node(t, id)->in[k], id);
    EXPECT_EQ(rv_tape_node(t, 7)->op, op);
    EXPECT_EQ(rv_tape_node(t, 7)->hash.low, hash.low);
}

TEST(Recording, ShapesAreKnownAtOnce)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 3, 8, 8));
    const rv_var y = rv_conv2d(x, t.parameter("w", RV_SHAPE(4, 3, 3, 3)), {});
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(y), RV_SHAPE(2, 4, 6, 6)));
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(rv_flatten(y)), RV_SHAPE(2, 144)));
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(rv_mean(y, 12, false)), RV_SHAPE(2, 4)));
    EXPECT_EQ(rv_dtype_of(rv_cast(y, RV_I32)), RV_I32);
    EXPECT_EQ(rv_shape_of(rv_var{t, -1}).rank, 0);
}

TEST(Recording, AttributesAndNamesAreCopied)
{
    Tape t;
    std::string name = "gate";
    int64_t before[] = {1, 0}, after[] = {0, 1};
    const rv_var x = t.input(name.c_str(), RV_SHAPE(2, 2));
    const rv_var y = rv_pad(x, before, after, nullptr);
    name[0] = 'G';
    before[0] = 9;
    EXPECT_STREQ(rv_tape_node(t, x.id)->name, "gate");
    before[0] = 1;
    EXPECT_TRUE(same(y, rv_pad(x, before, after, nullptr)));
}

TEST(Recording, AnOpThatFailsRecordsNothing)
{
    const int64_t start[] = {2, 0}, size[] = {2, 2}, crop[] = {-2, 0}, none[] = {-1, 0};
    const int twice[] = {1, 1};
    const std::vector<std::function<rv_var(rv_var, rv_var)>> failing = {
        [](rv_var x, rv_var y) { return rv_add(x, y); },
        [](rv_var x, rv_var y) { return rv_multiply(x, y); },
        [](rv_var x, rv_var y) { return rv_select(x, x, y); },
        [](rv_var x, rv_var y) { return rv_matmul(x, y, false, true); },
        [](rv_var x, rv_var) { return rv_reshape(x, RV_SHAPE(5)); },
        [](rv_var x, rv_var) { return rv_reshape(x, RV_SHAPE(-1, 4)); },
        [](rv_var x, rv_var) { return rv_broadcast(x, RV_SHAPE(3, 4)); },
        [](rv_var x, rv_var) { return rv_sum(x, 4, true); },
        [](rv_var x, rv_var) { return rv_flip(x, 8); },
        [&](rv_var x, rv_var) { return rv_slice(x, start, size, nullptr); },
        [&](rv_var x, rv_var) { return rv_pad(x, crop, none, nullptr); },
        [&](rv_var x, rv_var) { return rv_transpose(x, twice); },
        [](rv_var x, rv_var y) {
            const rv_var both[] = {x, y};
            return rv_concat(both, 2, 0);
        },
        [](rv_var x, rv_var y) { return rv_conv2d(x, y, {}); },
        [](rv_var x, rv_var y) { return rv_mean_squared_error(x, y); },
    };
    for (size_t i = 0; i < failing.size(); i++) {
        Tape t;
        const rv_var x = t.input("x", RV_SHAPE(3, 3)), y = t.input("y", RV_SHAPE(2, 4));
        const int32_t count = t.count();
        const rv_var made = failing[i](x, y);
        EXPECT_TRUE(rv_is_null(made)) << i;
        EXPECT_EQ(made.tape, t) << i;
        EXPECT_NE(t.code(), RV_OK) << i;
        EXPECT_EQ(t.count(), count) << i << ": " << t.error();
    }
}

/* ---- looking at it ---- */

TEST(Recording, TheFirstNameStays)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), y = rv_tanh(x);
    EXPECT_TRUE(same(rv_name(y, "h"), y));
    rv_name(y, "other");
    rv_name(x, "other");
    EXPECT_STREQ(rv_tape_node(t, y.id)->name, "h");
    EXPECT_STREQ(rv_tape_node(t, x.id)->name, "x");
}

TEST(Recording, UniformConstantsAreKnown)
{
    Tape t;
    double value = 0;
    EXPECT_TRUE(rv_is_uniform(rv_full(t, RV_SHAPE(2, 2), 3.5), &value));
    EXPECT_EQ(value, 3.5);
    EXPECT_TRUE(rv_is_uniform(t.constant(RV_SHAPE(2), {7, 7}, RV_I32), &value));
    EXPECT_EQ(value, 7);
    EXPECT_FALSE(rv_is_uniform(t.constant(RV_SHAPE(2), {7, 8}), &value));
    EXPECT_FALSE(rv_is_uniform(t.input("x", RV_SHAPE(1)), &value));
    EXPECT_EQ(value, 7);
}

} // namespace
