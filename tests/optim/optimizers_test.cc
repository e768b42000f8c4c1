/* Optimizers against the same update written again, for one number, in plain double; and what holds
 * for all of them. (trajectories_test.cc holds every one to PyTorch.) */
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "optim/optim.h"
#include "tests/tapes.h"

namespace {

/* The update of one number: w' from w and g, at step 1, 2, ... */
using Update = std::function<double(double w, double g, int step)>;

struct Case {
    rv_optimizer optimizer;
    std::function<Update()> make; /* with states of its own, zero at first */
};

std::vector<Case> cases()
{
    const double r = 0.03;
    std::vector<Case> all;
    all.push_back({rv_sgd(r), [=] { return [=](double w, double g, int) { return w - r * g; }; }});
    all.push_back({rv_momentum(r, 0.8), [=] {
                       return [=, v = 0.0](double w, double g, int) mutable {
                           v = 0.8 * v + r * g;
                           return w - v;
                       };
                   }});
    /* Sutskever's form: the gradient is taken at the point looked ahead to, so the parameter that
     * is kept is theta + mu v: theta' + mu v' = theta + mu v - r g - mu (r g - mu v) + ... */
    all.push_back({rv_nesterov(r, 0.8), [=] {
                       return [=, v = 0.0](double w, double g, int) mutable {
                           const double theta = w + 0.8 * v; /* w is theta - 0.8 v */
                           v = 0.8 * v + r * g;
                           return theta - v - 0.8 * v;
                       };
                   }});
    all.push_back({rv_rmsprop(r), [=] {
                       return [=, s = 0.0](double w, double g, int) mutable {
                           s = 0.99 * s + 0.01 * g * g;
                           return w - r * g / (std::sqrt(s) + 1e-8);
                       };
                   }});
    const auto adam = [=](double decay) {
        return [=, m = 0.0, s = 0.0](double w, double g, int t) mutable {
            m = 0.9 * m + 0.1 * g;
            s = 0.999 * s + 0.001 * g * g;
            const double mean = m / (1 - std::pow(0.9, t)), square = s / (1 - std::pow(0.999, t));
            return w - r * (mean / (std::sqrt(square) + 1e-8) + decay * w);
        };
    };
    all.push_back({rv_adam(r), [=] { return adam(0); }});
    all.push_back({rv_adamw(r, 0.05), [=] { return adam(0.05); }});
    return all;
}

/* A loss, and its derivative by each element on its own. */
struct Problem {
    const char *name;
    rv_var (*loss)(rv_var w);
    double (*derivative)(double w, size_t i);
};

const Problem problems[] = {
    {"quadratic",
     [](rv_var w) {
         rv_tensor scale;
         EXPECT_TRUE(rv_tensor_new(&scale, RV_F64, rv_shape_of(w), nullptr));
         for (int64_t i = 0; i < rv_tensor_count(&scale); i++)
             rv_tensor_set(&scale, i, 0.5 + static_cast<double>(i));
         const rv_var a = rv_constant(w.tape, &scale);
         rv_tensor_free(&scale);
         return total(rv_multiply(a, rv_square(rv_shift(w, -0.7))));
     },
     [](double w, size_t i) { return 2 * (0.5 + static_cast<double>(i)) * (w - 0.7); }},
    {"not quadratic",
     [](rv_var w) {
         return total(rv_add(rv_softplus(rv_scale(w, 3)), rv_scale(rv_square(rv_square(w)), 0.5)));
     },
     [](double w, size_t) { return 3 / (1 + std::exp(-3 * w)) + 2 * w * w * w; }},
};

TEST(Optimizer, TakesThePublishedSteps)
{
    const Values start = {1.5, -0.8, 0.1, -2, 0.7};
    for (const Case &c : cases())
        for (const Problem &problem : problems) {
            SCOPED_TRACE(std::string(c.optimizer.name) + ", " + problem.name);
            Tape t;
            const rv_var w = t.parameter("w", RV_SHAPE(5));
            set_values(&t.stored("w"), start);
            const rv_var loss = problem.loss(w);
            ASSERT_TRUE(rv_minimize(loss, c.optimizer)) << t.error();
            Program p(t, {loss});
            std::vector<Update> update;
            Values want = start;
            for (size_t i = 0; i < start.size(); i++) update.push_back(c.make());
            for (int step = 1; step <= 20; step++) {
                p.run();
                const Values seen = values_of(t.stored("w"));
                for (size_t i = 0; i < start.size(); i++) {
                    want[i] = update[i](want[i], problem.derivative(want[i], i), step);
                    ASSERT_NEAR(seen[i], want[i], 1e-12 * std::fmax(1, std::fabs(want[i])))
                        << "step " << step << ", element " << i;
                }
            }
        }
}

TEST(Optimizer, LowersTheLoss)
{
    for (int i = 0; i < rv_optimizer_count(); i++) {
        rv_optimizer optimizer = *rv_optimizer_at(i);
        optimizer.learning_rate = std::fmax(optimizer.learning_rate, 0.02);
        Tape t(RV_F32);
        const rv_var w = t.parameter("w", RV_SHAPE(20)),
                     loss = rv_mean(rv_square(rv_shift(w, -3)), RV_ALL_AXES, false);
        ASSERT_TRUE(rv_minimize(loss, optimizer)) << t.error();
        Program p(t, {loss});
        const double before = p.run().value();
        for (int step = 0; step < 1000; step++) p.run();
        EXPECT_LT(p.value(), 0.5 * before) << optimizer.name;
    }
}

TEST(Optimizer, ReportsTheLossBeforeItsStep)
{
    Tape t;
    const rv_var w = t.parameter("w", RV_SCALAR), loss = rv_square(w);
    set_values(&t.stored("w"), {3});
    ASSERT_TRUE(rv_minimize(loss, rv_sgd(0.25)));
    Program p(t, {loss, w});
    p.run();
    EXPECT_EQ(p.value(0), 9);
    EXPECT_EQ(p.value(1), 3);
    EXPECT_EQ(values_of(t.stored("w")), (Values{1.5}));
    EXPECT_EQ(p.run().value(0), 2.25);
}

/* The values of PyTorch, and of the papers where it has none; the rates of the first two are
 * ours. */
TEST(OptimizerTable, StartsFromTheFieldsValues)
{
    struct Standard {
        const char *name;
        double rate, momentum, decay, epsilon, weight_decay;
    } const standards[] = {
        {"sgd", 0.1, 0, 0, 0, 0},
        {"momentum", 0.05, 0.9, 0, 0, 0},
        {"nesterov", 0.05, 0.9, 0, 0, 0},
        {"adagrad", 0.01, 0, 0, 1e-10, 0},
        {"adadelta", 1, 0, 0.9, 1e-6, 0},
        {"rmsprop", 1e-3, 0, 0.99, 1e-8, 0},
        {"adam", 1e-3, 0.9, 0.999, 1e-8, 0},
        {"amsgrad", 1e-3, 0.9, 0.999, 1e-8, 0},
        {"adamw", 1e-3, 0.9, 0.999, 1e-8, 0.01},
        {"nadam", 2e-3, 0.9, 0.999, 1e-8, 0},
        {"lion", 1e-4, 0.9, 0.99, 0, 0},
        {"adafactor", 1e-2, 0, 0.8, 1e-30, 0},
    };
    for (const Standard &s : standards) {
        const rv_optimizer *o = rv_optimizer_find(s.name);
        ASSERT_NE(o, nullptr) << s.name;
        const Values seen = {o->learning_rate, o->momentum, o->decay, o->epsilon, o->weight_decay};
        EXPECT_EQ(seen, (Values{s.rate, s.momentum, s.decay, s.epsilon, s.weight_decay})) << s.name;
    }
}

TEST(OptimizerTable, ConstructorsSetWhatTheyAreGiven)
{
    const rv_optimizer rated[] = {rv_sgd(0.7),        rv_adagrad(0.7),       rv_rmsprop(0.7),
                                  rv_adam(0.7),       rv_momentum(0.7, 0.2), rv_nesterov(0.7, 0.2),
                                  rv_adamw(0.7, 0.3), rv_lion(0.7, 0.3)};
    const char *const name[] = {"sgd",      "adagrad",  "rmsprop", "adam",
                                "momentum", "nesterov", "adamw",   "lion"};
    for (size_t i = 0; i < 8; i++) {
        const rv_optimizer *standard = rv_optimizer_find(name[i]);
        EXPECT_STREQ(rated[i].name, name[i]);
        EXPECT_EQ(rated[i].rule, standard->rule);
        EXPECT_EQ(rated[i].learning_rate, 0.7);
        EXPECT_EQ(rated[i].momentum, i == 4 || i == 5 ? 0.2 : standard->momentum) << name[i];
        EXPECT_EQ(rated[i].weight_decay, i >= 6 ? 0.3 : standard->weight_decay) << name[i];
    }
}

TEST(OptimizerTable, NamesFindTheirOptimizers)
{
    EXPECT_EQ(rv_optimizer_count(), 12);
    for (int i = 0; i < rv_optimizer_count(); i++) {
        const rv_optimizer *o = rv_optimizer_at(i);
        EXPECT_EQ(rv_optimizer_find(o->name), o);
        EXPECT_NE(o->rule, nullptr);
        EXPECT_GT(o->learning_rate, 0);
        EXPECT_TRUE(contains(o->formula, "w'")) << o->name;
    }
    EXPECT_EQ(rv_optimizer_find("sgd?"), nullptr);
    EXPECT_EQ(rv_optimizer_find(nullptr), nullptr);
    EXPECT_EQ(rv_optimizer_at(-1), nullptr);
    EXPECT_EQ(rv_optimizer_at(rv_optimizer_count()), nullptr);
}

} // namespace
