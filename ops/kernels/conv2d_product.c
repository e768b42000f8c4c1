/* A convolution whose one window is the whole image is a matrix product, and so are its gradients:
 *
 *   y = x w'     dx = dy w     dw = dy' x      with x [batch,k], w [outputs,k], y [batch,outputs]
 *
 * for each group, k being the elements of its channels of an image. */
#include "ops/kernels/gemm.h"
#include "ops/kernels/special.h"

/* The product of the first group, and how far on the operands of the next group are. */
typedef struct product {
    rv_gemm gemm;
    int64_t a_group, b_group, c_group;
} product;

static product product_of(const rv_conv_plan *p, rv_side side)
{
    const int64_t n = p->batch, outputs = p->outputs, o = outputs / p->groups;
    const int64_t row = p->channels * p->height * p->width, k = row / p->groups;
    /* m, n, k; the strides of a, b and c; no panel; a, b, c and add are set later */
    switch (side) {
    case RV_SIDE_Y:
        return (product){{n, o, k, row, 1, 1, k, outputs, 0, 0, 0, 0, false}, k, o * k, o};
    case RV_SIDE_DX:
        return (product){{n, k, o, outputs, 1, k, 1, row, 0, 0, 0, 0, false}, o, o * k, k};
    default: return (product){{o, k, n, 1, outputs, row, 1, k, 0, 0, 0, 0, false}, o, k, o * k};
    }
}

static bool fits(const rv_conv_plan *p, rv_side side)
{
    (void)side;
    return p->out_height == 1 && p->out_width == 1 && p->pad[0] == 0 && p->pad[1] == 0 &&
           p->kernel[0] == p->height && p->kernel[1] == p->width;
}

static size_t prepare(rv_conv_plan *plan, rv_side side)
{
    const product p = product_of(plan, side);
    if (plan->groups == 1 && p.gemm.n > 1) {
        plan->most_parts = p.gemm.m;
        plan->sliced = side == RV_SIDE_DW ? 4 : 1;
    }
    return RV_NAME(rv_gemm_scratch)(&p.gemm);
}

static void run(const rv_call *call)
{
    const rv_conv_plan *plan = call->plan;
    const rv_side side = (rv_side)plan->side;
    product p = product_of(plan, side);
    const real *a = call->in[side == RV_SIDE_DW], *b = call->in[side != RV_SIDE_DW];
    p.gemm.add = plan->add;
    int64_t first, end;
    rv_call_range(call, p.gemm.m, &first, &end);
    for (int64_t g = 0; g < plan->groups; g++) {
        p.gemm.a = a + g * p.a_group;
        p.gemm.b = b + g * p.b_group;
        p.gemm.c = (real *)call->out + g * p.c_group;
        RV_NAME(rv_gemm_run)(&p.gemm, first, end, call->scratch);
    }
}

const rv_way RV_NAME(rv_way_product) = {fits, prepare, run};
