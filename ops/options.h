/* Ops called by name, and the options that a call reads. Values may come from any text, so each is
 * checked. */
#ifndef RV_OPS_OPTIONS_H
#define RV_OPS_OPTIONS_H

#include "../autograd/op.h"
#include "../autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Records the op by its `call`, from its inputs and a value for each of its options. The null var,
 * with an error on the tape, unless there are as many inputs as the op has, none of them null, and
 * every value is of its option's kind: whole numbers up to 2^53, flags 0 or 1, finite numbers,
 * lists of 1 to RV_MAX_RANK numbers; required ones present. */
rv_var rv_op_call(const rv_op *op, const rv_var *x, int inputs, const rv_option_value *value);

/* ---- for `call`: option i as the op's function takes it ----
 *
 * A value out of range is an error, and the result is then a harmless one: rv_op_call returns the
 * null var whatever `call` makes of it. */

double rv_option_number(const rv_arguments *a, int i);
bool rv_option_flag(const rv_arguments *a, int i);
int64_t rv_option_whole(const rv_arguments *a, int i);
int64_t rv_option_positive(rv_arguments *a, int i); /* whole, at least 1 */
int rv_option_axis(rv_arguments *a, int i);         /* unchecked but for int's range */
rv_dtype rv_option_dtype(rv_arguments *a, int i);

/* Lists. Axes are those of input 0 and count from 0, negative from the end. */
unsigned rv_option_axes(rv_arguments *a, int i); /* as a set; absent: all */
/* All axes in some order, in axis[]; absent: NULL. */
const int *rv_option_order(rv_arguments *a, int i, int axis[RV_MAX_RANK]);
rv_shape rv_option_shape(const rv_arguments *a, int i);
void rv_option_widths(rv_arguments *a, int i, int64_t width[RV_MAX_RANK]); /* one for each axis */
/* One number for both, or two: down, across; each at least `least`. */
void rv_option_pair(rv_arguments *a, int i, int64_t least, int64_t pair[2]);
/* One number for all, two: down, across, or four: top, bottom, left, right; each at least 0. */
void rv_option_sides(rv_arguments *a, int i, int64_t side[4]);

#ifdef __cplusplus
}
#endif

#endif
