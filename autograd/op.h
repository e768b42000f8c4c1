/* The op descriptor. It defines how an op infers shapes, computes, differentiates and is tested. A
 * new op is a new descriptor; no other code needs to change. */
#ifndef RV_AUTOGRAD_OP_H
#define RV_AUTOGRAD_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../tensor/error.h"
#include "../tensor/memory.h"
#include "../tensor/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_tape rv_tape;
typedef struct rv_element rv_element; /* element_internal.h */

/* A value on a tape. A failed op returns the null var (id < 0), and so does every op that is given
 * one. Only the end of a chain needs a check (invariant 3). */
typedef struct rv_var {
    rv_tape *tape;
    int32_t id;
} rv_var;

/* The dtype and shape of a value, which are known when it is recorded. */
typedef struct rv_type {
    rv_dtype dtype;
    rv_shape shape;
} rv_type;

static inline size_t rv_type_bytes(const rv_type *type)
{
    return (size_t)rv_shape_count(type->shape) * rv_dtype_size(type->dtype);
}

/* The argument of a shape rule, which sets `out`. A rule that refuses its inputs calls
 * rv_fail(i->error, ...) with the text "seen, expected; what to do". The tape adds the op's name in
 * front, and the names and shapes of the inputs after "expected". */
typedef struct rv_inference {
    const void *attr;
    const rv_type *in;
    int inputs;
    rv_type out;
    rv_error *error;
} rv_inference;

typedef struct rv_call rv_call;
typedef void (*rv_kernel)(const rv_call *call);

/* One instruction of a program: a kernel with its operands. A kernel allocates nothing, writes only
 * to out and scratch, and writes every element of out. If the op can be cut (most_parts), the
 * kernel writes only part `part` of `parts`. Parts run on several threads, each with its own
 * scratch, or one after the other so that their data stays in a cache. There may be more parts than
 * pieces. The number of parts does not change a bit of the result. */
struct rv_call {
    rv_kernel run;
    void *out;
    const void *const *in;
    const void *attr;
    const void *plan; /* made by `select` with rv_alloc; the program frees it */
    void *scratch;    /* scratch_size bytes, 64-byte aligned, uninitialized */
    size_t scratch_size;
    const rv_type *in_type;
    rv_type out_type;
    int inputs;
    int part, parts; /* part 0 of 1 is the whole call */

    /* The op's `select` sets the rest. */

    /* The number of equal pieces that out consists of, one after the other. A part writes the
     * pieces that rv_call_range(c, most_parts, ..) returns, perhaps none. 0: the call cannot be
     * cut. */
    int64_t most_parts;
    /* Bit k: a part reads only the same range of in[k]. If out may share memory with an input whose
     * bit is not set, the call is not cut. */
    unsigned sliced;
    double operations; /* floating-point operations; 0: unknown */
};

/* The pieces first .. end-1, of `total` equal ones, that belong to the call's part. */
static inline void rv_call_range(const rv_call *c, int64_t total, int64_t *first, int64_t *end)
{
    *first = total * c->part / c->parts;
    *end = total * (c->part + 1) / c->parts;
}

/* The kernel of a pointwise op. It works on `blocks` whole blocks of RV_ALIGNMENT bytes: 16
 * elements of f32, 8 of f64. Tensors own the unused rest of their last block. Bit k of scalar:
 * in[k] is a single element, used for all elements of out; programs set it for every input that is
 * stored as one element. out may be an in[k] whose bit is not set. The bits of an element depend
 * only on its operands, not on its position. */
typedef void (*rv_pointwise_kernel)(int64_t blocks, void *out, const void *const *in, int inputs,
                                    unsigned scalar);

/* The operands of a call as tensors, for kernels that accept any dtype. */
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

/* The argument of a gradient rule: y = op(x[0], x[1], ...) and dy, the cotangent of y. */
typedef struct rv_backward {
    rv_var y, dy;
    const rv_var *x;
    int inputs;
    const void *attr;
} rv_backward;

/* ---- options: the named arguments of an op called by name, conv2d(x, w, stride=2) ---- */

typedef enum rv_option_kind {
    RV_OPTION_WHOLE,  /* a whole number */
    RV_OPTION_NUMBER, /* any number */
    RV_OPTION_FLAG,   /* true or false: number 1 or 0 */
    RV_OPTION_LIST,   /* 1 to RV_MAX_RANK whole numbers: axes, a shape, sizes */
    RV_OPTION_WORD    /* text: a name, a dtype */
} rv_option_kind;

/* An omitted number or flag has its default value. An omitted list has count 0, and each of its
 * numbers counts as the default value. An omitted word is NULL. A default of NAN means that there
 * is none; `doc` then says what omission means. */
typedef struct rv_option {
    const char *name;
    rv_option_kind kind;
    bool required;
    double default_value;
    const char *doc; /* a few words: unit, meaning, effect of omission */
} rv_option;

typedef struct rv_option_value {
    double number; /* WHOLE, NUMBER, FLAG */
    int count;     /* LIST: length; 0: omitted */
    int64_t list[RV_MAX_RANK];
    const char *word; /* WORD; NULL: omitted */
} rv_option_value;

/* The arguments of a call: all inputs of the op, none of them null, and a value for each of its
 * options. Only rv_op_call makes them. */
typedef struct rv_arguments {
    const struct rv_op *op;
    const rv_var *x;
    int inputs;
    const rv_option_value *value;
    bool ok; /* false after a value was refused; the error is on the tape */
} rv_arguments;

/* ---- samples ---- */

/* A test case of an op. The inputs are uniform in low..high, from a fixed seed. */
typedef struct rv_sample {
    rv_shape in[4];
    int inputs; /* 0: rv_op.inputs */
    double low, high;
    const void *attr; /* attr_size bytes; NULL for a composite, whose reference reads the options */
    size_t attr_size;
    /* A value for each option (RV_GIVEN), for a composite and wherever options can say what attr
     * says: the call by name must record the same node. */
    const rv_option_value *options;
    unsigned integer;  /* bit k: input k is i32 */
    const char *error; /* unless NULL, recording must fail with a message that contains this */
} rv_sample;

typedef enum rv_op_kind {
    RV_OP_VALUE,    /* computes its output from its inputs, without side effects */
    RV_OP_LEAF,     /* has no inputs: an input, a parameter, a constant */
    RV_OP_VIEW,     /* shares the memory of input 0 and takes no instruction */
    RV_OP_EFFECT,   /* changes something outside the tape; each recording is a new node */
    RV_OP_COMPOSITE /* its `call` records other ops; it is never on a tape itself */
} rv_op_kind;

/* ---- the descriptor ---- */

/* Required: name, args, formula, infer, and one of reference, select and pointwise. A composite
 * requires name, args, formula and call. */
typedef struct rv_op {
    const char *name;
    const char *args;    /* the names of the inputs: "x w"; "x ..." accepts one or more */
    const char *formula; /* y as a function of the inputs */
    const char *doc;     /* one line */
    rv_op_kind kind;
    int inputs; /* -1: one or more */

    bool (*infer)(rv_inference *i);
    /* The naive kernel for any dtype, against which the fast kernels are tested. */
    rv_kernel reference;
    /* Returns the kernel for the types of the call, or NULL when out of memory. May set plan,
     * scratch_size, most_parts, sliced and operations. */
    rv_kernel (*select)(rv_call *call);
    /* The kernel of a pointwise op, which has this instead of `select`: all shapes are equal, and
     * y[i] depends only on the x[k][i]. NULL for a dtype that the op does not support. */
    rv_pointwise_kernel (*pointwise)(rv_dtype dtype);

    /* For code generators. An element of a pointwise op as C text, of x, y and z; EXP, LOG, .. are
     * the maths of its type. An element of any other op as an expression (element_internal.h).
     * NULL: no code can be generated. */
    const char *value;
    int32_t (*element)(rv_element *e);

    /* Records the cotangent of x[k] with public ops only (invariant 4). The null var means zero. An
     * op that is constant almost everywhere has no rule and sets zero_gradient. Differentiating an
     * op with neither is an error. The rule is never called for i32 inputs. */
    rv_var (*gradient)(const rv_backward *b, int k);
    bool zero_gradient;

    /* Algebraic properties, which the passes use and the tests check. Bit k of a mask stands for
     * input k. */
    unsigned linear;       /* linear in x[k] with the other inputs fixed: y = 0 if x[k] = 0 */
    bool linear_jointly;   /* linear in all inputs together */
    bool commutative;      /* the order of the inputs does not matter */
    bool rearranges;       /* every element of y is an element of some x[k] */
    bool polynomial;       /* in its inputs: central differences are exact up to rounding */
    unsigned zero_is_unit; /* a binary op with x[k] = 0 returns its other input */
    unsigned one_is_unit;  /* the same for x[k] = 1 */
    unsigned in_place;     /* out may share the memory of x[k] if both have the same size */
    /* Whether row i of y, along the first axis, depends on x[k] by its row i alone, in the same way
     * for each i. NULL: unknown, except for pointwise ops. Unrolling runs such steps on all time
     * steps at once. */
    bool (*by_rows)(const void *attr, const rv_type *in, int k);

    /* Records the same value in a simpler way, or returns the null var. For rules that the
     * properties above do not express. */
    rv_var (*simplify)(const void *attr, const rv_var *x);

    /* The compiler uses these two. `accumulate` is the op y = op(x...) + z, with z as its last
     * input. `prepare` records the op with x[1] in a form that is computed once per run and shared
     * by all calls that read the same x[1]: matmul packs a weight matrix. It returns the null var
     * if that gains nothing. */
    const struct rv_op *accumulate;
    rv_var (*prepare)(const void *attr, const rv_var *x);

    /* Calls the op's public function, which broadcasts, with arguments that rv_op_call
     * (ops/options.h) has checked. Needed by composites and by ops that texts call. */
    const rv_option *options;
    int option_count;
    rv_var (*call)(rv_arguments *a);

    const rv_sample *samples;
    int sample_count;
} rv_op;

/* The properties of a linear op with one input. */
#define RV_LINEAR .linear = 1, .linear_jointly = true, .polynomial = true

#define RV_SAMPLES(array) \
    .samples = (array), .sample_count = (int)(sizeof(array) / sizeof(*(array)))

#define RV_OPTIONS(array) \
    .options = (array), .option_count = (int)(sizeof(array) / sizeof(*(array)))

/* The option values of a sample, in the order of the op's options: RV_GIVEN(RV_NUMBER(0.5),
 * RV_LIST(2, 2)). RV_ABSENT stands for an omitted list or word. */
#define RV_GIVEN(...) \
    .options = (const rv_option_value[]) { __VA_ARGS__ }
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

/* ---- parts of descriptors: only the library calls them ---- */

/* A shape rule: the inputs and the result have one dtype and shape. */
bool rv_infer_same(rv_inference *i);

/* The reference of y = x, and its kernel for all dtypes: copies the bytes of x[0], which may be of
 * another shape. */
void rv_copy_bytes(const rv_call *call);
rv_kernel rv_select_copy_bytes(rv_call *call);

#ifdef __cplusplus
}
#endif

#endif
