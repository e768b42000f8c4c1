/* Numbers and reasons as text: with a decimal point and in English, whatever locale the program has chosen. */
#ifndef RV_TENSOR_TEXT_INTERNAL_H
#define RV_TENSOR_TEXT_INTERNAL_H

#include <stdarg.h>
#include <stddef.h>

#include "tensor/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* vsnprintf. */
int rv_format(char *text, size_t size, const char *format, va_list arguments);

/* What is left of a buffer: each put writes behind the one before, cut off where there is no more room. */
typedef struct rv_text {
    char *at, *end;
} rv_text;
void rv_put(rv_text *t, const char *format, ...) RV_PRINTF(2, 3);

/* strtod. */
double rv_number(const char *text, char **end);

/* The shortest digits that give the number back. */
enum { RV_NUMBER_TEXT = 32 };
const char *rv_number_text(double number, char text[RV_NUMBER_TEXT]);

/* What an errno means; the next call may overwrite it. */
const char *rv_reason(int number);

#ifdef __cplusplus
}
#endif

#endif
