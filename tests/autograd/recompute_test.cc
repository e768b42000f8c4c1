/* Segments that gradients compute again: the same answers, less memory. */
#include "autograd/recompute.h"

#include <gtest/gtest.h>

#include "autograd/gradcheck.h"
#include "tests/tapes.h"

namespace {

/* A chain of so many gated steps, `segment` of them at a time in a segment; 0: none. */
rv_var chain(rv_tape *tape, int steps, int segment)
{
    const rv_var w = rv_parameter(tape, "w", RV_SHAPE(16, 16), rv_init_uniform(-0.5, 0.5)),
                 u = rv_parameter(tape, "u", RV_SHAPE(16, 16), rv_init_uniform(-0.5, 0.5)),
                 x = rv_input(tape, "x", RV_SHAPE(64, 16));
    rv_var h = rv_full(tape, RV_SHAPE(64, 16), 0);
    for (int t = 0; t < steps; t++) {
        if (segment && t % segment == 0) rv_recompute_push(tape);
        const rv_var g = rv_sigmoid(rv_add(rv_matmul(h, w, false, false), x));
        const rv_var c = rv_tanh(rv_add(rv_matmul(h, u, false, false), x));
        h = rv_lerp(c, h, g);
        if (segment && (t + 1 == steps || t % segment == segment - 1)) rv_recompute_pop(tape);
    }
    return rv_mean(rv_square(h), RV_ALL_AXES, false);
}

struct Result {
    std::vector<std::string> bits;
    std::vector<Values> values;
    size_t live;
    int64_t instructions;
};

Result differentiate(int steps, int segment, unsigned flags = RV_DEFAULT)
{
    Tape t(RV_F64, 5);
    const rv_var loss = chain(t, steps, segment);
    std::vector<rv_var> wrt(2);
    EXPECT_EQ(rv_parameters(loss, wrt.data(), 2), 2);
    wrt.push_back(t.input("x", RV_SHAPE(64, 16)));
    Program p(t, gradients(loss, wrt), flags);
    rv_init_fill(rv_program_input(p, "x"), rv_init_uniform(-1, 1), 1);
    p.run();
    return {{p.bytes(0), p.bytes(1), p.bytes(2)},
            {p.values(0), p.values(1), p.values(2)},
            p.stats().live_bytes,
            p.stats().instructions};
}

TEST(Recompute, GivesTheSameGradient)
{
    const Result kept = differentiate(12, 0), plain = differentiate(12, 0, RV_EFFECTS);
    for (const int segment : {1, 3, 5, 12, 20}) {
        EXPECT_TRUE(differentiate(12, segment, RV_EFFECTS).bits == plain.bits) << segment;
        const Result merged = differentiate(12, segment);
        for (size_t k = 0; k < 3; k++)
            for (size_t i = 0; i < kept.values[k].size(); i++)
                EXPECT_NEAR(merged.values[k][i], kept.values[k][i], 1e-15) << segment;
    }
}

TEST(Recompute, KeepsWhatGoesIntoSegmentsAlone)
{
    const Result kept = differentiate(100, 0), less = differentiate(100, 10);
    EXPECT_LT(less.live, 0.35 * static_cast<double>(kept.live));
    EXPECT_GT(less.instructions, kept.instructions);
    EXPECT_LT(static_cast<double>(less.instructions), 1.8 * static_cast<double>(kept.instructions));
}

TEST(Recompute, HasRightSecondDerivatives)
{
    Tape t(RV_F64, 5);
    const rv_var w = t.parameter("w", RV_SHAPE(3, 3)), x = t.input("x", RV_SHAPE(2, 3));
    rv_recompute_push(t);
    const rv_var y = rv_tanh(rv_matmul(rv_tanh(rv_matmul(x, w, false, false)), w, false, false));
    rv_recompute_pop(t);
    const std::vector<rv_var> g = gradients(total(rv_square(y)), {w, x});
    rv_gradcheck_result result[2];
    const rv_var wrt[] = {w, x};
    EXPECT_TRUE(rv_gradcheck(rv_add(total(rv_square(g[0])), total(rv_square(g[1]))), wrt, 2,
                             nullptr, result))
        << t.error() << result[0].reason << result[1].reason;
}

/* Numbers drawn, rows named by an index and assignments inside; a gradient by what is inside; several, one after the
   other. */
TEST(Recompute, ChangesNoGradientOfWhatIsInside)
{
    const auto run = [](bool segment, std::vector<Values> *states) {
        Tape t(RV_F64, 5);
        const rv_var w = t.parameter("w", RV_SHAPE(4, 3)), seen = t.state("seen", RV_SHAPE(2, 3)),
                     tokens = rv_input_typed(t, "tokens", RV_I32, RV_SHAPE(2));
        rv_var h = rv_shift(t.input("x", RV_SHAPE(2, 3)), 0.5), inside, y;
        for (int i = 0; i < 3; i++) {
            if (segment) rv_recompute_push(t);
            const std::string name = "drop" + std::to_string(i);
            inside = rv_tanh(rv_multiply(h, rv_gather(w, tokens)));
            y = rv_dropout(rv_multiply(rv_exp(inside), h), 0.5, name.c_str());
            if (i == 1) rv_assign(seen, rv_add(seen, y));
            h = rv_sin(rv_add(y, seen));
            if (segment) rv_recompute_pop(t);
        }
        const rv_var wrt[] = {w, inside, y};
        std::vector<rv_var> all(6), out = {h};
        EXPECT_TRUE(rv_vjp(h, rv_full(t, RV_SHAPE(2, 3), 1), wrt, 3, &all[0]));
        EXPECT_TRUE(rv_gradient(total(rv_square(h)), wrt, 3, &all[3]));
        out.insert(out.end(), all.begin(), all.end());
        Program p(t, out);
        p.set("x", {1, 2, 3, 4, 5, 6}).set("tokens", {3, 1});
        std::vector<Values> seen_values;
        for (int i = 0; i < 3; i++) {
            p.run();
            for (int k = 0; k < 7; k++) seen_values.push_back(p.values(k));
            states->push_back(values_of(t.stored("seen")));
            states->push_back(values_of(t.stored("random/count")));
        }
        return seen_values;
    };
    std::vector<Values> kept_states, again_states;
    const std::vector<Values> kept = run(false, &kept_states), again = run(true, &again_states);
    EXPECT_EQ(kept_states, again_states);
    for (size_t k = 0; k < kept.size(); k++)
        for (size_t i = 0; i < kept[k].size(); i++)
            EXPECT_NEAR(again[k][i], kept[k][i], 1e-12) << k << " " << i;
}

TEST(Recompute, OfNestedSegmentsTheOutermostCounts)
{
    Tape t(RV_F64, 5), same(RV_F64, 5);
    rv_recompute_push(t);
    const rv_var nested = chain(t, 4, 2);
    rv_recompute_pop(t);
    rv_recompute_push(same);
    const rv_var flat = chain(same, 4, 0);
    rv_recompute_pop(same);
    const std::vector<rv_var> a = gradients(nested, {t.parameter("w", RV_SHAPE(16, 16))}),
                              b = gradients(flat, {same.parameter("w", RV_SHAPE(16, 16))});
    EXPECT_EQ(rv_tape_node(t, a[0].id)->hash.low, rv_tape_node(same, b[0].id)->hash.low);
}

TEST(Recompute, APopWithoutAPushAndAnOpenSegmentDoNothing)
{
    Tape t(RV_F64, 5), same(RV_F64, 5);
    rv_recompute_pop(t);
    rv_recompute_push(t);
    const rv_var y = chain(t, 3, 0), z = chain(same, 3, 0);
    EXPECT_EQ(rv_tape_node(t, gradient(y, t.parameter("w", RV_SHAPE(16, 16))).id)->hash.low,
              rv_tape_node(same, gradient(z, same.parameter("w", RV_SHAPE(16, 16))).id)->hash.low);
    rv_recompute_push(nullptr);
    rv_recompute_pop(nullptr);
}

} // namespace
