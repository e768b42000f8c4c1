/* Memory that is out when a test says so. Link with -Wl,--wrap=calloc: by calloc alone the library asks for memory. */
#ifndef RECURVE_TESTS_FAILING_CALLOC_H
#define RECURVE_TESTS_FAILING_CALLOC_H

#include <cstddef>
#include <cstdint>

static int64_t calls = 0, failing = -1; // the call that fails, from 0; -1: none
static bool and_all_after = false;

extern "C" void *__real_calloc(size_t count, size_t size);
extern "C" void *__wrap_calloc(size_t count, size_t size)
{
    const int64_t call = calls++;
    if (failing >= 0 && (call == failing || (and_all_after && call > failing))) return nullptr;
    return __real_calloc(count, size);
}

#endif
