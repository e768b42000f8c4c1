/* What a cell's step is given to work with. */
#ifndef RV_MODELS_CELL_INTERNAL_H
#define RV_MODELS_CELL_INTERNAL_H

#include "models/cell.h"

enum { RV_CELL_NAME = 256, RV_CELL_GIVEN_NAME = 100 };

/* What a step keeps from one call to the next, in a net of its own. */
typedef struct rv_cell_memo {
    void *object;
    void (*release)(void *object); /* when the net is recorded; NULL: it needs none */
} rv_cell_memo;

struct rv_cell {
    rv_tape *tape;
    const rv_rnn_options *options;
    const char *prefix; /* of parameter names: "" or "name/layer0/" */
    bool probe;         /* only shapes matter: parameters need no values */
    int64_t time;       /* the step, from 0 */
    rv_cell_memo *memo;
    int64_t taken; /* steps before this one: time, or backward the steps after it */

    /* the step being recorded */
    rv_var x;
    rv_states before; /* the states that it was given */
    const rv_var *h;  /* [RV_CELL_STATES] as they are now; NULL: maps read all as it is */
    int32_t dropped[2 * RV_CELL_STATES];
    int dropped_count;
};

/* Records one step on x: h[0], h[1], .. become their next values. */
void rv_cell_take_step(rv_cell *k, rv_cell_step step, rv_var x, rv_var *h);

/* The state h with recurrent dropout. */
rv_var rv_cell_recall(rv_cell *k, rv_var h);

/* Where the bias of a gate that keeps the state starts. */
double rv_cell_forget(const rv_cell *k);

/* How many states the cell has, and their shapes; 0 on error. */
int rv_find_states(rv_cell_step step, const rv_cell *cell, rv_var x, rv_shape *shape);

/* x with a share of its elements dropped, anew at each step unless the options say otherwise. `what` is x, or h. */
rv_var rv_cell_drop(const rv_cell *k, rv_var x, double rate, const char *what);

/* The first axes of a shape, and 1 for the others: so that a mask of these broadcasts. */
static inline rv_shape rv_first_axes(rv_shape shape, int64_t count)
{
    for (int64_t d = count; d < shape.rank; d++) shape.dim[d] = 1;
    return shape;
}

#endif
