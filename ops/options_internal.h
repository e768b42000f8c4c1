/* What an op that is called by name is given: its options, checked, and as its public function takes them. The
 * values may come from any text, so nothing about them is believed. */
#ifndef RV_OPS_OPTIONS_INTERNAL_H
#define RV_OPS_OPTIONS_INTERNAL_H

#include "autograd/op.h"
#include "ops/ops.h"

typedef struct rv_given {
    const rv_op *op;
    rv_var x; /* input 0: its axes are those that are meant, and its tape gets the errors */
    const rv_option_value *value;
    bool ok; /* false once something was refused, with a sticky error */
} rv_given;

/* Every call begins with it: whether there are as many inputs as the op has, none of them null, and values for its options
 * of the right kind: whole numbers up to 2^53, flags 0 or 1, nothing infinite or NaN, lists of 1 to RV_MAX_RANK
 * numbers, and all that are required. */
rv_given rv_given_to(const rv_op *op, const rv_var *x, int inputs, const rv_option_value *value);

/* What a call returns unless all is ok: the null var. */
static inline rv_var rv_refused(const rv_given *g) { return (rv_var){g->x.tape, -1}; }

/* Option i. What does not fit is refused, and something harmless returned. */
static inline double rv_given_number(const rv_given *g, int i) { return g->value[i].number; }
static inline bool rv_given_flag(const rv_given *g, int i) { return g->value[i].number != 0; }
int64_t rv_given_whole(rv_given *g, int i);
int64_t rv_given_positive(rv_given *g, int i); /* a whole number from 1 on */
int rv_given_axis(rv_given *g, int i); /* as given; the public function says if it is none */
rv_dtype rv_given_dtype(rv_given *g, int i);

/* Lists. Axes count from 0, negative from the end. */
unsigned rv_given_axes(rv_given *g, int i); /* a set; absent: all */
const int *rv_given_order(rv_given *g, int i,
                          int axis[RV_MAX_RANK]); /* of all axes; absent: NULL */
rv_shape rv_given_shape(const rv_given *g, int i);
void rv_given_widths(rv_given *g, int i, int64_t width[RV_MAX_RANK]); /* a number for each axis */
/* 1 number for both or 2: down, across; none less than `least`. */
void rv_given_pair(rv_given *g, int i, int64_t least, int64_t pair[2]);
/* 1 number for all, 2: down, across, or 4: top, bottom, left, right; none less than 0. */
void rv_given_sides(rv_given *g, int i, int64_t side[4]);

/* What the ops of conv2d's family have in common are their first options. */
#define RV_CONV2D_OPTIONS \
    {"stride", RV_OPTION_LIST, false, 1, "steps between windows: both, or down, across"}, \
        {"padding", RV_OPTION_LIST, false, 0, \
         "zeros around x: all, or down, across, or top, bottom, left, right"}, \
        {"dilation", RV_OPTION_LIST, false, 1, \
         "steps between a window's elements: both, or down, across"}, \
    { \
        "groups", RV_OPTION_WHOLE, false, 1, "channels are convolved in so many groups" \
    }
enum { RV_CONV2D_OPTION_COUNT = 4 };
rv_conv2d_options rv_given_conv2d(rv_given *g);

#endif
