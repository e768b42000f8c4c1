/* Which values of a tape a C function stores in arrays, by which names, and in which order it
 * computes them. */
#ifndef RV_EXPORT_C_PLAN_H
#define RV_EXPORT_C_PLAN_H

#include "export/c/function.h"
#include "export/c/text.h"
#include "tensor/name_table_internal.h"

/* Values that are not stored nest in expressions: at most so deep, counted in operands. */
enum { RV_C_MOST_NESTED = 24 };

/* All arrays are [nodes]. */
typedef struct rv_c_plan {
    const rv_c_function *f;
    const rv_tape *tape;
    bool *needed, *stored;
    /* A sum of products, such as a convolution, or of several: with loops of its own. */
    bool *products;
    int *depth; /* operands that nest in a value that is not stored */
    int *readers;
    int32_t *reader; /* the last reader */
    int32_t *order;  /* the stored values that the function computes, in order */
    int ordered;
    int32_t *when;           /* where a value is in that order, from 1 */
    int32_t *last_read;      /* when loops read it last */
    char (*name)[RV_C_NAME]; /* the array or local variable of a stored value */
    rv_name_table taken;     /* names */
    int unnamed;
} rv_c_plan;

bool rv_c_plan_make(rv_c_plan *p, const rv_c_function *f, rv_error *error);
void rv_c_plan_free(rv_c_plan *p);

/* NULL: it is not given, or no result. */
const rv_c_given *rv_c_given_of(const rv_c_plan *p, int32_t id);
const rv_c_result *rv_c_result_of(const rv_c_plan *p, int32_t id);
/* Whether loops compute it. */
bool rv_c_is_computed(const rv_c_plan *p, int32_t id);
/* Whether the value is written piece by piece, in loops for each: the inputs of a concat, the terms
 * of a long sum, the first step of a scan and the others. */
bool rv_c_has_pieces(const rv_c_plan *p, int32_t id);
/* What comments call it; NULL: it has no name. */
const char *rv_c_shown_name(const rv_c_plan *p, int32_t id);

#endif
