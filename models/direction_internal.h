/* One layer of a net in one direction. */
#ifndef RV_MODELS_DIRECTION_INTERNAL_H
#define RV_MODELS_DIRECTION_INTERNAL_H

#include "models/cell_internal.h"

/* The states of a step on an x of this type, as rv_find_states has found them. */
typedef struct rv_known_states {
    rv_type x;
    int count; /* 0: not known yet */
    rv_shape shape[RV_CELL_STATES];
    rv_declared_state declared[RV_CELL_STATES];
} rv_known_states;

typedef struct rv_direction {
    rv_cell cell;
    rv_cell_step step;
    rv_type type;    /* of the input of a step */
    const rv_var *x; /* [steps] */
    /* [steps] of [n,1,..] of the rank of x: 1 where the sequence has this step. NULL: no
     * masking. */
    const rv_var *mask;
    rv_var inputs[RV_CELL_INPUTS]; /* at the current step */
    int64_t steps;
    int index; /* among all layers and directions, as in options.initial */
    bool backward;
    rv_known_states *known;
    rv_var *history; /* [states][steps]; NULL: not wanted */
    char prefix[RV_CELL_NAME];
} rv_direction;

/* Unrolls it step by step: y[t] is the output at step t. */
bool rv_unroll_by_steps(rv_direction *a, rv_var *y);

/* The same over all steps at once, if the cell allows it: from x [n,steps,..], with a mask
 * [n,steps,1,..] or the null var, to y [n,steps,..]. Otherwise false. */
bool rv_unroll_at_once(rv_direction *a, rv_var x, rv_var mask, rv_var *y);

/* Sets a carried state to the initial state of one sample, "NAME/start" in the store, or to
 * zeros. */
void rv_reset_state(const rv_store *store, rv_entry *carried);

/* Step t of a sequence [n,steps,..], and its shape. */
rv_var rv_step_of(rv_var sequence, int64_t t);
rv_shape rv_step_shape(rv_shape sequence);

/* A mask of samples [n,1,..] with the rank of x. */
rv_var rv_for_first_axis(rv_var mask, rv_var x);

#endif
