/* One element of an op's output as an expression of elements of its inputs. Code generators
 * (export/c.h) make loops of it. An op's `element` builds the expression:
 *
 *     static rv_term element(rv_element *e)  // matmul: c[i, j] = sum_l a[i, l] b[l, j]
 *     {
 *         rv_index i = e->at[0], j = e->at[1], l = rv_index_loop(e, e->in[0].shape.dim[1]);
 *         rv_term product = rv_term_apply(e, "x * y", (rv_term[]){
 *             rv_term_input(e, 0, (rv_index[]){i, l}), rv_term_input(e, 1, (rv_index[]){l, j})}, 2);
 *         return rv_term_sum(e, &l, 1, product);
 *     }
 *
 * Running out of memory sets e->pool->failed; terms and indices then have no meaning. */
#ifndef RV_AUTOGRAD_ELEMENT_INTERNAL_H
#define RV_AUTOGRAD_ELEMENT_INTERNAL_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- indices: a constant and multiples of variables ---- */

enum { RV_INDEX_TERMS = 2 * RV_MAX_RANK };

typedef struct rv_index {
    int64_t constant;
    int terms;
    int32_t variable[RV_INDEX_TERMS];
    int64_t factor[RV_INDEX_TERMS];
} rv_index;

typedef int32_t rv_term; /* a node of the expression; see rv_term_node */

typedef enum rv_variable_kind {
    RV_VARIABLE_LOOP,    /* 0 .. size-1, of a sum or of the output's loops */
    RV_VARIABLE_DIVIDED, /* of / by, rounded down */
    RV_VARIABLE_REST,    /* of % by */
    RV_VARIABLE_VALUE    /* a value, rounded down */
} rv_variable_kind;

typedef struct rv_variable {
    rv_variable_kind kind;
    int64_t size; /* from 0 to below this; a VALUE may be anything */
    rv_index of;
    int64_t by;
    rv_term value;
} rv_variable;

typedef enum rv_term_kind {
    RV_TERM_NUMBER, /* number */
    RV_TERM_READ,   /* the element `flat` of a stored value */
    RV_TERM_APPLY,  /* `value` in C, of the terms x, y, z */
    RV_TERM_SUM,    /* of `of` over `loop` */
    RV_TERM_MAX,    /* the largest `of` over `loop` */
    RV_TERM_WITHIN  /* `of` where 0 <= index < size, else 0; with size 0, where index is 0 */
} rv_term_kind;

typedef struct rv_term_node {
    rv_term_kind kind;
    double number;
    int32_t stored; /* READ: what is read, in the generator's own numbering */
    rv_index index; /* READ: flat; WITHIN */
    int64_t size;
    const char *value;
    rv_term of[3];
    int count;    /* APPLY */
    int32_t loop; /* SUM, MAX: the variable */
} rv_term_node;

/* ---- the expression ---- */

struct rv_element {
    /* the call whose element is wanted */
    const void *attr;
    const rv_type *in;
    int inputs;
    rv_type out;
    const rv_index *at; /* [out.shape.rank] */

    /* set by the generator: the element of input k at an index */
    rv_term (*input)(rv_element *e, int k, const rv_index *at);
    /* The same of a copy with zeros around it, if the generator makes one: else false, or NULL. */
    bool (*padded)(rv_element *e, int k, const rv_index *at, rv_term *x);
    void *context;

    struct rv_element_pool *pool;
};

typedef struct rv_element_pool {
    rv_variable *variable;
    size_t variables, variable_room;
    rv_term_node *term;
    size_t terms, term_room;
    bool failed; /* out of memory, or an index of too many terms */
} rv_element_pool;

void rv_element_pool_free(rv_element_pool *pool);

rv_index rv_index_of(int64_t constant);
rv_index rv_index_loop(rv_element *e, int64_t size); /* 0 if size is 1 */
rv_index rv_index_plus(rv_element *e, rv_index a, rv_index b);
rv_index rv_index_scale(rv_index a, int64_t factor);
rv_index rv_index_shift(rv_index a, int64_t offset);
/* a / by rounded down, and a % by, for a >= 0 and by > 0. */
rv_index rv_index_divide(rv_element *e, rv_index a, int64_t by);
rv_index rv_index_rest(rv_element *e, rv_index a, int64_t by);
rv_index rv_index_value(rv_element *e, rv_term value);
bool rv_index_equal(const rv_index *a, const rv_index *b);
/* The least and the largest value. False if they are unknown. */
bool rv_index_range(const rv_element_pool *pool, const rv_index *a, int64_t *low, int64_t *high);

/* Row-major: the flat index of an element of a tensor of that shape, and back. */
rv_index rv_index_ravel(rv_element *e, rv_shape shape, const rv_index *at);
void rv_index_unravel(rv_element *e, rv_shape shape, rv_index flat, rv_index *at);

rv_term rv_term_input(rv_element *e, int k, const rv_index *at);
/* For an index that may be outside: true if *x is then 0, false if it has no meaning there. */
bool rv_term_padded(rv_element *e, int k, const rv_index *at, rv_term *x);
rv_term rv_term_number(rv_element *e, double number);
rv_term rv_term_read(rv_element *e, int32_t stored, rv_index flat);
/* `value` is C text that outlives the expression. */
rv_term rv_term_apply(rv_element *e, const char *value, const rv_term *of, int count);
rv_term rv_term_plus(rv_element *e, rv_term a, rv_term b);
rv_term rv_term_sum(rv_element *e, const rv_index *loops, int count, rv_term of);
rv_term rv_term_max(rv_element *e, const rv_index *loops, int count, rv_term of);
/* `of` where 0 <= index < size, else 0. */
rv_term rv_term_within(rv_element *e, rv_index index, int64_t size, rv_term of);
/* `of` where index is 0, else 0. */
rv_term rv_term_where_zero(rv_element *e, rv_index index, rv_term of);

#ifdef __cplusplus
}
#endif

#endif
