/* SRU, the simple recurrent unit (Lei et al. 2018, arXiv 1709.02755): all products are of the input alone, the state
 * meets its own gates through diagonals. States: h[0] the output, h[1] the memory c. */
#include "models/models.h"
#include "ops/ops.h"

static rv_var gate(rv_cell *k, rv_var u, rv_var c, const char *v, const char *b, double offset)
{
    return rv_sigmoid(rv_cell_bias(k, rv_add(u, rv_cell_scale(k, c, v, 0)), b, offset));
}

void rv_sru(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var f = gate(k, rv_cell_map(k, x, "U1"), h[1], "vf", "bf", rv_cell_forget(k));
    rv_var r = gate(k, rv_cell_map(k, x, "U2"), h[1], "vr", "br", 0);
    h[1] = rv_lerp(rv_cell_map(k, x, "U0"), h[1], f);
    h[0] = rv_lerp(rv_cell_fit(k, x, "Ux"), h[1], r);
}
