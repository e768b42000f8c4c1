/* Whole files. Writing goes to a temporary file beside the target, and a rename replaces the target
 * in one step. */
#include "tensor/file_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"

static bool fail_system(rv_error *error, const char *what, const char *path, int reason)
{
    return rv_fail(error, RV_ERROR_IO, "cannot %s \"%s\": %s", what, path, rv_reason(reason));
}

/* Reads up to `size` bytes. Returns their number, or -1 with errno. */
static ptrdiff_t read_all(int descriptor, unsigned char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(descriptor, bytes + done, size - done);
        if (got == 0) break;
        if (got < 0 && errno != EINTR) return -1;
        done += got > 0 ? (size_t)got : 0;
    }
    return (ptrdiff_t)done;
}

static bool read_descriptor(int descriptor, const char *path, unsigned char **bytes, size_t *size,
                            rv_error *error)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        return fail_system(error, "read", path, errno);
    }
    if (!S_ISREG(status.st_mode)) {
        return rv_fail(error, RV_ERROR_IO, "cannot read \"%s\": it is not a regular file", path);
    }
    if (status.st_size < 0 || (uintmax_t)status.st_size >= PTRDIFF_MAX) {
        return rv_fail(error, RV_ERROR_IO, "cannot read \"%s\": it is larger than memory", path);
    }
    size_t expected = (size_t)status.st_size;
    unsigned char *content = rv_alloc(expected + 1, 1);
    if (!content) {
        return rv_fail(error, RV_ERROR_MEMORY, "out of memory for the %zu byte(s) of \"%s\"",
                       expected, path);
    }
    ptrdiff_t got = read_all(descriptor, content, expected);
    if (got < 0) {
        int reason = errno;
        rv_free(content);
        return fail_system(error, "read", path, reason);
    }
    if ((size_t)got != expected) {
        rv_free(content);
        return rv_fail(error, RV_ERROR_IO, "\"%s\" shrank from %zu to %td bytes while it was read",
                       path, expected, got);
    }
    *bytes = content;
    *size = expected;
    return true;
}

bool rv_file_read(const char *path, unsigned char **bytes, size_t *size, rv_error *error)
{
    *bytes = NULL;
    *size = 0;
    /* O_NONBLOCK: opening a pipe must not block before it is refused below. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return fail_system(error, "read", path, errno);
    bool ok = read_descriptor(descriptor, path, bytes, size, error);
    close(descriptor);
    return ok;
}

/* Opens the folder of `path`, for fsync. */
static int open_folder(const char *path, rv_error *error)
{
    char *folder = rv_string_copy(path);
    if (!folder) {
        rv_fail_memory(error);
        return -1;
    }
    char *slash = strrchr(folder, '/');
    if (slash) {
        slash[slash == folder ? 1 : 0] = '\0';
    }
    int descriptor = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        fail_system(error, "open the folder of", path, errno);
    }
    rv_free(folder);
    return descriptor;
}

/* Creates a new file; *name becomes its name, to be freed by rv_free. O_EXCL with a predictable
 * name instead of mkstemp, so that the umask applies. */
static int open_temporary(const char *path, mode_t mode, char **name, rv_error *error)
{
    enum { ATTEMPTS = 1000 };
    size_t room = strlen(path) + 48;
    char *text = rv_alloc(room, 1);
    if (!text) {
        rv_fail_memory(error);
        return -1;
    }
    int descriptor = -1;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        snprintf(text, room, "%s.%ld-%d.tmp", path, (long)getpid(), attempt);
        descriptor = open(text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (descriptor >= 0 || errno != EEXIST) break;
    }
    if (descriptor < 0) {
        fail_system(error, "write", path, errno);
        rv_free(text);
        return -1;
    }
    *name = text;
    return descriptor;
}

static bool write_all(int descriptor, const rv_bytes *slices, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const unsigned char *bytes = slices[i].bytes;
        for (size_t done = 0; done < slices[i].size;) {
            ssize_t wrote = write(descriptor, bytes + done, slices[i].size - done);
            if (wrote < 0 && errno != EINTR) return false;
            done += wrote > 0 ? (size_t)wrote : 0;
        }
    }
    return true;
}

/* Writes, syncs and closes. Returns an errno, or 0. */
static int fill(int descriptor, const struct stat *old, const rv_bytes *slices, size_t count)
{
    int reason = 0;
    if ((old && fchmod(descriptor, old->st_mode & 07777) != 0) ||
        !write_all(descriptor, slices, count) || fsync(descriptor) != 0) {
        reason = errno;
    }
    if (close(descriptor) != 0 && reason == 0) {
        reason = errno;
    }
    return reason;
}

static bool replace(const char *path, int folder, const rv_bytes *slices, size_t count,
                    rv_error *error)
{
    struct stat old;
    bool exists = stat(path, &old) == 0;
    if (exists && !S_ISREG(old.st_mode)) {
        return rv_fail(error, RV_ERROR_IO, "cannot write \"%s\": it is not a regular file", path);
    }
    char *temporary;
    int descriptor = open_temporary(path, exists ? 0600 : 0666, &temporary, error);
    if (descriptor < 0) return false;
    int reason = fill(descriptor, exists ? &old : NULL, slices, count);
    if (reason == 0 && rename(temporary, path) != 0) {
        reason = errno;
    }
    if (reason != 0) {
        unlink(temporary);
    }
    rv_free(temporary);
    if (reason != 0) return fail_system(error, "write", path, reason);
    /* Some file systems cannot sync a folder and fail with EINVAL. */
    if (fsync(folder) != 0 && errno != EINVAL) {
        return fail_system(error, "make sure that a power failure preserves the newly written",
                           path, errno);
    }
    return true;
}

bool rv_file_write(const char *path, const rv_bytes *slices, size_t count, rv_error *error)
{
    int folder = open_folder(path, error);
    if (folder < 0) return false;
    bool ok = replace(path, folder, slices, count, error);
    close(folder);
    return ok;
}
