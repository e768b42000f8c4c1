/* Helpers of the fuzz targets. A target passes arbitrary bytes to a reader of files and checks
 * invariants. libFuzzer and any_bytes_test call it. */
#ifndef RV_TESTS_FUZZ_FUZZ_H
#define RV_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/error.h"

#ifdef __cplusplus
extern "C" {
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts unless it holds. */
void expect(bool holds, const char *what);

/* Checks that a failure left a code and a text, and a success no error. */
void expect_told(bool ok, const rv_error *error);

/* The path of a file in memory with these bytes; there are FUZZ_FILES such files. */
enum { FUZZ_FILES = 3 };
const char *file_of(int file, const void *bytes, size_t size);

/* The peak of allocated bytes since memory_start, beyond those allocated before. */
void memory_start(void);
size_t memory_peak(void);
void expect_memory(size_t most); /* checks that the peak is at most `most` + FUZZ_CONSTANT */

/* Memory that a function needs for any file: names, messages, the state of inflate. */
enum { FUZZ_CONSTANT = 1 << 17 };

#ifdef __cplusplus
}
#endif

#endif
