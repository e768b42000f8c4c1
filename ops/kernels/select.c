/* Selects the table for the machine at run time. Compiled once, for any machine. */
#include "ops/kernels/kernels.h"
#include "tensor/machine_internal.h"

extern const rv_kernels rv_kernel_table_f32_base, rv_kernel_table_f64_base;
#ifdef __x86_64__
extern const rv_kernels rv_kernel_table_f32_v3, rv_kernel_table_f64_v3;
extern const rv_kernels rv_kernel_table_f32_v4, rv_kernel_table_f64_v4;
#endif

/* By level, for f32 and f64. */
static const rv_kernels *const tables[][2] = {
    {&rv_kernel_table_f32_base, &rv_kernel_table_f64_base},
#ifdef __x86_64__
    {&rv_kernel_table_f32_v3, &rv_kernel_table_f64_v3},
    {&rv_kernel_table_f32_v4, &rv_kernel_table_f64_v4},
#endif
};

/* The highest level that this process may use. */
static int highest_level(void)
{
#ifdef __x86_64__
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

const rv_kernels *rv_kernels_at(rv_dtype dtype, int level)
{
    return level >= 0 && level <= highest_level() ? tables[level][dtype == RV_F64] : NULL;
}

const rv_kernels *rv_kernels_for(rv_dtype dtype)
{
    return tables[highest_level()][dtype == RV_F64];
}
