/* Cells: one step of a recurrent net as equations, and its unrolling over time. */
#ifndef RV_MODELS_CELL_H
#define RV_MODELS_CELL_H

#include <stdbool.h>
#include <stdint.h>

#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_cell rv_cell;

/* One step: reads the input x and the states h[0], h[1], ... and replaces each by its next value.
 * Parameters are made on first use, by name; their shapes follow from their arguments. */
typedef void (*rv_cell_step)(rv_cell *k, rv_var x, rv_var *h);

typedef struct rv_cell_options {
    const char *name; /* NULL: parameters are named "Wxg"; else "name/Wxg" */
    int64_t units;    /* hidden units, or channels of a convolutional state; 0: 1 */
    int64_t kernel;   /* size of rv_cell_map's kernels, odd; 0: matrix products */
    int states;       /* how many h the step has; 0: 1 */
    bool bias;        /* rv_cell_bias makes parameters */
    const rv_var
        *initial; /* [states] values at the start; NULL: zeros, whose shape is the fixed point
                              that the step reaches from [n,units,1,..] */
} rv_cell_options;

/* h[0] after `steps` steps on the same input x. */
rv_var rv_unroll(rv_cell_step step, rv_var x, int64_t steps);
rv_var rv_unroll_with(rv_cell_step step, rv_var x, int64_t steps, rv_cell_options options);

/* The same on a sequence: x [n,steps,...] gives step t x[:,t]. outputs (NULL: not wanted) gets h[0]
 * after each step. */
rv_var rv_unroll_sequence(rv_cell_step step, rv_var x, rv_cell_options options, rv_var *outputs);

/* ---- for the bodies of cells ---- */

rv_tape *rv_cell_tape(const rv_cell *k);
const rv_cell_options *rv_cell_get(const rv_cell *k);

/* A parameter of the cell; its name gets the cell's prefix. */
rv_var rv_cell_parameter(rv_cell *k, const char *name, rv_shape shape, rv_init init);

/* "Valid" cross-correlation of x [n,c,h,w] with the parameter `name` [units,c,size,size], uniform in
 * +-1/sqrt(c size size). */
rv_var rv_cell_conv(rv_cell *k, rv_var x, const char *name, int64_t size);

/* The map W: x [n,inputs] times the parameter `name` [inputs,units]; or, when the options give a kernel size,
 * the convolution of x [n,c,h,w] with `name` [units,c,kernel,kernel] that keeps height and width. So one
 * cell serves dense and convolutional nets. Uniform in +-1/sqrt(inputs), +-1/sqrt(c kernel kernel). */
rv_var rv_cell_map(rv_cell *k, rv_var x, const char *name);

/* x + b with the parameter `name` [units] along axis 1, `offset` at first; with biases switched off
 * x + offset. */
rv_var rv_cell_bias(rv_cell *k, rv_var x, const char *name, double offset);

#ifdef __cplusplus
}
#endif

#endif
