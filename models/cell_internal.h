/* The context of a cell's step. */
#ifndef RV_MODELS_CELL_INTERNAL_H
#define RV_MODELS_CELL_INTERNAL_H

#include "models/cell.h"

enum { RV_CELL_NAME = 256, RV_CELL_GIVEN_NAME = 100 };

/* An object that a step keeps between its calls in one net. */
typedef struct rv_cell_memo {
    void *object;
    void (*release)(void *object); /* called after the last step is recorded; may be NULL */
} rv_cell_memo;

/* What a step declares of a state (rv_cell_state). All zeros: nothing. */
typedef struct rv_declared_state {
    bool declared;
    rv_shape shape; /* of one sample; RV_SCALAR: not declared */
    rv_init start;
} rv_declared_state;

struct rv_cell {
    rv_tape *tape;
    const rv_rnn_options *options;
    const char *prefix;          /* of parameter names: "" or "name/layer0/" */
    bool probe;                  /* records shapes only: parameters need no values */
    int64_t time;                /* the time step, from 0 */
    bool inner;                  /* inside another cell, which gives it its states */
    rv_declared_state *declared; /* [RV_CELL_STATES] filled in by a probe; NULL in an inner cell */
    rv_cell_memo *memo;
    int64_t taken; /* number of steps taken before this one, in this direction */

    /* the step being recorded */
    rv_var x;
    const rv_var *inputs; /* [options->input_count] */
    rv_states before;     /* the states before the step */
    const rv_var *h; /* [RV_CELL_STATES] the current states; NULL: no recurrent dropout in maps */
    int32_t dropped[2 * RV_CELL_STATES];
    int dropped_count;
};

/* Writes the prefix and a name of at most RV_CELL_GIVEN_NAME bytes, and returns that. Longer ones
 * are cut off. */
const char *rv_cell_full_name(const rv_cell *k, const char *name, char full[RV_CELL_NAME]);

/* Records one step on x and replaces h[0], h[1], .. by their next values. */
void rv_cell_take_step(rv_cell *k, rv_cell_step step, rv_var x, rv_var *h);

/* The state h with recurrent dropout. */
rv_var rv_cell_recall(rv_cell *k, rv_var h);

/* The initial bias of a forget gate. */
double rv_cell_forget(const rv_cell *k);

/* Returns the number of states of the cell and sets their shapes and what the step declares of
 * them. 0 on error. */
int rv_find_states(rv_cell_step step, const rv_cell *cell, rv_type x, rv_shape *shape,
                   rv_declared_state *declared);

/* ---- cells that are linear in their states (linear.c) ---- */

/* An order in which the states can be computed: the next value of each is a.h + b, element by
 * element, where a and b depend on x and on the states before it in this order. */
typedef struct rv_recurrence {
    int states, order[RV_CELL_STATES];
    bool itself[RV_CELL_STATES]; /* whether the next value of state s depends on state s */
} rv_recurrence;

/* False if the cell's step on x, with states of these shapes, is not linear in this sense, or
 * treats the rows of x differently; also out of memory, with an error on the tape. */
bool rv_find_recurrence(rv_cell_step step, const rv_cell *cell, rv_type x, const rv_shape *shape,
                        int states, rv_recurrence *found);

/* Unrolls such a cell over all steps at once: `step` is recorded on the steps of x [n,steps,..] as
 * one batch, and each state is a scan of the coefficients. `mask` [n,steps,1,..], unless null, is 0
 * where states stay as they are. Sets after->h[s] [n,steps,..] to the states after each step. */
bool rv_unroll_linear(const rv_cell *cell, rv_cell_step step, const rv_recurrence *r, rv_var x,
                      rv_var mask, bool backward, const rv_states *start, rv_states *after);

/* x with dropout of probability `rate`. The mask is new at each step unless same_dropout is set.
 * `what` is "x" or "h", for the name of the mask. */
rv_var rv_cell_drop(const rv_cell *k, rv_var x, double rate, const char *what);

/* The first `count` axes of a shape and 1 for the others, so that a mask over them broadcasts. */
static inline rv_shape rv_first_axes(rv_shape shape, int64_t count)
{
    for (int64_t d = count; d < shape.rank; d++) shape.dim[d] = 1;
    return shape;
}

#endif
