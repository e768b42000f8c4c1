/* Convolutions of many small images: a window that is a good part of the image leaves few zeros in the
 * matrix T that it makes of the kernel, and images are rows then:
 *
 *   y = x T      dx = dy T'     dw = the sums over the places of each weight in x' dy
 *
 * with x [batch, pixels], y [batch, positions], T [pixels, positions]. (There 0 times an infinite
 * element makes NaN: what is not finite may spoil all of its image.) */
#include <string.h>

#include "ops/kernels/gemm.h"
#include "ops/kernels/special.h"

enum { FEWEST_IMAGES = 8, MOST_ELEMENTS = 16384, MOST_WASTE = 5 };

static int64_t pixels(const rv_conv_plan *p) { return p->channels * p->height * p->width; }
static int64_t positions(const rv_conv_plan *p)
{
    return p->outputs * p->out_height * p->out_width;
}

static bool fits(const rv_conv_plan *p, rv_side side)
{
    (void)side;
    return p->groups == 1 && p->batch >= FEWEST_IMAGES &&
           p->height * p->width <= MOST_WASTE * p->kernel[0] * p->kernel[1] &&
           pixels(p) <= MOST_ELEMENTS && positions(p) <= MOST_ELEMENTS / pixels(p) &&
           (side == RV_SIDE_DX ? pixels(p) : positions(p)) >= LANES;
}

static rv_gemm product(const rv_conv_plan *p, rv_side side)
{
    const int64_t n = p->batch, x = pixels(p), y = positions(p);
    if (side == RV_SIDE_DW)
        return (rv_gemm){.m = x,
                         .n = y,
                         .k = n,
                         .a_row = 1,
                         .a_column = x,
                         .b_row = y,
                         .b_column = 1,
                         .c_row = y};
    const int64_t k = side == RV_SIDE_Y ? x : y, columns = side == RV_SIDE_Y ? y : x;
    return (rv_gemm){.m = n,
                     .n = columns,
                     .k = k,
                     .a_row = k,
                     .a_column = 1,
                     .b_row = columns,
                     .b_column = 1,
                     .c_row = columns};
}

static size_t prepare(rv_conv_plan *p, rv_side side)
{
    const rv_gemm g = product(p, side);
    if (side != RV_SIDE_DW) p->most_parts = p->batch, p->sliced = 1;
    return (size_t)(pixels(p) * positions(p)) * sizeof(real) + RV_NAME(rv_gemm_scratch)(&g);
}

/* The outputs first .. end along axis d whose tap falls into the image. */
static void range(const rv_conv_plan *p, int d, int64_t tap, int64_t image, int64_t outputs,
                  int64_t *first, int64_t *end)
{
    *first = 0, *end = outputs;
    const int64_t at = tap * p->dilation[d] - p->pad[d];
    while (*first < outputs && *first * p->stride[d] + at < 0) ++*first;
    while (*end > *first && (*end - 1) * p->stride[d] + at >= image) --*end;
}

/* Gives all places in the matrix of a weight its value, or it their sum. A row of x by y is row[0] apart,
 * a column row[1]. */
ALWAYS_INLINE void walk(const rv_conv_plan *p, bool sum, real *matrix, int64_t x_step,
                        int64_t y_step, real *w)
{
    const int64_t down = x_step * p->stride[0] * p->width + y_step * p->out_width;
    const int64_t right = x_step * p->stride[1] + y_step;
    for (int64_t pair = 0; pair < p->outputs * p->channels; pair++) {
        const int64_t o = pair / p->channels, c = pair % p->channels;
        real *block =
            matrix + o * p->out_height * p->out_width * y_step + c * p->height * p->width * x_step;
        for (int64_t k = 0; k < p->kernel[0]; k++) {
            int64_t i0, i1, j0, j1;
            range(p, 0, k, p->height, p->out_height, &i0, &i1);
            for (int64_t l = 0; l < p->kernel[1]; l++, w++) {
                range(p, 1, l, p->width, p->out_width, &j0, &j1);
                real *at = block + ((k * p->dilation[0] - p->pad[0]) * p->width +
                                    l * p->dilation[1] - p->pad[1]) *
                                       x_step;
                real total = p->add && sum ? *w : 0;
                for (int64_t i = i0; i < i1; i++) {
                    for (int64_t j = j0; j < j1; j++) {
                        if (sum)
                            total += at[i * down + j * right];
                        else
                            at[i * down + j * right] = *w;
                    }
                }
                if (sum) *w = total;
            }
        }
    }
}

static void run(const rv_call *call, rv_side side)
{
    const rv_conv_plan *p = call->plan;
    rv_gemm g = product(p, side);
    const int64_t count = pixels(p) * positions(p);
    real *matrix = call->scratch, *rest = matrix + count;
    g.a = call->in[0];
    if (side == RV_SIDE_DW) {
        g.b = call->in[1], g.c = matrix;
        RV_NAME(rv_gemm_run)(&g, 0, g.m, rest);
        walk(p, true, matrix, positions(p), 1, call->out);
    } else {
        const bool forward = side == RV_SIDE_Y;
        real *w = (real *)(uintptr_t)call->in[1];
        memset(matrix, 0, (size_t)count * sizeof(real));
        walk(p, false, matrix, forward ? positions(p) : 1, forward ? 1 : pixels(p), w);
        int64_t first, end;
        rv_call_share(call, p->batch, &first, &end);
        g.b = matrix, g.c = call->out;
        RV_NAME(rv_gemm_run)(&g, first, end, rest);
    }
}

const rv_way RV_NAME(rv_way_banded) = {fits, prepare, run};
