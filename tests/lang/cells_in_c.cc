// The cells of models/*.rv once more, in C: what their texts must be equal to, node by node.
#include "tests/lang/cells_in_c.h"

namespace {

void simple_rnn_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    *h = rv_cell_tanh(k, rv_cell_affine(k, x, *h, ""));
}

void irnn_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var W = rv_cell_map_with(k, *h, "W", {0, 0, rv_init_identity()});
    *h = rv_relu(rv_cell_bias(k, rv_add(W, rv_cell_map(k, x, "U")), "b"));
}

void ugrnn_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var g = rv_sigmoid(rv_cell_forget_affine(k, x, *h, "g"));
    rv_var c = rv_cell_tanh(k, rv_cell_affine(k, x, *h, "c"));
    *h = rv_lerp(c, *h, g);
}

void gru_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var r = rv_sigmoid(rv_cell_affine(k, x, *h, "r"));
    rv_var u = rv_sigmoid(rv_cell_forget_affine(k, x, *h, "u"));
    rv_var c = rv_cell_tanh(k, rv_cell_affine(k, x, rv_multiply(r, *h), "c"));
    *h = rv_lerp(c, *h, u);
}

void lstm_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var i = rv_sigmoid(rv_cell_affine(k, x, h[0], "i"));
    rv_var f = rv_sigmoid(rv_cell_forget_affine(k, x, h[0], "f"));
    rv_var o = rv_sigmoid(rv_cell_affine(k, x, h[0], "o"));
    rv_var z = rv_cell_tanh(k, rv_cell_affine(k, x, h[0], "z"));
    h[1] = rv_add(rv_multiply(f, h[1]), rv_multiply(i, z));
    h[0] = rv_multiply(o, rv_tanh(h[1]));
}

/* The gates also see the memory, o the new one, through the diagonals p (Gers et al. 2002), one
 * number a channel. */
void lstm_peephole_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var I = rv_cell_affine(k, x, h[0], "i");
    rv_var i = rv_sigmoid(rv_add(I, rv_cell_scale(k, h[1], "pi", RV_SCALAR, rv_init_constant(0))));
    rv_var F = rv_cell_forget_affine(k, x, h[0], "f");
    rv_var f = rv_sigmoid(rv_add(F, rv_cell_scale(k, h[1], "pf", RV_SCALAR, rv_init_constant(0))));
    rv_var z = rv_cell_tanh(k, rv_cell_affine(k, x, h[0], "z"));
    h[1] = rv_add(rv_multiply(f, h[1]), rv_multiply(i, z));
    rv_var O = rv_cell_affine(k, x, h[0], "o");
    rv_var o = rv_sigmoid(rv_add(O, rv_cell_scale(k, h[1], "po", RV_SCALAR, rv_init_constant(0))));
    h[0] = rv_multiply(o, rv_tanh(h[1]));
}

void intersection_rnn_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var y = rv_relu(rv_cell_affine(k, x, h[1], "y"));
    rv_var c = rv_cell_tanh(k, rv_cell_affine(k, x, h[1], "h"));
    rv_var gy = rv_sigmoid(rv_cell_forget_affine(k, x, h[1], "gy"));
    rv_var gh = rv_sigmoid(rv_cell_forget_affine(k, x, h[1], "gh"));
    h[0] = rv_lerp(y, rv_cell_fit(k, x, "Ux"), gy);
    h[1] = rv_lerp(c, h[1], gh);
}

void mgu_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var f = rv_sigmoid(rv_cell_affine(k, x, *h, "f"));
    rv_var c = rv_cell_tanh(k, rv_cell_affine(k, x, rv_multiply(f, *h), "c"));
    *h = rv_lerp(*h, c, f);
}

rv_var between_0_and_1(rv_cell *k, const char *name, double start)
{
    return rv_sigmoid(rv_cell_parameter(k, name, RV_SCALAR, rv_init_constant(start)));
}

void fastgrnn_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var a = rv_add(rv_cell_map(k, *h, "W"), rv_cell_map(k, x, "U"));
    rv_var z = rv_sigmoid(rv_cell_forget_bias(k, a, "bz"));
    rv_var c = rv_cell_tanh(k, rv_cell_bias(k, a, "bc"));
    rv_var zeta = between_0_and_1(k, "zeta", 1), nu = between_0_and_1(k, "nu", -4);
    rv_var share = rv_add(rv_multiply(zeta, rv_one_minus(z)), nu);
    *h = rv_add(rv_multiply(share, c), rv_multiply(z, *h));
}

void sru_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var F = rv_add(rv_cell_map(k, x, "U1"),
                      rv_cell_scale(k, h[1], "vf", RV_SCALAR, rv_init_constant(0)));
    rv_var R = rv_add(rv_cell_map(k, x, "U2"),
                      rv_cell_scale(k, h[1], "vr", RV_SCALAR, rv_init_constant(0)));
    rv_var f = rv_sigmoid(rv_cell_forget_bias(k, F, "bf"));
    rv_var r = rv_sigmoid(rv_cell_bias(k, R, "br"));
    h[1] = rv_lerp(rv_cell_map(k, x, "U0"), h[1], f);
    h[0] = rv_lerp(rv_cell_fit(k, x, "Ux"), h[1], r);
}

void qrnn_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var z = rv_cell_tanh(k, rv_cell_affine(k, x, h[2], "z"));
    rv_var f = rv_sigmoid(rv_cell_forget_affine(k, x, h[2], "f"));
    rv_var o = rv_sigmoid(rv_cell_affine(k, x, h[2], "o"));
    h[1] = rv_lerp(z, h[1], f);
    h[0] = rv_multiply(o, h[1]);
    h[2] = x;
}

void lem_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var d1 = rv_sigmoid(rv_cell_affine(k, x, h[0], "1"));
    rv_var d2 = rv_sigmoid(rv_cell_affine(k, x, h[0], "2"));
    rv_var z = rv_cell_tanh(k, rv_cell_affine(k, x, h[0], "z"));
    h[1] = rv_lerp(h[1], z, d2);
    rv_var y = rv_cell_tanh(k, rv_cell_affine(k, x, h[1], "y"));
    h[0] = rv_lerp(h[0], y, d1);
}

void mingru_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var z = rv_sigmoid(rv_cell_bias(k, rv_cell_map(k, x, "Uz"), "bz"));
    rv_var c = rv_cell_bias(k, rv_cell_map(k, x, "Uh"), "bh");
    *h = rv_lerp(*h, c, z);
}

void minlstm_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var f = rv_sigmoid(rv_cell_forget_bias(k, rv_cell_map(k, x, "Uf"), "bf"));
    rv_var i = rv_sigmoid(rv_cell_bias(k, rv_cell_map(k, x, "Ui"), "bi"));
    rv_var kept = rv_multiply(f, *h), c = rv_cell_bias(k, rv_cell_map(k, x, "Uh"), "bh");
    rv_var sum = rv_add(kept, rv_multiply(i, c));
    *h = rv_divide(sum, rv_add(f, i));
}

void janet_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var a = rv_cell_forget_affine(k, x, *h, "f"),
           c = rv_cell_tanh(k, rv_cell_affine(k, x, *h, "c"));
    rv_var i = rv_one_minus(rv_sigmoid(rv_shift(a, -1)));
    *h = rv_add(rv_multiply(rv_sigmoid(a), *h), rv_multiply(i, c));
}

void torch_gru_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var r = rv_sigmoid(rv_cell_affine(k, x, *h, "r"));
    rv_var u = rv_sigmoid(rv_cell_forget_affine(k, x, *h, "u"));
    rv_var own = rv_cell_bias(k, rv_cell_map(k, x, "Uc"), "bc");
    rv_var past = rv_cell_bias(k, rv_cell_map(k, *h, "Wc"), "bh");
    *h = rv_lerp(rv_cell_tanh(k, rv_add(own, rv_multiply(r, past))), *h, u);
}

void rg_lru_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var r = rv_sigmoid(rv_cell_bias(k, rv_cell_map(k, x, "Ur"), "br"));
    rv_var i = rv_sigmoid(rv_cell_bias(k, rv_cell_map(k, x, "Ui"), "bi"));
    rv_var l = rv_softplus(rv_cell_vector(k, x, "l", RV_SCALAR, rv_init_uniform(-6.9, -2.2)));
    rv_var a = rv_multiply(rv_scale(r, -8), l);
    rv_var rest = rv_negate(rv_expm1(rv_scale(a, 2)));
    rv_var root = rv_sqrt(rv_maximum(rest, rv_scalar(rest.tape, 0.0005 * 0.0005)));
    rv_var input = rv_multiply(rv_multiply(root, i), rv_cell_fit(k, x, "Ux"));
    *h = rv_add(rv_multiply(rv_exp(a), *h), input);
}

rv_var true_convolve(rv_cell *k, rv_var x, const char *name, int64_t size, double deviation)
{
    return rv_true_conv2d(
        x, rv_cell_parameter(k, name, RV_SHAPE(1, 1, size, size), rv_init_normal(0, deviation)));
}

/* x [n,1,8,8], h [n,1,4,4] */
void curnn_blog_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var hp = rv_pad2d(*h, 1);
    rv_var c = rv_tanh(
        rv_add(true_convolve(k, hp, "Wrecc", 3, 0.002), true_convolve(k, x, "Wxc", 5, 0.5)));
    rv_var g = rv_arctan(
        rv_add(true_convolve(k, hp, "Wrecg", 3, 0.002), true_convolve(k, x, "Wxg", 5, 0.5)));
    *h = rv_lerp(c, *h, g);
}

rv_var weight(rv_cell *k, const char *name)
{
    return rv_cell_parameter(k, name, RV_SCALAR, rv_init_uniform(-1, 1));
}

/* x, h [n,1] */
void update_gate_in_c(rv_cell *k, rv_var x, rv_var *h)
{
    rv_var c =
        rv_tanh(rv_add(rv_multiply(weight(k, "w_xc"), x), rv_multiply(weight(k, "w_recc"), *h)));
    rv_var g =
        rv_tanh(rv_add(rv_multiply(weight(k, "w_xg"), x), rv_multiply(weight(k, "w_recg"), *h)));
    *h = rv_lerp(c, *h, g);
}

} // namespace

std::vector<CellInC> cells_in_c()
{
    return {
        {"rnn", simple_rnn_in_c},
        {"irnn", irnn_in_c},
        {"ugrnn", ugrnn_in_c},
        {"gru", gru_in_c},
        {"lstm", lstm_in_c},
        {"lstm_peephole", lstm_peephole_in_c},
        {"intersection_rnn", intersection_rnn_in_c},
        {"mgu", mgu_in_c},
        {"fastgrnn", fastgrnn_in_c},
        {"sru", sru_in_c},
        {"qrnn", qrnn_in_c},
        {"lem", lem_in_c},
        {"mingru", mingru_in_c},
        {"minlstm", minlstm_in_c},
        {"janet", janet_in_c},
        {"torch_gru", torch_gru_in_c},
        {"rg_lru", rg_lru_in_c},
        {"curnn_blog", curnn_blog_in_c},
        {"update_gate", update_gate_in_c},
        {"curnn", rv_curnn}, // the library's own
    };
}
