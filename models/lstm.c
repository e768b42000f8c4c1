/* LSTM, the long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al.
 * 2000). States: h[0] the output, h[1] the memory cell c. With a kernel size the ConvLSTM (Shi et al. 2015, arXiv
 * 1506.04214). */
#include "models/models.h"
#include "ops/ops.h"

void rv_lstm(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var i = rv_sigmoid(rv_cell_affine(k, x, h[0], "i", 0));
    rv_var f = rv_sigmoid(rv_cell_affine(k, x, h[0], "f", rv_cell_forget(k)));
    rv_var o = rv_sigmoid(rv_cell_affine(k, x, h[0], "o", 0));
    rv_var z = rv_cell_activate(k, rv_cell_affine(k, x, h[0], "z", 0));
    h[1] = rv_add(rv_multiply(f, h[1]), rv_multiply(i, z));
    h[0] = rv_multiply(o, rv_tanh(h[1]));
}

/* The gates also see the memory, o the new one, through the diagonals p (Gers et al. 2002), one number a
 * channel. */
void rv_lstm_peephole(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var I = rv_cell_affine(k, x, h[0], "i", 0), O = rv_cell_affine(k, x, h[0], "o", 0);
    rv_var F = rv_cell_affine(k, x, h[0], "f", rv_cell_forget(k));
    rv_var i = rv_sigmoid(rv_add(I, rv_cell_scale(k, h[1], "pi", 0)));
    rv_var f = rv_sigmoid(rv_add(F, rv_cell_scale(k, h[1], "pf", 0)));
    rv_var z = rv_cell_activate(k, rv_cell_affine(k, x, h[0], "z", 0));
    h[1] = rv_add(rv_multiply(f, h[1]), rv_multiply(i, z));
    rv_var o = rv_sigmoid(rv_add(O, rv_cell_scale(k, h[1], "po", 0)));
    h[0] = rv_multiply(o, rv_tanh(h[1]));
}
