/* What update rules are written with: one parameter's update, and the states that it keeps. */
#ifndef RV_OPTIM_UPDATE_H
#define RV_OPTIM_UPDATE_H

#include "../autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One parameter's update, as a rule sees it: after accumulation, clipping, weight decay and
 * schedule. */
typedef struct rv_update {
    const struct rv_optimizer *optimizer;
    const char *name;           /* the parameter's */
    rv_var w, g, learning_rate; /* its value, its gradient, its learning rate [] */
    rv_var due; /* [] 1 in a run that updates, 0 in one that accumulates; null: all update */
} rv_update;

/* Records the update and returns the parameter's next value. States come from rv_moment. */
typedef rv_var (*rv_update_rule)(const rv_update *u);

/* The state "optimizer/SYMBOL/NAME" of the parameter NAME: of its shape, zero at first. */
rv_var rv_moment(const rv_update *u, const char *symbol);
/* The same of another shape. */
rv_var rv_moment_shaped(const rv_update *u, const char *symbol, rv_shape shape);
/* Assigns `next` to the state in runs that update; returns next. */
rv_var rv_remember(const rv_update *u, rv_var state, rv_var next);
/* The number of updates before this one: 0, 1, ... [] */
rv_var rv_update_step(const rv_update *u);

#ifdef __cplusplus
}
#endif

#endif
