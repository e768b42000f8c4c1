/* The origin of a node: its phase, layer, direction, time step and scope. Messages, drawings and
 * profiles show it. It is not part of the equation, nor of the node's hash. */
#ifndef RV_AUTOGRAD_ORIGIN_H
#define RV_AUTOGRAD_ORIGIN_H

#include <stdint.h>

#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_node rv_node; /* tape.h */

typedef enum rv_phase { RV_PHASE_FORWARD, RV_PHASE_GRADIENT, RV_PHASE_UPDATE, RV_PHASES } rv_phase;

/* Nodes recorded under the same scopes share one origin. The nodes of a gradient have the origin of
 * the node whose cotangent they compute, except that their phase is RV_PHASE_GRADIENT. */
typedef struct rv_origin {
    rv_phase phase;
    int32_t layer;     /* of an unrolled net, from 0; -1: none */
    int32_t direction; /* of an unrolled net, 0 forward, 1 backward in time; -1: none */
    int32_t step;      /* the time step, from 0; -1: none */
    const char *scope; /* the pushed names, "net/layer1/step 3"; "" at the top */
} rv_origin;

/* Everything recorded until the matching pop has the scope "outer/name" and the phase, layer,
 * direction and step of the outer scope. Scopes nest at most 31 deep; a deeper push is a sticky
 * error. */
void rv_scope_push(rv_tape *tape, const char *name);
void rv_scope_pop(rv_tape *tape);

/* rv_scope_push with all fields of the origin; origin.scope is the name to push. Start from
 * rv_current_origin. */
void rv_origin_push(rv_tape *tape, rv_origin origin);
rv_origin rv_current_origin(const rv_tape *tape);

/* The phase of the node's origin. An assignment is always an update. */
rv_phase rv_phase_of(const rv_node *node);
const char *rv_phase_name(rv_phase phase); /* "forward", "gradient", "update" */

/* Writes the phase (unless forward) and the scope: "gradient/layer1/step 3". Returns the text, ""
 * at the top. */
enum { RV_ORIGIN_TEXT = 272 };
const char *rv_origin_text(const rv_origin *origin, char text[RV_ORIGIN_TEXT]);

/* Names x as the state h[s] after a step of a cell. The first name stays. Returns x. */
rv_var rv_name_state(rv_var x, int s, const char *name);

/* Names x "pre-g" as the argument of the gate or candidate g. The first name stays. Returns x. */
rv_var rv_name_argument(rv_var x, const char *g);

#ifdef __cplusplus
}
#endif

#endif
