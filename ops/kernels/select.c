/* Selects the table for the machine at run time. Compiled once, for any machine. */
#include "ops/kernels/kernels.h"

extern const rv_kernels rv_kernel_table_f32_base, rv_kernel_table_f64_base;
#ifdef __x86_64__
extern const rv_kernels rv_kernel_table_f32_v3, rv_kernel_table_f64_v3;
extern const rv_kernels rv_kernel_table_f32_v4, rv_kernel_table_f64_v4;
#endif

const rv_kernels *rv_kernels_at(rv_dtype dtype, int level)
{
    const bool f64 = dtype == RV_F64;
    if (level == 0) {
        return f64 ? &rv_kernel_table_f64_base : &rv_kernel_table_f32_base;
    }
#ifdef __x86_64__
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
    if (level == 1 && v3) {
        return f64 ? &rv_kernel_table_f64_v3 : &rv_kernel_table_f32_v3;
    }
    if (level == 2 && v4) {
        return f64 ? &rv_kernel_table_f64_v4 : &rv_kernel_table_f32_v4;
    }
#endif
    return NULL;
}

const rv_kernels *rv_kernels_for(rv_dtype dtype)
{
    for (int level = RV_KERNEL_LEVELS - 1; level > 0; level--) {
        const rv_kernels *table = rv_kernels_at(dtype, level);
        if (table) {
            return table;
        }
    }
    return rv_kernels_at(dtype, 0);
}
