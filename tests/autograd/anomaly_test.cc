/* The op that first makes NaN or infinity is named, and nothing is assigned then. */
#include "autograd/anomaly.h"

#include <cmath>
#include <limits>

#include "optim/optim.h"
#include "tests/tapes.h"

namespace {

const double nan = std::numeric_limits<double>::quiet_NaN();
const double infinity = std::numeric_limits<double>::infinity();

struct Checked {
    rv_code code;
    rv_anomaly found = {};
    rv_error error = {};
    explicit Checked(rv_program *program) { code = rv_run_checked(program, &found, &error); }
    std::string op() const { return rv_tape_node(found.tape, found.node)->op->name; }
};

TEST(Anomaly, NamesTheFirstOpWithItsStepShapesAndRanges)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2, 3));
    rv_scope_push(t, "step 4");
    const rv_var d = rv_name(rv_shift(x, -1), "d");
    const rv_var y = rv_log(d);
    rv_scope_pop(t);
    Program p(t, {total(rv_square(y))}, RV_CHECKED);
    p.set("x", {2, 3, 0.5, 4, 5, 0});
    const Checked c(p);
    EXPECT_EQ(c.code, RV_ERROR_NUMBER);
    EXPECT_EQ(c.error.code, RV_ERROR_NUMBER);
    EXPECT_STREQ(c.error.text, "log: NaN in 2 of 6 elements of y = ln x, the first at [0,2] "
                               "(x \"d\" [2,3] from -1 to 4, in step 4)");
    EXPECT_EQ(c.op(), "log");
    EXPECT_EQ(c.found.out.nans, 2);
    EXPECT_EQ(c.found.out.first, 2);
    EXPECT_EQ(c.found.in[0].low, -1);
}

TEST(Anomaly, OfAGradientIsToldWithItsScope)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3));
    rv_scope_push(t, "step 2");
    const rv_var y = total(rv_sqrt(x));
    rv_scope_pop(t);
    Program p(t, {gradient(y, x)}, RV_CHECKED);
    p.set("x", {4, 0, 1});
    const Checked c(p);
    EXPECT_EQ(c.code, RV_ERROR_NUMBER);
    EXPECT_TRUE(contains(c.error.text, "infinity in 1 of 3 elements")) << c.error.text;
    EXPECT_TRUE(contains(c.error.text, "the first at [1]")) << c.error.text;
    EXPECT_TRUE(contains(c.error.text, "in gradient/step 2)")) << c.error.text;
}

/* A constant of one value, of which a program keeps one element. */
TEST(Anomaly, RangesOfUniformConstantsAreTheirs)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(64));
    Program p(t, {rv_multiply(x, rv_full(t, RV_SHAPE(64), 2))}, RV_CHECKED);
    p.set("x", Values(64, 1e308));
    const Checked c(p);
    EXPECT_EQ(c.op(), "multiply");
    EXPECT_EQ(c.found.in[1].low, 2);
    EXPECT_EQ(c.found.in[1].high, 2);
}

TEST(Anomaly, OfALeafIsToldBeforeAnythingIsComputed)
{
    Tape t;
    const rv_var first = t.input("first", RV_SHAPE(2));
    const rv_var x = t.input("x", RV_SHAPE(2)), w = t.parameter("w", RV_SHAPE(2));
    Program p(t, {rv_multiply(rv_add(first, x), w)}, RV_CHECKED);
    p.set("first", {1, 2});
    p.set("x", {1, infinity});
    EXPECT_STREQ(Checked(p).error.text, "input \"x\" [2]: infinity in 1 of 2 elements, the first "
                                        "at [1] before anything is computed");
    p.set("x", {1, 2});
    rv_tensor_fill(&t.stored("w"), nan);
    EXPECT_STREQ(Checked(p).error.text, "parameter \"w\" [2]: NaN in 2 of 2 elements, the first "
                                        "at [0] before anything is computed");
}

/* Infinity that somebody wrote is no mistake, nor what is copied or compared from it; NaN made of
 * it is. */
TEST(Anomaly, IsMadeNotHandedOn)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2));
    const rv_var far = t.constant(RV_SHAPE(2), {infinity, -infinity});
    const rv_var near = rv_minimum(rv_negate(far), rv_add(far, x));
    rv_assign(t.state("far", RV_SHAPE(2)), far);
    Program fine(t, {rv_exp(near)}, RV_CHECKED);
    fine.set("x", {1, 2});
    EXPECT_EQ(Checked(fine).code, RV_OK);
    EXPECT_EQ(fine.values(), (Values{0, 0}));
    Program wrong(t, {rv_subtract(near, near)}, RV_CHECKED);
    wrong.set("x", {1, 2});
    const Checked c(wrong);
    EXPECT_EQ(c.op(), "subtract");
    EXPECT_TRUE(contains(c.error.text, "with infinity in 2 of 2 elements")) << c.error.text;
}

TEST(Anomaly, LeavesTheStoreAsItWas)
{
    Tape t(RV_F32, 3);
    const rv_var x = t.input("x", RV_SHAPE(4)), w = t.parameter("w", RV_SHAPE(4));
    rv_assign(t.state("count", RV_SCALAR), rv_shift(t.state("count", RV_SCALAR), 1));
    rv_minimize(total(rv_exp(rv_multiply(x, w))), rv_adam(0.1));
    Program p(t, {}, RV_CHECKED);
    p.set("x", {1, 2, 3, 4});
    EXPECT_EQ(Checked(p).code, RV_OK);
    EXPECT_EQ(rv_tensor_get(&t.stored("count"), 0), 1);
    char before[RV_DIGEST_TEXT], after[RV_DIGEST_TEXT];
    rv_store_digest(t.store(), before);
    p.set("x", {1, 2, 3, 1e6});
    rv_tensor_fill(&t.stored("w"), 1);
    rv_store_digest(t.store(), before);
    EXPECT_EQ(Checked(p).op(), "exp");
    EXPECT_EQ(rv_tensor_get(&t.stored("count"), 0), 1);
    EXPECT_STREQ(rv_store_digest(t.store(), after), before);
}

/* Values are those of rv_run, on however many threads. */
TEST(Anomaly, CheckingChangesNoBit)
{
    Tape t(RV_F32, 3);
    EXPECT_TRUE(rv_set_threads(t.store(), 3, nullptr));
    const rv_var x = t.input("x", RV_SHAPE(64, 65)), w = t.parameter("w", RV_SHAPE(65, 33));
    const rv_var y = rv_tanh(rv_matmul(x, w, false, false));
    Program p(t, {y, gradient(total(y), w)}, RV_CHECKED | RV_CUT);
    EXPECT_EQ(p.stats().threads, 3);
    rv_init_fill(rv_program_input(p, "x"), rv_init_uniform(-1, 1), 5);
    p.run();
    const std::string bytes = p.bytes(0) + p.bytes(1);
    rv_tensor_fill(rv_program_input(p, "x"), 0);
    p.run();
    rv_init_fill(rv_program_input(p, "x"), rv_init_uniform(-1, 1), 5);
    EXPECT_EQ(Checked(p).code, RV_OK);
    EXPECT_EQ(p.bytes(0) + p.bytes(1), bytes);
}

TEST(Anomaly, NeedsAProgramOfItsOwnKind)
{
    Tape t;
    const rv_var y = rv_exp(t.input("x", RV_SHAPE(2)));
    for (const unsigned flags : {RV_DEFAULT, RV_FUSE, RV_IN_PLACE}) {
        Program p(t, {y}, flags);
        const Checked c(p);
        EXPECT_EQ(c.code, RV_ERROR_ARGUMENT);
        EXPECT_STREQ(c.error.text,
                     "run: the program fuses ops or works in place; compile with RV_CHECKED");
        EXPECT_EQ(rv_run_checked(p, nullptr, nullptr), RV_ERROR_ARGUMENT);
    }
    EXPECT_EQ(Checked(nullptr).code, RV_ERROR_ARGUMENT);
}

TEST(Anomaly, OfManyInputsAndLongNamesFitsTheError)
{
    Tape t;
    std::vector<rv_var> x;
    for (int i = 0; i < 40; i++)
        x.push_back(t.input((std::string(250, 'a') + std::to_string(i)).c_str(), RV_SHAPE(1)));
    Program p(t, {rv_add_all(x.data(), 40)}, RV_CHECKED);
    for (int i = 0; i < 40; i++)
        p.set((std::string(250, 'a') + std::to_string(i)).c_str(), {1e308});
    const Checked c(p);
    EXPECT_EQ(c.code, RV_ERROR_NUMBER);
    EXPECT_TRUE(contains(c.error.text, "add: infinity in 1 of 1 element")) << c.error.text;
}

} // namespace
