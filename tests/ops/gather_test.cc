/* Rows by index: indices outside the table, several indices of one row, and the embedding layer. */
#include <cmath>

#include "tests/tapes.h"

namespace {

TEST(Gather, OutsideTheTableThereAreZeros)
{
    for (const rv_dtype dtype : {RV_F32, RV_F64, RV_I32}) {
        Tape tape;
        const rv_var x = tape.constant(RV_SHAPE(2, 2), {1, 2, 3, 4}, dtype),
                     at = rv_input_typed(tape, "at", RV_I32, RV_SHAPE(5));
        Program program(tape, {rv_gather(x, at)});
        program.set("at", {1, -1, 2, INT32_MIN, INT32_MAX}).run();
        EXPECT_EQ(program.values(), (Values{3, 4, 0, 0, 0, 0, 0, 0, 0, 0}));
    }
}

TEST(ScatterAdd, LeavesOutWhatIsOutside)
{
    Tape tape;
    const rv_var y = tape.input("y", RV_SHAPE(5)),
                 at = rv_input_typed(tape, "at", RV_I32, RV_SHAPE(5));
    Program program(tape, {rv_scatter_add(y, at, 3)});
    program.set("y", {1, 2, 4, 8, 16}).set("at", {1, -1, 3, 1, INT32_MAX}).run();
    EXPECT_EQ(program.values(), (Values{0, 9, 0}));
}

/* 2^24 + 1 + 1 is 2^24 in f32 when added one by one, and is not in the other order. */
TEST(ScatterAdd, AddsInOrder)
{
    Tape tape(RV_F32);
    const rv_var y = tape.input("y", RV_SHAPE(3)),
                 at = rv_input_typed(tape, "at", RV_I32, RV_SHAPE(3));
    Program program(tape, {rv_scatter_add(y, at, 1)});
    program.set("at", {0, 0, 0}).set("y", {16777216, 1, 1}).run();
    EXPECT_EQ(program.value(), 16777216);
    program.set("y", {1, 1, 16777216}).run();
    EXPECT_EQ(program.value(), 16777218);
}

TEST(Embedding, IsRowsOfItsParameterAndLearns)
{
    Tape tape;
    const rv_var tokens = rv_input_typed(tape, "tokens", RV_I32, RV_SHAPE(2, 3)),
                 e = rv_embedding(tokens, "words", 1000, 16),
                 table = rv_embedding(tokens, "words", 1000, 16);
    EXPECT_TRUE(rv_shape_equal(rv_shape_of(e), RV_SHAPE(2, 3, 16)));
    EXPECT_TRUE(same(e, table));
    const rv_var words = rv_parameter(tape, "words", RV_SHAPE(1000, 16), rv_init_constant(0));
    Program program(tape, {e, gradient(total(e), words)});
    program.set("tokens", {5, 6, 5, 7, 5, 999}).run();
    const Values all = values_of(tape.stored("words"));
    EXPECT_EQ(program.values(0)[0], all[size_t{5} * 16]);
    EXPECT_EQ(program.values(1)[size_t{5} * 16], 3);
    EXPECT_EQ(program.values(1)[size_t{8} * 16], 0);
    double squares = 0;
    for (const double w : all) squares += w * w;
    EXPECT_NEAR(squares / 1000, 1, 0.05); /* a row's length */
}

} // namespace
