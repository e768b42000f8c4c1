/* +RNN, the intersection RNN (Collins, Sohl-Dickstein and Sussillo 2016, arXiv 1611.09913): one gate along
 * time, one along depth. States: h[0] the output y, h[1] the state. */
#include "models/models.h"
#include "ops/ops.h"

void rv_intersection_rnn(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var y = rv_relu(rv_cell_affine(k, x, h[1], "y", 0));
    rv_var c = rv_cell_activate(k, rv_cell_affine(k, x, h[1], "h", 0));
    rv_var gy = rv_sigmoid(rv_cell_affine(k, x, h[1], "gy", rv_cell_forget(k)));
    rv_var gh = rv_sigmoid(rv_cell_affine(k, x, h[1], "gh", rv_cell_forget(k)));
    h[0] = rv_lerp(y, rv_cell_fit(k, x, "Ux"), gy);
    h[1] = rv_lerp(c, h[1], gh);
}
