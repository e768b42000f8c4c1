/* A matrix product on strided operands, which matmul and the convolutions are built on. */
#ifndef RV_OPS_KERNELS_GEMM_H
#define RV_OPS_KERNELS_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "ops/kernels/kernels.h"
#include "ops/kernels/real.h"

/* c[i*c_row + j] (+)= sum_{l < k} a[i*a_row + l*a_column] * b[l*b_row + j*b_column], for i < m, j <
 * n. One stride of each operand must be 1. With `panel`, b(l, j) is b[(j / panel * k + l) * panel +
 * j % panel] instead. */
typedef struct rv_gemm {
    int64_t m, n, k;
    int64_t a_row, a_column, b_row, b_column, c_row;
    int64_t panel; /* whole vectors, or 0 */
    rv_matmul_method method;
    const real *a, *b;
    real *c;
    bool add; /* to what c holds */
} rv_gemm;

/* Whether the method can compute the product, and the bytes of scratch that it needs. The pointers
 * are not read. */
bool RV_NAME(rv_gemm_fits)(const rv_gemm *g);
size_t RV_NAME(rv_gemm_scratch)(const rv_gemm *g);

/* Computes rows first .. end of c, or all rows if c has a single column. */
void RV_NAME(rv_gemm_run)(const rv_gemm *g, int64_t first, int64_t end, real *scratch);

#endif
