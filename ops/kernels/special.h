/* Special methods for convolutions of some shapes, each for all three sides of the form. */
#ifndef RV_OPS_KERNELS_SPECIAL_H
#define RV_OPS_KERNELS_SPECIAL_H

#include "ops/kernels/kernels.h"
#include "ops/kernels/real.h"

/* The side to compute: y of (x, w), dx of (dy, w) or dw of (x, dy). */
typedef enum { RV_SIDE_Y, RV_SIDE_DX, RV_SIDE_DW } rv_side;

/* A way to compute one side: whether it is the one for a plan; what readies the plan (most_parts
 * and sliced are zero before) and tells the bytes of scratch; the kernel. */
typedef struct rv_way {
    bool (*fits)(const rv_conv_plan *plan, rv_side side);
    size_t (*prepare)(rv_conv_plan *plan, rv_side side);
    rv_kernel run; /* of the plan's side */
} rv_way;

extern const rv_way RV_NAME(rv_way_product); /* the one window is the whole image: a product */
extern const rv_way RV_NAME(rv_way_window);  /* a few small images: sums stay in registers */
extern const rv_way RV_NAME(rv_way_lanes);   /* many small images: each has a lane of its own */
#if defined(RV_REAL_F32)
extern const rv_way RV_NAME(rv_way_winograd); /* 3x3: a quarter of the products, less exact */
#endif

/* The first method that suits the plan, or NULL. */
static inline const rv_way *rv_way_for(const rv_conv_plan *plan, rv_side side)
{
    if (RV_NAME(rv_way_product).fits(plan, side)) return &RV_NAME(rv_way_product);
    if (RV_NAME(rv_way_window).fits(plan, side)) return &RV_NAME(rv_way_window);
    if (RV_NAME(rv_way_lanes).fits(plan, side)) return &RV_NAME(rv_way_lanes);
#if defined(RV_REAL_F32)
    if (RV_NAME(rv_way_winograd).fits(plan, side)) return &RV_NAME(rv_way_winograd);
#endif
    return NULL;
}

#endif
