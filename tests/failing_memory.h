/* Allocations that fail on request. The malloc defined here replaces the C library's for all
 * libraries too, including cJSON, zlib and libzip; glibc and the sanitizers provide theirs under
 * other names. Memory from C++ new belongs to the test itself, and is neither counted nor
 * refused. */
#ifndef RV_TESTS_FAILING_MEMORY_H
#define RV_TESTS_FAILING_MEMORY_H

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

static int64_t live = 0; // blocks not yet freed
// Per thread, so that a sanitizer's work in other threads is not affected.
static thread_local int64_t calls = 0;    // allocations so far
static thread_local int64_t failing = -1; // index of the one that fails; -1: none
static thread_local bool and_all_after = false;

/* The first calls come before a sanitizer is initialized. */
#define UNCHECKED __attribute__((no_sanitize("address", "undefined", "thread")))

extern "C" {
void *__interceptor_malloc(size_t size) __attribute__((weak));
void *__interceptor_calloc(size_t count, size_t size) __attribute__((weak));
void *__interceptor_realloc(void *memory, size_t size) __attribute__((weak));
void __interceptor_free(void *memory) __attribute__((weak));
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

UNCHECKED static void *real_malloc(size_t size)
{
    return __interceptor_malloc ? __interceptor_malloc(size) : __libc_malloc(size);
}

UNCHECKED static void real_free(void *memory)
{
    __interceptor_free ? __interceptor_free(memory) : __libc_free(memory);
}

UNCHECKED static bool refused()
{
    const int64_t call = calls++;
    const bool fails = failing >= 0 && (call == failing || (and_all_after && call > failing));
    if (fails) errno = ENOMEM;
    return fails;
}

UNCHECKED static void *counted(void *memory)
{
    if (memory) __atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
    return memory;
}

UNCHECKED void *malloc(size_t size) noexcept
{
    return refused() ? nullptr : counted(real_malloc(size));
}

UNCHECKED void *calloc(size_t count, size_t size) noexcept
{
    if (refused()) return nullptr;
    return counted(__interceptor_calloc ? __interceptor_calloc(count, size)
                                        : __libc_calloc(count, size));
}

UNCHECKED void *realloc(void *memory, size_t size) noexcept
{
    if (refused()) return nullptr;
    void *moved =
        __interceptor_realloc ? __interceptor_realloc(memory, size) : __libc_realloc(memory, size);
    return memory ? moved : counted(moved);
}

UNCHECKED void free(void *memory) noexcept
{
    if (memory) __atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
    real_free(memory);
}
}

void *operator new(size_t size)
{
    void *memory = real_malloc(size);
    if (!memory) throw std::bad_alloc();
    return memory;
}

void operator delete(void *memory) noexcept { real_free(memory); }
void operator delete(void *memory, size_t) noexcept { real_free(memory); }

#endif
