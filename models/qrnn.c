/* QRNN, the quasi-recurrent net with fo-pooling (Bradbury et al. 2017, arXiv 1611.01576): gates see this input and
 * the one before. States: h[0] the output, h[1] the memory c, h[2] the input before. */
#include "models/models.h"
#include "ops/ops.h"

void rv_qrnn(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var z = rv_cell_activate(k, rv_cell_affine(k, x, h[2], "z", 0));
    rv_var f = rv_sigmoid(rv_cell_affine(k, x, h[2], "f", rv_cell_forget(k)));
    rv_var o = rv_sigmoid(rv_cell_affine(k, x, h[2], "o", 0));
    h[1] = rv_lerp(z, h[1], f);
    h[0] = rv_multiply(o, h[1]);
    h[2] = x;
}
