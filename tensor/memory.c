/* Aligned, zeroed, overflow-checked memory. */
#include "tensor/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

/* Stored right before the aligned memory, for rv_free. */
typedef struct block {
    void *base;
    size_t bytes;
} block;

_Static_assert(sizeof(block) <= 16,
               "blocks are aligned to 16, so at least 16 bytes precede the aligned one");

/* Blocks of at least this size are mapped: the kernel zeroes pages on first use, and maps 2 MiB
 * pages instead of 4 KiB ones. */
enum { LARGE = 1 << 22 };

__attribute__((weak)) void *rv_memory_allocate(size_t bytes)
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

__attribute__((weak)) void rv_memory_release(void *memory, size_t bytes)
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
    unsigned char *base = rv_memory_allocate(whole);
    if (!base) return NULL;
    void *memory = base + RV_ALIGNMENT - (uintptr_t)base % RV_ALIGNMENT;
    ((block *)memory)[-1] = (block){base, whole};
    return memory;
}

void rv_free(void *memory)
{
    if (!memory) return;
    block freed = ((block *)memory)[-1];
    rv_memory_release(freed.base, freed.bytes);
}

/* Apart from rv_reserve, so that a call which finds room saves no registers. */
__attribute__((noinline)) static bool grow(void *array, size_t *capacity, size_t need, size_t size)
{
    size_t grown = *capacity <= SIZE_MAX / 2 ? *capacity * 2 : need;
    if (grown < need) {
        grown = need;
    }
    if (grown < 8) {
        grown = 8;
    }
    void *fresh = rv_alloc(grown, size);
    if (!fresh) return false;
    /* *array is not a void pointer but one of the caller's type, so it is copied as bytes. */
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

bool rv_reserve(void *array, size_t *capacity, size_t need, size_t size)
{
    if (!array || !capacity) return false;
    return need <= *capacity || grow(array, capacity, need, size);
}

char *rv_string_copy(const char *text)
{
    if (!text) return NULL;
    size_t bytes = strlen(text) + 1;
    char *copy = rv_alloc(bytes, 1);
    if (copy) {
        memcpy(copy, text, bytes);
    }
    return copy;
}
