/* The functions that a cell's step is written with: named parameters, maps, biases. A step is a
 * function of type rv_cell_step (rnn.h). These functions implement the cell options (recurrent
 * dropout, biases, the forget-gate offset, the activation, layer normalization), so that a step
 * need not know them. */
#ifndef RV_MODELS_CELL_H
#define RV_MODELS_CELL_H

#include "rnn.h"

#ifdef __cplusplus
extern "C" {
#endif

const rv_rnn_options *rv_cell_options(const rv_cell *k);

/* The further input `index` at this step: a step of options.inputs[index], or all of it. */
rv_var rv_cell_input(rv_cell *k, int index);

/* A parameter of the cell. The cell's prefix is added to its name, which has at most 100 bytes, and
 * to that of a shared draw (rv_init_shared). */
rv_var rv_cell_parameter(rv_cell *k, const char *name, rv_shape shape, rv_init init);

/* Declares the state h[s] and returns it; a step calls this before it reads the state. `shape` is
 * that of one sample: a matrix memory is rv_cell_state(k, h, 1, RV_SHAPE(units, units),
 * rv_init_constant(0)). With RV_SCALAR the shape follows from the step. All samples start from the
 * same values. Those that `start` draws are drawn once, as a tensor of that shape, and kept in the
 * store as "C/start" for the state "C". Blocks and shared draws are errors. */
rv_var rv_cell_state(rv_cell *k, rv_var *h, int s, rv_shape shape, rv_init start);

/* A step of another cell inside this one, on x and on states h of its own, which it replaces by
 * their next values. Its parameters are called "name/W" and so on; without a name they are called
 * as if they were this cell's own, so two cells inside one need names. With NULL as `options` it
 * has as many units as h[0] and else the options of this cell. Of `options` those of a cell count,
 * and `inputs`, of which x are the values at this step. */
void rv_cell_inner(rv_cell *k, rv_cell_step step, const char *name, const rv_rnn_options *options,
                   rv_var x, rv_states *h);

/* ---- maps ----
 *
 * A map applies recurrent dropout to the states in its argument, which may be a state itself, or a
 * state that is padded, concatenated or multiplied by a gate (at most 4 ops deep, each linear in
 * the state). */

/* A linear map: the matrix product of x [n,inputs] and the parameter `name` [inputs,units]. If the
 * options set a kernel size, it is the convolution of x [n,c,h,w] with `name`
 * [units,c,kernel,kernel] instead, padded to keep height and width, so that one step serves dense
 * and convolutional nets. The initial weights are uniform in +-1/sqrt(inputs) or +-1/sqrt(c kernel
 * kernel), or given by `init`. With layer_norm, the result is normalized over all axes but the
 * first and multiplied by the gain "name/gain" [units], initially 1. */
rv_var rv_cell_map(rv_cell *k, rv_var x, const char *name);

/* All zeros mean rv_cell_map. */
typedef struct rv_map_options {
    int64_t outputs; /* 0: units */

    /* The map is block-diagonal: each of `heads` equal parts of the outputs depends on that part of
     * the inputs alone. The parameter is [heads,inputs/heads,outputs/heads], or the kernel of a
     * convolution in as many groups. 0: no heads. */
    int64_t heads;

    rv_init init; /* of each head; {0}: uniform in +-1/sqrt(inputs) */
} rv_map_options;
rv_var rv_cell_map_with(rv_cell *k, rv_var x, const char *name, rv_map_options options);

/* The "valid" cross-correlation of x [n,c,h,w] with the parameter `name` [units,c,size,size],
 * initially uniform in +-1/sqrt(c size size). */
rv_var rv_cell_conv(rv_cell *k, rv_var x, const char *name, int64_t size);

/* x if it has `units` channels, otherwise the map `name` of x. */
rv_var rv_cell_fit(rv_cell *k, rv_var x, const char *name);

/* ---- pre-activations of gates and candidates ---- */

/* x + b with the parameter b = `name` [units] along axis 1, initially 0 or as `init` says. With the
 * option `bias` off, b keeps its initial values. The sum is named after the gate: "pre-g" for the
 * bias "bg". A `shape` [size] is that of another vector along axis 1, any other that of one sample;
 * RV_SCALAR: [units]. */
rv_var rv_cell_bias(rv_cell *k, rv_var x, const char *name);
rv_var rv_cell_bias_from(rv_cell *k, rv_var x, const char *name, rv_shape shape, rv_init init);

/* The same for a forget gate: the bias is initially 1 + forget_shift. */
rv_var rv_cell_forget_bias(rv_cell *k, rv_var x, const char *name);

/* W h + U x + b; for g = "i" the maps are "Wi" and "Ui", and the bias is "bi". Recurrent dropout
 * applies to h even if it is not a state. */
rv_var rv_cell_affine(rv_cell *k, rv_var x, rv_var h, const char *g);
rv_var rv_cell_forget_affine(rv_cell *k, rv_var x, rv_var h, const char *g);

/* The elementwise product of x and the parameter `name` [units] along axis 1, or of another shape,
 * as of a bias. */
rv_var rv_cell_scale(rv_cell *k, rv_var x, const char *name, rv_shape shape, rv_init init);

/* The same parameter by itself: a vector as one sample [1,units,1,..] with the rank of x. */
rv_var rv_cell_vector(rv_cell *k, rv_var x, const char *name, rv_shape shape, rv_init init);

/* The activation of candidates: tanh, or the one in the options. */
rv_var rv_cell_tanh(rv_cell *k, rv_var x);

#ifdef __cplusplus
}
#endif

#endif
