/* What an op is: one descriptor that says how it infers shapes, computes, differentiates and proves
 * itself. Adding an op is writing one of these; nothing else in the project needs to know it. */
#ifndef RV_AUTOGRAD_OP_H
#define RV_AUTOGRAD_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/error.h"
#include "tensor/memory.h"
#include "tensor/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_tape rv_tape;

/* A value on a tape. The null var (id < 0) is what a failed op returns; every op given one returns
 * one, so that only the end of a chain needs a check (invariant 3). */
typedef struct rv_var {
    rv_tape *tape;
    int32_t id;
} rv_var;

/* Dtype and shape: all that is known of a value when it is recorded. */
typedef struct rv_type {
    rv_dtype dtype;
    rv_shape shape;
} rv_type;

static inline size_t rv_type_bytes(const rv_type *type)
{
    return (size_t)rv_shape_count(type->shape) * rv_dtype_size(type->dtype);
}

/* What a shape rule sees, and the type it fills in. A rule that refuses its inputs says why with
 * rv_fail(i->error, ...): "seen, expected; what to do". The tape puts the op's name before that
 * and the inputs' names and shapes behind "expected". */
typedef struct rv_inference {
    const void *attr;
    const rv_type *in;
    int inputs;
    rv_type out;
    rv_error *error;
} rv_inference;

typedef struct rv_call rv_call;
typedef void (*rv_kernel)(const rv_call *call);

/* One instruction of a program: a kernel with its operands. Kernels allocate nothing, touch only out and
 * scratch, and write every element of out. Where the op lets its work be cut (most_parts), they write
 * those of part `part` of `parts` alone. Parts run on several threads at once, or one after the
 * other so that what they touch stays in a cache; there may be more of them than pieces. Those that
 * run at once have scratch of their own. How many there are changes no bit of the result. */
struct rv_call {
    rv_kernel run;
    void *out;
    const void *const *in;
    const void *attr;
    const void
        *plan;     /* what `select` worked out from the shapes; rv_alloc'ed, freed by the program */
    void *scratch; /* scratch_size bytes, 64-byte aligned, of undefined content */
    size_t scratch_size;
    const rv_type *in_type;
    rv_type out_type;
    int inputs;
    int part, parts; /* 0 of 1: all of it */

    /* Set by the op's `select`: */
    int64_t most_parts; /* equal pieces, one after the other in out, of which each part gets its
                           share by rv_call_range(c, most_parts, ..), perhaps none; 0: not to be cut */
    unsigned sliced;    /* bit k: of in[k] too a part reads only its share; a must for an input that
                           out may be the memory of, or the call is not cut */
    double operations;  /* floating-point operations that the result takes; 0: not known */
};

/* Of `total` equal pieces of work those of a call's part: first .. end. */
static inline void rv_call_range(const rv_call *c, int64_t total, int64_t *first, int64_t *end)
{
    *first = total * c->part / c->parts;
    *end = total * (c->part + 1) / c->parts;
}

/* A pointwise op on `blocks` whole blocks of RV_ALIGNMENT bytes, 16 elements of f32 or 8 of f64 (tensors
 * own the rest of their last block). Bit k of scalar: in[k] is one element, meant for all; a program sets
 * it for any input that has one element alone. out may be in[k] if that is not so. Each
 * element's bits depend on its operands alone, not on where it stands. */
typedef void (*rv_row)(int64_t blocks, void *out, const void *const *in, int inputs,
                       unsigned scalar);

/* The operands of a call as tensors, for kernels that take any dtype. */
static inline rv_tensor rv_call_out(const rv_call *c)
{
    rv_tensor tensor = {c->out_type.dtype, c->out_type.shape, c->out};
    return tensor;
}
static inline rv_tensor rv_call_in(const rv_call *c, int k)
{
    rv_tensor tensor = {c->in_type[k].dtype, c->in_type[k].shape, (void *)(uintptr_t)c->in[k]};
    return tensor;
}

/* What a gradient rule sees: y = op(x[0], x[1], ...) and the cotangent of y. */
typedef struct rv_backward {
    rv_var y, dy;
    const rv_var *x;
    int inputs;
    const void *attr;
} rv_backward;

/* ---- options: what an op called by name takes besides its inputs: conv2d(x, w, stride=2) ---- */

typedef enum rv_option_kind {
    RV_OPTION_WHOLE,  /* a whole number */
    RV_OPTION_NUMBER, /* any number */
    RV_OPTION_FLAG,   /* true or false: number 1 or 0 */
    RV_OPTION_LIST,   /* whole numbers, 1 .. RV_MAX_RANK of them: axes, a shape, sizes */
    RV_OPTION_WORD    /* text: a name, a dtype */
} rv_option_kind;

/* An optional number or flag that is not given has its default value. A list that is not given is absent (count 0)
 * and each of its numbers counts as the default value; a word that is not given is NULL. A default of NAN means that
 * there is none: `doc` says what absence means. */
typedef struct rv_option {
    const char *name;
    rv_option_kind kind;
    bool required;
    double default_value;
    const char *doc; /* a few words: unit, meaning, what absence means */
} rv_option;

typedef struct rv_option_value {
    double number; /* WHOLE, NUMBER, FLAG */
    int count;     /* LIST: how many numbers; 0: not given */
    int64_t list[RV_MAX_RANK];
    const char *word; /* WORD; NULL: not given */
} rv_option_value;

/* What a call is given: as many inputs as the op has, none of them null, and a value for each of its options. */
typedef struct rv_arguments {
    const struct rv_op *op;
    const rv_var *x;
    int inputs;
    const rv_option_value *value;
    bool ok; /* false once a value was refused, with an error on the tape */
} rv_arguments;

/* ---- samples ---- */

/* A case an op is proved on. The inputs are uniform in low..high from a fixed seed. */
typedef struct rv_sample {
    rv_shape in[4];
    int inputs; /* 0: as many as the op has */
    double low, high;
    const void *attr; /* attr_size bytes; a composite's are values of its options: RV_GIVEN */
    size_t attr_size;
    unsigned integer;  /* bit k: input k is i32 */
    const char *error; /* not NULL: recording must fail with these words in the message */
} rv_sample;

typedef enum rv_op_kind {
    RV_OP_VALUE,    /* computes its output from its inputs, and nothing else */
    RV_OP_LEAF,     /* has no inputs: an input, a parameter, a constant */
    RV_OP_VIEW,     /* another look at input 0's elements: no instruction, no memory */
    RV_OP_EFFECT,   /* changes something outside the tape; never merged with another */
    RV_OP_COMPOSITE /* a recipe that `call` records, of other ops; never on a tape itself */
} rv_op_kind;

/* ---- the descriptor ---- */

/* name, args, formula and infer are a must; so is one of reference, select and row. Of a composite: name, args, formula
 * and call. */
typedef struct rv_op {
    const char *name; /* what people call it, and its identity in hashes */
    const char *args; /* the inputs' names, in order: "x w"; "x ..." takes any number from 1 on */
    const char *formula; /* y as a function of the inputs */
    const char *doc;     /* one line */
    rv_op_kind kind;
    int inputs; /* -1: any number from 1 on */

    bool (*infer)(rv_inference *i);
    rv_kernel reference;                /* naive, any dtype: the oracle for `select`'s choice */
    rv_kernel (*select)(rv_call *call); /* the kernel for these types; may set plan, scratch_size,
                                           most_parts, sliced, operations. NULL: out of memory */
    rv_row (*row)(rv_dtype dtype);      /* pointwise ops have this instead: y[i] depends on the
                                           x[k][i] alone, all of one shape. NULL: not that dtype */

    /* The cotangent of x[k], by calling public ops only (invariant 4): the null var for zero. No rule together with
     * zero_gradient: constant almost everywhere. NULL alone: there is none, and asking is an
     * error. i32 inputs are never asked about. */
    rv_var (*gradient)(const rv_backward *b, int k);
    bool zero_gradient;

    /* Algebra that the passes and the tests use; a mask has bit k for input k. */
    unsigned linear;       /* linear in x[k] while the others stay: zero there gives zero */
    bool linear_jointly;   /* linear in all inputs together */
    bool commutative;      /* the order of the inputs does not matter */
    bool rearranges;       /* every element of y is an element of some x[k] */
    bool polynomial;       /* in its inputs: central differences are exact but for rounding */
    unsigned zero_is_unit; /* x[k] = 0 makes a binary op return its other input */
    unsigned one_is_unit;  /* likewise x[k] = 1 */
    unsigned in_place;     /* out may be the memory of x[k], if of the same size */

    /* The same value recorded in a simpler way, from what its inputs are; the null var: there is none.
     * For what the algebra above does not say. */
    rv_var (*simplify)(const void *attr, const rv_var *x);

    /* For programs. `accumulate` is y = op(x...) + z as one op, z its last input. `prepare` records the op with x[1]
     * in a form that is computed once per run for all calls that read the same x[1], as matmul packs a weight matrix;
     * the null var where that does not pay. */
    const struct rv_op *accumulate;
    rv_var (*prepare)(const void *attr, const rv_var *x);

    /* Records the op by its public function, broadcasting included, from arguments that rv_op_call (ops/options.h) has
     * checked. Texts and the samples of composites are recorded by it; an op of your own that is no composite may do
     * without. */
    const rv_option *options;
    int option_count;
    rv_var (*call)(rv_arguments *a);

    const rv_sample *samples;
    int sample_count;
} rv_op;

/* What a descriptor states of a linear op of one input. */
#define RV_LINEAR .linear = 1, .linear_jointly = true, .polynomial = true

#define RV_SAMPLES(array) \
    .samples = (array), .sample_count = (int)(sizeof(array) / sizeof(*(array)))

#define RV_OPTIONS(array) \
    .options = (array), .option_count = (int)(sizeof(array) / sizeof(*(array)))

/* What a composite's sample gives for its options, in their order: RV_GIVEN(RV_NUMBER(0.5), RV_LIST(2, 2)). A list
 * or word that is absent is RV_ABSENT. */
#define RV_GIVEN(...) \
    .attr = (const rv_option_value[]) { __VA_ARGS__ }
#define RV_NUMBER(value) \
    { \
        .number = (value) \
    }
#define RV_LIST(...) \
    { \
        .count = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), .list = { \
            __VA_ARGS__ \
        } \
    }
#define RV_WORD(text) \
    { \
        .word = (text) \
    }
#define RV_ABSENT \
    { \
        .count = 0 \
    }

#ifdef __cplusplus
}
#endif

#endif
