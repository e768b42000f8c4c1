/* A file's bytes at any place, from memory or from the disk; gzip is undone. Private to data/. */
#ifndef RV_DATA_INPUT_INTERNAL_H
#define RV_DATA_INPUT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/error.h"

typedef struct rv_input_file {
    char *name;           /* the path, for messages; of its own */
    int64_t size;         /* bytes, after gzip */
    unsigned char *bytes; /* all of them, or NULL: they are read from the descriptor */
    int descriptor;
} rv_input_file;

/* Into memory if it takes at most `cache` bytes there; else a plain file is read piece by piece,
 * while a gzipped one (by its first two bytes), or any with `whole`, is refused.
 * rv_input_close, after failure too: *input is {0} then. */
bool rv_input_open(rv_input_file *input, const char *path, uint64_t cache, bool whole,
                   rv_error *error);

/* Takes over `bytes` (of rv_alloc), in any case, as the content of `name`. */
bool rv_input_take(rv_input_file *input, const char *name, unsigned char *bytes, size_t size,
                   rv_error *error);
void rv_input_close(rv_input_file *input);

/* Bytes offset .. offset+size-1; for any number of threads. RV_ERROR_FORMAT when the file ends
 * before. */
bool rv_input_read(const rv_input_file *input, int64_t offset, void *bytes, size_t size,
                   rv_error *error);

/* What cache_bytes of an option means: 0 is 256 MiB. */
uint64_t rv_input_cache(uint64_t cache_bytes);

#endif
