/* UGRNN, the update-gate RNN (Collins, Sohl-Dickstein and Sussillo 2016, arXiv 1611.09913): CURNN's ancestor,
 * and with a kernel size the ConvUGRNN. */
#include "models/models.h"
#include "ops/ops.h"

void rv_ugrnn(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var g = rv_sigmoid(rv_cell_affine(k, x, *h, "g", rv_cell_forget(k)));
    rv_var c = rv_cell_activate(k, rv_cell_affine(k, x, *h, "c", 0));
    *h = rv_lerp(c, *h, g);
}
