/* Reads and atomically writes whole files. */
#ifndef RV_TENSOR_FILE_INTERNAL_H
#define RV_TENSOR_FILE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "tensor/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads a regular file and appends a NUL. Free *bytes with rv_free (tensor/memory.h). RV_ERROR_IO
 * names the path and the system's reason. */
bool rv_file_read(const char *path, unsigned char **bytes, size_t *size, rv_error *error);

typedef struct rv_bytes {
    const void *bytes;
    size_t size;
} rv_bytes;

/* Replaces the content of `path` by the concatenated slices: writes a temporary file, then fsync,
 * rename and fsync of the folder. On failure the old file is intact and no temporary file remains,
 * with one exception: if the last fsync fails, the new file is in place and the error says so.
 * Keeps the permissions of an existing file; refuses folders and devices. */
bool rv_file_write(const char *path, const rv_bytes *slices, size_t count, rv_error *error);

#ifdef __cplusplus
}
#endif

#endif
