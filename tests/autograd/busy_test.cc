/* A store that two threads use at once says so, and nothing comes to harm. */
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "autograd/anomaly.h"
#include "autograd/gradcheck.h"
#include "autograd/profile.h"
#include "tensor/checkpoint.h"
#include "tests/autograd/custom_ops.h"
#include "tests/tapes.h"

namespace {

/* An op whose kernel stays at work until it is let go. */
struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool reached = false, open = false;
    void pass()
    {
        std::unique_lock<std::mutex> lock(mutex);
        reached = true;
        changed.notify_all();
        changed.wait(lock, [this] { return open; });
    }
    void wait_until_reached()
    {
        std::unique_lock<std::mutex> lock(mutex);
        changed.wait(lock, [this] { return reached; });
    }
    void let_go()
    {
        std::unique_lock<std::mutex> lock(mutex);
        open = true;
        changed.notify_all();
    }
} gate;

const rv_op &slow_op()
{
    static const rv_op op = [] {
        rv_op made = cube_op("slow", nullptr);
        made.reference = [](const rv_call *c) {
            gate.pass();
            cube_reference(c);
        };
        return made;
    }();
    return op;
}

TEST(Busy, IsWhatAStoreSaysThatAnotherThreadUses)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2));
    t.parameter("w", RV_SHAPE(2));
    Program slow(t, {record(slow_op(), x)}), other(t, {rv_exp(x)}, RV_CHECKED);
    slow.set("x", {2, 3});
    std::thread runner([&] { EXPECT_EQ(rv_run(slow), RV_OK); });
    gate.wait_until_reached();

    rv_error error = {};
    rv_span spans[8];
    const std::string path = testing::TempDir() + "/busy.safetensors";
    EXPECT_EQ(rv_run(slow), RV_ERROR_BUSY);
    EXPECT_EQ(rv_run(other), RV_ERROR_BUSY);
    EXPECT_EQ(rv_run_timed(other, spans), RV_ERROR_BUSY);
    EXPECT_EQ(rv_run_checked(other, nullptr, &error), RV_ERROR_BUSY);
    EXPECT_STREQ(error.text, "the store is in use by another thread; give each thread a store, or "
                             "let one wait for the other");
    EXPECT_FALSE(rv_store_save(t.store(), path.c_str(), nullptr));
    EXPECT_NE(access(path.c_str(), F_OK), 0);
    EXPECT_FALSE(rv_store_load(t.store(), path.c_str(), nullptr));
    for (const int threads : {1, 2}) EXPECT_FALSE(rv_set_threads(t.store(), threads, nullptr));

    gate.let_go();
    runner.join();
    EXPECT_EQ(slow.values(), (Values{8, 27}));
    EXPECT_EQ(rv_run_timed(other, spans), RV_OK);
    EXPECT_EQ(rv_run(other), RV_OK);
    EXPECT_TRUE(rv_store_save(t.store(), path.c_str(), nullptr));
}

TEST(Busy, CompilingIsAStickyErrorAndLeavesTheStoreFree)
{
    Tape t;
    const rv_var x = t.input("x", RV_SHAPE(2)), y = rv_exp(x);
    rv_gradcheck_result result;
    rv_error taken;
    ASSERT_TRUE(rv_store_enter(t.store(), nullptr));
    EXPECT_EQ(rv_compile(t, &y, 1), nullptr);
    EXPECT_EQ(t.code(), RV_ERROR_BUSY);
    EXPECT_TRUE(rv_tape_take_error(t, &taken));
    EXPECT_FALSE(rv_gradcheck(total(y), &x, 1, nullptr, &result));
    EXPECT_EQ(t.code(), RV_ERROR_BUSY);
    EXPECT_TRUE(rv_tape_take_error(t, &taken));
    rv_store_leave(t.store());
    EXPECT_TRUE(rv_gradcheck(total(y), &x, 1, nullptr, &result)) << result.reason;
    EXPECT_EQ(rv_run(Program(t, {y})), RV_OK);
}

} // namespace
