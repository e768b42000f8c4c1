/* Reads files, and atomically writes whole ones. */
#ifndef RV_TENSOR_FILE_INTERNAL_H
#define RV_TENSOR_FILE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "tensor/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A regular file, open for reading from its start; or bytes in memory, which are read like one. */
typedef struct rv_file {
    const char *path; /* borrowed */
    int descriptor;
    size_t size;                      /* as the system states it */
    const unsigned char *bytes, *end; /* in memory: those that have not been read yet */
} rv_file;

/* The content of a file: that of `path` or, if `bytes` is not NULL, these, which messages call `path`. */
typedef struct rv_content {
    const char *path;
    const unsigned char *bytes;
    size_t size;
} rv_content;

/* Refuses folders, pipes and devices, and never blocks. RV_ERROR_IO names the path and the system's
 * reason, here and below. Close it with rv_file_close. */
bool rv_file_open(rv_file *file, const char *path, rv_error *error);
bool rv_file_open_from(rv_file *file, const rv_content *from, rv_error *error);
void rv_file_close(rv_file *file);

/* Reads the next `size` bytes. */
bool rv_file_next(rv_file *file, void *bytes, size_t size, rv_error *error);

/* Whether nothing is left. Where a file has more bytes than its size, as files of /proc do, its
 * size does not limit it. */
bool rv_file_end(rv_file *file, rv_error *error);

/* Reads a file of at most `most` bytes and appends a NUL. A larger one is refused by its size,
 * RV_ERROR_FORMAT, before any of it is read. Free *bytes with rv_free (tensor/memory.h). */
bool rv_file_read(const char *path, size_t most, unsigned char **bytes, size_t *size,
                  rv_error *error);

/* The path of an existing file without links, `.` and `..`. */
enum { RV_FILE_PATH = 4096 };
bool rv_file_resolve(const char *path, char real[RV_FILE_PATH]);

/* Fails if the path is a folder. `expected` says what belongs there. */
bool rv_file_refuse_folder(const char *path, const char *expected, rv_error *error);

typedef struct rv_bytes {
    const void *bytes;
    size_t size;
} rv_bytes;

/* Replaces the content of `path` by the concatenated slices: writes a temporary file, then fsync,
 * rename and fsync of the folder. On failure the old file is intact and no temporary file remains,
 * with one exception: if the last fsync fails, the new file is in place and the error says so.
 * Keeps the permissions of an existing file; follows links; refuses folders and devices. */
bool rv_file_write(const char *path, const rv_bytes *slices, size_t count, rv_error *error);

/* rv_file_write of up to RV_NEW_FILES files that belong together: each gets its name only when the
 * content of all has reached the disk. What fails earlier, as when the disk is full, leaves all old
 * files. If giving a name fails then, the files before that one are new and the others are old, and
 * the error says so. */
enum { RV_NEW_FILES = 4 };
typedef struct rv_new_file {
    const char *path;
    const rv_bytes *slices;
    size_t count;
} rv_new_file;
bool rv_files_write(const rv_new_file *files, size_t count, rv_error *error);

/* Where the content of a file goes: to `path` or, if that is NULL, to memory, for rv_free. */
typedef struct rv_sink {
    const char *path;
    unsigned char *bytes;
    size_t size;
} rv_sink;

/* rv_file_write to the sink's path, or a copy of the slices in its memory. */
bool rv_sink_write(rv_sink *sink, const rv_bytes *slices, size_t count, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
