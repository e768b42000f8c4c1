/* A convolution whose one window is the whole image is a matrix product, and so are its gradients:
 *
 *   y = x w'     dx = dy w     dw = dy' x      with x [batch,k], w [outputs,k], y [batch,outputs]
 *
 * for each group, k being the elements of its channels of an image. */
#ifndef RV_OPS_KERNELS_PRODUCT_H
#define RV_OPS_KERNELS_PRODUCT_H

#include "ops/kernels/kernels.h"
#include "ops/kernels/real.h"

typedef enum { RV_PRODUCT_Y, RV_PRODUCT_DX, RV_PRODUCT_DW } rv_product_kind;

static inline bool rv_is_product(const rv_conv_plan *p)
{
    return p->out_height == 1 && p->out_width == 1 && p->pad[0] == 0 && p->pad[1] == 0 &&
           p->kernel[0] == p->height && p->kernel[1] == p->width;
}

size_t RV_NAME(rv_product_scratch)(const rv_conv_plan *plan, rv_product_kind kind);
void RV_NAME(rv_product_run)(const rv_conv_plan *plan, rv_product_kind kind, const real *a,
                             const real *b, real *c, real *scratch);

#endif
