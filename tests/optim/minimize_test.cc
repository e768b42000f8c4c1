/* Minimizing: which parameters are updated, at which rates, with which states, and what is
 * refused. */
#include <gtest/gtest.h>

#include <limits>

#include "optim/optim.h"
#include "tests/tapes.h"

namespace {

/* Parameters "conv/w", "fc1/bias", "fc2/weight" of one element; the loss's gradient is 1 for
 * each. */
struct ThreeLayers : Tape {
    ThreeLayers()
    {
        loss = one("conv/w");
        for (const char *name : {"fc1/bias", "fc2/weight"}) loss = rv_add(loss, one(name));
    }
    rv_var one(const char *name)
    {
        const rv_var w = parameter(name, RV_SCALAR);
        set_values(&stored(name), {10});
        return w;
    }
    double value(const char *name) { return rv_tensor_get(&stored(name), 0); }
    rv_var loss;
};

const rv_entry *state(const Tape &t, const std::string &name)
{
    const rv_entry *entry = rv_store_find(t.store(), name.c_str());
    return entry && entry->role == RV_STATE ? entry : nullptr;
}

/* ---- what is updated ---- */

TEST(Minimize, UpdatesTheParametersOfTheLossAndNothingElse)
{
    Tape t;
    const rv_var w = t.parameter("w", RV_SHAPE(2)), other = t.parameter("other", RV_SHAPE(2)),
                 s = t.state("s", RV_SHAPE(2), 5), x = t.input("x", RV_SHAPE(2));
    rv_tanh(other);
    const std::string before = bytes_of(t.stored("other")) + bytes_of(t.stored("s"));
    const Values w_before = values_of(t.stored("w"));
    ASSERT_TRUE(rv_minimize(total(rv_multiply(rv_multiply(w, s), x)), rv_sgd(0.5)));
    Program(t, {}).set("x", {1, 2}).run();
    EXPECT_EQ(bytes_of(t.stored("other")) + bytes_of(t.stored("s")), before);
    EXPECT_EQ(values_of(t.stored("w")), (Values{w_before[0] - 2.5, w_before[1] - 5}));
}

TEST(Minimize, AParameterBehindAStopGradientStaysWhereItIs)
{
    Tape t;
    const rv_var w = t.parameter("w", RV_SHAPE(2)), v = t.parameter("v", RV_SHAPE(2));
    ASSERT_TRUE(rv_minimize(total(rv_multiply(rv_stop_gradient(w), v)), rv_adam(0.1))) << t.error();
    const std::string before = bytes_of(t.stored("w"));
    Program(t, {}).run();
    EXPECT_EQ(bytes_of(t.stored("w")), before);
}

TEST(Minimize, LabelsWhatItRecords)
{
    ThreeLayers t;
    ASSERT_TRUE(rv_minimize(t.loss, rv_momentum(0.1, 0.9)));
    EXPECT_STREQ(rv_tape_node(t, t.count() - 1)->op->name, "assign");
    char text[RV_ORIGIN_TEXT];
    const rv_origin *origin = rv_tape_node(t, t.count() - 1)->origin;
    EXPECT_EQ(origin->phase, RV_PHASE_UPDATE);
    EXPECT_STREQ(rv_origin_text(origin, text), "update/fc2/weight");
    EXPECT_STREQ(rv_tape_node(t, rv_exp(t.loss).id)->origin->scope, "");
}

/* ---- rates ---- */

TEST(Rates, OfGroupsGoByPatternAndTheFirstMatchCounts)
{
    ThreeLayers t;
    rv_optimizer o = rv_sgd(1);
    o.group[0] = {"*/bias", 0};
    o.group[1] = {"fc?/*", 0.25};
    ASSERT_TRUE(rv_minimize(t.loss, o));
    Program(t, {}).run();
    EXPECT_EQ(t.value("conv/w"), 9);
    EXPECT_EQ(t.value("fc1/bias"), 10) << "both patterns match";
    EXPECT_EQ(t.value("fc2/weight"), 9.75);
    EXPECT_EQ(t.value("optimizer/learning_rate"), 1);
    EXPECT_EQ(t.value("optimizer/learning_rate/*/bias"), 0);
    EXPECT_EQ(t.value("optimizer/learning_rate/fc?/*"), 0.25);
}

TEST(Rates, OfAllGroupsMayBeUsed)
{
    Tape t;
    rv_optimizer o = rv_sgd(100);
    static const char *const names[] = {"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7"};
    rv_var loss = rv_scalar(t, 0);
    for (int i = 0; i < RV_PARAMETER_GROUPS; i++) {
        o.group[i] = {names[i], 1.0 + i};
        loss = rv_add(loss, t.parameter(names[i], RV_SCALAR));
        set_values(&t.stored(names[i]), {0});
    }
    ASSERT_TRUE(rv_minimize(loss, o)) << t.error();
    Program(t, {}).run();
    for (int i = 0; i < RV_PARAMETER_GROUPS; i++)
        EXPECT_EQ(values_of(t.stored(names[i])), (Values{-1.0 - i}));
    EXPECT_FALSE(rv_set_learning_rate(t.store(), nullptr, 1))
        << "nobody goes at the rate of the rest";
}

TEST(Rates, TakeEffectAtTheNextRun)
{
    ThreeLayers t;
    rv_optimizer o = rv_sgd(1);
    o.group[0] = {"fc1/*", 0.5};
    EXPECT_FALSE(rv_set_learning_rate(t.store(), nullptr, 2)) << "none yet";
    ASSERT_TRUE(rv_minimize(t.loss, o));
    Program p(t, {});
    p.run();
    EXPECT_TRUE(rv_set_learning_rate(t.store(), nullptr, 3));
    EXPECT_EQ(t.value("conv/w"), 9);
    p.run();
    EXPECT_EQ(t.value("conv/w"), 6);
    EXPECT_EQ(t.value("fc1/bias"), 9) << "the group keeps its own";
    EXPECT_TRUE(rv_set_learning_rate(t.store(), "fc1/*", 4));
    p.run();
    EXPECT_EQ(t.value("fc1/bias"), 5);
    EXPECT_EQ(t.value("conv/w"), 3);
    EXPECT_FALSE(rv_set_learning_rate(t.store(), "fc2/*", 1));
    EXPECT_FALSE(rv_set_learning_rate(t.store(), std::string(300, '*').c_str(), 1));
}

TEST(Rates, OfZeroLeaveTheParameterBitForBit)
{
    for (int i = 0; i < rv_optimizer_count(); i++) {
        rv_optimizer o = *rv_optimizer_at(i);
        o.learning_rate = 0;
        Tape t(RV_F32);
        const rv_var w = t.parameter("w", RV_SHAPE(30));
        const std::string before = bytes_of(t.stored("w"));
        ASSERT_TRUE(rv_minimize(total(rv_square(w)), o));
        Program(t, {}).run().run();
        EXPECT_EQ(bytes_of(t.stored("w")), before) << o.name;
    }
}

/* ---- states ---- */

TEST(States, AreNamedAsDocumented)
{
    Tape t(RV_F32);
    const rv_var w = t.parameter("fc/w", RV_SHAPE(2, 3));
    ASSERT_TRUE(rv_minimize(total(rv_square(w)), rv_adam(1e-3)));
    for (const char *name :
         {"optimizer/learning_rate", "optimizer/m_weight", "optimizer/s_weight"}) {
        ASSERT_NE(state(t, name), nullptr) << name;
        EXPECT_EQ(state(t, name)->tensor.shape.rank, 0) << name;
    }
    for (const char *name : {"optimizer/m/fc/w", "optimizer/s/fc/w"}) {
        ASSERT_NE(state(t, name), nullptr) << name;
        EXPECT_TRUE(rv_shape_equal(state(t, name)->tensor.shape, RV_SHAPE(2, 3)));
        EXPECT_EQ(values_of(state(t, name)->tensor), Values(6, 0));
    }
    EXPECT_EQ(rv_store_count(t.store()), 6u) << "and no others";
}

TEST(States, AreThoseOfTheRuleAlone)
{
    const struct {
        rv_optimizer optimizer;
        std::vector<std::string> states;
    } cases[] = {{rv_sgd(1), {}},
                 {rv_momentum(1, 0.9), {"optimizer/v/w"}},
                 {rv_nesterov(1, 0.9), {"optimizer/v/w"}},
                 {rv_rmsprop(1), {"optimizer/s/w"}}};
    for (const auto &c : cases) {
        Tape t;
        ASSERT_TRUE(rv_minimize(total(t.parameter("w", RV_SHAPE(2))), c.optimizer));
        for (const std::string &name : c.states) EXPECT_NE(state(t, name), nullptr) << name;
        EXPECT_EQ(rv_store_count(t.store()), 2 + c.states.size()) << "w and the rate besides";
    }
}

TEST(States, OfLongParameterNamesStayApartOrAreRefused)
{
    for (const size_t length : {200, 240, 250, 254}) {
        Tape t;
        const std::string name(length, 'n');
        const rv_var a = t.parameter((name + "a").c_str(), RV_SHAPE(2)),
                     b = t.parameter((name + "b").c_str(), RV_SHAPE(3));
        const bool ok = rv_minimize(rv_add(total(a), total(rv_square(b))), rv_momentum(1, 0.9));
        if (ok) {
            EXPECT_NE(state(t, "optimizer/v/" + name + "a"), nullptr);
            EXPECT_NE(state(t, "optimizer/v/" + name + "b"), nullptr);
        } else {
            EXPECT_EQ(t.code(), RV_ERROR_NAME) << t.error();
            EXPECT_TRUE(contains(t.error(), "too long")) << t.error();
        }
        EXPECT_EQ(ok, length < 243) << length;
    }
}

/* ---- a rule of one's own ---- */

/* w' = w - r (sign of the average gradient), the average being a moment called "average". */
rv_var sign_step(const rv_update *u)
{
    rv_var average = rv_moment(u, "average");
    average = rv_remember(u, average, rv_add(rv_scale(average, u->optimizer->momentum), u->g));
    const rv_var zero = rv_scalar(u->w.tape, 0);
    const rv_var sign = rv_subtract(rv_less(zero, average), rv_less(average, zero));
    EXPECT_STREQ(u->name, "w");
    return rv_subtract(u->w, rv_multiply(u->learning_rate, sign));
}

TEST(Minimize, TakesARuleOfOnesOwn)
{
    rv_optimizer o = {};
    o.name = "sign";
    o.rule = sign_step;
    o.learning_rate = 0.5;
    o.momentum = 0.5;
    Tape t;
    const rv_var w = t.parameter("w", RV_SHAPE(3));
    set_values(&t.stored("w"), {1, -1, 0});
    ASSERT_TRUE(rv_minimize(total(rv_square(w)), o)) << t.error();
    Program p(t, {});
    p.run();
    EXPECT_EQ(values_of(t.stored("w")), (Values{0.5, -0.5, 0}));
    EXPECT_EQ(values_of(t.stored("optimizer/average/w")), (Values{2, -2, 0}));
    p.run();
    EXPECT_EQ(values_of(t.stored("optimizer/average/w")), (Values{2, -2, 0}));
}

TEST(MinimizeError, ARuleThatFailsOrIsMissingIsOne)
{
    rv_optimizer o = {};
    o.name = "mine";
    Tape t, u, v;
    EXPECT_FALSE(rv_minimize(total(t.parameter("w", RV_SHAPE(2))), o));
    EXPECT_EQ(t.code(), RV_ERROR_ARGUMENT);
    EXPECT_TRUE(contains(t.error(), "\"mine\" has no rule")) << t.error();
    o.rule = [](const rv_update *) { return rv_var{}; };
    EXPECT_FALSE(rv_minimize(total(u.parameter("w", RV_SHAPE(2))), o));
    EXPECT_NE(u.code(), RV_OK);
    o.rule = [](const rv_update *up) { return rv_sum(up->w, RV_ALL_AXES, false); };
    EXPECT_FALSE(rv_minimize(total(v.parameter("w", RV_SHAPE(2))), o));
    EXPECT_EQ(v.code(), RV_ERROR_SHAPE);
    EXPECT_TRUE(contains(v.error(), "\"w\" [2]") && contains(v.error(), "in update")) << v.error();
}

/* ---- what is refused ---- */

TEST(MinimizeError, ARateThatIsNotFiniteIsOne)
{
    const double infinity = std::numeric_limits<double>::infinity();
    for (const double rate : {infinity, -infinity, std::numeric_limits<double>::quiet_NaN()}) {
        ThreeLayers t, u;
        EXPECT_FALSE(rv_minimize(t.loss, rv_adam(rate)));
        EXPECT_EQ(t.code(), RV_ERROR_ARGUMENT);
        EXPECT_TRUE(contains(t.error(), "rate of \"conv/w\"")) << t.error();
        rv_optimizer o = rv_adam(1);
        o.group[0] = {"fc2/*", rate};
        EXPECT_FALSE(rv_minimize(u.loss, o));
        EXPECT_TRUE(contains(u.error(), "rate of \"fc2/weight\"")) << u.error();
    }
}

TEST(MinimizeError, ALossWithoutParametersIsOne)
{
    Tape t;
    t.parameter("elsewhere", RV_SHAPE(2));
    const rv_var x = t.input("x", RV_SHAPE(2)), s = t.state("s", RV_SHAPE(2));
    EXPECT_FALSE(rv_minimize(total(rv_multiply(x, s)), rv_adam(1)));
    EXPECT_EQ(t.code(), RV_ERROR_ARGUMENT);
    EXPECT_TRUE(contains(t.error(), "depends on no parameter")) << t.error();
}

TEST(MinimizeError, ALossThatIsNoNumberIsOne)
{
    Tape t, u;
    EXPECT_FALSE(rv_minimize(rv_square(t.parameter("w", RV_SHAPE(2))), rv_adam(1)));
    EXPECT_TRUE(contains(t.error(), "expected one element")) << t.error();
    EXPECT_FALSE(rv_minimize(rv_reshape(u.parameter("w", RV_SHAPE(2)), RV_SHAPE(3)), rv_adam(1)));
    EXPECT_EQ(u.code(), RV_ERROR_SHAPE);
    EXPECT_FALSE(rv_minimize(rv_var{}, rv_adam(1)));
}

TEST(MinimizeError, AParameterIsMinimizedOnceOnATape)
{
    for (int i = 0; i < rv_optimizer_count(); i++) {
        Tape t;
        const rv_var w = t.parameter("w", RV_SHAPE(2)), v = t.parameter("v", RV_SHAPE(2));
        EXPECT_TRUE(rv_minimize(total(rv_square(w)), *rv_optimizer_at(i)));
        EXPECT_TRUE(rv_minimize(total(rv_exp(v)), *rv_optimizer_at(i)))
            << "another loss may have parameters of its own; " << t.error();
        EXPECT_FALSE(rv_minimize(total(rv_tanh(w)), *rv_optimizer_at(i)));
        EXPECT_EQ(t.code(), RV_ERROR_ARGUMENT);
        EXPECT_TRUE(contains(t.error(), "minimize: \"w\" is updated on this tape already"))
            << t.error();
    }
}

} // namespace
