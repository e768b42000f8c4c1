/* Expressions of elements (autograd/element_internal.h) as C statements. */
#ifndef RV_EXPORT_C_EXPRESSION_H
#define RV_EXPORT_C_EXPRESSION_H

#include "autograd/element_internal.h"
#include "export/text_internal.h"

enum { RV_C_ARRAY = 128, RV_C_MOST_LOOPS = 16 };

typedef struct rv_c_expression {
    rv_element_pool *pool;
    rv_writer *out;
    const char *(*array)(void *context, int32_t stored, char text[RV_C_ARRAY]);
    /* The local variable that holds the stored value's element in these loops; NULL: none. */
    const char *(*local)(void *context, int32_t stored);
    void *context;

    int32_t loop[RV_C_MOST_LOOPS]; /* the variables of the open loops, outermost first */
    int loops;
    int statements[RV_C_MOST_LOOPS]; /* of each open block */
    size_t brace[RV_C_MOST_LOOPS];   /* where it begins in the text */
    int locals;                      /* local variables made so far */
    int32_t wide; /* the variable of the loop that goes in steps of so many lanes; -1: none */
    int lanes;
    double operations; /* multiplications and additions */
    bool failed;
} rv_c_expression;

void rv_c_open_loops(rv_c_expression *x, const rv_index *at, int rank);
/* Evaluates a term into the local variable `name` (unless NULL) and the element `flat` of `array`
 * (unless NULL). */
void rv_c_assign(rv_c_expression *x, rv_term value, const char *name, const char *array,
                 const rv_index *flat, bool add);
/* The same without a local variable, from loops at[0 .. rank-1] that are not open yet, for a
 * sum. */
void rv_c_assign_sum(rv_c_expression *x, const rv_index *at, int rank, rv_term value,
                     const char *array, const rv_index *flat, bool add);
/* Writes a local variable, or adds it, to the element `flat` of an array. */
void rv_c_store(rv_c_expression *x, const char *name, const char *array, const rv_index *flat,
                bool add);
void rv_c_close_loops(rv_c_expression *x);

#endif
