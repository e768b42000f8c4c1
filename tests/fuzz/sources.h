/* Checks of sources that were opened from arbitrary bytes. */
#ifndef RV_TESTS_FUZZ_SOURCES_H
#define RV_TESTS_FUZZ_SOURCES_H

#include "data/files.h"
#include "tests/fuzz/fuzz.h"

enum { FUZZ_CACHE = 1 << 18 }; /* more than FUZZ_CONSTANT, so that exceeding it is detected */

/* The most memory for a file: its size, or the cache if it is gzipped. */
size_t in_memory(const uint8_t *data, size_t size);

/* Checks a source from at most `bytes`, or the failure to open it: all samples can be read, or
 * an error says why not. Closes the source and returns a digest of its samples; 0 if it did not
 * open. */
uint64_t expect_source(bool ok, rv_source *source, const rv_error *error, size_t bytes);

/* Opens pairs of arrays in which one or both files are the bytes; the other file has two labels. */
typedef bool open_pair(rv_source *source, const char *x_path, const char *y_path,
                       const rv_file_options *options, rv_error *error);
void feed_pair(open_pair *open, const char *labels, size_t labels_size, const uint8_t *data,
               size_t size);

#endif
