/* Optimizers: update equations recorded on the tape they update.
 *
 * Whatever a run must remember is a state of the store, so it is in checkpoints and training resumes
 * with the same bits. NAME is a parameter's, PATTERN a group's; shapes are NAME's or as given:
 *   optimizer/rate, optimizer/rate/PATTERN  []  learning rates, before the schedule's factor
 *   optimizer/step           []  updates so far, for schedules, nadam, adafactor; in f32
 *                                it counts to 2^24 and stays there
 *   optimizer/run            []  runs since the last update, and
 *   optimizer/sum/NAME           the sum of their gradients (accumulate)
 *   optimizer/average/NAME       the average of the weights (average), and
 *   optimizer/averaged/NAME  []  1 once it has begun
 *   optimizer/plateau        [4] in f64: see rv_plateau_observe
 *   optimizer/v/NAME             velocity: momentum, nesterov
 *   optimizer/m/NAME             average of g: adam, amsgrad, adamw, nadam, lion
 *   optimizer/s/NAME             average of g^2: rmsprop, adadelta, adam, amsgrad, adamw, nadam, and
 *                                adafactor for vectors; its sum: adagrad
 *   optimizer/m_weight, optimizer/s_weight  []  1 - b1^t and 1 - b2^t: adam, amsgrad, adamw, nadam
 *   optimizer/top/NAME           the largest s so far: amsgrad
 *   optimizer/d/NAME             average of squared steps: adadelta
 *   optimizer/mu_product     []  product of the momenta so far: nadam
 *   optimizer/row/NAME, optimizer/column/NAME  means of s over the last axis and the one before,
 *                                which have size 1: adafactor
 * A rule of one's own names its moments as it likes but rate, sum, average and averaged. */
#ifndef RV_OPTIM_OPTIM_H
#define RV_OPTIM_OPTIM_H

#include <stdbool.h>

#include "autograd/tape.h"
#include "optim/schedule.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_optimizer rv_optimizer;

/* One parameter's update, as a rule sees it: after accumulation, clipping, decay and schedule. */
typedef struct rv_update {
    const rv_optimizer *optimizer;
    const char *name;  /* the parameter's */
    rv_var w, g, rate; /* its value, its gradient, its learning rate [] */
    rv_var due;        /* [] 1 in a run that updates, 0 in one that accumulates; null: all update */
} rv_update;

/* The parameter's next value. A rule is recorded ops, with states from rv_moment and rv_remember. */
typedef rv_var (*rv_update_rule)(const rv_update *u);

enum { RV_RATE_GROUPS = 8 };

/* Copy one, change a field, or make your own: name and rule are all that is needed. What is zero from
 * accumulate on is off and records nothing; what is on happens in the order of the fields, the rule
 * before the average. */
struct rv_optimizer {
    const char *name;
    const char *formula; /* with w the parameter, g its gradient, r the rate */
    rv_update_rule rule;
    double rate;
    double momentum, decay; /* of the first moment; of the second moment (RMSProp, Adam) */
    double epsilon;
    int accumulate;      /* N: one update in N runs, with the mean of their gradients */
    double clip_value;   /* c: each element of g is brought into -c .. c */
    double clip_norm;    /* c: all g times min(1, c / (|g| + 1e-6)), |g| the norm of all together */
    double weight_decay; /* d: the rule sees g + d w, */
    bool decoupled;      /* or, for true, (1 - r d) w in place of w */
    double average;      /* k: a' = k a + (1 - k) w', starting with the first w' */
    rv_schedule schedule; /* multiplies all rates */
    struct {
        const char *pattern;       /* of parameter names, with * and ? (as in a shell) */
        double rate, weight_decay; /* its own, so zero is zero */
        bool freeze;               /* no gradient, no states, no update, no part in |g| */
    } group[RV_RATE_GROUPS];       /* the first match counts */
};

rv_optimizer rv_gradient_descent(double rate);
/* Heavy ball. The rate is inside the velocity, here and in nesterov: a new rate is one for new
 * gradients (PyTorch's is at once one for the whole velocity; with a constant rate both are equal). */
rv_optimizer rv_momentum(double rate, double momentum);
rv_optimizer rv_nesterov(double rate, double momentum);
rv_optimizer rv_adagrad(double rate);
rv_optimizer rv_rmsprop(double rate);
rv_optimizer rv_adam(double rate);
rv_optimizer rv_adamw(double rate, double weight_decay);
rv_optimizer rv_lion(double rate, double weight_decay);

/* The optimizers by name, with the field's defaults. "sgd" finds gradient_descent. */
int rv_optimizer_count(void);
const rv_optimizer *rv_optimizer_at(int index);
const rv_optimizer *rv_optimizer_find(const char *name); /* NULL when unknown */

/* Records the gradients of the loss [] and the update of every parameter it depends on. Rates become
 * states "optimizer/rate" and "optimizer/rate/PATTERN"; one that the store has already, from a
 * checkpoint say, is kept (rv_set_rate changes it). False on error (kept on the tape):
 * RV_ERROR_ARGUMENT for a field out of range, RV_ERROR_NAME for a pattern that matches none of the
 * loss's parameters. */
bool rv_minimize(rv_var loss, rv_optimizer optimizer);

/* Sets the learning rate for the next runs; a group's with its pattern, else NULL. False when the
 * store has no such rate, or the new one is not finite. */
bool rv_set_rate(rv_store *store, const char *pattern, double rate);

/* Exchanges every parameter that has an average with it, to evaluate with averaged weights; a second
 * call exchanges them back, before training goes on. False, with nothing changed, when no update
 * was averaged yet. */
bool rv_swap_averages(rv_store *store);

/* ---- for rules ---- */

/* A state of this parameter's shape, zero at first: "optimizer/symbol/parameter". */
rv_var rv_moment(const rv_update *u, const char *symbol);
/* The same of another shape. */
rv_var rv_moment_shaped(const rv_update *u, const char *symbol, rv_shape shape);
/* Makes `next` the state's value after a run that updates; returns it. */
rv_var rv_remember(const rv_update *u, rv_var state, rv_var next);
/* The number of updates before this one: 0, 1, ... [] */
rv_var rv_update_step(const rv_update *u);

#ifdef __cplusplus
}
#endif

#endif
