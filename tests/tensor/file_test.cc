/* Whole files: reading, and atomic writing. */
#include "tensor/file_internal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "tensor/memory.h"
#include "tests/files.h"

namespace {

using File = WithFolder;
using Names = std::vector<std::string>;

constexpr size_t MOST = 1 << 20;

bool write_text(const std::string &path, const std::string &text, rv_error *error)
{
    const rv_bytes slice = {text.data(), text.size()};
    return rv_file_write(path.c_str(), &slice, 1, error);
}

rv_error read_failure(const std::string &path)
{
    rv_error error = {};
    unsigned char *bytes;
    size_t size;
    EXPECT_FALSE(rv_file_read(path.c_str(), MOST, &bytes, &size, &error));
    EXPECT_EQ(bytes, nullptr);
    EXPECT_NE(std::string(error.text).find(path), std::string::npos) << error.text;
    return error;
}

TEST_F(File, ReadsWhatItWrote)
{
    const std::string first("a\0b", 3), second(100000, 'x');
    const rv_bytes slices[] = {
        {first.data(), first.size()}, {nullptr, 0}, {second.data(), second.size()}};
    rv_error error = {};
    ASSERT_TRUE(rv_file_write(path("a").c_str(), slices, 3, &error)) << error.text;
    EXPECT_EQ(slurp(path("a")), first + second);

    unsigned char *bytes;
    size_t size;
    ASSERT_TRUE(rv_file_read(path("a").c_str(), MOST, &bytes, &size, &error)) << error.text;
    EXPECT_EQ(std::string(bytes, bytes + size), first + second);
    EXPECT_EQ(bytes[size], 0) << "a NUL follows the last byte";
    rv_free(bytes);
    EXPECT_EQ(listing(), Names{"a"});
}

TEST_F(File, WritesAndReadsEmptyFiles)
{
    rv_error error = {};
    ASSERT_TRUE(rv_file_write(path("a").c_str(), nullptr, 0, &error)) << error.text;
    unsigned char *bytes;
    size_t size;
    ASSERT_TRUE(rv_file_read(path("a").c_str(), MOST, &bytes, &size, &error)) << error.text;
    EXPECT_EQ(size, 0u);
    rv_free(bytes);
}

TEST_F(File, ReadErrorsNamePathAndReason)
{
    const rv_error missing = read_failure(path("missing"));
    EXPECT_EQ(missing.code, RV_ERROR_IO);
    EXPECT_NE(std::string(missing.text).find("No such file"), std::string::npos);
}

TEST_F(File, RefusesMoreThanTheLimit)
{
    rv_error error = {};
    unsigned char *bytes;
    size_t size;
    spit(path("a"), std::string(MOST, 'x'));
    ASSERT_TRUE(rv_file_read(path("a").c_str(), MOST, &bytes, &size, &error)) << error.text;
    EXPECT_EQ(size, MOST);
    rv_free(bytes);
    spit(path("a"), std::string(MOST + 1, 'x'));
    error = read_failure(path("a"));
    EXPECT_EQ(error.code, RV_ERROR_FORMAT);
    EXPECT_NE(std::string(error.text).find("1048577 bytes; expected at most 1048576"),
              std::string::npos)
        << error.text;
}

/* Files of /proc have no size, but content. */
TEST_F(File, RefusesContentBeyondTheSize)
{
    const rv_error status = read_failure("/proc/self/status");
    EXPECT_EQ(status.code, RV_ERROR_IO);
    EXPECT_NE(std::string(status.text).find("more than the 0 bytes"), std::string::npos)
        << status.text;
}

TEST_F(File, ReadsOnlyRegularFiles)
{
    EXPECT_EQ(read_failure(path("")).code, RV_ERROR_IO);
    ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
    EXPECT_EQ(read_failure(path("pipe")).code, RV_ERROR_IO) << "without waiting for a writer";
    EXPECT_EQ(read_failure("/dev/zero").code, RV_ERROR_IO);
}

TEST_F(File, ANameWithoutAFolderIsInTheCurrentFolder)
{
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(path(""));
    rv_error error = {};
    EXPECT_TRUE(write_text("a", "text", &error)) << error.text;
    std::filesystem::current_path(before);
    EXPECT_EQ(slurp(path("a")), "text");
}

TEST_F(File, WritingReplacesTheOldContent)
{
    rv_error error = {};
    ASSERT_TRUE(write_text(path("a"), "a longer text", &error));
    ASSERT_TRUE(write_text(path("a"), "short", &error));
    EXPECT_EQ(slurp(path("a")), "short");
    EXPECT_EQ(listing(), Names{"a"});
}

TEST_F(File, WritingKeepsThePermissions)
{
    rv_error error = {};
    spit(path("a"), "old");
    ASSERT_EQ(chmod(path("a").c_str(), 0640), 0);
    ASSERT_TRUE(write_text(path("a"), "new", &error));
    struct stat status;
    ASSERT_EQ(stat(path("a").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0640u);
}

TEST_F(File, ReportsAMissingFolder)
{
    rv_error error = {};
    EXPECT_FALSE(write_text(path("missing/a"), "text", &error));
    EXPECT_EQ(error.code, RV_ERROR_IO);
    EXPECT_NE(std::string(error.text).find(path("missing/a")), std::string::npos) << error.text;
    EXPECT_EQ(listing(), Names{});
}

TEST_F(File, WritingToAReadOnlyFolderLeavesNothing)
{
    rv_error error = {};
    EXPECT_FALSE(write_text("/proc/recurve", "text", &error)) << "not even as root";
    EXPECT_EQ(error.code, RV_ERROR_IO);
    if (geteuid() == 0) return;

    error = {};
    spit(path("a"), "old");
    ASSERT_EQ(chmod(path("").c_str(), 0500), 0);
    EXPECT_FALSE(write_text(path("a"), "new", &error));
    EXPECT_EQ(error.code, RV_ERROR_IO);
    ASSERT_EQ(chmod(path("").c_str(), 0700), 0);
    EXPECT_EQ(slurp(path("a")), "old");
    EXPECT_EQ(listing(), Names{"a"});
}

TEST_F(File, RefusesToReplaceFoldersAndDevices)
{
    rv_error error = {};
    ASSERT_EQ(mkdir(path("folder").c_str(), 0700), 0);
    EXPECT_FALSE(write_text(path("folder"), "text", &error));
    EXPECT_EQ(error.code, RV_ERROR_IO);
    EXPECT_EQ(listing(), Names{"folder"});

    ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
    EXPECT_FALSE(write_text(path("pipe"), "text", nullptr));
    EXPECT_EQ(listing(), (Names{"folder", "pipe"}));
}

TEST_F(File, AFailedWriteLeavesTheOldFile)
{
    spit(path("a"), "old");
    /* A limit on the file size simulates a full disk. */
    struct rlimit before, small;
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 5000;
    auto *handler = std::signal(SIGXFSZ, SIG_IGN);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    rv_error error = {};
    const bool ok = write_text(path("a"), std::string(100000, 'x'), &error);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, handler);

    EXPECT_FALSE(ok);
    EXPECT_EQ(error.code, RV_ERROR_IO);
    EXPECT_EQ(slurp(path("a")), "old");
    EXPECT_EQ(listing(), Names{"a"});
}

/* Files that belong together are all written, or none: whichever fails, and whatever was there
 * before. */
TEST_F(File, WritesAllFilesOrNone)
{
    const std::string texts[] = {"new a", "new b", "new c"};
    const char *const names[] = {"a", "b", "c"};
    for (const bool before : {false, true})
        for (int bad = 0; bad <= 3; bad++) {
            SCOPED_TRACE(testing::Message() << before << ", " << bad);
            std::string paths[3];
            rv_bytes content[3];
            rv_new_file files[3];
            for (int i = 0; i < 3; i++) {
                std::filesystem::remove_all(path(names[i]));
                if (before) spit(path(names[i]), "old");
                paths[i] = path(names[i]);
                content[i] = {texts[i].data(), texts[i].size()};
                files[i] = {paths[i].c_str(), &content[i], 1};
            }
            if (bad < 3) {
                std::filesystem::remove(paths[bad]);
                std::filesystem::create_directory(paths[bad]);
            }
            rv_error error = {};
            EXPECT_EQ(rv_files_write(files, 3, &error), bad == 3);
            EXPECT_EQ(error.code, bad < 3 ? RV_ERROR_IO : RV_OK);
            Names left;
            for (int i = 0; i < 3; i++) {
                if (i == bad || before || bad == 3) left.push_back(names[i]);
                if (i != bad && (before || bad == 3)) {
                    EXPECT_EQ(slurp(paths[i]), bad == 3 ? texts[i] : "old");
                }
            }
            EXPECT_EQ(listing(), left);
        }
    rv_error error = {};
    EXPECT_FALSE(rv_files_write(nullptr, RV_NEW_FILES + 1, &error));
    EXPECT_EQ(error.code, RV_ERROR_LIMIT);
}

/* A link stays, also one to a file that is open, as /dev/stdout is. */
TEST_F(File, WritesWhereALinkLeads)
{
    namespace fs = std::filesystem;
    rv_error error = {};
    fs::create_directory(path("there"));
    spit(path("there/file"), "old");
    fs::create_symlink("there/file", path("link"));
    fs::create_symlink("link", path("second"));
    fs::create_symlink("there/none", path("nowhere"));
    for (const std::string &to : {path("link"), path("second"), path("open")}) {
        const int descriptor = ::open(path("there/file").c_str(), O_RDONLY | O_CLOEXEC);
        ASSERT_GE(descriptor, 0);
        if (to == path("open"))
            fs::create_symlink("/proc/self/fd/" + std::to_string(descriptor), to);
        EXPECT_TRUE(write_text(to, to, &error)) << error.text;
        EXPECT_EQ(slurp(path("there/file")), to);
        EXPECT_TRUE(fs::is_symlink(to));
        ::close(descriptor);
    }
    EXPECT_FALSE(write_text(path("nowhere"), "text", &error));
    EXPECT_EQ(error.code, RV_ERROR_IO);
    EXPECT_TRUE(fs::is_symlink(path("nowhere")));
    EXPECT_EQ(listing(), Names({"link", "nowhere", "open", "second", "there"}));
    EXPECT_EQ(std::distance(fs::directory_iterator(path("there")), fs::directory_iterator()), 1);
}

TEST_F(File, IgnoresTheTemporaryFileOfAKilledWriter)
{
    spit(path("a") + "." + std::to_string(getpid()) + "-0.tmp", "left over");
    rv_error error = {};
    EXPECT_TRUE(write_text(path("a"), "text", &error)) << error.text;
    EXPECT_EQ(slurp(path("a")), "text");
}

TEST_F(File, ConcurrentWritersLeaveOneCompleteFile)
{
    std::vector<std::thread> writers;
    for (char c : {'a', 'b', 'c', 'd'})
        writers.emplace_back([this, c] {
            for (int i = 0; i < 20; i++)
                EXPECT_TRUE(write_text(path("a"), std::string(50000, c), nullptr));
        });
    for (std::thread &writer : writers) writer.join();
    const std::string content = slurp(path("a"));
    EXPECT_EQ(content, std::string(50000, content[0]));
    EXPECT_EQ(listing(), Names{"a"});
}

} // namespace
