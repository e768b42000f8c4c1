/* The plain recurrent nets: RNN (Elman 1990), and IRNN (Le, Jaitly and Hinton 2015, arXiv 1504.00941), which
 * starts as a memory: recurrent weights the identity, rectified. */
#include "models/models.h"
#include "ops/ops.h"

void rv_simple_rnn(rv_cell *k, rv_var x, rv_var *h)
{
    *h = rv_cell_activate(k, rv_cell_affine(k, x, *h, "", 0));
}

void rv_irnn(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var W = rv_cell_map_from(k, rv_cell_recall(k, *h), "W", rv_init_identity());
    *h = rv_relu(rv_cell_bias(k, rv_add(W, rv_cell_map(k, x, "U")), "b", 0));
}
