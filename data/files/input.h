/* Random access to a file's bytes, from memory or from disk; gzip is decompressed. Private to
 * data/. */
#ifndef RV_DATA_FILES_INPUT_H
#define RV_DATA_FILES_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/error.h"

typedef struct rv_input_file {
    char *name;           /* the path, for messages; owned */
    int64_t size;         /* bytes, after decompression */
    unsigned char *bytes; /* all of them, or NULL: read from the descriptor */
    int descriptor;
} rv_input_file;

/* Loads the file into memory if that takes at most `cache` bytes. A larger plain file is read piece
 * by piece; a larger gzipped one (recognized by its first two bytes) is refused, and with `whole`
 * so is any larger file. To be closed by rv_input_close, even after a failure. */
bool rv_input_open(rv_input_file *input, const char *path, uint64_t cache, bool whole,
                   rv_error *error);

/* Makes an input of `bytes` (from rv_alloc), named `name`. Takes ownership of them, even on
 * failure. */
bool rv_input_take(rv_input_file *input, const char *name, unsigned char *bytes, size_t size,
                   rv_error *error);
void rv_input_close(rv_input_file *input);

/* Reads bytes offset .. offset+size-1. Thread-safe. RV_ERROR_FORMAT if the file ends before. */
bool rv_input_read(const rv_input_file *input, int64_t offset, void *bytes, size_t size,
                   rv_error *error);

/* The value of a cache_bytes option: 0 means 256 MiB. */
uint64_t rv_input_cache(uint64_t cache_bytes);

#endif
