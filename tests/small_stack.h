/* Threads with the least stack that docs/trust.md asks for. */
#ifndef RV_TESTS_SMALL_STACK_H
#define RV_TESTS_SMALL_STACK_H

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>

#include <cstring>
#include <functional>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED_STACK 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED_STACK 1
#endif
#endif

/* Sanitizers pad every local variable. With them the largest use is 270 KB instead of 183 KB. */
#ifdef SANITIZED_STACK
constexpr size_t SMALL_STACK = 1 << 20;
#else
constexpr size_t SMALL_STACK = 256 << 10;
#endif

/* Does the work in a thread with a stack of that many bytes, and a page below it that crashes the
 * program when it is touched. Returns the bytes that the thread used, with what the C library keeps
 * there. */
inline size_t on_small_stack(const std::function<void()> &work, size_t bytes = SMALL_STACK)
{
    const size_t guard = 1 << 16;
    const unsigned char paint = 0xA5;
    void *memory = mmap(nullptr, guard + bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(memory, MAP_FAILED);
    auto *stack = static_cast<unsigned char *>(memory) + guard;
    EXPECT_EQ(mprotect(stack, bytes, PROT_READ | PROT_WRITE), 0);
    std::memset(stack, paint, bytes);
    const auto start = [](void *context) -> void * {
        (*static_cast<const std::function<void()> *>(context))();
        return nullptr;
    };
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    EXPECT_EQ(pthread_attr_setstack(&attributes, stack, bytes), 0);
    EXPECT_EQ(
        pthread_create(&thread, &attributes, start, const_cast<std::function<void()> *>(&work)), 0);
    EXPECT_EQ(pthread_join(thread, nullptr), 0);
    pthread_attr_destroy(&attributes);
    size_t unused = 0;
    while (unused < bytes && stack[unused] == paint) unused++;
    munmap(memory, guard + bytes);
    return bytes - unused;
}

#endif
