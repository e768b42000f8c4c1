/* Merging: products that meet in a sum are accumulated, and whoever else reads one still gets
 * it. */
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "autograd/profile.h"
#include "tests/autograd/custom_ops.h"
#include "tests/tapes.h"

namespace {

class Merge : public testing::Test {
  protected:
    /* Products of [3,4] and [4,5] matrices of whole numbers: every order of summing is exact. */
    rv_var matrix(const char *name, int64_t rows, int64_t columns)
    {
        const rv_var w = t.parameter(name, RV_SHAPE(rows, columns));
        rv_tensor &data = t.stored(name);
        for (int64_t i = 0; i < rows * columns; i++)
            rv_tensor_set(&data, i, static_cast<double>((i * 7 + name[0]) % 11) - 5);
        return w;
    }
    rv_var product(const char *left, const char *right)
    {
        return rv_matmul(matrix(left, 3, 4), matrix(right, 4, 5), false, false);
    }
    /* The same with and without merging; returns the instructions with it. */
    int64_t expect_same(const std::vector<rv_var> &outputs)
    {
        Program merged(t, outputs, RV_VALUES), apart(t, outputs, RV_VALUES & ~RV_MERGE),
            plain(t, outputs, 0);
        merged.run();
        apart.run();
        plain.run();
        for (size_t k = 0; k < outputs.size(); k++) {
            const int i = static_cast<int>(k);
            EXPECT_EQ(merged.values(i), apart.values(i)) << k;
            EXPECT_EQ(merged.values(i), plain.values(i)) << k;
        }
        EXPECT_LE(merged.stats().instructions, apart.stats().instructions);
        return merged.stats().instructions;
    }
    Tape t;
};

TEST_F(Merge, MakesASumOfProductsOfProductsAlone)
{
    const rv_var terms[] = {product("a", "u"), product("b", "v"), product("c", "w")};
    EXPECT_EQ(expect_same({rv_add_all(terms, 3)}), 3);
    EXPECT_EQ(expect_same({rv_add(terms[2], terms[0])}), 2);
    EXPECT_EQ(expect_same({rv_add(rv_add(terms[0], terms[1]), terms[2])}), 3 + 1)
        << "the sum of a sum is another";
}

TEST_F(Merge, KeepsTheOtherTermsOfASum)
{
    const rv_var bias = matrix("z", 3, 5), p = product("a", "u"), q = product("b", "v");
    const rv_var first[] = {bias, p, q}, middle[] = {p, bias, q}, last[] = {p, q, bias},
                 many[] = {bias, p, rv_tanh(bias), q, rv_full(t, RV_SHAPE(3, 5), 2), bias};
    EXPECT_EQ(expect_same({rv_add_all(first, 3)}), 3);
    EXPECT_EQ(expect_same({rv_add_all(middle, 3)}), 3);
    EXPECT_EQ(expect_same({rv_add_all(last, 3)}), 3);
    EXPECT_EQ(expect_same({rv_add(p, bias)}), 2);
    Program merged(t, {rv_add_all(many, 6)}, RV_VALUES), plain(t, {rv_add_all(many, 6)}, 0);
    merged.run();
    plain.run();
    for (size_t i = 0; i < 15; i++) EXPECT_NEAR(merged.values()[i], plain.values()[i], 1e-12);
}

TEST_F(Merge, LeavesAProductThatIsAnOutput)
{
    const rv_var p = product("a", "u"), q = product("b", "v"), r = product("c", "w");
    const rv_var terms[] = {p, q, r};
    const rv_var sum = rv_add_all(terms, 3);
    for (const rv_var output : terms) {
        expect_same({sum, output});
        expect_same({output, rv_reshape(output, RV_SHAPE(15)), sum, output});
    }
    expect_same({p, q, r, sum, sum});
}

TEST_F(Merge, LeavesAProductThatOthersReadToo)
{
    const rv_var p = product("a", "u"), q = product("b", "v");
    expect_same({rv_multiply(rv_add(p, q), p)});
    expect_same({rv_add(p, q), rv_add(q, matrix("z", 3, 5))});
    expect_same({rv_add(p, q), rv_negate(q)});
    expect_same({rv_add(p, q), rv_reshape(p, RV_SHAPE(5, 3))});
    expect_same({rv_add(p, p)});
    const rv_var thrice[] = {p, q, p};
    expect_same({rv_add_all(thrice, 3)});
}

TEST_F(Merge, LeavesAProductThatIsAssigned)
{
    const rv_var p = product("a", "u"), q = product("b", "v"), s = t.state("s", RV_SHAPE(3, 5)),
                 r = t.state("r", RV_SHAPE(3, 5));
    const rv_var sum = rv_add(p, q);
    rv_assign(s, p);
    rv_assign(r, rv_add(r, sum));
    Program merged(t, {sum});
    Program plain(t, {p, sum}, 0);
    plain.run();
    merged.run();
    EXPECT_EQ(values_of(t.stored("s")), plain.values(0));
    EXPECT_EQ(values_of(t.stored("r")), plain.values(1));
    EXPECT_EQ(merged.values(), plain.values(1));
}

TEST_F(Merge, AccumulatesProductsThatWaitForOneAnother)
{
    /* the second product reads what the first one's other reader made; the third reads the sum */
    const rv_var a = matrix("a", 4, 4), b = matrix("b", 4, 4);
    const rv_var ab = rv_matmul(a, b, false, false), ba = rv_matmul(b, a, false, false);
    const rv_var inner = rv_add(ab, ba);
    const rv_var x = rv_matmul(rv_scale(inner, 0.125), a, false, true),
                 y = rv_matmul(inner, b, true, false);
    expect_same({rv_add(x, y)});
    expect_same({rv_add(x, rv_add(y, inner))});
    expect_same({rv_add(rv_matmul(x, y, false, false), rv_matmul(y, x, true, true))});
}

TEST_F(Merge, GivesRecurrentNetsTheGradientsTheyHad)
{
    for (const bool convolves : {false, true}) {
        Tape u;
        const rv_shape image = RV_SHAPE(2, 1, 6, 6), row = RV_SHAPE(2, 36);
        const rv_var x = u.input("x", convolves ? image : row);
        const rv_var w = u.parameter("w", convolves ? RV_SHAPE(1, 1, 3, 3) : RV_SHAPE(36, 36)),
                     v = u.parameter("v", convolves ? RV_SHAPE(1, 1, 3, 3) : RV_SHAPE(36, 36));
        const auto map = [&](rv_var of, rv_var by) {
            rv_conv2d_options o = {};
            o.top = o.bottom = o.left = o.right = 1;
            return convolves ? rv_conv2d(of, by, o) : rv_matmul(of, by, false, false);
        };
        rv_var h = rv_tanh(x);
        for (int step = 0; step < 5; step++) h = rv_tanh(rv_add(map(x, w), map(h, v)));
        const rv_var loss = total(rv_square(h));
        std::vector<rv_var> all = gradients(loss, {w, v, x});
        all.push_back(gradient(total(rv_square(all[1])), w));
        Program merged(u, all, RV_VALUES), plain(u, all, 0);
        for (Program *p : {&merged, &plain}) {
            rv_init_fill(rv_program_input(*p, "x"), rv_init_uniform(-1, 1), 5);
            p->run();
        }
        EXPECT_LT(merged.stats().instructions, plain.stats().instructions);
        for (int k = 0; k < 4; k++) {
            const Values a = merged.values(k), b = plain.values(k);
            double largest = 0;
            for (const double e : b) largest = std::fmax(largest, std::fabs(e));
            for (size_t i = 0; i < a.size(); i++) ASSERT_NEAR(a[i], b[i], 1e-12 * largest) << k;
        }
    }
}

/* How often an op is among the instructions. */
int count_of(rv_program *p, const std::string &op)
{
    int count = 0;
    for (int64_t i = 0; i < rv_program_statistics(p).instructions; i++) {
        const rv_instruction one = rv_program_instruction(p, i);
        for (int32_t k = 0; k < one.nodes; k++)
            count += rv_tape_node(one.tape, one.node[k])->op->name == op;
    }
    return count;
}

/* How often a product of 32 rows belongs to another sum than the one before it. */
int turns_of(rv_program *p)
{
    int turns = 0;
    int32_t sum = -1;
    for (int64_t i = 0; i < rv_program_statistics(p).instructions; i++) {
        const rv_instruction one = rv_program_instruction(p, i);
        const rv_node *node = rv_tape_node(one.tape, one.node[0]);
        const std::string op = node->op->name;
        if (op.rfind("matmul", 0) != 0 || node->type.shape.dim[0] != 32) continue;
        turns += op == "matmul" || node->in[2] != sum;
        sum = one.node[0];
    }
    return turns;
}

TEST_F(Merge, AddsToASumInBatchesWhoseOperandsAreNoLargerThanIt)
{
    enum { STEPS = 33, UNITS = 32 };
    const struct {
        int64_t rows;
        int batch;
    } cases[] = {{1, 8}, {2, 8}, {4, 4}, {8, 2}, {9, 1}, {100, 1}};
    for (const auto &[rows, batch] : cases) {
        Tape u;
        const rv_var w = u.parameter("w", RV_SHAPE(UNITS, UNITS)),
                     v = u.parameter("v", RV_SHAPE(UNITS, UNITS));
        rv_var h = rv_tanh(u.input("x", RV_SHAPE(rows, UNITS)));
        for (int step = 0; step < STEPS; step++)
            h = rv_tanh(rv_subtract(rv_matmul(h, w, false, false),
                                    rv_matmul(rv_square(h), v, false, false)));
        const std::vector<rv_var> outputs = gradients(total(h), {w, v});
        Program p(u, outputs, RV_VALUES), plain(u, outputs, 0);
        EXPECT_EQ(turns_of(p), 2 * ((STEPS + batch - 1) / batch)) << rows;
        for (Program *one : {&p, &plain}) {
            rv_init_fill(rv_program_input(*one, "x"), rv_init_uniform(-1, 1), 5);
            one->run();
        }
        for (int k = 0; k < 2; k++) {
            const Values a = p.values(k), b = plain.values(k);
            double largest = 0;
            for (const double e : b) largest = std::fmax(largest, std::fabs(e));
            for (size_t i = 0; i < a.size(); i++) ASSERT_NEAR(a[i], b[i], 1e-12 * largest) << rows;
        }
    }
}

TEST_F(Merge, AddsAPointwiseProductInOneStepWhateverStandsFirst)
{
    const rv_var a = matrix("a", 3, 5), b = matrix("b", 3, 5), c = matrix("c", 3, 5);
    const rv_var early = rv_multiply(a, b), late = rv_negate(c);
    const rv_var three[] = {early, rv_multiply(b, c), late};
    for (const rv_var sum : {rv_add(early, late), rv_add(late, early), rv_add_all(three, 3)}) {
        Program p(t, {sum}, RV_VALUES);
        EXPECT_EQ(count_of(p, "multiply"), 0);
        EXPECT_EQ(count_of(p, "add"), 0);
        expect_same({sum});
    }
}

TEST_F(Merge, PacksAnOperandForProductsOfOneKindAlone)
{
    const rv_var a = t.parameter("a", RV_SHAPE(8, 32)), c = t.parameter("c", RV_SHAPE(8, 32)),
                 b = t.parameter("b", RV_SHAPE(32, 32));
    const rv_var plain = rv_matmul(a, b, false, false), other = rv_matmul(c, b, false, false),
                 turned = rv_matmul(c, b, false, true);
    EXPECT_EQ(count_of(Program(t, {plain, other}, RV_VALUES), "transpose"), 1);
    EXPECT_EQ(count_of(Program(t, {plain, turned}, RV_VALUES), "transpose"), 0);
    EXPECT_EQ(count_of(Program(t, {plain}, RV_VALUES), "transpose"), 0);
}

TEST_F(Merge, KeepsNoTermOfALongSumForItsEnd)
{
    const auto live = [](int terms) {
        Tape u;
        const rv_var w = u.parameter("w", RV_SHAPE(32, 32));
        rv_var h = u.input("x", RV_SHAPE(32, 32));
        std::vector<rv_var> all;
        for (int i = 0; i < terms; i++) {
            h = rv_tanh(rv_matmul(h, w, false, false));
            all.push_back(rv_arctan(h));
        }
        return Program(u, {rv_add_all(all.data(), terms)}, RV_VALUES).stats().live_bytes;
    };
    EXPECT_EQ(live(30), live(10));
}

/* The sum of its inputs, as an op of a user's own that can be accumulated. */
rv_op sum_op(const char *name, int inputs, const rv_op *accumulate)
{
    rv_op op = {};
    op.name = name;
    op.args = "x ...";
    op.formula = "y = sum x";
    op.doc = "a sum";
    op.inputs = inputs;
    op.infer = infer_like_input;
    op.reference = [](const rv_call *c) {
        rv_tensor y = rv_call_out(c);
        for (int64_t i = 0; i < rv_tensor_count(&y); i++) {
            double sum = 0;
            for (int k = 0; k < c->inputs; k++) {
                const rv_tensor x = rv_call_in(c, k);
                sum += rv_tensor_get(&x, i);
            }
            rv_tensor_set(&y, i, sum);
        }
    };
    op.accumulate = accumulate;
    return op;
}

TEST_F(Merge, AccumulatesAUsersProductOfFewOperands)
{
    static const rv_op many_add = sum_op("many_add", -1, nullptr),
                       many = sum_op("many", -1, &many_add);
    const rv_var x[] = {matrix("a", 3, 4), matrix("b", 3, 4), matrix("c", 3, 4),
                        matrix("d", 3, 4), matrix("e", 3, 4), matrix("f", 3, 4)};
    for (const int inputs : {2, 4, 5, 6}) {
        const auto product = [&](int first) {
            std::vector<rv_var> in(x, x + inputs);
            std::rotate(in.begin(), in.begin() + first % inputs, in.end());
            in[0] = rv_negate(in[0]);
            return rv_record(t, &many, nullptr, 0, in.data(), inputs);
        };
        const rv_var sum = rv_add(product(0), product(1));
        expect_same({sum});
        Program p(t, {sum}, RV_VALUES);
        EXPECT_EQ(count_of(p, "many_add"), inputs <= 4) << inputs;
    }
}

/* A sequence that is cut into steps: its gradient is one tensor, filled step by step. */
TEST_F(Merge, PaddedTensorsAreAddedInPlace)
{
    enum { STEPS = 50 };
    const rv_var x = t.input("x", RV_SHAPE(4, STEPS, 8));
    rv_var y = rv_scalar(t, 0);
    for (int i = 0; i < STEPS; i++)
        y = rv_add(y, total(rv_multiply(rv_sin(rv_slice_axis(x, 1, i, 1)), rv_scalar(t, i))));
    const std::vector<rv_var> outputs = {gradient(y, x)};
    Program merged(t, outputs), plain(t, outputs, RV_DEFAULT & ~RV_MERGE);
    EXPECT_LT(merged.stats().arena_bytes, 4 * 4 * STEPS * 8 * sizeof(double));
    rv_init_fill(rv_program_input(merged, "x"), rv_init_normal(0, 1), 1);
    rv_init_fill(rv_program_input(plain, "x"), rv_init_normal(0, 1), 1);
    EXPECT_EQ(merged.run().values(), plain.run().values());
}

} // namespace
