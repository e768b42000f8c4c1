/* CURNN exactly as the article "Only Numpy: Convolutional Update Gate RNN" (Seo 2018) computes it: true
 * convolutions, an arctan for the gate, no biases. */
#include "models/models.h"
#include "ops/ops.h"

static rv_var convolve(rv_cell *k, rv_var x, const char *name, int64_t size, double deviation)
{
    return rv_true_conv2d(
        x, rv_cell_parameter(k, name, RV_SHAPE(1, 1, size, size), rv_init_normal(0, deviation)));
}

/* x [n,1,8,8], h [n,1,4,4] */
void rv_curnn_blog(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var hp = rv_pad2d(*h, 1);
    rv_var c = rv_tanh(rv_add(convolve(k, hp, "Wrecc", 3, 0.002), convolve(k, x, "Wxc", 5, 0.5)));
    rv_var g = rv_arctan(rv_add(convolve(k, hp, "Wrecg", 3, 0.002), convolve(k, x, "Wxg", 5, 0.5)));
    *h = rv_lerp(c, *h, g);
}
