/* The optimizers: each rule is the published update. w is the parameter, g its gradient, r the
 * learning rate; a primed name is a state's next value. Constants and the positions of epsilons are
 * PyTorch's where it has the optimizer. */
#include <math.h>
#include <string.h>

#include "ops/ops.h"
#include "optim/optim.h"

static rv_var step(const rv_update *u, rv_var direction)
{
    return rv_subtract(u->w, rv_multiply(u->learning_rate, direction));
}

/* k x + (1 - k) y */
static rv_var mix(double k, rv_var x, rv_var y)
{
    return rv_add(rv_scale(x, k), rv_scale(y, 1 - k));
}

/* m' = k m + (1 - k) x: an exponential moving average. */
static rv_var average(const rv_update *u, rv_var m, double k, rv_var x)
{
    return rv_remember(u, m, mix(k, m, x));
}

/* 1 - k^t after t averages, as the same average of a constant 1. Dividing by it removes the bias of
 * an average that starts at zero. */
static rv_var correction(const rv_update *u, const char *symbol, double k)
{
    char name[64] = "optimizer/";
    rv_var q = rv_state(u->w.tape, strncat(name, symbol, 32), RV_SCALAR, rv_init_constant(0));
    return average(u, q, k, rv_scalar(u->w.tape, 1));
}

/* sqrt(s) + e */
static rv_var root(const rv_update *u, rv_var s)
{
    return rv_shift(rv_sqrt(s), u->optimizer->epsilon);
}

/* ---- along the gradient ---- */

static rv_var sgd(const rv_update *u) { return step(u, u->g); }

/* Polyak 1964, as the CURNN article writes it: the velocity contains the learning rate, so a new
 * rate does not change steps that the velocity already holds. PyTorch multiplies the velocity by
 * the rate. */
static rv_var momentum(const rv_update *u)
{
    rv_var v = rv_moment(u, "v");
    v = rv_remember(
        u, v, rv_add(rv_scale(v, u->optimizer->momentum), rv_multiply(u->learning_rate, u->g)));
    return rv_subtract(u->w, v);
}

/* Nesterov 1983, in the form of Sutskever et al. 2013: the step looks ahead along the velocity. */
static rv_var nesterov(const rv_update *u)
{
    double mu = u->optimizer->momentum;
    rv_var v = rv_moment(u, "v"), push = rv_multiply(u->learning_rate, u->g);
    v = rv_remember(u, v, rv_add(rv_scale(v, mu), push));
    return rv_subtract(u->w, rv_add(rv_scale(v, mu), push));
}

/* ---- scaled by the size of past gradients ---- */

/* Duchi, Hazan and Singer 2011. */
static rv_var adagrad(const rv_update *u)
{
    rv_var s = rv_moment(u, "s");
    s = rv_remember(u, s, rv_add(s, rv_square(u->g)));
    return step(u, rv_divide(u->g, root(u, s)));
}

/* Zeiler 2012. */
static rv_var adadelta(const rv_update *u)
{
    double k = u->optimizer->decay, e = u->optimizer->epsilon;
    rv_var s = average(u, rv_moment(u, "s"), k, rv_square(u->g)), d = rv_moment(u, "d");
    rv_var scale = rv_divide(rv_sqrt(rv_shift(d, e)), rv_sqrt(rv_shift(s, e)));
    rv_var x = rv_multiply(scale, u->g);
    average(u, d, k, rv_square(x));
    return step(u, x);
}

/* Tieleman and Hinton 2012. */
static rv_var rmsprop(const rv_update *u)
{
    rv_var s = average(u, rv_moment(u, "s"), u->optimizer->decay, rv_square(u->g));
    return step(u, rv_divide(u->g, root(u, s)));
}

/* Shazeer and Stern 2018, algorithm 4 with decay b = 1 - t^-k, without relative step sizes and
 * momentum. Of a matrix s (the last two axes; others are batches of matrices) only the means R of
 * rows and C of columns are kept: s = R C / mean(R). A vector's s is kept whole. e is added to g^2,
 * and the step's root mean square is at most 1. */
static rv_var adafactor(const rv_update *u)
{
    const rv_optimizer *o = u->optimizer;
    rv_shape shape = rv_shape_of(u->w);
    rv_var t = rv_shift(rv_update_step(u), 1), g2 = rv_shift(rv_square(u->g), o->epsilon), d;
    rv_var fresh = rv_exp(rv_scale(rv_log(t), -o->decay)); /* 1 - b */
    if (shape.rank < 2) {
        rv_var s = rv_moment(u, "s");
        s = rv_remember(u, s, rv_lerp(s, g2, fresh));
        d = rv_divide(u->g, rv_sqrt(s));
    } else {
        unsigned last = 1u << (shape.rank - 1), before = last >> 1;
        rv_shape rows = shape, columns = shape;
        rows.dim[shape.rank - 1] = columns.dim[shape.rank - 2] = 1;
        rv_var R = rv_moment_shaped(u, "row", rows), C = rv_moment_shaped(u, "column", columns);
        R = rv_remember(u, R, rv_lerp(R, rv_mean(g2, last, true), fresh));
        C = rv_remember(u, C, rv_lerp(C, rv_mean(g2, before, true), fresh));
        /* two roots, as the product of two small factors may underflow in f32 */
        d = rv_divide(u->g, rv_sqrt(rv_divide(R, rv_mean(R, before, true))));
        d = rv_divide(d, rv_sqrt(C));
    }
    rv_var rms = rv_sqrt(rv_mean(rv_square(d), RV_ALL_AXES, false));
    return step(u, rv_divide(d, rv_maximum(rms, rv_scalar(u->w.tape, 1))));
}

/* ---- Adam and its variants ---- */

/* m / (sqrt s + e) with both averages corrected: Kingma and Ba 2015. amsgrad divides by the largest
 * s so far: Reddi, Kale and Kumar 2018, with PyTorch's corrections. */
static rv_var adam_direction(const rv_update *u, bool amsgrad)
{
    const rv_optimizer *o = u->optimizer;
    rv_var m = average(u, rv_moment(u, "m"), o->momentum, u->g);
    rv_var s = average(u, rv_moment(u, "s"), o->decay, rv_square(u->g));
    if (amsgrad) {
        rv_var top = rv_moment(u, "top");
        s = rv_remember(u, top, rv_maximum(top, s));
    }
    rv_var m_hat = rv_divide(m, correction(u, "m_weight", o->momentum));
    rv_var s_hat = rv_divide(s, correction(u, "s_weight", o->decay));
    return rv_divide(m_hat, root(u, s_hat));
}

static rv_var adam(const rv_update *u) { return step(u, adam_direction(u, false)); }
static rv_var amsgrad(const rv_update *u) { return step(u, adam_direction(u, true)); }

/* Dozat 2016, with the paper's schedule of momenta: mu(t) = b1 (1 - 0.96^(0.004 t) / 2). */
static rv_var nadam_momentum(const rv_update *u, rv_var t)
{
    double b1 = u->optimizer->momentum;
    return rv_shift(rv_scale(rv_exp(rv_scale(t, 0.004 * log(0.96))), -b1 / 2), b1);
}

static rv_var nadam(const rv_update *u)
{
    const rv_optimizer *o = u->optimizer;
    rv_var t = rv_shift(rv_update_step(u), 1);
    rv_var mu = nadam_momentum(u, t), next_mu = nadam_momentum(u, rv_shift(t, 1));
    rv_var p = rv_state(u->w.tape, "optimizer/mu_product", RV_SCALAR, rv_init_constant(1));
    p = rv_remember(u, p, rv_multiply(p, mu));
    rv_var m = average(u, rv_moment(u, "m"), o->momentum, u->g);
    rv_var s = average(u, rv_moment(u, "s"), o->decay, rv_square(u->g));
    rv_var of_g = rv_divide(rv_one_minus(mu), rv_one_minus(p));
    rv_var of_m = rv_divide(next_mu, rv_one_minus(rv_multiply(p, next_mu)));
    rv_var ahead = rv_add(rv_multiply(of_g, u->g), rv_multiply(of_m, m));
    rv_var s_hat = rv_divide(s, correction(u, "s_weight", o->decay));
    return step(u, rv_divide(ahead, root(u, s_hat)));
}

/* Chen et al. 2023: the sign of an average. */
static rv_var lion(const rv_update *u)
{
    rv_var m = rv_moment(u, "m"), ahead = mix(u->optimizer->momentum, m, u->g);
    average(u, m, u->optimizer->decay, u->g);
    return step(u, rv_sign(ahead));
}

/* ---- the table ---- */

static const rv_optimizer optimizers[] = {
    {.name = "sgd", .rule = sgd, .learning_rate = 0.1, .formula = "w' = w - r g"},
    {.name = "momentum",
     .rule = momentum,
     .learning_rate = 0.05,
     .momentum = 0.9,
     .formula = "v' = mu v + r g;  w' = w - v'"},
    {.name = "nesterov",
     .rule = nesterov,
     .learning_rate = 0.05,
     .momentum = 0.9,
     .formula = "v' = mu v + r g;  w' = w - (mu v' + r g)"},
    {.name = "adagrad",
     .rule = adagrad,
     .learning_rate = 0.01,
     .epsilon = 1e-10,
     .formula = "s' = s + g^2;  w' = w - r g / (sqrt(s') + e)"},
    {.name = "adadelta",
     .rule = adadelta,
     .learning_rate = 1,
     .decay = 0.9,
     .epsilon = 1e-6,
     .formula = "s' = k s + (1 - k) g^2;  x = g sqrt(d + e) / sqrt(s' + e);  "
                "d' = k d + (1 - k) x^2;  w' = w - r x"},
    {.name = "rmsprop",
     .rule = rmsprop,
     .learning_rate = 1e-3,
     .decay = 0.99,
     .epsilon = 1e-8,
     .formula = "s' = k s + (1 - k) g^2;  w' = w - r g / (sqrt(s') + e)"},
    {.name = "adam",
     .rule = adam,
     .learning_rate = 1e-3,
     .momentum = 0.9,
     .decay = 0.999,
     .epsilon = 1e-8,
     .formula = "m' = b1 m + (1 - b1) g;  s' = b2 s + (1 - b2) g^2;  "
                "w' = w - r (m' / (1 - b1^t)) / (sqrt(s' / (1 - b2^t)) + e)"},
    {.name = "amsgrad",
     .rule = amsgrad,
     .learning_rate = 1e-3,
     .momentum = 0.9,
     .decay = 0.999,
     .epsilon = 1e-8,
     .formula = "m' = b1 m + (1 - b1) g;  s' = b2 s + (1 - b2) g^2;  top' = max(top, s');  "
                "w' = w - r (m' / (1 - b1^t)) / (sqrt(top' / (1 - b2^t)) + e)"},
    {.name = "adamw", /* Loshchilov and Hutter 2019: the decay does not pass through the averages */
     .rule = adam,
     .learning_rate = 1e-3,
     .momentum = 0.9,
     .decay = 0.999,
     .epsilon = 1e-8,
     .weight_decay = 0.01,
     .decoupled = true,
     .formula = "m' = b1 m + (1 - b1) g;  s' = b2 s + (1 - b2) g^2;  "
                "w' = (1 - r d) w - r (m' / (1 - b1^t)) / (sqrt(s' / (1 - b2^t)) + e)"},
    {.name = "nadam",
     .rule = nadam,
     .learning_rate = 2e-3,
     .momentum = 0.9,
     .decay = 0.999,
     .epsilon = 1e-8,
     .formula = "m' = b1 m + (1 - b1) g;  s' = b2 s + (1 - b2) g^2;  "
                "mu(t) = b1 (1 - 0.96^(0.004 t) / 2);  p' = p mu(t);  "
                "x = mu(t+1) m' / (1 - p' mu(t+1)) + (1 - mu(t)) g / (1 - p');  "
                "w' = w - r x / (sqrt(s' / (1 - b2^t)) + e)"},
    {.name = "lion",
     .rule = lion,
     .learning_rate = 1e-4,
     .momentum = 0.9,
     .decay = 0.99,
     .decoupled = true,
     .formula = "w' = (1 - r d) w - r sign(b1 m + (1 - b1) g);  m' = b2 m + (1 - b2) g"},
    {.name = "adafactor",
     .rule = adafactor,
     .learning_rate = 1e-2,
     .decay = 0.8,
     .epsilon = 1e-30,
     .decoupled = true,
     .formula = "b = 1 - t^-k;  R' = b R + (1 - b) mean_columns(g^2 + e);  "
                "C' = b C + (1 - b) mean_rows(g^2 + e);  x = g / sqrt(R' C' / mean(R'));  "
                "w' = (1 - r d) w - r x / max(1, rms(x))"},
};

int rv_optimizer_count(void) { return (int)(sizeof optimizers / sizeof *optimizers); }

const rv_optimizer *rv_optimizer_at(int index)
{
    return index >= 0 && index < rv_optimizer_count() ? &optimizers[index] : NULL;
}

const rv_optimizer *rv_optimizer_find(const char *name)
{
    if (name && !strcmp(name, "sgd")) name = "sgd";
    for (int i = 0; i < rv_optimizer_count(); i++)
        if (name && !strcmp(optimizers[i].name, name)) return &optimizers[i];
    return NULL;
}

static rv_optimizer make(const char *name, double learning_rate)
{
    rv_optimizer o = *rv_optimizer_find(name);
    o.learning_rate = learning_rate;
    return o;
}

static rv_optimizer with_momentum(rv_optimizer o, double value)
{
    o.momentum = value;
    return o;
}

static rv_optimizer with_decay(rv_optimizer o, double weight_decay)
{
    o.weight_decay = weight_decay;
    return o;
}

rv_optimizer rv_sgd(double rate) { return make("sgd", rate); }
rv_optimizer rv_adagrad(double rate) { return make("adagrad", rate); }
rv_optimizer rv_rmsprop(double rate) { return make("rmsprop", rate); }
rv_optimizer rv_adam(double rate) { return make("adam", rate); }
rv_optimizer rv_momentum(double rate, double m) { return with_momentum(make("momentum", rate), m); }
rv_optimizer rv_nesterov(double rate, double m) { return with_momentum(make("nesterov", rate), m); }
rv_optimizer rv_adamw(double rate, double d) { return with_decay(make("adamw", rate), d); }
rv_optimizer rv_lion(double rate, double d) { return with_decay(make("lion", rate), d); }
