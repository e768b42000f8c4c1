/* Programs on several threads: the same bits, no allocation of a run, and errors for numbers that make no
 * sense. */
#include <gtest/gtest.h>

#include "models/models.h"
#include "optim/optim.h"
#include "tests/tapes.h"

namespace {

/* The digest of a model's parameters after a few steps on a batch. */
std::string train(const rv_model *model, int threads, unsigned flags, int *used = nullptr)
{
    Tape t(RV_F32, 7);
    EXPECT_TRUE(rv_set_threads(t.store(), threads, nullptr));
    rv_model_options options = model->defaults;
    rv_var x = rv_input(t, "x", RV_SHAPE(19, 1, 8, 8));
    rv_var y = options.outputs == 1 ? rv_input(t, "y", RV_SHAPE(19, 1))
                                    : rv_input_typed(t, "y", RV_I32, RV_SHAPE(19));
    rv_var loss = model->loss(model->logits(&options, x), y);
    rv_minimize(loss, rv_adam(1e-2));
    Program p(t, {loss}, flags);
    rv_init_fill(rv_program_input(p, "x"), rv_init_uniform(-1, 1), 1);
    for (int step = 0; step < 4; step++) p.run();
    char digest[RV_DIGEST_TEXT];
    if (used) *used = p.stats().threads;
    return rv_store_digest(t.store(), digest);
}

TEST(Threads, ChangeNoBitOfWhatIsLearned)
{
    for (int i = 0; i < rv_model_count(); i++) {
        const rv_model *model = rv_model_at(i);
        if (!model->logits) continue;
        int used = 0;
        const std::string alone = train(model, 1, RV_DEFAULT, &used);
        EXPECT_EQ(used, 1);
        for (const int threads : {2, 3, 4, 8}) {
            EXPECT_EQ(train(model, threads, RV_DEFAULT | RV_CUT, &used), alone)
                << model->name << " on " << threads;
            EXPECT_EQ(used, threads);
        }
        EXPECT_EQ(train(model, 2, RV_DEFAULT), alone) << model->name;
    }
}

/* x + 1 and its square, over so many elements. */
struct Sum {
    Tape t{RV_F32, 1};
    rv_var y;
    explicit Sum(int64_t count, int threads)
    {
        EXPECT_TRUE(rv_set_threads(t.store(), threads, nullptr));
        y = rv_square(rv_shift(rv_input(t, "x", RV_SHAPE(count)), 1));
    }
};

TEST(Threads, AreLeftAloneBySmallPrograms)
{
    Sum small(64, 2), large(1 << 20, 2);
    EXPECT_EQ(Program(small.t, {small.y}).stats().threads, 1);
    EXPECT_EQ(Program(large.t, {large.y}).stats().threads, 2);
}

TEST(Threads, OfAProgramStayWhenTheStoreGetsOthers)
{
    Sum sum(1 << 20, 3);
    Program three(sum.t, {sum.y});
    EXPECT_TRUE(rv_set_threads(sum.t.store(), 1, nullptr));
    Program one(sum.t, {sum.y});
    EXPECT_EQ(three.stats().threads, 3);
    EXPECT_EQ(one.stats().threads, 1);
    for (Program *p : {&three, &one}) {
        rv_init_fill(rv_program_input(*p, "x"), rv_init_uniform(-1, 1), 5);
        p->run();
    }
    EXPECT_EQ(three.values(), one.values());
}

TEST(Threads, AreOneAtFirstAndAtMostSixtyFour)
{
    rv_store *store = rv_store_new(1);
    rv_error error = {};
    EXPECT_EQ(rv_threads(store), 1);
    EXPECT_FALSE(rv_set_threads(store, 0, &error));
    EXPECT_STREQ(error.text, "threads: got 0, expected 1 to 64");
    EXPECT_FALSE(rv_set_threads(store, 65, nullptr));
    EXPECT_FALSE(rv_set_threads(nullptr, 1, nullptr));
    EXPECT_TRUE(rv_set_threads(store, 4, nullptr));
    EXPECT_EQ(rv_threads(store), 4);
    rv_store_free(store);
}

} // namespace
