/* Switches the calling thread to the C locale for one call. newlocale needs no memory for the C
 * locale. */
#include "tensor/text_internal.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static locale_t c_locale(void) { return newlocale(LC_ALL_MASK, "C", (locale_t)0); }

int rv_format(char *text, size_t size, const char *format, va_list arguments)
{
    locale_t own = c_locale(), before = uselocale(own);
    int length = vsnprintf(text, size, format, arguments);
    uselocale(before);
    freelocale(own);
    return length;
}

void rv_put(rv_text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = rv_format(t->at, (size_t)(t->end - t->at), format, arguments);
    va_end(arguments);
    if (length > 0) t->at = length < t->end - t->at ? t->at + length : t->end - 1;
}

double rv_number(const char *text, char **end)
{
    locale_t own = c_locale();
    double number = strtod_l(text, end, own);
    freelocale(own);
    return number;
}

static void print(char text[RV_NUMBER_TEXT], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    rv_format(text, RV_NUMBER_TEXT, format, arguments);
    va_end(arguments);
}

const char *rv_number_text(double number, char text[RV_NUMBER_TEXT])
{
    for (int digits = 1; digits <= 17; digits++) {
        print(text, "%.*g", digits, number);
        if (rv_number(text, NULL) == number) break;
    }
    return text;
}

const char *rv_reason(int number)
{
    locale_t own = c_locale();
    const char *reason = strerror_l(number, own);
    freelocale(own);
    return reason;
}
