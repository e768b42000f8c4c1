/* Aligned, zeroed, overflow-checked memory. */
#include "tensor/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

/* Kept right before the aligned memory in a block, to give it back. */
typedef struct block {
    void *base;
    size_t bytes;
} block;

_Static_assert(sizeof(block) <= 16,
               "blocks are aligned to 16: so much is free before the aligned byte");

/* Large blocks come from the kernel, zero when first touched, and by 2 MiB rather than 4 KiB at a time. */
enum { LARGE = 1 << 22 };

__attribute__((weak)) void *rv_memory_take(size_t bytes)
{
#ifdef MADV_HUGEPAGE
    if (bytes >= LARGE) {
        void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base == MAP_FAILED) return NULL;
        madvise(base, bytes, MADV_HUGEPAGE);
        return base;
    }
#endif
    return calloc(1, bytes);
}

__attribute__((weak)) void rv_memory_give(void *memory, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    if (bytes >= LARGE) {
        munmap(memory, bytes);
        return;
    }
#endif
    (void)bytes;
    free(memory);
}

void *rv_alloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX - 2 * RV_ALIGNMENT) {
        return NULL;
    }
    size_t whole = (bytes + RV_ALIGNMENT - 1) / RV_ALIGNMENT * RV_ALIGNMENT + RV_ALIGNMENT;
    unsigned char *base = rv_memory_take(whole);
    if (!base) return NULL;
    void *memory = base + RV_ALIGNMENT - (uintptr_t)base % RV_ALIGNMENT;
    ((block *)memory)[-1] = (block){base, whole};
    return memory;
}

void rv_free(void *memory)
{
    if (!memory) return;
    block given = ((block *)memory)[-1];
    rv_memory_give(given.base, given.bytes);
}

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
    if (!fresh) return false;
    /* The caller's pointer has its own type: copied as bytes, since it is not a void pointer. */
    void *old;
    memcpy(&old, array, sizeof old);
    if (old) {
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
    if (copy) {
        memcpy(copy, text, bytes);
    }
    return copy;
}
