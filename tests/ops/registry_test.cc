// Every registered op proves itself, and the proof notices when a part of an op is missing or
// wrong.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/ops/proof.h"

namespace {

using proof::Complaints;
using proof::prove;

std::string join(const Complaints &complaints)
{
    std::string all;
    for (const std::string &complaint : complaints) all += "\n  " + complaint;
    return all;
}

class Registry : public testing::TestWithParam<int> {};

TEST_P(Registry, OpProvesItself)
{
    const rv_op *op = rv_op_at(GetParam());
    Complaints complaints = prove(*op);
    EXPECT_TRUE(complaints.empty()) << op->name << ":" << join(complaints);
}

INSTANTIATE_TEST_SUITE_P(Ops, Registry, testing::Range(0, rv_op_count()),
                         [](const auto &info) { return std::string(rv_op_at(info.param)->name); });

// People call another op "add", which broadcasts and records this one.
TEST(RegistryNames, TheTapesOwnSumProvesItself)
{
    Complaints complaints = prove(rv_op_add);
    EXPECT_TRUE(complaints.empty()) << join(complaints);
}

TEST(RegistryNames, AreUniqueAndFound)
{
    std::set<std::string> names;
    for (int i = 0; i < rv_op_count(); i++) {
        EXPECT_TRUE(names.insert(rv_op_at(i)->name).second) << rv_op_at(i)->name;
        EXPECT_EQ(rv_op_find(rv_op_at(i)->name), rv_op_at(i));
    }
    EXPECT_EQ(rv_op_find("no such op"), nullptr);
    EXPECT_EQ(rv_op_at(-1), nullptr);
    EXPECT_EQ(rv_op_at(rv_op_count()), nullptr);
}

// ---- NaN ----

// Where a NaN may give a number, and why.
const std::map<std::string, std::set<int>> kHidesNaN = {
    {"equal", {0, 1}},       // a comparison is 1 or 0: no number equals NaN
    {"less", {0, 1}},        // likewise: NaN is not less, and nothing is less than NaN
    {"less_equal", {0, 1}},  // likewise
    {"select", {0}},         // a condition: NaN is not 0
    {"one_hot", {0}},        // a comparison: NaN is no class
    {"sequence_mask", {0}},  // a comparison: no step is below NaN
    {"dropout", {1}},        // u is compared: NaN drops
    {"random_uniform", {0}}, // a count, no quantity: NaN counts as 0
};

TEST_P(Registry, NoNumberHidesANaN)
{
    const rv_op *op = rv_op_at(GetParam());
    std::set<int> hidden;
    for (int i = 0; i < op->sample_count; i++)
        if (!op->samples[i].error)
            hidden.merge(proof::inputs_whose_nan_is_hidden(*op, op->samples[i]));
    const auto exception = kHidesNaN.find(op->name);
    EXPECT_EQ(hidden, exception == kHidesNaN.end() ? std::set<int>{} : exception->second);
}

// ---- the test of the test: each part that is removed or wrong is reported ----

rv_op copy_of(const char *name) { return *rv_op_find(name); }

void expect_complaint(const rv_op &op, const std::string &words)
{
    std::string all = join(prove(op));
    EXPECT_NE(all.find(words), std::string::npos) << "expected \"" << words << "\" among:" << all;
}

TEST(Proof, MissesEveryPartOfEveryOp)
{
    for (int i = 0; i < rv_op_count(); i++) {
        const rv_op &op = *rv_op_at(i);
        SCOPED_TRACE(op.name);
        rv_op without = op;
        without.reference = nullptr;
        expect_complaint(without, "has no reference kernel");
        without = op;
        without.samples = nullptr;
        without.sample_count = 0;
        expect_complaint(without, "has no sample");
        without = op;
        without.doc = nullptr;
        expect_complaint(without, "has no doc line");
        without = op;
        without.call = nullptr;
        expect_complaint(without, "has no call");
        std::vector<rv_option> options(op.options, op.options + op.option_count);
        without = op;
        without.options = options.data();
        for (size_t k = 0; k < options.size(); k++) {
            options[k] = op.options[k];
            options[k].doc = "";
            expect_complaint(without, "has an option without a doc line");
            options[k] = op.options[k];
            options[k].name = k > 0 ? op.options[0].name : "";
            expect_complaint(without, "has an option without a name of its own");
            options[k] = op.options[k];
        }
        without = op;
        without.gradient = nullptr;
        without.zero_gradient = false;
        if (op.kind != RV_OP_COMPOSITE) expect_complaint(without, "has no gradient rule");
        if (op.kind != RV_OP_VALUE) continue;
        without = op;
        without.select = nullptr;
        without.pointwise = nullptr;
        expect_complaint(without, "has no kernel");
    }
}

TEST(Proof, SeesAWrongReferenceOrKernel)
{
    rv_op op = copy_of("exp");
    op.reference = rv_op_find("square")->reference;
    expect_complaint(op, "kernel differs from the reference");
}

// A kernel that is right for numbers, but not for NaN.
TEST(Proof, SeesAHiddenNaN)
{
    rv_op op = copy_of("relu");
    op.pointwise = nullptr;
    op.select = [](rv_call *) -> rv_kernel {
        return [](const rv_call *c) {
            rv_tensor x = rv_call_in(c, 0), y = rv_call_out(c);
            for (int64_t i = 0; i < rv_tensor_count(&y); i++)
                rv_tensor_set(&y, i, std::fmax(rv_tensor_get(&x, i), 0));
        };
    };
    expect_complaint(op, "where inputs are NaN");
    EXPECT_EQ(proof::inputs_whose_nan_is_hidden(op, op.samples[0]), std::set<int>{0});
}

TEST(Proof, SeesAWrongAdjoint)
{
    rv_op op = copy_of("flip");
    op.gradient = [](const rv_backward *b, int) { return b->dy; };
    expect_complaint(op, "<x, A'u>");
}

TEST(Proof, SeesWrongAlgebra)
{
    rv_op op = copy_of("subtract");
    op.commutative = true;
    op.zero_is_unit = 3;
    expect_complaint(op, "does not commute");
    expect_complaint(op, "0 is not a unit of input 0");
    op = copy_of("square");
    op.linear = 1;
    expect_complaint(op, "<x, A'u>");
}

TEST(Proof, SeesThatNoSampleIsAccepted)
{
    rv_op op = copy_of("conv2d_input_gradient");
    op.samples = &op.samples[op.sample_count - 1];
    op.sample_count = 1;
    expect_complaint(op, "has no sample");
}

TEST(Proof, SeesWhatRvProveOpSees)
{
    rv_op op = copy_of("square");
    op.gradient = [](const rv_backward *b, int) { return b->dy; };
    expect_complaint(op, "first derivative by x0");
}

} // namespace
