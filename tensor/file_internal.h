/* Whole files, read with a bound and written atomically. */
#ifndef RV_TENSOR_FILE_INTERNAL_H
#define RV_TENSOR_FILE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "tensor/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The bytes of a regular file, with a NUL after the last; rv_free them (tensor/memory.h).
 * RV_ERROR_IO names the path and the system's reason. */
bool rv_file_read(const char *path, unsigned char **bytes, size_t *size, rv_error *error);

typedef struct rv_bytes {
    const void *bytes;
    size_t size;
} rv_bytes;

/* Writes the slices one after the other as the whole content of `path`: temporary name, fsync,
 * rename, fsync of the folder. On failure the old file is intact and nothing is left behind, but
 * for the last fsync: if it fails the new file is there, and the error says so. An old file's
 * permissions are kept; a `path` that is a folder or a device is refused. */
bool rv_file_write(const char *path, const rv_bytes *slices, size_t count, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
