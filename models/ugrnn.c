/* UGRNN, the update-gate RNN (Collins, Sohl-Dickstein and Sussillo, arXiv 1611.09913): CURNN's ancestor,
 * and with a kernel size the ConvUGRNN. */
#include "models/models.h"
#include "ops/ops.h"

void rv_ugrnn(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var G = rv_add(rv_cell_map(k, *h, "Wg"), rv_cell_map(k, x, "Ug"));
    rv_var C = rv_add(rv_cell_map(k, *h, "Wc"), rv_cell_map(k, x, "Uc"));
    rv_var g = rv_sigmoid(rv_cell_bias(k, G, "bg", 1));
    rv_var c = rv_tanh(rv_cell_bias(k, C, "bc", 0));
    *h = rv_lerp(c, *h, g);
}
