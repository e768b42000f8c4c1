/* Groups, weight decay, clipping, accumulation and averages: what they leave alone, bit for bit,
 * and what is refused. (trajectories_test.cc has their numbers.) */
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "optim/optim.h"
#include "tests/tapes.h"

namespace {

/* A loss of "fc/weight" [4,3] and "fc/bias" [4] on an input "x" [5,3]. */
struct Layer : Tape {
    explicit Layer(rv_dtype dtype = RV_F32) : Tape(dtype)
    {
        const rv_var y = rv_linear(rv_input(*this, "x", RV_SHAPE(5, 3)), "fc", 4);
        loss = rv_mean(rv_square(rv_shift(rv_tanh(y), -0.3)), RV_ALL_AXES, false);
    }
    Program program(const rv_optimizer &o)
    {
        EXPECT_TRUE(rv_minimize(loss, o)) << error();
        return Program(*this, {loss});
    }
    bool has(const char *name) const { return rv_store_find(store(), name) != nullptr; }
    /* Everything in the store but the names given. */
    std::string bytes(const std::vector<std::string> &but = {}) const
    {
        std::string all;
        for (size_t i = 0; i < rv_store_count(store()); i++) {
            const rv_entry *entry = rv_store_at(store(), i);
            bool counts = true;
            for (const std::string &prefix : but) counts &= !contains(entry->name, prefix);
            if (counts) all += bytes_of(entry->tensor);
        }
        return all;
    }
    rv_var loss;
};

void step(Program *p, int t)
{
    rv_init_fill(rv_program_input(*p, "x"), rv_init_normal(0, 1), static_cast<uint64_t>(t));
    p->run();
}

/* ---- groups ---- */

TEST(Groups, ThatAreFrozenKeepTheirBitsAndHaveNoStates)
{
    for (int i = 0; i < rv_optimizer_count(); i++) {
        rv_optimizer o = *rv_optimizer_at(i);
        o.weight_decay = 0.1;
        o.average = 0.5;
        o.group[0] = {"*/bias", 1, 1, true};
        Layer t;
        const std::string bias = bytes_of(t.stored("fc/bias")),
                          weight = bytes_of(t.stored("fc/weight"));
        Program p = t.program(o);
        for (int run = 0; run < 5; run++) step(&p, run);
        EXPECT_EQ(bytes_of(t.stored("fc/bias")), bias) << o.name;
        EXPECT_NE(bytes_of(t.stored("fc/weight")), weight) << o.name;
        for (size_t k = 0; k < rv_store_count(t.store()); k++) {
            const std::string name = rv_store_at(t.store(), k)->name;
            EXPECT_TRUE(name == "fc/bias" || !contains(name, "bias")) << name;
        }
    }
}

TEST(Groups, OfRateZeroKeepTheirBitsWithEveryExtra)
{
    for (int i = 0; i < rv_optimizer_count(); i++) {
        rv_optimizer o = *rv_optimizer_at(i);
        o.clip_norm = 0.1;
        o.accumulate = 2;
        o.schedule = rv_cosine_decay(5, 0.1);
        o.group[0] = {"*/bias", 0, 0.5, false};
        Layer t;
        const std::string bias = bytes_of(t.stored("fc/bias"));
        Program p = t.program(o);
        for (int run = 0; run < 5; run++) step(&p, run);
        EXPECT_EQ(bytes_of(t.stored("fc/bias")), bias) << o.name;
    }
}

TEST(GroupsError, APatternWithoutParametersIsOne)
{
    Layer t;
    rv_optimizer o = rv_adam(0.1);
    o.group[0] = {"*/bias", 1, 0, false};
    o.group[1] = {"*/wieght", 1, 0, false};
    EXPECT_FALSE(rv_minimize(t.loss, o));
    EXPECT_EQ(t.code(), RV_ERROR_NAME);
    EXPECT_TRUE(contains(t.error(), "the group \"*/wieght\" matches no parameter")) << t.error();
    EXPECT_TRUE(contains(t.error(), "\"fc/bias\", \"fc/weight\"")) << t.error();
}

TEST(GroupsError, AllFrozenIsOne)
{
    Layer t;
    rv_optimizer o = rv_adam(0.1);
    o.group[0] = {"*", 1, 0, true};
    EXPECT_FALSE(rv_minimize(t.loss, o));
    EXPECT_EQ(t.code(), RV_ERROR_ARGUMENT);
    EXPECT_TRUE(contains(t.error(), "frozen")) << t.error();
}

/* ---- what is off ---- */

TEST(Extras, ThatAreOffRecordNothing)
{
    Layer t;
    rv_var w[] = {rv_parameter(t, "fc/weight", RV_SHAPE(4, 3), {}),
                  rv_parameter(t, "fc/bias", RV_SHAPE(4), {})};
    rv_var g[2];
    ASSERT_TRUE(rv_gradient(t.loss, w, 2, g));
    const int32_t before = t.count();
    ASSERT_TRUE(rv_minimize(t.loss, rv_sgd(0.1)));
    EXPECT_EQ(t.count() - before, 1 + 2 * 4)
        << "the rate; of each: broadcast, multiply, subtract, assign";
    EXPECT_EQ(rv_store_count(t.store()), 3u);
}

/* ---- accumulation ---- */

TEST(Accumulate, LeavesAllElseAsItIsInBetween)
{
    for (int i = 0; i < rv_optimizer_count(); i++) {
        rv_optimizer o = *rv_optimizer_at(i);
        o.accumulate = 4;
        o.average = 0.9;
        o.schedule = rv_exponential_decay(0.9);
        Layer t;
        Program p = t.program(o);
        std::string before = t.bytes({"optimizer/run", "optimizer/sum/"});
        for (int run = 0; run < 12; run++) {
            step(&p, run);
            const std::string after = t.bytes({"optimizer/run", "optimizer/sum/"});
            EXPECT_EQ(after != before, run % 4 == 3) << o.name << ", run " << run;
            before = after;
        }
        EXPECT_EQ(values_of(t.stored("optimizer/step")), (Values{3}));
        EXPECT_EQ(values_of(t.stored("optimizer/run")), (Values{0}));
        EXPECT_EQ(values_of(t.stored("optimizer/sum/fc/bias")), (Values{0, 0, 0, 0}));
    }
}

TEST(Accumulate, OfOneIsOff)
{
    Layer t, u;
    rv_optimizer o = rv_adam(0.1);
    t.program(o);
    o.accumulate = 1;
    u.program(o);
    EXPECT_EQ(t.count(), u.count());
    EXPECT_FALSE(u.has("optimizer/run"));
}

/* ---- clipping ---- */

TEST(Clip, OfAZeroGradientIsZero)
{
    Tape t(RV_F32);
    const rv_var w = t.parameter("w", RV_SHAPE(3));
    set_values(&t.stored("w"), {0, 0, 0});
    rv_optimizer o = rv_sgd(1);
    o.clip_norm = 1;
    ASSERT_TRUE(rv_minimize(total(rv_square(w)), o)) << t.error();
    Program(t, {}).run();
    EXPECT_EQ(values_of(t.stored("w")), (Values{0, 0, 0}));
}

/* Squares of gradients from 2^64 on are infinite in f32, from 2^512 on in f64. */
TEST(Clip, HoldsForGradientsOfAnySize)
{
    for (const rv_dtype dtype : {RV_F32, RV_F64}) {
        const int last = dtype == RV_F32 ? 126 : 1022;
        const double eps = dtype == RV_F32 ? 1e-6 : 1e-14;
        for (int e = -last; e <= last; e += 7) {
            Tape t(dtype);
            const double size = std::ldexp(1, e);
            const rv_var a = t.parameter("a", RV_SHAPE(2)), b = t.parameter("b", RV_SCALAR);
            const rv_var c = t.constant(RV_SHAPE(2), {0.75 * size, -0.5 * size}, dtype);
            set_values(&t.stored("a"), {0, 0});
            set_values(&t.stored("b"), {0});
            rv_optimizer o = rv_sgd(1);
            o.clip_norm = 0.5;
            ASSERT_TRUE(rv_minimize(rv_add(total(rv_multiply(a, c)), rv_scale(b, size)), o));
            Program program(t, {});
            program.run();
            const double norm = std::sqrt(0.75 * 0.75 + 0.5 * 0.5 + 1),
                         by = std::fmin(size, 0.5 / norm);
            const Values want = {-0.75 * by, 0.5 * by, -by},
                         got = {values_of(t.stored("a"))[0], values_of(t.stored("a"))[1],
                                values_of(t.stored("b"))[0]};
            for (size_t i = 0; i < 3; i++)
                EXPECT_NEAR(got[i], want[i], eps + 2e-6 * std::fabs(want[i]))
                    << "2^" << e << " " << i;
        }
    }
}

TEST(Adafactor, TakesZerosInWholeRowsAndColumns)
{
    Tape t(RV_F32);
    const rv_var w = t.parameter("w", RV_SHAPE(3, 3)), x = t.input("x", RV_SHAPE(3, 3));
    ASSERT_TRUE(rv_minimize(total(rv_multiply(w, x)), *rv_optimizer_find("adafactor")));
    Program p(t, {});
    p.set("x", {1, 2, 0, 3, 4, 0, 0, 0, 0});
    for (int run = 0; run < 3; run++) p.run();
    for (const double value : values_of(t.stored("w"))) EXPECT_TRUE(std::isfinite(value));
}

/* ---- averages ---- */

TEST(Averages, AreSwappedInAndBackBitForBit)
{
    Layer t;
    rv_optimizer o = rv_adam(0.1);
    o.average = 0.9;
    EXPECT_FALSE(rv_swap_averages(t.store()));
    Program p = t.program(o);
    EXPECT_FALSE(rv_swap_averages(t.store())) << "no update yet";
    step(&p, 0);
    EXPECT_EQ(bytes_of(t.stored("optimizer/average/fc/weight")), bytes_of(t.stored("fc/weight")))
        << "starts with the first";
    for (int run = 1; run < 4; run++) step(&p, run);
    const std::string weight = bytes_of(t.stored("fc/weight")),
                      average = bytes_of(t.stored("optimizer/average/fc/weight"));
    EXPECT_NE(weight, average);
    const std::string all = t.bytes();
    EXPECT_TRUE(rv_swap_averages(t.store()));
    EXPECT_EQ(bytes_of(t.stored("fc/weight")), average);
    EXPECT_EQ(bytes_of(t.stored("optimizer/average/fc/weight")), weight);
    EXPECT_TRUE(rv_swap_averages(t.store()));
    EXPECT_EQ(t.bytes(), all);
}

TEST(Averages, OfAnySizeAreSwappedWhole)
{
    for (const int64_t size : {1, 32, 33, 100}) {
        Tape t;
        const rv_var w = t.parameter("w", RV_SHAPE(size));
        rv_optimizer o = rv_sgd(0.1);
        o.average = 0.5;
        ASSERT_TRUE(rv_minimize(total(rv_square(w)), o)) << t.error();
        Program p(t, {w});
        p.run().run();
        const std::string weight = bytes_of(t.stored("w")),
                          average = bytes_of(t.stored("optimizer/average/w"));
        EXPECT_NE(weight, average);
        EXPECT_TRUE(rv_swap_averages(t.store()));
        EXPECT_EQ(bytes_of(t.stored("w")), average) << size;
        EXPECT_EQ(bytes_of(t.stored("optimizer/average/w")), weight) << size;
    }
}

TEST(Averages, BeginWithTheFirstThatIsTakenHoweverManyUpdatesWereBefore)
{
    Layer t;
    rv_optimizer o = *rv_optimizer_find("nadam"); /* it counts updates, too */
    {
        Program p = t.program(o);
        for (int run = 0; run < 3; run++) step(&p, run);
    }
    o.average = 0.9;
    rv_tape *again = rv_tape_new(t.store(), RV_F32);
    const rv_var y = rv_linear(rv_input(again, "x", RV_SHAPE(5, 3)), "fc", 4),
                 loss = total(rv_square(y));
    EXPECT_TRUE(rv_minimize(loss, o));
    rv_program *q = rv_compile(again, &loss, 1);
    EXPECT_FALSE(rv_swap_averages(t.store())) << "none taken yet";
    rv_init_fill(rv_program_input(q, "x"), rv_init_normal(0, 1), 3);
    rv_run(q);
    rv_program_free(q);
    rv_tape_free(again);
    EXPECT_EQ(bytes_of(t.stored("optimizer/average/fc/weight")), bytes_of(t.stored("fc/weight")));
    EXPECT_TRUE(rv_swap_averages(t.store()));
}

TEST(Averages, DoNotChangeTheTraining)
{
    Layer t, u;
    rv_optimizer o = rv_adam(0.1);
    Program p = t.program(o);
    o.average = 0.9;
    Program q = u.program(o);
    for (int run = 0; run < 5; run++) {
        step(&p, run);
        step(&q, run);
    }
    EXPECT_EQ(bytes_of(t.stored("fc/weight")), bytes_of(u.stored("fc/weight")));
}

TEST(Averages, AreNoneWithoutTheField)
{
    Layer t;
    rv_optimizer o = rv_adam(0.1);
    o.schedule = rv_exponential_decay(0.9);
    Program p = t.program(o);
    step(&p, 0);
    EXPECT_FALSE(rv_swap_averages(t.store()));
}

/* ---- what is refused ---- */

TEST(ExtrasError, AValueOutOfRangeIsOneThatNamesTheField)
{
    const double nan = std::numeric_limits<double>::quiet_NaN(),
                 inf = std::numeric_limits<double>::infinity();
    using Set = std::function<void(rv_optimizer *, double)>;
    const struct {
        const char *name;
        Set set;
        Values bad;
    } cases[] = {
        {"momentum", [](rv_optimizer *o, double v) { o->momentum = v; }, {-0.1, 1, 1.5, nan, inf}},
        {"decay", [](rv_optimizer *o, double v) { o->decay = v; }, {-0.1, 1, nan}},
        {"epsilon", [](rv_optimizer *o, double v) { o->epsilon = v; }, {-1e-9, nan, inf}},
        {"weight_decay", [](rv_optimizer *o, double v) { o->weight_decay = v; }, {-0.1, nan, inf}},
        {"a group's weight_decay",
         [](rv_optimizer *o, double v) {
             o->group[0] = {"*", 1, v, false};
         },
         {-0.1, nan, inf}},
        {"accumulate",
         [](rv_optimizer *o, double v) { o->accumulate = static_cast<int>(v); },
         {-1, -5, 1 << 24}},
        {"clip_value", [](rv_optimizer *o, double v) { o->clip_value = v; }, {-0.1, nan, inf}},
        {"clip_norm", [](rv_optimizer *o, double v) { o->clip_norm = v; }, {-0.1, nan, inf}},
        {"average", [](rv_optimizer *o, double v) { o->average = v; }, {-0.1, 1, nan}},
        {"warm_up", [](rv_optimizer *o, double v) { o->schedule.warm_up = v; }, {-1, nan, inf}},
        {"number of updates",
         [](rv_optimizer *o, double v) { o->schedule = rv_step_decay(v, 0.5); },
         {0, -1, nan, inf}},
        {"factor",
         [](rv_optimizer *o, double v) { o->schedule = rv_step_decay(2, v); },
         {0, -1, nan, inf}},
        {"factor",
         [](rv_optimizer *o, double v) { o->schedule = rv_exponential_decay(v); },
         {0, -1, nan, inf}},
        {"number of updates",
         [](rv_optimizer *o, double v) { o->schedule = rv_cosine_decay(v, 0); },
         {0, -1, nan}},
        {"end",
         [](rv_optimizer *o, double v) { o->schedule = rv_cosine_decay(5, v); },
         {-1, nan, inf}},
        {"peak", [](rv_optimizer *o, double v) { o->schedule = rv_one_cycle(v); }, {0, -1, 3, nan}},
    };
    for (const auto &c : cases)
        for (const double value : c.bad) {
            Layer t;
            rv_optimizer o = rv_adam(0.1);
            c.set(&o, value);
            EXPECT_FALSE(rv_minimize(t.loss, o)) << c.name << " " << value;
            EXPECT_EQ(t.code(), RV_ERROR_ARGUMENT) << c.name << " " << value;
            EXPECT_TRUE(contains(t.error(), c.name)) << t.error();
        }
}

} // namespace
