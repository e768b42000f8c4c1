/* What the step of a cell is written with: parameters by name, maps, biases. A step is a function of type
 * rv_cell_step (rnn.h). */
#ifndef RV_MODELS_CELL_H
#define RV_MODELS_CELL_H

#include "models/rnn.h"

#ifdef __cplusplus
extern "C" {
#endif

const rv_rnn_options *rv_cell_options(const rv_cell *k);

/* A parameter of the cell; its name, of at most 100 bytes, gets the cell's prefix. */
rv_var rv_cell_parameter(rv_cell *k, const char *name, rv_shape shape, rv_init init);

/* The map W: x [n,inputs] times the parameter `name` [inputs,units]; or, when the options give a kernel size,
 * the convolution of x [n,c,h,w] with `name` [units,c,kernel,kernel] that keeps height and width. So one
 * cell serves dense and convolutional nets. Uniform in +-1/sqrt(inputs), +-1/sqrt(c kernel kernel), or as
 * `init` says. With layer_norm, normalized over all axes but the first and times "name/gain" [units], 1 at first. */
rv_var rv_cell_map(rv_cell *k, rv_var x, const char *name);
rv_var rv_cell_map_from(rv_cell *k, rv_var x, const char *name, rv_init init);

/* "Valid" cross-correlation of x [n,c,h,w] with the parameter `name` [units,c,size,size], uniform in
 * +-1/sqrt(c size size). */
rv_var rv_cell_conv(rv_cell *k, rv_var x, const char *name, int64_t size);

/* x + b with the parameter `name` [units] along axis 1, `offset` at first; with biases switched off
 * x + offset. */
rv_var rv_cell_bias(rv_cell *k, rv_var x, const char *name, double offset);

/* What a gate or candidate called g, say, is a function of: W h + U x + b, with the maps "Wg" and "Ug" and
 * the bias "bg". */
rv_var rv_cell_affine(rv_cell *k, rv_var x, rv_var h, const char *g, double offset);

/* The state h as maps read it: with the options' recurrent dropout. rv_cell_affine does that itself. */
rv_var rv_cell_recall(rv_cell *k, rv_var h);

/* p . x with the parameter `name` [units] along axis 1, `initial` at first. */
rv_var rv_cell_scale(rv_cell *k, rv_var x, const char *name, double initial);

/* x, if it has `units` channels; else the map `name` of it. */
rv_var rv_cell_fit(rv_cell *k, rv_var x, const char *name);

/* The activation of the options, and the offset b^f of the gates that keep the state. */
rv_var rv_cell_activate(rv_cell *k, rv_var x);
double rv_cell_forget(const rv_cell *k);

#ifdef __cplusplus
}
#endif

#endif
