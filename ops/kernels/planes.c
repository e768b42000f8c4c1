/* Fills planes: see planes.h. */
#include "ops/kernels/planes.h"

static int64_t common_divisor(int64_t x, int64_t y)
{
    return y == 0 ? x : common_divisor(y, x % y);
}

rv_planes RV_NAME(rv_planes_of)(const rv_conv_plan *p)
{
    rv_planes s = {.channels = p->channels / p->groups, .image = {p->height, p->width}};
    int64_t reach[2]; /* positions that a window spans beyond its first */
    for (int d = 0; d < 2; d++) {
        s.stride[d] = p->stride[d];
        s.dilation[d] = p->dilation[d];
        s.base[d] = -p->pad[d];
        s.phases[d] = p->stride[d] / common_divisor(p->stride[d], p->dilation[d]);
        if (s.phases[d] > p->kernel[d]) s.phases[d] = p->kernel[d];
        reach[d] = (p->kernel[d] - 1) * p->dilation[d] / p->stride[d];
    }
    s.height = p->out_height + reach[0];
    s.width = p->out_width + reach[1];
    return s;
}

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* The number of i >= 0 with i*stride + base < limit. */
static int64_t below(int64_t limit, int64_t stride, int64_t base)
{
    return base < limit ? (limit - base + stride - 1) / stride : 0;
}

static void fill_plane(const rv_planes *s, real *to, const real *image, int64_t base0,
                       int64_t base1)
{
    const int64_t top = clamp(below(0, s->stride[0], base0), 0, s->height);
    const int64_t bottom = clamp(below(s->image[0], s->stride[0], base0), top, s->height);
    const int64_t left = clamp(below(0, s->stride[1], base1), 0, s->width);
    const int64_t right = clamp(below(s->image[1], s->stride[1], base1), left, s->width);
    const int64_t stride = s->stride[1];
    const real *from = image + (top * s->stride[0] + base0) * s->image[1] + left * stride + base1;
    const int64_t from_row = s->stride[0] * s->image[1], n = right - left;
    to += top * s->width + left;
    if (stride == 1) {
        rv_copy_rows(to, s->width, from, from_row, bottom - top, n);
        return;
    }
    for (int64_t i = 0; i < bottom - top; i++) {
        for (int64_t j = 0; j < n; j++) to[i * s->width + j] = from[i * from_row + j * stride];
    }
}

void RV_NAME(rv_planes_fill)(const rv_planes *s, real *to, const real *image)
{
    for (int64_t c = 0; c < s->channels; c++) {
        for (int64_t r = 0; r < s->phases[0]; r++) {
            for (int64_t t = 0; t < s->phases[1]; t++) {
                fill_plane(s, to, image, r * s->dilation[0] % s->stride[0] + s->base[0],
                           t * s->dilation[1] % s->stride[1] + s->base[1]);
                to += s->height * s->width;
            }
        }
        image += s->image[0] * s->image[1];
    }
}
