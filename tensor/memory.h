/* The one place that asks for memory: the C library, or the program if it brings an allocator of its own. */
#ifndef RV_TENSOR_MEMORY_H
#define RV_TENSOR_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Seen by librecurve.so even where a program hides its names. */
#if defined(__GNUC__)
#define RV_REPLACEABLE __attribute__((__visibility__("default")))
#else
#define RV_REPLACEABLE
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum { RV_ALIGNMENT = 64 }; /* bytes: a cache line, and the widest vector register */

/* Zero-filled and RV_ALIGNMENT-aligned; NULL when `count * size` overflows or memory is out.
 * A size of 0 gives a valid pointer. Free with rv_free. */
void *rv_alloc(size_t count, size_t size);
void rv_free(void *memory);

/* Makes room for `need` items of `size` bytes in the array at *array (a pointer to the array
 * pointer), doubling the capacity; new items are zero. On failure false, with the array intact. */
bool rv_reserve(void *array, size_t *capacity, size_t need, size_t size);

/* A copy of a string, or NULL. */
char *rv_string_copy(const char *text);

/* Where all of that comes from and goes to. A program that defines both functions itself has its own called
 * instead, linked to librecurve.a or librecurve.so. `take` gives `bytes`, at least 1, zero-filled and aligned to 16,
 * or NULL; `give` gets back the pointer and the same number. They are called by every thread that calls the library and by
 * those of loaders. cJSON, zlib and libzip, for files, and the C library's qsort ask malloc as ever. */
RV_REPLACEABLE void *rv_memory_take(size_t bytes);
RV_REPLACEABLE void rv_memory_give(void *memory, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
