/* Text of numbers and system errors, with a decimal point and in English in any locale. */
#ifndef RV_TENSOR_TEXT_INTERNAL_H
#define RV_TENSOR_TEXT_INTERNAL_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* vsnprintf with the conversions of rv_fail (tensor/error.h), in the C locale. Widths of %s count
 * characters. In "%d sample(s)" and "%d batch(es)" the noun gets the ending that its number asks
 * for. A text that does not fit ends with a whole character. The length for a `size` of 0 is an
 * upper bound. */
int rv_format(char *text, size_t size, const char *format, va_list arguments);

/* The rest of a buffer. Each rv_put appends to it and truncates text that does not fit. For people:
 * a path in it may be escaped. */
typedef struct rv_text {
    char *at, *end;
} rv_text;
void rv_put(rv_text *t, const char *format, ...) RV_PRINTF(2, 3);

/* rv_put into a whole buffer: snprintf for people, which cuts no character. */
void rv_print(char *text, size_t size, const char *format, ...) RV_PRINTF(3, 4);

/* Writes texts one after the other, up to NULL; what does not fit is left out. Returns their length
 * together. For what every recording does: printf's code and tables are pages that a new process
 * would have to read first. */
size_t rv_join(char *to, size_t size, const char *first, ...) __attribute__((sentinel));

/* The digits of n, at least 1, for rv_join. */
enum { RV_DECIMAL = 20 };
const char *rv_decimal(int64_t n, char text[RV_DECIMAL]);

/* strtod in the C locale. */
double rv_number(const char *text, char **end);

/* The shortest text that reads back as the number. */
enum { RV_NUMBER_TEXT = 32 };
const char *rv_number_text(double number, char text[RV_NUMBER_TEXT]);

/* The text of an errno; the next call may overwrite it. */
const char *rv_reason(int number);

#ifdef __cplusplus
}
#endif

#endif
