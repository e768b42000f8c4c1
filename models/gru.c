/* GRU, the gated recurrent unit (Cho et al. 2014, arXiv 1406.1078), with the reset gate before the product
 * and the update gate as Collins et al. (arXiv 1611.09913) write it: u near 1 keeps the state. With a kernel
 * size the ConvGRU (Ballas et al. 2016, arXiv 1511.06432). */
#include "models/models.h"
#include "ops/ops.h"

void rv_gru(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var r = rv_sigmoid(rv_cell_affine(k, x, *h, "r", 0));
    rv_var u = rv_sigmoid(rv_cell_affine(k, x, *h, "u", rv_cell_forget(k)));
    rv_var c = rv_cell_activate(k, rv_cell_affine(k, x, rv_multiply(r, *h), "c", 0));
    *h = rv_lerp(c, *h, u);
}
