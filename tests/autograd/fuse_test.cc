/* Fusing: pointwise ops that hang together are one instruction, whatever their number, shape and
 * ties. */
#include <gtest/gtest.h>

#include "tests/tapes.h"

namespace {

Values ramp(size_t count)
{
    Values values;
    for (size_t i = 0; i < count; i++) values.push_back(0.01 * static_cast<double>(i % 173) - 0.8);
    return values;
}

/* Outputs, bit for bit, of a program compiled with and without fusing. */
void expect_same(Tape &t, const std::vector<rv_var> &outputs, unsigned flags = RV_VALUES)
{
    Program fused(t, outputs, flags), apart(t, outputs, flags & ~RV_FUSE);
    for (const char *name : {"x", "y"})
        for (Program *p : {&fused, &apart})
            if (rv_tensor *input = rv_program_input(*p, name))
                set_values(input, ramp(static_cast<size_t>(rv_tensor_count(input))));
    fused.run();
    apart.run();
    for (size_t k = 0; k < outputs.size(); k++)
        EXPECT_EQ(fused.bytes(static_cast<int>(k)), apart.bytes(static_cast<int>(k))) << k;
}

int64_t instructions(Tape &t, const std::vector<rv_var> &outputs, unsigned flags = RV_VALUES)
{
    return Program(t, outputs, flags).stats().instructions;
}

TEST(Fuse, MakesOneInstructionOfAGate)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(8, 50)), y = t.input("y", RV_SHAPE(8, 50));
    const rv_var g = rv_sigmoid(rv_add(x, y)), c = rv_tanh(rv_subtract(x, rv_scalar(t, 0.5)));
    const rv_var h = rv_lerp(c, x, g);
    EXPECT_EQ(instructions(t, {h}), 1);
    EXPECT_EQ(instructions(t, {h}, RV_VALUES & ~RV_FUSE), 6) << "lerp is c + (x - c) g";
    expect_same(t, {h});
}

TEST(Fuse, KeepsWhatOnlyAGroupReadsOutOfMemory)
{
    enum { ELEMENTS = 100000 };
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(ELEMENTS));
    rv_var y = x;
    for (int i = 0; i < 10; i++) y = rv_add(rv_tanh(y), rv_multiply(x, y));
    EXPECT_LT(Program(t, {y}).stats().arena_bytes, 2 * 8 * ELEMENTS + 20000u) << "x and y";
    expect_same(t, {y});
}

TEST(Fuse, IsRightForAnyNumberOfElements)
{
    for (const rv_dtype dtype : {RV_F32, RV_F64})
        for (const int64_t count : {1, 7, 8, 9, 16, 17, 127, 128, 129, 255, 256, 257, 1000, 5000}) {
            SCOPED_TRACE(std::to_string(count) + " of " + rv_dtype_name(dtype));
            Tape t(dtype);
            const rv_var x = t.input("x", RV_SHAPE(count)), y = t.input("y", RV_SHAPE(1));
            const rv_var a = rv_multiply(x, y), b = rv_exp(rv_reshape(a, RV_SHAPE(count, 1)));
            const rv_var c = rv_add(rv_reshape(b, RV_SHAPE(1, count)), rv_tanh(a));
            expect_same(t, {c, b, total(c)});
            expect_same(t, {total(c)});
        }
}

TEST(Fuse, OfMoreOpsThanAGroupHoldsIsAFewGroups)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(300));
    rv_var y = x;
    for (int i = 0; i < 1000; i++) y = rv_tanh(rv_add(y, x));
    EXPECT_LE(instructions(t, {y}), 2000 / 50);
    expect_same(t, {y});
    expect_same(t, {y, gradient(total(y), x)});
}

TEST(Fuse, NeverMakesGroupsThatWaitForEachOther)
{
    /* Two chains, then ops that need both ends: which of them found room in a group that was full
     * but for one place once depended on the lengths, and the rest was never run. */
    for (int first = 1; first < 140; first += 9)
        for (int second = 1; second < 140; second += 9) {
            Tape t;
            const rv_var x = t.input("x", RV_SHAPE(9)), y = t.input("y", RV_SHAPE(9));
            rv_var a = x, b = y;
            for (int i = 0; i < first; i++) a = rv_tanh(rv_shift(a, 0.01 * i));
            for (int i = 0; i < second; i++) b = rv_tanh(rv_shift(b, 0.01 * i));
            const rv_var c = rv_multiply(b, a), d = rv_subtract(a, c), e = rv_add(d, rv_square(b));
            expect_same(t, {total(e), total(d)});
        }
}

TEST(Fuse, OfAWebOfOpsIsRight)
{
    for (const int span : {1, 5, 30, 63, 64, 65, 100}) {
        Tape t;
        std::vector<rv_var> made = {t.input("x", RV_SHAPE(40)), t.input("y", RV_SHAPE(40))};
        for (size_t i = 2; i < 400; i++) { /* each reads its neighbour and one far away */
            const size_t far =
                i > static_cast<size_t>(span) ? i - 1 - static_cast<size_t>(span) : 0;
            made.push_back(rv_sigmoid(i % 3 ? rv_multiply(made[i - 1], made[far])
                                            : rv_subtract(made[far], made[i - 1])));
        }
        expect_same(t, {made.back(), made[200], made[201]});
    }
}

TEST(Fuse, GoesAroundReductionsAndProducts)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(12, 12));
    rv_var h = x;
    std::vector<rv_var> outputs;
    for (int i = 0; i < 6; i++) { /* pointwise ops of many levels, all of one size */
        const rv_var s = rv_sum(h, 2, true), m = rv_matmul(h, x, false, i % 2);
        h = rv_arctan(rv_add(rv_multiply(h, rv_tanh(m)), rv_add(rv_square(x), s)));
        outputs.push_back(i % 2 ? h : m);
    }
    outputs.push_back(gradient(total(h), x));
    expect_same(t, outputs);
    expect_same(t, {outputs.back()});
}

TEST(Fuse, UpdatesManyParametersInPlace)
{
    for (const unsigned flags : {+RV_DEFAULT, RV_DEFAULT & ~RV_REUSE, RV_DEFAULT & ~RV_IN_PLACE}) {
        Tape t;
        const rv_var x = t.input("x", RV_SHAPE(200));
        std::vector<rv_var> p;
        for (int i = 0; i < 30; i++)
            p.push_back(t.state(("p" + std::to_string(i)).c_str(), RV_SHAPE(200), i));
        for (size_t i = 0; i < p.size(); i++) /* p' = x + 2 p + the next one's old value */
            rv_assign(p[i], rv_add(rv_add(x, rv_scale(p[i], 2)), p[(i + 1) % p.size()]));
        Program step(t, {}, flags);
        step.set("x", Values(200, 100)).run();
        for (int i = 0; i < 30; i++)
            EXPECT_EQ(values_of(t.stored(("p" + std::to_string(i)).c_str())),
                      Values(200, 100 + 2 * i + (i + 1) % 30))
                << i << " with flags " << flags;
    }
}

} // namespace
