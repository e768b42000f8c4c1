/* Every system call by which the library reads and writes fails once. Linked with --wrap for
 * each. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "data/npz.h"
#include "data/files.h"
#include "data/loader.h"
#include "lang/lang.h"
#include "tensor/checkpoint.h"
#include "tensor/file_internal.h"
#include "tests/files.h"
#include "tests/tensor/stores.h"
#include "train/config.h"

extern "C" {
#include "tensor/memory.h"
#include "train/trainer/folder_lock.h"
#include "train/trainer/inputs.h"
}

namespace {

thread_local int64_t calls = 0, failing = -1; /* index of the call that fails; -1: none */
thread_local int64_t bytes_read = 0;
int reason = EIO;
bool small_steps = false; /* every read and write is interrupted once, then transfers three bytes */

bool fails()
{
    const bool now = calls++ == failing;
    if (now) errno = reason;
    return now;
}

/* How many of `size` bytes to transfer; -1: interrupted. */
ssize_t step(size_t size)
{
    static bool interrupted = false;
    if (!small_steps) return static_cast<ssize_t>(size);
    if ((interrupted = !interrupted)) return errno = EINTR, -1;
    return static_cast<ssize_t>(std::min<size_t>(size, 3));
}

} // namespace

extern "C" {
int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode)
{
    return fails() ? -1 : __real_open(path, flags, mode);
}

int __real_close(int file);
int __wrap_close(int file)
{
    const bool failed = fails();
    const int result = __real_close(file); /* the descriptor is closed even on failure */
    if (failed) errno = reason;
    return failed ? -1 : result;
}

ssize_t __real_read(int file, void *bytes, size_t size);
ssize_t __wrap_read(int file, void *bytes, size_t size)
{
    const ssize_t most = fails() ? -1 : step(size);
    bytes_read += most;
    return most < 0 ? -1 : __real_read(file, bytes, static_cast<size_t>(most));
}

ssize_t __real_pread(int file, void *bytes, size_t size, off_t at);
ssize_t __wrap_pread(int file, void *bytes, size_t size, off_t at)
{
    const ssize_t most = fails() ? -1 : step(size);
    bytes_read += most;
    return most < 0 ? -1 : __real_pread(file, bytes, static_cast<size_t>(most), at);
}

ssize_t __real_write(int file, const void *bytes, size_t size);
ssize_t __wrap_write(int file, const void *bytes, size_t size)
{
    const ssize_t most = fails() ? -1 : step(size);
    return most < 0 ? -1 : __real_write(file, bytes, static_cast<size_t>(most));
}

int __real_fsync(int file);
int __wrap_fsync(int file) { return fails() ? -1 : __real_fsync(file); }

int __real_fchmod(int file, mode_t mode);
int __wrap_fchmod(int file, mode_t mode) { return fails() ? -1 : __real_fchmod(file, mode); }

int __real_fstat(int file, struct stat *status);
int __wrap_fstat(int file, struct stat *status)
{
    return fails() ? -1 : __real_fstat(file, status);
}

ssize_t __real_pwrite(int file, const void *bytes, size_t size, off_t at);
ssize_t __wrap_pwrite(int file, const void *bytes, size_t size, off_t at)
{
    return fails() ? -1 : __real_pwrite(file, bytes, size, at);
}

int __real_ftruncate(int file, off_t size);
int __wrap_ftruncate(int file, off_t size) { return fails() ? -1 : __real_ftruncate(file, size); }

int __real_flock(int file, int operation);
int __wrap_flock(int file, int operation) { return fails() ? -1 : __real_flock(file, operation); }

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
    return fails() ? -1 : __real_rename(from, to);
}
}

namespace {

using Work = std::function<bool(rv_error *)>;

class FailingIo : public WithFolder {
  protected:
    void TearDown() override
    {
        small_steps = false;
        WithFolder::TearDown();
    }

    /* `work` writes "file". A failing call must lead to an error and leave the old file, or the new
     * one if only the last fsync of the folder failed. Nothing else may remain. */
    void sweep_writing(const Work &work)
    {
        rv_error error = {};
        spit(path("file"), "old");
        ASSERT_TRUE(work(&error)) << error.text;
        const std::string fresh = slurp(path("file"));
        for (const char *before : {"old", ""})
            for (const int why : {EIO, ENOSPC, EDQUOT, EROFS}) sweep(work, why, before, fresh);
    }

    void sweep_reading(const Work &work)
    {
        rv_error error = {};
        small_steps = true;
        EXPECT_TRUE(work(&error)) << error.text;
        small_steps = false;
        int64_t survived = 0;
        const int64_t most = count(work);
        for (int64_t n = 0; n < most; n++) {
            const bool ok = attempt(work, n, EIO, &error);
            survived += ok;
            EXPECT_EQ(error.code, ok ? RV_OK : RV_ERROR_IO) << n << ": " << error.text;
            EXPECT_EQ(says(error, "Input/output error"), !ok) << error.text;
        }
        EXPECT_LE(survived, closes_) << "only closing a file that was read may fail";
    }

    int64_t closes_ = 1;

    static bool attempt(const Work &work, int64_t n, int why, rv_error *error)
    {
        *error = {};
        calls = 0;
        reason = why;
        failing = n;
        const bool ok = work(error);
        failing = -1;
        return ok;
    }

  private:
    static int64_t count(const Work &work)
    {
        rv_error error = {};
        calls = 0;
        EXPECT_TRUE(work(&error)) << error.text;
        return calls;
    }

    void sweep(const Work &work, int why, const std::string &before, const std::string &fresh)
    {
        const auto prepare = [&] {
            std::filesystem::remove(path("file"));
            if (!before.empty()) spit(path("file"), before);
        };
        prepare();
        const int64_t most = count(work);
        ASSERT_GT(most, 5);
        for (int64_t n = 0; n < most; n++) {
            SCOPED_TRACE(n);
            prepare();
            rv_error error = {};
            const bool ok = attempt(work, n, why, &error);
            if (ok) { /* the folder was only read: a failing close has no effect */
                EXPECT_EQ(n, most - 1);
                continue;
            }
            EXPECT_EQ(error.code, RV_ERROR_IO);
            EXPECT_TRUE(says(error, path("file").c_str())) << error.text;
            EXPECT_TRUE(says(error, strerror(why))) << error.text;
            EXPECT_EQ(slurp(path("file")), says(error, "power failure") ? fresh : before)
                << error.text;
            EXPECT_EQ(listing().size(), slurp(path("file")).empty() ? 0u : 1u);
        }
        prepare();
        rv_error error = {};
        small_steps = true;
        EXPECT_TRUE(work(&error)) << error.text;
        small_steps = false;
        EXPECT_EQ(slurp(path("file")), fresh);
    }
};

TEST_F(FailingIo, FilesAreWrittenAtomically)
{
    sweep_writing([&](rv_error *error) {
        const rv_bytes slices[] = {{"some ", 5}, {"bytes", 5}};
        return rv_file_write(path("file").c_str(), slices, 2, error);
    });
}

/* Files that belong together are all old or all new, unless a rename fails after the first, which
 * the error says. */
TEST_F(FailingIo, FilesAreWrittenTogether)
{
    const std::string names[] = {path("a"), path("b"), path("c")};
    const rv_bytes fresh = {"new", 3};
    rv_new_file files[3];
    for (int i = 0; i < 3; i++) files[i] = {names[i].c_str(), &fresh, 1};
    const Work work = [&](rv_error *error) { return rv_files_write(files, 3, error); };
    int64_t mixed = 0, most = 1;
    rv_error error = {};
    for (int64_t n = -1; n < most; n++) {
        for (const std::string &name : names) spit(name, "old");
        const bool ok = attempt(work, n, EIO, &error);
        int64_t written = 0;
        for (const std::string &name : names) written += slurp(name) == "new";
        EXPECT_EQ(error.code, ok ? RV_OK : RV_ERROR_IO) << n;
        if (n < 0) most = calls;
        if (ok || says(error, "power failure")) {
            EXPECT_EQ(written, 3) << n << ": " << error.text;
        }
        mixed += written % 3 != 0;
        EXPECT_EQ(says(error, "; the files before it are written"), written % 3 != 0) << error.text;
        EXPECT_EQ(listing().size(), 3u) << n;
    }
    EXPECT_GT(most, 15);
    EXPECT_EQ(mixed, 2) << "the second rename, and the third";
}

TEST_F(FailingIo, CheckpointsAreWrittenAtomically)
{
    Store store;
    store.get("w", RV_SHAPE(3, 4));
    store.get("m", RV_SHAPE(3), RV_STATE);
    sweep_writing(
        [&](rv_error *error) { return rv_store_save(store, path("file").c_str(), error); });
}

TEST_F(FailingIo, ArchivesAreWrittenAtomically)
{
    rv_tensor numbers = {};
    ASSERT_TRUE(rv_tensor_new(&numbers, RV_F32, RV_SHAPE(5), nullptr));
    rv_named_tensor named = {"numbers", numbers};
    const rv_archive archive = {&named, 1, nullptr, 0};
    sweep_writing(
        [&](rv_error *error) { return rv_npz_write(path("file").c_str(), &archive, error); });
    rv_tensor_free(&numbers);
}

TEST_F(FailingIo, AFailedLoadChangesNothing)
{
    rv_error error = {};
    Store saved, store(2);
    saved.get("w", RV_SHAPE(3, 4));
    rv_entry *w = store.get("w", RV_SHAPE(3, 4));
    ASSERT_TRUE(rv_store_save(saved, path("file").c_str(), &error)) << error.text;
    sweep_reading([&](rv_error *why) {
        rv_tensor_fill(&w->tensor, 7);
        const std::string before = contents(store);
        const bool ok = rv_store_load(store, path("file").c_str(), why);
        EXPECT_EQ(contents(store), ok ? contents(saved) : before);
        return ok;
    });
}

TEST_F(FailingIo, SourcesReportReadErrors)
{
    const std::string csv = file("csv", "1,2,0\n3,4,1\n"),
                      images =
                          file("images", std::string("\0\0\x08\x02\0\0\0\2\0\0\0\3abcdef", 18)),
                      labels = file("labels", std::string("\0\0\x08\x01\0\0\0\2\0\1", 10));
    const auto reads = [](rv_source *source, rv_error *error) {
        float x[3];
        int32_t y, length;
        const bool ok = rv_source_read(source, 0, 0, x, &y, &length, error) &&
                        rv_source_read(source, 0, 1, x, &y, &length, error);
        EXPECT_EQ(ok ? y : 1, 1);
        rv_source_close(source);
        return ok;
    };
    sweep_reading([&](rv_error *error) {
        rv_source source;
        return rv_source_csv(&source, csv.c_str(), nullptr, error) && reads(&source, error);
    });
    for (const uint64_t cache : {1, 1 << 20}) { /* streamed; cached */
        closes_ = 2;
        sweep_reading([&](rv_error *error) {
            rv_file_options options = {};
            options.cache_bytes = cache;
            options.classes = 2;
            rv_source source;
            return rv_source_idx(&source, images.c_str(), labels.c_str(), &options, error) &&
                   reads(&source, error);
        });
    }
}

TEST_F(FailingIo, TheFilesOfARunAreRecordedOrItIsAnError)
{
    const std::string data = file("x.csv", std::string(70000, '1')), run = path("run");
    ASSERT_TRUE(std::filesystem::create_directory(run));
    rv_train_config config = rv_train_config_new();
    config.data.path = data.c_str();
    std::string record;
    sweep_reading([&](rv_error *error) {
        char *text = rv_inputs_json(&config, run.c_str(), error);
        if (text && record.empty()) record = text; /* in small steps */
        EXPECT_TRUE(!text || record == text) << text;
        rv_free(text);
        return text != nullptr;
    });
    EXPECT_NE(record.find("70000"), std::string::npos) << record;
}

/* Whatever call fails: the folder is locked, or there is an error and it is not. */
TEST_F(FailingIo, AFolderIsLockedOrItIsAnError)
{
    const std::string folder = path("run");
    ASSERT_TRUE(std::filesystem::create_directory(folder));
    rv_folder_lock *held = nullptr, *second = nullptr;
    const Work take = [&](rv_error *error) {
        return (held = rv_folder_lock_take(folder.c_str(), error)) != nullptr;
    };
    int64_t errors = 0;
    for (const int why : {EIO, EACCES, EROFS, ENOSPC, ENOLCK, EINTR})
        for (int64_t n = 0; n < 12; n++) {
            SCOPED_TRACE(testing::Message() << n << ": " << strerror(why));
            rv_error error = {};
            const bool ok = attempt(take, n, why, &error);
            errors += !ok;
            if (ok) {
                second = rv_folder_lock_take(folder.c_str(), &error);
                const bool unlocked = why == ENOLCK && second; /* a file system without locks */
                EXPECT_EQ(error.code, unlocked ? RV_OK : RV_ERROR_BUSY) << error.text;
                rv_folder_unlock(second);
                rv_folder_unlock(held);
            } else {
                EXPECT_EQ(error.code, RV_ERROR_IO);
                EXPECT_TRUE(says(error, folder.c_str())) << error.text;
                EXPECT_TRUE(says(error, strerror(why))) << error.text;
                EXPECT_TRUE(take(&error));
                rv_folder_unlock(held);
            }
            EXPECT_TRUE(std::filesystem::is_empty(folder));
        }
    EXPECT_GE(errors, 4 * 2) << "open and flock";
}

TEST_F(FailingIo, AStreamedFileCanBeDeletedButNotTruncated)
{
    const std::string images =
                          file("images", std::string("\0\0\x08\x02\0\0\0\2\0\0\0\3abcdef", 18)),
                      labels = file("labels", std::string("\0\0\x08\x01\0\0\0\2\0\1", 10));
    rv_file_options options = {};
    options.cache_bytes = 1;
    options.classes = 2;
    const rv_loader_options loading = {1, 1, true, false, false, 1};
    rv_error error = {};
    rv_source source;
    ASSERT_TRUE(rv_source_idx(&source, images.c_str(), labels.c_str(), &options, &error));
    std::filesystem::remove(labels);
    rv_loader *loader = rv_loader_new(&source, &loading, &error);
    EXPECT_NE(rv_loader_next(loader, &error), nullptr) << error.text;
    std::filesystem::resize_file(images, 14);
    EXPECT_TRUE(rv_loader_start(loader, 1, 0, &error));
    EXPECT_EQ(rv_loader_next(loader, &error), nullptr);
    EXPECT_EQ(error.code, RV_ERROR_FORMAT);
    EXPECT_TRUE(says(error, images.c_str())) << error.text;
    EXPECT_EQ(rv_loader_next(loader, &error), nullptr) << "without waiting for more";
    rv_loader_free(loader);
    rv_source_close(&source);
}

/* Files of 5 GB that hold nothing, given where a file with another content is expected. */
TEST_F(FailingIo, FilesThatAreTooLargeOrNotOfTheFormatAreNotRead)
{
    const std::string huge = file("huge", ""), includes = file("main.rv", "include \"huge\"\n"),
                      y = file("y", std::string("\0\0\x08\x01\0\0\0\2\0\1", 10));
    std::filesystem::resize_file(huge, 5000000000);
    const char *path = huge.c_str();
    Store store;
    const std::pair<const char *, Work> readers[] = {
        {"text", [&](rv_error *e) { return rv_lang_load(path, nullptr, e) != nullptr; }},
        {"include",
         [&](rv_error *e) { return rv_lang_load(includes.c_str(), nullptr, e) != nullptr; }},
        {"configuration",
         [&](rv_error *e) {
             rv_train_config config = rv_train_config_new();
             return rv_train_config_read(&config, path, e);
         }},
        {"checkpoint", [&](rv_error *e) { return rv_store_load(store, path, e); }},
        {"arrays",
         [&](rv_error *e) {
             rv_archive archive;
             return rv_npz_read(path, 0, &archive, e);
         }},
        {"csv",
         [&](rv_error *e) {
             rv_source source;
             return rv_source_csv(&source, path, nullptr, e);
         }},
        {"npz",
         [&](rv_error *e) {
             rv_source source;
             return rv_source_npz(&source, path, nullptr, e);
         }},
        {"npy",
         [&](rv_error *e) {
             rv_source source;
             return rv_source_npy(&source, path, y.c_str(), nullptr, e);
         }},
        {"idx",
         [&](rv_error *e) {
             rv_source source;
             return rv_source_idx(&source, path, y.c_str(), nullptr, e);
         }},
    };
    for (const auto &[what, read] : readers) {
        rv_error error = {};
        bytes_read = 0;
        EXPECT_FALSE(read(&error)) << what;
        EXPECT_LE(bytes_read, 100000) << what;
        EXPECT_TRUE(says(error, "huge")) << what << ": " << error.text;
    }
}

} // namespace
