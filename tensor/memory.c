/* Aligned, zeroed, overflow-checked memory. */
#include "tensor/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *rv_alloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX - RV_ALIGNMENT) {
        return NULL;
    }
    /* aligned_alloc wants a multiple of the alignment; 0 bytes too give a pointer of their own. */
    size_t rounded = (bytes / RV_ALIGNMENT + 1) * RV_ALIGNMENT;
    if (bytes > 0 && bytes % RV_ALIGNMENT == 0) {
        rounded = bytes;
    }
    void *memory = aligned_alloc(RV_ALIGNMENT, rounded);
    if (memory != NULL) {
        memset(memory, 0, rounded);
    }
    return memory;
}

void rv_free(void *memory) { free(memory); }

bool rv_reserve(void *array, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity) return true;
    size_t grown = *capacity <= SIZE_MAX / 2 ? *capacity * 2 : need;
    if (grown < need) {
        grown = need;
    }
    if (grown < 8) {
        grown = 8;
    }
    void *fresh = rv_alloc(grown, size);
    if (fresh == NULL) return false;
    /* The caller's pointer has its own type: copied as bytes, since it is not a void pointer. */
    void *old;
    memcpy(&old, array, sizeof old);
    if (old != NULL) {
        memcpy(fresh, old, *capacity * size);
        rv_free(old);
    }
    memcpy(array, &fresh, sizeof fresh);
    *capacity = grown;
    return true;
}

char *rv_string_copy(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = rv_alloc(bytes, 1);
    if (copy != NULL) {
        memcpy(copy, text, bytes);
    }
    return copy;
}
