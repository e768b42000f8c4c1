/* Training that is saved and resumed takes the same steps, bit for bit, as training that was
 * not. */
#include <gtest/gtest.h>

#include <filesystem>

#include "optim/optim.h"
#include "optim/plateau.h"
#include "tensor/checkpoint.h"
#include "tests/tapes.h"

namespace {

enum { BEFORE = 10, AFTER = 10 };

/* A small net's training, recorded and compiled on the store. */
class Training {
  public:
    Training(rv_store *store, rv_dtype dtype, const rv_optimizer &optimizer)
        : store_(store), tape_(rv_tape_new(store, dtype)), extras_(optimizer.accumulate > 1)
    {
        const rv_var x = rv_input(tape_, "x", RV_SHAPE(6, 4)),
                     y = rv_input(tape_, "y", RV_SHAPE(6, 2));
        const rv_var h = rv_tanh(rv_linear(x, "fc1", 7)), p = rv_linear(h, "fc2", 2);
        const rv_var loss = rv_sigmoid_cross_entropy(p, y);
        EXPECT_TRUE(rv_minimize(loss, optimizer)) << rv_tape_error(tape_)->text;
        program_ = rv_compile(tape_, &loss, 1);
        EXPECT_NE(program_, nullptr);
    }
    Training(const Training &) = delete;
    Training &operator=(const Training &) = delete;
    ~Training()
    {
        rv_program_free(program_);
        rv_tape_free(tape_);
    }
    void steps(int first, int count)
    {
        for (int step = first; step < first + count; step++) {
            const auto seed = static_cast<uint64_t>(step);
            rv_init_fill(rv_program_input(program_, "x"), rv_init_normal(0, 1), seed);
            rv_init_fill(rv_program_input(program_, "y"), rv_init_uniform(0, 1), seed + 1000);
            rv_run(program_);
            const bool set = step != 5 || rv_set_learning_rate(store_, nullptr, 0.004);
            EXPECT_TRUE(set);
            const rv_plateau plateau = {0.5, 1, 0.05, false, 1, 0};
            if (extras_)
                rv_plateau_observe(&plateau, store_, rv_value(program_, 0), nullptr, nullptr);
        }
    }

  private:
    rv_store *store_;
    rv_tape *tape_;
    bool extras_;
    rv_program *program_;
};

std::string everything(const rv_store *store)
{
    std::string all;
    for (size_t i = 0; i < rv_store_count(store); i++) {
        const rv_entry *entry = rv_store_at(store, i);
        all += std::string(entry->name) + (entry->role == RV_STATE ? " state " : " parameter ") +
               bytes_of(entry->tensor);
    }
    return all;
}

/* All that can be on besides, saved in the middle of accumulating. */
rv_optimizer with_extras(rv_optimizer o)
{
    o.accumulate = 3;
    o.clip_value = 1;
    o.clip_norm = 0.5;
    o.weight_decay = 0.1;
    o.average = 0.9;
    o.schedule = rv_warm_up(2, rv_cosine_decay(7, 0.1));
    o.group[0] = {"fc2/bias", 0.01, 0, false};
    o.group[1] = {"fc1/bias", 0, 0, true};
    return o;
}

/* Each optimizer, then each with extras. */
class Resume : public testing::TestWithParam<int> {
  protected:
    rv_optimizer optimizer() const
    {
        const rv_optimizer o = *rv_optimizer_at(GetParam() % rv_optimizer_count());
        return GetParam() < rv_optimizer_count() ? o : with_extras(o);
    }
    std::string path_ = (std::filesystem::path(testing::TempDir()) /
                         ("resume_" + std::to_string(GetParam()) + ".safetensors"))
                            .string();
    void TearDown() override { std::filesystem::remove(path_); }
};

TEST_P(Resume, TakesTheSameStepsBitForBit)
{
    for (const rv_dtype dtype : {RV_F32, RV_F64}) {
        SCOPED_TRACE(rv_dtype_name(dtype));
        rv_error error = {};
        rv_store *whole = rv_store_new(7), *first = rv_store_new(7), *second = rv_store_new(99);
        Training(whole, dtype, optimizer()).steps(0, BEFORE + AFTER);
        Training(first, dtype, optimizer()).steps(0, BEFORE);
        ASSERT_TRUE(rv_store_save(first, path_.c_str(), &error)) << error.text;
        ASSERT_TRUE(rv_store_load(second, path_.c_str(), &error)) << error.text;
        Training(second, dtype, optimizer()).steps(BEFORE, AFTER);
        EXPECT_NE(everything(whole), everything(first));
        EXPECT_EQ(everything(whole), everything(second));
        for (rv_store *store : {whole, first, second}) rv_store_free(store);
    }
}

TEST_P(Resume, WorksIntoAStoreThatAlreadyTrains)
{
    rv_error error = {};
    rv_store *whole = rv_store_new(7), *store = rv_store_new(7);
    {
        Training training(store, RV_F32, optimizer());
        training.steps(0, BEFORE);
        ASSERT_TRUE(rv_store_save(store, path_.c_str(), &error)) << error.text;
        training.steps(500, 3); /* goes astray, and comes back under the compiled program */
        ASSERT_TRUE(rv_store_load(store, path_.c_str(), &error)) << error.text;
        training.steps(BEFORE, AFTER);
    }
    Training(whole, RV_F32, optimizer()).steps(0, BEFORE + AFTER);
    EXPECT_EQ(everything(whole), everything(store));
    rv_store_free(whole);
    rv_store_free(store);
}

/* The program that would run with random weights is not made. */
TEST(LoadedStore, DoesNotCompileWithAMisspelledParameter)
{
    const std::string path = testing::TempDir() + "/misspelled.safetensors";
    rv_error error = {};
    rv_store *saved = rv_store_new(1), *store = rv_store_new(2);
    rv_store_get(saved, "fc/weight", RV_PARAMETER, RV_F32, RV_SHAPE(3), rv_init_constant(1),
                 &error);
    ASSERT_TRUE(rv_store_save(saved, path.c_str(), &error)) << error.text;
    ASSERT_TRUE(rv_store_load(store, path.c_str(), &error)) << error.text;
    rv_tape *tape = rv_tape_new(store, RV_F32);
    const rv_var w = rv_parameter(tape, "fc/wieght", RV_SHAPE(3), rv_init_uniform(-1, 1));
    const rv_var y = rv_sum(rv_square(w), RV_ALL_AXES, false);
    EXPECT_EQ(rv_compile(tape, &y, 1), nullptr);
    EXPECT_NE(std::string(rv_tape_error(tape)->text).find("which has \"fc/weight\""),
              std::string::npos)
        << rv_tape_error(tape)->text;
    rv_tape_free(tape);
    rv_store_free(saved);
    rv_store_free(store);
    std::filesystem::remove(path);
}

INSTANTIATE_TEST_SUITE_P(Optimizers, Resume, testing::Range(0, 2 * rv_optimizer_count()),
                         [](const auto &info) {
                             const int count = rv_optimizer_count();
                             return std::string(rv_optimizer_at(info.param % count)->name) +
                                    (info.param < count ? "" : "_with_extras");
                         });

} // namespace
