/* GRU, the gated recurrent unit (Cho et al. 2014, arXiv 1406.1078), with the reset gate before the product
 * and the update gate as Collins et al. (arXiv 1611.09913) write it: u near 1 keeps the state. */
#include "models/models.h"
#include "ops/ops.h"

void rv_gru(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var R = rv_add(rv_cell_map(k, *h, "Wr"), rv_cell_map(k, x, "Ur"));
    rv_var U = rv_add(rv_cell_map(k, *h, "Wu"), rv_cell_map(k, x, "Uu"));
    rv_var r = rv_sigmoid(rv_cell_bias(k, R, "br", 0));
    rv_var u = rv_sigmoid(rv_cell_bias(k, U, "bu", 1));
    rv_var C = rv_add(rv_cell_map(k, rv_multiply(r, *h), "Wc"), rv_cell_map(k, x, "Uc"));
    rv_var c = rv_tanh(rv_cell_bias(k, C, "bc", 0));
    *h = rv_lerp(c, *h, u);
}
