/* The main job with memory that is out at any moment, for the library and for all that it stands on. */
#include "tests/failing_memory.h"

#include "tests/files.h"
#include "tests/trust/main_job.h"

extern "C" int fsync(int) { return 0; } /* thousands of times the disk would be waited for */

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int64_t stride = 7; /* a tenth as fast */
#else
constexpr int64_t stride = 1;
#endif

class MainJob : public WithFolder {
  protected:
    /* One allocation after the other fails, alone or with all that follow it, until the job gets by without. */
    void sweep(bool all)
    {
        const std::string checkpoint = path("checkpoint");
        const Job want = do_main_job(checkpoint);
        ASSERT_TRUE(want.done) << want.error.text;
        const std::string fresh = slurp(checkpoint), old = "the checkpoint before";

        const int64_t live_before = live;
        int64_t survived = 0;
        bool reached = true;
        and_all_after = all;
        for (int64_t n = 0; reached; n += stride) {
            SCOPED_TRACE(n);
            spit(checkpoint, old);
            calls = 0;
            failing = n;
            const Job job = do_main_job(checkpoint);
            reached = calls > n;
            failing = -1;
            survived += reached && job.done;
            ASSERT_EQ(job.error.code, job.done ? RV_OK : RV_ERROR_MEMORY) << job.error.text;
            ASSERT_EQ(job.end, job.done ? want.end : "");
            const std::string file = slurp(checkpoint);
            ASSERT_TRUE(file == fresh || (file == old && job.saved.empty())) << file.size();
            ASSERT_EQ(listing(), std::vector<std::string>{"checkpoint"});
            ASSERT_EQ(live, live_before);
        }
        ASSERT_GT(calls, 1000);
        EXPECT_LE(survived, 2) << "only a program that is not cached can do without";
    }
};

TEST_F(MainJob, WithOneAllocationThatFails) { sweep(false); }

TEST_F(MainJob, WithMemoryThatStaysOut) { sweep(true); }

} // namespace
