/* FastGRNN (Kusupati et al. 2018, arXiv 1901.02358): gate and candidate share their maps; zeta and nu are two
 * learned numbers in 0..1. */
#include "models/models.h"
#include "ops/ops.h"

static rv_var between_0_and_1(rv_cell *k, const char *name, double start)
{
    return rv_sigmoid(rv_cell_parameter(k, name, RV_SCALAR, rv_init_constant(start)));
}

void rv_fastgrnn(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var a = rv_add(rv_cell_map(k, rv_cell_recall(k, *h), "W"), rv_cell_map(k, x, "U"));
    rv_var z = rv_sigmoid(rv_cell_bias(k, a, "bz", rv_cell_forget(k)));
    rv_var c = rv_cell_activate(k, rv_cell_bias(k, a, "bc", 0));
    rv_var zeta = between_0_and_1(k, "zeta", 1), nu = between_0_and_1(k, "nu", -4);
    rv_var share = rv_add(rv_multiply(zeta, rv_one_minus(z)), nu);
    *h = rv_add(rv_multiply(share, c), rv_multiply(z, *h));
}
