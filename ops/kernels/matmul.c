/* Matrix products, one for each member of a batch. */
#include "ops/kernels/gemm.h"
#include "ops/kernels/table.h"

static rv_gemm product(const rv_matmul_plan *p)
{
    rv_gemm g = {.m = p->m,
                 .n = p->n,
                 .k = p->k,
                 .c_row = p->n,
                 .add = p->add,
                 .panel = p->panel,
                 .method = p->method};
    g.a_row = p->transpose_a ? 1 : p->k, g.a_column = p->transpose_a ? p->m : 1;
    g.b_row = p->transpose_b ? 1 : p->n, g.b_column = p->transpose_b ? p->k : 1;
    return g;
}

bool RV_NAME(rv_matmul_fits)(const rv_matmul_plan *plan)
{
    const rv_gemm g = product(plan);
    return RV_NAME(rv_gemm_fits)(&g);
}

size_t RV_NAME(rv_matmul_scratch)(const rv_matmul_plan *plan)
{
    const rv_gemm g = product(plan);
    return RV_NAME(rv_gemm_scratch)(&g);
}

/* Parts divide the members of the batch, or the rows of a single product. */
void RV_NAME(rv_kernel_matmul)(const rv_call *call)
{
    const rv_matmul_plan *p = call->plan;
    const bool by_row = p->batch == 1;
    rv_gemm g = product(p);
    int64_t first = 0, end = by_row ? p->m : p->batch;
    if (call->parts > 1) rv_call_range(call, end, &first, &end);
    for (int64_t s = by_row ? 0 : first; s < (by_row ? 1 : end); s++) {
        g.a = (const real *)call->in[0] + s * p->m * p->k;
        g.b = (const real *)call->in[1] + s * p->k * p->n;
        g.c = (real *)call->out + s * p->m * p->n;
        RV_NAME(rv_gemm_run)(&g, by_row ? first : 0, by_row ? end : p->m, call->scratch);
    }
}
