/* The methods of convolution. A program uses the first of the table that fits the plan and pays. */
#ifndef RV_OPS_KERNELS_METHODS_H
#define RV_OPS_KERNELS_METHODS_H

#include "ops/kernels/kernels.h"
#include "ops/kernels/real.h"

/* The window is the whole image: a matrix product. */
extern const rv_conv_method RV_NAME(rv_conv_product);
/* A few small images: sums stay in registers. */
extern const rv_conv_method RV_NAME(rv_conv_window);
/* Many small images: each has a lane of its own. */
extern const rv_conv_method RV_NAME(rv_conv_lanes);
#if defined(RV_REAL_F32)
/* 3x3 windows: a quarter of the products, less exact. */
extern const rv_conv_method RV_NAME(rv_conv_winograd);
#endif
/* y and dx of any plan. */
extern const rv_conv_method RV_NAME(rv_conv_planes);
/* dw of any plan. */
extern const rv_conv_method RV_NAME(rv_conv_dots);

#endif
