/* rv_feed_batch: what goes into a program's inputs, and what is passed over. */
#include "autograd/feed.h"

#include <gtest/gtest.h>

#include "autograd/tape.h"
#include "data/loader.h"
#include "data/tensors.h"
#include "tests/tapes.h"

namespace {

class Feed : public testing::Test {
  protected:
    void SetUp() override
    {
        ASSERT_TRUE(rv_source_digits(&digits_, nullptr, 0, nullptr));
        rv_loader_options options = {};
        options.batch_size = 4;
        options.in_order = true;
        loader_ = rv_loader_new(&digits_, &options, nullptr);
        ASSERT_NE(loader_, nullptr);
    }
    void TearDown() override
    {
        rv_program_free(program_);
        rv_tape_free(tape_);
        rv_store_free(store_);
        rv_loader_free(loader_);
        rv_source_close(&digits_);
    }
    /* A program that reads the inputs "x" and "y" of so many samples, or "y" alone. */
    void compile(int64_t n, bool with_x)
    {
        store_ = rv_store_new(1);
        tape_ = rv_tape_new(store_, RV_F32);
        rv_var inputs[2] = {rv_input_typed(tape_, "y", RV_I32, RV_SHAPE(n)), {tape_, -1}};
        if (with_x) inputs[1] = rv_input(tape_, "x", RV_SHAPE(n, 64));
        program_ = rv_compile(tape_, inputs, with_x ? 2 : 1);
        ASSERT_NE(program_, nullptr) << rv_tape_error(tape_)->text;
    }

    rv_source digits_ = {};
    rv_loader *loader_ = nullptr;
    rv_store *store_ = nullptr;
    rv_tape *tape_ = nullptr;
    rv_program *program_ = nullptr;
    rv_error error_ = {};
};

TEST_F(Feed, FillsTheInputsThatThereAre)
{
    compile(4, true);
    const rv_batch *batch = rv_loader_next(loader_, nullptr);
    ASSERT_TRUE(rv_feed_batch(program_, batch, &error_)) << error_.text;
    const rv_tensor *x = rv_program_input(program_, "x"), *y = rv_program_input(program_, "y");
    for (int64_t i = 0; i < rv_tensor_count(x); i++)
        ASSERT_EQ(rv_tensor_get(x, i), rv_tensor_get(&batch->x, i));
    for (int64_t i = 0; i < 4; i++) {
        int digit = -1;
        rv_digit(i, &digit);
        EXPECT_EQ(rv_tensor_get(y, i), digit);
    }
}

TEST_F(Feed, PassesOverWhatAProgramDoesNotRead)
{
    compile(4, false);
    EXPECT_TRUE(rv_feed_batch(program_, rv_loader_next(loader_, nullptr), &error_)) << error_.text;
}

TEST_F(Feed, EndsAnEpochWithoutAnError)
{
    compile(4, true);
    int64_t batches = 0;
    ASSERT_TRUE(rv_loader_start(loader_, 0, rv_loader_batches(loader_) - 3, nullptr));
    while (rv_feed_batch(program_, rv_loader_next(loader_, &error_), &error_)) batches++;
    EXPECT_EQ(batches, 2); /* and a last one of a single sample, which does not fit */
    EXPECT_EQ(error_.code, RV_ERROR_SHAPE);
    error_ = {};
    EXPECT_FALSE(rv_feed_batch(program_, nullptr, &error_));
    EXPECT_EQ(error_.code, RV_OK);
}

TEST_F(Feed, TellsWhatIsNull)
{
    EXPECT_FALSE(rv_feed_batch(nullptr, rv_loader_next(loader_, nullptr), &error_));
    EXPECT_EQ(error_.code, RV_ERROR_ARGUMENT);
    error_ = {};
    EXPECT_EQ(rv_loader_next(nullptr, &error_), nullptr);
    EXPECT_EQ(error_.code, RV_ERROR_ARGUMENT);
    EXPECT_EQ(rv_loader_batches(nullptr), 0);
}

TEST(FeedOne, CopiesAValueOfAnyDtypeIntoAnInput)
{
    Tape t;
    Program p(t, {rv_scale(t.input("x", RV_SHAPE(2)), 2)});
    rv_tensor whole;
    rv_error error = {};
    ASSERT_TRUE(rv_tensor_new(&whole, RV_I32, RV_SHAPE(2), nullptr));
    set_values(&whole, {3, -4});
    EXPECT_TRUE(rv_feed(p, "x", &whole, &error)) << error.text;
    EXPECT_EQ(p.run().values(), (Values{6, -8}));
    EXPECT_FALSE(rv_feed(p, "z", &whole, &error));
    EXPECT_TRUE(contains(error.text, "no input \"z\"")) << error.text;
    error = {};
    EXPECT_FALSE(rv_feed(p, "x", nullptr, &error));
    EXPECT_FALSE(rv_feed(p, nullptr, &whole, nullptr));
    EXPECT_FALSE(rv_feed(nullptr, "x", &whole, nullptr));
    EXPECT_TRUE(contains(error.text, "no value for the input \"x\"")) << error.text;
    whole.shape = RV_SHAPE(2, 1);
    EXPECT_TRUE(rv_feed(p, "x", &whole, nullptr));
    whole.shape = RV_SHAPE(1, 2);
    EXPECT_TRUE(rv_feed(p, "x", &whole, nullptr));
    whole.shape = RV_SHAPE(1);
    error = {};
    EXPECT_FALSE(rv_feed(p, "x", &whole, &error));
    EXPECT_TRUE(contains(error.text, "input \"x\" is [2], the value [1]; give as many samples; a "
                                     "loader with drop_last"))
        << error.text;
    whole.shape = RV_SHAPE(1, 1, 3);
    error = {};
    EXPECT_FALSE(rv_feed(p, "x", &whole, &error));
    EXPECT_TRUE(contains(error.text, "give one of the input's shape")) << error.text;
    whole.shape = RV_SHAPE(2);
    rv_tensor_free(&whole);
}

} // namespace
