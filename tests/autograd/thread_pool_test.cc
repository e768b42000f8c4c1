/* Lanes and turns: each turn once, in order and behind its barrier, whichever thread runs it. */
#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <vector>

extern "C" {
#include "autograd/program/thread_pool.h"
}

namespace {

struct Lanes {
    std::vector<rv_turn> turns;
    std::vector<std::atomic<int64_t>> done; /* turns of each lane */
    std::atomic<int> wrong{0}, taken_over{0};

    Lanes(int lanes, int64_t count) : turns(static_cast<size_t>(count)), done(lanes)
    {
        for (int64_t i = 0; i < count; i++) {
            turns[i] = {};
            turns[i].waits = i % 3 == 1;
            turns[i].first = i;
            turns[i].nanoseconds = i % 7 * 10000;
        }
    }

    static void run(void *self, int lane, const rv_turn *turn, int thread)
    {
        auto &l = *static_cast<Lanes *>(self);
        bool right = l.done[lane] == turn->first;
        for (auto &other : l.done) right = right && (!turn->waits || other >= turn->first);
        for (volatile int i = 0; i < 500; i = i + 1) continue;
        l.wrong += !right;
        l.taken_over += thread != lane;
        l.done[lane]++;
    }

    bool run_on(rv_thread_pool *pool)
    {
        for (auto &count : done) count = 0;
        const rv_job job = {turns.data(), static_cast<int64_t>(turns.size()), run, this};
        rv_thread_pool_run(pool, &job);
        for (auto &count : done) wrong += count != static_cast<int64_t>(turns.size());
        return wrong == 0;
    }
};

void run_jobs(int threads, int jobs, int *taken_over = nullptr)
{
    rv_thread_pool *pool = rv_thread_pool_new(threads);
    ASSERT_NE(pool, nullptr);
    Lanes some(threads, 40), one(threads, 1), none(threads, 0);
    for (int i = 0; i < jobs; i++)
        for (Lanes *job : {&some, &one, &none}) ASSERT_TRUE(job->run_on(pool)) << threads;
    if (taken_over) *taken_over = some.taken_over;
    rv_thread_pool_free(pool);
}

TEST(ThreadPool, RunsEachTurnOnceInOrderAndBehindItsBarrier)
{
    for (const int threads : {2, 3, 8}) run_jobs(threads, 100);
    run_jobs(RV_MOST_THREADS, 2);
}

/* With one core, a worker rarely runs while the caller looks for work. */
TEST(ThreadPool, TakesOverTheLaneOfAThreadThatDoesNotRun)
{
    cpu_set_t all, one;
    ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++)
        if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    int taken_over = 0;
    run_jobs(2, 50, &taken_over);
    EXPECT_EQ(sched_setaffinity(0, sizeof all, &all), 0);
    EXPECT_GT(taken_over, 50 * 40 / 2);
}

} // namespace
