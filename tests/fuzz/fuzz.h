/* What the targets of the fuzzers share. A target feeds any bytes at all to what reads files and checks what must hold
 * then; libFuzzer calls it, and so does any_bytes_test. */
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

/* Ends the program as a crash does, unless it holds. */
void expect(bool holds, const char *what);

/* That what failed left a code and a text, and what did not no error. */
void expect_told(bool ok, const rv_error *error);

/* The path of a file of these bytes, which is in memory; there are FUZZ_FILES of them. */
enum { FUZZ_FILES = 3 };
const char *file_of(int file, const void *bytes, size_t size);

/* The most bytes that were allocated at once since memory_start, beyond those that were then. */
void memory_start(void);
size_t memory_peak(void);
void expect_memory(size_t most); /* that it is at most this, and FUZZ_CONSTANT */

/* A function needs some memory whatever it reads: names, messages, the state of inflate. */
enum { FUZZ_CONSTANT = 1 << 17 };

#ifdef __cplusplus
}
#endif

#endif
