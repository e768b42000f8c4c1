/* The vectors that this process may use, beyond those of every machine of its kind. */
#ifndef RV_TENSOR_MACHINE_INTERNAL_H
#define RV_TENSOR_MACHINE_INTERNAL_H

#include <features.h>
#include <stdbool.h>

#if defined(__x86_64__)

/* glibc lets the environment take extensions away from a process, for itself and for whoever asks
 * it: GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F, or =-AVX2,-AVX512F for vectors of 128 bits. */
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

/* The instruction sets that kernels are compiled for, by level: x86-64-v3 has AVX2, v4 AVX-512. */
static inline const char *rv_instruction_set_at(int level)
{
#if defined(__x86_64__)
    static const char *const names[] = {"x86-64", "x86-64-v3", "x86-64-v4"};
    return names[level];
#elif defined(__aarch64__)
    return (void)level, "aarch64";
#else
    return (void)level, "the base set";
#endif
}

/* The highest level that this process may use. */
static inline int rv_instruction_level(void)
{
#if defined(__x86_64__)
    const bool v3 = rv_has_avx2() && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && rv_has_avx512f() && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
    return v4 ? 2 : v3 ? 1 : 0;
#else
    return 0;
#endif
}

#endif
