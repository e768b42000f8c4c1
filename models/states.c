/* Finds the number of states of a cell and their shapes by recording a step on a separate tape. */
#include "models/cell_internal.h"
#include "ops/ops.h"
#include "tensor/store_entries_internal.h"

/* A trial step on its own tape and store. */
typedef struct trial {
    rv_store *store;
    rv_tape *tape;
    rv_var h[RV_CELL_STATES];
    bool changed[RV_CELL_STATES];
    rv_error error;
} trial;

static void try_step(trial *t, rv_cell_step step, const rv_cell *cell, rv_var x,
                     const rv_shape *shape)
{
    t->store = rv_store_new_shapes(PTRDIFF_MAX);
    t->tape = rv_tape_new(t->store, rv_tape_dtype(cell->tape));
    rv_cell probe = {
        .tape = t->tape, .options = cell->options, .prefix = "", .probe = true, .memo = cell->memo};
    int32_t before[RV_CELL_STATES];
    for (int s = 0; s < RV_CELL_STATES; s++) {
        char name[] = {'h', (char)('0' + s), '\0'};
        t->h[s] = rv_input(t->tape, name, shape[s]);
        before[s] = t->h[s].id;
    }
    rv_cell_take_step(&probe, step, rv_input_typed(t->tape, "x", rv_dtype_of(x), rv_shape_of(x)),
                      t->h);
    for (int s = 0; s < RV_CELL_STATES; s++) t->changed[s] = t->h[s].id != before[s];
    t->error = *rv_tape_error(t->tape);
}

static void end_trial(trial *t)
{
    rv_tape_free(t->tape);
    rv_store_free(t->store);
}

/* The states are those that the step replaces. Their shapes are a fixed point: the shapes that a step leaves
 * unchanged. The search starts with size 1 on the axes after the channels, because it broadcasts: the first step
 * yields the sizes that the input determines. */
int rv_find_states(rv_cell_step step, const rv_cell *cell, rv_var x, rv_shape *shape)
{
    enum { TRIES = 4 };
    int states = 0;
    bool settled = false;
    rv_error why = {0};
    for (int s = 0; s < RV_CELL_STATES; s++) {
        shape[s] = rv_shape_of(x);
        for (int64_t d = 1; d < shape[s].rank; d++)
            shape[s].dim[d] = d == 1 ? cell->options->units : 1;
    }
    for (int attempt = 0; attempt < TRIES && !settled && !why.code; attempt++) {
        trial t;
        try_step(&t, step, cell, x, shape);
        why = t.error;
        settled = !why.code;
        for (int s = 0; s < RV_CELL_STATES && !why.code; s++) {
            if (!t.changed[s]) continue;
            states = s + 1;
            settled = settled && rv_shape_equal(rv_shape_of(t.h[s]), shape[s]);
            shape[s] = rv_shape_of(t.h[s]);
        }
        end_trial(&t);
    }
    if (settled && states) return states;
    rv_tape_fail(cell->tape, why.code ? why.code : RV_ERROR_SHAPE,
                 "unroll: the shape of the state could not be worked out%s%s; fix the cell",
                 why.code   ? ": "
                 : !settled ? ", it changes from step to step"
                            : ", the step changes none",
                 why.text);
    return 0;
}
