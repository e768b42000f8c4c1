/* The vectors that this process may use, beyond those of every machine of its kind. */
#ifndef RV_TENSOR_MACHINE_INTERNAL_H
#define RV_TENSOR_MACHINE_INTERNAL_H

#include <features.h>
#include <stdbool.h>

#if defined(__x86_64__)

/* glibc lets the environment take extensions away from a process, for itself and for whoever asks it:
 * GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F, or =-AVX2,-AVX512F for vectors of 128 bits. */
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
#include <sys/platform/x86.h>
#define RV_IS_ALLOWED(feature) CPU_FEATURE_ACTIVE(feature)
#else
#define RV_IS_ALLOWED(feature) true
#endif

static inline bool rv_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && RV_IS_ALLOWED(AVX2);
}

static inline bool rv_has_avx512f(void)
{
    return __builtin_cpu_supports("avx512f") && RV_IS_ALLOWED(AVX512F);
}

#undef RV_IS_ALLOWED

#endif
#endif
