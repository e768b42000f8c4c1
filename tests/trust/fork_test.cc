/* A child process uses and frees what its parent made, although the parent's threads do not exist
 * in it. */
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "recurve.h"
#include "tests/tapes.h"

namespace {

/* Calls `work` in a child process; returns whether it returned true in time. */
template <class Work> bool in_child(const Work &work)
{
    const pid_t child = fork();
    if (child == 0) {
        alarm(30);
        _exit(work() ? 0 : 1);
    }
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

class Fork : public testing::Test {
  protected:
    void SetUp() override
    {
#if defined(__SANITIZE_THREAD__)
        GTEST_SKIP() << "the sanitizer supports no threads after a fork";
#elif defined(__SANITIZE_ADDRESS__)
        GTEST_SKIP()
            << "the sanitizer's allocator may be locked in the child, by a thread of the parent";
#endif
    }
};

TEST_F(Fork, AChildRunsAndFreesProgramsOfManyThreads)
{
    rv_store *store = rv_store_new(1);
    ASSERT_TRUE(rv_set_threads(store, 4, nullptr));
    rv_tape *tape = rv_tape_new(store, RV_F64);
    const rv_var w = rv_parameter(tape, "w", RV_SHAPE(64, 64), rv_init_uniform(-1, 1));
    const rv_var y = total(rv_square(rv_matmul(w, w, false, true)));
    rv_program *program = rv_compile_with(tape, &y, 1, RV_DEFAULT | RV_CUT);
    ASSERT_NE(program, nullptr) << rv_tape_error(tape)->text;
    ASSERT_EQ(rv_program_statistics(program).threads, 4);
    ASSERT_EQ(rv_run(program), RV_OK);
    const double want = rv_value(program, 0);

    EXPECT_TRUE(in_child([&] {
        const bool ran = rv_run(program) == RV_OK && rv_value(program, 0) == want;
        rv_program_free(program);
        rv_tape_free(tape);
        rv_store_free(store);
        return ran;
    }));
    EXPECT_TRUE(in_child([&] { // without a run
        rv_program_free(program);
        rv_tape_free(tape);
        rv_store_free(store);
        return true;
    }));
    EXPECT_EQ(rv_run(program), RV_OK);
    EXPECT_EQ(rv_value(program, 0), want);
    rv_program_free(program);
    rv_tape_free(tape);
    rv_store_free(store);
}

TEST_F(Fork, AChildReadsTheRestOfAnEpoch)
{
    rv_source digits;
    ASSERT_TRUE(rv_source_digits(&digits, nullptr, 0, nullptr));
    rv_loader_options options = {};
    options.batch_size = 100;
    options.prefetch = 3;
    rv_loader *loader = rv_loader_new(&digits, &options, nullptr);
    const rv_batch *batch = rv_loader_next(loader, nullptr);
    ASSERT_NE(batch, nullptr);

    EXPECT_TRUE(in_child([&] {
        rv_loader_options alone = options;
        alone.prefetch = 0;
        rv_loader *other = rv_loader_new(&digits, &alone, nullptr);
        rv_loader_next(other, nullptr);
        bool same = true;
        for (int64_t i = 1; i < rv_loader_batches(loader); i++) {
            const rv_batch *mine = rv_loader_next(loader, nullptr),
                           *theirs = rv_loader_next(other, nullptr);
            same = same && mine && theirs && bytes_of(mine->x) == bytes_of(theirs->x);
        }
        same = same && !rv_loader_next(loader, nullptr);
        rv_loader_free(other);
        rv_loader_free(loader);
        return same;
    }));
    rv_loader_free(loader);
    rv_source_close(&digits);
}

} // namespace
