/* LEM, long expressive memory (Rusch et al. 2022, arXiv 2110.04744), with a largest time step of 1. States:
 * h[0] is y, h[1] is z. */
#include "models/models.h"
#include "ops/ops.h"

void rv_lem(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var d1 = rv_sigmoid(rv_cell_affine(k, x, h[0], "1", 0));
    rv_var d2 = rv_sigmoid(rv_cell_affine(k, x, h[0], "2", 0));
    rv_var z = rv_cell_activate(k, rv_cell_affine(k, x, h[0], "z", 0));
    h[1] = rv_lerp(h[1], z, d2);
    rv_var y = rv_cell_activate(k, rv_cell_affine(k, x, h[1], "y", 0));
    h[0] = rv_lerp(h[0], y, d1);
}
