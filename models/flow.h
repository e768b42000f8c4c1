/* Norms of the gradient over time, which show whether it vanishes or explodes (Pascanu, Mikolov and
 * Bengio 2013, arXiv 1211.5063). */
#ifndef RV_MODELS_FLOW_H
#define RV_MODELS_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "../autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Euclidean norms of the gradient of a loss. Row i of `norm` belongs to name[i]. For a state,
 * column t >= 1 is the norm of the gradient with respect to the state at step t, through all later
 * steps. For a parameter, column t >= 1 is the norm of what its use at step t contributes to its
 * gradient, and column 0 that of its whole gradient. A null var means that there is no such
 * gradient. Steps count in processing order: the first step of a backward direction is the last one
 * of the sequence. */
typedef struct rv_flow {
    int count;
    int64_t steps;

    /* [count] of parameters as "Wxg", of states as "h" behind the layer's prefix. They live as long
     * as the tape. */
    const char **name;
    bool *state;  /* [count] whether it is a state; otherwise a parameter */
    rv_var *norm; /* [count, 1 + steps], each [] of f64 */
} rv_flow;

/* Records the norms for a loss [] of a net that was unrolled with the option `probes`. False, and a
 * sticky error of the tape, on failure. The caller frees the flow with rv_flow_free in both
 * cases. */
bool rv_flow_make(rv_flow *flow, rv_var loss);
void rv_flow_free(rv_flow *flow);

#ifdef __cplusplus
}
#endif

#endif
