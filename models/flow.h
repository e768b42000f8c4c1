/* How the gradient flows back through time: what vanishes and what explodes (Pascanu, Mikolov and Bengio 2013, arXiv
 * 1211.5063). */
#ifndef RV_MODELS_FLOW_H
#define RV_MODELS_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Euclidean norms of the gradient of a loss. Row i of norm is of name[i]: column t, from 1, is of a state at step t, through
 * all steps after it, or of what a parameter's use at step t adds to its gradient; column 0 of the whole gradient of a
 * parameter. Null vars: there is none. Steps are in the order in which they are taken: a backward direction's first is the
 * last of the sequence. */
typedef struct rv_flow {
    int count;
    int64_t steps;
    const char *
        *name; /* [count], as long as the tape: "Wxg"; of states "h", behind their layer's prefix */
    bool *state;  /* [count]; else it is a parameter */
    rv_var *norm; /* [count, 1 + steps], each [] of f64 */
} rv_flow;

/* Records the norms for a loss [] of a net that was unrolled with the option probes. For rv_flow_free, either way. False
 * with a sticky error. */
bool rv_flow_make(rv_flow *flow, rv_var loss);
void rv_flow_free(rv_flow *flow);

#ifdef __cplusplus
}
#endif

#endif
