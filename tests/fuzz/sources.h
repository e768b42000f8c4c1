/* What must hold of a source that was opened from any bytes. */
#ifndef RV_TESTS_FUZZ_SOURCES_H
#define RV_TESTS_FUZZ_SOURCES_H

#include "data/files.h"
#include "tests/fuzz/fuzz.h"

enum { FUZZ_CACHE = 1 << 18 }; /* more than FUZZ_CONSTANT, so that filling it is noticed */

/* The bytes that a file takes in memory at most: its own, or, gzipped, the cache's. */
size_t in_memory(const uint8_t *data, size_t size);

/* Of a source, or of the failure to open one, that came of at most `bytes`: all samples can be read, or an error tells
 * why not. Closes it, and returns a digest of what it gave; 0: it did not open. */
uint64_t expect_source(bool ok, rv_source *source, const rv_error *error, size_t bytes);

/* Opens a pair of arrays in all ways of which either file, or both, are the bytes; the other one has two labels. */
typedef bool open_pair(rv_source *source, const char *x_path, const char *y_path,
                       const rv_array_options *options, rv_error *error);
void feed_pair(open_pair *open, const char *labels, size_t labels_size, const uint8_t *data,
               size_t size);

#endif
