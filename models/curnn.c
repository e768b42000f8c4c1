/* CURNN, the Convolutional Update Gate RNN (Seo 2018): the update-gate RNN of Collins,
 * Sohl-Dickstein and Sussillo (arXiv 1611.09913) with convolutions instead of matrix products. */
#include "models/models.h"
#include "ops/ops.h"

/* x [n,c,H,W], h [n,units,H-4,W-4] */
void rv_curnn(rv_cell *k, rv_var x, rv_var *h)
{
    if (!k || !h) return;
    rv_var hp = rv_pad2d(*h, 1);
    rv_var G = rv_add(rv_cell_conv(k, x, "Wxg", 5), rv_cell_conv(k, hp, "Wrecg", 3));
    rv_var C = rv_add(rv_cell_conv(k, x, "Wxc", 5), rv_cell_conv(k, hp, "Wrecc", 3));
    rv_var g = rv_sigmoid(rv_cell_forget_bias(k, G, "bg"));
    rv_var c = rv_cell_tanh(k, rv_cell_bias(k, C, "bc"));
    *h = rv_lerp(c, *h, g);
}
