#include "ops/machine_internal.h"

#include "ops/kernels/kernels.h"

#if defined(__x86_64__)
static const char *const names[] = {"x86-64", "x86-64-v3", "x86-64-v4"};
#elif defined(__aarch64__)
static const char *const names[] = {"aarch64"};
#else
static const char *const names[] = {"the base set"};
#endif

const char *rv_instruction_set(void)
{
    int level = 0;
    while (rv_kernels_at(RV_F32, level + 1)) level++;
    return names[level];
}
