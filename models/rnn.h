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
 * h[0] is what the cell puts out. It has as many states as it changes. Parameters are made on first use,
 * by name; their shapes follow from their arguments. cell.h has what steps are written with. */
typedef void (*rv_cell_step)(rv_cell *k, rv_var x, rv_var *h);

enum { RV_CELL_STATES = 4 }; /* at most */

typedef struct rv_states {
    rv_var h[RV_CELL_STATES];
} rv_states;

/* All zero: one layer of one unit, dense, without biases, from zero states. Layers times directions are
 * called places below: 0 is the first layer forward, 1 its backward direction or the second layer, ... */
typedef struct rv_rnn_options {
    const char *name; /* NULL: parameters are named "Wxg"; else "name/Wxg". With several layers
                         "layer0/Wxg" and so on, with two directions "forward/Wxg", "backward/Wxg". Like carry, of at most 100 bytes */

    /* the cell */
    int64_t units;   /* hidden units, or channels of a convolutional state; 0: 1 */
    int64_t kernel;  /* size of the maps' convolutions, odd; 0: matrix products */
    bool bias;       /* rv_cell_bias makes parameters */
    bool layer_norm; /* each map is normalized, with a gain (Ba et al. 2016, arXiv 1607.06450) */
    double forget_shift;            /* of the gates that keep the state: their offset is 1 + this */
    rv_var (*activation)(rv_var x); /* of candidates; NULL: tanh */
    const void *user;               /* for a step of your own */
    const char *const
        *state_name; /* [RV_CELL_STATES]; NULL, and NULLs in it: "h", "h1", "h2", "h3" */

    /* composition */
    int64_t layers;     /* each reads the one below it; 0: 1 */
    bool bidirectional; /* each layer also runs from the last step to the first; both outputs are
                           concatenated along axis 1 */
    bool residual;      /* a layer's input is added to its output where their shapes agree */
    bool skip;          /* layers after the first read x, too, along axis 1 */

    /* states */
    bool learned_start;       /* initial states are parameters "h0", "h1", ..; else zeros */
    const rv_states *initial; /* [places] initial states, null vars as above; NULL: all as above */
    rv_states *final;         /* [places] gets the states after the last step; NULL: not wanted */
    const char *carry;        /* not NULL: a run starts from the states at which the run before it
                                 ended, zeros at first: the store's states "carry/PLACE/h0", PLACE being this text
                                 and the layer. Gradients stop there (truncated back-propagation) */
    rv_var lengths; /* [n] of any dtype, the sequences' lengths: beyond its own a sequence leaves
                                 states and outputs as they are, and no gradient flows. Null: all steps count */

    /* training */
    double dropout;           /* of what each layer reads, share of elements */
    double recurrent_dropout; /* of each state h[0] that a step reads */
    bool same_dropout; /* one mask for all steps (Gal and Ghahramani 2016, arXiv 1512.05287) */
    bool probes;       /* each step's use of a parameter, and each state, is a value of its own at
                                 which gradients can be taken (flow.h); programs compute the same */
    int64_t recompute; /* gradients compute so many steps at a time again, instead of keeping what
                                 is inside them (rv_recompute_push); 0: everything is kept */
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
