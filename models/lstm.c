/* LSTM, the long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al.
 * 2000). States: h[0] the output, h[1] the memory cell c. */
#include "models/models.h"
#include "ops/ops.h"

static rv_var gate(rv_cell *k, rv_var x, rv_var h, const char *W, const char *U, const char *b,
                   double offset)
{
    return rv_cell_bias(k, rv_add(rv_cell_map(k, h, W), rv_cell_map(k, x, U)), b, offset);
}

void rv_lstm(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var i = rv_sigmoid(gate(k, x, h[0], "Wi", "Ui", "bi", 0));
    rv_var f = rv_sigmoid(gate(k, x, h[0], "Wf", "Uf", "bf", 1));
    rv_var o = rv_sigmoid(gate(k, x, h[0], "Wo", "Uo", "bo", 0));
    rv_var z = rv_tanh(gate(k, x, h[0], "Wz", "Uz", "bz", 0));
    h[1] = rv_add(rv_multiply(f, h[1]), rv_multiply(i, z));
    h[0] = rv_multiply(o, rv_tanh(h[1]));
}
