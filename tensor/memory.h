/* The one place that asks the C library for memory. */
#ifndef RV_TENSOR_MEMORY_H
#define RV_TENSOR_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

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

#ifdef __cplusplus
}
#endif

#endif
