/* The functions of an exported net that compute: which values each reads and writes, by which names. */
#ifndef RV_EXPORT_C_FUNCTIONS_H
#define RV_EXPORT_C_FUNCTIONS_H

#include "export/c/function.h"
#include "export/c/parts.h"

typedef struct rv_c_functions {
    const rv_c_parts *p;
    rv_c_function start, step, head, step_gradient, head_gradient, start_gradient, update;
} rv_c_functions;

enum { RV_C_FUNCTIONS = 7 };

/* All of them; without training those after `head` are empty. */
void rv_c_functions_all(const rv_c_functions *f, const rv_c_function *all[RV_C_FUNCTIONS]);

bool rv_c_functions_write(rv_c_functions *f, rv_error *error);
void rv_c_functions_free(rv_c_functions *f);

#endif
