/* Recurrent nets: a cell unrolled over time, in layers and directions. */
#ifndef RV_MODELS_RNN_H
#define RV_MODELS_RNN_H

#include <stdbool.h>
#include <stdint.h>

#include "../autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_cell rv_cell;

/* One step of a cell: reads the input x and the states h[0], h[1], ... and replaces each state by
 * its next value. h[0] is the output of the cell. The number of states is found from those that the
 * step replaces, and their shapes from the step, unless it declares them (rv_cell_state).
 * Parameters are created by name on first use; their shapes follow from the arguments. Steps are
 * written with the functions of cell.h. */
typedef void (*rv_cell_step)(rv_cell *k, rv_var x, rv_var *h);

enum { RV_CELL_STATES = 16 }; /* most states of a cell */

typedef struct rv_states {
    rv_var h[RV_CELL_STATES];
} rv_states;

/* A further input of a cell. */
typedef struct rv_rnn_input {
    rv_var x; /* [n,steps,..], of which step t reads x[:,t] */
    /* Every step reads x itself, of any shape, for example all that attention looks at. */
    bool whole;
} rv_rnn_input;

enum { RV_CELL_INPUTS = 8 }; /* most further inputs of a cell */

/* All zeros mean one dense forward layer of one unit, without biases, with zero initial states. */
typedef struct rv_rnn_options {
    /* The prefix of parameter names, at most 100 bytes: "name/Wxg", or "Wxg" if NULL. Several
     * layers add "layer0/" and so on, two directions add "forward/" and "backward/". */
    const char *name;

    /* ---- the cell ---- */

    int64_t units;       /* hidden units, or channels of a convolutional state; 0: 1 */
    int64_t kernel;      /* odd kernel size of the maps' convolutions; 0: matrix products */
    bool bias;           /* whether biases are parameters */
    bool layer_norm;     /* normalizes each map, with a gain (Ba et al. 2016, arXiv 1607.06450) */
    double forget_shift; /* initial bias of a forget gate, minus 1 */
    rv_var (*activation)(rv_var x); /* of candidates; NULL: tanh */
    const void *user;               /* passed through for user-defined steps */

    /* [RV_CELL_STATES] symbols of the states. The defaults, also for NULL elements, are "h", "h1",
     * "h2", .. */
    const char *const *state_name;

    /* ---- composition ---- */

    int64_t layers; /* each layer reads the output of the one below; 0: 1 */
    bool residual;  /* adds a layer's input to its output where the shapes agree */
    bool skip;      /* later layers also read x, concatenated along axis 1 */

    /* Each layer also runs from the last step to the first. The two outputs are concatenated along
     * axis 1. */
    bool bidirectional;

    /* From the last step to the first: the result is the output after step 1. Outputs stay in the
     * order of x. */
    bool reverse;

    /* [input_count] What the cell reads besides x, by rv_cell_input (cell.h), in each layer. */
    const rv_rnn_input *inputs;
    int input_count;

    /* ---- states ---- */

    /* Initial states are parameters "h0", "h1", .., which start at what the step declares
     * (rv_cell_state), or at zero. Otherwise these values are the initial states. */
    bool learned_start;

    /* Initial states and states after the last step, one element per layer. With two directions
     * there are two elements per layer, forward first. An initial state may be that of one sample,
     * [1,..]. All states have the tape's dtype. A null var in `initial` means the default initial
     * state. Both may be NULL. */
    const rv_states *initial;
    rv_states *final;
    /* Receives the states that the first step reads, one element per layer; may be NULL. */
    rv_states *first;

    /* Like `final`, the states after each step [n,steps,..]. May be NULL. */
    rv_states *history;

    /* If not NULL, each run of the program starts from the final states of the previous run, the
     * first one from the default initial states. The store keeps them as "carry/CARRY/layer0/h0",
     * where CARRY is this text of at most 100 bytes. Gradients stop there (truncated
     * back-propagation through time). */
    const char *carry;

    /* [n], of any dtype: the lengths of the sequences. After its last step a sequence keeps its
     * states and outputs, and no gradient flows. With a null var, all steps are valid. */
    rv_var lengths;

    /* ---- training ---- */

    double dropout;           /* probability of dropping an element of a layer's input */
    double recurrent_dropout; /* the same for states that maps read (cell.h) */
    bool same_dropout; /* one mask for all steps (Gal and Ghahramani 2016, arXiv 1512.05287) */

    /* Parameters and states go through rv_probe at each step, so that gradients can be taken per
     * step (flow.h). This changes no value. */
    bool probes;

    /* A cell whose next states are linear in its states, element by element, such as minGRU, is
     * computed at all steps of a sequence at once, with a scan (ops.h), unless the options ask for
     * the values of each step: dropout, probes, recompute. Results differ by rounding. With
     * `stepwise` every cell is unrolled step by step. */
    bool stepwise;

    /* The backward pass recomputes the values inside segments of this many steps instead of keeping
     * them (rv_recompute_push). 0: all values are kept. */
    int64_t recompute;
} rv_rnn_options;

/* h[0] of the top layer after `steps` steps on the same input x [n,...]. */
rv_var rv_unroll(rv_cell_step step, rv_var x, int64_t steps);
rv_var rv_unroll_with(rv_cell_step step, rv_var x, int64_t steps, rv_rnn_options options);

/* The same on a sequence x [n,steps,...]: step t reads x[:,t]. outputs [steps], unless NULL,
 * receives the top layer's output at each step. With two directions, the result joins the outputs
 * of each at its last step. */
rv_var rv_unroll_sequence(rv_cell_step step, rv_var x, rv_rnn_options options, rv_var *outputs);

/* The same; the result is the top layer's output at all steps [n,steps,..]. */
rv_var rv_unroll_outputs(rv_cell_step step, rv_var x, rv_rnn_options options);

/* The same on an array: step t reads x[t]. */
rv_var rv_unroll_steps(rv_cell_step step, const rv_var *x, int64_t steps, rv_rnn_options options,
                       rv_var *outputs);

/* Sets carried states to their initial values, so that the next run starts a new sequence. */
void rv_reset_carried(rv_store *store, const char *carry);

#ifdef __cplusplus
}
#endif

#endif
