/* What running costs: no allocation at all, and little more memory than is alive at once (invariant
 * 6). */
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <functional>

#include "tests/autograd/nets.h"
#include "tests/sanitized.h"

/* ---- counting every allocation of the process, but where a sanitizer does ---- */

static std::atomic<int64_t> allocations{0};

#if defined(__GLIBC__) && !SANITIZED
#define COUNTED 1
extern "C" {
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) noexcept
{
    allocations++;
    return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) noexcept
{
    allocations++;
    return __libc_calloc(count, size);
}
void *realloc(void *memory, size_t size) noexcept
{
    allocations++;
    return __libc_realloc(memory, size);
}
void *memalign(size_t alignment, size_t size) noexcept
{
    allocations++;
    return __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) noexcept
{
    allocations++;
    return __libc_memalign(alignment, size);
}
int posix_memalign(void **memory, size_t alignment, size_t size) noexcept
{
    allocations++;
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}
}
#endif

namespace {

/* Allocations while a program runs a few times on changing inputs. */
int64_t allocations_of(rv_program *program)
{
    for (int run = 0; run < 3; run++) {
        for (const char *name : {"x", "y"}) {
            rv_tensor *input = rv_program_input(program, name);
            if (input) rv_init_fill(input, rv_init_uniform(0, 1), static_cast<uint64_t>(run));
        }
        const int64_t before = allocations;
        rv_run(program);
        if (allocations != before) return allocations - before;
    }
    return 0;
}

class RunAllocates : public testing::Test {
  protected:
    void SetUp() override
    {
#ifndef COUNTED
        GTEST_SKIP() << "allocations cannot be counted here";
#endif
        const int64_t before = allocations;
        void *volatile plain =
            malloc(1000); /* volatile: a compiler may do without what nobody reads */
        void *volatile aligned = aligned_alloc(64, 640);
        std::string *volatile text = new std::string(100, 'x');
        free(plain);
        free(aligned);
        delete text;
        ASSERT_GE(allocations - before, 4) << "the count counts";
    }
};

TEST_F(RunAllocates, NothingInAWholeTrainingStep)
{
    for (const rv_dtype dtype : {RV_F32, RV_F64})
        for (const unsigned flags :
             {+RV_DEFAULT, RV_EFFECTS | RV_REFERENCE, +RV_EFFECTS, RV_DEFAULT | RV_CUT}) {
            Tape t(dtype);
            EXPECT_TRUE(rv_set_threads(t.store(), flags & RV_CUT ? 2 : 1, nullptr));
            const rv_var loss = gated_net(t, 8, 3);
            ASSERT_TRUE(rv_minimize(loss, rv_adam(1e-3))) << t.error();
            Program p(t, {loss}, flags);
            EXPECT_EQ(allocations_of(p), 0) << rv_dtype_name(dtype) << ", flags " << flags;
        }
}

TEST_F(RunAllocates, NothingForLargeProductsAndConvolutions)
{
    Tape t(RV_F32);
    const rv_var loss = layered_net(t, 300, 2, 257);
    ASSERT_TRUE(rv_minimize(loss, rv_momentum(0.1, 0.9))) << t.error();
    EXPECT_EQ(allocations_of(Program(t, {loss})), 0);
    Tape u(RV_F32);
    const rv_var image = rv_input(u, "x", RV_SHAPE(8, 16, 32, 32));
    const rv_var w = u.parameter("w", RV_SHAPE(32, 16, 5, 5));
    const rv_var y = rv_mean(rv_square(rv_conv2d(image, w, {})), RV_ALL_AXES, false);
    Program p(u, {y, gradient(y, w), gradient(y, image)});
    EXPECT_EQ(allocations_of(p), 0);
}

TEST_F(RunAllocates, NothingForAnyOpsSamples)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(4, 6, 6)), y = t.input("y", RV_SHAPE(4, 6, 6));
    const int64_t ones[] = {1, 1, 1}, start[] = {0, 1, 2}, size[] = {2, 2, 4};
    const rv_var both[] = {x, y, x};
    const rv_var mixed[] = {rv_softmax(x, 1),
                            rv_max(y, 5, true),
                            rv_transpose(x, nullptr),
                            rv_pad(y, ones, ones, ones),
                            rv_slice(x, start, size, nullptr),
                            rv_concat(both, 3, 1),
                            rv_flip(y, 5),
                            rv_matmul(x, y, true, true),
                            rv_cast(rv_cast(x, RV_F32), RV_I32),
                            rv_clamp(x, -1, 1),
                            rv_one_hot(rv_reshape(y, RV_SHAPE(-1)), 7)};
    rv_var loss = rv_scalar(t, 0);
    for (const rv_var m : mixed)
        loss = rv_add(loss, rv_mean(rv_square(rv_cast(m, RV_F64)), RV_ALL_AXES, false));
    ASSERT_EQ(t.code(), RV_OK) << t.error();
    Program p(t, {loss, gradient(loss, x), gradient(loss, y)});
    EXPECT_EQ(allocations_of(p), 0);
}

/* ---- memory ---- */

rv_program_stats train(const std::function<rv_var(rv_tape *)> &net, unsigned flags = RV_DEFAULT)
{
    Tape t(RV_F32);
    const rv_var loss = net(t);
    EXPECT_TRUE(rv_minimize(loss, rv_adam(1e-3))) << t.error();
    return Program(t, {loss}, flags).stats();
}

rv_program_stats evaluate(const std::function<rv_var(rv_tape *)> &net)
{
    Tape t(RV_F32);
    return Program(t, {net(t)}, RV_VALUES).stats();
}

auto gated(int steps, int64_t batch = 32, int64_t channels = 4)
{
    return [=](rv_tape *tape) { return gated_net(tape, batch, steps, channels); };
}

auto layered(int layers, int64_t units)
{
    return [=](rv_tape *tape) { return layered_net(tape, 64, layers, units); };
}

TEST(RunMemory, IsLittleMoreThanIsAliveAtOnce)
{
    for (const auto &stats :
         {train(gated(1)), train(gated(2)), train(gated(8)), train(gated(30)),
          train(gated(8, 1, 1)), train(gated(2, 32, 16)), train(gated(16, 1, 16)),
          evaluate(gated(8)), train(layered(2, 34)), train(layered(6, 100)), train(layered(12, 16)),
          evaluate(layered(6, 100))}) {
        EXPECT_GE(stats.arena_bytes, stats.live_bytes);
        EXPECT_LE(static_cast<double>(stats.arena_bytes),
                  1.1 * static_cast<double>(stats.live_bytes));
    }
}

TEST(RunMemory, GrowsLinearlyWithTheStepsOfTraining)
{
    const auto bytes = [](int steps) {
        return static_cast<double>(train(gated(steps)).arena_bytes);
    };
    const double eight = bytes(8), sixteen = bytes(16), thirty_two = bytes(32);
    EXPECT_GT(sixteen, eight);
    EXPECT_NEAR((thirty_two - sixteen) / (sixteen - eight), 2, 0.1);
}

TEST(RunMemory, DoesNotGrowWithTheStepsOfEvaluation)
{
    EXPECT_EQ(evaluate(gated(32)).arena_bytes, evaluate(gated(8)).arena_bytes);
}

TEST(RunMemory, IsLessForEachPass)
{
    const size_t none = train(gated(8), RV_EFFECTS).arena_bytes,
                 reused = train(gated(8), RV_EFFECTS | RV_REUSE).live_bytes,
                 in_place = train(gated(8), RV_EFFECTS | RV_REUSE | RV_IN_PLACE).live_bytes,
                 unfused = train(gated(8), RV_DEFAULT & ~RV_FUSE).live_bytes,
                 all = train(gated(8)).live_bytes; /* the arena is hardly larger: see above */
    EXPECT_LT(reused, none / 2);
    EXPECT_LE(in_place, reused);
    EXPECT_LE(unfused, in_place);
    EXPECT_LE(all, in_place + in_place / 10) << "a group gives its inputs back at its end";
}

/* Differences that are read much later: each is kept, not the two it is of. */
TEST(RunMemory, IsNotSpentOnWaiting)
{
    Tape t;
    const rv_var v = t.parameter("v", RV_SHAPE(64, 64)), w = t.parameter("w", RV_SHAPE(64, 64));
    const auto times = [](rv_var x, rv_var by) { return rv_matmul(x, by, false, false); };
    rv_var h = t.input("x", RV_SHAPE(64, 64));
    std::vector<rv_var> late;
    for (int i = 0; i < 8; i++) {
        h = rv_tanh(times(h, w));
        late.push_back(rv_subtract(times(h, v), times(h, w)));
    }
    for (; !late.empty(); late.pop_back()) h = rv_add(times(h, w), late.back());
    const size_t fused = Program(t, {h}, RV_VALUES).stats().live_bytes,
                 apart = Program(t, {h}, RV_VALUES & ~RV_FUSE).stats().live_bytes;
    EXPECT_LE(fused, apart + apart / 10);
}

TEST(RunMemory, InstructionsGrowLinearlyWithTheSteps)
{
    const auto count = [](int steps) { return train(gated(steps)).instructions; };
    EXPECT_EQ(count(24) - count(16), count(16) - count(8));
    EXPECT_LE(count(3) - count(2), 40) << "a step, there and back";
}

} // namespace
