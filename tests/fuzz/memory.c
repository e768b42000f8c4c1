/* Counts allocated bytes, by a sanitizer's hooks or by functions that replace the C library's in
 * all libraries. Large blocks, which tensor/memory.c maps, are counted by --wrap=mmap and
 * --wrap=munmap. */
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "tests/fuzz/fuzz.h"

#if defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static atomic_llong held, most, before;

static void count(long long bytes)
{
    long long now = atomic_fetch_add(&held, bytes) + bytes;
    if (now > most) most = now;
}

void memory_start(void) { before = most = held; }

size_t memory_peak(void) { return (size_t)(most - before); }

/* ---- mapped ---- */

void *__real_mmap(void *at, size_t size, int protection, int flags, int descriptor, off_t offset);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int descriptor, off_t offset);
int __real_munmap(void *memory, size_t size);
int __wrap_munmap(void *memory, size_t size);

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int descriptor, off_t offset)
{
    void *memory = __real_mmap(at, size, protection, flags, descriptor, offset);
    if (memory != MAP_FAILED) count((long long)size);
    return memory;
}

int __wrap_munmap(void *memory, size_t size)
{
    count(-(long long)size);
    return __real_munmap(memory, size);
}

/* ---- allocated ---- */

#if SANITIZED

/* From sanitizer/allocator_interface.h, which Debian ships only with clang. */
size_t __sanitizer_get_allocated_size(const volatile void *memory);
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

static void on_malloc(const volatile void *memory, size_t size)
{
    (void)memory;
    count((long long)size);
}

static void on_free(const volatile void *memory)
{
    count(-(long long)__sanitizer_get_allocated_size(memory));
}

__attribute__((constructor)) static void start(void)
{
    __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}

#else

#include <malloc.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t items, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

static void *counted(void *memory)
{
    count((long long)malloc_usable_size(memory));
    return memory;
}

void *malloc(size_t size) { return counted(__libc_malloc(size)); }

void *calloc(size_t items, size_t size) { return counted(__libc_calloc(items, size)); }

void *realloc(void *memory, size_t size)
{
    long long old = (long long)malloc_usable_size(memory);
    void *moved = __libc_realloc(memory, size);
    if (moved || size == 0) count((long long)malloc_usable_size(moved) - old);
    return moved;
}

void free(void *memory)
{
    count(-(long long)malloc_usable_size(memory));
    __libc_free(memory);
}

#endif
