/* Programs on several threads: the same bits, no allocation of a run, and errors for numbers that
 * make no sense. */
#include <gtest/gtest.h>

#include <cfenv>
#include <thread>

#include "lang/zoo.h"
#include "models/models.h"
#include "optim/optim.h"
#include "tests/tapes.h"

extern "C" {
#include "autograd/program/program.h"
}

namespace {

/* The digest of a model's parameters after a few steps on a batch. */
std::string train(const rv_model *model, int threads, unsigned flags, int *used = nullptr)
{
    Tape t(RV_F32, 7);
    EXPECT_TRUE(rv_set_threads(t.store(), threads, nullptr));
    rv_net_options options = {};
    options.rnn.units = model->record ? 1 : 5;
    options.rnn.bias = true;
    options.hidden = 34;
    options.classes = 2;
    rv_var x = model->images || model->kernel ? rv_input(t, "x", RV_SHAPE(19, 1, 8, 8))
                                              : rv_input(t, "x", RV_SHAPE(19, 64));
    rv_var loss =
        rv_model_record(model, &options, x, rv_input_typed(t, "y", RV_I32, RV_SHAPE(19))).loss;
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
        if (!model->step) continue;
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

/* An LSTM's training step on a batch of 32 sequences. */
struct Lstm {
    static constexpr int steps = 12;
    Tape t{RV_F32, 7};
    rv_program *program = nullptr;
    explicit Lstm(int threads)
    {
        EXPECT_TRUE(rv_set_threads(t.store(), threads, nullptr));
        rv_rnn_options options = {};
        options.units = 64;
        options.bias = true;
        const rv_var x = t.input("x", RV_SHAPE(32, steps, 32));
        const rv_var h = rv_unroll_sequence(rv_zoo("lstm"), x, options, nullptr);
        rv_var loss = rv_mean_squared_error(h, t.input("y", RV_SHAPE(32, 64)));
        rv_minimize(loss, rv_adam(1e-2));
        program = rv_compile(t, &loss, 1);
        EXPECT_NE(program, nullptr);
        rv_init_fill(rv_program_input(program, "x"), rv_init_uniform(-1, 1), 1);
    }
    ~Lstm() { rv_program_free(program); }
};

/* A program on two threads tries one. */
TEST(Threads, ChangeNoBitWhenTheirNumberDoes)
{
    std::string digests[2];
    for (const int threads : {1, 2}) {
        Lstm net(threads);
        ASSERT_EQ(rv_program_statistics(net.program).threads, threads);
        for (int run = 0; run < 2 * RV_PACE_RUNS + 1; run++) ASSERT_EQ(rv_run(net.program), RV_OK);
        EXPECT_EQ(net.program->pace.seconds[1] > 0, threads == 2);
        char digest[RV_DIGEST_TEXT];
        digests[threads - 1] = rv_store_digest(net.t.store(), digest);
    }
    EXPECT_EQ(digests[0], digests[1]);
}

/* Forward, each thread has rows of its own; backward, cotangents are handed over together. */
TEST(Threads, MeetRarely)
{
    Lstm net(2);
    int64_t barriers = 0;
    for (int64_t i = 0; i < net.program->count; i++) barriers += net.program->barrier[i];
    EXPECT_GT(barriers, Lstm::steps);
    EXPECT_LT(barriers, 6 * Lstm::steps);
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

TEST(Threads, GiveSumsOfVanishingProductsTheSameSign)
{
    std::string one;
    for (const int threads : {1, 2, 3}) {
        Tape t(RV_F64, 1);
        EXPECT_TRUE(rv_set_threads(t.store(), threads, nullptr));
        const rv_var a = t.input("a", RV_SHAPE(3, 64)), b = t.input("b", RV_SHAPE(64, 64));
        Program p(t, {rv_matmul(a, b, false, true)}, RV_DEFAULT | RV_CUT);
        rv_init_fill(rv_program_input(p, "a"), rv_init_constant(1e-200), 1);
        rv_init_fill(rv_program_input(p, "b"), rv_init_constant(-1e-200), 1);
        p.run();
        EXPECT_EQ(p.stats().threads, threads);
        if (threads == 1) one = p.bytes();
        EXPECT_EQ(p.bytes(), one) << threads;
    }
}

TEST(Threads, RoundAsTheCallerDoes)
{
    Sum one(1 << 16, 1), two(1 << 16, 2);
    Program alone(one.t, {one.y}), shared(two.t, {two.y});
    EXPECT_EQ(shared.stats().threads, 2);
    for (const int rounding : {FE_UPWARD, FE_DOWNWARD, FE_TONEAREST}) {
        fesetround(rounding);
        for (Program *p : {&alone, &shared}) {
            rv_init_fill(rv_program_input(*p, "x"), rv_init_uniform(-1, 1), 5);
            p->run();
        }
        EXPECT_EQ(alone.bytes(), shared.bytes()) << rounding;
    }
}

TEST(Threads, OfSeveralStoresWorkAtTheSameTime)
{
    const auto learn = [](std::string *seen) {
        for (int i = 0; i < 3; i++) *seen += train(rv_model_find("curnn"), 2, RV_DEFAULT | RV_CUT);
    };
    std::string seen[3];
    std::vector<std::thread> callers;
    for (std::string &s : seen) callers.emplace_back(learn, &s);
    for (std::thread &caller : callers) caller.join();
    EXPECT_EQ(seen[0], seen[1]);
    EXPECT_EQ(seen[0], seen[2]);
}

TEST(Threads, AreOneAtFirstAndAtMostSixtyFour)
{
    rv_store *store = rv_store_new(1);
    rv_error error = {};
    EXPECT_EQ(rv_threads(store), 1);
    EXPECT_EQ(rv_threads(nullptr), 1);
    EXPECT_FALSE(rv_set_threads(store, 0, &error));
    EXPECT_STREQ(error.text, "threads: got 0, expected 1 to 64");
    EXPECT_FALSE(rv_set_threads(store, 65, nullptr));
    rv_error none = {};
    EXPECT_FALSE(rv_set_threads(nullptr, 2, &none));
    EXPECT_STREQ(none.text, "threads: no store; check what made it");
    EXPECT_TRUE(rv_set_threads(store, 4, nullptr));
    EXPECT_EQ(rv_threads(store), 4);
    rv_store_free(store);
}

/* y = x - mean(x): every part reads all of x, so none may write over it. */
void center(const rv_call *c)
{
    const float *x = static_cast<const float *>(c->in[0]);
    const int64_t n = rv_shape_count(c->out_type.shape);
    int64_t first, end;
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i];
    rv_call_range(c, n, &first, &end);
    for (int64_t i = first; i < end; i++)
        static_cast<float *>(c->out)[i] = x[i] - static_cast<float>(sum / static_cast<double>(n));
}

TEST(Threads, LeaveWholeAnOpWhosePartsMightOverwriteEachOthersInput)
{
    rv_op op = {};
    op.name = "center";
    op.args = "x";
    op.formula = "y = x - mean(x)";
    op.inputs = 1;
    op.in_place = 1;
    op.infer = [](rv_inference *i) {
        i->out = i->in[0];
        return true;
    };
    op.select = [](rv_call *c) -> rv_kernel {
        c->most_parts = rv_shape_count(c->out_type.shape);
        return center;
    };
    Values y[2];
    for (const int threads : {1, 2}) {
        Tape t(RV_F32, 1);
        EXPECT_TRUE(rv_set_threads(t.store(), threads, nullptr));
        const rv_var x = rv_exp(t.input("x", RV_SHAPE(1 << 18)));
        Program p(t, {rv_record(t, &op, nullptr, 0, &x, 1)});
        rv_init_fill(rv_program_input(p, "x"), rv_init_uniform(-1, 1), 5);
        y[threads - 1] = p.run().values();
    }
    EXPECT_EQ(y[0], y[1]);
}

} // namespace
