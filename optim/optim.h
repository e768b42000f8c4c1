/* Optimizers: update equations, recorded on the tape whose parameters they update.
 *
 * Everything that an optimizer remembers is a state of the store. Checkpoints therefore contain it,
 * and training resumes bit for bit. NAME is a parameter, PATTERN a group; a state has the shape of
 * NAME unless one is given:
 *   optimizer/learning_rate, optimizer/learning_rate/PATTERN  []  before the schedule's factor
 *   optimizer/step           []  updates: schedules, nadam, adafactor; in f32 it stays at 2^24
 *   optimizer/run            []  runs since the last update (accumulate)
 *   optimizer/sum/NAME           sum of their gradients (accumulate)
 *   optimizer/average/NAME       average of the weights (average)
 *   optimizer/averaged/NAME  []  1 once that has begun
 *   optimizer/plateau        [4] in f64: see rv_plateau_observe
 *   optimizer/v/NAME             velocity: momentum, nesterov
 *   optimizer/m/NAME             average of g: adam, amsgrad, adamw, nadam, lion
 *   optimizer/s/NAME             average of g^2: rmsprop, adadelta, adam, amsgrad, adamw, nadam,
 *                                and adafactor for vectors; sum of g^2: adagrad
 *   optimizer/m_weight, optimizer/s_weight  []  1 - b1^t and 1 - b2^t: adam, amsgrad, adamw, nadam
 *   optimizer/top/NAME           largest s so far: amsgrad
 *   optimizer/d/NAME             average of squared steps: adadelta
 *   optimizer/mu_product     []  product of the momenta so far: nadam
 *   optimizer/row/NAME, optimizer/column/NAME  means of s over the last axis and the one before it,
 *                                kept with size 1: adafactor
 * A rule of your own may use any symbol but learning_rate, sum, average and averaged.
 *
 * In f32 the square of a gradient from 1.8e19 on is infinite, and so is s from then on: the element
 * no longer moves. clip_norm, which takes gradients of any finite size, prevents that. */
#ifndef RV_OPTIM_OPTIM_H
#define RV_OPTIM_OPTIM_H

#include <stdbool.h>

#include "../autograd/tape.h"
#include "schedule.h"
#include "update.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RV_PARAMETER_GROUPS = 8 };

/* Copy an optimizer and change its fields, or make your own: only name and rule are required.
 * Fields from `accumulate` on are off when zero, and then record nothing; otherwise they apply in
 * their order, and the rule before `average`. */
typedef struct rv_optimizer {
    const char *name;
    const char *formula; /* with w the parameter, g its gradient, r the learning rate */
    rv_update_rule rule;
    double learning_rate;
    double momentum; /* decay of the average of g */
    double decay;    /* decay of the average of g^2 */
    double epsilon;
    int accumulate;      /* N: one update in N runs, with the mean of their gradients */
    double clip_value;   /* c: each element of g is clamped to -c .. c */
    double clip_norm;    /* c: all g times min(1, c / (|g| + 1e-6)), |g| the norm of all together */
    double weight_decay; /* d: the rule sees g + d w */
    bool decoupled;      /* it sees (1 - r d) w in place of w instead */
    double average;      /* k: a' = k a + (1 - k) w', starting with the first w' */
    rv_schedule schedule; /* multiplies all learning rates */
    struct {
        const char *pattern;                /* of parameter names, with the shell's * and ? */
        double learning_rate, weight_decay; /* in place of the optimizer's, even if zero */
        bool freeze;                        /* no gradient, no states, no update, no part in |g| */
    } group[RV_PARAMETER_GROUPS];           /* the first match counts */
} rv_optimizer;

rv_optimizer rv_sgd(double learning_rate);
/* The velocity contains the learning rate, here and in nesterov: a change of the rate applies to
 * new gradients only. PyTorch multiplies the velocity by it. With a constant learning rate both are
 * equal. */
rv_optimizer rv_momentum(double learning_rate, double momentum);
rv_optimizer rv_nesterov(double learning_rate, double momentum);
rv_optimizer rv_adagrad(double learning_rate);
rv_optimizer rv_rmsprop(double learning_rate);
rv_optimizer rv_adam(double learning_rate);
rv_optimizer rv_adamw(double learning_rate, double weight_decay);
rv_optimizer rv_lion(double learning_rate, double weight_decay);

/* The optimizers by name, with the defaults of their papers or PyTorch. */
int rv_optimizer_count(void);
const rv_optimizer *rv_optimizer_at(int index);
const rv_optimizer *rv_optimizer_find(const char *name); /* NULL: unknown */

/* Records the gradients of the loss [] and an update of every parameter that it depends on. A
 * learning rate that the store already has, for instance from a checkpoint, is kept;
 * rv_set_learning_rate changes it. Returns false on error, which is on the tape: RV_ERROR_ARGUMENT
 * for a field out of range, RV_ERROR_NAME for a pattern that matches no parameter of the loss. */
bool rv_minimize(rv_var loss, rv_optimizer optimizer);

/* Sets a learning rate for the runs to come: the optimizer's for pattern NULL, else the group's.
 * False if the store has no such learning rate or the new one is not finite. */
bool rv_set_learning_rate(rv_store *store, const char *pattern, double learning_rate);

/* Exchanges every averaged parameter with its average, for an evaluation with averaged weights.
 * Call it again before training continues. False, with nothing changed, if no update was averaged
 * yet. */
bool rv_swap_averages(rv_store *store);

#ifdef __cplusplus
}
#endif

#endif
