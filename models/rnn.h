/* Recurrent nets: a cell unrolled over time, in layers and directions. */
#ifndef RV_MODELS_RNN_H
#define RV_MODELS_RNN_H

#include <stdbool.h>
#include <stdint.h>

#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_cell rv_cell;

/* One step of a cell: reads the input x and the states h[0], h[1], ... and replaces each by its next value;
 * h[0] is the output of the cell. It has as many states as it changes. Parameters are made on first use,
 * by name; their shapes follow from their arguments. cell.h has what steps are written with. */
typedef void (*rv_cell_step)(rv_cell *k, rv_var x, rv_var *h);

enum { RV_CELL_STATES = 4 }; /* at most */

typedef struct rv_states {
    rv_var h[RV_CELL_STATES];
} rv_states;

/* All zero: one forward layer of one unit, dense, without biases, from zero states. */
typedef struct rv_rnn_options {
    /* NULL: parameters are named "Wxg"; else "name/Wxg". With several layers "layer0/Wxg" and so on, with two
     * directions "forward/Wxg", "backward/Wxg". At most 100 bytes. */
    const char *name;

    /* ---- the cell ---- */

    int64_t units;   /* hidden units, or channels of a convolutional state; 0: 1 */
    int64_t kernel;  /* size of the maps' convolutions, odd; 0: matrix products */
    bool bias;       /* whether biases are parameters */
    bool layer_norm; /* each map is normalized, with a gain (Ba et al. 2016, arXiv 1607.06450) */
    double forget_shift;            /* the bias of a forget gate is 1 + this at first */
    rv_var (*activation)(rv_var x); /* of candidates; NULL: tanh */
    const void *user;               /* for a step of your own */

    /* [RV_CELL_STATES] what equations call the states. NULL, and for each NULL in it: "h", "h1", "h2", "h3". */
    const char *const *state_name;

    /* ---- composition ---- */

    int64_t layers; /* each reads the one below it; 0: 1 */
    bool residual;  /* a layer's input is added to its output where their shapes agree */
    bool skip;      /* layers after the first also read x, concatenated along axis 1 */

    /* Each layer also runs from the last step to the first. Both outputs are concatenated along axis 1. */
    bool bidirectional;

    /* ---- states ---- */

    bool learned_start; /* initial states are parameters "h0", "h1", ..; else zeros */

    /* Initial states, and the states after the last step, for each layer; with two directions for each layer's
     * forward and then its backward direction. A null var in `initial` is a state as above. NULL: not given, not
     * wanted. */
    const rv_states *initial;
    rv_states *final;

    /* Not NULL: a run of the program starts from the states at which the run before it ended, zeros at first. They
     * are the store's states "carry/CARRY/layer0/h0", where CARRY is this text of at most 100 bytes. Gradients stop
     * there (truncated back-propagation through time). */
    const char *carry;

    /* [n], of any dtype: the lengths of the sequences. After its own last step a sequence keeps its states and
     * outputs, and no gradient flows. Null: all steps count. */
    rv_var lengths;

    /* ---- training ---- */

    double dropout; /* the probability with which an element of a layer's input is dropped */
    double recurrent_dropout; /* the same for the states that maps read (cell.h) */
    bool same_dropout; /* one mask for all steps (Gal and Ghahramani 2016, arXiv 1512.05287) */

    /* Each step reads its parameters and passes on its states through rv_probe, so that gradients can be taken at
     * each step (flow.h). Programs compute the same values. */
    bool probes;

    /* Gradients recompute this many steps at a time instead of keeping the values inside them (rv_recompute_push);
     * 0: everything is kept. */
    int64_t recompute;
} rv_rnn_options;

/* h[0] of the top layer after `steps` steps on the same input x [n,...]. */
rv_var rv_unroll(rv_cell_step step, rv_var x, int64_t steps);
rv_var rv_unroll_with(rv_cell_step step, rv_var x, int64_t steps, rv_rnn_options options);

/* The same on a sequence: x [n,steps,...] gives step t x[:,t]. outputs [steps] (NULL: not wanted) gets the
 * top layer's output at each step. In two directions the result is the output of each at its own last step. */
rv_var rv_unroll_sequence(rv_cell_step step, rv_var x, rv_rnn_options options, rv_var *outputs);

/* The same with step t given x[t]. */
rv_var rv_unroll_steps(rv_cell_step step, const rv_var *x, int64_t steps, rv_rnn_options options,
                       rv_var *outputs);

/* Sets carried states to zero: the next run starts anew. */
void rv_reset_carried(rv_store *store, const char *carry);

#ifdef __cplusplus
}
#endif

#endif
