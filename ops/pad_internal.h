/* Paddings, as conv2d absorbs them. */
#ifndef RV_OPS_PAD_INTERNAL_H
#define RV_OPS_PAD_INTERNAL_H

#include "autograd/tape.h"

/* Whether x pads or crops the last two axes of an image *of [n,c,h,w] and nothing else; by how
 * much, negative to crop. */
bool rv_is_padded2d(rv_var x, rv_var *of, int64_t before[2], int64_t after[2]);

#endif
