/* The tapes of an exported net: one time step, its head, its loss, their gradients and the update.
 * Of a net without time steps: outputs, the loss and its gradients. */
#ifndef RV_EXPORT_C_PARTS_H
#define RV_EXPORT_C_PARTS_H

#include "export/c.h"
#include "export/c/text.h"
#include "export/step_internal.h"

enum {
    RV_C_MOST_STATES = RV_STEP_STATES,
    RV_C_MOST_PARAMETERS = 256,
    RV_C_MOST_PREPARED = 64,
    RV_C_MOST_ARGUMENTS = 32,
    RV_C_MOST_KEPT = 64,
    RV_C_PATH = 2 * RV_C_NAME
};

typedef struct rv_c_state {
    rv_var first;                /* before the first step of a sample */
    rv_var before, after;        /* of a step */
    rv_var cotangent, at_before; /* d loss / d after, which is given; d loss / d before */
    char name[RV_C_NAME];        /* "h", "layer1_h" */
    int64_t count;
} rv_c_state;

typedef struct rv_c_parameter {
    const rv_entry *entry;
    char name[RV_C_NAME];
    int64_t count;
    rv_var in_step, in_head, in_start, in_prepared, in_loss; /* its gradients there; null: none */
} rv_c_parameter;

/* A value that depends on x and on no state. If each step reads the same x, it is computed once for
 * all of them. */
typedef struct rv_c_prepared {
    rv_var value;
    rv_var in_step;   /* d loss / d value, of a step */
    rv_var cotangent; /* that of all steps, which is given */
    char name[RV_C_NAME];
    int64_t count;
} rv_c_prepared;

/* A value inside a step that its gradient reads. */
typedef struct rv_c_kept {
    rv_var value;
    char name[RV_C_NAME];
    int64_t count;
} rv_c_kept;

/* An input or output of a net without time steps. */
typedef struct rv_c_argument {
    rv_var value;
    char name[RV_C_NAME];
    int64_t count;
    bool of_run, of_loss; /* an input on which the outputs, or the loss, depend */
} rv_c_argument;

/* A number or array that an optimizer remembers. */
typedef struct rv_c_memory {
    const rv_entry *entry;
    char name[RV_C_NAME];
    rv_var before, after;
    bool all; /* it is the parameters themselves */
} rv_c_memory;

typedef struct rv_c_parts {
    const rv_exported_net *net;             /* NULL if the net is given as values */
    const char *prefix, *model;             /* the name of the model */
    const rv_optimizer *optimizer;          /* NULL: without training */
    const char *whole;                      /* why it has no time steps; NULL: it has */
    int64_t steps;                          /* time steps of a sample */
    int64_t x_count, y_count, output_count; /* numbers of a time step; of a target; of an output */

    rv_tape *tape; /* one time step of one sample, the head, the loss and its gradients */
    rv_var x, y, top, output, loss; /* top: what the head reads */
    rv_var at_top;                  /* d loss / d top */
    rv_var top_cotangent;           /* given to the step's gradient; null: it is that of a state */
    int top_state;                  /* the state that is top, or -1 */
    int states, parameters;
    rv_c_state state[RV_C_MOST_STATES];
    rv_c_parameter parameter[RV_C_MOST_PARAMETERS];
    int prepared;
    rv_c_prepared prepare[RV_C_MOST_PREPARED];
    int kept; /* from each step; the gradient computes the others again */
    rv_c_kept keep[RV_C_MOST_KEPT];
    int64_t parameter_count, learned_count; /* numbers; those that are learned come first */
    uint64_t identity;                      /* a hash of the names and sizes of what a net has */

    int inputs, outputs; /* of a net without time steps */
    rv_c_argument input[RV_C_MOST_ARGUMENTS], output_value[RV_C_MOST_ARGUMENTS];

    rv_store *optimizer_store;
    rv_tape *update; /* one parameter that stands for all */
    rv_var all, all_gradient, scale;
    int memories;
    rv_c_memory memory[16];
} rv_c_parts;

/* Whether the head reads a value that is no state. */
static inline bool rv_c_has_top(const rv_c_parts *p) { return !p->whole && p->top_state < 0; }

/* The number of elements. */
int64_t rv_c_count(rv_var x);

bool rv_c_parts_make(rv_c_parts *p, const rv_exported_net *net, const rv_c_options *options,
                     rv_store *store, rv_error *error);
/* `why` the net has no time steps. */
bool rv_c_parts_of_values(rv_c_parts *p, const rv_exported_values *values, const char *why,
                          const rv_c_options *options, rv_error *error);
void rv_c_parts_free(rv_c_parts *p);

#endif
