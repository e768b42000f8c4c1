/* A convolution with a single window, the whole image, is a matrix product, and so are its
 * gradients:
 *
 *   y = x w'     dx = dy w     dw = dy' x      with x [batch,k], w [outputs,k], y [batch,outputs]
 *
 * for each group, where k counts the elements of the group's channels of an image. */
#include "ops/kernels/gemm.h"
#include "ops/kernels/methods.h"

/* The product of the first group, and the distances to the operands of the next group. */
typedef struct product {
    rv_gemm gemm;
    int64_t a_group, b_group, c_group;
} product;

static product product_of(const rv_conv_plan *p)
{
    const int64_t n = p->batch, outputs = p->outputs, o = outputs / p->groups;
    const int64_t row = p->channels * p->height * p->width, k = row / p->groups;
    product f = {.gemm = {.m = n, .n = o, .k = k, .c_row = outputs}};
    rv_gemm *g = &f.gemm;
    switch (p->side) {
    case RV_SIDE_Y:
        g->a_row = row, g->a_column = 1, g->b_row = 1, g->b_column = k;
        f.a_group = k, f.b_group = o * k, f.c_group = o;
        break;
    case RV_SIDE_DX:
        g->n = k, g->k = o, g->c_row = row;
        g->a_row = outputs, g->a_column = 1, g->b_row = k, g->b_column = 1;
        f.a_group = o, f.b_group = o * k, f.c_group = k;
        break;
    default:
        g->m = o, g->n = k, g->k = n, g->c_row = k;
        g->a_row = 1, g->a_column = outputs, g->b_row = row, g->b_column = 1;
        f.a_group = o, f.b_group = k, f.c_group = o * k;
    }
    return f;
}

/* Whether the taps of the one window are the pixels of the image, one for one. */
static bool fits(const rv_conv_plan *p)
{
    const int64_t image[2] = {p->height, p->width}, out[2] = {p->out_height, p->out_width};
    for (int d = 0; d < 2; d++) {
        const bool dilated = p->dilation[d] > 1 && p->kernel[d] > 1;
        if (out[d] != 1 || p->kernel[d] != image[d] || p->pad[d] > 0 || dilated) return false;
    }
    return true;
}

static size_t prepare(rv_conv_plan *plan)
{
    const product p = product_of(plan);
    if (plan->groups == 1 && p.gemm.n > 1) {
        plan->most_parts = p.gemm.m;
        plan->sliced = plan->side == RV_SIDE_DW ? 4 : 1;
    }
    return RV_NAME(rv_gemm_scratch)(&p.gemm);
}

static void run(const rv_call *call)
{
    const rv_conv_plan *plan = call->plan;
    product p = product_of(plan);
    const real *a = call->in[plan->side == RV_SIDE_DW], *b = call->in[plan->side != RV_SIDE_DW];
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

const rv_conv_method RV_NAME(rv_conv_product) = {"product", fits, NULL, prepare, run, false};
