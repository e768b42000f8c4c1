/* Convolutions that are matrix products: see product.h. */
#include "ops/kernels/product.h"

#include "ops/kernels/gemm.h"

/* The product of the first group, and how far on the operands of the next group are. */
typedef struct product {
    rv_gemm gemm;
    int64_t a_group, b_group, c_group;
} product;

static product product_of(const rv_conv_plan *p, rv_product_kind kind)
{
    const int64_t n = p->batch, outputs = p->outputs, o = outputs / p->groups;
    const int64_t row = p->channels * p->height * p->width, k = row / p->groups;
    /* m, n, k; the strides of a, b and c; a, b, c and add are set later */
    switch (kind) {
    case RV_PRODUCT_Y:
        return (product){{n, o, k, row, 1, 1, k, outputs, 0, 0, 0, false}, k, o * k, o};
    case RV_PRODUCT_DX:
        return (product){{n, k, o, outputs, 1, k, 1, row, 0, 0, 0, false}, o, o * k, k};
    default: return (product){{o, k, n, 1, outputs, row, 1, k, 0, 0, 0, false}, o, k, o * k};
    }
}

size_t RV_NAME(rv_product_scratch)(const rv_conv_plan *plan, rv_product_kind kind)
{
    const product p = product_of(plan, kind);
    return RV_NAME(rv_gemm_scratch)(&p.gemm);
}

void RV_NAME(rv_product_run)(const rv_conv_plan *plan, rv_product_kind kind, const real *a,
                             const real *b, real *c, real *scratch)
{
    product p = product_of(plan, kind);
    for (int64_t g = 0; g < plan->groups; g++) {
        p.gemm.a = a + g * p.a_group;
        p.gemm.b = b + g * p.b_group;
        p.gemm.c = c + g * p.c_group;
        p.gemm.add = plan->add;
        RV_NAME(rv_gemm_run)(&p.gemm, scratch);
    }
}
