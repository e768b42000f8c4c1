/* Names and numbers in C. */
#ifndef RV_EXPORT_C_TEXT_H
#define RV_EXPORT_C_TEXT_H

#include "export/text_internal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A name as a C identifier that is not a keyword: "pre-g" becomes pre_g. */
enum { RV_C_NAME = 64 };
const char *rv_c_name(const char *name, char text[RV_C_NAME]);

/* The same for an argument of a function: no name that functions use themselves, such as i or
 * sum2. */
const char *rv_c_argument_name(const char *name, char text[RV_C_NAME]);
/* Whether functions use the name for variables that they make: i, j1, sum2, padded1. */
bool rv_c_is_made(const char *name);
/* Whether two names are equal but for capital letters. */
bool rv_c_same(const char *a, const char *b);

/* Writes an f32 or f64 number as a constant, exactly. */
void rv_c_write_number(rv_writer *w, double number);

#ifdef __cplusplus
}
#endif

#endif
