/* minGRU (Feng et al. 2024, arXiv 2410.01201): gate and candidate see the input alone. */
#include "models/models.h"
#include "ops/ops.h"

void rv_mingru(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var z = rv_sigmoid(rv_cell_bias(k, rv_cell_map(k, x, "Uz"), "bz", 0));
    rv_var c = rv_cell_bias(k, rv_cell_map(k, x, "Uh"), "bh", 0);
    *h = rv_lerp(*h, c, z);
}
