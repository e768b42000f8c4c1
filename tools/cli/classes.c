#include "tools/cli/classes.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define EXPECTED "expected two or more of the digits 0 to 9, like 0,1 or 0-9 or 0-3,7"

/* One digit at *at, which no further digit may follow. */
static bool take_digit(const char **at, int *digit)
{
    if (!isdigit((unsigned char)(*at)[0]) || isdigit((unsigned char)(*at)[1])) return false;
    *digit = *(*at)++ - '0';
    return true;
}

bool classes_parse(const char *text, int classes[DIGITS], int *count, rv_error *error)
{
    bool taken[DIGITS] = {false};
    *count = 0;
    for (const char *at = text;; at++) {
        int first, last;
        bool ok = take_digit(&at, &first);
        last = first;
        if (ok && *at == '-') ok = at++, take_digit(&at, &last);
        if (!ok || (*at != ',' && *at != '\0'))
            return rv_fail(error, RV_ERROR_ARGUMENT, "--classes: got \"%.100s\", " EXPECTED, text);
        if (first > last)
            return rv_fail(error, RV_ERROR_ARGUMENT,
                           "--classes: got \"%.100s\", where %d-%d runs backwards; " EXPECTED, text,
                           first, last);
        for (int digit = first; digit <= last; digit++) {
            if (taken[digit])
                return rv_fail(error, RV_ERROR_ARGUMENT,
                               "--classes: got \"%.100s\", where %d comes twice; " EXPECTED, text,
                               digit);
            taken[digit] = true;
            classes[(*count)++] = digit;
        }
        if (*at == '\0') break;
    }
    return *count >= 2 || rv_fail(error, RV_ERROR_ARGUMENT,
                                  "--classes: got \"%.100s\", a single digit; " EXPECTED, text);
}
