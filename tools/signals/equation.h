/* A node as text. */
#ifndef RV_TOOLS_SIGNALS_EQUATION_H
#define RV_TOOLS_SIGNALS_EQUATION_H

#include <stdio.h>

#include "autograd/tape.h"

/* Writes a node's op with the names of its inputs: "conv2d(x, Wxg)". A value without a name is
 * named after its op, and a view after what it views. `shapes`: "conv2d(x [1,1,8,8], Wxg
 * [1,1,5,5])". */
void equation_put(FILE *to, const rv_tape *tape, int32_t id, bool shapes);

#endif
