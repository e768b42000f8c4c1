/* The values of a net over time, found on its tape: input, gates, candidates, states, other named
 * values, prediction. They are those of the top layer in the forward direction. */
#ifndef RV_TOOLS_SIGNALS_SIGNALS_H
#define RV_TOOLS_SIGNALS_SIGNALS_H

#include "recurve.h"

enum { SIGNAL_SYMBOL = 24, MOST_SIGNALS = 48 };

typedef enum signal_kind {
    SIGNAL_INPUT,
    SIGNAL_GATE, /* also a candidate: a function of one argument */
    SIGNAL_STATE,
    SIGNAL_VALUE, /* any other value with a name */
    SIGNAL_PREDICTION,
    SIGNAL_TARGET
} signal_kind;

/* A signal has one node per time step (`data` is null), or one node for all of them. */
typedef struct cell_signal {
    char symbol[SIGNAL_SYMBOL];
    signal_kind kind;
    bool fraction;    /* a sigmoid, from 0 to 1 */
    const char *gate; /* rv_node.gate of the argument of a gate; owned by the tape; "": none */
    const char *name; /* rv_node.name of the nodes; owned by the tape; "": none */
    int32_t state;    /* rv_node.state of the nodes; 0: no state */
    rv_var data;
    rv_shape shape; /* of one sample at one time step */
    bool moving;    /* axis 1 of `data` is time */
} cell_signal;

/* Start with {0}. Free it with signals_free, before the tape. */
typedef struct cell_signals {
    const rv_setup *setup;
    rv_tape *tape;
    rv_net net;
    int64_t steps;
    int32_t layer; /* the top one */
    cell_signal list[MOST_SIGNALS];
    int count;
    rv_var *at; /* [steps,count] the node of each signal at each time step */
} cell_signals;

/* The setup to record with: without carried states and recomputation, and step by step. */
rv_setup signals_setup(const rv_setup *setup);

/* The number of time steps of the batch's first sample. */
int64_t signals_steps(const rv_setup *setup, const rv_batch *batch);

/* Finds the signals on a tape that rv_setup_record made for one sample, before a gradient is
 * recorded on it: the input; gates and candidates in the order of the equations; states; other
 * values with names; prediction and target, if they are numbers for each step. RV_ERROR_ARGUMENT
 * for a net without a state. */
bool signals_find(cell_signals *s, const rv_setup *setup, rv_tape *tape, rv_net net, int64_t steps,
                  rv_error *error);
void signals_free(cell_signals *s);

/* The value whose equation a node belongs to: itself, or the first one with a name that is computed
 * from it; at the end the output or the loss. */
int32_t signals_equation(const cell_signals *s, int32_t id);

/* The index of the signal with this symbol; -1: there is none. */
int signals_index(const cell_signals *s, const char *symbol);

#endif
