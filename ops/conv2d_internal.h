/* What conv2d shares with the ops around it. */
#ifndef RV_OPS_CONV2D_INTERNAL_H
#define RV_OPS_CONV2D_INTERNAL_H

#include "ops/ops.h"
#include "ops/options.h"

extern const rv_op rv_op_conv2d, rv_op_conv2d_input_gradient;

/* The first options of conv2d and its relatives, and their values. */
#define RV_CONV2D_OPTIONS \
    {"stride", RV_OPTION_LIST, false, 1, "steps between windows: both, or down, across"}, \
        {"padding", RV_OPTION_LIST, false, 0, \
         "zeros around x: all, or down, across, or top, bottom, left, right"}, \
        {"dilation", RV_OPTION_LIST, false, 1, \
         "steps between a window's elements: both, or down, across"}, \
    { \
        "groups", RV_OPTION_WHOLE, false, 1, "of channels, each convolved on its own" \
    }
enum { RV_CONV2D_OPTION_COUNT = 4 };
rv_conv2d_options rv_conv2d_arguments(rv_arguments *a);

/* If x is a conv2d_input_gradient, or a sum of them: the same with the last two axes cropped,
 * recorded so that the rim is never computed. Else the null var. */
rv_var rv_crop_input_gradient(rv_var x, const int64_t before[2], const int64_t after[2]);

#endif
