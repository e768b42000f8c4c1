/* Convolutions and their gradients. */
#include <string.h>

#include "ops/kernels/table.h"

size_t RV_NAME(rv_conv2d_scratch)(const rv_conv_plan *p) { (void)p; return 0; }
size_t RV_NAME(rv_conv2d_input_gradient_scratch)(const rv_conv_plan *p) { (void)p; return 0; }
size_t RV_NAME(rv_conv2d_weight_gradient_scratch)(const rv_conv_plan *p) { (void)p; return 0; }

#define FOR(i, n) for (int64_t i = 0; i < (n); i++)
#define WINDOWS(statement)                                                                           \
    const rv_conv_plan *t = call->plan;                                                              \
    const int64_t cg = t->channels / t->groups, og = t->outputs / t->groups;                         \
    FOR(n, t->batch) FOR(o, t->outputs) FOR(i, t->out_height) FOR(j, t->out_width)                   \
    FOR(c, cg) FOR(p, t->kernel[0]) FOR(q, t->kernel[1]) {                                           \
        const int64_t h = i * t->stride[0] + p * t->dilation[0] - t->pad[0];                         \
        const int64_t v = j * t->stride[1] + q * t->dilation[1] - t->pad[1];                         \
        if (h < 0 || h >= t->height || v < 0 || v >= t->width) continue;                             \
        const int64_t x = ((n * t->channels + o / og * cg + c) * t->height + h) * t->width + v;      \
        const int64_t w = ((o * cg + c) * t->kernel[0] + p) * t->kernel[1] + q;                      \
        const int64_t y = ((n * t->outputs + o) * t->out_height + i) * t->out_width + j;             \
        statement;                                                                                   \
    }

static void clear(const rv_call *call)
{
    memset(call->out, 0, (size_t)rv_shape_count(call->out_type.shape) * sizeof(real));
}

void RV_NAME(rv_kernel_conv2d)(const rv_call *call)
{
    const real *a = call->in[0], *b = call->in[1];
    real *out = call->out;
    clear(call);
    WINDOWS(out[y] += a[x] * b[w])
}

void RV_NAME(rv_kernel_conv2d_input_gradient)(const rv_call *call)
{
    const real *a = call->in[0], *b = call->in[1];
    real *out = call->out;
    clear(call);
    WINDOWS(out[x] += a[y] * b[w])
}

void RV_NAME(rv_kernel_conv2d_weight_gradient)(const rv_call *call)
{
    const real *a = call->in[0], *b = call->in[1];
    real *out = call->out;
    clear(call);
    WINDOWS(out[w] += a[x] * b[y])
}
