/* The store keeps the programs compiled on it: an equal tape costs a look-up (invariant 6). */
#include "autograd/program/cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/tapes.h"

namespace {

/* factor x on a tape of its own; the program, which the caller frees. */
rv_program *compile_scaled(rv_store *store, double factor, rv_dtype dtype = RV_F64,
                           unsigned flags = RV_DEFAULT)
{
    rv_tape *tape = rv_tape_new(store, dtype);
    const rv_var y = rv_scale(rv_input(tape, "x", RV_SHAPE(3)), factor);
    rv_program *program = rv_compile_with(tape, &y, 1, flags);
    EXPECT_NE(program, nullptr) << rv_tape_error(tape)->text;
    rv_tape_free(tape);
    return program;
}

double run_scaled(rv_program *program)
{
    rv_tensor_fill(rv_program_input(program, "x"), 1);
    rv_run(program);
    return rv_value(program, 0);
}

class ProgramCache : public testing::Test {
  protected:
    void TearDown() override
    {
        for (rv_program *program : held_) rv_program_free(program);
        rv_store_free(store_);
    }
    rv_program *hold(rv_program *program)
    {
        held_.push_back(program);
        return program;
    }
    rv_store *store_ = rv_store_new(1);
    std::vector<rv_program *> held_;
};

TEST_F(ProgramCache, GivesTheSameProgramForTheSameTape)
{
    Tape t;
    const rv_var y = rv_tanh(t.input("x", RV_SHAPE(3)));
    Program first(t, {y}), second(t, {y});
    EXPECT_EQ(static_cast<rv_program *>(first), static_cast<rv_program *>(second));
}

TEST_F(ProgramCache, GivesTheSameProgramForAnEqualTape)
{
    rv_program *first = hold(compile_scaled(store_, 2));
    EXPECT_EQ(hold(compile_scaled(store_, 2)), first);
    EXPECT_EQ(run_scaled(first), 2);
}

TEST_F(ProgramCache, GivesAnotherForWhateverDiffers)
{
    rv_program *first = hold(compile_scaled(store_, 2));
    EXPECT_NE(hold(compile_scaled(store_, 3)), first);
    EXPECT_NE(hold(compile_scaled(store_, 2, RV_F32)), first);
    EXPECT_NE(hold(compile_scaled(store_, 2, RV_F64, RV_VALUES)), first);
    rv_store *other = rv_store_new(1);
    rv_program *elsewhere = compile_scaled(other, 2);
    EXPECT_NE(elsewhere, first);
    rv_program_free(elsewhere);
    rv_store_free(other);
}

TEST_F(ProgramCache, SeesOutputsTheirOrderInputsAndAssignments)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3)), w = t.parameter("w", RV_SHAPE(3)), a = rv_tanh(x),
                 b = rv_exp(x);
    std::vector<Program> programs;
    programs.emplace_back(t, std::vector<rv_var>{a});
    programs.emplace_back(t, std::vector<rv_var>{b});
    programs.emplace_back(t, std::vector<rv_var>{a, b});
    programs.emplace_back(t, std::vector<rv_var>{b, a});
    programs.emplace_back(t, std::vector<rv_var>{a, a});
    programs.emplace_back(t, std::vector<rv_var>{});
    rv_assign(w, a);
    programs.emplace_back(t, std::vector<rv_var>{a});
    t.input("another", RV_SHAPE(2));
    programs.emplace_back(t, std::vector<rv_var>{a});
    for (size_t i = 0; i < programs.size(); i++)
        for (size_t j = 0; j < i; j++)
            EXPECT_NE(static_cast<rv_program *>(programs[i]),
                      static_cast<rv_program *>(programs[j]))
                << i << " and " << j;
    EXPECT_NE(rv_program_input(programs.back(), "another"), nullptr);
}

TEST_F(ProgramCache, IgnoresWhatTheProgramDoesNotNeed)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(3)), y = rv_tanh(x);
    Program first(t, {y});
    rv_exp(rv_square(x)); /* recorded, and neither an output nor an effect */
    Program second(t, {y});
    EXPECT_EQ(static_cast<rv_program *>(first), static_cast<rv_program *>(second));
}

TEST_F(ProgramCache, KeepsTheMostRecentlyUsed)
{
    rv_program *kept = hold(compile_scaled(store_, -1)),
               *dropped = hold(compile_scaled(store_, -2));
    for (int i = 0; i < 2 * RV_PROGRAM_CACHE_SIZE; i++) {
        hold(compile_scaled(store_, 1 + i));
        EXPECT_EQ(hold(compile_scaled(store_, -1)), kept) << "used all the time";
    }
    EXPECT_NE(hold(compile_scaled(store_, -2)), dropped) << "made room";
    for (int i = RV_PROGRAM_CACHE_SIZE + 2; i < 2 * RV_PROGRAM_CACHE_SIZE; i++)
        EXPECT_EQ(hold(compile_scaled(store_, 1 + i)), held_[static_cast<size_t>(2 + 2 * i)]);
    EXPECT_EQ(run_scaled(dropped), -2) << "what a user holds stays, kept by the cache or not";
}

TEST_F(ProgramCache, IsBounded)
{
    for (int i = 0; i < 300; i++) hold(compile_scaled(store_, i + 2));
    int found = 0;
    for (int i = 0; i < 300; i++) {
        rv_program *again = hold(compile_scaled(store_, i + 2));
        found += again == held_[static_cast<size_t>(i)];
    }
    EXPECT_EQ(found, 0) << "in this order each is asked for just after it made room";
}

TEST_F(ProgramCache, ProgramsMayBeFreedInAnyOrder)
{
    std::vector<rv_program *> programs;
    for (int i = 0; i < 200; i++) programs.push_back(compile_scaled(store_, i % 100));
    std::shuffle(programs.begin(), programs.end(), std::mt19937(7));
    for (size_t i = 0; i < 150; i++) rv_program_free(programs[i]);
    for (size_t i = 150; i < 200; i++) EXPECT_FALSE(std::isnan(run_scaled(programs[i])));
    for (int i = 0; i < 100; i++) EXPECT_EQ(run_scaled(hold(compile_scaled(store_, i))), i);
    for (size_t i = 150; i < 200; i++) rv_program_free(programs[i]);
}

TEST_F(ProgramCache, AFailedCompilationIsNotKept)
{
    Tape t;
    const rv_var y = rv_tanh(t.input("x", RV_SHAPE(2)));
    rv_reshape(y, RV_SHAPE(3));
    EXPECT_EQ(rv_compile(t, &y, 1), nullptr);
    rv_tape *again = rv_tape_new(t.store(), RV_F64);
    const rv_var z = rv_tanh(rv_input(again, "x", RV_SHAPE(2)));
    Program p(again, {z});
    EXPECT_NE(static_cast<rv_program *>(p), nullptr);
    rv_tape_free(again);
}

} // namespace
