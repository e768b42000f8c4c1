/* The functions of an exported net that compute: which values each reads and writes, by which
 * names. */
#ifndef RV_EXPORT_C_FUNCTIONS_H
#define RV_EXPORT_C_FUNCTIONS_H

#include "export/c/function.h"
#include "export/c/parts.h"

typedef enum rv_c_which {
    RV_C_START,
    RV_C_STEP,
    RV_C_HEAD,
    RV_C_PREPARE,
    RV_C_RUN,           /* of a net without time steps, as the gradients below */
    RV_C_STEP_GRADIENT, /* from here on without training empty */
    RV_C_HEAD_GRADIENT,
    RV_C_START_GRADIENT,
    RV_C_PREPARE_GRADIENT,
    RV_C_GRADIENTS,
    RV_C_UPDATE,
    RV_C_FUNCTIONS
} rv_c_which;

typedef struct rv_c_functions {
    const rv_c_parts *p;
    rv_c_function of[RV_C_FUNCTIONS];
} rv_c_functions;

bool rv_c_functions_write(rv_c_functions *f, rv_error *error);
void rv_c_functions_free(rv_c_functions *f);

#endif
