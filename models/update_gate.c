/* The CURNN article's sibling: an update-gate net of four scalar weights, both gates tanh. */
#include "models/models.h"
#include "ops/ops.h"

static rv_var weight(rv_cell *k, const char *name)
{
    return rv_cell_parameter(k, name, RV_SCALAR, rv_init_uniform(-1, 1));
}

/* x, h [n,1] */
void rv_update_gate(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var c =
        rv_tanh(rv_add(rv_multiply(weight(k, "w_xc"), x), rv_multiply(weight(k, "w_recc"), *h)));
    rv_var g =
        rv_tanh(rv_add(rv_multiply(weight(k, "w_xg"), x), rv_multiply(weight(k, "w_recg"), *h)));
    *h = rv_lerp(c, *h, g);
}
