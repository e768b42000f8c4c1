/* The tape: a list of equations in the order of recording. A node is an op, its attributes and the
 * ids of its inputs. A tape only grows, so ids are a topological order (invariant 1). Shapes are
 * known when a node is recorded (2). The first error sticks (3). An equation recorded twice is one
 * node (5). Only one thread may use a tape at a time. */
#ifndef RV_AUTOGRAD_TAPE_H
#define RV_AUTOGRAD_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "op.h"
#include "origin.h"
#include "../tensor/error.h"
#include "../tensor/store.h"
#include "../tensor/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes an empty tape. The dtype, f32 or f64, is the default of its inputs, parameters and
 * constants. The store must outlive the tape. Returns NULL when out of memory; the functions that
 * record accept a NULL tape. */
rv_tape *rv_tape_new(rv_store *store, rv_dtype dtype);
void rv_tape_free(rv_tape *tape);

rv_store *rv_tape_store(const rv_tape *tape);
rv_dtype rv_tape_dtype(const rv_tape *tape);

/* The first error since the tape was made, with code RV_OK if there is none. Never NULL. */
const rv_error *rv_tape_error(const rv_tape *tape);
/* Moves the error from the tape to *error, so that recording can continue and find more errors.
 * Vars that failed stay null. Returns false if there is no error. */
bool rv_tape_take_error(rv_tape *tape, rv_error *error);
/* Puts an error on the tape unless it has one. Returns the null var. */
rv_var rv_tape_fail(rv_tape *tape, rv_code code, const char *format, ...) RV_PRINTF(3, 4);

/* ---- leaves ---- */

/* A value that the caller fills before each run (rv_program_input). A name has one shape and dtype
 * per tape. */
rv_var rv_input(rv_tape *tape, const char *name, rv_shape shape);
rv_var rv_input_typed(rv_tape *tape, const char *name, rv_dtype dtype, rv_shape shape);

/* A tensor of the store, created on first use. rv_minimize updates parameters, not states. */
rv_var rv_parameter(rv_tape *tape, const char *name, rv_shape shape, rv_init init);
rv_var rv_state(rv_tape *tape, const char *name, rv_shape shape, rv_init init);

/* Constants: of any shape with all elements equal; of shape []; a copy of a tensor, with its
 * dtype. */
rv_var rv_full(rv_tape *tape, rv_shape shape, double value);
rv_var rv_scalar(rv_tape *tape, double value);
rv_var rv_constant(rv_tape *tape, const rv_tensor *tensor);

/* ---- the two ops that the tape itself needs ---- */

/* y = x[0] + x[1] + ..., from left to right. All types are equal. All sums of cotangents use this
 * op. */
rv_var rv_add_all(const rv_var *x, int count);

/* Assigns a value to a parameter or state at the end of each run. All values of the run are
 * computed from the old one. RV_ERROR_ARGUMENT if the target already has a different assignment. */
void rv_assign(rv_var target, rv_var value);

/* ---- recording, and reading nodes ---- */

/* Records op(in...) and returns the new node, or the existing node of the same equation. `attr` has
 * attr_size bytes, which are copied; they must have no padding, because they are hashed. `op` must
 * outlive the tape and its programs. Constructors of ops only call this function; the library's ops
 * are recorded by theirs, which know what their attributes are. */
rv_var rv_record(rv_tape *tape, const rv_op *op, const void *attr, size_t attr_size,
                 const rv_var *in, int inputs);

/* Names a value, for errors and drawings. The first name stays. Returns x. */
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
    int32_t assignment; /* 1 + the id of the assignment to this parameter or state; 0: none */
    const void *attr;
    size_t attr_size;
    rv_entry *entry;  /* of a parameter, a state or an assignment; else NULL */
    const char *name; /* of a leaf, or given by rv_name; may be NULL */
    const char *gate; /* "g" if this is the argument of gate g (rv_name_argument); else NULL */
    int32_t state;    /* 1 + s if this is the state h[s] after a step (rv_name_state); else 0 */
    const rv_origin *origin;
    rv_hash hash; /* XXH3-128 of the whole expression; equal on all tapes for equal equations */
};

/* Ids are 0 .. count-1. The pointer is valid until the next node is recorded. */
int32_t rv_tape_count(const rv_tape *tape);
const rv_node *rv_tape_node(const rv_tape *tape, int32_t id);

/* Whether x is a constant with all elements equal. Writes the element to *value unless value is
 * NULL. */
bool rv_is_uniform(rv_var x, double *value);

/* The bytes of a constant: one element if *uniform, else all elements. NULL for any other node. */
const void *rv_constant_data(const rv_node *node, bool *uniform);

extern const rv_op rv_op_input, rv_op_parameter, rv_op_constant, rv_op_add, rv_op_assign;

#ifdef __cplusplus
}
#endif

#endif
