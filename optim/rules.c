/* The optimizers: each rule is the published update, line by line. w is the parameter, g its gradient,
 * r the learning rate; a primed name is a state's next value. */
#include <string.h>

#include "ops/ops.h"
#include "optim/optim.h"

static rv_var step(const rv_update *u, rv_var direction)
{
    return rv_subtract(u->w, rv_multiply(u->rate, direction));
}

/* m' = k m + (1 - k) x: an exponential moving average. */
static rv_var average(rv_var m, double k, rv_var x)
{
    return rv_remember(m, rv_add(rv_scale(m, k), rv_scale(x, 1 - k)));
}

/* 1 - k^t after t averages: what the same average makes of a constant 1. Dividing by it undoes the
 * pull of the zero that averages start from. */
static rv_var correction(const rv_update *u, const char *symbol, double k)
{
    char name[64] = "optimizer/";
    rv_var q = rv_state(u->w.tape, strncat(name, symbol, 32), RV_SCALAR, rv_init_constant(0));
    return average(q, k, rv_scalar(u->w.tape, 1));
}

static rv_var gradient_descent(const rv_update *u) { return step(u, u->g); }

/* Polyak 1964, as the CURNN article writes it: the rate is inside the velocity. */
static rv_var momentum(const rv_update *u)
{
    rv_var v = rv_moment(u, "v");
    v = rv_remember(v, rv_add(rv_scale(v, u->optimizer->momentum), rv_multiply(u->rate, u->g)));
    return rv_subtract(u->w, v);
}

/* Nesterov 1983, in the form of Sutskever et al. 2013: the step looks ahead along the velocity. */
static rv_var nesterov(const rv_update *u)
{
    double mu = u->optimizer->momentum;
    rv_var v = rv_moment(u, "v"), push = rv_multiply(u->rate, u->g);
    v = rv_remember(v, rv_add(rv_scale(v, mu), push));
    return rv_subtract(u->w, rv_add(rv_scale(v, mu), push));
}

/* Tieleman and Hinton 2012. */
static rv_var rmsprop(const rv_update *u)
{
    rv_var s = average(rv_moment(u, "s"), u->optimizer->decay, rv_square(u->g));
    return step(u, rv_divide(u->g, rv_shift(rv_sqrt(s), u->optimizer->epsilon)));
}

/* m / (sqrt s + e) with both averages corrected: Kingma and Ba 2015. */
static rv_var adam_direction(const rv_update *u)
{
    const rv_optimizer *o = u->optimizer;
    rv_var m = average(rv_moment(u, "m"), o->momentum, u->g);
    rv_var s = average(rv_moment(u, "s"), o->decay, rv_square(u->g));
    rv_var m_hat = rv_divide(m, correction(u, "m_weight", o->momentum));
    rv_var s_hat = rv_divide(s, correction(u, "s_weight", o->decay));
    return rv_divide(m_hat, rv_shift(rv_sqrt(s_hat), o->epsilon));
}

static rv_var adam(const rv_update *u) { return step(u, adam_direction(u)); }

/* Loshchilov and Hutter 2019: the decay does not pass through the averages. */
static rv_var adamw(const rv_update *u)
{
    return step(u, rv_add(adam_direction(u), rv_scale(u->w, u->optimizer->weight_decay)));
}

/* ---- the table ---- */

static const rv_optimizer optimizers[] = {
    {.name = "gradient_descent", .rule = gradient_descent, .rate = 0.1, .formula = "w' = w - r g"},
    {.name = "momentum",
     .rule = momentum,
     .rate = 0.05,
     .momentum = 0.9,
     .formula = "v' = mu v + r g;  w' = w - v'"},
    {.name = "nesterov",
     .rule = nesterov,
     .rate = 0.05,
     .momentum = 0.9,
     .formula = "v' = mu v + r g;  w' = w - (mu v' + r g)"},
    {.name = "rmsprop",
     .rule = rmsprop,
     .rate = 1e-3,
     .decay = 0.99,
     .epsilon = 1e-8,
     .formula = "s' = k s + (1 - k) g^2;  w' = w - r g / (sqrt(s') + e)"},
    {.name = "adam",
     .rule = adam,
     .rate = 1e-3,
     .momentum = 0.9,
     .decay = 0.999,
     .epsilon = 1e-8,
     .formula = "m' = b1 m + (1 - b1) g;  s' = b2 s + (1 - b2) g^2;  "
                "w' = w - r (m' / (1 - b1^t)) / (sqrt(s' / (1 - b2^t)) + e)"},
    {.name = "adamw",
     .rule = adamw,
     .rate = 1e-3,
     .momentum = 0.9,
     .decay = 0.999,
     .epsilon = 1e-8,
     .weight_decay = 0.01,
     .formula = "m' = b1 m + (1 - b1) g;  s' = b2 s + (1 - b2) g^2;  "
                "w' = w - r ((m' / (1 - b1^t)) / (sqrt(s' / (1 - b2^t)) + e) + d w)"},
};

int rv_optimizer_count(void) { return (int)(sizeof optimizers / sizeof *optimizers); }

const rv_optimizer *rv_optimizer_at(int index)
{
    return index >= 0 && index < rv_optimizer_count() ? &optimizers[index] : NULL;
}

const rv_optimizer *rv_optimizer_find(const char *name)
{
    for (int i = 0; i < rv_optimizer_count(); i++)
        if (name && !strcmp(optimizers[i].name, name)) return &optimizers[i];
    return NULL;
}

static rv_optimizer with_rate(const char *name, double rate)
{
    rv_optimizer optimizer = *rv_optimizer_find(name);
    optimizer.rate = rate;
    return optimizer;
}

rv_optimizer rv_gradient_descent(double rate) { return with_rate("gradient_descent", rate); }
rv_optimizer rv_rmsprop(double rate) { return with_rate("rmsprop", rate); }
rv_optimizer rv_adam(double rate) { return with_rate("adam", rate); }

rv_optimizer rv_momentum(double rate, double momentum_factor)
{
    rv_optimizer optimizer = with_rate("momentum", rate);
    optimizer.momentum = momentum_factor;
    return optimizer;
}

rv_optimizer rv_nesterov(double rate, double momentum_factor)
{
    rv_optimizer optimizer = with_rate("nesterov", rate);
    optimizer.momentum = momentum_factor;
    return optimizer;
}

rv_optimizer rv_adamw(double rate, double weight_decay)
{
    rv_optimizer optimizer = with_rate("adamw", rate);
    optimizer.weight_decay = weight_decay;
    return optimizer;
}
