/* The functions that the values of ops consist of (ops/pointwise.def), in C. */
#ifndef RV_EXPORT_C_MATHS_H
#define RV_EXPORT_C_MATHS_H

#include "export/text_internal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Defines EXP(x) and so on for the type real: those for which `used` is true of their call,
 * "EXP(". */
void rv_c_write_maths(rv_writer *w, bool (*used)(const void *context, const char *call),
                      const void *context);

/* Whether these call a function of that name, such as tanh and tanhf, which a variable would
 * hide. */
bool rv_c_is_function(const char *name);

/* The paragraphs of ops/kernels/maths.h, each the definitions of functions or macros; NULL behind
 * the last. */
extern const char *const rv_c_maths[];

#ifdef __cplusplus
}
#endif

#endif
