/* The body of a C function that computes values of a tape: a loop nest for each group of equations,
 * below a comment that states them. */
#ifndef RV_EXPORT_C_FUNCTION_H
#define RV_EXPORT_C_FUNCTION_H

#include "autograd/tape.h"
#include "export/text_internal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A value that the caller of the function provides. */
typedef struct rv_c_given {
    rv_var value;
    const char *array; /* in C: "net->h" */
    const char *name;  /* in comments: "h" */
} rv_c_given;

typedef struct rv_c_result {
    rv_var value;
    const char *array;
    const char *name;
    bool add;  /* to what the array holds */
    bool last; /* written after all reads: the array is also given */
} rv_c_result;

typedef struct rv_c_function {
    const char *name;
    const rv_c_given *given;
    int givens;
    const rv_c_result *result;
    int results;
    const char *work; /* what is before the names of arrays for intermediate values: "net->work." */
    const char *real; /* the type of their elements */

    /* written */
    rv_writer body;      /* statements, indented by four spaces */
    rv_writer fields;    /* declarations of the arrays in the struct */
    rv_writer constants; /* declarations of arrays of numbers, for the start of the function */
    double operations;   /* multiplications and additions of a call */
    size_t work_count;   /* elements in the arrays */
} rv_c_function;

/* False, with an error, if an op cannot be written as loops, or out of memory. The caller frees the
 * texts. */
bool rv_c_function_write(rv_c_function *f, rv_error *error);
void rv_c_function_free(rv_c_function *f);

#ifdef __cplusplus
}
#endif

#endif
