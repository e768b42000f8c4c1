/* The library's allocator. It uses the C library, or functions that the program defines. */
#ifndef RV_TENSOR_MEMORY_H
#define RV_TENSOR_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Visible to librecurve.so even if the program hides its symbols. */
#if defined(__GNUC__)
#define RV_REPLACEABLE __attribute__((__visibility__("default")))
#else
#define RV_REPLACEABLE
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum { RV_ALIGNMENT = 64 }; /* bytes: a cache line, and the widest vector register */

/* Zero-filled memory, aligned to RV_ALIGNMENT; NULL if `count * size` overflows or when out of
 * memory. A size of 0 gives a valid pointer. Free with rv_free. */
void *rv_alloc(size_t count, size_t size);
void rv_free(void *memory); /* of the library only; accepts NULL */

/* Makes room for `need` items of `size` bytes in an array, at least doubling its capacity. `array`
 * points to the array pointer. New items are zero. On failure returns false and leaves the array
 * intact. */
bool rv_reserve(void *array, size_t *capacity, size_t need, size_t size);

/* A copy of a string, or NULL when out of memory. Free with rv_free. */
char *rv_string_copy(const char *text);

/* The functions below provide all of that memory. A program that defines both of them replaces the
 * library's, with librecurve.a and librecurve.so alike. rv_memory_allocate returns `bytes` (at
 * least 1) zero-filled bytes aligned to 16, or NULL. rv_memory_release receives the pointer and the
 * same number. Every thread that calls the library and every loader thread calls them. cJSON, zlib
 * and libzip, which read and write files, and the C library's qsort still use malloc. */
RV_REPLACEABLE void *rv_memory_allocate(size_t bytes);
RV_REPLACEABLE void rv_memory_release(void *memory, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
