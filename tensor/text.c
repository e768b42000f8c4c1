/* Switches the calling thread to the C locale for one call. newlocale needs no memory for the C
 * locale. */
#include "tensor/text_internal.h"

#include <ctype.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static locale_t c_locale(void) { return newlocale(LC_ALL_MASK, "C", (locale_t)0); }

/* The last number before a noun with its adjectives, "at most 12 training sample", is 1: 1; another: 2; there is none: 0. */
static int count_before(const char *text, const char *noun_end)
{
    const char *at = noun_end;
    while (at > text && (isalpha((unsigned char)at[-1]) || at[-1] == ' ')) at--;
    if (at == text || !isdigit((unsigned char)at[-1])) return 0;
    return at[-1] == '1' && (at - 1 == text || !strchr("0123456789.,-", at[-2])) ? 1 : 2;
}

/* Replaces the ending "(s)" or "(es)" of nouns by the one that their number asks for. */
static void inflect(char *text)
{
    char *to = text;
    for (const char *at = text; *at != '\0';) {
        size_t length = strncmp(at, "(s)", 3) == 0 ? 3 : strncmp(at, "(es)", 4) == 0 ? 4 : 0;
        int count = length > 0 ? count_before(text, to) : 0;
        if (count == 0) {
            *to++ = *at++;
            continue;
        }
        for (size_t i = 1; i + 1 < length && count > 1; i++) *to++ = at[i];
        at += length;
    }
    *to = '\0';
}

int rv_format(char *text, size_t size, const char *format, va_list arguments)
{
    locale_t own = c_locale(), before = uselocale(own);
    int length = vsnprintf(text, size, format, arguments);
    uselocale(before);
    freelocale(own);
    if (length < 0 || size == 0 || !(strstr(format, "(s)") || strstr(format, "(es)")))
        return length;
    size_t written = strlen(text);
    inflect(text);
    return length - (int)(written - strlen(text));
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
