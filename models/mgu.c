/* MGU, the minimal gated unit (Zhou et al. 2016, arXiv 1603.09420): one gate forgets and updates. */
#include "models/models.h"
#include "ops/ops.h"

void rv_mgu(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var f = rv_sigmoid(rv_cell_affine(k, x, *h, "f", 0));
    rv_var c = rv_cell_activate(k, rv_cell_affine(k, x, rv_multiply(f, *h), "c", 0));
    *h = rv_lerp(*h, c, f);
}
