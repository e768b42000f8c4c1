/* The tape: equations in the order they were written. A node is an op, its attributes and the ids
 * of its inputs. A tape only grows, so ids are a topological order (invariant 1); shapes are known
 * when a node is recorded (2); the first error sticks (3); the same equation recorded twice is the
 * same node (5). A tape belongs to one thread at a time. */
#ifndef RV_AUTOGRAD_TAPE_H
#define RV_AUTOGRAD_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "autograd/op.h"
#include "autograd/origin.h"
#include "tensor/error.h"
#include "tensor/store.h"
#include "tensor/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An empty tape whose inputs, parameters and constants have this dtype unless told otherwise.
 * The store must outlive it. NULL when out of memory (every function takes a NULL tape). */
rv_tape *rv_tape_new(rv_store *store, rv_dtype dtype);
void rv_tape_free(rv_tape *tape);

rv_store *rv_tape_store(const rv_tape *tape);
rv_dtype rv_tape_dtype(const rv_tape *tape);

/* The first error since the tape was made; code RV_OK when there is none. Never NULL. */
const rv_error *rv_tape_error(const rv_tape *tape);
/* Takes the error off the tape, for one who goes on to look for more; what failed stays a null var. False when there is
 * none. */
bool rv_tape_take_error(rv_tape *tape, rv_error *error);
/* Puts an error on the tape, as ops do, unless one is there. Returns the null var. */
rv_var rv_tape_fail(rv_tape *tape, rv_code code, const char *format, ...) RV_PRINTF(3, 4);

/* ---- leaves ---- */

/* A value given anew before each run (rv_program_input). One name, one shape and dtype per tape. */
rv_var rv_input(rv_tape *tape, const char *name, rv_shape shape);
rv_var rv_input_typed(rv_tape *tape, const char *name, rv_dtype dtype, rv_shape shape);

/* A tensor of the store, made there on first use. Parameters are what rv_minimize updates. */
rv_var rv_parameter(rv_tape *tape, const char *name, rv_shape shape, rv_init init);
rv_var rv_state(rv_tape *tape, const char *name, rv_shape shape, rv_init init);

rv_var rv_full(rv_tape *tape, rv_shape shape, double value); /* every element the same */
rv_var rv_scalar(rv_tape *tape, double value);               /* rv_full of shape [] */
rv_var rv_constant(rv_tape *tape, const rv_tensor *tensor);  /* copied; keeps its dtype */

/* ---- the two ops that the tape itself needs ---- */

/* y = x[0] + x[1] + ... of equal types, in a fixed order. Cotangents are summed by it alone. */
rv_var rv_add_all(const rv_var *x, int count);

/* An effect: after all values of a run are computed, the parameter or state takes this value.
 * Until then everything reads the old one. RV_ERROR_ARGUMENT when given two different values. */
void rv_assign(rv_var target, rv_var value);

/* ---- recording, and looking at what is recorded ---- */

/* Records op(in...) and returns it, or the node that says the same already. `attr` (attr_size
 * bytes, without padding, since they are hashed) is copied; `op` must outlive the tape and its programs.
 * This is all an op's constructor does. */
rv_var rv_record(rv_tape *tape, const rv_op *op, const void *attr, size_t attr_size,
                 const rv_var *in, int inputs);

/* Gives a value a name for errors and drawings; the first one stays. Returns x. */
rv_var rv_name(rv_var x, const char *name);

bool rv_is_null(rv_var x);
rv_shape rv_shape_of(rv_var x); /* [] for the null var */
rv_dtype rv_dtype_of(rv_var x);

typedef struct rv_hash {
    uint64_t low, high;
} rv_hash;

struct rv_node {
    const rv_op *op;
    rv_type type;
    const int32_t *in; /* ids */
    int inputs;
    int32_t assignment; /* of a parameter or a state: 1 + the id of its assignment, or 0 */
    const void *attr;
    size_t attr_size;
    rv_entry *entry;  /* of a parameter, a state or an assignment; else NULL */
    const char *name; /* of a leaf, or given by rv_name; may be NULL */
    const char *gate; /* whose argument this is, "g" (rv_name_argument); else NULL */
    int32_t state;    /* 1 + s: the state h[s] after a step (rv_name_state); else 0 */
    const rv_origin *origin;
    rv_hash hash; /* XXH3-128 of the whole expression: equal on any tape for equal equations */
};

/* Nodes are ids 0 .. count-1. The pointer is valid until the next node is recorded. */
int32_t rv_tape_count(const rv_tape *tape);
const rv_node *rv_tape_node(const rv_tape *tape, int32_t id);

/* Whether x is a constant with all elements equal; *value (unless NULL) gets that element. */
bool rv_is_uniform(rv_var x, double *value);

/* The element bytes of a constant: one element when uniform, else all of them. NULL otherwise. */
const void *rv_constant_data(const rv_node *node, bool *uniform);

extern const rv_op rv_op_input, rv_op_parameter, rv_op_constant, rv_op_add, rv_op_assign;

#ifdef __cplusplus
}
#endif

#endif
