/* Optimizers: update equations recorded on the tape they update. */
#ifndef RV_OPTIM_OPTIM_H
#define RV_OPTIM_OPTIM_H

#include <stdbool.h>

#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_optimizer rv_optimizer;

/* One parameter's update, as a rule sees it. */
typedef struct rv_update {
    const rv_optimizer *optimizer;
    const char *name;  /* the parameter's */
    rv_var w, g, rate; /* its value, its gradient, its learning rate [] */
} rv_update;

/* The parameter's next value. A rule is recorded ops, with states from rv_moment and rv_remember. */
typedef rv_var (*rv_update_rule)(const rv_update *u);

enum { RV_RATE_GROUPS = 8 };

/* Copy one, change a field, or make your own: name and rule are all that is needed. */
struct rv_optimizer {
    const char *name;
    const char *formula; /* with w the parameter, g its gradient, r the rate */
    rv_update_rule rule;
    double rate;
    double momentum, decay; /* of the first moment; of the second moment (RMSProp, Adam) */
    double epsilon;
    double weight_decay;
    struct {
        const char *pattern; /* of parameter names, with * and ? (as in a shell) */
        double rate;
    } group[RV_RATE_GROUPS]; /* rates of their own; the first match counts */
};

rv_optimizer rv_gradient_descent(double rate);
rv_optimizer rv_momentum(double rate, double momentum); /* heavy ball */
rv_optimizer rv_nesterov(double rate, double momentum);
rv_optimizer rv_rmsprop(double rate);
rv_optimizer rv_adam(double rate);
rv_optimizer rv_adamw(double rate, double weight_decay);

/* The optimizers by name, with the field's defaults. */
int rv_optimizer_count(void);
const rv_optimizer *rv_optimizer_at(int index);
const rv_optimizer *rv_optimizer_find(const char *name); /* NULL when unknown */

/* Records the gradients of the loss [] and the update of every parameter it depends on. Rates become
 * states "optimizer/rate" and "optimizer/rate/PATTERN"; one that the store has already, from a
 * checkpoint say, is kept (rv_set_rate changes it). False on error (kept on the tape). */
bool rv_minimize(rv_var loss, rv_optimizer optimizer);

/* Sets the learning rate for the next runs; a group's with its pattern, else NULL. False when the
 * store has no such rate. */
bool rv_set_rate(rv_store *store, const char *pattern, double rate);

/* A state of this parameter's shape, zero at first: "optimizer/symbol/parameter". */
rv_var rv_moment(const rv_update *u, const char *symbol);
/* Makes `next` the moment's value after the run; returns it. */
rv_var rv_remember(rv_var moment, rv_var next);

#ifdef __cplusplus
}
#endif

#endif
