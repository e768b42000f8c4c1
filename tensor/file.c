/* Writing goes to a temporary file beside the target, and a rename replaces the target
 * in one step. */
#include "tensor/file_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tensor/memory.h"
#include "tensor/text_internal.h"

static bool fail_system(rv_error *error, const char *what, const char *path, int reason)
{
    return rv_fail(error, RV_ERROR_IO, "cannot %s \"%s\": %s", what, path, rv_reason(reason));
}

/* ---- reading ---- */

static bool check_file(rv_file *file, rv_error *error)
{
    struct stat status;
    if (fstat(file->descriptor, &status) != 0) return fail_system(error, "read", file->path, errno);
    if (!S_ISREG(status.st_mode))
        return rv_fail(error, RV_ERROR_IO, "cannot read \"%s\": it is %s; expected a regular file",
                       file->path, S_ISDIR(status.st_mode) ? "a folder" : "a pipe or a device");
    if (status.st_size < 0 || (uintmax_t)status.st_size >= PTRDIFF_MAX)
        return rv_fail(error, RV_ERROR_IO, "cannot read \"%s\": it is larger than memory",
                       file->path);
    file->size = (size_t)status.st_size;
    return true;
}

bool rv_file_open(rv_file *file, const char *path, rv_error *error)
{
    /* O_NONBLOCK: opening a pipe must not block before it is refused. */
    *file = (rv_file){.path = path, .descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (file->descriptor < 0) return fail_system(error, "read", path, errno);
    if (check_file(file, error)) return true;
    rv_file_close(file);
    return false;
}

bool rv_file_open_from(rv_file *file, const rv_content *from, rv_error *error)
{
    if (!from->bytes) return rv_file_open(file, from->path, error);
    *file = (rv_file){.path = from->path,
                      .descriptor = -1,
                      .size = from->size,
                      .bytes = from->bytes,
                      .end = from->bytes + from->size};
    return true;
}

void rv_file_close(rv_file *file)
{
    if (file->descriptor >= 0) close(file->descriptor);
    file->descriptor = -1;
}

/* Reads up to `size` bytes. Returns their number, or -1 with errno. */
static ptrdiff_t read_all(rv_file *file, unsigned char *bytes, size_t size)
{
    size_t done = 0;
    if (file->bytes) {
        const size_t left = (size_t)(file->end - file->bytes);
        done = size < left ? size : left;
        memcpy(bytes, file->bytes, done);
        file->bytes += done;
        return (ptrdiff_t)done;
    }
    while (done < size) {
        ssize_t got = read(file->descriptor, bytes + done, size - done);
        if (got == 0) break;
        if (got < 0 && errno != EINTR) return -1;
        done += got > 0 ? (size_t)got : 0;
    }
    return (ptrdiff_t)done;
}

bool rv_file_next(rv_file *file, void *bytes, size_t size, rv_error *error)
{
    const ptrdiff_t got = read_all(file, bytes, size);
    if (got < 0) return fail_system(error, "read", file->path, errno);
    return (size_t)got == size ||
           rv_fail(error, RV_ERROR_IO,
                   "\"%s\" shrank from %zu byte(s) while it was read; try again", file->path,
                   file->size);
}

bool rv_file_end(rv_file *file, rv_error *error)
{
    unsigned char beyond;
    const ptrdiff_t got = read_all(file, &beyond, 1);
    if (got < 0) return fail_system(error, "read", file->path, errno);
    return got == 0 || rv_fail(error, RV_ERROR_IO,
                               "\"%s\" has more than the %zu byte(s) that it had when it was "
                               "opened; read a copy of it",
                               file->path, file->size);
}

static bool read_file(rv_file *file, size_t most, unsigned char **bytes, rv_error *error)
{
    if (file->size > most)
        return rv_fail(error, RV_ERROR_FORMAT, "\"%s\" has %zu byte(s); expected at most %zu",
                       file->path, file->size, most);
    unsigned char *content = rv_alloc(file->size + 1, 1);
    if (!content)
        return rv_fail(error, RV_ERROR_MEMORY, "out of memory for the %zu byte(s) of \"%s\"",
                       file->size, file->path);
    if (rv_file_next(file, content, file->size, error) && rv_file_end(file, error)) {
        *bytes = content;
        return true;
    }
    rv_free(content);
    return false;
}

bool rv_file_read(const char *path, size_t most, unsigned char **bytes, size_t *size,
                  rv_error *error)
{
    rv_file file;
    *bytes = NULL;
    *size = 0;
    if (!rv_file_open(&file, path, error)) return false;
    bool ok = read_file(&file, most, bytes, error);
    if (ok) *size = file.size;
    rv_file_close(&file);
    return ok;
}

bool rv_file_refuse_folder(const char *path, const char *expected, rv_error *error)
{
    struct stat status;
    return stat(path, &status) != 0 || !S_ISDIR(status.st_mode) ||
           rv_fail(error, RV_ERROR_IO, "\"%.500s\" is a folder; expected %s", path, expected);
}

_Static_assert(RV_FILE_PATH >= PATH_MAX, "realpath writes so many characters");

bool rv_file_resolve(const char *path, char real[RV_FILE_PATH]) { return realpath(path, real); }

/* ---- writing ---- */

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

/* A file that has been written under another name. */
typedef struct draft {
    const char *path;
    char *real; /* the path, if a link led there */
    char *temporary;
    int folder;
} draft;

/* The file that a link names is replaced, not the link, which may be /dev/stdout. */
static bool follow_link(draft *d, rv_error *error)
{
    struct stat found;
    char real[RV_FILE_PATH];
    if (lstat(d->path, &found) != 0 || !S_ISLNK(found.st_mode)) return true;
    if (!rv_file_resolve(d->path, real)) return fail_system(error, "write", d->path, errno);
    d->path = d->real = rv_string_copy(real);
    return d->real || rv_fail_memory(error);
}

static bool write_draft(draft *d, const rv_new_file *file, rv_error *error)
{
    struct stat old;
    const bool exists = stat(file->path, &old) == 0;
    *d = (draft){.path = file->path, .folder = -1};
    if (exists && !S_ISREG(old.st_mode))
        return rv_fail(error, RV_ERROR_IO, "cannot write \"%s\": it is not a regular file",
                       file->path);
    if (!follow_link(d, error) || (d->folder = open_folder(d->path, error)) < 0) return false;
    const int descriptor = open_temporary(d->path, exists ? 0600 : 0666, &d->temporary, error);
    if (descriptor < 0) return false;
    const int reason = fill(descriptor, exists ? &old : NULL, file->slices, file->count);
    return reason == 0 || fail_system(error, "write", file->path, reason);
}

/* `others`: how many of the files written together have their names already. */
static bool rename_draft(draft *d, size_t others, rv_error *error)
{
    if (rename(d->temporary, d->path) != 0)
        return rv_fail(error, RV_ERROR_IO, "cannot write \"%s\": %s%s", d->path, rv_reason(errno),
                       others > 0 ? "; the files before it are written" : "");
    rv_free(d->temporary);
    d->temporary = NULL;
    return true;
}

static bool sync_folder(const draft *d, rv_error *error)
{
    /* Some file systems cannot sync a folder and fail with EINVAL. */
    return fsync(d->folder) == 0 || errno == EINVAL ||
           fail_system(error, "make sure that a power failure preserves the newly written", d->path,
                       errno);
}

static void drop_draft(draft *d)
{
    if (d->temporary) unlink(d->temporary);
    rv_free(d->temporary);
    rv_free(d->real);
    if (d->folder >= 0) close(d->folder);
}

bool rv_files_write(const rv_new_file *files, size_t count, rv_error *error)
{
    draft drafts[RV_NEW_FILES];
    size_t written = 0;
    bool ok = count <= RV_NEW_FILES ||
              rv_fail(error, RV_ERROR_LIMIT, "%zu file(s) at once, expected at most %d", count,
                      RV_NEW_FILES);
    while (ok && written < count) {
        ok = write_draft(&drafts[written], &files[written], error);
        written++;
    }
    for (size_t i = 0; ok && i < count; i++) ok = rename_draft(&drafts[i], i, error);
    for (size_t i = 0; ok && i < count; i++) ok = sync_folder(&drafts[i], error);
    for (size_t i = 0; i < written; i++) drop_draft(&drafts[i]);
    return ok;
}

bool rv_file_write(const char *path, const rv_bytes *slices, size_t count, rv_error *error)
{
    return rv_files_write(&(rv_new_file){path, slices, count}, 1, error);
}
