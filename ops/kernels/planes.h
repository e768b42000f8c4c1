/* A layout of images in which a convolution is a matrix product. The row of b for a tap (a channel,
 * row and column of the window) is a part of one plane, contiguous over neighbouring outputs.
 *
 * A plane holds a channel with its padding. With a stride above 1 it holds every stride-th row and
 * column, and there is a plane for each phase (r,t) that a tap falls on. With a plane's rows laid
 * end to end, output (i,j) is position i*width + j, and tap (p,q) adds a constant to it. So the
 * outputs of an image are one run, in which the last few positions of each row are unused. */
#ifndef RV_OPS_KERNELS_PLANES_H
#define RV_OPS_KERNELS_PLANES_H

#include "ops/kernels/kernels.h"
#include "ops/kernels/lanes.h"

/* plane(c,r,t)[i][j] = image[c][i*stride[0] + r*dilation[0] % stride[0] + base[0]][... base[1]] for
 * i < height, j < width; zero outside the image. */
typedef struct rv_planes {
    int64_t channels, image[2];
    int64_t stride[2], dilation[2], base[2], phases[2];
    int64_t height, width;
} rv_planes;

/* The planes of a group of channels that the windows see; position (i,j) is output (i,j). */
rv_planes RV_NAME(rv_planes_of)(const rv_conv_plan *plan);

/* A distance in strides. Division is slow, and the stride is usually 1. */
static inline int64_t rv_steps(int64_t pixels, int64_t stride)
{
    return stride == 1 ? pixels : pixels / stride;
}

/* Where tap (p,q) of channel c starts. */
static inline int64_t rv_plane_at(const rv_planes *s, int64_t c, int64_t p, int64_t q)
{
    const int64_t r = s->phases[0] == 1 ? 0 : p % s->phases[0];
    const int64_t t = s->phases[1] == 1 ? 0 : q % s->phases[1];
    const int64_t plane = (c * s->phases[0] + r) * s->phases[1] + t;
    return (plane * s->height + rv_steps(p * s->dilation[0], s->stride[0])) * s->width +
           rv_steps(q * s->dilation[1], s->stride[1]);
}

static inline int64_t rv_planes_count(const rv_planes *s)
{
    return s->channels * s->phases[0] * s->phases[1] * s->height * s->width;
}

/* Whether the image itself can serve as its planes. */
static inline bool rv_planes_in_place(const rv_planes *s)
{
    return s->stride[0] == 1 && s->stride[1] == 1 && s->base[0] == 0 && s->base[1] == 0 &&
           s->height <= s->image[0] && s->width == s->image[1];
}

/* Writes the elements inside the image. The others must be zero before. */
void RV_NAME(rv_planes_fill)(const rv_planes *s, real *to, const real *image);

#endif
