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

const rv_kernels *rv_kernels_at(rv_dtype dtype, int level)
{
    return level >= 0 && level <= rv_instruction_level() ? tables[level][dtype == RV_F64] : NULL;
}

const rv_kernels *rv_kernels_for(rv_dtype dtype)
{
    return tables[rv_instruction_level()][dtype == RV_F64];
}
