#include "train/trainer/folder_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"
#include "train/trainer/run_folder.h"

enum { HOLDER_TEXT = 512 };

struct rv_folder_lock {
    int descriptor;
    size_t had; /* the length of the part of the path that is not removed with it */
    char path[RV_PATH];
};

/* ---- who holds it ---- */

/* Reads up to `size` - 1 bytes and adds a NUL. */
static void read_text(int descriptor, char *text, size_t size)
{
    ssize_t got;
    do got = pread(descriptor, text, size - 1, 0);
    while (got < 0 && errno == EINTR);
    text[got > 0 ? got : 0] = '\0';
}

/* The words of this process's command line; "" where the system does not say. */
static void command_text(char text[HOLDER_TEXT])
{
    ssize_t got = 0;
    int descriptor = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) {
        do got = read(descriptor, text, HOLDER_TEXT - 1);
        while (got < 0 && errno == EINTR);
        close(descriptor);
    }
    if (got > 0 && text[got - 1] == '\0') got--;
    for (ssize_t i = 0; i < got; i++)
        if (text[i] == '\0' || text[i] == '\n') text[i] = ' ';
    text[got > 0 ? got : 0] = '\0';
}

/* "2026-11-30 00:44:33 UTC". gmtime_r would read the time zone, into memory that it keeps. The
 * equations of the calendar are those of Howard Hinnant's civil_from_days: years begin in March. */
static void put_time(rv_text *to, int64_t seconds)
{
    int64_t day = seconds / 86400 + 719468, second = seconds % 86400, era = day / 146097;
    int64_t of_era = day % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100),
            month = (5 * of_year + 2) / 153;
    rv_put(to, "%04d-%02d-%02d %02d:%02d:%02d UTC", (int)(year + 400 * era + (month >= 10)),
           (int)(month < 10 ? month + 3 : month - 9), (int)(of_year - (153 * month + 2) / 5 + 1),
           (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
}

/* "process 1234 on host since 2026-11-30 00:44:33 UTC: recurve train ..", and a newline */
static void holder_text(char text[HOLDER_TEXT])
{
    rv_text to = {text, text + HOLDER_TEXT};
    char command[HOLDER_TEXT];
    struct utsname host;
    command_text(command);
    rv_put(&to, "process %ld on %.100s since ", (long)getpid(),
           uname(&host) == 0 ? host.nodename : "?");
    put_time(&to, (int64_t)time(NULL));
    rv_put(&to, ": %.300s\n", command);
}

/* Its failure does no harm: the text only informs people. */
static void write_holder(int descriptor)
{
    char text[HOLDER_TEXT];
    holder_text(text);
    if (ftruncate(descriptor, 0) == 0 && pwrite(descriptor, text, strlen(text), 0) < 0) return;
}

/* ---- the lock ---- */

/* Whether the path still names the open file. */
static bool is_file_at(int descriptor, const char *path)
{
    struct stat opened, named;
    return fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

static bool fail_busy(int descriptor, const char *folder, rv_error *error)
{
    char holder[HOLDER_TEXT];
    read_text(descriptor, holder, sizeof holder);
    holder[strcspn(holder, "\n")] = '\0';
    return rv_fail(
        error, RV_ERROR_BUSY,
        "the folder \"%.300s\" is in use by %s; wait until that run ends, or use another "
        "folder",
        folder, *holder ? holder : "another run");
}

/* Opens and locks the file. *again: its holder removed it in between. */
static bool lock_file(rv_folder_lock *lock, const char *folder, bool *again, rv_error *error)
{
    /* O_NOFOLLOW: the file is truncated. O_NONBLOCK: opening a pipe must not block. */
    lock->descriptor =
        open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (lock->descriptor < 0)
        return rv_fail(error, RV_ERROR_IO, "cannot write into the folder \"%.500s\": %s", folder,
                       rv_reason(errno));
    int failed;
    do failed = flock(lock->descriptor, LOCK_EX | LOCK_NB);
    while (failed && errno == EINTR);
    if (failed && errno == EWOULDBLOCK) return fail_busy(lock->descriptor, folder, error);
    bool unsupported = failed && (errno == ENOSYS || errno == EOPNOTSUPP || errno == ENOLCK);
    if (failed && !unsupported)
        return rv_fail(error, RV_ERROR_IO, "cannot lock \"%.500s\": %s", lock->path,
                       rv_reason(errno));
    *again = !is_file_at(lock->descriptor, lock->path);
    return true;
}

rv_folder_lock *rv_folder_lock_take(const char *folder, rv_error *error)
{
    enum { ATTEMPTS = 100 };
    rv_folder_lock *lock = rv_alloc(1, sizeof *lock);
    if (!lock) {
        rv_fail_memory(error);
        return NULL;
    }
    lock->descriptor = -1;
    lock->had = sizeof lock->path;
    bool again = true, ok = rv_run_folder_path(folder, "run.lock", lock->path, error);
    for (int attempt = 0; ok && again && attempt < ATTEMPTS; attempt++) {
        if (lock->descriptor >= 0) close(lock->descriptor);
        ok = lock_file(lock, folder, &again, error);
    }
    if (ok && again)
        ok = rv_fail(error, RV_ERROR_BUSY, "the folder \"%.300s\" is in use; try again", folder);
    if (ok) {
        write_holder(lock->descriptor);
        return lock;
    }
    if (lock->descriptor >= 0) close(lock->descriptor);
    rv_free(lock);
    return NULL;
}

void rv_folder_lock_made(rv_folder_lock *lock, size_t had) { lock->had = had; }

void rv_folder_unlock(rv_folder_lock *lock)
{
    if (!lock) return;
    /* Removed while it is locked: who opens it from now on makes a new file, and who has opened it
     * before finds that its path names another one. */
    if (is_file_at(lock->descriptor, lock->path)) unlink(lock->path);
    flock(lock->descriptor, LOCK_UN); /* also for copies of the descriptor in child processes */
    close(lock->descriptor);
    *strrchr(lock->path, '/') = '\0';
    rv_run_folder_unmake(lock->path, lock->had);
    rv_free(lock);
}
