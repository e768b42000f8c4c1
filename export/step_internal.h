/* A net on a tape of its own: one time step, from states that are inputs, or a whole sequence. */
#ifndef RV_EXPORT_STEP_INTERNAL_H
#define RV_EXPORT_STEP_INTERNAL_H

#include "export/net.h"

enum { RV_STEP_STATES = 64 }; /* most states of all layers */

typedef struct rv_step_state {
    rv_var first;         /* before the first step */
    rv_var before, after; /* of a step: an input, and its value */
    int layer;
    char symbol[64]; /* in the equations, "h"; "h1" if it has none */
} rv_step_state;

typedef struct rv_step {
    rv_tape *tape;
    rv_var x, y;   /* [n,..], without an axis of time */
    rv_var output; /* [n,..] likewise */
    rv_var loss;   /* of this step */
    rv_var top;    /* what the head reads */
    int states;
    rv_step_state state[RV_STEP_STATES];
} rv_step;

/* Whether the net is complete, and x and y are of the type of a sample. `what` begins the messages,
 * here and below: "C code". */
bool rv_exported_check(const char *what, const rv_exported_net *net, rv_error *error);

/* Why the net has no meaning step by step; NULL: it has one. */
const char *rv_exported_whole(const rv_exported_net *net);

/* The options of the net as it is exported. */
rv_net_options rv_exported_options(const rv_exported_net *net, rv_tape *tape);

/* Records the step for n samples. RV_ERROR_ARGUMENT for a net that has no meaning step by step;
 * `instead` ends the message, with what else there is. Free the tape with rv_tape_free, also after
 * a failure. */
bool rv_step_record(rv_step *step, const char *what, const char *instead,
                    const rv_exported_net *net, int64_t n, rv_store *store, rv_error *error);

typedef struct rv_sequence {
    rv_tape *tape;
    rv_var x, y; /* [n,..], of a sequence [n,steps,..] */
    rv_var output, loss;
} rv_sequence;

/* Records the net, which rv_exported_check has checked, with all its time steps for n samples. Free
 * the tape, also after a failure. */
bool rv_sequence_record(rv_sequence *q, const rv_exported_net *net, int64_t n, rv_store *store,
                        rv_error *error);

/* Whether no error is on the tape, which may be NULL; else copies it. */
bool rv_tape_is_good(const rv_tape *tape, rv_error *error);

/* The values on a new tape that has replaced *tape, without what they do not need
 * (rv_tape_simplified). Updates those of at[i] that are on the tape. */
bool rv_tape_simplify(rv_tape **tape, rv_var **at, int count, rv_error *error);

/* Sets in[i] to whether one of y depends on node i of the tape by a way that does not lead through
 * one of `cut`. NULL: out of memory. Null vars count for nothing. */
bool *rv_tape_reached(const rv_tape *tape, const rv_var *y, int count, const rv_var *cut, int cuts);

#endif
