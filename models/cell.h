/* What the step of a cell is written with: parameters by name, maps, biases. A step is a function of type
 * rv_cell_step (rnn.h). What the options ask of a step (recurrent dropout, biases or none, the offset of forget
 * gates, another activation, layer normalization) these functions do. */
#ifndef RV_MODELS_CELL_H
#define RV_MODELS_CELL_H

#include "models/rnn.h"

#ifdef __cplusplus
extern "C" {
#endif

const rv_rnn_options *rv_cell_options(const rv_cell *k);

/* A parameter of the cell; its name, of at most 100 bytes, gets the cell's prefix. */
rv_var rv_cell_parameter(rv_cell *k, const char *name, rv_shape shape, rv_init init);

/* ---- maps ----
 *
 * A map reads the states with the options' recurrent dropout: its argument may be a state, or a state padded,
 * concatenated or multiplied by a gate (at most 4 ops deep, each linear in the state). */

/* The map W: x [n,inputs] times the parameter `name` [inputs,units]; or, when the options give a kernel size,
 * the convolution of x [n,c,h,w] with `name` [units,c,kernel,kernel] that keeps height and width. So one
 * cell serves dense and convolutional nets. Uniform in +-1/sqrt(inputs), +-1/sqrt(c kernel kernel), or as
 * `init` says. With layer_norm, normalized over all axes but the first and times "name/gain" [units], 1 at first. */
rv_var rv_cell_map(rv_cell *k, rv_var x, const char *name);
rv_var rv_cell_map_from(rv_cell *k, rv_var x, const char *name, rv_init init);

/* "Valid" cross-correlation of x [n,c,h,w] with the parameter `name` [units,c,size,size], uniform in
 * +-1/sqrt(c size size). */
rv_var rv_cell_conv(rv_cell *k, rv_var x, const char *name, int64_t size);

/* x, if it has `units` channels; else the map `name` of it. */
rv_var rv_cell_fit(rv_cell *k, rv_var x, const char *name);

/* ---- what gates and candidates are functions of ---- */

/* x + b with the parameter `name` [units] along axis 1, zero at first, or `initial`. Without biases x + initial.
 * The sum is named after the gate, "pre-g" for the bias "bg". */
rv_var rv_cell_bias(rv_cell *k, rv_var x, const char *name);
rv_var rv_cell_bias_from(rv_cell *k, rv_var x, const char *name, double initial);

/* The bias of a gate that keeps the state: 1 + the options' forget_shift at first. */
rv_var rv_cell_forget_bias(rv_cell *k, rv_var x, const char *name);

/* W h + U x + b, for g = "i" with the maps "Wi" and "Ui" and the bias "bi". h is read with recurrent dropout, whatever
 * it is. */
rv_var rv_cell_affine(rv_cell *k, rv_var x, rv_var h, const char *g);
rv_var rv_cell_forget_affine(rv_cell *k, rv_var x, rv_var h, const char *g);

/* p . x with the parameter `name` [units] along axis 1, `initial` at first. */
rv_var rv_cell_scale(rv_cell *k, rv_var x, const char *name, double initial);

/* The activation of candidates: tanh, or that of the options. */
rv_var rv_cell_tanh(rv_cell *k, rv_var x);

#ifdef __cplusplus
}
#endif

#endif
