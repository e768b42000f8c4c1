/* A program's own allocator serves all allocations of the library, and all are released. */
#include "tests/failing_memory.h"

#include <map>
#include <mutex>

#include "tests/files.h"
#include "tests/trust/main_job.h"

namespace {

std::mutex mutex;
std::map<void *, size_t> held;
int64_t taken = 0;

using OwnMemory = WithFolder;

} // namespace

void *rv_memory_allocate(size_t bytes)
{
    EXPECT_GT(bytes, 0u);
    void *memory = operator new(bytes);
    memset(memory, 0, bytes);
    const std::lock_guard<std::mutex> lock(mutex);
    held[memory] = bytes;
    taken++;
    return memory;
}

void rv_memory_release(void *memory, size_t bytes)
{
    const std::lock_guard<std::mutex> lock(mutex);
    const auto at = held.find(memory);
    ASSERT_NE(at, held.end());
    EXPECT_EQ(at->second, bytes);
    held.erase(at);
    operator delete(memory);
}

namespace {

TEST_F(OwnMemory, ServesTheMainJob)
{
    const Job job = do_main_job(path("checkpoint"));
    EXPECT_TRUE(job.done) << job.error.text;
    EXPECT_GT(taken, 1000);
    EXPECT_TRUE(held.empty()) << held.size();
}

TEST_F(OwnMemory, ServesAllOfRecordingCompilingAndRunning)
{
    Trainer run(1);
    rv_error error = {};
    const int64_t before = calls;
    ASSERT_TRUE(run.compile(&error)) << error.text;
    EXPECT_EQ(calls, before) << "the C library was called";
}

TEST_F(OwnMemory, ServesLargeBlocksToo)
{
    void *memory = rv_alloc(1, 8 << 20);
    EXPECT_EQ(held.size(), 1u);
    rv_free(memory);
    EXPECT_TRUE(held.empty());
}

} // namespace
