/* The main job, with every single allocation failing, including those of the libraries that it
 * uses. */
#include "tests/failing_memory.h"

#include "tests/files.h"
#include "tests/trust/main_job.h"

extern "C" int fsync(int) { return 0; } /* thousands of real ones would take too long */

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int64_t stride = 7; /* ten times slower under a sanitizer */
#else
constexpr int64_t stride = 1;
#endif

class MainJob : public WithFolder {
  protected:
    /* Each allocation fails in turn, alone or with all later ones, until the job completes. */
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
        EXPECT_LE(survived, 2) << "only caching a program can fail without an error";
    }
};

TEST_F(MainJob, SurvivesOneFailedAllocation) { sweep(false); }

TEST_F(MainJob, SurvivesWhenAllLaterAllocationsFail) { sweep(true); }

} // namespace
