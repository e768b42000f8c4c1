/* Linked with --wrap=rv_file_write, because a file in memory cannot be replaced by rename. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tensor/file_internal.h"

bool __wrap_rv_file_write(const char *path, const rv_bytes *slices, size_t count, rv_error *error);

void expect(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "fuzz: %s\n", what);
    abort();
}

void expect_told(bool ok, const rv_error *error)
{
    expect(ok == (error->code == RV_OK), "the result contradicts the error");
    expect(ok == (*error->text == '\0'), "an error without a text");
}

void expect_memory(size_t most)
{
    if (memory_peak() <= most + FUZZ_CONSTANT) return;
    fprintf(stderr, "fuzz: %zu bytes are taken, not at most %zu and %d\n", memory_peak(), most,
            (int)FUZZ_CONSTANT);
    abort();
}

static void put(int descriptor, const rv_bytes *slices, size_t count)
{
    expect(ftruncate(descriptor, 0) == 0, "a file cannot be emptied");
    off_t at = 0;
    for (size_t i = 0; i < count; at += (off_t)slices[i++].size)
        expect(pwrite(descriptor, slices[i].bytes, slices[i].size, at) == (ssize_t)slices[i].size,
               "a file cannot be written");
}

const char *file_of(int file, const void *bytes, size_t size)
{
    static struct {
        int descriptor;
        char path[32];
    } files[FUZZ_FILES];
    if (*files[file].path == '\0') {
        files[file].descriptor = memfd_create("fuzz", 0);
        snprintf(files[file].path, sizeof files->path, "/proc/self/fd/%d", files[file].descriptor);
    }
    put(files[file].descriptor, &(rv_bytes){bytes, size}, 1);
    return files[file].path;
}

bool __wrap_rv_file_write(const char *path, const rv_bytes *slices, size_t count, rv_error *error)
{
    int descriptor = open(path, O_WRONLY);
    if (descriptor < 0) return rv_fail(error, RV_ERROR_IO, "%s: cannot be opened", path);
    put(descriptor, slices, count);
    close(descriptor);
    return true;
}
